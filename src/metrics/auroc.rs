//! The area under the receiver operating characteristic (AUROC): the probability that a positive case scores higher than a
//! negative one, ties counting half. Equal to U / (m n) of Mann and Whitney (1947); Hanley and McNeil 1982, section II.

/// Scores of one finding, sorted once, so that any weighting of the images gives its AUROC in one pass.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Images from the lowest score to the highest.
    order: Vec<u32>,
    /// Whether the image at each place of `order` scores higher than the one before it.
    rises: Vec<bool>,
    /// Whether the image at each place of `order` is positive.
    positive: Vec<bool>,
}

impl Ranking {
    /// `scores` and `positive` are `[n]`. Scores that are not numbers sort above all others.
    pub fn new(scores: &[f32], positive: &[bool]) -> Self {
        let mut ranked: Vec<(u32, f32, bool)> =
            scores.iter().zip(positive).enumerate().map(|(image, (score, positive))| (image as u32, *score, *positive)).collect();
        ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
        let rises =
            ranked.iter().enumerate().map(|(at, one)| at > 0 && ranked.get(at - 1).is_some_and(|before| before.1 != one.1));
        Self {
            rises: rises.collect(),
            order: ranked.iter().map(|(image, ..)| *image).collect(),
            positive: ranked.iter().map(|(.., positive)| *positive).collect(),
        }
    }

    /// AUROC where image i counts `weights[i]` times; `None` where no positive or no negative image counts.
    /// All sums are of integers, so the result does not depend on the order of work.
    pub fn weighted(&self, weights: &[u32]) -> Option<f64> {
        // Twice the number of pairs that the positive image wins: 2 for a win, 1 for a tie.
        let (mut wins, mut positives, mut negatives) = (0u128, 0u64, 0u64);
        let (mut tied_positives, mut tied_negatives) = (0u64, 0u64);
        for ((image, rises), positive) in self.order.iter().zip(&self.rises).zip(&self.positive) {
            if *rises {
                wins += u128::from(tied_positives) * u128::from(2 * negatives + tied_negatives);
                positives += tied_positives;
                negatives += tied_negatives;
                (tied_positives, tied_negatives) = (0, 0);
            }
            let weight = u64::from(weights.get(*image as usize).copied().unwrap_or(0));
            *(if *positive { &mut tied_positives } else { &mut tied_negatives }) += weight;
        }
        wins += u128::from(tied_positives) * u128::from(2 * negatives + tied_negatives);
        positives += tied_positives;
        negatives += tied_negatives;
        let pairs = 2 * u128::from(positives) * u128::from(negatives);
        (pairs > 0).then(|| wins as f64 / pairs as f64)
    }
}

/// AUROC of one finding. `None` where all cases are positive or all are negative.
pub fn auroc(scores: &[f32], positive: &[bool]) -> Option<f64> {
    Ranking::new(scores, positive).weighted(&vec![1; scores.len()])
}

/// AUROC of every finding: `scores` and `labels` are `[n, findings]`.
pub fn per_finding(scores: &[f32], labels: &[u8], findings: usize) -> Vec<Option<f64>> {
    (0..findings).map(|finding| auroc(&column(scores, findings, finding), &positives(labels, findings, finding))).collect()
}

/// Mean AUROC over the findings that have both positive and negative cases; `None` where none has.
pub fn macro_auroc(scores: &[f32], labels: &[u8], findings: usize) -> Option<f64> {
    mean(per_finding(scores, labels, findings).into_iter().flatten())
}

/// One column of a matrix `[n, columns]`.
pub(super) fn column(matrix: &[f32], columns: usize, column: usize) -> Vec<f32> {
    matrix.chunks_exact(columns).filter_map(|row| row.get(column).copied()).collect()
}

pub(super) fn positives(labels: &[u8], findings: usize, finding: usize) -> Vec<bool> {
    labels.chunks_exact(findings).filter_map(|row| row.get(finding).map(|label| *label == 1)).collect()
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// splitmix64 of `seed · 2³² + index` as a number in [0, 1) with 24 bits.
    fn uniform(seed: u64, index: u64) -> f64 {
        let mut z = (seed << 32).wrapping_add(index).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f64 / (1u64 << 24) as f64
    }

    /// 300 cases, 77 of them positive, with two tied scores each. What scikit-learn 1.9.1 and a direct DeLong computation
    /// in f64 give for them stands in the tests here and in `delong`.
    pub fn example() -> (Vec<bool>, Vec<f32>, Vec<f32>) {
        let positive: Vec<bool> = (0..300).map(|i| uniform(11, i) < 0.3).collect();
        let rounded = |value: f64| ((value * 50.0).round_ties_even() / 50.0) as f32;
        let shift = |i: u64, by: f64| if positive[i as usize] { by } else { 0.0 };
        let first = (0..300).map(|i| rounded(uniform(12, i) + shift(i, 0.35))).collect();
        let second = (0..300).map(|i| rounded(0.5 * uniform(12, i) + 0.5 * uniform(13, i) + shift(i, 0.25))).collect();
        (positive, first, second)
    }

    #[test]
    fn agrees_with_scikit_learn_under_ties() {
        let (positive, first, second) = example();
        assert_eq!(positive.iter().filter(|positive| **positive).count(), 77);
        assert!((auroc(&first, &positive).unwrap() - 0.847_067_730_475_802_3).abs() < 1e-12);
        assert!((auroc(&second, &positive).unwrap() - 0.844_330_557_335_041_6).abs() < 1e-12);
    }

    #[test]
    fn ends_ties_and_missing_classes() {
        let labels = [false, true, false, true];
        assert_eq!(auroc(&[0.1, 0.8, 0.2, 0.9], &labels), Some(1.0));
        assert_eq!(auroc(&[0.9, 0.1, 0.8, 0.2], &labels), Some(0.0));
        assert_eq!(auroc(&[0.5; 4], &labels), Some(0.5));
        assert_eq!(auroc(&[0.0, -0.0, -0.0, 0.0], &labels), Some(0.5));
        assert_eq!(auroc(&[0.5; 4], &[true; 4]), None);
        assert_eq!(auroc(&[], &[]), None);
    }

    #[test]
    fn a_weight_is_a_repetition() {
        let (positive, scores, _) = example();
        let weights: Vec<u32> = (0..300).map(|i| (uniform(5, i) * 4.0) as u32).collect();
        let repeat = |i: usize| std::iter::repeat_n(i, weights[i] as usize);
        let (again, scored): (Vec<bool>, Vec<f32>) = (0..300).flat_map(repeat).map(|i| (positive[i], scores[i])).unzip();
        assert_eq!(Ranking::new(&scores, &positive).weighted(&weights), auroc(&scored, &again));
    }

    #[test]
    fn the_macro_average_leaves_out_findings_without_both_classes() {
        let scores = [0.1, 0.5, 0.9, 0.8, 0.5, 0.1, 0.3, 0.5, 0.4];
        let labels = [0, 1, 0, 1, 1, 1, 0, 1, 1];
        assert_eq!(per_finding(&scores, &labels, 3), [Some(1.0), None, Some(0.0)]);
        assert_eq!(macro_auroc(&scores, &labels, 3), Some(0.5));
        assert_eq!(macro_auroc(&scores[..3], &labels[..3], 3), None);
    }
}
