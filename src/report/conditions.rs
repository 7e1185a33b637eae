//! The conditions of every number on the page: params, every step with its fields, and the digests of the files it made.

use super::number;
use super::study::{Study, by_sweep};
use crate::diagnostic::Diagnostic;
use crate::steps::{Artefact, shortened};
use maud::{Markup, html};
use safetensors::tensor::Metadata;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Values longer than this are folded away.
const LONG: usize = 240;

pub fn section(study: &Study<'_>) -> Result<Markup, Diagnostic> {
    Ok(html! {
        section #conditions {
            h2 { "Conditions" }
            p.caption {
                "What every number above was computed from. The same file, data and program give the same page, byte for byte. \
                 A digest is the beginning of the BLAKE3 of a file."
            }
            div.wide role="region" tabindex="0" aria-label="Program and parameters" {
                table.conditions {
                    thead { tr { th scope="col" { "Study" } th scope="col" { "Value" } } }
                    tbody {
                        tr { th scope="row" { "program" } td { "synth " (env!("CARGO_PKG_VERSION")) } }
                        @if !super::claims::file_name(study).is_empty() {
                            tr { th scope="row" { "file" } td { (super::claims::file_name(study)) } }
                        }
                        @for (name, value) in &study.pipeline.params {
                            tr { th scope="row" { "param " code { (name) } } td { (long(value)) } }
                        }
                    }
                }
            }
            @for (sweep, members) in by_sweep(study.artefacts, |artefact| &artefact.step) {
                @let table = steps(&members)?;
                @match sweep {
                    Some(sweep) => details.instances {
                        summary { "The " (members.len()) " steps of the sweep " code { (sweep) } }
                        (table)
                    },
                    None => (table),
                }
            }
        }
    })
}

/// The fields of some steps.
fn steps(artefacts: &[&Artefact]) -> Result<Markup, Diagnostic> {
    Ok(html! {
        div.wide role="region" tabindex="0" aria-label="Fields of every step" {
            table.conditions {
                thead { tr { th scope="col" { "Step" } th scope="col" { "Field" } th scope="col" { "Value" } } }
                @for artefact in artefacts {
                    tbody { (step(artefact)?) }
                }
            }
        }
    })
}

/// The rows of one step.
fn step(artefact: &Artefact) -> Result<Markup, Diagnostic> {
    let mut rows: Vec<(Markup, Markup)> =
        artefact.fields.iter().map(|(name, value)| (html! { code { (name) } }, long(value))).collect();
    for (port, path) in &artefact.files {
        if let Some(weights) = weights(path).map_err(|error| unreadable(artefact, port, &error))? {
            rows.push((html! { "weights of " code { (port) } }, html! { (number::count(weights)) }));
        }
        let digest = digest(path).map_err(|error| unreadable(artefact, port, &error))?;
        rows.push((html! { "digest of " code { (port) } }, html! { code.digest { (digest) } }));
    }
    if rows.is_empty() {
        rows.push((html! { "–" }, html! { "–" }));
    }
    let count = rows.len();
    Ok(html! {
        @for (index, (name, value)) in rows.into_iter().enumerate() {
            tr {
                @if index == 0 {
                    th.step scope="rowgroup" rowspan=(count) {
                        code { (artefact.step) } span.kind.(artefact.kind) { (artefact.kind) }
                    }
                }
                th scope="row" { (name) }
                td { (value) }
            }
        }
    })
}

fn long(value: &str) -> Markup {
    html! {
        @if value.chars().count() > LONG {
            details {
                summary { code { (value.chars().take(LONG / 3).collect::<String>()) "…" } }
                code { (value) }
            }
        } @else {
            code { (value) }
        }
    }
}

/// The beginning of a file's digest.
fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(shortened(&hasher.finalize().to_hex()))
}

/// How many numbers a model file holds: weights and running statistics. `None` for files that are no models.
fn weights(path: &Path) -> io::Result<Option<u64>> {
    let mut file = File::open(path)?;
    let mut length = [0; 8];
    if file.read_exact(&mut length).is_err() {
        return Ok(None);
    }
    let Some(size) = usize::try_from(u64::from_le_bytes(length)).ok().filter(|size| *size <= LARGEST_HEADER) else {
        return Ok(None);
    };
    let mut header = Vec::new();
    file.take(size as u64).read_to_end(&mut header)?;
    let Ok(metadata) = serde_json::from_slice::<Metadata>(&header) else { return Ok(None) };
    let tensors = metadata.tensors();
    if tensors.values().any(|tensor| !matches!(tensor.dtype, safetensors::Dtype::F32)) {
        return Ok(None);
    }
    Ok(Some(tensors.values().map(|tensor| tensor.shape.iter().map(|size| *size as u64).product::<u64>()).sum()))
}

/// Larger headers are not looked at: a model of a thousand layers has a hundredth of it.
const LARGEST_HEADER: usize = 32 << 20;

fn unreadable(artefact: &Artefact, port: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error("E0670", format!("cannot read `{port}` of `{}`", artefact.step))
        .note(error.to_string())
        .help("run again: what is missing in the store is made anew")
}
