//! The data: images, patients and findings of every part, as the first table of a medical paper has them.

use super::number;
use super::reading;
use super::study::{Study, by_sweep, field, folded};
use crate::data::selection::Account;
use crate::data::shard::{Shard, UNKNOWN};
use crate::diagnostic::Diagnostic;
use crate::steps::Artefact;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeSet;

const PARTS: [(&str, &str); 3] = [("train", "Training"), ("valid", "Validation"), ("test", "Test")];

/// What the table says of one part; the pixels are not kept.
struct Part {
    title: &'static str,
    images: usize,
    patients: usize,
    findings: Vec<Finding>,
}

/// A finding in one part.
struct Finding {
    name: String,
    positives: usize,
    /// Images of which nobody knows whether they have it.
    unknown: usize,
}

/// The section; `None` where no data set is shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut tables = Vec::new();
    for dataset in study.of_kind("dataset") {
        let parts = parts(dataset)?;
        if !parts.is_empty() {
            let account = reading::document::<Results>(dataset, "results")?.map(|results| results.table);
            tables.push((
                dataset.step.as_str(),
                html! { (table(dataset, &parts)) @if let Some(account) = &account { (selection(account)) } },
            ));
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
        let count = |finding: usize, label: u8| {
            (0..shard.len()).filter(|index| shard.label_row(*index).get(finding) == Some(&label)).count()
        };
        let finding =
            |(at, name): (usize, &String)| Finding { name: name.clone(), positives: count(at, 1), unknown: count(at, UNKNOWN) };
        parts.push(Part {
            title,
            images: shard.len(),
            patients: shard.patients.iter().collect::<BTreeSet<_>>().len(),
            findings: shard.label_names.iter().enumerate().map(finding).collect(),
        });
    }
    Ok(parts)
}

fn table(dataset: &Artefact, parts: &[Part]) -> Markup {
    let findings = parts.first().map(|part| part.findings.as_slice()).unwrap_or_default();
    let about = format!("about-{}", dataset.step);
    html! {
        p.caption id=(about) {
            b { "Data set " code { (dataset.step) } "." }
            " Images with each finding, and their share of those in the part of which it is known."
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
                    @for (index, finding) in findings.iter().enumerate() {
                        tr {
                            th scope="row" { (finding.name) }
                            @for part in parts { td { (share(part, index)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Positive images of one finding and their share; what is unknown is said.
fn share(part: &Part, finding: usize) -> Markup {
    let (positives, unknown) = part.findings.get(finding).map_or((0, 0), |finding| (finding.positives, finding.unknown));
    html! {
        @if unknown > 0 && unknown == part.images {
            "unknown"
        } @else {
            (number::count(positives as u64))
            span.share { (number::percent(positives, part.images - unknown)) }
            @if unknown > 0 { span.share { (number::count(unknown as u64)) " unknown" } }
        }
    }
}

/// The `results` of a data set.
#[derive(Deserialize)]
struct Results {
    table: Account,
}

/// Label combinations with their images in every part, and what was left out and why.
fn selection(account: &Account) -> Markup {
    let shown = account.combinations.iter().take(MOST_COMBINATIONS);
    html! {
        details.instances {
            summary { (number::counted(account.combinations.len(), "label combination", "label combinations")) }
            div.wide role="region" tabindex="0" aria-label="Label combinations" {
                table.data {
                    thead { tr { td {} @for part in &account.parts { th scope="col" { (part.name) } } } }
                    tbody {
                        @for (title, counts) in shown {
                            tr {
                                th scope="row" { (title) }
                                @for count in counts { td { (number::count(*count as u64)) } }
                            }
                        }
                    }
                }
            }
            @if account.combinations.len() > MOST_COMBINATIONS {
                p.footnote { "… and " (account.combinations.len() - MOST_COMBINATIONS) " more." }
            }
        }
        @for left_out in &account.left_out {
            p.footnote { code { (left_out.why.trim_matches('`')) } " left out " (number::counted(left_out.images, "row", "rows")) "." }
        }
        @if let Some(unseen) = account.unseen() { p.footnote { (unseen) "." } }
    }
}

/// Combinations that are shown.
const MOST_COMBINATIONS: usize = 100;
