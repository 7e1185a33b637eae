//! Receiver operating characteristics: for every finding a small square with the curves of both classifiers, drawn from the scores of
//! the test images, and beside it their average precision.

use super::line::interval;
use super::number;
use super::study::Origin;
use super::svg::{Anchor, Svg};
use crate::diagnostic::Diagnostic;
use crate::metrics::auroc::{Cases, Ranking};
use crate::metrics::utility::{Estimate, UtilityResults};
use crate::steps::{Artefact, Scores};
use maud::{Markup, html};

/// Side of the square and the room around it, in CSS pixels.
const SIDE: f64 = 150.0;
const LEFT: f64 = 30.0;
const TOP: f64 = 6.0;
const RIGHT: f64 = 8.0;
const BOTTOM: f64 = 34.0;
/// More points than this are no longer told apart.
const MOST_POINTS: usize = 300;

/// The curves of all findings that have some; `None` where the step keeps no scores.
pub fn curves(utility: &Artefact, results: &UtilityResults) -> Result<Option<Markup>, Diagnostic> {
    let Some(path) = utility.files.get("scores") else { return Ok(None) };
    let scores = Scores::read(path)?.paired;
    let findings = scores.label_names.len();
    let mut panels = Vec::new();
    for (finding, row) in results.findings.iter().enumerate() {
        let curve = |of: &[f32]| Ranking::new(&Cases::of(of, &scores.labels, findings, finding)).curve();
        let [real, synthetic] = [curve(&scores.real), curve(&scores.synthetic)];
        if real.is_empty() {
            continue;
        }
        let share = row.positives as f64 / (row.positives + row.negatives).max(1) as f64;
        panels.push(html! {
            figure.roc {
                (draw(&row.name, &real, &synthetic))
                figcaption {
                    b { (row.name) }
                    span.note {
                        "average precision " (precision(row.estimates.precision_real)) " real, "
                        (precision(row.estimates.precision_synthetic)) " synthetic; by chance " (number::decimal(share, 3))
                    }
                }
            }
        });
    }
    Ok((!panels.is_empty()).then(|| {
        html! {
            p.caption {
                b { "Receiver operating characteristics." }
                " Solid: trained on real images; dashed: trained on synthetic ones; the diagonal is chance. Below, average precision with its \
                 95\u{202f}% interval."
            }
            div.rocs { @for panel in &panels { (panel) } }
        }
    }))
}

fn precision(estimate: Option<Estimate>) -> String {
    let Some(estimate) = estimate else { return "n/a".to_owned() };
    match interval(&estimate) {
        Some((low, high)) => {
            format!("{} [{}, {}]", number::decimal(estimate.value, 3), number::decimal(low, 3), number::decimal(high, 3))
        }
        None => number::decimal(estimate.value, 3),
    }
}

fn draw(name: &str, real: &[(f64, f64)], synthetic: &[(f64, f64)]) -> Markup {
    let mut svg = Svg::new(LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM);
    let at = |(x, y): (f64, f64)| (LEFT + SIDE * x, TOP + SIDE * (1.0 - y));
    for tick in [0.0, 0.5, 1.0] {
        svg.line(at((tick, 0.0)), at((tick, 1.0)), "grid");
        svg.line(at((0.0, tick)), at((1.0, tick)), "grid");
        let (x, y) = at((tick, 0.0));
        svg.text((x, y + 14.0), Anchor::Middle, "tick", &number::decimal(tick, 1));
        let (x, y) = at((0.0, tick));
        svg.text((x - 6.0, y + 4.0), Anchor::End, "tick", &number::decimal(tick, 1));
    }
    svg.line(at((0.0, 0.0)), at((1.0, 1.0)), "chance");
    for (points, origin, dash) in [(real, Origin::Real, 0), (synthetic, Origin::Synthetic, 1)] {
        let drawn: Vec<(f64, f64)> = thinned(points).into_iter().map(at).collect();
        svg.described(&format!("{name}, trained on {} images", origin.class()), |svg| {
            svg.polyline(&drawn, &format!("curve {} dash-{dash}", origin.class()));
        });
    }
    svg.text((LEFT + SIDE, TOP + SIDE + 29.0), Anchor::End, "tick", "false positive rate");
    svg.finish("chart", &format!("{name}: true over false positive rate of both classifiers"))
}

/// Every so manieth point, and the last.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.last().filter(|_| !points.len().saturating_sub(1).is_multiple_of(step));
    points.iter().step_by(step).chain(last).copied().collect()
}
