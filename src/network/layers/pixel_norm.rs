//! x / √(mean over channels of x² + 1e-8) (Karras et al. 2018, section 4.2).

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

pub struct PixelNorm;

impl Layer for PixelNorm {
    fn name(&self) -> &'static str {
        "pixel_norm"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let graph = &mut *lowering.graph;
        let squares = graph.square(x);
        let mean = graph.mean(squares, &[1], true);
        let shifted = graph.shift(mean, 1e-8);
        let root = graph.sqrt(shifted);
        let factor = graph.reciprocal(root);
        Ok(graph.mul(x, factor))
    }
}
