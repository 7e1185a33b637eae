//! A range along one axis, whose adjoint is padding with zeros.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

#[derive(Debug)]
pub struct Slice {
    pub axis: usize,
    pub start: usize,
    pub length: usize,
}

impl Primitive for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let inside = self.axis < inputs[0].len() && self.start + self.length <= inputs[0][self.axis];
        assert!(inside, "slice of {:?}: {self:?}", inputs[0]);
        let mut shape = inputs[0].to_vec();
        shape[self.axis] = self.length;
        shape
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let after = graph.shape(inputs[0])[self.axis] - self.start - self.length;
        vec![Some(graph.pad(g, self.axis, self.start, after))]
    }
}

impl Kernel for Slice {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let from = call.shape(0);
        let inner: usize = from[self.axis + 1..].iter().product();
        let (input, whole) = (call.input(0), from[self.axis] * inner);
        for_each_chunk(call.output, self.length * inner, |index, output| {
            let start = index * whole + self.start * inner;
            output.copy_from_slice(&input[start..start + output.len()]);
        });
    }
}
