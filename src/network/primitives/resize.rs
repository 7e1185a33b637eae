//! Bilinear interpolation to any size, and its adjoint. Each pixel of the result is a mean of four, weighted by how near they
//! are; enlarged or reduced, nothing is smoothed before.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// Where the pixels of the result lie on the image, along each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// Pixel i at i · old/new: the corners of the first pixels coincide. TensorFlow 1's `resize_bilinear`.
    Corner,
    /// Pixel i at (i + ½) · old/new − ½: the centres of the two images coincide. PyTorch's `align_corners = False`.
    Centre,
}

/// `[n, c, h, w]` to `[n, c, height, width]`.
#[derive(Debug)]
pub struct Resize {
    pub height: usize,
    pub width: usize,
    pub grid: Grid,
}

/// The adjoint of [`Resize`]: `[n, c, h, w]` back to `[n, c, height, width]`, each pixel added where it was taken from.
#[derive(Debug)]
pub struct ResizeAdjoint {
    pub height: usize,
    pub width: usize,
    pub grid: Grid,
}

/// The two pixels of `old` between which pixel `at` of `new` lies, and the share of the second one.
fn between<T: Element>(grid: Grid, at: usize, old: usize, new: usize) -> (usize, usize, T) {
    let step = old as f64 / new as f64;
    let place = match grid {
        Grid::Corner => at as f64 * step,
        Grid::Centre => ((at as f64 + 0.5) * step - 0.5).max(0.0),
    };
    let lower = (place as usize).min(old - 1);
    (lower, (lower + 1).min(old - 1), T::from_f64(place - lower as f64))
}

impl Primitive for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        resized(inputs[0], self.height, self.width)
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let [height, width] = [graph.shape(inputs[0])[2], graph.shape(inputs[0])[3]];
        vec![Some(graph.resize_adjoint(g, [height, width], self.grid))]
    }
}

impl Primitive for ResizeAdjoint {
    fn name(&self) -> &'static str {
        "resize_adjoint"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        resized(inputs[0], self.height, self.width)
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let [height, width] = [graph.shape(inputs[0])[2], graph.shape(inputs[0])[3]];
        vec![Some(graph.resize(g, [height, width], self.grid))]
    }
}

fn resized(shape: &[usize], height: usize, width: usize) -> Vec<usize> {
    let fits = shape.len() == 4 && height > 0 && width > 0 && shape[2] > 0 && shape[3] > 0;
    assert!(fits, "resize of {shape:?} to {height}×{width}");
    vec![shape[0], shape[1], height, width]
}

impl Kernel for Resize {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let (old_height, old_width) = (call.shape(0)[2], call.shape(0)[3]);
        let input = call.input(0);
        for_each_chunk(call.output, self.height * self.width, |plane, output| {
            let image = &input[plane * old_height * old_width..(plane + 1) * old_height * old_width];
            for (row, line) in output.chunks_exact_mut(self.width).enumerate() {
                let (upper, lower, down) = between::<T>(self.grid, row, old_height, self.height);
                let (upper, lower) = (&image[upper * old_width..][..old_width], &image[lower * old_width..][..old_width]);
                for (column, value) in line.iter_mut().enumerate() {
                    let (left, right, along) = between::<T>(self.grid, column, old_width, self.width);
                    let above = upper[left] + (upper[right] - upper[left]) * along;
                    let below = lower[left] + (lower[right] - lower[left]) * along;
                    *value = above + (below - above) * down;
                }
            }
        });
    }
}

impl Kernel for ResizeAdjoint {
    /// Pixels are added in the order of the input, whatever the number of threads.
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let (new_height, new_width) = (call.shape(0)[2], call.shape(0)[3]);
        let input = call.input(0);
        for_each_chunk(call.output, self.height * self.width, |plane, output| {
            output.fill(T::ZERO);
            let image = &input[plane * new_height * new_width..(plane + 1) * new_height * new_width];
            for (row, line) in image.chunks_exact(new_width).enumerate() {
                let (upper, lower, down) = between::<T>(self.grid, row, self.height, new_height);
                for (column, value) in line.iter().enumerate() {
                    let (left, right, along) = between::<T>(self.grid, column, self.width, new_width);
                    let below = *value * down;
                    let above = *value - below;
                    let (above_right, below_right) = (above * along, below * along);
                    output[upper * self.width + left] += above - above_right;
                    output[upper * self.width + right] += above_right;
                    output[lower * self.width + left] += below - below_right;
                    output[lower * self.width + right] += below_right;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Grid, between};

    #[test]
    fn pixels_lie_where_the_two_conventions_put_them() {
        // Two pixels become four.
        let places = |grid| (0..4).map(|at| between::<f64>(grid, at, 2, 4)).collect::<Vec<_>>();
        assert_eq!(places(Grid::Corner), [(0, 1, 0.0), (0, 1, 0.5), (1, 1, 0.0), (1, 1, 0.5)]);
        assert_eq!(places(Grid::Centre), [(0, 1, 0.0), (0, 1, 0.25), (0, 1, 0.75), (1, 1, 0.25)]);
        // Three become two: 0 and 1.5, or 0.25 and 1.75.
        assert_eq!([0, 1].map(|at| between::<f64>(Grid::Corner, at, 3, 2)), [(0, 1, 0.0), (1, 2, 0.5)]);
        assert_eq!([0, 1].map(|at| between::<f64>(Grid::Centre, at, 3, 2)), [(0, 1, 0.25), (1, 2, 0.75)]);
    }
}
