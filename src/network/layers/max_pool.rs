//! Largest value in windows of size × size pixels that move by `stride`; padding never wins.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::window;
use super::{Layer, first, input, maps};

pub struct MaxPool;

impl Layer for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, height, width] = maps(first(inputs)?)?;
        let [height, width] = window::places(&window::of_pool(arguments)?, [height, width])?;
        Ok(vec![channels, height, width])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok(lowering.graph.max_pool(input(inputs, 0)?, window::of_pool(arguments)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close, counting};

    fn pool(size: i64, stride: i64, padding: i64) -> Trial {
        let mut trial = Trial::new("max_pool", &[&[1, 4, 5]]).size("size", size).size("stride", stride).size("padding", padding);
        trial.batch = 1;
        trial
    }

    #[test]
    fn the_largest_of_each_window_is_found() {
        let x = counting(20);
        assert_close(&pool(2, 2, 0).run(&[&x], &[]), &[7.0, 9.0, 17.0, 19.0]);
        assert_close(&pool(3, 2, 1).run(&[&x], &[]), &[7.0, 9.0, 10.0, 17.0, 19.0, 20.0]);
        let negative: Vec<f64> = x.iter().map(|x| -x).collect();
        assert_close(&pool(3, 2, 1).run(&[&negative], &[]), &[-1.0, -2.0, -4.0, -6.0, -7.0, -9.0]);
        pool(3, 1, 1).check_gradient();
        pool(3, 2, 0).check_gradient();
        assert_eq!(pool(2, 1, 2).refusal(), "a padding of 2 is more than half of the window of 2");
    }
}
