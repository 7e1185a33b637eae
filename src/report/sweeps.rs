//! Tables and figures of sweeps, in the order of the file.

use super::figure::Figure;
use super::reading;
use super::study::Study;
use super::table::Table;
use crate::diagnostic::Diagnostic;
use maud::{Markup, html};

/// The section; `None` where there are neither tables nor figures.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut shown = Vec::new();
    for artefact in study.artefacts {
        match artefact.kind.as_str() {
            "table" => shown.extend(reading::document::<Table>(artefact, "table")?.map(|table| table.section(&artefact.step))),
            "figure" => {
                shown.extend(reading::document::<Figure>(artefact, "points")?.map(|figure| figure.section(&artefact.step)))
            }
            _ => {}
        }
    }
    if shown.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #sweeps {
            h2 { "Tables and figures" }
            @for one in &shown { (one) }
        }
    }))
}
