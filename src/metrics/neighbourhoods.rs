//! Whether generated images lie where real ones are, and the reverse, by balls around images that reach to their k-th nearest
//! neighbour in the same set.
//!
//! - precision: the share of generated images in the ball of some real one; recall: the share of real images in the ball of some
//!   generated one (Kynkäänniemi et al. 2019, equations 1 to 3; balls with their surface, as in torch-fidelity and StyleGAN).
//! - density: in how many balls of real images a generated one lies, over k, on average; it may exceed 1. Coverage: the share of
//!   real images with a generated one in their ball (Naeem et al. 2020, equations 3 and 4; balls without their surface).
//!
//! Of two equal distributions coverage tends to 1 − 2⁻ᵏ for equally large sets, and density to 1.

use crate::kernels::cpu::pairs::{Balls, Centred, Inside, Rows, inside, nearest_within};

/// For each image, whether it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbourhoods {
    /// For each generated image, whether it lies in the ball of a real one.
    pub precision: Vec<bool>,
    /// For each real image, whether it lies in the ball of a generated one.
    pub recall: Vec<bool>,
    /// For each generated image, in how many balls of real ones it lies.
    pub density: Vec<u32>,
    /// For each real image, whether a generated one lies in its ball.
    pub coverage: Vec<bool>,
    /// Neighbours for precision and recall, and for density and coverage.
    pub neighbours: [usize; 2],
}

impl Neighbourhoods {
    /// Of features `[n, d]` and `[m, d]`. `None` where a set is smaller than needed for a ball.
    pub fn new(real: Rows<'_>, generated: Rows<'_>, neighbours: [usize; 2]) -> Option<Self> {
        let most = neighbours.iter().copied().max()?;
        if real.len() <= most || generated.len() <= most || neighbours.contains(&0) {
            return None;
        }
        let centre = real.mean();
        let (real, generated) = (Centred::new(real, &centre), Centred::new(generated, &centre));
        let (wide, narrow) = split(&nearest_within(&real, &neighbours));
        let around_generated = nearest_within(&generated, &neighbours[..1]);
        let around_real = [Balls { radii: &wide, closed: true }, Balls { radii: &narrow, closed: false }];
        let balls = Balls { radii: &around_generated, closed: true };
        let (of_real, of_generated) = inside(&real, &generated, &around_real, &[balls]);
        let [precision, density]: [Inside; 2] = of_real.try_into().ok()?;
        let recall = of_generated.into_iter().next()?;
        let any = |inside: &Inside| inside.within.iter().map(|balls| *balls > 0).collect();
        Some(Self {
            precision: any(&precision),
            recall: any(&recall),
            density: density.within,
            coverage: density.filled,
            neighbours,
        })
    }

    /// Precision, recall, density, coverage.
    pub fn shares(&self) -> [f64; 4] {
        let share = |flags: &[bool]| flags.iter().filter(|flag| **flag).count() as f64 / flags.len() as f64;
        [share(&self.precision), share(&self.recall), self.mean_density(), share(&self.coverage)]
    }

    fn mean_density(&self) -> f64 {
        let total: u64 = self.density.iter().map(|balls| u64::from(*balls)).sum();
        total as f64 / (self.neighbours[1] * self.density.len()) as f64
    }
}

/// The first and the second of each two numbers.
fn split(pairs: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (pairs, _) = pairs.as_chunks::<2>();
    pairs.iter().map(|[first, second]| (*first, *second)).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{D, fake, near, real};

    fn shares(k: usize) -> [f64; 4] {
        Neighbourhoods::new(Rows::new(&real(), D), Rows::new(&fake(), D), [k, k]).unwrap().shares()
    }

    /// torch-fidelity 0.4.0 and prdc 0.2, which agree where both have a number.
    #[test]
    fn agrees_with_the_reference_packages() {
        for (k, due) in [(3, [0.9775, 0.27, 2.77, 0.8625]), (5, [0.9925, 0.395, 2.5145, 0.9])] {
            for (found, due) in shares(k).into_iter().zip(due) {
                near(found, due, 1e-12);
            }
        }
    }

    #[test]
    fn a_collapsed_set_is_precise_and_recalls_nothing() {
        let real = real();
        let mut collapsed: Vec<f32> = Vec::new();
        for copy in 0..50 {
            collapsed.extend(real[..D].iter().map(|value| value + 1e-4 * copy as f32));
        }
        let found = Neighbourhoods::new(Rows::new(&real, D), Rows::new(&collapsed, D), [3, 5]).unwrap();
        let [precision, recall, density, coverage] = found.shares();
        assert!(precision == 1.0 && recall <= 1.0 / 400.0 && density >= 0.2 && coverage < 0.05, "{:?}", found.shares());
        assert!(Neighbourhoods::new(Rows::new(&real[..5 * D], D), Rows::new(&collapsed, D), [3, 5]).is_none());
    }

    /// The same images on both sides: each lies in its own ball.
    #[test]
    fn a_set_covers_itself() {
        let real = real();
        let [precision, recall, _, coverage] =
            Neighbourhoods::new(Rows::new(&real, D), Rows::new(&real, D), [3, 5]).unwrap().shares();
        assert_eq!([precision, recall, coverage], [1.0; 3]);
    }
}
