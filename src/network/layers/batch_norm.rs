//! Batch normalisation (Ioffe and Szegedy 2015): every channel has mean 0 and variance 1 over batch and space, then a learned
//! scale and shift. In inference the running mean and (unbiased) variance are used.

use super::super::graph::NodeId;
use super::super::lowering::{Initial, Lowering, Mode};
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::normalisation::{affine, inverse_deviation, moments};
use super::{Layer, first, input, per_channel};

pub struct BatchNorm;

impl Layer for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let momentum = arguments.number("momentum")?;
        let epsilon = arguments.number("epsilon")?;
        let shape = lowering.shape(x);
        let spread = per_channel(&shape);
        let channels = *shape.get(1).ok_or_else(|| ShapeError::new("there is no channel to normalise"))?;
        let running_mean = lowering.state("running_mean", &[channels], Initial::Constant(0.0));
        let running_variance = lowering.state("running_variance", &[channels], Initial::Constant(1.0));
        let [mean, variance] = match lowering.mode {
            Mode::Training => {
                let axes: Vec<usize> = (0..shape.len()).filter(|axis| *axis != 1).collect();
                let [mean, variance] = moments(lowering.graph, x, &axes);
                let count = (shape.iter().product::<usize>() / channels.max(1)) as f64;
                let unbiased = lowering.graph.scale(variance, count / (count - 1.0).max(1.0));
                for (name, old, new) in [("running_mean", running_mean, mean), ("running_variance", running_variance, unbiased)] {
                    let new = lowering.graph.reshape(new, &[channels]);
                    let part = lowering.graph.scale(new, momentum);
                    let rest = lowering.graph.scale(old, 1.0 - momentum);
                    let value = lowering.graph.add(rest, part);
                    lowering.update_state(name, value);
                }
                [mean, variance]
            }
            Mode::Inference => [running_mean, running_variance].map(|state| lowering.graph.reshape(state, &spread)),
        };
        // What is multiplied channel by channel is put together before it meets the pixels.
        let inverse = inverse_deviation(lowering.graph, variance, epsilon);
        let centred = lowering.graph.sub(x, mean);
        let Some([scale, shift]) = affine(lowering, x, arguments)? else { return Ok(lowering.graph.mul(centred, inverse)) };
        let factor = lowering.graph.mul(inverse, scale);
        let scaled = lowering.graph.mul(centred, factor);
        Ok(lowering.graph.add(scaled, shift))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lowering::Mode;
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn the_batch_is_normalised_in_training_and_by_running_statistics_after_it() {
        let trial = Trial::new("batch_norm", &[&[1, 1, 2]]).number("momentum", 0.1).number("epsilon", 0.0);
        let mut trial = trial.flag("affine", true);
        let weights: [(&str, &[f64]); 4] =
            [("scale", &[1.0]), ("shift", &[10.0]), ("running_mean", &[1.0]), ("running_variance", &[4.0])];
        let x = [0.0, 0.0, 2.0, 2.0];
        assert_close(&trial.run(&[&x], &weights), &[9.0, 9.0, 11.0, 11.0]);
        assert_close(&trial.update("layer/running_mean", &[&x], &weights), &[1.0]);
        assert_close(&trial.update("layer/running_variance", &[&x], &weights), &[0.9 * 4.0 + 0.1 * 4.0 / 3.0]);
        trial.check_gradient();
        trial.mode = Mode::Inference;
        assert_close(&trial.run(&[&x], &weights), &[9.5, 9.5, 10.5, 10.5]);
        let bare = Trial::new("batch_norm", &[&[2]]).number("momentum", 0.1).number("epsilon", 1e-5).flag("affine", false);
        assert_eq!(bare.weights().len(), 2);
    }
}
