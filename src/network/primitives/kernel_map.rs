//! A linear map of both sides of every convolution kernel: what a kernel becomes when the image before or after it is
//! resampled (see [`crate::network::resampling`]).

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, for_each_chunk};
use crate::network::graph::{Graph, NodeId};

/// `w` `[o, c, k, k]` to `[o, c, m, m]`, each kernel `K` becoming `A · K · Aᵀ` with the `m × k` matrix `A`; with `swap`
/// `[c, o, m, m]`.
#[derive(Debug)]
pub struct KernelMap {
    /// The rows of `A`.
    pub rows: Vec<Vec<f64>>,
    /// Whether inputs and outputs change places.
    pub swap: bool,
}

/// Most rows and columns of the matrix.
const MOST: usize = 16;

impl Primitive for KernelMap {
    fn name(&self) -> &'static str {
        "kernel_map"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let (w, side) = (inputs[0], self.rows.len());
        let fits = w.len() == 4 && w[2] == w[3] && self.rows.iter().all(|row| row.len() == w[2]) && side.max(w[2]) <= MOST;
        assert!(fits, "kernel_map of {w:?} (o, c, k, k) by {:?}", self.rows);
        if self.swap { vec![w[1], w[0], side, side] } else { vec![w[0], w[1], side, side] }
    }

    /// The adjoint is the map by the transposed matrix.
    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let columns = graph.shape(inputs[0])[2];
        let transposed = (0..columns).map(|column| self.rows.iter().map(|row| row[column]).collect()).collect();
        vec![Some(graph.kernel_map(g, transposed, self.swap))]
    }
}

impl Kernel for KernelMap {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let (from, to) = (call.shape(0), call.output_shape);
        let (side, mapped) = (from[2], to[2]);
        let mut matrix = [[T::ZERO; MOST]; MOST];
        for (row, numbers) in matrix.iter_mut().zip(&self.rows) {
            row.iter_mut().zip(numbers).for_each(|(to, from)| *to = T::from_f64(*from));
        }
        let input = call.input(0);
        for_each_chunk(call.output, mapped * mapped, |index, output| {
            let source = if self.swap { index % to[1] * from[1] + index / to[1] } else { index };
            let kernel = &input[source * side * side..][..side * side];
            // A · K first, then its product with Aᵀ.
            let mut half = [[T::ZERO; MOST]; MOST];
            for (half, row) in half.iter_mut().zip(&matrix[..mapped]) {
                for (numbers, factor) in kernel.chunks_exact(side).zip(row) {
                    half.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += *factor * *number);
                }
            }
            for (output, half) in output.chunks_exact_mut(mapped).zip(&half) {
                for (output, row) in output.iter_mut().zip(&matrix) {
                    *output = half[..side].iter().zip(row).fold(T::ZERO, |sum, (a, b)| sum + *a * *b);
                }
            }
        });
    }
}
