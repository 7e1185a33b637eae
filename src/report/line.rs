//! A line of a results table: a finding, or the mean over findings.

use crate::metrics::utility::{Estimate, FindingUtility, MacroUtility, UtilityResults};

pub struct Line<'a> {
    pub name: &'a str,
    /// Positive and negative test images; a mean has none of its own.
    pub counts: Option<(usize, usize)>,
    pub real: Option<Estimate>,
    pub synthetic: Option<Estimate>,
    pub gap: Option<Estimate>,
    /// Why a number or an interval is missing.
    pub note: Option<String>,
}

impl<'a> Line<'a> {
    pub fn of_finding(finding: &'a FindingUtility) -> Self {
        Self {
            name: &finding.name,
            counts: Some((finding.positives, finding.negatives)),
            real: finding.auroc_real,
            synthetic: finding.auroc_synthetic,
            gap: finding.auroc_gap,
            note: finding.note.clone(),
        }
    }

    pub fn of_mean(results: &'a UtilityResults) -> Self {
        let MacroUtility { findings, auroc_real, auroc_synthetic, auroc_gap } = results.macro_average;
        let all = results.findings.len();
        let note = (findings < all).then(|| format!("the mean over {findings} of {all} findings, those with an AUROC"));
        Self { name: "macro", counts: None, real: auroc_real, synthetic: auroc_synthetic, gap: auroc_gap, note }
    }
}

/// Both ends of an interval.
pub fn interval(estimate: &Estimate) -> Option<(f64, f64)> {
    estimate.low.zip(estimate.high)
}

/// The notes of all lines, each once, before it the names of the lines that have it: `Nodule, Edema: no interval: …`.
pub fn notes(lines: &[Line<'_>]) -> Vec<String> {
    let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in lines {
        let Some(note) = &line.note else { continue };
        match grouped.iter_mut().find(|(known, _)| known == note) {
            Some((_, names)) => names.push(line.name),
            None => grouped.push((note, vec![line.name])),
        }
    }
    grouped.into_iter().map(|(note, names)| format!("{}: {note}", names.join(", "))).collect()
}
