//! Bilinear interpolation of images or feature maps to a given size.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::primitives::Grid;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, maps};
use crate::language::Value;

pub struct Resize;

impl Layer for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, ..] = maps(first(inputs)?)?;
        grid(arguments)?;
        Ok(vec![channels, arguments.size("height")?, arguments.size("width")?])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let size = [arguments.size("height")?, arguments.size("width")?];
        Ok(lowering.graph.resize(input(inputs, 0)?, size, grid(arguments)?))
    }
}

fn grid(arguments: &LayerArguments) -> Result<Grid, ShapeError> {
    match arguments.get("grid") {
        Some(Value::Choice(word)) if word == "corner" => Ok(Grid::Corner),
        Some(Value::Choice(word)) if word == "centre" => Ok(Grid::Centre),
        other => Err(ShapeError::new(format!("`grid` must be `corner` or `centre`, not {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};
    use crate::language::Value;

    fn resize(image: &'static [usize], height: i64, width: i64, grid: &str) -> Trial {
        let mut trial = Trial::new("resize", &[image]).size("height", height).size("width", width);
        trial = trial.with("grid", Value::Choice(grid.into()));
        trial.batch = 1;
        trial
    }

    #[test]
    fn pixels_between_are_means_by_nearness() {
        // A plane that rises by 1 to the right and by 10 downwards keeps its slopes between the pixels.
        let image = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0];
        let corner = resize(&[1, 2, 3], 4, 3, "corner").run(&[&image], &[]);
        assert_close(&corner, &[0.0, 1.0, 2.0, 5.0, 6.0, 7.0, 10.0, 11.0, 12.0, 10.0, 11.0, 12.0]);
        let centre = resize(&[1, 2, 3], 1, 1, "centre").run(&[&image], &[]);
        assert_close(&centre, &[6.0]);
        for grid in ["corner", "centre"] {
            assert_close(&resize(&[1, 2, 3], 2, 3, grid).run(&[&image], &[]), &image);
            resize(&[2, 3, 4], 5, 7, grid).check_gradient();
            resize(&[2, 5, 6], 3, 2, grid).check_gradient();
        }
    }
}
