//! The files of finished steps: JSON documents and JSON lines.

use crate::diagnostic::Diagnostic;
use crate::steps::Artefact;
use serde::de::DeserializeOwned;
use std::path::Path;

/// A JSON file of a step; `None` where the step has no such port or the report was given another one only.
pub fn document<T: DeserializeOwned>(artefact: &Artefact, port: &str) -> Result<Option<T>, Diagnostic> {
    let Some(path) = artefact.files.get(port) else { return Ok(None) };
    serde_json::from_str(&text(artefact, port, path)?).map(Some).map_err(|error| malformed(artefact, port, &error.to_string()))
}

/// A file with one JSON object a line, as training histories are. Empty where the step has no such port.
pub fn lines<T: DeserializeOwned>(artefact: &Artefact, port: &str) -> Result<Vec<T>, Diagnostic> {
    let Some(path) = artefact.files.get(port) else { return Ok(Vec::new()) };
    let parse = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| malformed(artefact, port, &format!("line {}: {error}", index + 1)))
    };
    text(artefact, port, path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(parse).collect()
}

fn text(artefact: &Artefact, port: &str, path: &Path) -> Result<String, Diagnostic> {
    std::fs::read_to_string(path).map_err(|error| {
        Diagnostic::error("E0670", format!("cannot read `{port}` of `{}`", artefact.step))
            .note(format!("{}: {error}", path.display()))
            .help("run again: what is missing in the store is made anew")
    })
}

fn malformed(artefact: &Artefact, port: &str, fault: &str) -> Diagnostic {
    Diagnostic::error("E0670", format!("`{port}` of `{}` does not read as {} results do", artefact.step, article(&artefact.kind)))
        .note(fault.to_owned())
        .help("run again: what is damaged in the store is made anew")
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}'s")
}
