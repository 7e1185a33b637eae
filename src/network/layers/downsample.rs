//! Means over blocks of factor × factor pixels.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, maps};

pub struct Downsample;

impl Layer for Downsample {
    fn name(&self) -> &'static str {
        "downsample"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, height, width] = maps(first(inputs)?)?;
        let factor = arguments.size("factor")?.max(1);
        if height % factor != 0 || width % factor != 0 {
            return Err(ShapeError::new(format!("{height}×{width} pixels cannot be divided by {factor}")));
        }
        Ok(vec![channels, height / factor, width / factor])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let factor = arguments.size("factor")?.max(1);
        let sums = lowering.graph.sum_pool(input(inputs, 0)?, factor);
        Ok(lowering.graph.scale(sums, 1.0 / (factor * factor) as f64))
    }
}
