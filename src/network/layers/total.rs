//! The sum of a vector, as a vector of one number.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, vector};

pub struct Total;

impl Layer for Total {
    fn name(&self) -> &'static str {
        "total"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        vector(first(inputs)?)?;
        Ok(vec![1])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok(lowering.graph.sum(input(inputs, 0)?, &[1], true))
    }
}
