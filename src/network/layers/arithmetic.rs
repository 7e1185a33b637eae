//! Operators on tensors: `+ − * /` between tensors of one shape, and between a tensor and a number.

use super::super::graph::{Graph, NodeId};
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

/// An operator between two tensors of the same shape.
pub struct Arithmetic {
    name: &'static str,
    apply: fn(&mut Graph, NodeId, NodeId) -> NodeId,
}

pub const ADD: Arithmetic = Arithmetic { name: "add", apply: Graph::add };
pub const SUBTRACT: Arithmetic = Arithmetic { name: "subtract", apply: Graph::sub };
pub const MULTIPLY: Arithmetic = Arithmetic { name: "multiply", apply: Graph::mul };
pub const DIVIDE: Arithmetic = Arithmetic { name: "divide", apply: Graph::div };

impl Layer for Arithmetic {
    fn name(&self) -> &'static str {
        self.name
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        match inputs {
            [left, right] if left == right => Ok((*left).clone()),
            [left, right] => Err(ShapeError::new(format!("the left side is {left:?} and the right side is {right:?}"))),
            _ => Err(ShapeError::new("an operator needs two sides")),
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok((self.apply)(lowering.graph, input(inputs, 0)?, input(inputs, 1)?))
    }
}

/// −x.
pub struct Negate;

impl Layer for Negate {
    fn name(&self) -> &'static str {
        "negate"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok(lowering.graph.neg(input(inputs, 0)?))
    }
}

/// factor · x.
pub struct Scale;

impl Layer for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let factor = arguments.number("factor")?;
        Ok(lowering.graph.scale(input(inputs, 0)?, factor))
    }
}

/// x + offset.
pub struct Shift;

impl Layer for Shift {
    fn name(&self) -> &'static str {
        "shift"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let offset = arguments.number("offset")?;
        Ok(lowering.graph.shift(input(inputs, 0)?, offset))
    }
}
