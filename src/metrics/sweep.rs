//! The same result in every instance of a sweep, and what a statistic makes of those that fall together.

use super::statistic::{Part, Statistic};
use super::utility::Estimate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The result of one instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its label on every axis.
    pub at: BTreeMap<String, String>,
    /// With the interval that its own block computed.
    pub found: Option<Estimate>,
    /// Why there is no number: "has no value: no test image has this finding".
    pub missing: Option<String>,
}

/// A statistic of the instances that fall together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    pub estimate: Option<Estimate>,
    /// How many numbers it was computed from.
    pub n: usize,
    pub instances: Vec<Measured>,
    /// Why there is no number or no interval, or which instances are missing.
    pub note: Option<String>,
}

/// A mean over instances by the hierarchical bootstrap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Redrawn {
    pub estimate: Estimate,
    /// How many trainings the instances are of; some may share theirs.
    pub trainings: usize,
    /// How many sets of test images the instances were judged on.
    pub test_parts: usize,
}

impl Measured {
    /// `seed = 1, gan = cpd`.
    pub fn place(&self) -> String {
        place(self.at.iter().map(|(axis, label)| (axis.as_str(), label.as_str())))
    }

    /// Whether it has these labels.
    pub fn is_at<'l>(&self, labels: impl IntoIterator<Item = (&'l str, &'l str)>) -> bool {
        labels.into_iter().all(|(axis, label)| self.at.get(axis).is_some_and(|found| found == label))
    }
}

/// Labels in words: `seed = 1, gan = cpd`.
pub fn place<'l>(labels: impl IntoIterator<Item = (&'l str, &'l str)>) -> String {
    labels.into_iter().map(|(axis, label)| format!("{axis} = {label}")).collect::<Vec<_>>().join(", ")
}

/// Every combination of the labels of some axes, the last axis turning fastest; one empty combination of no axes.
pub fn combinations(axes: &[(&str, &[String])]) -> Vec<Vec<String>> {
    axes.iter().fold(vec![Vec::new()], |done, (_, labels)| {
        let longer =
            |before: &Vec<String>| labels.iter().map(|label| [before.as_slice(), std::slice::from_ref(label)].concat()).collect();
        done.iter().flat_map::<Vec<Vec<String>>, _>(longer).collect()
    })
}

impl Cell {
    /// Instances without a number are left out and named in the note.
    pub fn of(statistic: Statistic, instances: Vec<Measured>) -> Self {
        Self::made(statistic, instances, None)
    }

    /// As [`Cell::of`], for a bootstrap that has been made from the scores of these instances.
    pub fn redrawn(part: Part, instances: Vec<Measured>, redrawn: Option<Redrawn>) -> Self {
        Self::made(Statistic::Bootstrap(part), instances, redrawn)
    }

    fn made(statistic: Statistic, instances: Vec<Measured>, redrawn: Option<Redrawn>) -> Self {
        let found: Vec<Estimate> = instances.iter().filter_map(|instance| instance.found).collect();
        let numbers: Vec<f64> = found.iter().map(|estimate| estimate.value).collect();
        let summary = statistic.of(&numbers);
        let estimate = summary.and_then(|summary| match (statistic, found.as_slice()) {
            (Statistic::Single, [one]) => Some(*one),
            (Statistic::Bootstrap(part), _) => {
                let estimate = redrawn?.estimate;
                let end = |end: Option<f64>| Some(Estimate::new(end?, None));
                match part {
                    Part::Whole => Some(estimate),
                    Part::Lower => end(estimate.low),
                    Part::Upper => end(estimate.high),
                }
            }
            _ => Some(Estimate::new(summary.value, summary.interval)),
        });
        let mut notes: Vec<String> = Vec::new();
        if let Some(Redrawn { test_parts: parts @ 2.., .. }) = redrawn {
            notes.push(format!("judged on {parts} different sets of test images, each with patients of its own"));
        }
        if statistic == Statistic::MeanInterval && numbers.len() == 1 {
            notes.push("no interval: one instance only".to_owned());
        }
        if statistic == Statistic::Deviation && numbers.len() == 1 {
            notes.push("a standard deviation needs two instances".to_owned());
        }
        // One reason for many is said once.
        let mut missing: Vec<(&str, Vec<String>)> = Vec::new();
        for instance in &instances {
            let Some(why) = instance.missing.as_deref() else { continue };
            match missing.iter_mut().find(|(known, _)| *known == why) {
                Some((_, places)) => places.push(instance.place()),
                None => missing.push((why, vec![instance.place()])),
            }
        }
        notes.extend(missing.iter().map(|(why, places)| match (places.as_slice(), instances.len()) {
            (_, 1) => (*why).to_owned(),
            ([one], all) => format!("1 of {all} instances ({one}) {why}"),
            (several, all) => format!("{} of {all} instances: {why}", several.len()),
        }));
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        let n = redrawn.map_or(numbers.len(), |redrawn| redrawn.trainings);
        Self { estimate, n, instances, note }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(seed: usize, found: Option<f64>) -> Measured {
        Measured {
            at: BTreeMap::from([("seed".to_owned(), seed.to_string())]),
            found: found.map(|value| Estimate { value, low: Some(value - 0.01), high: Some(value + 0.01) }),
            missing: found.is_none().then(|| "has no value".to_owned()),
        }
    }

    #[test]
    fn a_missing_instance_is_left_out_and_named() {
        let cell = Cell::of(Statistic::MeanInterval, vec![measured(1, Some(0.1)), measured(2, None), measured(3, Some(0.3))]);
        let estimate = cell.estimate.unwrap();
        assert!((estimate.value - 0.2).abs() < 1e-12 && estimate.low.is_some(), "{estimate:?}");
        assert_eq!((cell.n, cell.note.as_deref()), (2, Some("1 of 3 instances (seed = 2) has no value")));
        let none = Cell::of(Statistic::Mean, vec![measured(1, None), measured(2, None)]);
        assert_eq!((none.estimate, none.n, none.note.as_deref()), (None, 0, Some("2 of 2 instances: has no value")));
    }

    #[test]
    fn a_single_number_keeps_its_own_interval() {
        let cell = Cell::of(Statistic::Single, vec![measured(1, Some(0.5))]);
        assert_eq!(cell.estimate.map(|estimate| estimate.low), Some(Some(0.49)));
        let mean = Cell::of(Statistic::MeanInterval, vec![measured(1, Some(0.5))]);
        assert_eq!((mean.estimate.and_then(|mean| mean.low), mean.note.is_some()), (None, true));
    }

    #[test]
    fn combinations_turn_the_last_axis_fastest() {
        let [a, b] = [["x", "y"], ["1", "2"]].map(|labels| labels.map(str::to_owned));
        let all = combinations(&[("a", &a), ("b", &b)]);
        assert_eq!(all.iter().map(|labels| labels.concat()).collect::<Vec<_>>(), ["x1", "x2", "y1", "y2"]);
        assert_eq!(combinations(&[]), [[""; 0]]);
    }
}
