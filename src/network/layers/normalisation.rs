//! What the normalising layers share: mean 0 and variance 1 over some axes, then a learned scale and shift.

use super::super::graph::{Graph, NodeId};
use super::super::lowering::{Initial, Lowering};
use super::super::primitives::Concat;
use super::super::program::{LayerArguments, ShapeError};
use super::per_channel;

/// The mean and the biased variance over these axes, which are kept with size 1. Those of channels that were joined are those of the
/// parts, each worked out once: a dense block normalises the same channels in every layer.
pub fn moments(graph: &mut Graph, x: NodeId, axes: &[usize]) -> [NodeId; 2] {
    if let Some(axis) = graph.primitive::<Concat>(x).map(|concat| concat.axis).filter(|axis| !axes.contains(axis)) {
        let parts = graph.node(x).inputs.clone();
        let parts: Vec<[NodeId; 2]> = parts.into_iter().map(|part| moments(graph, part, axes)).collect();
        let (means, variances): (Vec<NodeId>, Vec<NodeId>) = parts.into_iter().map(|[mean, variance]| (mean, variance)).unzip();
        return [means, variances].map(|joined| graph.concat(&joined, axis));
    }
    let mean = graph.mean(x, axes, true);
    let centred = graph.sub(x, mean);
    let squares = graph.square(centred);
    [mean, graph.mean(squares, axes, true)]
}

/// 1 / √(variance + epsilon).
pub fn inverse_deviation(graph: &mut Graph, variance: NodeId, epsilon: f64) -> NodeId {
    let shifted = graph.shift(variance, epsilon);
    let deviation = graph.sqrt(shifted);
    graph.reciprocal(deviation)
}

/// (x − mean) / √(variance + epsilon), with the biased variance, over these axes.
pub fn standardise(graph: &mut Graph, x: NodeId, axes: &[usize], epsilon: f64) -> NodeId {
    let [mean, variance] = moments(graph, x, axes);
    let inverse = inverse_deviation(graph, variance, epsilon);
    let centred = graph.sub(x, mean);
    graph.mul(centred, inverse)
}

/// scale · x + shift with one learned scale (1 at first) and shift (0 at first) per channel, or per element of a vector;
/// x itself where `affine = false`.
pub fn scale_and_shift(lowering: &mut Lowering<'_>, x: NodeId, arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
    let Some([scale, shift]) = affine(lowering, x, arguments)? else { return Ok(x) };
    let scaled = lowering.graph.mul(x, scale);
    Ok(lowering.graph.add(scaled, shift))
}

/// The learned scale and shift, to be repeated over x; none where `affine = false`.
pub fn affine(lowering: &mut Lowering<'_>, x: NodeId, arguments: &LayerArguments) -> Result<Option<[NodeId; 2]>, ShapeError> {
    if !arguments.flag("affine")? {
        return Ok(None);
    }
    let shape = lowering.shape(x);
    let channels = *shape.get(1).ok_or_else(|| ShapeError::new("there is no channel to normalise"))?;
    let scale = lowering.weight("scale", &[channels], Initial::Constant(1.0));
    let shift = lowering.weight("shift", &[channels], Initial::Constant(0.0));
    Ok(Some([scale, shift].map(|weight| lowering.graph.reshape(weight, &per_channel(&shape)))))
}
