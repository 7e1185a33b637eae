//! How near synthetic images come to training images: a table and the nearest pairs of each `neighbours` block, on the page and for
//! terminals.

use super::nearest::{distance, gallery, plain, table, text, told};
use super::number;
use super::reading;
use super::study::{Study, by_sweep, folded};
use crate::diagnostic::Diagnostic;
use crate::metrics::neighbours::NeighboursResults;
use crate::steps::Artefact;
use maud::{Markup, html};
use serde::Deserialize;

/// A step's `results`, as far as it is shown.
#[derive(Deserialize)]
struct NeighboursFile {
    neighbours: NeighboursResults,
}

/// The section; `None` where no such block is shown.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut found: Vec<(&Artefact, Markup)> = Vec::new();
    for step in study.of_kind("neighbours") {
        if let Some(file) = reading::document::<NeighboursFile>(step, "results")? {
            found.push((step, block(step, &file.neighbours)?));
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #neighbours {
            h2 { "Nearest neighbours" }
            @for (sweep, members) in &by_sweep(&found, |(step, _)| &step.step) {
                @let blocks: Vec<Markup> = members.iter().map(|(_, block)| block.clone()).collect();
                (folded(sweep.as_deref(), "Nearest neighbours", &blocks))
            }
            p.footnote {
                "Images are as near as these features see them. Synthetic images that are no nearer to training images than people from \
                 whom nothing was learned show no copying that these features could see; a copy that they do not see is not near."
            }
        }
    }))
}

fn block(step: &Artefact, results: &NeighboursResults) -> Result<Markup, Diagnostic> {
    let about = format!("about-{}", step.step);
    Ok(html! {
        p.caption id=(about) { b { "Neighbours " code { (step.step) } "." } " " (conditions(results)) "." }
        (table(&about, &results.comparisons))
        (gallery(step, &results.gallery, |value| format!("distance {}", distance(value)))?)
    })
}

fn conditions(results: &NeighboursResults) -> String {
    format!(
        "{}; a distance is 1 − the cosine of the features; between training and held-out images is chosen of {} each",
        told(&results.sets),
        number::count(results.drawn as u64)
    )
}

/// The same as text. Every line ends in a line break.
pub fn terminal_neighbours(results: &NeighboursResults) -> String {
    format!("{}{}\n", text(&results.comparisons), plain(&conditions(results)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::comparison::{Gallery, Sample, Sets};
    use crate::metrics::neighbours::{Distances, comparisons};
    use crate::random::Key;

    #[test]
    fn a_table_has_the_baseline_and_what_is_due() {
        let sample = |scale: f64| Sample::new((1..=40).map(|at| scale * f64::from(at)), &(0..40).collect::<Vec<_>>());
        let distances = Distances { synthetic: sample(0.001), holdout: sample(0.002), either: vec![[0.001, 0.002]; 40] };
        let sets = Sets {
            network: "random network, seed 1".into(),
            digest: "0f3c55a1".into(),
            dimensions: 240,
            resize: "none".into(),
            seed: 1,
            training: [1_400, 700],
            holdout: [40, 40],
            synthetic: [40, 40],
        };
        let results = NeighboursResults {
            sets,
            drawn: 40,
            comparisons: comparisons(&distances, &Key::new(1)),
            gallery: Gallery::default(),
        };
        let text = terminal_neighbours(&results);
        for expected in [
            "0.0205 [",
            "0.0410 [",
            "5 % by definition",
            "100.0 % [91.2, 100.0]",
            "50 % where nothing was copied",
            "40 and 40",
            "1 400 training images of 700 patients, 40 held-out ones of 40 patients, and 40 synthetic ones; 240 features of",
            "95 % intervals of closer: Wilson's, over images",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }
}
