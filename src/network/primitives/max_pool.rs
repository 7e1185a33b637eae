//! Where the maximum of each window is. With gather it is max pooling, and its gradient a scatter to the same places.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// `[n, c, h, w]` to `[n, c, oh, ow]`: the position (row-major within its plane) of the first greatest element of each
/// window. Windows reach over the border by `padding`; what is outside is never chosen. No gradient.
#[derive(Debug)]
pub struct MaxPoolIndices {
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Primitive for MaxPoolIndices {
    fn name(&self) -> &'static str {
        "max_pool_indices"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let fits = inputs[0].len() == 4
            && self.stride > 0
            && self.padding < self.size
            && inputs[0][2..].iter().all(|side| side + 2 * self.padding >= self.size && *side > 0);
        assert!(fits, "max pool of {:?}: {self:?}", inputs[0]);
        let side = |length: usize| (length + 2 * self.padding - self.size) / self.stride + 1;
        vec![inputs[0][0], inputs[0][1], side(inputs[0][2]), side(inputs[0][3])]
    }

    fn gradient(&self, _: &mut Graph, _: NodeId, _: &[NodeId], _: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        vec![None]
    }
}

impl Kernel for MaxPoolIndices {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let (height, width) = (call.shape(0)[2], call.shape(0)[3]);
        let (rows, columns) = (call.output_shape[2], call.output_shape[3]);
        let input = call.input(0);
        for_each_chunk(call.output, rows * columns, |plane, output| {
            let plane = &input[plane * height * width..(plane + 1) * height * width];
            for (position, index) in output.iter_mut().enumerate() {
                let (top, left) = (position / columns * self.stride, position % columns * self.stride);
                let rows = top.saturating_sub(self.padding)..(top + self.size).saturating_sub(self.padding).min(height);
                let columns = left.saturating_sub(self.padding)..(left + self.size).saturating_sub(self.padding).min(width);
                // A window that would lie outside whole (large strides) takes the nearest pixel.
                let first = rows.start.min(height - 1) * width + columns.start.min(width - 1);
                let (mut best, mut found) = (plane[first], first);
                for row in rows {
                    for column in columns.clone() {
                        let value = plane[row * width + column];
                        // What is no number wins, and nothing wins against it.
                        if value > best || value.partial_cmp(&value).is_none() {
                            (best, found) = (value, row * width + column);
                        }
                    }
                }
                *index = T::from_f64(found as f64);
            }
        });
    }
}
