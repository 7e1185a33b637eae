//! Mean over space: one number per channel.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, maps};

pub struct GlobalAveragePool;

impl Layer for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "global_average_pool"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, _, _] = maps(first(inputs)?)?;
        Ok(vec![channels])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok(lowering.graph.mean(input(inputs, 0)?, &[2, 3], false))
    }
}
