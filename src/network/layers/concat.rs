//! Joins two tensors along their first dimension (channels, or elements of a vector).

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, input};

pub struct Concat;

impl Layer for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        match inputs {
            [a, b] => match (a.split_first(), b.split_first()) {
                (Some((a_size, a_rest)), Some((b_size, b_rest))) if a_rest == b_rest => {
                    Ok(std::iter::once(a_size + b_size).chain(a_rest.iter().copied()).collect())
                }
                _ => Err(ShapeError::new(format!("cannot join {a:?} and {b:?}: all dimensions but the first must be the same"))),
            },
            _ => Err(ShapeError::new("two tensors are joined")),
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok(lowering.graph.concat(&[input(inputs, 0)?, input(inputs, 1)?], 1))
    }
}
