//! A learned tensor that is the same for every sample.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::Layer;
use super::initial_weights::weight;
use super::reshape::sizes;

pub struct Constant;

impl Layer for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn shape(&self, _: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        sizes(arguments)
    }

    fn lower(&self, lowering: &mut Lowering<'_>, _: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let shape = sizes(arguments)?;
        let one: Shape = std::iter::once(1).chain(shape.iter().copied()).collect();
        let all: Shape = std::iter::once(lowering.batch).chain(shape).collect();
        let weight = weight(lowering, &one, one.iter().product(), arguments)?;
        Ok(lowering.graph.broadcast(weight, &all))
    }
}
