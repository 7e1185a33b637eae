//! The layers that a network block may call: one file and one line in [`all`] for each. Names, parameters, ranges and
//! documentation are declared in `stdlib/prelude.synth` (`native layer`); here stand shape, weights and lowering.
//! Arithmetic on tensors is layers too (`add`, `scale`, … in [`arithmetic`]): these are operators and have no declaration.

mod activation;
pub mod arithmetic;
mod attention;
mod avg_pool;
mod batch_norm;
mod bias;
mod concat;
mod constant;
mod conv;
mod conv_transpose;
mod dense;
mod downsample;
mod dropout;
mod embed;
mod fade;
mod flatten;
mod global_average_pool;
mod group_norm;
mod initial_weights;
mod instance_norm;
mod layer_norm;
mod max_pool;
mod minibatch_stddev;
mod modulate;
mod modulated_conv;
mod noise;
mod normalisation;
mod pixel_norm;
mod reshape;
mod resize;
mod softmax;
mod spectral;
mod total;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod trial;
mod upsample;
mod window;

use super::graph::NodeId;
use super::lowering::Lowering;
use super::program::{LayerArguments, Shape, ShapeError};

/// What a layer must know of itself.
pub trait Layer: Sync {
    /// As declared: `conv`.
    fn name(&self) -> &'static str;

    /// The shape of the output for inputs of these shapes, batch left out, or why there is none.
    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError>;

    /// Whether the layer can work on batches of this many samples in training, or why not.
    fn admits_batch(&self, _batch: usize, _arguments: &LayerArguments) -> Result<(), ShapeError> {
        Ok(())
    }

    /// Adds the layer's primitives to the graph. Inputs carry the batch as their first dimension: `[n, c, h, w]`, `[n, k]`.
    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError>;
}

/// Every layer.
pub fn all() -> &'static [&'static dyn Layer] {
    &[
        &activation::GELU,
        &activation::LEAKY_RELU,
        &activation::RELU,
        &activation::SIGMOID,
        &activation::SILU,
        &activation::TANH,
        &arithmetic::ADD,
        &arithmetic::DIVIDE,
        &arithmetic::MULTIPLY,
        &arithmetic::SUBTRACT,
        &arithmetic::Negate,
        &arithmetic::Scale,
        &arithmetic::Shift,
        &attention::Attention,
        &avg_pool::AvgPool,
        &batch_norm::BatchNorm,
        &bias::Bias,
        &concat::Concat,
        &constant::Constant,
        &conv::Conv,
        &conv_transpose::ConvTranspose,
        &dense::Dense,
        &downsample::Downsample,
        &dropout::Dropout,
        &embed::Embed,
        &fade::Fade,
        &flatten::Flatten,
        &global_average_pool::GlobalAveragePool,
        &group_norm::GroupNorm,
        &instance_norm::InstanceNorm,
        &layer_norm::LayerNorm,
        &max_pool::MaxPool,
        &minibatch_stddev::MinibatchStddev,
        &modulate::Modulate,
        &modulated_conv::ModulatedConv,
        &noise::Noise,
        &pixel_norm::PixelNorm,
        &reshape::Reshape,
        &resize::Resize,
        &softmax::Softmax,
        &total::Total,
        &upsample::Upsample,
    ]
}

/// The layer of a name.
pub fn find(name: &str) -> Option<&'static dyn Layer> {
    all().iter().copied().find(|layer| layer.name() == name)
}

/// The functions that a `weights` argument may be: `equalized`, `he`, `normal`, `spectral`.
pub use initial_weights::CONSTRUCTORS as WEIGHT_CONSTRUCTORS;

/// The running statistic of `fade`.
pub use fade::PROGRESS;

/// The shape of the first of a layer's inputs.
fn first<'a>(inputs: &[&'a Shape]) -> Result<&'a Shape, ShapeError> {
    inputs.first().copied().ok_or_else(|| ShapeError::new("an input is missing"))
}

/// The node of a layer's input.
fn input(inputs: &[NodeId], index: usize) -> Result<NodeId, ShapeError> {
    inputs.get(index).copied().ok_or_else(|| ShapeError::new("an input is missing"))
}

/// Channels, height and width of an input that must be feature maps.
fn maps(shape: &Shape) -> Result<[usize; 3], ShapeError> {
    match shape.as_slice() {
        [c, h, w] => Ok([*c, *h, *w]),
        other => Err(ShapeError {
            message: format!("needs feature maps [channels, height, width], but gets {other:?}"),
            help: Some("`reshape` makes feature maps of a vector".into()),
        }),
    }
}

/// The length of an input that must be a vector.
fn vector(shape: &Shape) -> Result<usize, ShapeError> {
    match shape.as_slice() {
        [k] => Ok(*k),
        other => Err(ShapeError {
            message: format!("needs a vector, but gets {other:?}"),
            help: Some("`flatten` or `global_average_pool` make a vector of feature maps".into()),
        }),
    }
}

/// The shape that spreads one number per channel over a tensor of this shape: `[1, c, 1, 1]`, `[1, k]`.
fn per_channel(shape: &[usize]) -> Shape {
    shape.iter().enumerate().map(|(axis, size)| if axis == 1 { *size } else { 1 }).collect()
}
