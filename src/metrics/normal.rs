//! The standard normal distribution.

/// The 97.5 % point.
pub const NORMAL_975: f64 = 1.959_963_984_540_054;

/// P(Z > z) for z ≥ 0: a series near 0, Laplace's continued fraction beyond (Abramowitz and Stegun 26.2.11 and 26.2.14).
pub fn upper_tail(z: f64) -> f64 {
    let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    if z < 3.0 {
        let (mut term, mut sum) = (z, z);
        for k in 1..200 {
            term *= z * z / f64::from(2 * k + 1);
            sum += term;
        }
        return 0.5 - density * sum;
    }
    let fraction = (1..=100).rev().fold(z, |below, k| z + f64::from(k) / below);
    density / fraction
}

/// P(Z ≤ z).
pub fn below(z: f64) -> f64 {
    if z < 0.0 { upper_tail(-z) } else { 1.0 - upper_tail(z) }
}

/// The z with P(Z ≤ z) = `probability`, for probabilities in (0, 1), by bisection to full precision; beyond ±12 it ends.
pub fn quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-12.0, 12.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if below(middle) < probability { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the normal distribution's tables.
    #[test]
    fn the_tail_and_the_quantile_agree_with_tables() {
        for (z, p) in [
            (0.0, 0.5),
            (1.0, 0.158_655_253_931_457),
            (NORMAL_975, 0.025),
            (3.0, 1.349_898_031_630_09e-3),
            (6.0, 9.865_876_450_377e-10),
        ] {
            assert!((upper_tail(z) / p - 1.0).abs() < 1e-9, "{z}: {}", upper_tail(z));
            assert!((quantile(p) + z).abs() < 1e-9 && (below(-z) / p - 1.0).abs() < 1e-9, "{z}: {}", quantile(p));
        }
    }
}
