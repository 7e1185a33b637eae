//! The cluster bootstrap: whole patients are drawn with replacement, since images of one patient are alike (Davison and
//! Hinkley 1997, section 3.8; for AUROC, Rutter 2000). Intervals are percentiles (Efron and Tibshirani 1993, chapter 13).

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

    /// A statistic of the weights for each of `resamples` draws, in their order; the same on any number of threads.
    pub fn resample<T: Send>(&self, key: &Key, resamples: usize, statistic: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
        let key = key.with("bootstrap");
        (0..resamples as u64).into_par_iter().map(|resample| statistic(&self.draw(&key.with_index(resample)))).collect()
    }
}

/// The 2.5 and 97.5 percentiles, linear between neighbours; `None` for fewer than two values.
pub fn percentile_interval(values: impl IntoIterator<Item = f64>) -> Option<Interval> {
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
    Some(Interval { low: quantile(0.025), high: quantile(0.975) })
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
