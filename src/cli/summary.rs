//! The last lines of a run: the tables of results and the verdicts of claims, read from the `results` of the steps.

use crate::engine::Outcome;
use crate::language::Program;
use crate::metrics::sweep::place;
use crate::metrics::utility::UtilityResults;
use crate::plan::{Instance, family};
use crate::report::attribution::terminal_attribution;
use crate::report::fidelity::terminal_fidelity;
use crate::report::neighbours::terminal_neighbours;
use crate::report::privacy::terminal_privacy;
use crate::report::table::Table;
use crate::report::terminal::{claim_line, comparison, terminal_table};
use crate::steps::Verdict;
use crate::store::{Record, Store};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::collections::BTreeMap;

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

pub fn summary(outcome: &Outcome, program: &Program, store: &Store) -> Summary {
    let mut summary = Summary::default();
    let mut verdicts = Vec::new();
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    let mut sweeps: BTreeMap<String, Vec<(String, UtilityResults)>> = BTreeMap::new();
    for (index, ended) in &outcome.ended {
        let (Some(step), Some(record)) = (program.steps.get(*index), ended.record()) else { continue };
        if let Some(text) = table_of_sweep(record, store) {
            told.push((step.name.clone(), text));
        }
        let Some(results) = results(record, store) else { continue };
        if step.kind == "claim" {
            let verdict = serde_json::from_value::<ClaimResults>(results);
            // A verdict that cannot be read must not pass for one that holds.
            summary.broken_claims += usize::from(!verdict.as_ref().is_ok_and(|found| found.claim.holds));
            verdicts.push(match verdict {
                Ok(ClaimResults { claim }) => claim_line(&step.name, &claim),
                Err(error) => format!("✗ {}: its verdict cannot be read: {error}", step.name),
            });
        } else if family(&step.name) != step.name {
            // Instances of a sweep are compared in one table.
            let Some(results) = utility(&results) else { continue };
            let place = place(Instance::of(&step.name).axes.iter().map(|(axis, label)| (axis.as_str(), label.as_str())));
            let name = family(&step.name);
            if !sweeps.contains_key(&name) {
                told.push((name.clone(), Vec::new()));
            }
            sweeps.entry(name).or_default().push((place, results));
        } else if let Some(table) = table(&results) {
            told.push((step.name.clone(), table));
        }
    }
    for (name, lines) in told {
        summary.lines.extend([String::new(), name.clone()]);
        match sweeps.get(&name) {
            Some(instances) => summary.lines.extend(indented(&comparison(instances))),
            None => summary.lines.extend(lines),
        }
    }
    if !verdicts.is_empty() {
        summary.lines.push(String::new());
        summary.lines.extend(verdicts);
    }
    summary
}

/// The `results` of a step; `None` where it has none that can be read.
pub fn results(record: &Record, store: &Store) -> Option<Json> {
    let (_, blob) = record.outputs.iter().find(|(name, _)| *name == "results" || *name == "results.json")?;
    serde_json::from_slice(&std::fs::read(store.blob_path(&blob.digest)).ok()?).ok()
}

/// The line of a claim; `None` for results that are not a claim's.
pub fn verdict(name: &str, results: &Json) -> Option<String> {
    let verdict = results.get("claim")?;
    Some(claim_line(name, &serde_json::from_value(verdict.clone()).ok()?))
}

/// The tables of a utility, a fidelity and so on, as [`crate::report`] sets them; `None` for results of other kinds.
pub fn table(results: &Json) -> Option<Vec<String>> {
    let text = None
        .or_else(|| told(results, "table", terminal_table))
        .or_else(|| told(results, "fidelity", terminal_fidelity))
        .or_else(|| told(results, "attribution", terminal_attribution))
        .or_else(|| told(results, "neighbours", terminal_neighbours))
        .or_else(|| told(results, "privacy", terminal_privacy))?;
    Some(indented(&text))
}

/// What stands under a name in the results, as text.
fn told<T: DeserializeOwned>(results: &Json, name: &str, text: fn(&T) -> String) -> Option<String> {
    Some(text(&serde_json::from_value(results.get(name)?.clone()).ok()?))
}

fn utility(results: &Json) -> Option<UtilityResults> {
    part(results, "table")
}

fn part<T: DeserializeOwned>(results: &Json, name: &str) -> Option<T> {
    serde_json::from_value(results.get(name)?.clone()).ok()
}

/// What a `table` step made; `None` for other steps.
pub fn table_of_sweep(record: &Record, store: &Store) -> Option<Vec<String>> {
    let blob = record.outputs.get("table").filter(|_| record.kind == "table")?;
    let table: Table = serde_json::from_slice(&std::fs::read(store.blob_path(&blob.digest)).ok()?).ok()?;
    Some(indented(&format!("{}\n{}", table.title, table.text())))
}

fn indented(text: &str) -> Vec<String> {
    text.lines().map(|line| format!("  {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_utility_has_a_table_and_other_results_have_none() {
        let number = |value: f64| json!({"value": value, "low": value - 0.01, "high": null});
        let results = json!({"values": {}, "table": {
            "images": 90, "patients": 30, "resamples": 2000,
            "findings": [{"name": "Effusion", "positives": 12, "negatives": 78, "auroc_real": number(0.9),
                "auroc_synthetic": number(0.8), "auroc_gap": number(0.1), "skipped": 0, "note": null}],
            "macro_average": {"findings": 1, "auroc_real": number(0.9), "auroc_synthetic": null, "auroc_gap": null},
        }});
        let lines = table(&results).unwrap();
        assert!(lines.iter().any(|line| line.starts_with("  Effusion") && line.contains("0.900 no interval")), "{lines:?}");
        assert_eq!(table(&json!({"values": {}, "claim": {}})), None);
        let fidelity = json!({"values": {}, "fidelity": {
            "network": "random network, seed 1", "digest": "0f", "dimensions": 240, "resize": "none", "seed": 1,
            "images": [20, 30], "patients": [10, 30], "halves": [10, 10], "measures": [],
        }});
        assert!(table(&fidelity).unwrap().iter().any(|line| line.contains("20 real images of 10 patients")));
    }
}
