//! Pixels at given positions of their plane, whose adjoint is scatter.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// a `[n, c, h, w]`, positions `[n, c, oh, ow]` (row-major within the plane) to `[n, c, oh, ow]`. Positions have no gradient.
#[derive(Debug)]
pub struct Gather;

impl Primitive for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let fits = inputs[0].len() == 4 && inputs[1].len() == 4 && inputs[0][..2] == inputs[1][..2];
        assert!(fits, "gather from {:?} at positions {:?}", inputs[0], inputs[1]);
        inputs[1].to_vec()
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let plane = [graph.shape(inputs[0])[2], graph.shape(inputs[0])[3]];
        vec![needed[0].then(|| graph.scatter(g, inputs[1], plane)), None]
    }
}

impl Kernel for Gather {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let from: usize = call.shape(0)[2..].iter().product();
        let to: usize = call.output_shape[2..].iter().product();
        let (input, positions) = (call.input(0), call.input(1));
        for_each_chunk(call.output, to, |plane, output| {
            let source = &input[plane * from..(plane + 1) * from];
            for (value, position) in output.iter_mut().zip(&positions[plane * to..(plane + 1) * to]) {
                *value = source[position.to_f64() as usize];
            }
        });
    }
}
