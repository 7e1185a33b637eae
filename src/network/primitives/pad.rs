//! Zeros before and after along one axis, whose adjoint is a slice.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

#[derive(Debug)]
pub struct Pad {
    pub axis: usize,
    pub before: usize,
    pub after: usize,
}

impl Primitive for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        assert!(self.axis < inputs[0].len(), "pad of {:?}: {self:?}", inputs[0]);
        let mut shape = inputs[0].to_vec();
        shape[self.axis] += self.before + self.after;
        shape
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let length = graph.shape(inputs[0])[self.axis];
        vec![Some(graph.slice(g, self.axis, self.before, length))]
    }
}

impl Kernel for Pad {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let from = call.shape(0);
        let inner: usize = from[self.axis + 1..].iter().product();
        let (input, middle) = (call.input(0), from[self.axis] * inner);
        let (before, after) = (self.before * inner, self.after * inner);
        for_each_chunk(call.output, before + middle + after, |index, output| {
            output[..before].fill(T::ZERO);
            output[before..before + middle].copy_from_slice(&input[index * middle..(index + 1) * middle]);
            output[before + middle..].fill(T::ZERO);
        });
    }
}
