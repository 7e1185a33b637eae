//! Variance of AUROC and the test of a difference between two AUROCs on the same cases: DeLong, DeLong and Clarke-Pearson
//! 1988, by the midranks of Sun and Xu 2014. Cases must be independent: with several images a patient, use [`super::bootstrap`].

/// The 97.5 % point of the standard normal distribution.
const NORMAL_975: f64 = 1.959_963_984_540_054;

/// AUROCs of two classifiers on the same cases with their covariance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    pub auroc: [f64; 2],
    pub variance: [f64; 2],
    pub covariance: f64,
}

/// Compares two classifiers on the same cases. `None` with fewer than two positive or two negative cases, or lists of
/// unequal lengths. For one classifier, give its scores twice.
pub fn compare(first: &[f32], second: &[f32], positive: &[bool]) -> Option<Comparison> {
    if first.len() != positive.len() || second.len() != positive.len() {
        return None;
    }
    let (a, b) = (Components::new(first, positive)?, Components::new(second, positive)?);
    let (m, n) = (a.positives.len() as f64, a.negatives.len() as f64);
    let covariance = |a: &Components, b: &Components| {
        sample_covariance(&a.positives, &b.positives) / m + sample_covariance(&a.negatives, &b.negatives) / n
    };
    Some(Comparison {
        auroc: [a.auroc, b.auroc],
        variance: [covariance(&a, &a), covariance(&b, &b)],
        covariance: covariance(&a, &b),
    })
}

impl Comparison {
    /// 95 % interval of the first AUROC: AUROC ± 1.96 √variance, cut off at 0 and 1.
    pub fn wald(&self) -> [f64; 2] {
        let half = NORMAL_975 * self.variance[0].sqrt();
        [(self.auroc[0] - half).max(0.0), (self.auroc[0] + half).min(1.0)]
    }

    /// 95 % interval of the first AUROC on the logit scale, which never leaves (0, 1); `None` where AUROC is 0 or 1.
    pub fn logit(&self) -> Option<[f64; 2]> {
        let area = self.auroc[0];
        if area <= 0.0 || area >= 1.0 {
            return None;
        }
        let half = NORMAL_975 * self.variance[0].sqrt() / (area * (1.0 - area));
        let middle = (area / (1.0 - area)).ln();
        Some([middle - half, middle + half].map(|end| 1.0 / (1.0 + (-end).exp())))
    }

    /// z of the difference, and its two-sided p. `None` where the difference has no variance.
    pub fn difference(&self) -> Option<(f64, f64)> {
        let variance = self.variance[0] + self.variance[1] - 2.0 * self.covariance;
        if variance <= 0.0 {
            return None;
        }
        let z = (self.auroc[0] - self.auroc[1]) / variance.sqrt();
        Some((z, 2.0 * upper_tail(z.abs())))
    }
}

/// The structural components of one AUROC: for every positive case the share of negatives below it (V10 of DeLong), for
/// every negative case the share of positives above it (V01).
struct Components {
    auroc: f64,
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Components {
    fn new(scores: &[f32], positive: &[bool]) -> Option<Self> {
        let of = |class: bool| -> Vec<f32> {
            scores.iter().zip(positive).filter(|(_, positive)| **positive == class).map(|(score, _)| *score).collect()
        };
        let (positives, negatives) = (of(true), of(false));
        let (m, n) = (positives.len(), negatives.len());
        if m < 2 || n < 2 {
            return None;
        }
        let among_all = midranks(&[positives.as_slice(), negatives.as_slice()].concat());
        let (all_positive, all_negative) = among_all.split_at(m);
        let differences = |all: &[f64], own: Vec<f64>| -> Vec<f64> { all.iter().zip(own).map(|(all, own)| all - own).collect() };
        let won: Vec<f64> = differences(all_positive, midranks(&positives)).iter().map(|below| below / n as f64).collect();
        let lost = differences(all_negative, midranks(&negatives)).iter().map(|below| 1.0 - below / m as f64).collect();
        Some(Self { auroc: won.iter().sum::<f64>() / m as f64, positives: won, negatives: lost })
    }
}

/// Ranks from 1; equal values share the mean of their ranks.
fn midranks(values: &[f32]) -> Vec<f64> {
    let mut sorted: Vec<(f32, usize)> = values.iter().copied().zip(0..).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0usize;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        for (_, at) in tied {
            if let Some(rank) = ranks.get_mut(*at) {
                *rank = below as f64 + 0.5 * (tied.len() as f64 + 1.0);
            }
        }
        below += tied.len();
    }
    ranks
}

/// Covariance with n − 1.
fn sample_covariance(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / (n - 1.0)
}

/// P(Z > z) of a standard normal for z ≥ 0: a series near 0, Laplace's continued fraction beyond (Abramowitz and Stegun
/// 26.2.11 and 26.2.14).
fn upper_tail(z: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::auroc::{auroc, tests::example};

    /// Variances by the definition (all pairs, numpy f64), intervals and p by scipy's normal distribution.
    #[test]
    fn variance_intervals_and_test_agree_with_the_definition() {
        let (positive, first, second) = example();
        let found = compare(&first, &second, &positive).unwrap();
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-10, "{found} {expected}");
        close(found.auroc[0], 0.847_067_730_475_802_3);
        close(found.auroc[0], auroc(&first, &positive).unwrap());
        close(found.variance[0], 0.000_556_938_731_030_621_1);
        close(found.variance[1], 0.000_548_174_474_326_535_1);
        close(found.covariance, 0.000_358_694_761_048_271_3);
        close(found.wald()[0], 0.800_813_463_635_825_5);
        close(found.wald()[1], 0.893_321_997_315_779_1);
        close(found.logit().unwrap()[0], 0.794_902_012_545_379_2);
        close(found.logit().unwrap()[1], 0.887_837_501_407_158_4);
        let (z, p) = found.difference().unwrap();
        close(z, 0.139_008_419_282_399_18);
        close(p, 0.889_443_496_019_506_5);
    }

    #[test]
    fn too_few_cases_and_no_difference() {
        assert_eq!(compare(&[0.1, 0.2, 0.3], &[0.1, 0.2, 0.3], &[true, false, false]), None);
        assert_eq!(compare(&[0.1], &[0.1, 0.2], &[true, false]), None);
        let same = compare(&[0.1, 0.2, 0.3, 0.4], &[0.1, 0.2, 0.3, 0.4], &[false, true, false, true]).unwrap();
        assert_eq!(same.difference(), None);
        let perfect = compare(&[0.0, 0.0, 1.0, 1.0], &[0.0, 0.0, 1.0, 1.0], &[false, false, true, true]).unwrap();
        assert_eq!((perfect.auroc[0], perfect.wald(), perfect.logit()), (1.0, [1.0, 1.0], None));
    }

    /// Values of the normal distribution's tables.
    #[test]
    fn the_normal_tail_agrees_with_tables() {
        for (z, p) in [
            (0.0, 0.5),
            (1.0, 0.158_655_253_931_457),
            (NORMAL_975, 0.025),
            (3.0, 1.349_898_031_630_09e-3),
            (6.0, 9.865_876_450_377e-10),
        ] {
            assert!((upper_tail(z) / p - 1.0).abs() < 1e-9, "{z}: {}", upper_tail(z));
        }
    }
}
