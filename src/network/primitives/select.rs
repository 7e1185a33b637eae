//! One of two tensors, element by element.

use super::{Elementwise, Kernel, Primitive};
use crate::network::graph::{Graph, NodeId};

/// Inputs condition, a, b of one shape: a where the condition is not 0, else b. The condition has no gradient.
#[derive(Debug)]
pub struct Select;

impl Primitive for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        assert!(inputs[0] == inputs[1] && inputs[1] == inputs[2], "select of shapes {inputs:?}, which must be equal");
        inputs[0].to_vec()
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let shape = graph.shape(node).to_vec();
        let zero = graph.constant(0.0, &shape);
        let first = needed[1].then(|| graph.select(inputs[0], g, zero));
        let second = needed[2].then(|| graph.select(inputs[0], zero, g));
        vec![None, first, second]
    }

    fn elementwise(&self) -> Option<Elementwise> {
        Some(Elementwise::Select)
    }
}

impl Kernel for Select {}
