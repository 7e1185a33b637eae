//! The three convolutions as their definitions say them: for double precision, and to compare the fast kernels with.

use std::ops::{AddAssign, Mul};

use super::geometry::ConvolutionGeometry;
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
    let (rows, columns) = (g.output_height(), g.output_width());
    for n in 0..g.batch {
        for o in 0..g.output_channels {
            for c in 0..g.input_channels {
                for (ky, kx) in (0..g.kernel).flat_map(|ky| (0..g.kernel).map(move |kx| (ky, kx))) {
                    let weight = ((o * g.input_channels + c) * g.kernel + ky) * g.kernel + kx;
                    for y in 0..rows {
                        let input_y = y * g.stride + ky;
                        if input_y < g.padding || input_y >= g.padding + g.height {
                            continue;
                        }
                        let input_row = ((n * g.input_channels + c) * g.height + input_y - g.padding) * g.width;
                        let output_row = ((n * g.output_channels + o) * rows + y) * columns;
                        for x in 0..columns {
                            let input_x = x * g.stride + kx;
                            if input_x >= g.padding && input_x < g.padding + g.width {
                                product(input_row + input_x - g.padding, weight, output_row + x);
                            }
                        }
                    }
                }
            }
        }
    }
}
