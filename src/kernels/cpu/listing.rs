//! What the executor makes of a graph, as text: which nodes run together, in which order, and where each value lives.

use super::executable::Planned;
use super::fusion::{Unit, root};
use super::memory::Place;
use crate::network::graph::{Graph, NodeId};
use crate::network::listing::line;
use std::fmt::Write;

/// The units in the order in which they run: elementwise nodes and sums that make one pass over memory, and single
/// kernels between them.
pub fn fusion_listing(graph: &Graph, outputs: &[NodeId]) -> String {
    let planned = Planned::new(graph, outputs);
    let fused = planned.units.iter().filter(|unit| unit.fused).count();
    let mut text = format!("{fused} fused passes and {} kernels\n", planned.units.len() - fused);
    for (index, unit) in planned.units.iter().enumerate() {
        let _ = writeln!(text, "{}", heading(graph, index, unit));
        for member in &unit.members {
            let _ = writeln!(text, "  {}", line(graph, *member));
        }
    }
    text
}

/// The units with the place of each value that they leave in memory, in numbers from the start of the arena. A place that
/// a later line names again has been given back in between, or is written over where it is read for the last time.
pub fn plan_listing(graph: &Graph, outputs: &[NodeId]) -> String {
    let planned = Planned::new(graph, outputs);
    let mut every = 0;
    let mut lines = String::new();
    for (index, unit) in planned.units.iter().enumerate() {
        let _ = writeln!(lines, "{}", heading(graph, index, unit));
        let mut inside = 0;
        for member in &unit.members {
            let Some(Place::Arena(start)) = planned.plan.kept(*member) else {
                inside += 1;
                continue;
            };
            let elements = graph.elements(*member);
            every += elements;
            let in_place = if planned.plan.is_in_place(*member) { ", over a value that is done with" } else { "" };
            let _ = writeln!(lines, "  %{} at {start}..{}{in_place}", member.0, start + elements);
        }
        if inside > 0 {
            let _ = writeln!(lines, "  {inside} values in registers and the first-level cache only");
        }
    }
    let fed = planned.fed.iter().map(|(id, name)| format!("  %{} \"{name}\"\n", root(graph, *id).0)).collect::<String>();
    format!(
        "{} numbers in the arena for values of {every} numbers\nread where the caller keeps them:\n{fed}{lines}",
        planned.plan.size
    )
}

fn heading(graph: &Graph, index: usize, unit: &Unit) -> String {
    match unit.members.as_slice() {
        [only] if !unit.fused => format!("{index}. {}", graph.node(*only).primitive.name()),
        members => format!("{index}. one pass, {} nodes", members.len()),
    }
}
