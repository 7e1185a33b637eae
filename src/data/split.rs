//! `by(unit, train = …, valid = …, test = …)`: which part an image falls into. Every patient (or single image) gets a number
//! in [0, 1) from the seed and its name, and the shares cut that interval into three. A patient's part therefore depends on
//! nothing else: more patients, or patients left out, never move the others. The shares are met on average, not exactly.
//! `stratified_by(…)` meets them for every label combination, and depends on all records: see [`stratify`].

use super::arguments::Arguments;
use super::sources::Record;
use super::stratification::stratify;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use crate::random::Key;
use std::collections::BTreeSet;

/// The parts in the order of their shares, as the ports of `dataset` are called.
pub const PARTS: [&str; 3] = ["train", "valid", "test"];

/// What a split keeps together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Patient,
    Image,
}

/// A rule as the user wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitRule {
    is_stratified: bool,
    unit: Unit,
    /// Train, valid, test; their sum is 1.
    shares: [f64; 3],
    key: Key,
}

/// The constructors of type `split_rule`.
pub const CONSTRUCTORS: [&str; 2] = ["by", "stratified_by"];

impl SplitRule {
    /// From `by(…)`. Shares must sum to 100%.
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        if !CONSTRUCTORS.contains(&construction.function.as_str()) {
            return Err(Diagnostic::error("E0513", format!("`{}` is not a way to split a data set", construction.function))
                .help("write `split = by(patient, train = 70%, valid = 15%, test = 15%)`"));
        }
        let unit = if arguments.choice("unit")? == "image" { Unit::Image } else { Unit::Patient };
        let mut shares = [0.0; 3];
        for (share, name) in shares.iter_mut().zip(PARTS) {
            *share = arguments.ratio(name)?;
        }
        let sum: f64 = shares.iter().sum();
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) || (sum - 1.0).abs() > 1e-9 {
            let [train, valid, test] = shares.map(percent);
            return Err(Diagnostic::error("E0508", format!("the parts of the split sum to {}, not to 100%", percent(sum)))
                .note(format!("train = {train}, valid = {valid}, test = {test}"))
                .help("change one of the shares so that the three sum to 100%"));
        }
        let key = Key::new(arguments.integer("seed")?).with("split");
        Ok(Self { is_stratified: construction.function == "stratified_by", unit, shares, key })
    }

    /// What is kept together of a record's kind.
    fn unit_of<'a>(&self, record: &'a Record) -> &'a str {
        match self.unit {
            Unit::Patient => &record.patient,
            Unit::Image => &record.name,
        }
    }

    /// The part of a patient or an image by its name: 0 train, 1 valid, 2 test.
    fn part(&self, name: &str) -> usize {
        let place = self.key.with(name).uniform(0);
        let [train, valid, test] = self.shares;
        // The last part that has a share takes the rest, so that rounding in the sums never sends anyone to a part of 0%.
        if place < train || valid + test == 0.0 {
            0
        } else if place < train + valid || test == 0.0 {
            1
        } else {
            2
        }
    }

    /// The positions in `records` that go into each part, in their order. A part with a share but without images is an error.
    pub fn split(&self, records: &[Record]) -> Result<[Vec<usize>; 3], Diagnostic> {
        let mut parts: [Vec<usize>; 3] = Default::default();
        let places: Vec<usize> = if self.is_stratified {
            stratify(records, |record| self.unit_of(record), self.shares, &self.key)
        } else {
            records.iter().map(|record| self.part(self.unit_of(record))).collect()
        };
        for (index, place) in places.into_iter().enumerate() {
            if let Some(part) = parts.get_mut(place) {
                part.push(index);
            }
        }
        for ((part, share), name) in parts.iter().zip(self.shares).zip(PARTS) {
            if part.is_empty() && share > 0.0 {
                let patients = records.iter().map(|record| record.patient.as_str()).collect::<BTreeSet<_>>().len();
                let held = format!("{} from {}", count(records.len(), "image"), count(patients, "patient"));
                return Err(Diagnostic::error("E0509", format!("the part `{name}` of the split is empty"))
                    .note(format!("the data set holds {held}, and `{name}` is to have {}", percent(share)))
                    .help(format!("use more patients, give `{name}` a larger share, or take another `seed` for the split")));
            }
        }
        Ok(parts)
    }
}

/// `1 patient`, `7 patients`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A share as a user writes it, to a thousandth of a percent.
fn percent(share: f64) -> String {
    format!("{}%", (share * 100_000.0).round() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::sources::Place;
    use crate::language::{Quantity, Value};

    fn by(unit: &str, shares: [f64; 3], seed: i64) -> Construction {
        let ratio = |value| Value::Quantity(Quantity { value, dimension: "ratio".into() });
        let mut arguments = vec![("unit".to_owned(), Value::Choice(unit.into()))];
        arguments.extend(PARTS.iter().zip(shares).map(|(name, share)| ((*name).to_owned(), ratio(share))));
        arguments.push(("seed".to_owned(), Value::Integer(seed)));
        Construction { function: "by".into(), arguments }
    }

    /// `n` patients with one to three images.
    fn patients(n: usize) -> Vec<Record> {
        (0..n)
            .flat_map(|patient| {
                (0..1 + patient % 3).map(move |image| Record {
                    patient: format!("patient{patient}"),
                    name: format!("patient{patient}/{image}"),
                    labels: vec![0],
                    place: Place::Drawn { patient: patient as u64, image: image as u64 },
                })
            })
            .collect()
    }

    fn names(records: &[Record], part: &[usize]) -> BTreeSet<String> {
        part.iter().map(|index| records[*index].patient.clone()).collect()
    }

    #[test]
    fn no_patient_is_in_two_parts_and_shares_are_met() {
        let records = patients(3000);
        let parts = SplitRule::new(&by("patient", [0.7, 0.15, 0.15], 1)).unwrap().split(&records).unwrap();
        let [train, valid, test] = parts.each_ref().map(|part| names(&records, part));
        assert!(train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test));
        assert_eq!(train.len() + valid.len() + test.len(), 3000);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), records.len());
        assert!((1_980..2_220).contains(&train.len()) && (380..520).contains(&valid.len()), "{} {}", train.len(), valid.len());
    }

    #[test]
    fn more_patients_never_move_the_old_ones() {
        let rule = SplitRule::new(&by("patient", [0.6, 0.2, 0.2], 7)).unwrap();
        let (few, many) = (patients(200), patients(400));
        let (before, after) = (rule.split(&few).unwrap(), rule.split(&many).unwrap());
        for (before, after) in before.iter().zip(&after) {
            assert!(names(&few, before).is_subset(&names(&many, after)));
        }
        let other = SplitRule::new(&by("patient", [0.6, 0.2, 0.2], 8)).unwrap();
        assert_ne!(other.split(&few).unwrap(), before);
    }

    #[test]
    fn by_image_parts_the_images_of_a_patient() {
        let records = patients(300);
        let [train, _, test] = SplitRule::new(&by("image", [0.5, 0.25, 0.25], 1)).unwrap().split(&records).unwrap();
        assert!(!names(&records, &train).is_disjoint(&names(&records, &test)));
    }

    #[test]
    fn shares_that_do_not_sum_up_and_empty_parts_are_errors() {
        let error = SplitRule::new(&by("patient", [0.7, 0.2, 0.2], 1)).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), ("E0508", "the parts of the split sum to 110%, not to 100%"));
        let error = SplitRule::new(&by("patient", [0.98, 0.01, 0.01], 1)).unwrap().split(&patients(2)).unwrap_err();
        assert_eq!(error.code, "E0509");
        assert!(error.notes[0].contains("3 images from 2 patients"), "{:?}", error.notes);
        let none = SplitRule::new(&by("patient", [0.8, 0.2, 0.0], 1)).unwrap().split(&patients(100)).unwrap();
        assert!(none[2].is_empty());
        SplitRule::new(&by("patient", [0.1, 0.2, 0.7], 1)).unwrap();
    }
}
