//! Another order of the dimensions.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// Dimension i of the result is dimension `order[i]` of the input; at most [`MAXIMUM_RANK`] dimensions.
#[derive(Debug)]
pub struct Transpose {
    pub order: Vec<usize>,
}

const MAXIMUM_RANK: usize = 8;

impl Primitive for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        let whole = sorted.iter().copied().eq(0..inputs[0].len()) && sorted.len() <= MAXIMUM_RANK;
        assert!(whole, "transpose of {:?} by {:?}", inputs[0], self.order);
        self.order.iter().map(|axis| inputs[0][*axis]).collect()
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, _: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let mut inverse = vec![0; self.order.len()];
        for (index, axis) in self.order.iter().enumerate() {
            inverse[*axis] = index;
        }
        vec![Some(graph.transpose(g, &inverse))]
    }
}

impl Kernel for Transpose {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let rank = self.order.len();
        let from = call.shape(0);
        let mut strides = [0; MAXIMUM_RANK];
        for (index, axis) in self.order.iter().enumerate() {
            strides[index] = from[axis + 1..].iter().product();
        }
        let shape = call.output_shape;
        let input = call.input(0);
        let row = shape[rank - 1].max(1);
        let stride = strides[rank - 1];
        for_each_chunk(call.output, row, |index, output| {
            let (mut rest, mut offset) = (index, 0);
            for axis in (0..rank - 1).rev() {
                offset += rest % shape[axis] * strides[axis];
                rest /= shape[axis];
            }
            for (position, value) in output.iter_mut().enumerate() {
                *value = input[offset + position * stride];
            }
        });
    }
}
