//! The three convolutions as their definitions say them: for double precision, and to compare the fast kernels with.

use std::ops::{AddAssign, Mul};

use super::geometry::{ConvolutionGeometry, ConvolutionSettings};
use crate::kernels::cpu::matmul::Element;

/// `output[n, o, y, x] = Σ input · weight`; shapes as in [`super::forward`].
pub fn forward<T: Element + AddAssign + Mul<Output = T>>(
    geometry: &ConvolutionGeometry,
    input: &[T],
    weight: &[T],
    output: &mut [T],
) {
    output.fill(T::ZERO);
    each_product(geometry, |i, w, o| output[o] += input[i] * weight[w]);
}

/// The gradient by the input; shapes as in [`super::input_gradient`].
pub fn input_gradient<T: Element + AddAssign + Mul<Output = T>>(
    geometry: &ConvolutionGeometry,
    output_gradient: &[T],
    weight: &[T],
    input_gradient: &mut [T],
) {
    input_gradient.fill(T::ZERO);
    each_product(geometry, |i, w, o| input_gradient[i] += output_gradient[o] * weight[w]);
}

/// The gradient by the weight; shapes as in [`super::weight_gradient`].
pub fn weight_gradient<T: Element + AddAssign + Mul<Output = T>>(
    geometry: &ConvolutionGeometry,
    input: &[T],
    output_gradient: &[T],
    weight_gradient: &mut [T],
) {
    weight_gradient.fill(T::ZERO);
    each_product(geometry, |i, w, o| weight_gradient[w] += input[i] * output_gradient[o]);
}

/// Calls `product` with the indices of input, weight and output for every product of the convolution's definition.
fn each_product(geometry: &ConvolutionGeometry, mut product: impl FnMut(usize, usize, usize)) {
    let g = geometry;
    let ConvolutionSettings { stride, padding, dilation, .. } = g.settings;
    let (rows, columns) = (g.output_height(), g.output_width());
    let [kernel_rows, kernel_columns] = g.kernel;
    for (n, o, c) in channel_pairs(g) {
        let weight = (o * g.group_inputs() + c) * g.places();
        let c = o / g.group_outputs() * g.group_inputs() + c;
        for (ky, kx) in (0..kernel_rows).flat_map(|ky| (0..kernel_columns).map(move |kx| (ky, kx))) {
            for y in 0..rows {
                let Some(input_y) = inside(y * stride[0] + ky * dilation[0], padding[0], g.height) else { continue };
                let input_row = ((n * g.input_channels + c) * g.height + input_y) * g.width;
                let output_row = ((n * g.output_channels + o) * rows + y) * columns;
                for x in 0..columns {
                    if let Some(input_x) = inside(x * stride[1] + kx * dilation[1], padding[1], g.width) {
                        product(input_row + input_x, weight + ky * kernel_columns + kx, output_row + x);
                    }
                }
            }
        }
    }
}

/// Image, output channel, and input channel within that one's group.
fn channel_pairs(g: &ConvolutionGeometry) -> impl Iterator<Item = (usize, usize, usize)> {
    let (batch, outputs, inputs) = (g.batch, g.output_channels, g.group_inputs());
    (0..batch).flat_map(move |n| (0..outputs).flat_map(move |o| (0..inputs).map(move |c| (n, o, c))))
}

/// The index in the image of an index counted from the start of the padding; none in the padding.
pub fn inside(padded: usize, padding: usize, length: usize) -> Option<usize> {
    padded.checked_sub(padding).filter(|index| *index < length)
}
