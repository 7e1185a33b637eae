//! Convolution (as in the field, a cross-correlation) with zero padding of (kernel − 1) / 2, rounded down, on every side.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, initial_weights::weight, input, maps};

pub struct Conv;

impl Layer for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [_, height, width] = maps(first(inputs)?)?;
        let (filters, kernel, stride) = (arguments.size("filters")?, arguments.size("kernel")?, arguments.size("stride")?.max(1));
        let padding = kernel.saturating_sub(1) / 2;
        let along = |size: usize| (size + 2 * padding).checked_sub(kernel).map(|room| room / stride + 1);
        match (along(height), along(width)) {
            (Some(height), Some(width)) => Ok(vec![filters, height, width]),
            _ => Err(ShapeError::new(format!("a {kernel}×{kernel} window does not fit into {height}×{width} pixels"))),
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let channels = lowering.shape(x).get(1).copied().unwrap_or(0);
        let (filters, kernel, stride) = (arguments.size("filters")?, arguments.size("kernel")?, arguments.size("stride")?.max(1));
        let weight = weight(lowering, &[filters, channels, kernel, kernel], channels * kernel * kernel, arguments)?;
        Ok(lowering.graph.conv2d(x, weight, stride, kernel.saturating_sub(1) / 2))
    }
}
