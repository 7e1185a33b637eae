//! scale · x + shift with one scale and one shift per channel and sample.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, input, maps, vector};

pub struct Modulate;

impl Layer for Modulate {
    fn name(&self) -> &'static str {
        "modulate"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        match inputs {
            [x, scale, shift] => {
                let [channels, _, _] = maps(x)?;
                if vector(scale)? != channels || vector(shift)? != channels {
                    return Err(ShapeError::new(format!(
                        "{channels} channels need as many scales and shifts, not {scale:?} and {shift:?}"
                    )));
                }
                Ok((*x).clone())
            }
            _ => Err(ShapeError::new("feature maps, a scale and a shift are needed")),
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        let (x, scale, shift) = (input(inputs, 0)?, input(inputs, 1)?, input(inputs, 2)?);
        let spread: Vec<usize> = lowering.shape(scale).into_iter().chain([1, 1]).collect();
        let graph = &mut *lowering.graph;
        let scale = graph.reshape(scale, &spread);
        let shift = graph.reshape(shift, &spread);
        let scaled = graph.mul(x, scale);
        Ok(graph.add(scaled, shift))
    }
}
