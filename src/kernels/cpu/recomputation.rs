//! Values that are cheaper to work out again than to keep: the slope of an activation, a multiple. Where every reader is a
//! fused pass over the same elements, each of them works the value out by itself from what it is made of, as long as that is in
//! memory anyway; so it takes no memory between the forward and the backward pass, and is not written.

use super::fusion::{MAXIMUM_VALUES, Unit, root};
use crate::network::graph::{Graph, NodeId};
use crate::network::primitives::{Elementwise, UnaryFunction};
use std::collections::BTreeSet;

/// Whether a node costs less than reading its result from memory.
fn is_cheap(graph: &Graph, id: NodeId) -> bool {
    use UnaryFunction::{Abs, LeakyRelu, LeakyStep, Relu, Scale, Shift, Sign, Square, Step};
    match graph.node(id).primitive.elementwise() {
        Some(Elementwise::Unary(function)) => {
            matches!(function, Abs | LeakyRelu(_) | LeakyStep(_) | Relu | Scale(_) | Shift(_) | Sign | Square | Step)
        }
        _ => false,
    }
}

/// Moves cheap values into the passes that read them. Units stay in an order in which they can run.
pub(super) fn recompute(graph: &Graph, mut units: Vec<Unit>, outputs: &[NodeId]) -> Vec<Unit> {
    let mut readers = readers(graph, &units);
    let mut home: Vec<Option<usize>> = vec![None; graph.len()];
    for (index, unit) in units.iter().enumerate() {
        unit.members.iter().for_each(|member| home[member.0] = Some(index));
    }
    let asked: BTreeSet<NodeId> = outputs.iter().map(|output| root(graph, *output)).collect();
    // Last ones first: what a value is made of may be cheap itself, and then follows it.
    for id in (0..graph.len()).rev().map(NodeId) {
        let Some(from) = home[id.0].filter(|_| is_cheap(graph, id) && !asked.contains(&id)) else { continue };
        let source = root(graph, graph.node(id).inputs[0]);
        let made_of_kept = match home[source.0] {
            Some(unit) => !units[unit].fused || readers[source.0].iter().any(|reader| *reader != unit),
            None => graph.constant_value(source).is_none(),
        };
        let outside: Vec<usize> = readers[id.0].iter().copied().filter(|reader| *reader != from).collect();
        let fits = |reader: &usize| {
            let unit = &units[*reader];
            unit.fused && elements(graph, unit) == graph.elements(id) && values(graph, unit) < MAXIMUM_VALUES
        };
        if outside.is_empty() || !made_of_kept || !outside.iter().all(fits) {
            continue;
        }
        for reader in outside {
            let members = &mut units[reader].members;
            let position = members.partition_point(|member| *member < id);
            members.insert(position, id);
            readers[source.0].insert(reader);
        }
        if !readers[id.0].contains(&from) {
            units[from].members.retain(|member| *member != id);
            if !units[from].members.iter().any(|member| reads(graph, *member, source)) {
                readers[source.0].remove(&from);
            }
        }
    }
    units.retain(|unit| !unit.members.is_empty());
    units
}

fn reads(graph: &Graph, member: NodeId, value: NodeId) -> bool {
    graph.node(member).inputs.iter().any(|input| root(graph, *input) == value)
}

/// The units that read each value, its own among them.
fn readers(graph: &Graph, units: &[Unit]) -> Vec<BTreeSet<usize>> {
    let mut readers = vec![BTreeSet::new(); graph.len()];
    for (index, unit) in units.iter().enumerate() {
        for input in unit.members.iter().flat_map(|member| &graph.node(*member).inputs) {
            readers[root(graph, *input).0].insert(index);
        }
    }
    readers
}

/// Elements that a fused unit goes through.
pub(super) fn elements(graph: &Graph, unit: &Unit) -> usize {
    let whole = |member: &NodeId| match graph.node(*member).primitive.summed_axes() {
        Some(_) => graph.elements(graph.node(*member).inputs[0]),
        None => graph.elements(*member),
    };
    unit.members.first().map_or(0, whole)
}

/// Values that a unit reads and makes.
fn values(graph: &Graph, unit: &Unit) -> usize {
    let read = unit.members.iter().flat_map(|member| &graph.node(*member).inputs).map(|input| root(graph, *input));
    read.chain(unit.members.iter().copied()).collect::<BTreeSet<_>>().len()
}
