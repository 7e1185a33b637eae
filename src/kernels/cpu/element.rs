//! The numbers that graphs compute with: `f32` for training, `f64` for checking it.

use super::convolution::{self, ConvolutionGeometry, plain};
use super::{Call, matmul};
use crate::network::primitives::Primitive;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// An element type and its way through the kernels.
pub trait Element:
    matmul::Element
    + Default
    + PartialOrd
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
{
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    fn tanh(self) -> Self;
    /// 1 / (1 + exp(−x))
    fn sigmoid(self) -> Self;
    /// ln(1 + exp(x))
    fn softplus(self) -> Self;

    fn evaluate(primitive: &dyn Primitive, call: Call<'_, Self>);

    /// See [`convolution::forward`].
    fn convolve(geometry: &ConvolutionGeometry, x: &[Self], w: &[Self], out: &mut [Self], _workspace: &mut Vec<Self>) {
        plain::forward(geometry, x, w, out);
    }

    /// See [`convolution::input_gradient`].
    fn convolve_input_gradient(
        geometry: &ConvolutionGeometry,
        g: &[Self],
        w: &[Self],
        out: &mut [Self],
        _workspace: &mut Vec<Self>,
    ) {
        plain::input_gradient(geometry, g, w, out);
    }

    /// See [`convolution::weight_gradient`].
    fn convolve_weight_gradient(
        geometry: &ConvolutionGeometry,
        x: &[Self],
        g: &[Self],
        out: &mut [Self],
        _workspace: &mut Vec<Self>,
    ) {
        plain::weight_gradient(geometry, x, g, out);
    }
}

/// The workspace, grown where it is too small for a convolution.
fn grown<'a>(workspace: &'a mut Vec<f32>, geometry: &ConvolutionGeometry) -> &'a mut [f32] {
    let needed = geometry.workspace_len();
    if workspace.len() < needed {
        workspace.resize(needed, 0.0);
    }
    workspace
}

impl Element for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn exp(self) -> Self {
        f32::exp(self)
    }

    fn ln(self) -> Self {
        f32::ln(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }

    fn tanh(self) -> Self {
        f32::tanh(self)
    }

    fn sigmoid(self) -> Self {
        1.0 / (1.0 + f32::exp(-self))
    }

    fn softplus(self) -> Self {
        self.max(0.0) + f32::ln_1p(f32::exp(-self.abs()))
    }

    fn evaluate(primitive: &dyn Primitive, call: Call<'_, Self>) {
        primitive.evaluate_f32(call);
    }

    fn convolve(geometry: &ConvolutionGeometry, x: &[f32], w: &[f32], out: &mut [f32], workspace: &mut Vec<f32>) {
        convolution::forward(geometry, x, w, out, grown(workspace, geometry));
    }

    fn convolve_input_gradient(geometry: &ConvolutionGeometry, g: &[f32], w: &[f32], out: &mut [f32], workspace: &mut Vec<f32>) {
        convolution::input_gradient(geometry, g, w, out, grown(workspace, geometry));
    }

    fn convolve_weight_gradient(geometry: &ConvolutionGeometry, x: &[f32], g: &[f32], out: &mut [f32], workspace: &mut Vec<f32>) {
        convolution::weight_gradient(geometry, x, g, out, grown(workspace, geometry));
    }
}

impl Element for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn exp(self) -> Self {
        f64::exp(self)
    }

    fn ln(self) -> Self {
        f64::ln(self)
    }

    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn abs(self) -> Self {
        f64::abs(self)
    }

    fn tanh(self) -> Self {
        f64::tanh(self)
    }

    fn sigmoid(self) -> Self {
        1.0 / (1.0 + f64::exp(-self))
    }

    fn softplus(self) -> Self {
        self.max(0.0) + f64::ln_1p(f64::exp(-self.abs()))
    }

    fn evaluate(primitive: &dyn Primitive, call: Call<'_, Self>) {
        primitive.evaluate_f64(call);
    }
}
