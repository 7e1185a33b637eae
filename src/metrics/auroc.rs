//! The area under the receiver operating characteristic (AUROC): the probability that a positive case scores higher than a
//! negative one, ties counting half. Equal to U / (m n) of Mann and Whitney (1947); Hanley and McNeil 1982, section II.
//! Beside it average precision, the area under the steps of precision over recall, and the points of the curve itself.

/// The images of which it is known whether they have one finding; labels of others ([`crate::data::shard::UNKNOWN`]) count in nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cases {
    /// Places of the images among all.
    pub images: Vec<u32>,
    pub scores: Vec<f32>,
    pub positive: Vec<bool>,
}

impl Cases {
    /// `scores` and `labels` are `[n, findings]`.
    pub fn of(scores: &[f32], labels: &[u8], findings: usize, finding: usize) -> Self {
        let mut cases = Self::default();
        let rows = scores.chunks_exact(findings.max(1)).zip(labels.chunks_exact(findings.max(1)));
        for (image, (scores, labels)) in rows.enumerate() {
            if let (Some(score), Some(label @ (0 | 1))) = (scores.get(finding), labels.get(finding)) {
                cases.images.push(image as u32);
                cases.scores.push(*score);
                cases.positive.push(*label == 1);
            }
        }
        cases
    }

    /// How many are positive.
    pub fn positives(&self) -> usize {
        self.positive.iter().filter(|positive| **positive).count()
    }

    /// How many are negative.
    pub fn negatives(&self) -> usize {
        self.positive.len() - self.positives()
    }
}

/// Scores of one finding, sorted once, so that any weighting of the images gives its measures in one pass.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Images from the lowest score to the highest.
    order: Vec<u32>,
    /// Whether the image at each place of `order` scores higher than the one before it.
    rises: Vec<bool>,
    /// Whether the image at each place of `order` is positive.
    positive: Vec<bool>,
}

/// Weights of the positive and the negative images of one score.
#[derive(Clone, Copy, Default)]
struct Tied {
    positives: u64,
    negatives: u64,
}

impl Ranking {
    /// Scores that are not numbers sort above all others.
    pub fn new(cases: &Cases) -> Self {
        let mut ranked: Vec<(u32, f32, bool)> = cases
            .images
            .iter()
            .zip(&cases.scores)
            .zip(&cases.positive)
            .map(|((image, score), positive)| (*image, *score, *positive))
            .collect();
        ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
        let rises =
            ranked.iter().enumerate().map(|(at, one)| at > 0 && ranked.get(at - 1).is_some_and(|before| before.1 != one.1));
        Self {
            rises: rises.collect(),
            order: ranked.iter().map(|(image, ..)| *image).collect(),
            positive: ranked.iter().map(|(.., positive)| *positive).collect(),
        }
    }

    /// Goes through the scores from the highest to the lowest with the weights of the images that have each, where image i counts
    /// `weights[i]` times.
    fn descend(&self, weights: &[u32], mut each: impl FnMut(Tied)) {
        let mut tied = Tied::default();
        for ((image, rises), positive) in self.order.iter().zip(&self.rises).zip(&self.positive).rev() {
            let weight = u64::from(weights.get(*image as usize).copied().unwrap_or(0));
            *(if *positive { &mut tied.positives } else { &mut tied.negatives }) += weight;
            if *rises {
                each(std::mem::take(&mut tied));
            }
        }
        each(tied);
    }

    /// AUROC where image i counts `weights[i]` times; `None` where no positive or no negative image counts.
    /// All sums are of integers, so the result does not depend on the order of work.
    pub fn auroc(&self, weights: &[u32]) -> Option<f64> {
        // Twice the number of pairs that the positive image wins: 2 for a win, 1 for a tie.
        let (mut wins, mut positives, mut negatives) = (0u128, 0u64, 0u64);
        self.descend(weights, |tied| {
            wins += u128::from(tied.negatives) * u128::from(2 * positives + tied.positives);
            positives += tied.positives;
            negatives += tied.negatives;
        });
        let pairs = 2 * u128::from(positives) * u128::from(negatives);
        (pairs > 0).then(|| wins as f64 / pairs as f64)
    }

    /// Average precision: Σ (Rₖ − Rₖ₋₁) · Pₖ over the thresholds from the highest score down, with recall R and precision P of the
    /// images at or above each (as scikit-learn has it, without interpolation). `None` where no positive or no negative image
    /// counts: it is 1 without negatives, which says nothing.
    pub fn average_precision(&self, weights: &[u32]) -> Option<f64> {
        let (mut positives, mut negatives, mut area) = (0u64, 0u64, 0.0);
        self.descend(weights, |tied| {
            positives += tied.positives;
            negatives += tied.negatives;
            if tied.positives > 0 {
                area += tied.positives as f64 * (positives as f64 / (positives + negatives) as f64);
            }
        });
        (positives > 0 && negatives > 0).then(|| area / positives as f64)
    }

    /// The receiver operating characteristic: false positive rate and true positive rate of every threshold, from (0, 0) to (1, 1).
    /// Empty where no image is positive or none is negative.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let all = self.positive.iter().filter(|positive| **positive).count();
        let none = self.positive.len() - all;
        if all == 0 || none == 0 {
            return Vec::new();
        }
        let last = self.order.iter().max().map_or(0, |last| *last as usize + 1);
        let (mut positives, mut negatives) = (0u64, 0u64);
        let mut points = vec![(0.0, 0.0)];
        self.descend(&vec![1; last], |tied| {
            positives += tied.positives;
            negatives += tied.negatives;
            points.push((negatives as f64 / none as f64, positives as f64 / all as f64));
        });
        points
    }
}

/// AUROC of one finding. `None` where all cases are positive or all are negative.
pub fn auroc(scores: &[f32], positive: &[bool]) -> Option<f64> {
    let images = (0..scores.len() as u32).collect();
    Ranking::new(&Cases { images, scores: scores.to_vec(), positive: positive.to_vec() }).auroc(&vec![1; scores.len()])
}

/// AUROC of every finding over the images whose label is known: `scores` and `labels` are `[n, findings]`.
pub fn per_finding(scores: &[f32], labels: &[u8], findings: usize) -> Vec<Option<f64>> {
    let one = |finding| {
        let cases = Cases::of(scores, labels, findings, finding);
        auroc(&cases.scores, &cases.positive)
    };
    (0..findings).map(one).collect()
}

/// The mean; `None` of nothing.
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
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

    fn ranking(scores: &[f32], positive: &[bool]) -> Ranking {
        let images = (0..scores.len() as u32).collect();
        Ranking::new(&Cases { images, scores: scores.to_vec(), positive: positive.to_vec() })
    }

    #[test]
    fn average_precision_agrees_with_scikit_learn_under_ties() {
        let (positive, first, second) = example();
        for (scores, due) in [(first, 0.722_822_604_772_794_5), (second, 0.670_608_024_196_468_1)] {
            let found = ranking(&scores, &positive).average_precision(&[1; 300]).unwrap();
            assert!((found - due).abs() < 1e-12, "{found} {due}");
        }
        assert_eq!(ranking(&[0.5; 2], &[true; 2]).average_precision(&[1; 2]), None);
        assert_eq!(ranking(&[0.5; 4], &[true, false, false, false]).average_precision(&[1; 4]), Some(0.25));
    }

    /// The trapezoids under the curve's points are the AUROC.
    #[test]
    fn the_area_under_the_curve_is_the_auroc() {
        let (positive, scores, _) = example();
        let points = ranking(&scores, &positive).curve();
        assert_eq!((points[0], points[points.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
        let area: f64 = points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum();
        assert!((area - 0.847_067_730_475_802_3).abs() < 1e-12, "{area}");
        assert!(ranking(&[0.5; 2], &[true; 2]).curve().is_empty());
    }

    #[test]
    fn unknown_labels_count_in_nothing() {
        let scores = [0.1, 0.5, 0.9, 0.5, 0.8, 0.5, 0.3, 0.5];
        let labels = [0, 1, 1, 2, 2, 2, 0, 0];
        assert_eq!(Cases::of(&scores, &labels, 2, 0).images, [0, 1, 3]);
        assert_eq!(per_finding(&scores, &labels, 2), [Some(1.0), Some(0.5)]);
        assert_eq!(per_finding(&[0.3, 0.4], &[2, 2], 1), [None]);
    }

    #[test]
    fn a_weight_is_a_repetition() {
        let (positive, scores, _) = example();
        let weights: Vec<u32> = (0..300).map(|i| (uniform(5, i) * 4.0) as u32).collect();
        let repeat = |i: usize| std::iter::repeat_n(i, weights[i] as usize);
        let (again, scored): (Vec<bool>, Vec<f32>) = (0..300).flat_map(repeat).map(|i| (positive[i], scores[i])).unzip();
        let (weighted, repeated) = (ranking(&scores, &positive), ranking(&scored, &again));
        assert_eq!(weighted.auroc(&weights), auroc(&scored, &again));
        let precision = repeated.average_precision(&vec![1; again.len()]).unwrap();
        assert!((weighted.average_precision(&weights).unwrap() - precision).abs() < 1e-12);
    }

    #[test]
    fn findings_without_both_classes_have_none() {
        let scores = [0.1, 0.5, 0.9, 0.8, 0.5, 0.1, 0.3, 0.5, 0.4];
        let labels = [0, 1, 0, 1, 1, 1, 0, 1, 1];
        assert_eq!(per_finding(&scores, &labels, 3), [Some(1.0), None, Some(0.0)]);
    }
}
