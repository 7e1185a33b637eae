//! Nearest-neighbour enlargement, whose adjoint is the sum of blocks.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// Each pixel of `[n, c, h, w]` becomes factor × factor pixels.
#[derive(Debug)]
pub struct Upsample {
    pub factor: usize,
}

impl Primitive for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        assert!(inputs[0].len() == 4 && self.factor > 0, "upsample of {:?} by {}", inputs[0], self.factor);
        let [n, c, h, w] = [inputs[0][0], inputs[0][1], inputs[0][2], inputs[0][3]];
        vec![n, c, h * self.factor, w * self.factor]
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, _: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        vec![Some(graph.sum_pool(g, self.factor))]
    }
}

impl Kernel for Upsample {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let factor = self.factor;
        let (height, width) = (call.shape(0)[2], call.shape(0)[3]);
        let (input, wide) = (call.input(0), width * factor);
        for_each_chunk(call.output, height * factor * wide, |plane, output| {
            let rows = input[plane * height * width..(plane + 1) * height * width].chunks_exact(width);
            for (row, block) in rows.zip(output.chunks_exact_mut(wide * factor)) {
                let (first, rest) = block.split_at_mut(wide);
                if factor == 2 {
                    for (column, pair) in first.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                        *pair = [row[column]; 2];
                    }
                } else {
                    for (group, value) in first.chunks_exact_mut(factor).zip(row) {
                        group.fill(*value);
                    }
                }
                for copy in rest.chunks_exact_mut(wide) {
                    copy.copy_from_slice(first);
                }
            }
        });
    }
}
