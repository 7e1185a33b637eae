//! Repetition along dimensions of 1, whose adjoint is the sum.

use super::{Elementwise, Kernel, Primitive};
use crate::network::graph::{Graph, NodeId};

/// Whether a tensor of one shape can be repeated to another.
pub fn broadcasts(from: &[usize], to: &[usize]) -> bool {
    from.is_empty() || (from.len() == to.len() && from.iter().zip(to).all(|(a, b)| a == b || *a == 1))
}

/// The shape of an elementwise function of two tensors; panics if they do not fit.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Vec<usize> {
    if a.is_empty() || b.is_empty() {
        return if a.is_empty() { b.to_vec() } else { a.to_vec() };
    }
    let fits = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || *a == 1 || *b == 1);
    assert!(fits, "shapes {a:?} and {b:?} cannot be broadcast to one another");
    a.iter().zip(b).map(|(a, b)| if *a == 1 { *b } else { *a }).collect()
}

/// The adjoint of repeating a tensor of `shape`: sums `gradient` over the repeated dimensions.
pub fn sum_to_shape(graph: &mut Graph, gradient: NodeId, shape: &[usize]) -> NodeId {
    let from = graph.shape(gradient).to_vec();
    if from == shape {
        return gradient;
    }
    if shape.is_empty() {
        return graph.sum_all(gradient);
    }
    let axes: Vec<usize> = (0..from.len()).filter(|axis| shape[*axis] == 1 && from[*axis] != 1).collect();
    graph.sum(gradient, &axes, true)
}

/// Repeats dimensions of 1, or a scalar everywhere.
#[derive(Debug)]
pub struct Broadcast {
    pub shape: Vec<usize>,
}

impl Primitive for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        assert!(broadcasts(inputs[0], &self.shape), "shape {:?} cannot be broadcast to {:?}", inputs[0], self.shape);
        self.shape.clone()
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let shape = graph.shape(inputs[0]).to_vec();
        vec![Some(sum_to_shape(graph, g, &shape))]
    }

    fn elementwise(&self) -> Option<Elementwise> {
        Some(Elementwise::Broadcast)
    }
}

impl Kernel for Broadcast {}
