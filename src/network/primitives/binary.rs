//! Elementwise functions of two tensors of equal rank, dimensions of 1 (and whole scalars) being repeated.

use super::broadcast::sum_to_shape;
use super::{Elementwise, Kernel, Primitive, broadcast_shape};
use crate::kernels::cpu::Element;
use crate::network::graph::{Graph, NodeId};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BinaryFunction {
    Add,
    Sub,
    Mul,
    Div,
    Maximum,
    /// 1 where the first is greater, else 0.
    Greater,
}

impl BinaryFunction {
    pub fn all() -> &'static [BinaryFunction] {
        use BinaryFunction::*;
        &[Add, Sub, Mul, Div, Maximum, Greater]
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::Maximum => "maximum",
            Self::Greater => "greater",
        }
    }

    pub fn commutes(self) -> bool {
        matches!(self, Self::Add | Self::Mul)
    }

    /// The function at one pair of numbers.
    pub fn apply<T: Element>(self, a: T, b: T) -> T {
        let mut value = [T::ZERO];
        self.apply_to_block(&[a], &[b], &mut value);
        value[0]
    }

    /// The function at each pair of a block.
    #[inline(always)]
    pub fn apply_to_block<T: Element>(self, a: &[T], b: &[T], out: &mut [T]) {
        #[inline(always)]
        fn each<T: Element>(a: &[T], b: &[T], out: &mut [T], function: impl Fn(T, T) -> T) {
            let (a, b) = (&a[..out.len()], &b[..out.len()]);
            for index in 0..out.len() {
                out[index] = function(a[index], b[index]);
            }
        }
        match self {
            Self::Add => each(a, b, out, |x, y| x + y),
            Self::Sub => each(a, b, out, |x, y| x - y),
            Self::Mul => each(a, b, out, |x, y| x * y),
            Self::Div => each(a, b, out, |x, y| x / y),
            // The sum is that of an operand which is no number, and is none either.
            Self::Maximum => each(a, b, out, |x, y| {
                let greater = if x > y { x } else { x + y };
                if x <= y { y } else { greater }
            }),
            Self::Greater => each(a, b, out, |x, y| if x > y { T::ONE } else { T::ZERO }),
        }
    }
}

/// A function of each pair of elements.
#[derive(Debug)]
pub struct Binary {
    pub function: BinaryFunction,
}

impl Primitive for Binary {
    fn name(&self) -> &'static str {
        self.function.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        broadcast_shape(inputs[0], inputs[1])
    }

    fn gradient(&self, graph: &mut Graph, y: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (a, b) = (inputs[0], inputs[1]);
        let first = needed[0].then(|| match self.function {
            BinaryFunction::Add | BinaryFunction::Sub => Some(g),
            BinaryFunction::Mul => Some(graph.mul(g, b)),
            BinaryFunction::Div => Some(graph.div(g, b)),
            BinaryFunction::Maximum => {
                let greater = graph.greater(a, b);
                Some(graph.mul(g, greater))
            }
            BinaryFunction::Greater => None,
        });
        let second = needed[1].then(|| match self.function {
            BinaryFunction::Add => Some(g),
            BinaryFunction::Sub => Some(graph.neg(g)),
            BinaryFunction::Mul => Some(graph.mul(g, a)),
            BinaryFunction::Div => {
                let product = graph.mul(g, y);
                let ratio = graph.div(product, b);
                Some(graph.neg(ratio))
            }
            // Where both are equal, the second one has the gradient.
            BinaryFunction::Maximum => {
                let greater = graph.greater(a, b);
                let negative = graph.neg(greater);
                let derivative = graph.shift(negative, 1.0);
                Some(graph.mul(g, derivative))
            }
            BinaryFunction::Greater => None,
        });
        let mut gradients = Vec::with_capacity(2);
        for (input, gradient) in [(a, first.flatten()), (b, second.flatten())] {
            let shape = graph.shape(input).to_vec();
            gradients.push(gradient.map(|gradient| sum_to_shape(graph, gradient, &shape)));
        }
        gradients
    }

    fn elementwise(&self) -> Option<Elementwise> {
        Some(Elementwise::Binary(self.function))
    }
}

impl Kernel for Binary {}
