//! The graph as a tree for terminals: every step once, below the last of the steps that it reads, with all that it reads
//! behind its name.

use super::{Graph, Node};
use std::collections::BTreeMap;

pub fn write(graph: &Graph) -> String {
    let mut depths: Vec<usize> = Vec::new();
    let mut parents: Vec<Option<usize>> = Vec::new();
    for node in &graph.nodes {
        // Steps stand behind those that they read, so that all depths are known here.
        let deepest = node.slots.iter().filter_map(|slot| Some((*depths.get(slot.from)?, slot.from))).max();
        depths.push(deepest.map_or(0, |(depth, _)| depth + 1));
        parents.push(deepest.map(|(_, parent)| parent));
    }
    let mut below: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, parent) in parents.into_iter().enumerate() {
        below.entry(parent).or_default().push(index);
    }
    let children = |of: Option<usize>| below.get(&of).cloned().unwrap_or_default();
    let mut text = String::new();
    // Steps with what stands before their names, and before those of the steps below them.
    let mut open: Vec<(usize, String, String)> =
        children(None).into_iter().rev().map(|root| (root, String::new(), String::new())).collect();
    while let Some((index, head, trunks)) = open.pop() {
        let Some(node) = graph.nodes.get(index) else { continue };
        text += format!("{head}{}  {}  {}", node.title(), node.kind, reads(node)).trim_end();
        text.push('\n');
        let children = children(Some(index));
        for (place, child) in children.iter().enumerate().rev() {
            let (branch, trunk) = if place + 1 == children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            open.push((*child, format!("{trunks}{branch}"), format!("{trunks}{trunk}")));
        }
    }
    text
}

/// `train = chest.train, of = [a, b]`.
fn reads(node: &Node) -> String {
    let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
    for slot in &node.slots {
        match fields.iter_mut().find(|(field, _)| *field == slot.field) {
            Some((_, references)) => references.push(&slot.reference),
            None => fields.push((&slot.field, vec![&slot.reference])),
        }
    }
    let written = |(field, references): &(&str, Vec<&str>)| match references.as_slice() {
        [one] => format!("{field} = {one}"),
        several => format!("{field} = [{}]", several.join(", ")),
    };
    fields.iter().map(written).collect::<Vec<_>>().join(", ")
}
