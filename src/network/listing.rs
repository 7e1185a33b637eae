//! A graph as text, one node a line: `%4 = convolution(%0, %3) {stride: 1, padding: 1}  [2, 16, 32, 32]`.

use super::graph::{Graph, NodeId};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Every node that `outputs` depend on, themselves included, in the order of the graph.
pub fn live_nodes(graph: &Graph, outputs: &[NodeId]) -> BTreeSet<NodeId> {
    let mut live = BTreeSet::new();
    let mut open: Vec<NodeId> = outputs.to_vec();
    while let Some(id) = open.pop() {
        if live.insert(id) {
            open.extend(&graph.node(id).inputs);
        }
    }
    live
}

/// The lines of all nodes that `outputs` depend on.
pub fn listing(graph: &Graph, outputs: &[NodeId]) -> String {
    let live = live_nodes(graph, outputs);
    let products: u64 = live.iter().map(|id| multiply_adds(graph, *id)).sum();
    let mut text = format!("{} nodes, {products} multiply-adds\n", live.len());
    for id in live {
        let _ = writeln!(text, "{}", line(graph, id));
    }
    text
}

/// One node: its number, what it applies to which nodes, and its shape.
pub fn line(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id);
    let inputs: Vec<String> = node.inputs.iter().map(|input| format!("%{}", input.0)).collect();
    let applied = match node.primitive.input_name() {
        Some(name) => format!("input \"{name}\""),
        None => format!("{}({}){}", node.primitive.name(), inputs.join(", "), parameters(&format!("{:?}", node.primitive))),
    };
    format!("%{} = {applied}  {:?}", id.0, node.shape)
}

/// Products that are added up in a node.
pub fn multiply_adds(graph: &Graph, id: NodeId) -> u64 {
    let node = graph.node(id);
    let shapes: Vec<&[usize]> = node.inputs.iter().map(|input| graph.shape(*input)).collect();
    node.primitive.multiply_adds(&shapes)
}

/// The parameters in the text of a primitive: ` {stride: 1}` of `Convolution { stride: 1 }`, and only the number of
/// `Unary { function: Scale(0.5) }`, whose function stands in its name.
fn parameters(debug: &str) -> String {
    let Some((_, rest)) = debug.split_once('{') else { return String::new() };
    let inside = rest.trim_end_matches('}').trim();
    match inside.strip_prefix("function: ") {
        Some(function) => match function.split_once('(') {
            Some((_, number)) => format!(" {{{}}}", number.trim_end_matches(')')),
            None => String::new(),
        },
        None => format!(" {{{inside}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_applied_to_which_nodes() {
        let mut graph = Graph::new();
        let (x, w) = (graph.input("x", &[1, 2, 4, 4]), graph.input("w", &[3, 2, 3, 3]));
        let y = graph.conv2d(x, w, crate::kernels::cpu::ConvolutionSettings::square(1, 1));
        let z = graph.leaky_relu(y, 0.2);
        let unused = graph.relu(y);
        let text = listing(&graph, &[z]);
        assert!(text.starts_with("4 nodes, 864 multiply-adds\n%0 = input \"x\"  [1, 2, 4, 4]\n"), "{text}");
        assert!(text.contains("= convolution(%0, %1) {"), "{text}");
        assert!(text.contains(&format!("%{} = leaky_relu(%{}) {{0.2}}  [1, 3, 4, 4]", z.0, y.0)), "{text}");
        assert!(!text.contains(&format!("%{} =", unused.0)), "{text}");
    }
}
