//! The sum over some axes, whose adjoint is repetition.

use super::{Kernel, Primitive};
use crate::network::graph::{Graph, NodeId};

/// The shape after a sum: summed dimensions become 1 or go.
pub fn reduced_shape(shape: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    assert!(axes.iter().all(|axis| *axis < shape.len()), "sum over axes {axes:?} of shape {shape:?}");
    let dimensions = shape.iter().enumerate().filter(|(axis, _)| keep || !axes.contains(axis));
    dimensions.map(|(axis, size)| if axes.contains(&axis) { 1 } else { *size }).collect()
}

/// The sum over axes (ascending), which stay with dimension 1.
#[derive(Debug)]
pub struct Sum {
    pub axes: Vec<usize>,
}

impl Primitive for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        reduced_shape(inputs[0], &self.axes, true)
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let shape = graph.shape(inputs[0]).to_vec();
        vec![Some(graph.broadcast(g, &shape))]
    }

    fn summed_axes(&self) -> Option<&[usize]> {
        Some(&self.axes)
    }
}

impl Kernel for Sum {}
