//! Layer normalisation (Ba et al. 2016): all numbers of an image, or of a vector, have mean 0 and variance 1.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::normalisation::{scale_and_shift, standardise};
use super::{Layer, first, input};

pub struct LayerNorm;

impl Layer for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        let x = first(inputs)?;
        if x.iter().product::<usize>() < 2 {
            return Err(ShapeError::new(format!("{x:?} is one number, which has no variance")));
        }
        Ok(x.clone())
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let axes: Vec<usize> = (1..lowering.shape(x).len()).collect();
        let normalised = standardise(lowering.graph, x, &axes, arguments.number("epsilon")?);
        scale_and_shift(lowering, normalised, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn all_numbers_of_an_image_are_normalised() {
        let norm = |shape: &[usize], epsilon| Trial::new("layer_norm", &[shape]).number("epsilon", epsilon).flag("affine", true);
        let weights: [(&str, &[f64]); 2] = [("scale", &[1.0, 10.0]), ("shift", &[0.0, 100.0])];
        assert_close(&norm(&[2], 0.0).run(&[&[1.0, 3.0, 7.0, 5.0]], &weights), &[-1.0, 110.0, 1.0, 90.0]);
        let maps = norm(&[2, 1, 2], 0.0);
        let found = maps.run(&[&[1.0, 1.0, 3.0, 3.0, 0.0, 2.0, 0.0, 2.0]], &weights);
        assert_close(&found, &[-1.0, -1.0, 110.0, 110.0, -1.0, 1.0, 90.0, 110.0]);
        norm(&[2, 2, 2], 1e-5).check_gradient();
        norm(&[3], 1e-5).check_gradient();
        assert_eq!(norm(&[1], 1e-5).refusal(), "[1] is one number, which has no variance");
    }
}
