//! All numbers of a sample in one dimension.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

pub struct Flatten;

impl Layer for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        Ok(vec![first(inputs)?.iter().product()])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let length = lowering.shape(x).iter().skip(1).product();
        let batch = lowering.batch;
        Ok(lowering.graph.reshape(x, &[batch, length]))
    }
}
