//! The cluster bootstrap: whole patients are drawn with replacement, since images of one patient are alike (Davison and
//! Hinkley 1997, section 3.8; for AUROC, Rutter 2000). Intervals are percentiles (Efron and Tibshirani 1993, chapter 13), or
//! percentiles corrected for bias and acceleration (BCa, their chapter 14). A p value is that at which the percentile interval just
//! ends at the number that is tested.

use super::normal;
use crate::random::Key;
use rayon::prelude::*;

/// An interval that holds the true value in 95 of 100 studies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Which images belong to which patient.
#[derive(Clone, Debug)]
pub struct Clusters {
    /// `[n]`: patients numbered from 0 without gaps.
    patient: Vec<u32>,
    patients: usize,
}

impl Clusters {
    /// `patients` is `[n]`, any number for each patient.
    pub fn new(patients: &[u32]) -> Self {
        let mut known = patients.to_vec();
        known.sort_unstable();
        known.dedup();
        let patient = patients.iter().map(|patient| known.partition_point(|other| other < patient) as u32).collect();
        Self { patient, patients: known.len() }
    }

    /// Number of patients.
    pub fn patients(&self) -> usize {
        self.patients
    }

    /// Draws as many patients as there are, with replacement: how often each image counts, `[n]`.
    pub fn draw(&self, key: &Key) -> Vec<u32> {
        let mut times = vec![0u32; self.patients];
        for draw in 0..self.patients as u64 {
            if let Some(count) = times.get_mut(key.below(draw, self.patients as u64) as usize) {
                *count += 1;
            }
        }
        self.patient.iter().map(|patient| times.get(*patient as usize).copied().unwrap_or(0)).collect()
    }

    /// A statistic with each patient left out in turn, for [`corrected_interval`].
    pub fn leave_one_out<T: Send>(&self, statistic: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
        let without =
            |left_out: u32| -> Vec<u32> { self.patient.iter().map(|patient| u32::from(*patient != left_out)).collect() };
        (0..self.patients as u32).into_par_iter().map(|left_out| statistic(&without(left_out))).collect()
    }

    /// A statistic of the weights for each of `resamples` draws, in their order; the same on any number of threads.
    pub fn resample<T: Send>(&self, key: &Key, resamples: usize, statistic: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
        let key = key.with("bootstrap");
        (0..resamples as u64).into_par_iter().map(|resample| statistic(&self.draw(&key.with_index(resample)))).collect()
    }
}

/// The interval of a mean over images, `[n]`, some of the same patient; `None` of a single patient.
pub fn mean_interval(values: &[f64], patients: &[u32], resamples: usize, key: &Key) -> Option<Interval> {
    let clusters = Clusters::new(patients);
    if clusters.patients() < 2 {
        return None;
    }
    let mean = |weights: &[u32]| {
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        values.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum::<f64>() / total as f64
    };
    percentile_interval(clusters.resample(key, resamples, mean))
}

/// The 2.5 and 97.5 percentiles, linear between neighbours; `None` for fewer than two values.
pub fn percentile_interval(values: impl IntoIterator<Item = f64>) -> Option<Interval> {
    quantiles(values, [0.025, 0.975])
}

/// The interval corrected for bias and acceleration: Efron 1987. `value` is the statistic itself, `left_out` what it is without
/// each patient. Where all draws lie on one side of the value, the bias is that of half a draw on the other.
pub fn corrected_interval(value: f64, draws: &[f64], left_out: &[f64]) -> Option<Interval> {
    let count = draws.len().max(1) as f64;
    let below = draws
        .iter()
        .map(|draw| {
            if *draw < value {
                1.0
            } else if *draw == value {
                0.5
            } else {
                0.0
            }
        })
        .sum::<f64>();
    let bias = normal::quantile((below / count).clamp(0.5 / count, 1.0 - 0.5 / count));
    let mean = left_out.iter().sum::<f64>() / left_out.len().max(1) as f64;
    let power = |exponent: i32| left_out.iter().map(|one| (mean - one).powi(exponent)).sum::<f64>();
    let spread = 6.0 * power(2).powf(1.5);
    let acceleration = if spread > 0.0 { power(3) / spread } else { 0.0 };
    let place = |z: f64| normal::below(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
    quantiles(draws.iter().copied(), [place(-normal::NORMAL_975), place(normal::NORMAL_975)])
}

/// The p value of the hypothesis that the number is `null` or more, by the draws; never 0.
pub fn p_at_least(draws: &[f64], null: f64) -> f64 {
    (1 + draws.iter().filter(|draw| **draw >= null).count()) as f64 / (1 + draws.len()) as f64
}

/// The p value of the hypothesis that the number is `null` or less.
pub fn p_at_most(draws: &[f64], null: f64) -> f64 {
    (1 + draws.iter().filter(|draw| **draw <= null).count()) as f64 / (1 + draws.len()) as f64
}

/// The two-sided p value of the hypothesis that the number is `null`.
pub fn p_equal(draws: &[f64], null: f64) -> f64 {
    (2.0 * p_at_least(draws, null).min(p_at_most(draws, null))).min(1.0)
}

/// Quantiles, linear between neighbours; `None` for fewer than two values.
fn quantiles(values: impl IntoIterator<Item = f64>, shares: [f64; 2]) -> Option<Interval> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.len() < 2 {
        return None;
    }
    let quantile = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let below = place.floor();
        let at = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(f64::NAN);
        let (low, high) = (at(below as usize), at(below as usize + 1));
        low + (place - below) * (high - low)
    };
    let [low, high] = shares.map(quantile);
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_are_drawn_whole_and_as_many_as_there_are() {
        let clusters = Clusters::new(&[7, 3, 7, 90, 3, 7]);
        assert_eq!(clusters.patients(), 3);
        let draws = clusters.resample(&Key::new(1), 200, <[u32]>::to_vec);
        for weights in &draws {
            assert!(weights[0] == weights[2] && weights[0] == weights[5] && weights[1] == weights[4]);
            assert_eq!(weights[0] + weights[1] + weights[3], 3);
        }
        assert!(draws.iter().any(|weights| weights[3] == 3) && draws.iter().any(|weights| weights[3] == 0));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(draws, pool.install(|| clusters.resample(&Key::new(1), 200, <[u32]>::to_vec)));
        assert_eq!(draws[..50], clusters.resample(&Key::new(1), 50, <[u32]>::to_vec));
        assert_ne!(draws, clusters.resample(&Key::new(2), 200, <[u32]>::to_vec));
    }

    /// numpy.percentile(range(101), [2.5, 97.5]) is [2.5, 97.5].
    #[test]
    fn percentiles_are_linear_between_neighbours() {
        let values = (0..101).rev().map(f64::from);
        assert_eq!(percentile_interval(values), Some(Interval { low: 2.5, high: 97.5 }));
        assert_eq!(percentile_interval([1.0]), None);
    }

    /// Of a mean of values drawn from a skewed distribution the corrected interval lies further to the long side; numbers of
    /// scipy.stats.bootstrap(method = "BCa") on the same values: [0.8273, 1.2159], percentiles [0.8131, 1.1960].
    #[test]
    fn the_corrected_interval_follows_the_skew() {
        let values: Vec<f64> = (0..100).map(|at| -(1.0 - (f64::from(at) + 0.5) / 100.0).ln()).collect();
        let clusters = Clusters::new(&(0..100).collect::<Vec<_>>());
        let mean = |weights: &[u32]| {
            let sum: f64 = weights.iter().zip(&values).map(|(weight, value)| f64::from(*weight) * value).sum();
            sum / f64::from(weights.iter().sum::<u32>())
        };
        let draws = clusters.resample(&Key::new(1), 20_000, mean);
        let value = mean(&[1; 100]);
        let plain = percentile_interval(draws.iter().copied()).unwrap();
        let corrected = corrected_interval(value, &draws, &clusters.leave_one_out(mean)).unwrap();
        assert!((plain.low - 0.8131).abs() < 0.01 && (plain.high - 1.1960).abs() < 0.01, "{plain:?}");
        assert!((corrected.low - 0.8273).abs() < 0.008 && (corrected.high - 1.2159).abs() < 0.01, "{corrected:?}");
        assert_eq!(corrected_interval(1.0, &[1.0; 50], &[1.0; 5]), Some(Interval { low: 1.0, high: 1.0 }));
    }

    #[test]
    fn p_values_end_where_the_interval_ends() {
        let draws: Vec<f64> = (0..1999).map(|at| f64::from(at) / 1998.0).collect();
        let interval = percentile_interval(draws.iter().copied()).unwrap();
        assert!((p_equal(&draws, interval.low) - 0.05).abs() < 2e-3 && (p_equal(&draws, interval.high) - 0.05).abs() < 2e-3);
        assert_eq!(p_equal(&draws, -1.0), 0.001);
        assert!((p_at_least(&draws, 0.95) - 0.05).abs() < 2e-3 && (p_at_most(&draws, 0.95) - 0.95).abs() < 2e-3);
    }

    /// The mean of n independent normals has a standard error of 1 / √n; clusters of equal values have that of their number.
    #[test]
    fn the_interval_widens_with_clusters() {
        let mut drawn = vec![0f32; 200];
        Key::new(5).with("values").fill_normal(&mut drawn);
        let width = |images: usize| {
            let patients: Vec<u32> = (0..200 * images as u32).map(|image| image / images as u32).collect();
            let mean = |weights: &[u32]| {
                let sum: f64 = weights.iter().zip(&patients).map(|(w, p)| f64::from(*w) * f64::from(drawn[*p as usize])).sum();
                sum / f64::from(weights.iter().sum::<u32>())
            };
            let interval = percentile_interval(Clusters::new(&patients).resample(&Key::new(1), 2000, mean)).unwrap();
            interval.high - interval.low
        };
        let expected = 2.0 * 1.96 / 200f64.sqrt();
        assert!((width(1) / expected - 1.0).abs() < 0.15, "{} {expected}", width(1));
        assert!((width(4) / width(1) - 1.0).abs() < 1e-9);
    }
}
