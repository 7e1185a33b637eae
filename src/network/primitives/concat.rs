//! Tensors one after another along an axis.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

#[derive(Debug)]
pub struct Concat {
    pub axis: usize,
}

impl Primitive for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let mut shape = inputs[0].to_vec();
        assert!(self.axis < shape.len(), "concat of {inputs:?} along axis {}", self.axis);
        for other in &inputs[1..] {
            let fits = other.len() == shape.len() && (0..shape.len()).all(|axis| axis == self.axis || shape[axis] == other[axis]);
            assert!(fits, "concat of {inputs:?} along axis {}", self.axis);
            shape[self.axis] += other[self.axis];
        }
        shape
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let mut start = 0;
        let mut gradients = Vec::with_capacity(inputs.len());
        for (input, needed) in inputs.iter().zip(needed) {
            let length = graph.shape(*input)[self.axis];
            gradients.push(needed.then(|| graph.slice(g, self.axis, start, length)));
            start += length;
        }
        gradients
    }
}

impl Kernel for Concat {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let inner: usize = call.output_shape[self.axis + 1..].iter().product();
        let whole = call.output_shape[self.axis] * inner;
        let Call { arguments, output, .. } = call;
        for_each_chunk(output, whole, |index, output| {
            let mut start = 0;
            for part in 0..arguments.len() {
                let length = arguments.shape(part)[self.axis] * inner;
                output[start..start + length].copy_from_slice(&arguments.input(part)[index * length..(index + 1) * length]);
                start += length;
            }
        });
    }
}
