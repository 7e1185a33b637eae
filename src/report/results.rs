//! The results: a line for every utility and their range where there are several, then the table of findings of each, with
//! the dot-and-interval plot beside it.

use super::forest::{self, Mark};
use super::line::{Line, interval, notes, p_value, told_of_margin};
use super::number;
use super::reading;
use super::roc;
use super::study::{Origin, Study, by_sweep, field, folded};
use crate::diagnostic::Diagnostic;
use crate::metrics::utility::{Estimate, UtilityResults};
use crate::steps::Artefact;
use maud::{Markup, html};
use serde::Deserialize;

/// So many comparisons of one sweep are folded away.
const MANY: usize = 20;

/// A utility's `results`, as far as it is shown.
#[derive(Deserialize)]
struct UtilityFile {
    table: UtilityResults,
}

/// A utility step with what it found.
struct Utility<'a> {
    step: &'a Artefact,
    results: UtilityResults,
    /// The curves of its findings.
    curves: Option<Markup>,
}

/// The section; `None` where no utility is shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut utilities = Vec::new();
    for step in study.of_kind("utility") {
        if let Some(file) = reading::document::<UtilityFile>(step, "results")? {
            let curves = roc::curves(step, &file.table)?;
            utilities.push(Utility { step, results: file.table, curves });
        }
    }
    Ok(match utilities.as_slice() {
        [] => None,
        [one] => Some(html! {
            section #results {
                h2 { "Results" }
                (tiles(&Line::of_mean(&one.results)))
                (table(one))
                (explanation())
            }
        }),
        several => {
            let groups = by_sweep(several, |utility| &utility.step.step);
            let tables = |members: &[&Utility<'_>]| members.iter().map(|utility| table(utility)).collect::<Vec<_>>();
            Some(html! {
                section #results {
                    h2 { "Results" }
                    @for (sweep, members) in &groups {
                        @match (sweep, members.len()) {
                            (_, 1) => {},
                            (Some(sweep), MANY..) => details.instances {
                                summary { "All " (members.len()) " comparisons of " code { (sweep) } }
                                (summary(study, Some(sweep), members))
                            },
                            (sweep, _) => (summary(study, sweep.as_deref(), members)),
                        }
                        (folded(sweep.as_deref(), "The findings of the comparisons", &tables(members)))
                    }
                    (explanation())
                }
            })
        }
    })
}

/// The three numbers of a study with one utility, large.
fn tiles(row: &Line<'_>) -> Markup {
    let tile = |class: &str, title: &str, value: Markup| {
        html! { div.tile.(class) { p.title { (title) } (value) } }
    };
    let large = |estimate: Option<Estimate>, format: fn(f64, usize) -> String| {
        html! {
            p.value { (estimate.map_or("n/a".to_owned(), |estimate| format(estimate.value, 3))) }
            p.interval { @match estimate.as_ref().and_then(interval) {
                Some((low, high)) => { "95\u{202f}% CI " (number::decimal(low, 3)) " to " (number::decimal(high, 3)) },
                None => { "no interval" },
            } }
        }
    };
    html! {
        div.tiles {
            (tile("real", "Macro AUROC, trained on real images", large(row.real, number::decimal)))
            (tile("synthetic", "Macro AUROC, trained on synthetic images", large(row.synthetic, number::decimal)))
            (tile("gap", "Gap: real minus synthetic", large(row.gap, number::signed)))
        }
    }
}

/// One line for each utility, and how far they lie apart.
fn summary(study: &Study<'_>, sweep: Option<&str>, utilities: &[&Utility<'_>]) -> Markup {
    let about = format!("about-all-utilities{}", sweep.map(|sweep| format!("-{sweep}")).unwrap_or_default());
    let rows: Vec<Line<'_>> = utilities.iter().map(|utility| Line::of_mean(&utility.results)).collect();
    let marks: Vec<[Mark; 2]> = rows.iter().map(marks).collect();
    let scale = forest::scale(marks.iter().flatten());
    let range = |value: fn(&Line<'_>) -> Option<Estimate>, format: fn(f64, usize) -> String| {
        let values: Vec<f64> = rows.iter().filter_map(|row| Some(value(row)?.value)).collect();
        let low = values.iter().copied().reduce(f64::min);
        let high = values.iter().copied().reduce(f64::max);
        match low.zip(high) {
            Some((low, high)) if format(low, 3) == format(high, 3) => format(low, 3),
            Some((low, high)) => format!("{} to {}", format(low, 3), format(high, 3)),
            None => "n/a".to_owned(),
        }
    };
    html! {
        p.caption id=(about) {
            b { "All " (utilities.len()) " comparisons" @if let Some(sweep) = sweep { " of " code { (sweep) } } ": macro AUROC." }
            " Mean over findings on real test images, with its 95\u{202f}% interval; below, the range over the lines."
        }
        div.wide role="region" tabindex="0" aria-labelledby=(about) {
            table.results aria-labelledby=(about) {
                thead {
                    tr {
                        th scope="col" { "Comparison" }
                        th scope="col" { "Generative network" }
                        th.number scope="col" { "Trained on real" }
                        th.number scope="col" { "Trained on synthetic" }
                        th.number scope="col" { "Gap" }
                        td.plot { (forest::key()) }
                    }
                }
                tbody {
                    @for ((utility, row), marks) in utilities.iter().zip(&rows).zip(&marks) {
                        tr {
                            th scope="row" { code { (utility.step.step) } }
                            td { (generators(study, utility.step)) }
                            td.number { (estimate(row.real, number::decimal)) }
                            td.number { (estimate(row.synthetic, number::decimal)) }
                            td.number { (estimate(row.gap, number::signed)) }
                            td.plot { (forest::row(&scale, marks)) }
                        }
                    }
                }
                tfoot {
                    tr.range {
                        th scope="row" colspan="2" { "Range" }
                        td.number { (range(|row| row.real, number::decimal)) }
                        td.number { (range(|row| row.synthetic, number::decimal)) }
                        td.number { (range(|row| row.gap, number::signed)) }
                        td.plot { (forest::axis(&scale)) }
                    }
                }
            }
        }
    }
}

/// The generative networks that a utility's images come from, with their seeds.
fn generators(study: &Study<'_>, utility: &Artefact) -> Markup {
    let gans = study.ancestors(utility, "gan");
    html! {
        @if gans.is_empty() { "–" }
        @for (index, gan) in gans.iter().enumerate() {
            @if index > 0 { ", " }
            code { (gan.step) } @if let Some(seed) = field(gan, "seed") { ", seed " (seed) }
        }
    }
}

/// The findings of one utility and their mean.
fn table(utility: &Utility<'_>) -> Markup {
    let results = &utility.results;
    let rows: Vec<Line<'_>> = results.findings.iter().map(Line::of_finding).chain([Line::of_mean(results)]).collect();
    let all: Vec<[Mark; 2]> = rows.iter().map(marks).collect();
    let scale = forest::scale(all.iter().flatten());
    let reasons = notes(&rows);
    let line = |row: &Line<'_>| {
        html! {
            th scope="row" { @if row.counts.is_some() { (row.name) } @else { "Macro average" } @if row.note.is_some() { sup { "*" } } }
            @match row.counts {
                Some((positives, negatives)) => {
                    td.number { (number::count(positives as u64)) }
                    td.number { (number::count(negatives as u64)) }
                }
                None => { td {} td {} },
            }
            td.number { (estimate(row.real, number::decimal)) }
            td.number { (estimate(row.synthetic, number::decimal)) }
            td.number { (estimate(row.gap, number::signed)) }
            td.number { @match row.p { Some(p) => { (p_value(p)) }, None => { "–" } } }
            td.plot { (forest::row(&scale, &marks(row))) }
        }
    };
    let about = format!("about-{}", utility.step.step);
    html! {
        p.caption id=(about) { (caption(utility)) }
        div.wide role="region" tabindex="0" aria-labelledby=(about) {
            table.results aria-labelledby=(about) {
                thead {
                    tr {
                        th scope="col" { "Finding" }
                        th.number scope="col" { "Positive" }
                        th.number scope="col" { "Negative" }
                        th.number scope="col" { "AUROC, trained on real" }
                        th.number scope="col" { "AUROC, trained on synthetic" }
                        th.number scope="col" { "Gap" }
                        th.number scope="col" { "p of the gap" }
                        td.plot { (forest::key()) }
                    }
                }
                tbody {
                    @for row in &rows { tr.macro[row.counts.is_none()] { (line(row)) } }
                }
                tfoot { tr { td colspan="7" {} td.plot { (forest::axis(&scale)) } } }
            }
        }
        @if !reasons.is_empty() {
            p.footnote { "* " (reasons.join("; ")) "." }
        }
        @if let Some(curves) = &utility.curves { (curves) }
    }
}

/// Conditions of the numbers: what was tested, on whom, and how intervals were made.
fn caption(utility: &Utility<'_>) -> Markup {
    let results = &utility.results;
    html! {
        b { "Utility " code { (utility.step.step) } "." } " "
        (number::counted(results.images, "test image", "test images")) " of "
        (number::counted(results.patients, "patient", "patients"))
        @if let Some(test) = field(utility.step, "test") { " (" code { (test) } ")" }
        @if let Some((real, synthetic)) = field(utility.step, "real").zip(field(utility.step, "synthetic")) {
            "; classifiers " code { (without_port(real)) } " and " code { (without_port(synthetic)) }
        }
        ". 95\u{202f}% intervals: " (if results.corrected { "bias-corrected and accelerated" } else { "percentile" })
        " bootstrap over patients, "
        (number::count(results.resamples as u64)) " resamples"
        @if let Some(seed) = field(utility.step, "seed") { ", seed " (seed) }
        ". p of a finding: DeLong's test with patients as clusters, adjusted by Holm over the findings; of the mean: by its bootstrap."
        @if let Some(told) = told_of_margin(results) { " The mean gap: " (told) "." }
        @if field(utility.step, "compat") == Some("paper") {
            " As in the code of Schütte et al. 2021, an AUROC below 0.5 counts as its distance from 1, and images behind the last whole \
             batch of 50 are left out."
        }
    }
}

/// `by_seed[seed=1].on_real` of `by_seed[seed=1].on_real.classifier`.
fn without_port(reference: &str) -> &str {
    reference.rsplit_once('.').map_or(reference, |(step, _)| step)
}

fn explanation() -> Markup {
    html! {
        p.footnote {
            "AUROC is the probability that a random image with the finding scores higher than one without it; 0.5 is chance. \
             Both classifiers are tested on the same images; which parts they learned from stands under Conditions. \
             The gap is the AUROC after training on real images minus the AUROC after training on synthetic ones; \
             its interval comes from the same resamples for both."
        }
    }
}

fn estimate(estimate: Option<Estimate>, format: fn(f64, usize) -> String) -> Markup {
    html! {
        @match estimate {
            Some(estimate) => {
                (format(estimate.value, 3))
                @match interval(&estimate) {
                    Some((low, high)) => { span.ci { " [" (number::decimal(low, 3)) ", " (number::decimal(high, 3)) "]" } },
                    None => { span.ci { " no interval" } },
                }
            },
            None => { span.ci { "n/a" } },
        }
    }
}

fn marks(row: &Line<'_>) -> [Mark; 2] {
    [(Origin::Real, row.real), (Origin::Synthetic, row.synthetic)].map(|(origin, estimate)| Mark {
        origin,
        value: estimate.map(|estimate| estimate.value),
        interval: estimate.as_ref().and_then(interval),
    })
}
