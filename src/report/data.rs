//! The data: images, patients and findings of every part, as the first table of a medical paper has them.

use super::number;
use super::study::{Study, by_sweep, field, folded};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::steps::Artefact;
use maud::{Markup, html};
use std::collections::BTreeSet;

const PARTS: [(&str, &str); 3] = [("train", "Training"), ("valid", "Validation"), ("test", "Test")];

/// What the table says of one part; the pixels are not kept.
struct Part {
    title: &'static str,
    images: usize,
    patients: usize,
    positives: Vec<(String, usize)>,
}

/// The section; `None` where no data set is shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut tables = Vec::new();
    for dataset in study.of_kind("dataset") {
        let parts = parts(dataset)?;
        if !parts.is_empty() {
            tables.push((dataset.step.as_str(), table(dataset, &parts)));
        }
    }
    if tables.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #data {
            h2 { "Data" }
            @for (sweep, members) in by_sweep(&tables, |(step, _)| *step) {
                @let tables: Vec<Markup> = members.iter().map(|(_, table)| table.clone()).collect();
                (folded(sweep.as_deref(), "Data sets", &tables))
            }
        }
    }))
}

fn parts(dataset: &Artefact) -> Result<Vec<Part>, Diagnostic> {
    let mut parts = Vec::new();
    for (port, title) in PARTS {
        let Some(path) = dataset.files.get(port) else { continue };
        let shard = Shard::read(path)?;
        let positives =
            |finding: usize| (0..shard.len()).filter(|index| shard.label_row(*index).get(finding) == Some(&1)).count();
        parts.push(Part {
            title,
            images: shard.len(),
            patients: shard.patients.iter().collect::<BTreeSet<_>>().len(),
            positives: shard.label_names.iter().enumerate().map(|(at, name)| (name.clone(), positives(at))).collect(),
        });
    }
    Ok(parts)
}

fn table(dataset: &Artefact, parts: &[Part]) -> Markup {
    let findings = parts.first().map(|part| part.positives.as_slice()).unwrap_or_default();
    let about = format!("about-{}", dataset.step);
    html! {
        p.caption id=(about) {
            b { "Data set " code { (dataset.step) } "." }
            " Images with each finding, and their share of the part."
            @if let Some(source) = field(dataset, "source") { " Source: " code { (source) } "." }
        }
        div.wide role="region" tabindex="0" aria-labelledby=(about) {
            table.data aria-labelledby=(about) {
                thead {
                    tr {
                        td {}
                        @for part in parts { th scope="col" { (part.title) } }
                    }
                }
                tbody {
                    tr { th scope="row" { "Patients" } @for part in parts { td { (number::count(part.patients as u64)) } } }
                    tr.divided { th scope="row" { "Images" } @for part in parts { td { (number::count(part.images as u64)) } } }
                    @for (index, (name, _)) in findings.iter().enumerate() {
                        tr {
                            th scope="row" { (name) }
                            @for part in parts {
                                @let positives = part.positives.get(index).map_or(0, |(_, count)| *count);
                                td {
                                    (number::count(positives as u64))
                                    span.share { (number::percent(positives, part.images)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
