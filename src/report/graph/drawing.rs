//! The drawing: layers from left to right, every step a card with a row for each thing that it reads, so that edges end
//! where their field stands.

use super::super::layout::{Edge, Layout, Node as Card};
use super::super::style;
use super::super::svg::{Anchor, Svg, text_width};
use super::{Graph, Slot};
use maud::Markup;

const TITLE_SIZE: f64 = 13.0;
const SMALL_SIZE: f64 = 11.0;
/// From the top of a card to its first row, and from row to row.
const HEAD: f64 = 42.0;
const ROW: f64 = 17.0;
/// Where on a card's right side its edges leave.
const OUT: f64 = 21.0;

/// The drawing for a page, which brings the colours.
pub fn drawing(graph: &Graph) -> Markup {
    let label = format!("Graph of {} steps; the list that follows says what each reads", graph.nodes.len());
    draw(graph).finish("graph", &label)
}

/// A file that stands alone, in the light colours of the page.
pub fn file(graph: &Graph) -> String {
    let label = format!("Graph of {} steps", graph.nodes.len());
    draw(graph).finish_as_file("graph", &label, &style())
}

fn draw(graph: &Graph) -> Svg {
    let nodes = &graph.nodes;
    let mut slots: Vec<Vec<Slot>> = nodes.iter().map(|node| node.slots.clone()).collect();
    let cards: Vec<Card> = nodes
        .iter()
        .map(|node| {
            let slots = &node.slots;
            let title = text_width(&short(&node.title()), TITLE_SIZE).max(text_width(&node.kind, SMALL_SIZE));
            let rows = slots.iter().map(|slot| text_width(&short(&slot.field), SMALL_SIZE)).fold(0.0, f64::max);
            Card {
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
    let first = Layout::of(&cards, &edges(&slots));
    let mut arrivals = first.routes.iter().map(|route| route.iter().rev().nth(1).map_or(0.0, |(_, y)| *y));
    for slots in &mut slots {
        let mut keyed: Vec<(f64, Slot)> =
            std::mem::take(slots).into_iter().map(|slot| (arrivals.next().unwrap_or(0.0), slot)).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        *slots = keyed.into_iter().map(|(_, slot)| slot).collect();
    }
    let layout = Layout::of(&cards, &edges(&slots));

    let mut svg = Svg::new(layout.width, layout.height);
    let all_slots = slots.iter().enumerate().flat_map(|(to, slots)| slots.iter().map(move |slot| (to, slot)));
    for ((to, slot), route) in all_slots.zip(&layout.routes) {
        let (Some(from), Some(to)) = (nodes.get(slot.from), nodes.get(to)) else { continue };
        svg.described(&format!("{} reads {} as {}", to.name, slot.reference, slot.field), |svg| {
            svg.flow(route, &format!("edge {}", from.kind));
        });
    }
    for (((node, card), (x, y)), slots) in nodes.iter().zip(&cards).zip(&layout.positions).zip(slots.iter()) {
        svg.described(&format!("{} {}", node.kind, node.name), |svg| {
            svg.rectangle((*x, *y), (card.width, card.height), 5.0, &format!("card {}", node.kind));
            svg.rectangle((*x, *y + 7.0), (3.0, 27.0), 1.5, &format!("stripe {}", node.kind));
            svg.text((x + 13.0, y + 18.0), Anchor::Start, "name", &short(&node.title()));
            svg.text((x + 13.0, y + 33.0), Anchor::Start, "small", &node.kind);
            for (row, slot) in slots.iter().enumerate() {
                let middle = y + HEAD + ROW * (row as f64 + 0.5);
                svg.circle((*x, middle), 2.6, &format!("port {}", nodes.get(slot.from).map_or("", |from| &from.kind)));
                svg.text((x + 13.0, middle + 4.0), Anchor::Start, "small", &short(&slot.field));
            }
        });
    }
    svg
}

/// The part of the page's style that the drawing needs. What depends on the kind of a step is written once for each kind: few
/// programs that show SVG files know the kinds' own variables.
fn style() -> String {
    let (texts, kinds): (Vec<&str>, Vec<&str>) = style::rules("Graph").partition(|rule| !rule.contains("--kind:"));
    let mut rules: Vec<String> = Vec::new();
    for rule in [style::TEXT].into_iter().chain(texts) {
        // In a quiet colour for kinds without one of their own.
        rules.push(rule.replace("var(--kind)", "var(--soft)"));
        if let Some((selector, body)) = rule.split_once(" {").filter(|(_, body)| body.contains("var(--kind)")) {
            let kind = |rule: &&str| {
                let (kind, colour) = rule.split_once(" { --kind: ")?;
                let body = body.replace("var(--kind)", colour.split(';').next()?);
                Some(format!("{}{kind} {{{body}", selector.trim_start_matches("svg ")))
            };
            rules.extend(kinds.iter().filter_map(kind).filter(|rule| !rule.contains("svg")));
        }
    }
    style::of_file(rules.iter().map(String::as_str))
}

/// Long names are cut; the whole name is shown under the pointer and among the conditions.
fn short(name: &str) -> String {
    const MOST: usize = 24;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}
