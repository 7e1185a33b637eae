//! Sums of square blocks, whose adjoint is nearest-neighbour enlargement. Scaled, it is average pooling.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// `[n, c, h, w]` to `[n, c, h / factor, w / factor]`.
#[derive(Debug)]
pub struct SumPool {
    pub factor: usize,
}

impl Primitive for SumPool {
    fn name(&self) -> &'static str {
        "sum_pool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let fits = inputs[0].len() == 4
            && self.factor > 0
            && inputs[0][2].is_multiple_of(self.factor)
            && inputs[0][3].is_multiple_of(self.factor);
        assert!(fits, "sum pool of {:?} by {}: height and width must be multiples", inputs[0], self.factor);
        vec![inputs[0][0], inputs[0][1], inputs[0][2] / self.factor, inputs[0][3] / self.factor]
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, _: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        vec![Some(graph.upsample(g, self.factor))]
    }
}

impl Kernel for SumPool {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let factor = self.factor;
        let (height, width) = (call.output_shape[2], call.output_shape[3]);
        let wide = width * factor;
        let (input, whole) = (call.input(0), height * factor * wide);
        for_each_chunk(call.output, height * width, |plane, output| {
            let plane = &input[plane * whole..(plane + 1) * whole];
            for (row, block) in output.chunks_exact_mut(width).zip(plane.chunks_exact(wide * factor)) {
                if factor == 2 {
                    let (upper, lower) = block.split_at(wide);
                    let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
                    let (upper, lower) = (&upper[..width], &lower[..width]);
                    for (column, value) in row.iter_mut().enumerate() {
                        let (a, b) = (upper[column], lower[column]);
                        *value = (a[0] + a[1]) + (b[0] + b[1]);
                    }
                    continue;
                }
                row.fill(T::ZERO);
                for line in block.chunks_exact(wide) {
                    for (value, group) in row.iter_mut().zip(line.chunks_exact(factor)) {
                        *value = group.iter().fold(*value, |sum, x| sum + *x);
                    }
                }
            }
        });
    }
}
