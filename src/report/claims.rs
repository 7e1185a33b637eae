//! The head of the page: what the study is about, and whether its claims hold.

use super::reading;
use super::study::{Study, field};
use crate::diagnostic::Diagnostic;
use crate::steps::Verdict;
use maud::{Markup, html};
use serde::Deserialize;

/// A claim's `results`, as far as it is shown.
#[derive(Deserialize)]
struct ClaimFile {
    claim: Verdict,
}

/// One judged claim.
struct Judged<'a> {
    name: &'a str,
    verdict: Verdict,
}

/// Title, documentation and verdicts.
pub fn section(study: &Study<'_>) -> Result<Markup, Diagnostic> {
    let mut judged = Vec::new();
    for claim in study.of_kind("claim") {
        if let Some(file) = reading::document::<ClaimFile>(claim, "results")? {
            judged.push(Judged { name: &claim.step, verdict: file.claim });
        }
    }
    Ok(html! {
        header {
            p.eyebrow { "Synth report" @if !file_name(study).is_empty() { " · " (file_name(study)) } }
            h1 { (study.title) }
            (documentation(&study.pipeline.documentation))
            p.eyebrow { (facts(study)) }
        }
        @if !judged.is_empty() { (verdicts(&judged)) }
    })
}

/// The name without its folders, which differ between machines.
pub fn file_name<'a>(study: &Study<'a>) -> &'a str {
    let name = study.pipeline.file_name.as_str();
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// Paragraphs are divided by empty lines; the first line stands out as the question of the study.
fn documentation(text: &str) -> Markup {
    let (first, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    html! {
        @if !first.is_empty() { p.question { (first) } }
        @for paragraph in rest.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
            p.lead { (paragraph) }
        }
    }
}

/// What was done, in one line: how many data sets, generative networks and classifiers.
fn facts(study: &Study<'_>) -> String {
    let kinds = [
        ("dataset", "data set", "data sets"),
        ("gan", "generative network", "generative networks"),
        ("classifier", "classifier", "classifiers"),
    ];
    let mut told: Vec<String> = kinds
        .into_iter()
        .filter_map(|(kind, one, many)| match study.of_kind(kind).count() {
            0 => None,
            count => Some(super::number::counted(count, one, many)),
        })
        .collect();
    let mut seeds: Vec<&str> = study.of_kind("gan").filter_map(|gan| field(gan, "seed")).collect();
    seeds.dedup();
    match seeds.as_slice() {
        [] => {}
        [seed] => told.push(format!("seed {seed}")),
        several => told.push(format!("seeds {}", several.join(", "))),
    }
    told.join(" · ")
}

fn verdicts(judged: &[Judged<'_>]) -> Markup {
    let failed = judged.iter().filter(|claim| !claim.verdict.holds).count();
    let line = match (judged.len(), failed) {
        (1, 0) => "The claim holds".to_owned(),
        (1, _) => "The claim fails".to_owned(),
        (2, 0) => "Both claims hold".to_owned(),
        (count, 0) => format!("All {count} claims hold"),
        (count, 1) => format!("1 of {count} claims fails"),
        (count, failed) => format!("{failed} of {count} claims fail"),
    };
    html! {
        section.verdict.(if failed == 0 { "holds" } else { "fails" }) #claims {
            h2 { (sign(failed == 0)) " " (line) }
            div.wide role="region" tabindex="0" aria-label="Table of claims" {
                table.claims {
                    thead {
                        tr {
                            th scope="col" { "Claim" }
                            th scope="col" { "Condition" }
                            th scope="col" { "Found" }
                            th scope="col" { "Verdict" }
                        }
                    }
                    tbody {
                        @for claim in judged {
                            tr {
                                th scope="row" { code { (breakable(claim.name)) } }
                                td { code { (breakable(&typographic(&claim.verdict.condition))) } }
                                td { (breakable(&typographic(&claim.verdict.found))) }
                                td.(if claim.verdict.holds { "holds" } else { "fails" }) {
                                    (sign(claim.verdict.holds)) @if claim.verdict.holds { " holds" } @else { " fails" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sign(holds: bool) -> Markup {
    html! { span.sign aria-hidden="true" { @if holds { "✓" } @else { "✗" } } }
}

fn typographic(condition: &str) -> String {
    condition.replace(">=", "≥").replace("<=", "≤").replace("!=", "≠").replace("==", "=")
}

/// With places at which a narrow page may break a long name: after dots and underscores.
fn breakable(text: &str) -> Markup {
    html! { @for part in text.split_inclusive(['.', '_']) { (part) wbr; } }
}
