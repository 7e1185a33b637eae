//! The last lines of a run: the tables of results and the verdicts of claims, read from the `results` of the steps.

use super::Outcome;
use crate::language::Program;
use crate::steps::Verdict;
use crate::store::{Record, Store};
use serde::Deserialize;
use serde_json::Value as Json;

/// What to print, and whether a claim failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    pub lines: Vec<String>,
    pub broken_claims: usize,
}

#[derive(Deserialize)]
struct ClaimResults {
    claim: Verdict,
}

/// A number with its interval.
#[derive(Deserialize)]
struct Interval {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

pub fn summary(outcome: &Outcome, program: &Program, store: &Store) -> Summary {
    let mut summary = Summary::default();
    let mut verdicts = Vec::new();
    let width = program.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    for (index, ended) in &outcome.ended {
        let (Some(step), Some(record)) = (program.steps.get(*index), ended.record()) else { continue };
        let Some(results) = results(record, store) else { continue };
        if step.kind == "claim" {
            let Ok(ClaimResults { claim }) = serde_json::from_value(results) else { continue };
            summary.broken_claims += usize::from(!claim.holds);
            let word = if claim.holds { "holds" } else { "FAILS" };
            verdicts.push(format!("{:width$}  {word}  {}   ({})", step.name, claim.condition, claim.found));
        } else if let Some(table) = table(&results) {
            summary.lines.push(String::new());
            summary.lines.push(step.name.clone());
            summary.lines.extend(table);
        }
    }
    if !verdicts.is_empty() {
        summary.lines.push(String::new());
        summary.lines.extend(verdicts);
    }
    summary
}

fn results(record: &Record, store: &Store) -> Option<Json> {
    let (_, blob) = record.outputs.iter().find(|(name, _)| *name == "results" || *name == "results.json")?;
    serde_json::from_slice(&std::fs::read(store.blob_path(&blob.digest)).ok()?).ok()
}

/// The rows of a comparison, aligned; the numbers of a step that has no rows.
fn table(results: &Json) -> Option<Vec<String>> {
    let table = results.get("table")?;
    let mut rows = vec![["finding", "positives", "real", "synthetic", "gap"].map(str::to_owned)];
    let found = table.get("rows").and_then(Json::as_array)?;
    rows.extend(found.iter().chain(table.get("macro_row")).map(row));
    let widths: Vec<usize> = (0..5)
        .map(|column| rows.iter().map(|row| row.get(column).map_or(0, |cell| cell.chars().count())).max().unwrap_or(0))
        .collect();
    Some(rows.iter().map(|row| line(row, &widths)).collect())
}

fn row(row: &Json) -> [String; 5] {
    let text = |names: &[&str]| names.iter().find_map(|name| row.get(*name)).map(plain).unwrap_or_default();
    let number = |names: &[&str]| names.iter().find_map(|name| row.get(*name)).map(interval).unwrap_or_default();
    [
        text(&["finding", "name"]),
        text(&["positives"]),
        number(&["auroc_real", "real"]),
        number(&["auroc_synthetic", "synthetic"]),
        number(&["gap", "auroc_gap"]),
    ]
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `0.912 [0.890, 0.931]`; a number that is not defined, such as the AUROC of a finding that nobody has, is a dash.
fn interval(value: &Json) -> String {
    match serde_json::from_value::<Interval>(value.clone()) {
        Ok(Interval { value: Some(value), low: Some(low), high: Some(high) }) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        Ok(Interval { value: Some(value), .. }) => format!("{value:.3}"),
        _ => value.as_f64().map_or_else(|| "–".to_owned(), |value| format!("{value:.3}")),
    }
}

/// The first column to the left, numbers to the right.
fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        text += &if at == 0 { format!("  {cell:width$}") } else { format!("  {cell:>width$}") };
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_aligned_and_undefined_numbers_are_dashes() {
        let number = |value: f64| json!({"value": value, "low": value - 0.01, "high": value + 0.01});
        let row = |finding: &str, real: Json| json!({"finding": finding, "positives": 12, "auroc_real": real, "auroc_synthetic": number(0.8), "gap": number(0.1)});
        let results = json!({"table": {"rows": [row("Effusion", number(0.9)), row("Hernia", Json::Null)]}});
        let lines = table(&results).unwrap();
        assert_eq!(lines[1], "  Effusion         12  0.900 [0.890, 0.910]  0.800 [0.790, 0.810]  0.100 [0.090, 0.110]");
        assert!(lines[2].contains("  –  0.800"), "{}", lines[2]);
        assert_eq!(lines[0].chars().count(), lines[1].chars().count());
    }
}
