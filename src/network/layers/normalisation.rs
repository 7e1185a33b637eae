//! What the normalising layers share: mean 0 and variance 1 over some axes, then a learned scale and shift.

use super::super::graph::{Graph, NodeId};
use super::super::lowering::{Initial, Lowering};
use super::super::program::{LayerArguments, ShapeError};
use super::per_channel;

/// (x − mean) / √(variance + epsilon), with the biased variance, over these axes.
pub fn standardise(graph: &mut Graph, x: NodeId, axes: &[usize], epsilon: f64) -> NodeId {
    let mean = graph.mean(x, axes, true);
    let centred = graph.sub(x, mean);
    let squares = graph.square(centred);
    let variance = graph.mean(squares, axes, true);
    let shifted = graph.shift(variance, epsilon);
    let deviation = graph.sqrt(shifted);
    graph.div(centred, deviation)
}

/// scale · x + shift with one learned scale (1 at first) and shift (0 at first) per channel, or per element of a vector;
/// x itself where `affine = false`.
pub fn scale_and_shift(lowering: &mut Lowering<'_>, x: NodeId, arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
    if !arguments.flag("affine")? {
        return Ok(x);
    }
    let shape = lowering.shape(x);
    let channels = *shape.get(1).ok_or_else(|| ShapeError::new("there is no channel to normalise"))?;
    let scale = lowering.weight("scale", &[channels], Initial::Constant(1.0));
    let shift = lowering.weight("shift", &[channels], Initial::Constant(0.0));
    let graph = &mut *lowering.graph;
    let scale = graph.reshape(scale, &per_channel(&shape));
    let shift = graph.reshape(shift, &per_channel(&shape));
    let scaled = graph.mul(x, scale);
    Ok(graph.add(scaled, shift))
}
