//! Gradients of a graph as nodes of the same graph, so that a gradient can be differentiated again (gradient penalties).
//! In comes a scalar node and the nodes to differentiate by; out come the gradients. The rule of each primitive stands
//! with it in [`crate::network::primitives`]; here is only the way back through the graph.

#![allow(clippy::indexing_slicing)] // an id is that of a node, and every node has its place in these lists

#[cfg(test)]
mod tests;

use crate::network::graph::{Graph, NodeId};

/// The gradient of the one element of `of` with respect to each of the given nodes, each of that node's shape; zeros
/// where `of` does not depend on it. Only what leads to these nodes is built: no gradient by weights when asked for the
/// gradient by an image. Reverse accumulation (Linnainmaa 1976), in a loop, contributions added in the order of use.
pub fn gradient(graph: &mut Graph, of: NodeId, with_respect_to: &[NodeId]) -> Vec<NodeId> {
    assert!(graph.elements(of) == 1, "the gradient of {:?} numbers was asked for; it must be one", graph.shape(of));
    // Which nodes depend on one that was asked for: inputs stand before their users.
    let mut leads = vec![false; of.0 + 1];
    for target in with_respect_to {
        if let Some(target) = leads.get_mut(target.0) {
            *target = true;
        }
    }
    for index in 0..=of.0 {
        leads[index] = leads[index] || graph.node(NodeId(index)).inputs.iter().any(|input| leads[input.0]);
    }
    let mut gradients: Vec<Option<NodeId>> = vec![None; of.0 + 1];
    let shape = graph.shape(of).to_vec();
    gradients[of.0] = Some(graph.constant(1.0, &shape));
    for index in (0..=of.0).rev() {
        let Some(output_gradient) = gradients[index].filter(|_| leads[index]) else { continue };
        let node = graph.node(NodeId(index));
        let (primitive, inputs) = (node.primitive.clone(), node.inputs.clone());
        let needed: Vec<bool> = inputs.iter().map(|input| leads[input.0]).collect();
        if !needed.contains(&true) {
            continue;
        }
        let contributions = primitive.gradient(graph, NodeId(index), &inputs, output_gradient, &needed);
        for ((input, contribution), needed) in inputs.iter().zip(contributions).zip(needed) {
            let Some(contribution) = contribution.filter(|_| needed) else { continue };
            gradients[input.0] = Some(match gradients[input.0] {
                Some(sum) => graph.add(sum, contribution),
                None => contribution,
            });
        }
    }
    let mut found = Vec::with_capacity(with_respect_to.len());
    for target in with_respect_to {
        let gradient = gradients.get(target.0).copied().flatten();
        let shape = graph.shape(*target).to_vec();
        found.push(gradient.unwrap_or_else(|| graph.constant(0.0, &shape)));
    }
    found
}
