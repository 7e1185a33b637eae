//! Joins tensors along their first dimension (channels, or elements of a vector).

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first};

pub struct Concat;

impl Layer for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        let (_, rest) = first(inputs)?.split_first().ok_or_else(|| ShapeError::new("a tensor has no dimension"))?;
        let mut joined = 0;
        for part in inputs {
            match part.split_first() {
                Some((size, others)) if others == rest => joined += size,
                _ => {
                    return Err(ShapeError {
                        message: format!("{part:?} does not go with {:?}", first(inputs)?),
                        help: Some("all dimensions but the first must be the same".into()),
                    });
                }
            }
        }
        Ok(std::iter::once(joined).chain(rest.iter().copied()).collect())
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok(lowering.graph.concat(inputs, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn any_number_of_tensors_is_joined_in_order() {
        let trial = Trial::new("concat", &[&[1], &[2], &[1]]);
        let found = trial.run(&[&[1.0, 5.0], &[2.0, 3.0, 6.0, 7.0], &[4.0, 8.0]], &[]);
        assert_close(&found, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        trial.check_gradient();
        assert_eq!(Trial::new("concat", &[&[1, 2, 2], &[3, 2, 2], &[5, 2, 2]]).shape(), [9, 2, 2]);
        assert_eq!(Trial::new("concat", &[&[1, 2, 2], &[3, 2, 3]]).refusal(), "[3, 2, 3] does not go with [1, 2, 2]");
    }
}
