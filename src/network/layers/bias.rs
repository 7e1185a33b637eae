//! One learned number per channel (or per element of a vector), added; zero at first.

use super::super::graph::NodeId;
use super::super::lowering::{Initial, Lowering};
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, per_channel};

pub struct Bias;

impl Layer for Bias {
    fn name(&self) -> &'static str {
        "bias"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let shape = lowering.shape(x);
        let channels = *shape.get(1).ok_or_else(|| ShapeError::new("there is no channel to add to"))?;
        let bias = lowering.weight("bias", &[channels], Initial::Constant(0.0));
        let bias = lowering.graph.reshape(bias, &per_channel(&shape));
        Ok(lowering.graph.add(x, bias))
    }
}
