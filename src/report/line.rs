//! A line of a results table: a finding, or the mean over findings.

use crate::metrics::utility::{Estimate, Estimates, FindingUtility, MacroUtility, UtilityResults};

pub struct Line<'a> {
    pub name: &'a str,
    /// Positive and negative test images; a mean has none of its own.
    pub counts: Option<(usize, usize)>,
    pub real: Option<Estimate>,
    pub synthetic: Option<Estimate>,
    pub gap: Option<Estimate>,
    /// The p value of the gap's test, adjusted for all findings; of the mean, that of the mean.
    pub p: Option<f64>,
    /// Why a number or an interval is missing.
    pub note: Option<String>,
}

impl<'a> Line<'a> {
    pub fn of_finding(finding: &'a FindingUtility) -> Self {
        Self {
            name: &finding.name,
            counts: Some((finding.positives, finding.negatives)),
            real: finding.estimates.auroc_real,
            synthetic: finding.estimates.auroc_synthetic,
            gap: finding.estimates.auroc_gap,
            p: finding.test.map(|test| test.p_holm),
            note: finding.note.clone(),
        }
    }

    pub fn of_mean(results: &'a UtilityResults) -> Self {
        let MacroUtility { findings, estimates, test, .. } = results.macro_average;
        let Estimates { auroc_real, auroc_synthetic, auroc_gap, .. } = estimates;
        let all = results.findings.len();
        let note = (findings < all).then(|| format!("the mean over {findings} of {all} findings, those with an AUROC"));
        let p = test.map(|test| test.p_zero);
        Self { name: "macro", counts: None, real: auroc_real, synthetic: auroc_synthetic, gap: auroc_gap, p, note }
    }
}

/// A p value as papers print it: two significant digits, or that it is below 0.001.
pub fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => "<0.001".to_owned(),
        p if p < 0.1 => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}

/// How the mean gap lies to the margin: a sentence with its p values.
pub fn told_of_margin(results: &UtilityResults) -> Option<String> {
    let test = results.macro_average.test?;
    let (margin, below) = (test.margin, |p: f64| p < 0.05);
    let verdict = match (below(test.p_equivalent), below(test.p_noninferior)) {
        (true, _) => "training on synthetic images is equivalent",
        (_, true) => "training on synthetic images is not inferior",
        _ => "it is not shown that training on synthetic images is not inferior",
    };
    let (noninferior, equivalent) = (p_value(test.p_noninferior), p_value(test.p_equivalent));
    Some(format!("by a margin of {margin} {verdict} (p of non-inferiority {noninferior}, of equivalence {equivalent}, at 0.05)"))
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
