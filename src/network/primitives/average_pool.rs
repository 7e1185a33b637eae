//! Means of windows, and their adjoint: each one's gradient is the other.

use super::{Kernel, Primitive, Window};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// `[n, c, h, w]` to `[n, c, oh, ow]`: the mean of each window; of its pixels inside the image, or of all as if those outside
/// were zero.
#[derive(Debug)]
pub struct AveragePool {
    pub window: Window,
    pub count_padding: bool,
}

/// `[n, c, oh, ow]` to `[n, c, height, width]`: what each place holds, shared out equally over its window.
#[derive(Debug)]
pub struct AveragePoolGradient {
    pub window: Window,
    pub count_padding: bool,
    /// Height and width of the image.
    pub image: [usize; 2],
}

/// The part of a window's mean that each pixel has along one direction.
fn share(window: &Window, count_padding: bool, direction: usize, place: usize, length: usize) -> f64 {
    let pixels = if count_padding { window.size[direction] } else { window.pixels(direction, place, length).len() };
    1.0 / pixels as f64
}

/// The places along a row whose windows lie wholly inside the image.
fn interior(window: &Window, width: usize, columns: usize) -> std::ops::Range<usize> {
    let first = window.padding[1].div_ceil(window.stride[1]).min(columns);
    let end = window.places_with(1, window.size[1] - 1, width, columns).end;
    first..end.max(first)
}

impl Primitive for AveragePool {
    fn name(&self) -> &'static str {
        "average_pool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        self.window.shape(inputs[0])
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let image = [graph.shape(inputs[0])[2], graph.shape(inputs[0])[3]];
        vec![Some(graph.average_pool_gradient(g, self.window, self.count_padding, image))]
    }
}

impl Kernel for AveragePool {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let Self { window, count_padding } = self;
        let (height, width) = (call.shape(0)[2], call.shape(0)[3]);
        let (rows, columns) = (call.output_shape[2], call.output_shape[3]);
        let (input, inner) = (call.input(0), interior(window, width, columns));
        for_each_chunk(call.output, rows * columns, |plane, output| {
            let plane = &input[plane * height * width..(plane + 1) * height * width];
            for (y, sums) in output.chunks_exact_mut(columns).enumerate() {
                sums.fill(T::ZERO);
                for row in window.pixels(0, y, height).map(|row| &plane[row * width..(row + 1) * width]) {
                    for k in 0..window.size[1] {
                        let places = window.places_with(1, k, width, columns);
                        if !places.is_empty() {
                            let first = places.start * window.stride[1] + k - window.padding[1];
                            add_strided(&mut sums[places], &row[first..], window.stride[1]);
                        }
                    }
                }
                let of_row = share(window, *count_padding, 0, y, height);
                let scale = |place: usize| T::from_f64(of_row * share(window, *count_padding, 1, place, width));
                for place in (0..inner.start).chain(inner.end..columns) {
                    sums[place] = sums[place] * scale(place);
                }
                let whole = T::from_f64(of_row / window.size[1] as f64);
                for sum in &mut sums[inner.clone()] {
                    *sum = *sum * whole;
                }
            }
        });
    }
}

/// Adds every `stride`-th number of `row` to `sums`.
fn add_strided<T: Element>(sums: &mut [T], row: &[T], stride: usize) {
    match stride {
        1 => sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += *value),
        2 => sums.iter_mut().zip(row.chunks(2)).for_each(|(sum, pair)| *sum += pair[0]),
        _ => sums.iter_mut().zip(row.iter().step_by(stride)).for_each(|(sum, value)| *sum += *value),
    }
}

impl Primitive for AveragePoolGradient {
    fn name(&self) -> &'static str {
        "average_pool_gradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let image = vec![inputs[0][0], inputs[0][1], self.image[0], self.image[1]];
        assert!(self.window.shape(&image) == inputs[0], "{self:?} of {:?}", inputs[0]);
        image
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, _: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        vec![Some(graph.average_pool(g, self.window, self.count_padding))]
    }
}

impl Kernel for AveragePoolGradient {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let Self { window, count_padding, image: [height, width] } = self;
        let (rows, columns) = (call.shape(0)[2], call.shape(0)[3]);
        let (input, inner) = (call.input(0), interior(window, *width, columns));
        let stride = window.stride[1];
        for_each_chunk(call.output, height * width, |plane, output| {
            let plane = &input[plane * rows * columns..(plane + 1) * rows * columns];
            output.fill(T::ZERO);
            for (y, shares) in plane.chunks_exact(columns).enumerate() {
                let of_row = share(window, *count_padding, 0, y, *height);
                let whole = T::from_f64(of_row / window.size[1] as f64);
                for row in window.pixels(0, y, *height) {
                    let row = &mut output[row * width..(row + 1) * width];
                    for place in (0..inner.start).chain(inner.end..columns) {
                        let part = shares[place] * T::from_f64(of_row * share(window, *count_padding, 1, place, *width));
                        row[window.pixels(1, place, *width)].iter_mut().for_each(|pixel| *pixel += part);
                    }
                    for k in 0..if inner.is_empty() { 0 } else { window.size[1] } {
                        let row = &mut row[inner.start * stride + k - window.padding[1]..];
                        let shares = &shares[inner.clone()];
                        match stride {
                            1 => row.iter_mut().zip(shares).for_each(|(pixel, share)| *pixel += *share * whole),
                            _ => row.iter_mut().step_by(stride).zip(shares).for_each(|(pixel, share)| *pixel += *share * whole),
                        }
                    }
                }
            }
        });
    }
}
