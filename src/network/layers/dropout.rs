//! Sets a share of the numbers to zero in training and divides the others by what is left (Srivastava et al. 2014).

use super::super::graph::NodeId;
use super::super::lowering::{Distribution, Lowering, Mode};
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

pub struct Dropout;

impl Layer for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let share = arguments.number("share")?;
        if lowering.mode == Mode::Inference || share == 0.0 {
            return Ok(x);
        }
        let shape = lowering.shape(x);
        let drawn = lowering.randomness("mask", &shape, Distribution::Uniform);
        let above = lowering.graph.shift(drawn, -share);
        let kept = lowering.graph.step(above);
        let scaled = lowering.graph.scale(kept, 1.0 / (1.0 - share));
        Ok(lowering.graph.mul(x, scaled))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lowering::Mode;
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn numbers_drawn_below_the_share_are_dropped_in_training_only() {
        let mut trial = Trial::new("dropout", &[&[2]]).number("share", 0.75);
        let x = [1.0, 2.0, 3.0, 4.0];
        assert_close(&trial.run(&[&x], &[("mask", &[0.9, 0.1, 0.74, 0.76])]), &[4.0, 0.0, 0.0, 16.0]);
        trial.mode = Mode::Inference;
        assert_close(&trial.run(&[&x], &[]), &x);
    }
}
