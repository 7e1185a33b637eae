//! The product of two matrices, or of as many pairs of matrices as a third dimension holds.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, matmul};
use crate::network::graph::{Graph, NodeId};

/// The product of two matrices, each transposed first if asked; of `[p, …, …]` and `[p, …, …]`, the products of p pairs.
#[derive(Debug)]
pub struct MatrixProduct {
    pub transpose_a: bool,
    pub transpose_b: bool,
}

impl MatrixProduct {
    /// Pairs of matrices, and the rows, inner dimension and columns of each product.
    fn sizes(&self, a: &[usize], b: &[usize]) -> (usize, [usize; 3]) {
        let fits = a.len() == b.len() && (a.len() == 2 || (a.len() == 3 && a[0] == b[0]));
        assert!(fits, "product of shapes {a:?} and {b:?}, which must be matrices, or as many matrices on both sides");
        let pairs = if a.len() == 3 { a[0] } else { 1 };
        let (a, b) = (&a[a.len() - 2..], &b[b.len() - 2..]);
        let (rows, inner) = if self.transpose_a { (a[1], a[0]) } else { (a[0], a[1]) };
        let (other, columns) = if self.transpose_b { (b[1], b[0]) } else { (b[0], b[1]) };
        assert!(inner == other, "product of {a:?} and {b:?} ({self:?}): inner dimensions {inner} and {other}");
        (pairs, [rows, inner, columns])
    }
}

impl Primitive for MatrixProduct {
    fn name(&self) -> &'static str {
        "matrix_product"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let (_, [rows, _, columns]) = self.sizes(inputs[0], inputs[1]);
        [&inputs[0][..inputs[0].len() - 2], &[rows, columns]].concat()
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        let (pairs, [rows, inner, columns]) = self.sizes(inputs[0], inputs[1]);
        [pairs, rows, inner, columns].iter().map(|size| *size as u64).product()
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (a, b) = (inputs[0], inputs[1]);
        let first = needed[0].then(|| match self.transpose_a {
            false => graph.matmul(g, b, false, !self.transpose_b),
            true => graph.matmul(b, g, self.transpose_b, true),
        });
        let second = needed[1].then(|| match self.transpose_b {
            false => graph.matmul(a, g, !self.transpose_a, false),
            true => graph.matmul(g, a, true, self.transpose_a),
        });
        vec![first, second]
    }
}

impl Kernel for MatrixProduct {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let (pairs, [rows, inner, columns]) = self.sizes(call.shape(0), call.shape(1));
        for pair in 0..pairs {
            let a = &call.input(0)[pair * rows * inner..][..rows * inner];
            let b = &call.input(1)[pair * inner * columns..][..inner * columns];
            let output = &mut call.output[pair * rows * columns..][..rows * columns];
            matmul::multiply(rows, inner, columns, a, self.transpose_a, b, self.transpose_b, output);
        }
    }
}
