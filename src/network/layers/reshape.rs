//! The same numbers in another shape.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};
use crate::language::Value;

pub struct Reshape;

impl Layer for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let from = first(inputs)?;
        let to = sizes(arguments)?;
        if from.iter().product::<usize>() != to.iter().product::<usize>() {
            return Err(ShapeError::new(format!(
                "{from:?} holds {} numbers, but {to:?} holds {}",
                from.iter().product::<usize>(),
                to.iter().product::<usize>()
            )));
        }
        Ok(to)
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let shape: Shape = std::iter::once(lowering.batch).chain(sizes(arguments)?).collect();
        Ok(lowering.graph.reshape(input(inputs, 0)?, &shape))
    }
}

/// The `shape` argument as sizes.
pub(super) fn sizes(arguments: &LayerArguments) -> Result<Shape, ShapeError> {
    let Some(Value::List(values)) = arguments.get("shape") else {
        return Err(ShapeError::new("`shape` must be a list of whole numbers"));
    };
    values
        .iter()
        .map(|value| match value {
            Value::Integer(size) if *size >= 1 => Ok(*size as usize),
            other => Err(ShapeError::new(format!("`shape` must hold whole numbers from 1, not {other:?}"))),
        })
        .collect()
}
