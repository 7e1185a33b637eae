//! The primitives: what a graph is made of. They are closed under differentiation, so that a gradient is a graph again.
//! Each is one file and one line in [`all_names`]; a test asks every name there for checked first and second derivatives.
//! A file holds the shape, the gradient in terms of other primitives, and how it is computed on the processor.

#![allow(clippy::indexing_slicing)] // the number of inputs and their shapes are checked when a node is made
#![allow(clippy::needless_range_loop)] // iterators side by side are calls where the compiler does not see them together

mod average_pool;
mod binary;
mod broadcast;
mod concat;
mod convolution;
mod gather;
mod greatest;
mod kernel_map;
mod matrix_product;
mod max_pool;
mod pad;
mod reshape;
mod resize;
mod scatter;
mod select;
mod slice;
mod source;
mod sum;
mod sum_pool;
mod transpose;
mod unary;
mod upsample;
mod window;

pub use average_pool::{AveragePool, AveragePoolGradient};
pub use binary::{Binary, BinaryFunction};
pub use broadcast::{Broadcast, broadcast_shape, broadcasts};
pub use concat::Concat;
pub use convolution::{Convolution, ConvolutionInputGradient, ConvolutionWeightGradient};
pub use gather::Gather;
pub use greatest::Greatest;
pub use kernel_map::KernelMap;
pub use matrix_product::MatrixProduct;
pub use max_pool::MaxPoolIndices;
pub use pad::Pad;
pub use reshape::Reshape;
pub use resize::{Grid, Resize, ResizeAdjoint};
pub use scatter::Scatter;
pub use select::Select;
pub use slice::Slice;
pub use source::{Constant, Input};
pub use sum::{Sum, reduced_shape};
pub use sum_pool::SumPool;
pub use transpose::Transpose;
pub use unary::{Unary, UnaryFunction};
pub use upsample::Upsample;
pub use window::Window;

use super::graph::{Graph, NodeId};
use crate::kernels::cpu::{Call, Element};
use std::any::Any;

/// Every primitive by name; elementwise functions each count as one.
pub fn all_names() -> Vec<&'static str> {
    let mut names = vec![
        "input",
        "constant",
        "select",
        "broadcast",
        "sum",
        "matrix_product",
        "convolution",
        "convolution_input_gradient",
        "convolution_weight_gradient",
        "reshape",
        "transpose",
        "slice",
        "pad",
        "concat",
        "upsample",
        "sum_pool",
        "average_pool",
        "average_pool_gradient",
        "resize",
        "resize_adjoint",
        "max_pool_indices",
        "gather",
        "greatest",
        "kernel_map",
        "scatter",
    ];
    names.extend(UnaryFunction::all().iter().map(UnaryFunction::name));
    names.extend(BinaryFunction::all().iter().map(BinaryFunction::name));
    names
}

/// What an elementwise primitive does; the executor fuses chains of these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elementwise {
    Unary(UnaryFunction),
    Binary(BinaryFunction),
    Select,
    /// The identity with an operand that is repeated.
    Broadcast,
}

/// An operation on tensors. `Debug` must write every parameter: equal text means the same operation.
pub trait Primitive: Any + Evaluate + std::fmt::Debug + Send + Sync {
    fn name(&self) -> &'static str;

    /// The shape of the result; panics on shapes that do not fit.
    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize>;

    /// Given the gradient of some scalar with respect to this node's result, its gradient with respect to each input:
    /// `None` where it is zero everywhere, or where `needed` is false. `node` is the result itself.
    fn gradient(
        &self,
        graph: &mut Graph,
        node: NodeId,
        inputs: &[NodeId],
        output_gradient: NodeId,
        needed: &[bool],
    ) -> Vec<Option<NodeId>>;

    /// The number that fills the result whatever the inputs are.
    fn constant(&self) -> Option<f64> {
        None
    }

    /// The name under which it is fed.
    fn input_name(&self) -> Option<&str> {
        None
    }

    /// Set if the result at a place depends on the inputs at that place alone; then it has no [`Kernel::evaluate`].
    fn elementwise(&self) -> Option<Elementwise> {
        None
    }

    /// The axes that are summed, with dimension 1 in the result; then it has no [`Kernel::evaluate`].
    fn summed_axes(&self) -> Option<&[usize]> {
        None
    }

    /// Whether the result is the first input's memory under another shape.
    fn is_view(&self) -> bool {
        false
    }

    /// Products that are added up, for inputs of these shapes: those of convolutions and matrix products, in which nearly
    /// all work of a network lies. 0 for everything else.
    fn multiply_adds(&self, _inputs: &[&[usize]]) -> u64 {
        0
    }
}

/// How a primitive is computed, for any element type.
pub trait Kernel {
    /// Fills `call.output`, whose content before is arbitrary.
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        unreachable!("the executor runs elementwise primitives, sums and views itself: {:?}", call.output_shape)
    }
}

/// [`Kernel`] for the two element types that exist, so that primitives can be kept as trait objects.
pub trait Evaluate {
    fn evaluate_f32(&self, call: Call<'_, f32>);
    fn evaluate_f64(&self, call: Call<'_, f64>);
}

impl<K: Kernel> Evaluate for K {
    fn evaluate_f32(&self, call: Call<'_, f32>) {
        self.evaluate(call);
    }

    fn evaluate_f64(&self, call: Call<'_, f64>) {
        self.evaluate(call);
    }
}
