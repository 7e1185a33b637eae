//! The product of two matrices.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, Element, matmul};
use crate::network::graph::{Graph, NodeId};

/// The product of two matrices, each transposed first if asked.
#[derive(Debug)]
pub struct MatrixProduct {
    pub transpose_a: bool,
    pub transpose_b: bool,
}

impl MatrixProduct {
    /// Rows, inner dimension and columns of the product.
    fn sizes(&self, a: &[usize], b: &[usize]) -> (usize, usize, usize) {
        assert!(a.len() == 2 && b.len() == 2, "product of shapes {a:?} and {b:?}, which must be matrices");
        let (rows, inner) = if self.transpose_a { (a[1], a[0]) } else { (a[0], a[1]) };
        let (other, columns) = if self.transpose_b { (b[1], b[0]) } else { (b[0], b[1]) };
        assert!(inner == other, "product of {a:?} and {b:?} ({self:?}): inner dimensions {inner} and {other}");
        (rows, inner, columns)
    }
}

impl Primitive for MatrixProduct {
    fn name(&self) -> &'static str {
        "matrix_product"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let (rows, _, columns) = self.sizes(inputs[0], inputs[1]);
        vec![rows, columns]
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        let (rows, inner, columns) = self.sizes(inputs[0], inputs[1]);
        [rows, inner, columns].iter().map(|size| *size as u64).product()
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
        let (rows, inner, columns) = self.sizes(call.shape(0), call.shape(1));
        let (a, b) = (call.input(0), call.input(1));
        matmul::multiply(rows, inner, columns, a, self.transpose_a, b, self.transpose_b, call.output);
    }
}
