//! Where the maximum of each window is. With gather it is max pooling, and its gradient a scatter to the same places.

use super::{Kernel, Primitive, Window};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// Places of a row that are compared at once.
const TOGETHER: usize = 64;

/// `[n, c, h, w]` to `[n, c, oh, ow]`: the position (row-major within its plane) of the first greatest element of each
/// window. Windows reach over the border; what is outside is never chosen. No gradient.
#[derive(Debug)]
pub struct MaxPoolIndices {
    pub window: Window,
}

impl Primitive for MaxPoolIndices {
    fn name(&self) -> &'static str {
        "max_pool_indices"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        self.window.shape(inputs[0])
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
            for (y, row) in output.chunks_exact_mut(columns).enumerate() {
                for (part, found) in row.chunks_mut(TOGETHER).enumerate() {
                    self.find(plane, [height, width], y, part * TOGETHER, found);
                }
            }
        });
    }
}

impl MaxPoolIndices {
    /// Fills `found` for the places of row `y` from `x` on; at most [`TOGETHER`].
    fn find<T: Element>(&self, plane: &[T], [height, width]: [usize; 2], y: usize, x: usize, found: &mut [T]) {
        let (stride, padding) = (self.window.stride[1], self.window.padding[1]);
        let (rows, end) = (self.window.pixels(0, y, height), x + found.len());
        let mut best = [T::from_f64(f64::NEG_INFINITY); TOGETHER];
        for (index, found) in found.iter_mut().enumerate() {
            *found = T::from_f64((rows.start * width + self.window.pixels(1, x + index, width).start) as f64);
        }
        for row in rows {
            for k in 0..self.window.size[1] {
                let places = self.window.places_with(1, k, width, end);
                let places = places.start.max(x)..places.end;
                if places.is_empty() {
                    continue;
                }
                let first = row * width + places.start * stride + k - padding;
                let (best, found) = (&mut best[places.start - x..places.end - x], &mut found[places.start - x..places.end - x]);
                let values = &plane[first..first + (best.len() - 1) * stride + 1];
                for index in 0..best.len() {
                    // What is no number wins, and nothing but its like wins against it.
                    let value = values[index * stride];
                    let wins = value > best[index] || value.partial_cmp(&value).is_none();
                    best[index] = if wins { value } else { best[index] };
                    found[index] = if wins { T::from_f64((first + index * stride) as f64) } else { found[index] };
                }
            }
        }
    }
}
