//! The graph of steps: layers from left to right, every step a card with a row for each thing that it reads, so that edges
//! end where their field stands.

use super::study::Study;
use super::svg::{Anchor, Svg, text_width};
use crate::steps::Artefact;
use maud::{Markup, html};

use super::layout::{Edge, Layout, Node};

const TITLE_SIZE: f64 = 13.0;
const SMALL_SIZE: f64 = 11.0;
/// From the top of a card to its first row, and from row to row.
const HEAD: f64 = 42.0;
const ROW: f64 = 17.0;
/// Where on a card's right side its edges leave.
const OUT: f64 = 21.0;

/// What a step reads: the field that names it, and the position of the step read.
struct Slot {
    field: String,
    /// `chest.train` where the field says so.
    reference: String,
    from: usize,
}

/// The section; `None` where fewer than two steps are shown.
pub fn section(study: &Study<'_>) -> Option<Markup> {
    if study.artefacts.len() < 2 {
        return None;
    }
    let mut slots: Vec<Vec<Slot>> = study.artefacts.iter().map(|artefact| slots(study, artefact)).collect();
    let drawing = draw(study, &mut slots);
    Some(html! {
        section #steps {
            h2 { "Steps" }
            p.caption { "Every block of the file, with what it reads. Results flow from left to right." }
            div.wide role="region" tabindex="0" aria-label="Drawing of the steps" { (drawing) }
            ul.hidden {
                @for (artefact, slots) in study.artefacts.iter().zip(&slots) {
                    li {
                        (artefact.kind) " " (artefact.step)
                        @for slot in slots { ", " (slot.field) ": " (slot.reference) }
                    }
                }
            }
        }
    })
}

/// The inputs of a step, by the fields that mention them; those that no field mentions come last.
fn slots(study: &Study<'_>, artefact: &Artefact) -> Vec<Slot> {
    let position = |name: &str| study.artefacts.iter().position(|other| other.step == name);
    let mut slots: Vec<Slot> = Vec::new();
    for (field, value) in &artefact.fields {
        for reference in references(value) {
            let step = reference.split('.').next().unwrap_or_default();
            let Some(from) = position(step).filter(|_| artefact.reads.iter().any(|read| read == step)) else { continue };
            if !slots.iter().any(|slot| slot.field == *field && slot.reference == reference) {
                slots.push(Slot { field: field.clone(), reference: reference.to_owned(), from });
            }
        }
    }
    for read in &artefact.reads {
        if let Some(from) = position(read).filter(|from| !slots.iter().any(|slot| slot.from == *from)) {
            slots.push(Slot { field: String::new(), reference: read.clone(), from });
        }
    }
    slots
}

/// The names in a field's text, with their ports: `chest.train` in `[chest.train, other]`. Quoted text is skipped.
fn references(value: &str) -> Vec<&str> {
    let unquoted = value.split('"').step_by(2);
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    unquoted
        .flat_map(|part| part.split(move |character| !is_part(character)))
        .filter(|word| word.starts_with(|first: char| first.is_alphabetic() || first == '_'))
        .collect()
}

fn draw(study: &Study<'_>, slots: &mut [Vec<Slot>]) -> Markup {
    let nodes: Vec<Node> = study
        .artefacts
        .iter()
        .zip(slots.iter())
        .map(|(artefact, slots)| {
            let title = text_width(&short(&artefact.step), TITLE_SIZE).max(text_width(&artefact.kind, SMALL_SIZE));
            let rows = slots.iter().map(|slot| text_width(&short(&slot.field), SMALL_SIZE)).fold(0.0, f64::max);
            Node {
                width: (title.max(rows) + 30.0).max(92.0),
                height: HEAD + ROW * slots.len() as f64 - if slots.is_empty() { 2.0 } else { -6.0 },
            }
        })
        .collect();
    let edges = |slots: &[Vec<Slot>]| -> Vec<Edge> {
        let of = |(to, slots): (usize, &Vec<Slot>)| -> Vec<Edge> {
            let edge =
                |(row, slot): (usize, &Slot)| Edge { from: slot.from, to, leaves: OUT, arrives: HEAD + ROW * (row as f64 + 0.5) };
            slots.iter().enumerate().map(edge).collect()
        };
        slots.iter().enumerate().flat_map(of).collect()
    };
    // Once to learn in which order the edges arrive, then with the rows of every card in that order.
    let first = Layout::of(&nodes, &edges(slots));
    let mut arrivals = first.routes.iter().map(|route| route.iter().rev().nth(1).map_or(0.0, |(_, y)| *y));
    for slots in slots.iter_mut() {
        let mut keyed: Vec<(f64, Slot)> =
            std::mem::take(slots).into_iter().map(|slot| (arrivals.next().unwrap_or(0.0), slot)).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        *slots = keyed.into_iter().map(|(_, slot)| slot).collect();
    }
    let layout = Layout::of(&nodes, &edges(slots));

    let mut svg = Svg::new(layout.width, layout.height);
    let all_slots = slots.iter().enumerate().flat_map(|(to, slots)| slots.iter().map(move |slot| (to, slot)));
    for ((to, slot), route) in all_slots.zip(&layout.routes) {
        let (Some(from), Some(to)) = (study.artefacts.get(slot.from), study.artefacts.get(to)) else { continue };
        svg.described(&format!("{} reads {} as {}", to.step, slot.reference, slot.field), |svg| {
            svg.flow(route, &format!("edge {}", from.kind));
        });
    }
    for (((artefact, node), (x, y)), slots) in study.artefacts.iter().zip(&nodes).zip(&layout.positions).zip(slots.iter()) {
        svg.described(&format!("{} {}", artefact.kind, artefact.step), |svg| {
            svg.rectangle((*x, *y), (node.width, node.height), 5.0, &format!("card {}", artefact.kind));
            svg.rectangle((*x, *y + 7.0), (3.0, 27.0), 1.5, &format!("stripe {}", artefact.kind));
            svg.text((x + 13.0, y + 18.0), Anchor::Start, "name", &short(&artefact.step));
            svg.text((x + 13.0, y + 33.0), Anchor::Start, "small", &artefact.kind);
            for (row, slot) in slots.iter().enumerate() {
                let middle = y + HEAD + ROW * (row as f64 + 0.5);
                svg.circle((*x, middle), 2.6, &format!("port {}", study.artefacts.get(slot.from).map_or("", |from| &from.kind)));
                svg.text((x + 13.0, middle + 4.0), Anchor::Start, "small", &short(&slot.field));
            }
        });
    }
    svg.finish("graph", &format!("Graph of {} steps; the list that follows says what each reads", study.artefacts.len()))
}

/// Long names are cut; the whole name is shown under the pointer and among the conditions.
fn short(name: &str) -> String {
    const MOST: usize = 24;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_names_with_ports_outside_quotes() {
        assert_eq!(references("chest.train"), ["chest.train"]);
        assert_eq!(references("[a, b_2.test]"), ["a", "b_2.test"]);
        assert_eq!(references("gap.auroc_real >= 0.9"), ["gap.auroc_real"]);
        assert_eq!(references("f(x, [\"No Finding\", \"chest\"])"), ["f", "x"]);
    }
}
