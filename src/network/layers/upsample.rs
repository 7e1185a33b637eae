//! Every pixel becomes factor × factor pixels (nearest neighbour).

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, maps};

pub struct Upsample;

impl Layer for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, height, width] = maps(first(inputs)?)?;
        let factor = arguments.size("factor")?.max(1);
        Ok(vec![channels, height * factor, width * factor])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let factor = arguments.size("factor")?.max(1);
        Ok(lowering.graph.upsample(input(inputs, 0)?, factor))
    }
}
