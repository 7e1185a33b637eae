//! How many synthetic images are copies: the numbers, the planted copies that were found, and the most alike pairs of each `privacy` block,
//! on the page and for terminals.

use super::nearest::{capitalised, gallery, percent, plain, shown, table, text, told};
use super::number;
use super::reading;
use super::study::{Study, by_sweep, folded};
use super::terminal::aligned;
use crate::diagnostic::Diagnostic;
use crate::metrics::privacy::{Mixture, PrivacyResults};
use crate::steps::Artefact;
use maud::{Markup, html};
use serde::Deserialize;

/// A step's `results`, as far as it is shown.
#[derive(Deserialize)]
struct PrivacyFile {
    privacy: PrivacyResults,
}

/// What the numbers show, and what they do not.
const MEANING: &str = "More copies than expected show that the generator repeats people. As few as expected do not show that it repeats \
                       nobody: a sort of copies that is not found where it was planted would not be found among synthetic images either. \
                       Whether a person was among the training images, or what else of people can be concluded, is not measured here.";

/// The section; `None` where no such block is shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut found: Vec<(&Artefact, Markup)> = Vec::new();
    for step in study.of_kind("privacy") {
        if let Some(file) = reading::document::<PrivacyFile>(step, "results")? {
            found.push((step, block(step, &file.privacy)?));
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #privacy {
            h2 { "Privacy" }
            @for (sweep, members) in &by_sweep(&found, |(step, _)| &step.step) {
                @let blocks: Vec<Markup> = members.iter().map(|(_, block)| block.clone()).collect();
                (folded(sweep.as_deref(), "Copies", &blocks))
            }
            p.footnote { (MEANING) }
        }
    }))
}

fn block(step: &Artefact, results: &PrivacyResults) -> Result<Markup, Diagnostic> {
    let about = format!("about-{}", step.step);
    let heads: [&[&str]; 2] = [&PLANTED, &MIXED];
    let tables = heads.into_iter().zip([planted(results), mixed(results)]);
    Ok(html! {
        p.caption id=(about) { b { "Privacy " code { (step.step) } "." } " " (conditions(results)) "." }
        @for warning in &results.warnings { p { strong { "Caution: " } (warning) "." } }
        (table(&about, &results.comparisons))
        @for (index, (head, lines)) in tables.enumerate().filter(|(_, (_, lines))| !lines.is_empty()) {
            @let about = format!("{}-{}", ["planted", "mixed"].get(index).unwrap_or(&""), step.step);
            p.caption id=(about) { (CAPTIONS.get(index).unwrap_or(&"")) }
            div.wide role="region" tabindex="0" aria-labelledby=(about) {
                table.results aria-labelledby=(about) {
                    thead { tr { @for (column, name) in head.iter().enumerate() { th.number[column > 0] scope="col" { (capitalised(name)) } } } }
                    tbody {
                        @for line in &lines {
                            tr {
                                @for (column, cell) in line.iter().enumerate() {
                                    @if column == 0 { th scope="row" { (capitalised(cell)) } } @else { td.number { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
        (gallery(step, &results.gallery, correlation)?)
    })
}

const CAPTIONS: [&str; 2] = [
    "Planted copies: training images, changed as said, in the place of synthetic ones.",
    "Synthetic images among which copies were planted, of all the sorts above alike.",
];
const PLANTED: [&str; 3] = ["Planted copies", "images", "found"];
const MIXED: [&str; 4] = ["Planted among synthetic images", "images", "count as copies", "if none were missed"];

fn planted(results: &PrivacyResults) -> Vec<Vec<String>> {
    let line = |planted: &crate::metrics::privacy::Planted| {
        vec![planted.title.clone(), number::count(planted.images as u64), shown(planted.found.as_ref(), true)]
    };
    results.planted.iter().map(line).collect()
}

fn mixed(results: &PrivacyResults) -> Vec<Vec<String>> {
    let line = |mixture: &Mixture| {
        vec![
            format!("{}, {}", number::count(mixture.planted as u64), percent(mixture.planted as f64 / mixture.images as f64)),
            number::count(mixture.images as u64),
            shown(mixture.found.as_ref(), true),
            mixture.due.map_or_else(|| "n/a".to_owned(), percent),
        ]
    };
    results.mixtures.iter().map(line).collect()
}

fn conditions(results: &PrivacyResults) -> String {
    let [first, second] = results.halves.map(|images| number::count(images as u64));
    let border = match results.border {
        Some(border) => format!("a copy correlates with a training image by more than {}", beyond(border)),
        None => "no border".to_owned(),
    };
    format!(
        "{}; {border}, the {} percentile of {first} held-out images; {second} others were judged by it",
        told(&results.sets),
        ordinal(100.0 * results.percentile),
    )
}

/// `95th`, `99.9th`.
fn ordinal(value: f64) -> String {
    let text = format!("{}", (value * 1e6).round() / 1e6);
    let ending = match text.as_bytes() {
        [.., b'1', b'1' | b'2' | b'3'] => "th",
        [.., b'1'] if !text.contains('.') => "st",
        [.., b'2'] if !text.contains('.') => "nd",
        [.., b'3'] if !text.contains('.') => "rd",
        _ => "th",
    };
    format!("{text}{ending}")
}

/// A correlation with as many nines as it has, and three digits more.
fn beyond(correlation: f64) -> String {
    let missing = 1.0 - correlation;
    let nines = if missing > 0.0 { (-missing.log10()).floor().clamp(0.0, 10.0) as usize } else { 0 };
    number::decimal(correlation, nines + 3)
}

/// How alike two images at a distance are.
fn correlation(distance: f64) -> String {
    if distance == 0.0 { "ρ = 1".to_owned() } else { format!("ρ = {}", beyond(1.0 - distance)) }
}

/// The same as text. Every line ends in a line break.
pub fn terminal_privacy(results: &PrivacyResults) -> String {
    let mut text = text(&results.comparisons);
    let tables: [(Vec<String>, _); 2] =
        [(PLANTED.map(str::to_owned).to_vec(), planted(results)), (MIXED.map(str::to_owned).to_vec(), mixed(results))];
    for (head, lines) in tables.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let lines: Vec<Vec<String>> = [head].into_iter().chain(lines).collect();
        text += &format!("\n{}", plain(&aligned(&lines, &[1])));
    }
    text += &format!("\n{}\n", plain(&conditions(results)));
    for warning in &results.warnings {
        text += &format!("caution: {warning}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::comparison::{Gallery, Sample, Sets};
    use crate::metrics::privacy::{Distances, evaluate};
    use crate::random::Key;

    #[test]
    fn numbers_stand_with_their_power_and_its_warning() {
        let sample = |n: u32, distance: f64| Sample::new((0..n).map(|at| distance * f64::from(at)), &(0..n).collect::<Vec<_>>());
        let distances = Distances {
            synthetic: sample(200, 0.001),
            holdout: [sample(100, 0.001), sample(100, 0.001)],
            training: sample(300, 0.001),
            planted: vec![("exact copies".into(), sample(30, 0.0)), ("mirrored".into(), sample(50, 0.5))],
        };
        let sets = Sets {
            network: "random network, seed 1".into(),
            digest: "0f3c55a1".into(),
            dimensions: 240,
            resize: "none".into(),
            seed: 1,
            training: [300, 300],
            holdout: [200, 200],
            synthetic: [200, 200],
        };
        let text = terminal_privacy(&evaluate(&distances, 0.95, sets, Gallery::default(), &Key::new(1)));
        for expected in [
            "Images that count as copies",
            "exact copies        30  100.0 % [88.6, 100.0]",
            "2.0 % [",
            "by more than 0.99505, the 95th percentile of 100 held-out images; 100 others were judged by it",
            "caution: only 39 % of planted copies are found",
            "if none were missed",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert_eq!([95.0, 99.9, 91.0, 52.0].map(ordinal), ["95th", "99.9th", "91st", "52nd"]);
        assert_eq!([correlation(0.0), correlation(0.012)], ["ρ = 1", "ρ = 0.9880"]);
    }
}
