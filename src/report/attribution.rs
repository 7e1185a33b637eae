//! Where classifiers look: for each `attribution` block a table of how far both agree, and images with the maps of both beside each other,
//! on the page; the table for terminals.

use super::line::interval;
use super::number;
use super::picture::{self, Picture};
use super::reading;
use super::study::{Origin, Study, by_sweep, folded};
use super::terminal::aligned;
use crate::data::combinations::title;
use crate::data::shard::UNKNOWN;
use crate::diagnostic::Diagnostic;
use crate::metrics::occlusion::{AttributionResults, Measure, probability};
use crate::metrics::utility::Estimate;
use crate::steps::{Artefact, AttributionMaps};
use maud::{Markup, html};
use serde::Deserialize;

/// Images that are shown, the first that were drawn.
const SHOWN: usize = 12;

/// An attribution's `results`, as far as it is shown.
#[derive(Deserialize)]
struct AttributionFile {
    attribution: AttributionResults,
}

/// An attribution with what it found.
struct Found<'a> {
    step: &'a Artefact,
    results: AttributionResults,
    maps: Option<AttributionMaps>,
}

/// The section; `None` where no attribution is shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut found = Vec::new();
    for step in study.of_kind("attribution") {
        if let Some(file) = reading::document::<AttributionFile>(step, "results")? {
            let maps = step.files.get("maps").map(|path| AttributionMaps::read(path)).transpose()?;
            found.push(Found { step, results: file.attribution, maps });
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #attribution {
            h2 { "Attribution" }
            @for (sweep, members) in &by_sweep(&found, |found| &found.step.step) {
                @let parts: Vec<Markup> = members.iter().map(|found| part(found)).collect();
                (folded(sweep.as_deref(), "Where the classifiers look", &parts))
            }
            p.footnote {
                "Δ of a block is how much larger the binary cross-entropy of the true labels becomes when the block is covered. Two classifiers \
                 that look at the same place in every image agree without having seen anything in it: agreement on the same image says \
                 something only as far as it lies above that on images of different patients."
            }
        }
    }))
}

fn part(found: &Found<'_>) -> Markup {
    let about = format!("about-{}", found.step.step);
    html! {
        p.caption id=(about) { b { "Attribution " code { (found.step.step) } "." } " " (conditions(&found.results)) "." }
        div.wide role="region" tabindex="0" aria-labelledby=(about) {
            table.results aria-labelledby=(about) {
                thead {
                    tr {
                        th scope="col" { "Mean over images" }
                        th.number scope="col" { "Images" }
                        th.number scope="col" { "Found" }
                        th.number scope="col" { "Of maps that tell nothing" }
                    }
                }
                tbody {
                    @for measure in &found.results.measures {
                        tr {
                            th scope="row" { (measure.title) @if measure.note.is_some() { sup { "*" } } }
                            td.number { (number::count(measure.images as u64)) }
                            td.number { (shown(measure.found)) }
                            td.number { (number::decimal(measure.by_chance, 3)) }
                        }
                    }
                }
            }
        }
        @for note in notes(&found.results) { p.footnote { (note) "." } }
        @if let Some(maps) = &found.maps { (gallery(maps)) }
    }
}

fn shown(estimate: Option<Estimate>) -> Markup {
    html! {
        @match estimate {
            Some(estimate) => {
                (number::decimal(estimate.value, 3))
                @if let Some((low, high)) = interval(&estimate) {
                    span.ci { " [" (number::decimal(low, 3)) ", " (number::decimal(high, 3)) "]" }
                }
            },
            None => { span.ci { "n/a" } },
        }
    }
}

/// The first images that were drawn, each with both maps.
fn gallery(found: &AttributionMaps) -> Markup {
    let shown = found.images.len().min(SHOWN);
    html! {
        p.caption {
            b { "Where both look." }
            " The first " (number::counted(shown, "image", "images")) " of " (number::count(found.images.len() as u64))
            " in the order in which they were drawn, not chosen by hand. The lighter a block, the more covering it harms; both maps of an image \
             have one scale, from 0 to the greatest Δ of either: "
            @if let Some(Picture { address, width, height }) = picture::colour_bar() {
                img src=(address) width=(width) height=(height) alt="colours from nearly black over red to light yellow";
            }
        }
        @for image in 0..shown { (row(found, image)) }
    }
}

fn row(found: &AttributionMaps, image: usize) -> Markup {
    let (images, maps) = (&found.images, &found.maps);
    let title = match title(images.label_row(image), &images.label_names) {
        none if none == "none" => "No finding labelled".to_owned(),
        title => title,
    };
    let greatest =
        [&maps.real, &maps.synthetic].into_iter().flat_map(|all| maps.of_image(all, image)).fold(0.0_f32, |a, b| a.max(*b));
    let plate = |class: &str, kind: &str, picture: Option<Picture>| {
        html! {
            figure.plate.(class) {
                figcaption { span.origin { (kind) } }
                @match picture {
                    Some(Picture { address, width, height }) =>
                        img src=(address) width=(width) height=(height) alt=(format!("{kind}: image labelled {title}"));,
                    None => p.nothing { "no picture" },
                }
            }
        }
    };
    let overlay =
        |all: &[f32]| picture::overlay(images, image, maps.of_image(all, image), maps.blocks.columns, f64::from(greatest));
    html! {
        div.combination {
            h4 { (title) }
            div.plates {
                (plate("image", "image", picture::plate(images, &[image])))
                (plate(Origin::Real.class(), "trained on real", overlay(&maps.real)))
                (plate(Origin::Synthetic.class(), "trained on synthetic", overlay(&maps.synthetic)))
                (probabilities(found, image, &title))
            }
            p.caption { "Greatest Δ: " (small(f64::from(greatest))) "." }
        }
    }
}

/// What both classifiers hold an image for, beside what is true.
fn probabilities(found: &AttributionMaps, image: usize, title: &str) -> Markup {
    let findings = found.images.label_names.len();
    let of = |logits: &[f32]| -> Vec<String> {
        let row = logits.get(image * findings..(image + 1) * findings).unwrap_or_default();
        row.iter().map(|logit| number::decimal(probability(*logit), 2)).collect()
    };
    let truth = |label: &u8| match *label {
        1 => "present",
        UNKNOWN => "unknown",
        _ => "absent",
    };
    let [real, synthetic] = &found.logits;
    html! {
        div.wide role="region" tabindex="0" aria-label=(format!("Probabilities of the image labelled {title}")) {
            table.data {
                thead { tr { td {} @for name in &found.images.label_names { th scope="col" { (name) } } } }
                tbody {
                    tr { th scope="row" { "label" } @for label in found.images.label_row(image) { td { (truth(label)) } } }
                    tr { th scope="row" { "probability, trained on real" } @for one in of(real) { td { (one) } } }
                    tr { th scope="row" { "probability, trained on synthetic" } @for one in of(synthetic) { td { (one) } } }
                }
            }
        }
    }
}

/// With three digits that count.
fn small(value: f64) -> String {
    match value {
        0.001.. => number::decimal(value, 3),
        _ => format!("{value:.1e}"),
    }
}

/// `64 test images of 60 patients, …`.
fn conditions(results: &AttributionResults) -> String {
    let blocks = results.blocks;
    format!(
        "{} of {}, those with findings first; {} blocks of {side}×{side} px covered with {}; 95 % intervals by bootstrap over patients, {} \
         resamples; seed {}",
        number::counted(results.images, "test image", "test images"),
        number::counted(results.patients, "patient", "patients"),
        number::count(blocks.count() as u64),
        results.fill,
        number::count(results.resamples as u64),
        results.seed,
        side = blocks.side,
    )
}

/// The notes, each once, before it the results that have it.
fn notes(results: &AttributionResults) -> Vec<String> {
    let mut noted: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, note) in results.measures.iter().filter_map(|measure| Some((measure.name.as_str(), measure.note.as_deref()?))) {
        match noted.iter_mut().find(|(known, _)| *known == note) {
            Some((_, names)) => names.push(name),
            None => noted.push((note, vec![name])),
        }
    }
    noted.into_iter().map(|(note, names)| format!("* {}: {note}", names.join(", "))).collect()
}

/// The table as text. Every line ends in a line break.
pub fn terminal_attribution(results: &AttributionResults) -> String {
    let head = ["mean over images", "images", "found", "of maps that tell nothing"].map(str::to_owned).to_vec();
    let line = |measure: &Measure| {
        let found = measure.found.map_or_else(
            || "n/a".to_owned(),
            |estimate| match interval(&estimate) {
                Some((low, high)) => format!("{:.3} [{low:.3}, {high:.3}]", estimate.value),
                None => format!("{:.3} no interval", estimate.value),
            },
        );
        vec![measure.title.clone(), measure.images.to_string(), found, format!("{:.3}", measure.by_chance)]
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
mod tests {
    use super::*;
    use crate::metrics::occlusion::Blocks;

    fn attribution_results() -> AttributionResults {
        let measure = |name: &str, value: Option<f64>, note: Option<&str>| Measure {
            name: name.into(),
            title: format!("title of {name}"),
            found: value.map(|value| Estimate { value, low: Some(value - 0.1), high: Some(value + 0.1) }),
            images: 60,
            by_chance: 0.109,
            note: note.map(str::to_owned),
        };
        AttributionResults {
            images: 64,
            patients: 50,
            blocks: Blocks { rows: 8, columns: 8, side: 4 },
            fill: "the mean of the test images".into(),
            seed: 1,
            resamples: 1_000,
            measures: vec![
                measure("agreement", Some(0.4), None),
                measure("sameness_real", None, Some("all images are of one patient")),
            ],
        }
    }

    #[test]
    fn a_table_has_its_conditions() {
        let text = terminal_attribution(&attribution_results());
        assert!(text.contains("0.400 [0.300, 0.500]") && text.contains("0.109"), "{text}");
        assert!(text.contains("64 blocks of 4×4 px covered with the mean of the test images"), "{text}");
        assert!(text.contains("* sameness_real: all images are of one patient"), "{text}");
    }
}
