//! Instance normalisation (Ulyanov et al. 2016): every channel of every image has mean 0 and variance 1 over space.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::normalisation::{scale_and_shift, standardise};
use super::{Layer, first, input, maps};

pub struct InstanceNorm;

impl Layer for InstanceNorm {
    fn name(&self) -> &'static str {
        "instance_norm"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        let x = first(inputs)?;
        let [_, height, width] = maps(x)?;
        if height * width < 2 {
            return Err(ShapeError {
                message: format!("channels of {height}×{width} pixels have no variance"),
                help: Some("leave the last normalisation out, or use `layer_norm`".into()),
            });
        }
        Ok(x.clone())
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let normalised = standardise(lowering.graph, input(inputs, 0)?, &[2, 3], arguments.number("epsilon")?);
        scale_and_shift(lowering, normalised, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn channels_of_an_image_are_normalised_over_space() {
        let trial = Trial::new("instance_norm", &[&[2, 1, 2]]).number("epsilon", 0.0).flag("affine", true);
        let x = [1.0, 3.0, 10.0, 30.0, 5.0, 4.0, 0.0, 8.0];
        let expected = [9.0, 11.0, 119.0, 121.0, 11.0, 9.0, 119.0, 121.0];
        assert_close(&trial.run(&[&x], &[("scale", &[1.0, 1.0]), ("shift", &[10.0, 120.0])]), &expected);
        Trial::new("instance_norm", &[&[2, 2, 3]]).number("epsilon", 1e-5).flag("affine", true).check_gradient();
        let bare = Trial::new("instance_norm", &[&[2, 2, 3]]).number("epsilon", 1e-5).flag("affine", false);
        assert!(bare.weights().is_empty());
        assert_eq!(Trial::new("instance_norm", &[&[2, 1, 1]]).refusal(), "channels of 1×1 pixels have no variance");
    }
}
