//! The `results` of a finished step, as claims, tables and figures read them:
//! `{"values": {"auroc_gap": {"value": 0.1, "low": 0.09, "high": 0.12}}, "missing": {"auroc_real": "why"}}`. A result may be a
//! bare number, and null where it has no value; `missing` may say why. `conditions` says what must agree between two results before
//! they may be compared: `{"frechet_distance": {"features": "random network, seed 1, 0f3c55a1", "images": "900 real, 900 synthetic"}}`.

use super::Artefact;
use crate::language::Results;
use crate::metrics::sweep::Measured;
use crate::metrics::utility::Estimate;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The beginning of a digest, as conditions tell it.
pub fn shortened(digest: &str) -> String {
    digest.chars().take(DIGITS).collect()
}

/// So many digits tell any two files apart that a person meets.
const DIGITS: usize = 16;

#[derive(Deserialize)]
struct ResultsFile {
    values: BTreeMap<String, Option<Found>>,
    #[serde(default)]
    missing: BTreeMap<String, String>,
    #[serde(default)]
    conditions: BTreeMap<String, Conditions>,
}

/// What a result depends on, by name. Numbers are comparable where all that both name is equal.
pub type Conditions = BTreeMap<String, String>;

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
    let mut results = read(step, inputs)?;
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

fn read(step: &str, inputs: &[Artefact]) -> Result<ResultsFile, String> {
    let file = inputs.iter().filter(|input| input.step == step).find_map(|input| input.files.get("results"));
    let file = file.ok_or_else(|| "was not handed on".to_owned())?;
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("cannot be read: {error}"))
}

/// What some results of steps depend on, each condition with all values that it has among them. Empty where nothing was said of any.
pub fn conditions<'r>(
    results: impl IntoIterator<Item = (&'r str, &'r str)>,
    inputs: &[Artefact],
) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (step, result) in results {
        let found = read(step, inputs).ok().and_then(|mut file| file.conditions.remove(result));
        for (name, value) in found.into_iter().flatten() {
            all.entry(name).or_default().insert(value);
        }
    }
    all
}

/// A sentence on numbers that stand together and cannot be compared; `None` where all can.
pub fn told_of_differences(results: &Results, inputs: &[Artefact]) -> Option<String> {
    let cells = results.cells.iter().map(|cell| (cell.step.as_str(), cell.result.as_str()));
    let differing: Vec<String> = conditions(cells, inputs)
        .into_iter()
        .filter(|(_, values)| values.len() > 1)
        .map(|(name, values)| format!("{name} ({})", values.into_iter().collect::<Vec<_>>().join("; ")))
        .collect();
    (!differing.is_empty()).then(|| {
        format!("Not all of these numbers can be compared with each other: they differ in {}.", differing.join(", and in "))
    })
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
