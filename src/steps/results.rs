//! The `results` of a finished step, as claims, tables and figures read them:
//! `{"values": {"auroc_gap": {"value": 0.1, "low": 0.09, "high": 0.12}}, "missing": {"auroc_real": "why"}}`. A result may be a
//! bare number, and null where it has no value; `missing` may say why.

use super::Artefact;
use crate::language::Results;
use crate::metrics::sweep::Measured;
use crate::metrics::utility::Estimate;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct ResultsFile {
    values: BTreeMap<String, Option<Found>>,
    #[serde(default)]
    missing: BTreeMap<String, String>,
}

/// A result with its interval, or only its number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Found {
    Estimate { value: Option<f64>, low: Option<f64>, high: Option<f64> },
    Number(f64),
}

/// One result of a step, with its interval where it has one. An error is the reason why there is none, to follow its name:
/// "has no value: no test image has this finding".
pub fn estimate_of(step: &str, result: &str, inputs: &[Artefact]) -> Result<Estimate, String> {
    let file = inputs.iter().find(|input| input.step == step).and_then(|input| input.files.get("results"));
    let file = file.ok_or_else(|| "was not handed on".to_owned())?;
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    let mut results: ResultsFile = serde_json::from_str(&text).map_err(|error| format!("cannot be read: {error}"))?;
    match results.values.remove(result) {
        Some(Some(Found::Estimate { value: Some(value), low, high })) => Ok(Estimate { value, low, high }),
        Some(Some(Found::Number(value))) => Ok(Estimate { value, low: None, high: None }),
        Some(_) => Err(match results.missing.get(result) {
            Some(why) => format!("has no value: {why}"),
            None => "has no value".to_owned(),
        }),
        None => Err("is not among the results of that block".to_owned()),
    }
}

/// The result of every instance of a sweep.
pub fn measured(results: &Results, inputs: &[Artefact]) -> Vec<Measured> {
    let one = |cell: &crate::language::ResultCell| {
        let at = results.axes.iter().map(|axis| axis.name.clone()).zip(cell.labels.iter().cloned()).collect();
        let found = estimate_of(&cell.step, &cell.result, inputs);
        Measured { at, found: found.as_ref().ok().copied(), missing: found.err() }
    };
    results.cells.iter().map(one).collect()
}
