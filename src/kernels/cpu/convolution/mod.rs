//! Two-dimensional convolution and its two gradients.
//!
//! The three are bilinear and closed under differentiation: each one's gradients are the other two. Layouts are those of
//! the graph: images `[n, c, h, w]`, weights `[o, c, k, k]`, dense and row-major.

pub mod geometry;
pub mod plain;

pub use geometry::ConvolutionGeometry;

impl ConvolutionGeometry {
    /// Numbers of workspace that any of the three operations needs at most.
    pub fn workspace_len(&self) -> usize {
        0
    }
}

/// Convolves `input` `[n, c, h, w]` with `weight` `[o, c, k, k]` to `output` `[n, o, h', w']`. What `workspace` holds
/// before does not matter.
///
/// # Panics
/// When a slice's length does not fit the geometry.
pub fn forward(geometry: &ConvolutionGeometry, input: &[f32], weight: &[f32], output: &mut [f32], workspace: &mut [f32]) {
    check(geometry, input, weight, output, workspace);
    plain::forward(geometry, input, weight, output);
}

/// The gradient by the input `[n, c, h, w]`, from the gradient by the output `[n, o, h', w']` and the weight.
///
/// # Panics
/// When a slice's length does not fit the geometry.
pub fn input_gradient(
    geometry: &ConvolutionGeometry,
    output_gradient: &[f32],
    weight: &[f32],
    input_gradient: &mut [f32],
    workspace: &mut [f32],
) {
    check(geometry, input_gradient, weight, output_gradient, workspace);
    plain::input_gradient(geometry, output_gradient, weight, input_gradient);
}

/// The gradient by the weight `[o, c, k, k]`, from the input `[n, c, h, w]` and the gradient by the output.
///
/// # Panics
/// When a slice's length does not fit the geometry.
pub fn weight_gradient(
    geometry: &ConvolutionGeometry,
    input: &[f32],
    output_gradient: &[f32],
    weight_gradient: &mut [f32],
    workspace: &mut [f32],
) {
    check(geometry, input, weight_gradient, output_gradient, workspace);
    plain::weight_gradient(geometry, input, output_gradient, weight_gradient);
}

fn check(geometry: &ConvolutionGeometry, input: &[f32], weight: &[f32], output: &[f32], workspace: &[f32]) {
    assert!(geometry.stride > 0 && geometry.kernel > 0, "a convolution's stride and kernel must be at least 1: {geometry:?}");
    assert_eq!(input.len(), geometry.input_len(), "the input must fit {geometry:?}");
    assert_eq!(weight.len(), geometry.weight_len(), "the weight must fit {geometry:?}");
    assert_eq!(output.len(), geometry.output_len(), "the output must fit {geometry:?}");
    let needed = geometry.workspace_len();
    assert!(workspace.len() >= needed, "the workspace has {} numbers, {geometry:?} needs {needed}", workspace.len());
}
