//! x + strength · noise, with one number from N(0, 1) for each pixel and sample, the same for all channels, and one learned
//! strength, zero at first (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 2.1).

use super::super::graph::NodeId;
use super::super::lowering::{Distribution, Initial, Lowering};
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, maps};

pub struct Noise;

impl Layer for Noise {
    fn name(&self) -> &'static str {
        "noise"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        let x = first(inputs)?;
        maps(x)?;
        Ok(x.clone())
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let mut shape = lowering.shape(x);
        if let Some(channels) = shape.get_mut(1) {
            *channels = 1;
        }
        let noise = lowering.randomness("noise", &shape, Distribution::Normal);
        let strength = lowering.weight("strength", &[1], Initial::Constant(0.0));
        let graph = &mut *lowering.graph;
        let strength = graph.reshape(strength, &[1, 1, 1, 1]);
        let scaled = graph.mul(noise, strength);
        Ok(graph.add(x, scaled))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn each_pixel_of_each_sample_has_its_own_noise_in_all_channels() {
        let trial = Trial::new("noise", &[&[2, 1, 2]]);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let found = trial.run(&[&x], &[("noise", &[1.0, 2.0, -1.0, 0.0]), ("strength", &[10.0])]);
        assert_close(&found, &[11.0, 22.0, 13.0, 24.0, -5.0, 6.0, -3.0, 8.0]);
        assert_eq!(trial.weights(), [("layer/strength".to_owned(), vec![1])]);
        trial.check_gradient();
        assert!(Trial::new("noise", &[&[3]]).refusal().contains("needs feature maps"));
    }
}
