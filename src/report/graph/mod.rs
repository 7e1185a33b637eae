//! The graph of steps, for the page and for `synth graph`: which step reads which, and as what. `drawing` makes it SVG,
//! `dot`, `mermaid` and `text` write it for other programs and for terminals.

mod dot;
mod drawing;
mod mermaid;
mod text;

use super::study::Study;
use crate::language::{Program, Step};
use crate::plan::{Plan, family, shown_reference};
use crate::steps::Artefact;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// Steps in an order in which each stands behind those that it reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    pub nodes: Vec<Node>,
}

/// A step, or all instances of it in a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub kind: String,
    pub slots: Vec<Slot>,
    /// How many steps it stands for.
    pub count: usize,
}

/// What a step reads: the field that names it, and the position of the step read.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    pub field: String,
    /// `chest.train` where the field says so.
    pub reference: String,
    pub from: usize,
}

/// More instances of one step than this become one node.
const MOST_INSTANCES: usize = 3;

impl Graph {
    /// Of all steps of a program. Many instances of a sweep are one node, unless they are to be shown one by one.
    pub fn of_program(program: &Program, plan: &Plan, expand: bool) -> Self {
        let steps: Vec<&Step> = plan.order().iter().filter_map(|index| program.steps.get(*index)).collect();
        let mut instances: BTreeMap<String, usize> = BTreeMap::new();
        for step in &steps {
            *instances.entry(family(&step.name)).or_default() += 1;
        }
        let title = |name: &str| {
            let family = family(name);
            let is_one = expand || instances.get(&family).is_none_or(|count| *count <= MOST_INSTANCES);
            if is_one { name.to_owned() } else { family }
        };
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut nodes: Vec<Node> = Vec::new();
        for step in &steps {
            let name = title(&step.name);
            let place = *places.entry(name.clone()).or_insert(nodes.len());
            match nodes.get_mut(place) {
                Some(node) => node.count += 1,
                None => nodes.push(Node { name, kind: step.kind.clone(), slots: Vec::new(), count: 1 }),
            }
        }
        let read = read_by_name(&steps);
        for step in &steps {
            let Some(node) = places.get(&title(&step.name)).and_then(|place| nodes.get_mut(*place)) else { continue };
            for (field, reference) in step.references() {
                // A field that reads everything by default reads what nothing else reads: the rest is there by way of it.
                if is_everything(step, field) && read.contains(&reference.step) {
                    continue;
                }
                let name = title(&reference.step);
                let Some(from) = places.get(&name).copied() else { continue };
                let shown = shown_reference(&reference);
                let reference = if name == reference.step { shown } else { family(&shown) };
                let slot = Slot { field: field.to_owned(), reference, from };
                if !node.slots.contains(&slot) {
                    node.slots.push(slot);
                }
            }
        }
        sorted(&nodes)
    }

    /// Of the steps that a report shows; many instances of a sweep are one node.
    fn of_study(study: &Study<'_>) -> Self {
        let node = |artefact: &Artefact| Node {
            name: artefact.step.clone(),
            kind: artefact.kind.clone(),
            slots: slots(study, artefact),
            count: 1,
        };
        folded(study.artefacts.iter().map(node).collect())
    }

    /// As an SVG file that stands alone.
    pub fn svg(&self) -> String {
        drawing::file(self)
    }

    /// In the language of Graphviz.
    pub fn dot(&self) -> String {
        dot::write(self)
    }

    /// In the language of Mermaid.
    pub fn mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// As a tree for terminals.
    pub fn text(&self) -> String {
        text::write(self)
    }

    /// Instances by their sweep, for formats that draw a frame around them: `None` for steps that are of none.
    fn sweeps(&self) -> Vec<(Option<&str>, Vec<usize>)> {
        let mut groups: Vec<(Option<&str>, Vec<usize>)> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let sweep = node.name.split_once('[').map(|(sweep, _)| sweep);
            match groups.iter_mut().find(|(found, _)| *found == sweep) {
                Some((_, members)) => members.push(index),
                None => groups.push((sweep, vec![index])),
            }
        }
        groups
    }
}

impl Node {
    /// The name, and how many steps it stands for where they are several.
    pub fn title(&self) -> String {
        if self.count > 1 { format!("{} ×{}", self.name, self.count) } else { self.name.clone() }
    }
}

fn is_everything(step: &Step, field: &str) -> bool {
    step.field(field).is_some_and(|field| field.is_default && field.value.references().len() > 1)
}

/// The steps that a field names which does not name everything.
fn read_by_name(steps: &[&Step]) -> BTreeSet<String> {
    let of = |step: &&Step| -> Vec<String> {
        let named = step.references().into_iter().filter(|(field, _)| !is_everything(step, field));
        named.map(|(_, reference)| reference.step).collect()
    };
    steps.iter().flat_map(of).collect()
}

/// Behind what it reads, each: where instances are one node, the order of the first of them need not be that.
fn sorted(nodes: &[Node]) -> Graph {
    let (mut open, mut order): (Vec<usize>, Vec<usize>) = ((0..nodes.len()).collect(), Vec::new());
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    while !open.is_empty() {
        let is_ready = |index: &usize| {
            nodes.get(*index).is_some_and(|node| node.slots.iter().all(|it| it.from == *index || places.contains_key(&it.from)))
        };
        // Two families that read each other's instances have no order: the first of them is taken.
        let next = open.remove(open.iter().position(is_ready).unwrap_or(0));
        places.insert(next, order.len());
        order.push(next);
    }
    let moved = order.iter().filter_map(|index| nodes.get(*index)).map(|node| {
        let place = |slot: &Slot| places.get(&slot.from).copied().unwrap_or(0);
        let slots = node.slots.iter().map(|slot| Slot { from: place(slot), ..slot.clone() });
        Node { slots: slots.collect(), ..node.clone() }
    });
    Graph { nodes: moved.collect() }
}

/// The section of the page; `None` where fewer than two steps are shown.
pub fn section(study: &Study<'_>) -> Option<Markup> {
    if study.artefacts.len() < 2 {
        return None;
    }
    let graph = Graph::of_study(study);
    Some(html! {
        section #steps {
            h2 { "Steps" }
            p.caption { "Every block of the file, with what it reads. Results flow from left to right." }
            div.wide role="region" tabindex="0" aria-label="Drawing of the steps" { (drawing::drawing(&graph)) }
            ul.hidden {
                @for node in &graph.nodes {
                    li {
                        (node.kind) " " (node.name)
                        @for slot in &node.slots { ", " (slot.field) ": " (slot.reference) }
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
        for read in &artefact.reads {
            let (Some(from), Some(reference)) = (position(read), reference(value, read)) else { continue };
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

/// A step's name with the port behind it where a field's text has it as a word of its own: `chest.train` in `[chest.train, other]`.
/// Quoted text is skipped.
fn reference<'v>(value: &'v str, step: &str) -> Option<&'v str> {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    value.split('"').step_by(2).find_map(|text| {
        text.match_indices(step).find_map(|(start, _)| {
            let (before, rest) = text.split_at_checked(start)?;
            let behind = rest.get(step.len()..)?;
            let port = behind.find(|character| !is_part(character)).unwrap_or(behind.len());
            let is_whole = !before.ends_with(is_part) && (port == 0 || behind.starts_with('.'));
            rest.get(..step.len() + port).filter(|_| is_whole)
        })
    })
}

/// With one node for all instances of a step, where they are many.
fn folded(nodes: Vec<Node>) -> Graph {
    let mut instances: BTreeMap<String, usize> = BTreeMap::new();
    nodes.iter().for_each(|node| *instances.entry(family(&node.name)).or_default() += 1);
    if instances.values().all(|count| *count <= MOST_INSTANCES) {
        return Graph { nodes };
    }
    let title = |name: &str| {
        let family = family(name);
        if instances.get(&family).is_some_and(|count| *count > MOST_INSTANCES) { family } else { name.to_owned() }
    };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let titles: Vec<String> = nodes.iter().map(|node| title(&node.name)).collect();
    for name in &titles {
        let next = places.len();
        places.entry(name.clone()).or_insert(next);
    }
    let place = |old: usize| titles.get(old).and_then(|name| places.get(name)).copied().unwrap_or(0);
    let mut joined: Vec<Node> = Vec::new();
    for (old, (node, name)) in nodes.iter().zip(&titles).enumerate() {
        let slots = node.slots.iter().map(|slot| {
            let is_one = titles.get(slot.from) == nodes.get(slot.from).map(|node| &node.name);
            let reference = if is_one { slot.reference.clone() } else { family(&slot.reference) };
            Slot { field: slot.field.clone(), reference, from: place(slot.from) }
        });
        if joined.len() == place(old) {
            joined.push(Node { name: name.clone(), kind: node.kind.clone(), slots: Vec::new(), count: 0 });
        }
        let Some(known) = joined.get_mut(place(old)) else { continue };
        known.count += 1;
        for slot in slots {
            if !known.slots.contains(&slot) {
                known.slots.push(slot);
            }
        }
    }
    sorted(&joined)
}

#[cfg(test)]
mod tests;
