//! The inception score: exp(mean KL(p(y|x) ‖ p(y))) over the class probabilities of images (Salimans et al. 2016, section 4), in parts,
//! as torch-fidelity computes it. It asks whether images fall clearly into many of the network's classes, so of medical images and a
//! network of everyday classes it says little; it is here for parity with published figures.

use super::legacy_permutation::LegacyRandom;
use rayon::prelude::*;

/// Parts of torch-fidelity and its seed.
pub const PARTS: usize = 10;
pub const SEED: u32 = 2020;

/// The score of each part: logits `[n, classes]` are put into a random order (NumPy's, by the seed; `None`: as they stand) and divided
/// into `parts` stretches. Fewer images than parts give no score.
pub fn scores(logits: &[f32], classes: usize, parts: usize, seed: Option<u32>) -> Vec<f64> {
    let n = logits.len().checked_div(classes).unwrap_or(0);
    if n < parts {
        return Vec::new();
    }
    let order = seed.map_or_else(|| (0..n).collect(), |seed| LegacyRandom::new(seed).permutation(n));
    let part = |part: usize| {
        let rows = order.get(part * n / parts..(part + 1) * n / parts).unwrap_or_default();
        let rows = rows.iter().filter_map(|row| logits.get(row * classes..(row + 1) * classes));
        score(rows, classes)
    };
    (0..parts).into_par_iter().map(part).collect()
}

/// Mean and population deviation of some scores.
pub fn mean_and_deviation(scores: &[f64]) -> Option<(f64, f64)> {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n;
    (!scores.is_empty()).then(|| (mean, variance.sqrt()))
}

/// exp(mean Σ p log p − Σ q log q) with q the mean of p, which is the same.
fn score<'l>(rows: impl Iterator<Item = &'l [f32]>, classes: usize) -> f64 {
    let (mut marginal, mut entropies, mut n) = (vec![0.0; classes], 0.0, 0.0);
    let mut exponentials = vec![0.0; classes];
    for row in rows {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (exponential, logit) in exponentials.iter_mut().zip(row) {
            *exponential = f64::from(logit - most).exp();
            sum += *exponential;
        }
        let log_sum = sum.ln();
        let mut entropy = 0.0;
        for ((total, exponential), logit) in marginal.iter_mut().zip(&exponentials).zip(row) {
            let probability = exponential / sum;
            *total += probability;
            entropy += probability * (f64::from(logit - most) - log_sum);
        }
        entropies += entropy;
        n += 1.0;
    }
    let of_marginal: f64 = marginal.iter().map(|total| total / n).filter(|q| *q > 0.0).map(|q| q * q.ln()).sum();
    (entropies / n - of_marginal).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{logits, near};

    #[test]
    fn agrees_with_torch_fidelity() {
        let (mean, deviation) = mean_and_deviation(&scores(&logits(), 10, PARTS, Some(SEED))).unwrap();
        near(mean, 2.991_612_465_049_891, 1e-6);
        near(deviation, 0.089_989_605_384_778_32, 1e-5);
        let (mean, deviation) = mean_and_deviation(&scores(&logits(), 10, PARTS, None)).unwrap();
        near(mean, 3.021_609_299_592_930_7, 1e-6);
        near(deviation, 0.181_033_670_637_609_97, 1e-5);
    }

    #[test]
    fn uniform_predictions_score_one_and_clear_ones_as_many_as_there_are_classes() {
        near(mean_and_deviation(&scores(&[0.0; 400], 8, 5, None)).unwrap().0, 1.0, 1e-12);
        let clear: Vec<f32> = (0..400).map(|i| if i % 4 == (i / 4) % 4 { 60.0 } else { 0.0 }).collect();
        near(mean_and_deviation(&scores(&clear, 4, 5, None)).unwrap().0, 4.0, 1e-9);
        assert!(scores(&[0.0; 8], 4, 5, None).is_empty() && mean_and_deviation(&[]).is_none());
    }
}
