//! Operators on tensors: `+ − * /` between two tensors, and between a tensor and a number. Two tensors have the same number
//! of dimensions; where sizes differ, one of them is 1 and that side is repeated. A vector of one number goes with any.

use super::super::graph::{Graph, NodeId};
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

/// The shape of `a + b` without the batch, or `None` where the two do not go together.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Shape> {
    match (a, b) {
        (a, [1]) => Some(a.to_vec()),
        ([1], b) => Some(b.to_vec()),
        _ if a.len() != b.len() => None,
        _ => a
            .iter()
            .zip(b)
            .map(|(a, b)| match (*a, *b) {
                (a, b) if a == b || b == 1 => Some(a),
                (1, b) => Some(b),
                _ => None,
            })
            .collect(),
    }
}

/// An operator between two tensors.
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
            [left, right] => broadcast_shape(left, right)
                .ok_or_else(|| ShapeError::new(format!("the left side is {left:?} and the right side is {right:?}"))),
            _ => Err(ShapeError::new("an operator needs two sides")),
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        let (left, right) = (input(inputs, 0)?, input(inputs, 1)?);
        let rank = lowering.shape(left).len().max(lowering.shape(right).len());
        let [left, right] = [left, right].map(|side| {
            let mut shape = lowering.shape(side);
            shape.resize(rank, 1);
            lowering.graph.reshape(side, &shape)
        });
        Ok((self.apply)(lowering.graph, left, right))
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

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn sides_of_size_one_are_repeated() {
        let mut trial = Trial::new("subtract", &[&[2, 1, 2], &[2, 1, 1]]);
        trial.batch = 1;
        assert_close(&trial.run(&[&[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0]], &[]), &[-9.0, -8.0, -17.0, -16.0]);
        assert_eq!(Trial::new("multiply", &[&[1, 2, 3], &[4, 1, 3]]).shape(), [4, 2, 3]);
        let score = Trial::new("add", &[&[1], &[2, 1, 1]]);
        assert_close(&score.run(&[&[1.0, 2.0], &[10.0, 20.0, 30.0, 40.0]], &[]), &[11.0, 21.0, 32.0, 42.0]);
        for name in ["add", "subtract", "multiply", "divide"] {
            for shapes in [[&[2, 2, 2][..], &[2, 1, 1]], [&[1, 2, 2], &[3, 1, 1]], [&[1], &[2, 1, 2]], [&[3], &[3]]] {
                Trial::new(name, &shapes).check_gradient();
            }
        }
        assert!(Trial::new("add", &[&[2, 2, 2], &[3, 1, 1]]).refusal().contains("the left side is [2, 2, 2]"));
        assert!(Trial::new("add", &[&[2, 2, 2], &[2]]).refusal().contains("the right side is [2]"));
    }
}
