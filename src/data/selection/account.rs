//! What a data set holds, for people and for claims: images and patients of every part, what is labelled, and what was left out
//! and why. It is the `results` of a `dataset`.

use super::{labels, members};
use crate::data::combinations::title;
use crate::data::labels::LeftOut;
use crate::data::shard::UNKNOWN;
use crate::data::sources::Record;
use crate::data::split::PARTS;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Patients in all parts.
    pub patients: usize,
    /// Train, valid, test.
    pub parts: Vec<PartAccount>,
    pub findings: Vec<FindingAccount>,
    /// The most frequent first: its title, and its images in each part.
    pub combinations: Vec<(String, Vec<usize>)>,
    pub left_out: Vec<LeftOut>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartAccount {
    pub name: String,
    pub images: usize,
    pub patients: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingAccount {
    pub name: String,
    /// No training image has it, so that it is unknown everywhere.
    pub unseen: bool,
    /// In each part.
    pub positives: Vec<usize>,
    /// In each part: images of which nobody knows whether they have it, before `unseen` made all of them unknown.
    pub unknown: Vec<usize>,
}

impl Account {
    pub(super) fn new(
        records: &[Record],
        label_names: &[String],
        parts: &[Vec<usize>; 3],
        unseen: &[bool],
        left_out: Vec<LeftOut>,
    ) -> Self {
        let patient = |index: &usize| Some(records.get(*index)?.patient.as_str());
        let patients = |part: &[usize]| part.iter().filter_map(patient).collect::<HashSet<_>>().len();
        let labelled = |finding: usize, label: u8| -> Vec<usize> {
            let has = |index: &&usize| labels(records, **index).get(finding) == Some(&label);
            parts.iter().map(|part| part.iter().filter(has).count()).collect()
        };
        let by_part: Vec<_> = parts.iter().map(|part| members(records, part.iter().copied())).collect();
        let mut totals: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (number, members) in by_part.iter().enumerate() {
            for (class, images) in members {
                let counts = totals.entry(class).or_insert_with(|| vec![0; parts.len()]);
                if let Some(count) = counts.get_mut(number) {
                    *count = images.len();
                }
            }
        }
        let mut combinations: Vec<(String, Vec<usize>)> =
            totals.into_iter().map(|(class, counts)| (title(class, label_names), counts)).collect();
        combinations.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<usize>()));
        Self {
            patients: parts.iter().flatten().filter_map(patient).collect::<HashSet<_>>().len(),
            parts: PARTS
                .iter()
                .zip(parts)
                .map(|(name, part)| PartAccount { name: (*name).to_owned(), images: part.len(), patients: patients(part) })
                .collect(),
            findings: label_names
                .iter()
                .zip(unseen)
                .enumerate()
                .map(|(at, (name, unseen))| FindingAccount {
                    name: name.clone(),
                    unseen: *unseen,
                    positives: labelled(at, 1),
                    unknown: labelled(at, UNKNOWN),
                })
                .collect(),
            combinations,
            left_out,
        }
    }

    /// The numbers that claims and tables can refer to, by the names of the kind's results.
    pub fn values(&self) -> BTreeMap<String, usize> {
        let images = self.parts.iter().map(|part| (format!("{}_images", part.name), part.images));
        images.chain([("patients".to_owned(), self.patients), ("classes_found".to_owned(), self.combinations.len())]).collect()
    }

    /// As lines of text, for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        let numbers = |of: fn(&PartAccount) -> usize| self.parts.iter().map(|part| of(part).to_string()).collect::<Vec<_>>();
        rows.push((String::new(), self.parts.iter().map(|part| part.name.clone()).collect()));
        rows.push(("patients".into(), numbers(|part| part.patients)));
        rows.push(("images".into(), numbers(|part| part.images)));
        for finding in &self.findings {
            let cell = |(positives, unknown): (&usize, &usize)| match (finding.unseen, unknown) {
                (true, _) => "unknown".to_owned(),
                (_, 0) => positives.to_string(),
                _ => format!("{positives} ({unknown} unknown)"),
            };
            rows.push((finding.name.clone(), finding.positives.iter().zip(&finding.unknown).map(cell).collect()));
        }
        rows.push((format!("label combinations: {}", self.combinations.len()), Vec::new()));
        for (title, counts) in self.combinations.iter().take(SHOWN) {
            rows.push((format!("  {title}"), counts.iter().map(usize::to_string).collect()));
        }
        if self.combinations.len() > SHOWN {
            rows.push((format!("  … and {} more", self.combinations.len() - SHOWN), Vec::new()));
        }
        let first = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let width = rows.iter().flat_map(|(_, cells)| cells).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let line = |(name, cells): &(String, Vec<String>)| {
            let cells: String = cells.iter().map(|cell| format!("  {cell:>width$}")).collect();
            format!("{name:first$}{cells}").trim_end().to_owned()
        };
        let told = self.left_out.iter().map(ToString::to_string);
        rows.iter().map(line).chain(told).chain(self.unseen()).collect()
    }

    /// Which findings are unknown because training never sees them.
    pub fn unseen(&self) -> Option<String> {
        let names: Vec<&str> = self.findings.iter().filter(|one| one.unseen).map(|one| one.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("no training image has {}: unknown everywhere", names.join(", ")))
    }
}

/// Combinations that are shown.
const SHOWN: usize = 20;
