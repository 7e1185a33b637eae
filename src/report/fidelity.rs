//! How alike sets of images are: a table for each `fidelity` block, with the floor beside every number, on the page and for terminals.

use super::line::interval;
use super::number;
use super::reading;
use super::study::{Study, by_sweep, folded};
use super::terminal::aligned;
use crate::diagnostic::Diagnostic;
use crate::metrics::fidelity::{FidelityResults, Measure};
use crate::metrics::utility::Estimate;
use crate::steps::Artefact;
use maud::{Markup, html};
use serde::Deserialize;

/// A fidelity's `results`, as far as it is shown.
#[derive(Deserialize)]
struct FidelityFile {
    fidelity: FidelityResults,
}

/// The section; `None` where no fidelity is shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut found: Vec<(&Artefact, FidelityResults)> = Vec::new();
    for step in study.of_kind("fidelity") {
        if let Some(file) = reading::document::<FidelityFile>(step, "results")? {
            found.push((step, file.fidelity));
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #fidelity {
            h2 { "Fidelity" }
            @for (sweep, members) in &by_sweep(&found, |(step, _)| &step.step) {
                @let tables: Vec<Markup> = members.iter().map(|(step, results)| table(step, results)).collect();
                (folded(sweep.as_deref(), "How alike the images are", &tables))
            }
            p.footnote {
                "Distances between finite sets are not zero where their distributions are equal. The last two columns tell what that \
                 does: one half of the real images against the other, and as many synthetic images in the place of the second half. \
                 Numbers of two blocks are comparable only with the same features, resizing, real images and number of images."
            }
        }
    }))
}

fn table(step: &Artefact, results: &FidelityResults) -> Markup {
    let about = format!("about-{}", step.step);
    html! {
        p.caption id=(about) { b { "Fidelity " code { (step.step) } "." } " " (conditions(results)) "." }
        div.wide role="region" tabindex="0" aria-labelledby=(about) {
            table.results aria-labelledby=(about) {
                thead {
                    tr {
                        th scope="col" { "Measure" }
                        th.number scope="col" { "Synthetic against real" }
                        th.number scope="col" { "Half against real half" }
                        th.number scope="col" { "Real half against real half" }
                    }
                }
                tbody {
                    @for measure in &results.measures {
                        tr {
                            th scope="row" { (measure.title) @if measure.note.is_some() { sup { "*" } } }
                            td.number { (shown(measure.found)) }
                            td.number { (alone(measure.matched)) }
                            td.number { (alone(measure.floor)) }
                        }
                    }
                }
            }
        }
        @for line in notes(results) { p.footnote { (line) "." } }
    }
}

fn shown(estimate: Option<Estimate>) -> Markup {
    html! {
        @match estimate {
            Some(estimate) => {
                (number::decimal(estimate.value, decimals(estimate.value)))
                @if let Some((low, high)) = interval(&estimate) {
                    @let decimals = decimals(estimate.value);
                    span.ci { " [" (number::decimal(low, decimals)) ", " (number::decimal(high, decimals)) "]" }
                }
            },
            None => { span.ci { "n/a" } },
        }
    }
}

fn alone(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| number::decimal(value, decimals(value)))
}

/// Four digits that count, or so.
fn decimals(value: f64) -> usize {
    match value.abs() {
        100.0.. => 1,
        10.0.. => 2,
        0.1.. => 3,
        _ => 4,
    }
}

/// What was compared, and by what: `1000 real images of 400 patients and 1000 synthetic ones; 240 features of the random network, …`.
fn conditions(results: &FidelityResults) -> String {
    let ([real, synthetic], [patients, _], [first, second]) = (results.images, results.patients, results.halves);
    let resized = match results.resize.as_str() {
        "none" => "images as they are".to_owned(),
        resize => format!("images resized as `{resize}`"),
    };
    format!(
        "{} of {} and {}; {} features of the {} ({}), {resized}; halves of {} and {}; seed {}",
        number::counted(real, "real image", "real images"),
        number::counted(patients, "patient", "patients"),
        number::counted(synthetic, "synthetic one", "synthetic ones"),
        results.dimensions,
        results.network,
        results.digest,
        number::count(first as u64),
        number::count(second as u64),
        results.seed
    )
}

/// How intervals were made, and the notes on single measures.
fn notes(results: &FidelityResults) -> Vec<String> {
    let mut made: Vec<(&str, Vec<&str>)> = Vec::new();
    for measure in &results.measures {
        match made.iter_mut().find(|(known, _)| *known == measure.interval) {
            Some((_, names)) => names.push(short(measure)),
            None => made.push((&measure.interval, vec![short(measure)])),
        }
    }
    let intervals = made.into_iter().map(|(how, names)| match how.strip_prefix("no interval: ") {
        Some(_) => format!("{}: {how}", names.join(", ")),
        None => format!("95 % intervals of {}: {how}", names.join(", ")),
    });
    let noted = results.measures.iter().filter_map(|measure| Some(format!("* {}: {}", short(measure), measure.note.as_ref()?)));
    intervals.chain(noted).collect()
}

/// The name of a result in words: `frechet distance`.
fn short(measure: &Measure) -> &str {
    &measure.name
}

/// The same as text. Every line ends in a line break.
pub fn terminal_fidelity(results: &FidelityResults) -> String {
    let head = ["", "synthetic against real", "half against half", "real halves"].map(str::to_owned).to_vec();
    let plain = |value: f64| format!("{value:.*}", decimals(value));
    let line = |measure: &Measure| {
        let found = measure.found.map_or_else(
            || "n/a".to_owned(),
            |estimate| {
                let decimals = decimals(estimate.value);
                match interval(&estimate) {
                    Some((low, high)) => format!("{} [{low:.decimals$}, {high:.decimals$}]", plain(estimate.value)),
                    None => plain(estimate.value),
                }
            },
        );
        let other = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), plain);
        vec![measure.title.clone(), found, other(measure.matched), other(measure.floor)]
    };
    let lines: Vec<Vec<String>> = [head].into_iter().chain(results.measures.iter().map(line)).collect();
    let mut text = aligned(&lines, &[1]);
    text += &format!("{}\n", conditions(results).replace('\u{202f}', " "));
    for note in notes(results) {
        text += &format!("{note}\n");
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn fidelity_results() -> FidelityResults {
        let measure = |name: &str, title: &str, value: Option<f64>, note: Option<&str>| Measure {
            name: name.into(),
            title: title.into(),
            found: value.map(|value| Estimate { value, low: Some(value - 0.5), high: Some(value + 0.5) }),
            images: [1_214, 900],
            interval: "by leaving out each of 10 groups of patients, the jackknife".into(),
            floor: value.map(|value| 0.1 * value),
            matched: value.map(|value| 1.2 * value),
            note: note.map(str::to_owned),
        };
        FidelityResults {
            network: "random network, seed 1".into(),
            digest: "0f3c55a10f3c55a1".into(),
            dimensions: 240,
            resize: "none".into(),
            seed: 1,
            images: [1_214, 900],
            patients: [300, 900],
            halves: [610, 604],
            measures: vec![
                measure("frechet_distance", "Fréchet distance (random network, seed 1)", Some(12.3), None),
                measure("inception_score", "Inception score <b>", None, Some("the network tells no classes")),
            ],
        }
    }

    #[test]
    fn a_table_has_floor_and_conditions() {
        let text = terminal_fidelity(&fidelity_results());
        assert!(text.contains("12.30 [11.80, 12.80]") && text.contains("14.76") && text.contains("1.230"), "{text}");
        assert!(text.contains("1 214 real images of 300 patients and 900 synthetic ones; 240 features"), "{text}");
        assert!(text.contains("* inception_score: the network tells no classes"), "{text}");
    }
}
