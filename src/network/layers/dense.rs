//! Matrix product of a vector of length k with a weight of shape [outputs, k].

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, initial_weights::weight, input, vector};

pub struct Dense;

impl Layer for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        vector(first(inputs)?)?;
        Ok(vec![arguments.size("outputs")?])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let length = lowering.shape(x).get(1).copied().unwrap_or(0);
        let weight = weight(lowering, &[arguments.size("outputs")?, length], length, arguments)?;
        Ok(lowering.graph.matmul(x, weight, false, true))
    }
}
