//! Means of windows of size × size pixels that move by `stride`. Zeros of the padding count, as in the other libraries,
//! unless `count_padding` is false.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::window;
use super::{Layer, first, input, maps};

pub struct AvgPool;

impl Layer for AvgPool {
    fn name(&self) -> &'static str {
        "avg_pool"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, height, width] = maps(first(inputs)?)?;
        let [height, width] = window::places(&window::of_pool(arguments)?, [height, width])?;
        Ok(vec![channels, height, width])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let count_padding = arguments.flag("count_padding")?;
        Ok(lowering.graph.average_pool(input(inputs, 0)?, window::of_pool(arguments)?, count_padding))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close, counting};

    fn pool(size: i64, stride: i64, padding: i64) -> Trial {
        let mut trial = Trial::new("avg_pool", &[&[1, 4, 4]]).size("size", size).size("stride", stride).size("padding", padding);
        trial = trial.flag("count_padding", true);
        trial.batch = 1;
        trial
    }

    #[test]
    fn windows_are_averaged_with_their_padding() {
        assert_close(&pool(2, 2, 0).run(&[&counting(16)], &[]), &[3.5, 5.5, 11.5, 13.5]);
        assert_close(&pool(3, 1, 0).run(&[&counting(16)], &[]), &[6.0, 7.0, 10.0, 11.0]);
        // The corner window holds 1, 2, 5, 6 and five zeros.
        let padded = pool(3, 2, 1).run(&[&counting(16)], &[]);
        assert_close(&padded, &[14.0, 30.0, 57.0, 99.0].map(|sum| sum / 9.0));
        let mut inside = Trial::new("avg_pool", &[&[1, 4, 4]]).size("size", 3).size("stride", 2).size("padding", 1);
        inside = inside.flag("count_padding", false);
        inside.batch = 1;
        let means = [14.0 / 4.0, 30.0 / 6.0, 57.0 / 6.0, 99.0 / 9.0];
        assert_close(&inside.run(&[&counting(16)], &[]), &means);
        inside.check_gradient();
        pool(3, 2, 1).check_gradient();
        pool(2, 2, 0).check_gradient();
    }

    #[test]
    fn windows_that_do_not_fit_are_refused() {
        assert_eq!(pool(5, 1, 0).refusal(), "a 5×5 window does not fit into 4×4 pixels");
        assert_eq!(pool(2, 1, 2).refusal(), "a padding of 2 is more than half of the window of 2");
    }
}
