//! Variance of AUROC and the test of a difference between two AUROCs on the same cases: DeLong, DeLong and Clarke-Pearson
//! 1988, by the midranks of Sun and Xu 2014. With several images a patient, whose scores are alike, the variance is that of
//! Obuchowski 1997 for clustered data, which is DeLong's where every patient has one image.

use super::normal::{NORMAL_975, upper_tail};
use std::collections::BTreeMap;

/// AUROCs of two classifiers on the same cases with their covariance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    pub auroc: [f64; 2],
    pub variance: [f64; 2],
    pub covariance: f64,
}

/// Compares two classifiers on the same independent cases. `None` with fewer than two positive or two negative cases, or lists
/// of unequal lengths. For one classifier, give its scores twice.
pub fn compare(first: &[f32], second: &[f32], positive: &[bool]) -> Option<Comparison> {
    let each: Vec<u32> = (0..positive.len() as u32).collect();
    compare_clustered(first, second, positive, &each)
}

/// Compares two classifiers on the same cases, of which those with the same number in `patients` belong together. `None` where
/// fewer than two patients have a positive case, or fewer than two a negative one.
///
/// With V the structural components summed by patient and centred, I₁₀ patients with one of m positive cases, I₀₁ with one of n
/// negative ones and I in all: S₁₀ = I₁₀ / ((I₁₀ − 1) m) Σ V₁₀ V₁₀, S₀₁ likewise, S₁₁ = I / (I − 1) Σ V₁₀ V₀₁, and the covariance
/// of two AUROCs is S₁₀/m + S₀₁/n + (S₁₁ + S₁₁ᵀ)/(m n). Obuchowski 1997, section 2.
pub fn compare_clustered(first: &[f32], second: &[f32], positive: &[bool], patients: &[u32]) -> Option<Comparison> {
    if first.len() != positive.len() || second.len() != positive.len() || patients.len() != positive.len() {
        return None;
    }
    let (a, b) = (Components::new(first, positive)?, Components::new(second, positive)?);
    let (m, n) = (a.positives.len() as f64, a.negatives.len() as f64);
    let of = |class: bool| -> Vec<u32> {
        patients.iter().zip(positive).filter(|(_, positive)| **positive == class).map(|(patient, _)| *patient).collect()
    };
    let (ill, well) = (of(true), of(false));
    let mut all = patients.to_vec();
    all.sort_unstable();
    all.dedup();
    let sums = |components: &Components| {
        let centred = |values: &[f64], patients: &[u32]| {
            let mut sums: BTreeMap<u32, f64> = BTreeMap::new();
            for (value, patient) in values.iter().zip(patients) {
                *sums.entry(*patient).or_default() += value - components.auroc;
            }
            sums
        };
        [centred(&components.positives, &ill), centred(&components.negatives, &well)]
    };
    let (of_a, of_b) = (sums(&a), sums(&b));
    let [with_positive, with_negative] = [of_a[0].len(), of_a[1].len()];
    if with_positive < 2 || with_negative < 2 {
        return None;
    }
    let factor = |count: usize| count as f64 / (count as f64 - 1.0);
    let products = |a: &BTreeMap<u32, f64>, b: &BTreeMap<u32, f64>| -> f64 {
        a.iter().filter_map(|(patient, a)| Some(a * b.get(patient)?)).sum()
    };
    let covariance = |a: &[BTreeMap<u32, f64>; 2], b: &[BTreeMap<u32, f64>; 2]| {
        let within =
            factor(with_positive) * products(&a[0], &b[0]) / (m * m) + factor(with_negative) * products(&a[1], &b[1]) / (n * n);
        within + factor(all.len()) * (products(&a[0], &b[1]) + products(&a[1], &b[0])) / (m * n)
    };
    Some(Comparison {
        auroc: [a.auroc, b.auroc],
        variance: [covariance(&of_a, &of_a), covariance(&of_b, &of_b)],
        covariance: covariance(&of_a, &of_b),
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

    /// Two images of each patient, alike in everything: as many cases as patients.
    #[test]
    fn images_of_a_patient_count_together() {
        let (positive, first, second) = example();
        let twice = |scores: &[f32]| -> Vec<f32> { scores.iter().flat_map(|score| [*score; 2]).collect() };
        let positive_twice: Vec<bool> = positive.iter().flat_map(|positive| [*positive; 2]).collect();
        let patients: Vec<u32> = (0..600).map(|image| image / 2).collect();
        let found = compare_clustered(&twice(&first), &twice(&second), &positive_twice, &patients).unwrap();
        let single = compare(&first, &second, &positive).unwrap();
        assert!((found.auroc[0] - single.auroc[0]).abs() < 1e-12);
        for (found, due) in
            found.variance.iter().chain([&found.covariance]).zip(single.variance.iter().chain([&single.covariance]))
        {
            assert!((found / due - 1.0).abs() < 1e-9, "{found} {due}");
        }
    }

    /// Patients with images of both classes: the standard deviation over many bootstrap samples of patients.
    #[test]
    fn the_variance_of_clusters_is_that_of_the_bootstrap() {
        use crate::metrics::auroc::{Cases, Ranking};
        use crate::metrics::bootstrap::Clusters;
        use crate::random::Key;
        let key = Key::new(4);
        let patients: Vec<u32> = (0..600).map(|image| image / 3).collect();
        let positive: Vec<bool> = (0..600).map(|image| key.with("label").uniform(image) < 0.4).collect();
        let score = |image: usize| {
            let shared = key.with("patient").normal(image as u64 / 3);
            (1.5 * shared + key.with("image").normal(image as u64) + if positive[image] { 1.0 } else { 0.0 }) as f32
        };
        let scores: Vec<f32> = (0..600).map(score).collect();
        let found = compare_clustered(&scores, &scores, &positive, &patients).unwrap();
        let ranking = Ranking::new(&Cases { images: (0..600).collect(), scores, positive });
        let draws = Clusters::new(&patients).resample(&Key::new(1), 4000, |weights| ranking.auroc(weights).unwrap());
        let mean = draws.iter().sum::<f64>() / 4000.0;
        let deviation = (draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 3999.0).sqrt();
        assert!((found.variance[0].sqrt() / deviation - 1.0).abs() < 0.06, "{} {deviation}", found.variance[0].sqrt());
    }
}
