//! Pixels added at given positions of planes of zeros, whose adjoint is gather.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// a `[n, c, oh, ow]`, positions `[n, c, oh, ow]` to `[n, c, height, width]`. Positions have no gradient.
#[derive(Debug)]
pub struct Scatter {
    pub height: usize,
    pub width: usize,
}

impl Primitive for Scatter {
    fn name(&self) -> &'static str {
        "scatter"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let fits = inputs[0].len() == 4 && inputs[0] == inputs[1];
        assert!(fits, "scatter of {:?} to positions {:?}", inputs[0], inputs[1]);
        vec![inputs[0][0], inputs[0][1], self.height, self.width]
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        vec![needed[0].then(|| graph.gather(g, inputs[1])), None]
    }
}

impl Kernel for Scatter {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let from: usize = call.shape(0)[2..].iter().product();
        let (input, positions) = (call.input(0), call.input(1));
        for_each_chunk(call.output, self.height * self.width, |plane, output| {
            output.fill(T::ZERO);
            let range = plane * from..(plane + 1) * from;
            for (value, position) in input[range.clone()].iter().zip(&positions[range]) {
                let position = position.to_f64() as usize;
                output[position] += *value;
            }
        });
    }
}
