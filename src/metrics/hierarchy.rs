//! The hierarchical bootstrap: how far the mean of a result over several trainings depends on the patients that were tested and on
//! the trainings (seeds) that were made, together.
//!
//! Each draw takes patients with replacement, and trainings with replacement, and averages what the trainings measure on these
//! patients. Trainings that were tested on the same images see the same patients in a draw (two crossed factors: Owen 2007);
//! those tested on other images see patients of their own. Of n trainings n − 1 are drawn: the variance of a mean of n − 1 draws
//! out of n is s²/n without bias, where n draws would give (n − 1)/n of it, a third too little for three seeds (McCarthy and Snowden
//! 1985; Rao and Wu 1988).

use super::bootstrap::{Clusters, percentile_interval};
use super::utility::{Estimate, PairedScores, Rankings, Reading};
use crate::random::Key;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// One training (or pair of trainings) with what it says of its test images.
pub struct Instance<'a> {
    pub scores: &'a PairedScores,
    /// Equal for instances that were tested on the same images.
    pub test: &'a str,
}

/// The mean of a reading's macro average over the instances with its interval. `None` where an instance has no value, or there is
/// no instance; no interval where some instance has a single patient.
pub fn mean_over(instances: &[Instance<'_>], reading: Reading, resamples: usize, key: &Key) -> Option<Estimate> {
    let rankings: Vec<Rankings> = instances.iter().map(|instance| Rankings::new(instance.scores)).collect();
    let mut parts: BTreeMap<&str, (Key, Clusters)> = BTreeMap::new();
    for instance in instances {
        let part = || (key.with("patients").with(instance.test), Clusters::new(&instance.scores.patients));
        parts.entry(instance.test).or_insert_with(part);
    }
    let found = instances.iter().zip(&rankings).map(|(instance, ranking)| {
        let all = vec![1; instance.scores.patients.len()];
        Some(reading.of(ranking.averaged(&all)?))
    });
    let found: Vec<f64> = found.collect::<Option<_>>()?;
    let count = found.len();
    // In the order of size, so that the order of the instances does not reach the last bits.
    let mean = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.iter().sum::<f64>() / values.len() as f64
    };
    if count == 0 {
        return None;
    }
    let value = mean(found);
    if parts.values().any(|(_, clusters)| clusters.patients() < 2) {
        return Some(Estimate::new(value, None));
    }
    let draw = |resample: u64| -> Option<f64> {
        let weights: BTreeMap<&str, Vec<u32>> =
            parts.iter().map(|(test, (key, clusters))| (*test, clusters.draw(&key.with_index(resample)))).collect();
        let chosen = key.with("instances").with_index(resample);
        let measured = (0..count.saturating_sub(1).max(1) as u64).map(|at| {
            let at = chosen.below(at, count as u64) as usize;
            let (instance, ranking) = (instances.get(at)?, rankings.get(at)?);
            Some(reading.of(ranking.averaged(weights.get(instance.test)?)?))
        });
        Some(mean(measured.collect::<Option<_>>()?))
    };
    let draws: Vec<Option<f64>> = (0..resamples as u64).into_par_iter().map(draw).collect();
    Some(Estimate::new(value, percentile_interval(draws.into_iter().flatten())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores that know `strength` of the labels; `seed` is that of the training.
    fn scores(strength: f64, seed: u64, images: usize) -> PairedScores {
        let key = Key::new(7);
        let labels: Vec<u8> = (0..images).map(|image| u8::from(key.with("label").uniform(image as u64) < 0.4)).collect();
        // What is hard about an image is hard for every training.
        let noise = |image: usize| key.with("image").normal(image as u64) + 0.3 * Key::new(seed).normal(image as u64);
        let score = |image: usize| (noise(image) + strength * f64::from(labels[image])) as f32;
        let real: Vec<f32> = (0..images).map(score).collect();
        PairedScores {
            synthetic: real.iter().map(|score| -score).collect(),
            real,
            labels,
            patients: (0..images as u32).collect(),
            label_names: vec!["Edema".into()],
            as_published: false,
        }
    }

    fn width(estimate: Estimate) -> f64 {
        estimate.high.unwrap() - estimate.low.unwrap()
    }

    fn over(all: &[PairedScores], tests: &[&str]) -> Estimate {
        let instances: Vec<Instance<'_>> = all.iter().zip(tests).map(|(scores, test)| Instance { scores, test }).collect();
        mean_over(&instances, Reading::named("auroc_real").unwrap(), 1000, &Key::new(1)).unwrap()
    }

    #[test]
    fn one_instance_has_the_interval_of_its_patients() {
        let scores = scores(1.0, 1, 300);
        let found = over(std::slice::from_ref(&scores), &["a"]);
        let rankings = Rankings::new(&scores);
        let draws =
            Clusters::new(&scores.patients).resample(&Key::new(9), 1000, |weights| rankings.averaged(weights).unwrap()[0]);
        let due = percentile_interval(draws).unwrap();
        assert!((width(found) / (due.high - due.low) - 1.0).abs() < 0.15, "{found:?} {due:?}");
    }

    #[test]
    fn shared_patients_are_no_more_patients_and_seeds_that_differ_widen_it() {
        let alike = [scores(1.0, 1, 300), scores(1.0, 2, 300), scores(1.0, 3, 300)];
        let shared = over(&alike, &["a"; 3]);
        let apart = over(&alike, &["a", "b", "c"]);
        assert_eq!(shared.value, apart.value);
        assert!(width(apart) < 0.85 * width(shared), "{apart:?} {shared:?}");
        let spread = [scores(0.2, 1, 300), scores(1.0, 2, 300), scores(1.8, 3, 300)];
        let wide = over(&spread, &["a"; 3]);
        assert!(width(wide) > 1.5 * width(shared), "{wide:?} {shared:?}");
        // The standard deviation of the three AUROCs over √3, on both sides.
        let values: Vec<f64> = spread.iter().map(|one| over(std::slice::from_ref(one), &["a"]).value).collect();
        let mean = values.iter().sum::<f64>() / 3.0;
        let error = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2.0 / 3.0).sqrt();
        assert!((width(wide) / (2.0 * 1.96 * error) - 1.0).abs() < 0.35, "{wide:?} {error}");
    }

    #[test]
    fn threads_change_nothing() {
        let (a, b) = (scores(1.0, 1, 200), scores(0.7, 2, 200));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let pair = [a, b];
        assert_eq!(over(&pair, &["a"; 2]), pool.install(|| over(&pair, &["a"; 2])));
        assert!(mean_over(&[], Reading::named("auroc_gap").unwrap(), 100, &Key::new(1)).is_none());
    }
}
