//! Elementwise functions of one tensor. A function is a variant, its name, its value and its derivative.

use super::{Elementwise, Kernel, Primitive};
use crate::kernels::cpu::Element;
use crate::network::graph::{Graph, NodeId};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UnaryFunction {
    Scale(f64),
    Shift(f64),
    Exp,
    Ln,
    Sqrt,
    Square,
    Tanh,
    Sigmoid,
    Softplus,
    Relu,
    LeakyRelu(f64),
    /// 1 where positive, else the slope: the derivative of the leaky rectifier.
    LeakyStep(f64),
    Step,
    Sign,
    Abs,
    Reciprocal,
    /// The identity, whose gradient is zero by agreement: what is detached counts as a constant.
    Detach,
}

impl UnaryFunction {
    /// One of each kind.
    pub fn all() -> &'static [UnaryFunction] {
        use UnaryFunction::*;
        &[
            Scale(-0.7),
            Shift(0.3),
            Exp,
            Ln,
            Sqrt,
            Square,
            Tanh,
            Sigmoid,
            Softplus,
            Relu,
            LeakyRelu(0.2),
            LeakyStep(0.2),
            Step,
            Sign,
            Abs,
            Reciprocal,
            Detach,
        ]
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Scale(_) => "scale",
            Self::Shift(_) => "shift",
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Sqrt => "sqrt",
            Self::Square => "square",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Softplus => "softplus",
            Self::Relu => "relu",
            Self::LeakyRelu(_) => "leaky_relu",
            Self::LeakyStep(_) => "leaky_step",
            Self::Step => "step",
            Self::Sign => "sign",
            Self::Abs => "abs",
            Self::Reciprocal => "reciprocal",
            Self::Detach => "detach",
        }
    }

    /// The function at one number.
    pub fn apply<T: Element>(self, x: T) -> T {
        let mut value = [T::ZERO];
        self.apply_to_block(&[x], &mut value);
        value[0]
    }

    /// The function at each number of a block; one simple loop a function, so that it is vectorised.
    #[inline(always)]
    pub fn apply_to_block<T: Element>(self, a: &[T], out: &mut [T]) {
        #[inline(always)]
        fn each<T: Element>(a: &[T], out: &mut [T], function: impl Fn(T) -> T) {
            let a = &a[..out.len()];
            for index in 0..out.len() {
                out[index] = function(a[index]);
            }
        }
        let one = T::ONE;
        let zero = T::ZERO;
        match self {
            Self::Scale(factor) => {
                let factor = T::from_f64(factor);
                each(a, out, |x| x * factor);
            }
            Self::Shift(offset) => {
                let offset = T::from_f64(offset);
                each(a, out, |x| x + offset);
            }
            Self::Exp => each(a, out, T::exp),
            Self::Ln => each(a, out, T::ln),
            Self::Sqrt => each(a, out, T::sqrt),
            Self::Square => each(a, out, |x| x * x),
            Self::Tanh => each(a, out, T::tanh),
            Self::Sigmoid => each(a, out, T::sigmoid),
            Self::Softplus => each(a, out, T::softplus),
            // Asked this way round, what is no number stays so.
            Self::Relu => each(a, out, |x| if x <= zero { zero } else { x }),
            Self::LeakyRelu(slope) => {
                let slope = T::from_f64(slope);
                each(a, out, |x| if x > zero { x } else { x * slope });
            }
            Self::LeakyStep(slope) => {
                let slope = T::from_f64(slope);
                each(a, out, |x| if x > zero { one } else { slope });
            }
            Self::Step => each(a, out, |x| if x > zero { one } else { zero }),
            Self::Sign => each(a, out, |x| (if x > zero { one } else { zero }) - (if x < zero { one } else { zero })),
            Self::Abs => each(a, out, T::abs),
            Self::Reciprocal => each(a, out, |x| one / x),
            Self::Detach => out.copy_from_slice(a),
        }
    }
}

/// A function of each element.
#[derive(Debug)]
pub struct Unary {
    pub function: UnaryFunction,
}

impl Primitive for Unary {
    fn name(&self) -> &'static str {
        self.function.name()
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        inputs[0].to_vec()
    }

    fn gradient(&self, graph: &mut Graph, y: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let x = inputs[0];
        let gradient = match self.function {
            UnaryFunction::Scale(factor) => graph.scale(g, factor),
            UnaryFunction::Shift(_) => g,
            UnaryFunction::Exp => graph.mul(g, y),
            UnaryFunction::Ln => graph.div(g, x),
            UnaryFunction::Sqrt => {
                let ratio = graph.div(g, y);
                graph.scale(ratio, 0.5)
            }
            UnaryFunction::Square => {
                let product = graph.mul(g, x);
                graph.scale(product, 2.0)
            }
            UnaryFunction::Tanh => {
                let square = graph.square(y);
                let negative = graph.neg(square);
                let derivative = graph.shift(negative, 1.0);
                graph.mul(g, derivative)
            }
            UnaryFunction::Sigmoid => {
                let negative = graph.neg(y);
                let complement = graph.shift(negative, 1.0);
                let derivative = graph.mul(y, complement);
                graph.mul(g, derivative)
            }
            UnaryFunction::Softplus => {
                let derivative = graph.sigmoid(x);
                graph.mul(g, derivative)
            }
            // Where the result's sign tells which branch was taken, the argument need not be kept.
            UnaryFunction::Relu => {
                let derivative = graph.step(y);
                graph.mul(g, derivative)
            }
            UnaryFunction::LeakyRelu(slope) => {
                let derivative = graph.leaky_step(if slope > 0.0 { y } else { x }, slope);
                graph.mul(g, derivative)
            }
            UnaryFunction::Abs => {
                let derivative = graph.sign(x);
                graph.mul(g, derivative)
            }
            UnaryFunction::Reciprocal => {
                let square = graph.square(y);
                let product = graph.mul(g, square);
                graph.neg(product)
            }
            UnaryFunction::LeakyStep(_) | UnaryFunction::Step | UnaryFunction::Sign | UnaryFunction::Detach => return vec![None],
        };
        vec![Some(gradient)]
    }

    fn elementwise(&self) -> Option<Elementwise> {
        Some(Elementwise::Unary(self.function))
    }
}

impl Kernel for Unary {}
