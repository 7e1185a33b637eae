//! The whole page: head, style, sections in their order.

use super::study::Study;
use super::{
    attribution, claims, conditions, data, fidelity, graph, neighbours, privacy, results, samples, style, sweeps, training,
};
use crate::diagnostic::Diagnostic;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page may use what stands in it and nothing else; a browser enforces it.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// The report as one HTML document. Errors: a file of a step that cannot be read.
pub fn render(study: &Study<'_>) -> Result<String, Diagnostic> {
    let head = claims::section(study)?;
    let sections: Vec<(&str, &str, Markup)> = [
        ("sweeps", "Tables and figures", sweeps::section(study)?),
        ("results", "Results", results::section(study)?),
        ("fidelity", "Fidelity", fidelity::section(study)?),
        ("attribution", "Attribution", attribution::section(study)?),
        ("neighbours", "Nearest neighbours", neighbours::section(study)?),
        ("privacy", "Privacy", privacy::section(study)?),
        ("data", "Data", data::section(study)?),
        ("images", "Images", samples::section(study)?),
        ("training", "Training", training::section(study)?),
        ("steps", "Steps", graph::section(study)),
        ("conditions", "Conditions", Some(conditions::section(study)?)),
    ]
    .into_iter()
    .filter_map(|(anchor, title, section)| Some((anchor, title, section?)))
    .collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (study.title) }
                style { (PreEscaped(style::PAGE)) }
            }
            body {
                main {
                    (head)
                    nav aria-label="Sections" {
                        @for (anchor, title, _) in &sections { a href={ "#" (anchor) } { (title) } }
                    }
                    @for (_, _, section) in &sections { (section) }
                }
            }
        }
    };
    Ok(page.into_string())
}
