//! Where a predictor looks: how much worse it reads an image when a block of it is covered. Δ of a block is
//! max(cross-entropy covered − cross-entropy whole, 1e-7), with the labels that are true. Schütte et al. 2021, code of `cxpl.py`: the
//! causal target of CXPlain (Schwab and Karlen 2019) without its second network.
//!
//! Two predictors are compared on the same images by the correlation of their maps, block by block. Maps of blocks in a random order have
//! a correlation of 0 on average, but two predictors that look at the same place in every image agree without having seen anything
//! in it: so maps of images of different patients are correlated, too.

use super::bootstrap::{Clusters, mean_interval};
use super::utility::Estimate;
use crate::data::shard::UNKNOWN;
use crate::random::Key;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The least that Δ counts.
pub const LEAST: f64 = 1e-7;
/// Probabilities are held so far from 0 and 1 that no cross-entropy is infinite.
const CLIP: f64 = 1e-7;
/// Draws of patients of an interval.
pub const RESAMPLES: usize = 1_000;

/// The blocks of an image, row by row: squares that cover it whole, and none of them another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    pub rows: usize,
    pub columns: usize,
    /// The side of a block in pixels.
    pub side: usize,
}

impl Blocks {
    /// `None` where the blocks leave a rest of the image.
    pub fn new(height: usize, width: usize, side: usize) -> Option<Self> {
        let divides = side > 0 && height > 0 && width > 0 && height.is_multiple_of(side) && width.is_multiple_of(side);
        divides.then(|| Self { rows: height / side, columns: width / side, side })
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.rows * self.columns
    }

    /// Covers a block of an image `[c, h, w]` with a value for each channel.
    pub fn cover(self, block: usize, fill: &[f32], image: &mut [f32]) {
        let width = self.columns * self.side;
        let (top, left) = (block / self.columns.max(1) * self.side, block % self.columns.max(1) * self.side);
        for (plane, fill) in image.chunks_mut((self.rows * self.side * width).max(1)).zip(fill) {
            for row in plane.chunks_mut(width.max(1)).skip(top).take(self.side) {
                row.iter_mut().skip(left).take(self.side).for_each(|pixel| *pixel = *fill);
            }
        }
    }
}

/// What a predictor with sigmoids holds a finding for.
pub fn probability(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

/// The binary cross-entropy of one image, the mean over the labels that are known; `None` where none is.
pub fn cross_entropy(logits: &[f32], labels: &[u8]) -> Option<f64> {
    let known = || logits.iter().zip(labels).filter(|(_, label)| **label != UNKNOWN);
    let of = |(logit, label): (&f32, &u8)| {
        let present = probability(*logit).clamp(CLIP, 1.0 - CLIP);
        -if *label == 1 { present } else { 1.0 - present }.ln()
    };
    let count = known().count();
    (count > 0).then(|| known().map(of).sum::<f64>() / count as f64)
}

/// What covering each block does to two predictors.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedMaps {
    pub blocks: Blocks,
    /// `[n, rows, columns]`: Δ for the predictor trained on real images.
    pub real: Vec<f32>,
    /// The same for the predictor trained on synthetic images.
    pub synthetic: Vec<f32>,
    /// `[n]`: any number for each patient.
    pub patients: Vec<u32>,
}

impl PairedMaps {
    /// The map of one image, `[rows, columns]`, among all of one predictor.
    pub fn of_image<'m>(&self, all: &'m [f32], image: usize) -> &'m [f32] {
        let count = self.blocks.count();
        all.get(image * count..(image + 1) * count).unwrap_or_default()
    }
}

/// A mean over images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// As results are called: `agreement`.
    pub name: String,
    pub title: String,
    pub found: Option<Estimate>,
    /// How many images have a number, which alone count.
    pub images: usize,
    /// What the number is of maps that tell nothing.
    pub by_chance: f64,
    /// Why there is no number, or not of all images.
    pub note: Option<String>,
}

/// Everything that an `attribution` block found, and what it depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributionResults {
    pub images: usize,
    pub patients: usize,
    pub blocks: Blocks,
    /// What blocks were covered with, in words.
    pub fill: String,
    pub seed: u64,
    pub resamples: usize,
    pub measures: Vec<Measure>,
}

/// The number of one image, by its position; `None` where it has none.
type OfImage<'m> = dyn Fn(usize) -> Option<f64> + Sync + 'm;

const BOTH: &str = "both predictors";
const REAL: &str = "trained on real images";
const SYNTHETIC: &str = "trained on synthetic images";

/// Compares the maps of two predictors. Numbers are means over images, with intervals by bootstrap over patients.
pub fn compare(maps: &PairedMaps, key: &Key) -> Vec<Measure> {
    let others = partners(&maps.patients, key);
    let (real, synthetic) = (|image| maps.of_image(&maps.real, image), |image| maps.of_image(&maps.synthetic, image));
    let other = |image: usize| others.get(image).copied().flatten();
    let share = maps.blocks.count().div_ceil(10) as f64 / maps.blocks.count().max(1) as f64;
    let tenth = |predictor: &str| {
        format!("Share of Δ in the top {} of {} blocks, {predictor}", maps.blocks.count().div_ceil(10), maps.blocks.count())
    };
    let measures: [(&str, String, f64, &OfImage<'_>); 7] = [
        ("agreement", format!("Rank correlation, {BOTH}, same image"), 0.0, &|image| {
            rank_correlation(real(image), synthetic(image))
        }),
        ("agreement_linear", format!("Linear correlation, {BOTH}, same image"), 0.0, &|image| {
            correlation(&doubles(real(image)), &doubles(synthetic(image)))
        }),
        ("agreement_elsewhere", format!("Rank correlation, {BOTH}, images of different patients"), 0.0, &|image| {
            rank_correlation(real(image), synthetic(other(image)?))
        }),
        ("sameness_real", format!("Rank correlation, {REAL}, images of different patients"), 0.0, &|image| {
            rank_correlation(real(image), real(other(image)?))
        }),
        ("sameness_synthetic", format!("Rank correlation, {SYNTHETIC}, images of different patients"), 0.0, &|image| {
            rank_correlation(synthetic(image), synthetic(other(image)?))
        }),
        ("focus_real", tenth(REAL), share, &|image| focus(real(image))),
        ("focus_synthetic", tenth(SYNTHETIC), share, &|image| focus(synthetic(image))),
    ];
    measures.into_iter().map(|(name, title, by_chance, of)| measure(name, title, by_chance, &maps.patients, of, key)).collect()
}

fn measure(name: &str, title: String, by_chance: f64, patients: &[u32], of: &OfImage<'_>, key: &Key) -> Measure {
    let all: Vec<Option<f64>> = (0..patients.len()).into_par_iter().map(of).collect();
    let (values, of_whom): (Vec<f64>, Vec<u32>) =
        all.iter().zip(patients).filter_map(|(value, of)| value.map(|value| (value, *of))).unzip();
    let (images, left_out) = (values.len(), patients.len() - values.len());
    let found = (images > 0).then(|| {
        let mean = values.iter().sum::<f64>() / images as f64;
        Estimate::new(mean, mean_interval(&values, &of_whom, RESAMPLES, &key.with(name)))
    });
    let note = match (images, left_out, Clusters::new(patients).patients()) {
        (_, 0, _) => None,
        (0, _, 1) if name.starts_with("sameness") || name.ends_with("elsewhere") => {
            Some("all images are of one patient".to_owned())
        }
        (0, ..) => Some("a map of every image is the same everywhere".to_owned()),
        _ => Some(format!("without {left_out} of {} images, of which a map is the same everywhere", patients.len())),
    };
    Measure { name: name.to_owned(), title, found, images, by_chance, note }
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// For every image one of another patient, at random: in a random order of all images the next one that is.
fn partners(patients: &[u32], key: &Key) -> Vec<Option<usize>> {
    let order = key.with("partners").permutation(patients.len());
    let mut partners = vec![None; patients.len()];
    for (place, image) in order.iter().enumerate() {
        let other = |candidate: &&usize| patients.get(**candidate) != patients.get(*image);
        let found = order.iter().cycle().skip(place + 1).take(order.len()).find(other).copied();
        if let Some(partner) = partners.get_mut(*image) {
            *partner = found;
        }
    }
    partners
}

/// The share of Δ that lies in the tenth of the blocks that have most of it; `None` of a map that is the same everywhere.
pub fn focus(map: &[f32]) -> Option<f64> {
    let mut sorted = doubles(map);
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (first, last) = (sorted.first()?, sorted.last()?);
    (first > last).then(|| sorted.iter().take(map.len().div_ceil(10)).sum::<f64>() / sorted.iter().sum::<f64>())
}

/// Spearman's rank correlation, with equal values on the mean of their ranks; `None` where one of the lists is the same everywhere.
pub fn rank_correlation(a: &[f32], b: &[f32]) -> Option<f64> {
    correlation(&ranks(a), &ranks(b))
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<(usize, f32)> = values.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for equal in order.chunk_by(|(_, a), (_, b)| a == b) {
        let rank = below as f64 + (equal.len() - 1) as f64 / 2.0;
        for (place, _) in equal {
            if let Some(found) = ranks.get_mut(*place) {
                *found = rank;
            }
        }
        below += equal.len();
    }
    ranks
}

/// Pearson's correlation; `None` where one of the lists is the same everywhere, or they differ in length.
pub fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.is_empty() {
        return None;
    }
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect()
    };
    let constant = |values: &[f64]| values.iter().all(|value| Some(value) == values.first());
    let (a, b) = match constant(a) || constant(b) {
        true => return None,
        false => (centred(a), centred(b)),
    };
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    (spread > 0.0).then(|| (product(&a, &b) / spread).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_image_and_leave_no_rest() {
        assert_eq!(Blocks::new(224, 224, 4).map(Blocks::count), Some(3136));
        assert_eq!((Blocks::new(32, 30, 4), Blocks::new(32, 32, 0)), (None, None));
        let blocks = Blocks::new(4, 6, 2).unwrap();
        let mut image: Vec<f32> = vec![0.0; 48];
        blocks.cover(4, &[1.0, 2.0], &mut image);
        let covered: Vec<usize> = (0..48).filter(|at| image[*at] != 0.0).collect();
        assert_eq!(covered, [14, 15, 20, 21, 38, 39, 44, 45]);
        assert!(image[14] == 1.0 && image[45] == 2.0);
        let mut counted: Vec<f32> = vec![0.0; 24];
        for block in 0..blocks.count() {
            let mut image = vec![0.0; 24];
            blocks.cover(block, &[1.0], &mut image);
            counted.iter_mut().zip(image).for_each(|(sum, covered)| *sum += covered);
        }
        assert_eq!(counted, [1.0; 24]);
    }

    /// scipy.stats.spearmanr, scipy.stats.pearsonr.
    #[test]
    fn correlations_are_those_of_scipy() {
        let (a, b) = ([1.0_f32, 2.0, 2.0, 5.0, 9.0], [2.0_f32, 1.0, 4.0, 4.0, 30.0]);
        assert!((rank_correlation(&a, &b).unwrap() - 0.763_157_894_736_842).abs() < 1e-12, "{:?}", rank_correlation(&a, &b));
        assert!(
            (correlation(&doubles(&a), &doubles(&b)).unwrap() - 0.911_717_993_660_271_5).abs() < 1e-12,
            "{:?}",
            correlation(&doubles(&a), &doubles(&b))
        );
        assert_eq!((rank_correlation(&a, &a), rank_correlation(&a, &[1.0; 5]), correlation(&[], &[])), (Some(1.0), None, None));
    }

    #[test]
    fn cross_entropy_is_a_mean_over_known_labels_and_finite() {
        let expected = (2f64.ln() + (1.0 + 1f64.exp()).ln()) / 2.0;
        assert!((cross_entropy(&[0.0, 1.0, 9.0], &[1, 0, UNKNOWN]).unwrap() - expected).abs() < 1e-12);
        assert!((cross_entropy(&[-1e9], &[1]).unwrap() + 1e-7f64.ln()).abs() < 1e-9);
        assert_eq!(cross_entropy(&[3.0], &[UNKNOWN]), None);
    }

    /// Maps of predictors that share what is in an image, and of ones that share only where they look.
    fn drawn(images: usize, of_image: f64, habit: f64) -> PairedMaps {
        let blocks = Blocks::new(8, 8, 1).unwrap();
        let key = Key::new(5);
        let map = |image: usize, predictor: u64| -> Vec<f32> {
            let value = |block: usize| {
                let at = (image * 64 + block) as u64;
                let drawn = of_image * key.with("image").normal(at) + habit * key.with("habit").normal(block as u64);
                (drawn + key.with_index(predictor).normal(at)).exp() as f32
            };
            (0..64).map(value).collect()
        };
        let all = |predictor| (0..images).flat_map(|image| map(image, predictor)).collect();
        PairedMaps { blocks, real: all(1), synthetic: all(2), patients: (0..images as u32).map(|image| image / 2).collect() }
    }

    fn found(measures: &[Measure], name: &str) -> Estimate {
        measures.iter().find(|measure| measure.name == name).and_then(|measure| measure.found).expect(name)
    }

    #[test]
    fn agreement_on_the_image_is_told_from_a_habit() {
        let seen = compare(&drawn(60, 1.0, 0.0), &Key::new(1));
        let (same, other) = (found(&seen, "agreement"), found(&seen, "agreement_elsewhere"));
        assert!(same.low.unwrap() > 0.35 && other.value.abs() < 0.06, "{same:?} {other:?}");
        let habit = compare(&drawn(60, 0.0, 1.0), &Key::new(1));
        let (same, other) = (found(&habit, "agreement"), found(&habit, "agreement_elsewhere"));
        assert!(same.low.unwrap() > 0.35 && (same.value - other.value).abs() < 0.05, "{same:?} {other:?}");
        assert!(found(&habit, "sameness_real").low.unwrap() > 0.35 && found(&seen, "sameness_real").value.abs() < 0.06);
    }

    #[test]
    fn focus_lies_between_even_and_one_block() {
        let mut map = [LEAST as f32; 64];
        assert_eq!(focus(&map), None);
        map[9] = 1.0;
        assert!(focus(&map).unwrap() > 0.9999);
        let even: Vec<f32> = (0..64).map(|at| 1.0 + 1e-3 * at as f32).collect();
        assert!((focus(&even).unwrap() - 7.0 / 64.0).abs() < 0.01);
    }

    #[test]
    fn what_has_no_number_is_left_out_and_counted() {
        let mut maps = drawn(6, 1.0, 0.0);
        maps.real[..64].fill(LEAST as f32);
        let measures = compare(&maps, &Key::new(1));
        assert_eq!((measures[0].images, measures[6].images), (5, 6));
        assert!(measures[0].note.as_ref().unwrap().starts_with("without 1 of 6 images"));
        maps.patients.fill(3);
        let alone = compare(&maps, &Key::new(1));
        assert_eq!(alone[2].note.as_deref(), Some("all images are of one patient"));
        assert!(alone[0].found.unwrap().low.is_none() && alone[2].found.is_none());
    }

    #[test]
    fn threads_change_nothing() {
        let maps = drawn(40, 0.5, 0.5);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| compare(&maps, &Key::new(1)))
        };
        let one = on(1);
        assert!([2, 3, 7].into_iter().all(|threads| on(threads) == one));
    }
}
