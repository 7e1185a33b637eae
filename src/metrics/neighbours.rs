//! How near synthetic images come to training images, beside how near held-out real images come to them (Schütte et al. 2021, figure 1,
//! with the baseline that was missing there).

use super::comparison::{Comparison, Gallery, Number, Sample, Sets};
use super::utility::Estimate;
use super::wilson::wilson;
use crate::random::Key;
use serde::{Deserialize, Serialize};

/// The share of held-out images that are "very near" to training images by definition.
pub const NEAR: f64 = 0.05;

/// Everything that a `neighbours` block found, and what it depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeighboursResults {
    pub sets: Sets,
    /// So many training images, and as many held-out ones, `closer` chooses between.
    pub drawn: usize,
    pub comparisons: Vec<Comparison>,
    pub gallery: Gallery,
}

/// The distances of images to training images and held-out ones.
pub struct Distances {
    /// From each synthetic image to the nearest of all training images.
    pub synthetic: Sample,
    /// From each held-out image that is looked at to the nearest of all training images.
    pub holdout: Sample,
    /// From each synthetic image to the nearest of some training images, and of as many held-out ones.
    pub either: Vec<[f64; 2]>,
}

const PATIENTS: &str = "by bootstrap over patients";

/// The comparisons in their order.
pub fn comparisons(distances: &Distances, key: &Key) -> Vec<Comparison> {
    let Distances { synthetic, holdout, either } = distances;
    let both = |title: &str, name: &str, of: fn(&Sample, &Key) -> Option<Estimate>| {
        let holdout_name = format!("holdout_{name}");
        Comparison {
            title: title.to_owned(),
            share: false,
            synthetic: synthetic.number(name, of(synthetic, &key.with(name))),
            real: Some(holdout.number(&holdout_name, of(holdout, &key.with(&holdout_name)))),
            due: None,
            interval: PATIENTS.to_owned(),
            missing: None,
        }
    };
    let near = synthetic.share_below(holdout, NEAR, &key.with("near"));
    vec![
        both("Median distance to the nearest training image", "median_distance", Sample::median),
        both("Mean distance to the nearest training image", "mean_distance", Sample::mean),
        Comparison {
            title: "Nearer to a training image than 95 % of held-out images are".to_owned(),
            share: true,
            synthetic: synthetic.number("near", near),
            real: None,
            due: Some("5 % by definition".to_owned()),
            interval: format!("{PATIENTS}, of held-out images too"),
            missing: None,
        },
        Comparison {
            title: "Nearer to a training image than to a held-out one".to_owned(),
            share: true,
            synthetic: Number { images: either.len(), ..synthetic.number("closer", closer(either)) },
            real: None,
            due: Some("50 % where nothing was copied".to_owned()),
            interval: "Wilson's, over images".to_owned(),
            missing: None,
        },
    ]
}

/// The share of images that are nearer to the first of two sets; images that are as near to either count half.
fn closer(either: &[[f64; 2]]) -> Option<Estimate> {
    let count = |[first, second]: &[f64; 2]| match first.total_cmp(second) {
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 0.0,
    };
    let found: f64 = either.iter().map(count).sum();
    let interval = wilson(found, either.len());
    let value = found / either.len() as f64;
    (!either.is_empty()).then_some(Estimate { value, low: Some(interval.low), high: Some(interval.high) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_definition() {
        let key = Key::new(1);
        let patients: Vec<u32> = (0..101).collect();
        let holdout = Sample::new((0..101).map(|at| f64::from(at) / 100.0), &patients);
        let synthetic = Sample::new((0..101).map(|at| f64::from(at) / 200.0), &patients);
        let either = (0..101).map(|at| [f64::from(at) / 200.0, 0.25]).collect();
        let found = comparisons(&Distances { synthetic, holdout, either }, &key);
        let value = |index: usize| found[index].synthetic.found.unwrap().value;
        assert!((value(0) - 0.25).abs() < 1e-12 && (value(1) - 0.25).abs() < 1e-12);
        assert!((found[0].real.as_ref().unwrap().found.unwrap().value - 0.5).abs() < 1e-12);
        // The 5th percentile is 0.05: ten of 101 are below.
        assert!((value(2) - 10.0 / 101.0).abs() < 1e-12, "{}", value(2));
        assert!((value(3) - 50.5 / 101.0).abs() < 1e-12);
        assert!(found.iter().all(|row| row.synthetic.found.unwrap().low.unwrap() < row.synthetic.found.unwrap().high.unwrap()));
        assert_eq!(closer(&[]), None);
    }
}
