//! Numbers of synthetic images beside the same numbers of held-out real ones: how far images lie from the training images, and which
//! share lies nearer than a share of the held-out ones does. Intervals are of whole patients drawn with replacement; where a border
//! is drawn by other images, these are drawn anew with it.

use super::bootstrap::{Clusters, Interval, percentile_interval};
use super::fidelity::RESAMPLES;
use super::utility::Estimate;
use super::wilson::wilson;
use crate::random::Key;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A number of every image, and the patient of each.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub values: Vec<f64>,
    pub patients: Vec<u32>,
}

/// A number with what it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// As results are called: `copies`.
    pub name: String,
    pub found: Option<Estimate>,
    pub images: usize,
    pub patients: usize,
}

/// A number of synthetic images and what it is to be compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// In words: `Median distance to the nearest training image`.
    pub title: String,
    /// Whether it is a share of images, to be shown in hundredths.
    pub share: bool,
    pub synthetic: Number,
    /// The same of held-out real images.
    pub real: Option<Number>,
    /// What is due where nothing was copied, where that is known without measuring: `5 % by definition`.
    pub due: Option<String>,
    /// How the intervals were made: `by bootstrap over patients`.
    pub interval: String,
    /// Why there is no number.
    pub missing: Option<String>,
}

/// What was compared, by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sets {
    pub network: String,
    pub digest: String,
    pub dimensions: usize,
    pub resize: String,
    pub seed: u64,
    /// Images and patients.
    pub training: [usize; 2],
    pub holdout: [usize; 2],
    pub synthetic: [usize; 2],
}

/// The distances of the pairs that are shown, nearest first. Their images stand in the output `gallery`: an image and its nearest
/// training image in turn, those of synthetic images first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    pub synthetic: Vec<f64>,
    pub holdout: Vec<f64>,
}

impl Sample {
    /// Values of images in this order.
    pub fn new(values: impl IntoIterator<Item = f64>, patients: &[u32]) -> Self {
        Self { values: values.into_iter().collect(), patients: patients.to_vec() }
    }

    /// The values of some of the images.
    #[must_use]
    pub fn gathered(&self, images: &[usize]) -> Self {
        let values = images.iter().filter_map(|image| self.values.get(*image)).copied().collect();
        Self { values, patients: images.iter().filter_map(|image| self.patients.get(*image)).copied().collect() }
    }

    /// Images behind these, of other patients.
    #[must_use]
    pub fn followed_by(mut self, other: &Self) -> Self {
        let first = self.patients.iter().max().map_or(0, |last| last + 1);
        self.values.extend(&other.values);
        self.patients.extend(other.patients.iter().map(|patient| first + patient));
        self
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub fn number(&self, name: &str, found: Option<Estimate>) -> Number {
        Number { name: name.to_owned(), found, images: self.len(), patients: Clusters::new(&self.patients).patients() }
    }

    /// The mean with its interval.
    pub fn mean(&self, key: &Key) -> Option<Estimate> {
        let mean = |weights: &[u32]| weighted(&self.values, weights, |value| value);
        self.estimate(mean, key)
    }

    /// The median with its interval.
    pub fn median(&self, key: &Key) -> Option<Estimate> {
        let sorted = self.sorted();
        self.estimate(|weights| quantile(&sorted, weights, 0.5), key)
    }

    fn estimate(&self, statistic: impl Fn(&[u32]) -> f64 + Sync, key: &Key) -> Option<Estimate> {
        if self.is_empty() {
            return None;
        }
        let clusters = Clusters::new(&self.patients);
        let value = statistic(&vec![1; self.len()]);
        let draws = if clusters.patients() > 1 { clusters.resample(key, RESAMPLES, &statistic) } else { Vec::new() };
        Some(with_interval(value, percentile_interval(draws)))
    }

    /// Values in ascending order, each with its image.
    fn sorted(&self) -> Vec<(f64, usize)> {
        let mut sorted: Vec<(f64, usize)> = self.values.iter().copied().zip(0..).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        sorted
    }

    /// The value below which so large a share of these lies, linear between neighbours.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        (!self.is_empty()).then(|| quantile(&self.sorted(), &vec![1; self.len()], share))
    }

    /// The share of these that is below a quantile of `reference`. Patients of both are drawn for the interval; where no draw differs
    /// from the others, because nothing or everything is below, it is Wilson's over patients.
    pub fn share_below(&self, reference: &Self, share: f64, key: &Key) -> Option<Estimate> {
        let border = reference.quantile(share)?;
        if self.is_empty() {
            return None;
        }
        let sorted = reference.sorted();
        let below = |weights: &[u32], border: f64| weighted(&self.values, weights, |value| f64::from(u8::from(value < border)));
        let (own, others) = (Clusters::new(&self.patients), Clusters::new(&reference.patients));
        let (own_key, other_key) = (key.with("bootstrap"), key.with("bootstrap of the border"));
        let draw = |resample: u64| {
            let border = quantile(&sorted, &others.draw(&other_key.with_index(resample)), share);
            below(&own.draw(&own_key.with_index(resample)), border)
        };
        let value = below(&vec![1; self.len()], border);
        let draws: Vec<f64> = (0..RESAMPLES as u64).into_par_iter().map(draw).collect();
        let interval = match percentile_interval(draws).filter(|interval| interval.low < interval.high) {
            Some(interval) => interval,
            None => wilson(value * own.patients() as f64, own.patients()),
        };
        Some(with_interval(value, Some(interval)))
    }
}

fn with_interval(value: f64, interval: Option<Interval>) -> Estimate {
    Estimate { value, low: interval.map(|interval| interval.low), high: interval.map(|interval| interval.high) }
}

/// The mean of what is made of values, each counted as often as its weight says.
fn weighted(values: &[f64], weights: &[u32], of: impl Fn(f64) -> f64) -> f64 {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    values.iter().zip(weights).map(|(value, weight)| of(*value) * f64::from(*weight)).sum::<f64>() / total as f64
}

/// The quantile of sorted values with their images, each counted as often as the weight of its image says; linear between neighbours.
fn quantile(sorted: &[(f64, usize)], weights: &[u32], share: f64) -> f64 {
    let weight = |image: &usize| u64::from(weights.get(*image).copied().unwrap_or(0));
    let total: u64 = sorted.iter().map(|(_, image)| weight(image)).sum();
    let place = share * total.saturating_sub(1) as f64;
    let (below, part) = (place.floor() as u64, place - place.floor());
    let (mut passed, mut low, mut high) = (0, None, f64::NAN);
    for (value, image) in sorted.iter().filter(|(_, image)| weight(image) > 0) {
        passed += weight(image);
        if low.is_none() && below < passed {
            low = Some(*value);
        }
        high = *value;
        if below + 1 < passed {
            break;
        }
    }
    let low = low.unwrap_or(high);
    if part > 0.0 { low + part * (high - low) } else { low }
}

/// Rows of whole patients in a random order, until there are `n`; the last patient is cut.
pub fn whole_patients(patients: &[u32], n: usize, key: &Key) -> Vec<usize> {
    let mut known = patients.to_vec();
    known.sort_unstable();
    known.dedup();
    let place: Vec<usize> = {
        let mut place = vec![0; known.len()];
        for (at, patient) in key.permutation(known.len()).into_iter().enumerate() {
            if let Some(place) = place.get_mut(patient) {
                *place = at;
            }
        }
        place
    };
    let mut rows: Vec<usize> = (0..patients.len()).collect();
    rows.sort_by_key(|row| {
        let patient = patients.get(*row).map_or(0, |patient| known.partition_point(|other| other < patient));
        (place.get(patient).copied(), *row)
    });
    rows.truncate(n);
    rows
}

/// Rows in two halves without a common patient, as nearly equal as whole patients allow. The second is empty where there is one patient.
pub fn halves(patients: &[u32], key: &Key) -> [Vec<usize>; 2] {
    let rows = whole_patients(patients, patients.len(), key);
    let of = |place: usize| rows.get(place).and_then(|row| patients.get(*row));
    let borders = (1..rows.len()).filter(|place| of(*place) != of(*place - 1));
    let middle = borders.min_by_key(|place| (2 * place).abs_diff(rows.len())).unwrap_or(rows.len());
    let (first, second) = rows.split_at(middle);
    [first.to_vec(), second.to_vec()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(n: usize, seed: u64, shift: f64) -> Sample {
        let key = Key::new(seed);
        Sample::new((0..n as u64).map(|at| key.uniform(at) + shift), &(0..n as u32).map(|at| at / 2).collect::<Vec<_>>())
    }

    /// numpy.percentile of the values repeated by their weights.
    #[test]
    fn quantiles_count_weights() {
        let sample = Sample::new([3.0, 1.0, 2.0, 10.0], &[0, 1, 2, 3]);
        assert_eq!(sample.quantile(0.5), Some(2.5));
        assert_eq!(quantile(&sample.sorted(), &[1, 3, 0, 1], 0.5), 1.0);
        assert_eq!(quantile(&sample.sorted(), &[1, 2, 0, 1], 0.5), 2.0);
        assert!((quantile(&sample.sorted(), &[2, 0, 1, 2], 0.9) - 10.0).abs() < 1e-12);
        assert_eq!((sample.quantile(0.0), sample.quantile(1.0)), (Some(1.0), Some(10.0)));
        assert_eq!(Sample::default().quantile(0.5), None);
    }

    #[test]
    fn equal_distributions_have_the_share_that_is_due() {
        let (judged, reference) = (uniform(2_000, 1, 0.0), uniform(2_000, 2, 0.0));
        let found = judged.share_below(&reference, 0.05, &Key::new(3)).unwrap();
        assert!(found.low.unwrap() < 0.05 && 0.05 < found.high.unwrap() && (found.value - 0.05).abs() < 0.015, "{found:?}");
        let nearer = uniform(2_000, 1, -0.1).share_below(&reference, 0.05, &Key::new(3)).unwrap();
        assert!(nearer.low.unwrap() > 0.12, "{nearer:?}");
        // Nothing is below: the interval still says how few images that is of.
        let none = uniform(40, 1, 5.0).share_below(&reference, 0.05, &Key::new(3)).unwrap();
        assert!(none.value == 0.0 && none.low.unwrap() < 1e-12 && (0.1..0.2).contains(&none.high.unwrap()), "{none:?}");
        let mean = judged.mean(&Key::new(4)).unwrap();
        let median = judged.median(&Key::new(4)).unwrap();
        assert!(mean.low.unwrap() < 0.5 && 0.5 < mean.high.unwrap() && median.low.unwrap() < 0.5 && 0.5 < median.high.unwrap());
    }

    #[test]
    fn the_interval_covers_chance_in_border_and_share() {
        let covered = (0..100).filter(|seed| {
            let found = uniform(300, 100 + seed, 0.0).share_below(&uniform(200, 500 + seed, 0.0), 0.1, &Key::new(*seed)).unwrap();
            found.low.unwrap() <= 0.1 && 0.1 <= found.high.unwrap()
        });
        assert!(covered.count() >= 88);
    }

    #[test]
    fn halves_and_draws_hold_whole_patients() {
        let patients: Vec<u32> = (0..100).map(|row| row % 23).collect();
        let [first, second] = halves(&patients, &Key::new(1));
        assert!(first.iter().all(|row| second.iter().all(|other| patients[*row] != patients[*other])));
        assert!(first.len() + second.len() == 100 && (45..=55).contains(&first.len()), "{}", first.len());
        assert_eq!(halves(&[7, 7], &Key::new(1)), [vec![0, 1], vec![]]);
        let drawn = whole_patients(&patients, 20, &Key::new(1));
        let mut own: Vec<u32> = drawn.iter().map(|row| patients[*row]).collect();
        own.dedup();
        assert!(drawn.len() == 20 && own.len() <= 6, "{own:?}");
        assert_ne!(drawn, whole_patients(&patients, 20, &Key::new(2)));
    }
}
