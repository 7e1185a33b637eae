//! The greatest element along an axis.

use super::{Kernel, Primitive, reduced_shape};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// The greatest element along one axis, which stays with dimension 1. All elements that are the greatest have the gradient.
#[derive(Debug)]
pub struct Greatest {
    pub axis: usize,
}

impl Primitive for Greatest {
    fn name(&self) -> &'static str {
        "greatest"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        assert!(inputs[0].get(self.axis).is_some_and(|size| *size > 0), "greatest of {:?} along axis {}", inputs[0], self.axis);
        reduced_shape(inputs[0], &[self.axis], true)
    }

    fn gradient(&self, graph: &mut Graph, y: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let below = graph.sub(y, inputs[0]);
        let lost = graph.step(below);
        let negative = graph.neg(lost);
        let won = graph.shift(negative, 1.0);
        vec![Some(graph.mul(won, g))]
    }
}

impl Kernel for Greatest {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let (length, inner) = (call.shape(0)[self.axis], call.shape(0)[self.axis + 1..].iter().product::<usize>());
        let input = call.input(0);
        for_each_chunk(call.output, inner, |outer, output| {
            let block = &input[outer * length * inner..(outer + 1) * length * inner];
            output.copy_from_slice(&block[..inner]);
            for row in block.chunks_exact(inner).skip(1) {
                for (best, value) in output.iter_mut().zip(row) {
                    // What is no number wins, and nothing wins against it.
                    if *value > *best || value.partial_cmp(value).is_none() {
                        *best = *value;
                    }
                }
            }
        });
    }
}
