//! Batch normalisation (Ioffe and Szegedy 2015): every channel has mean 0 and variance 1 over batch and space, then a learned
//! scale and shift. In inference the running mean and (unbiased) variance are used.

use super::super::graph::NodeId;
use super::super::lowering::{Initial, Lowering, Mode};
use super::super::program::{LayerArguments, Shape, ShapeError};
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
        let scale = lowering.weight("scale", &[channels], Initial::Constant(1.0));
        let shift = lowering.weight("shift", &[channels], Initial::Constant(0.0));
        let running_mean = lowering.state("running_mean", &[channels], 0.0);
        let running_variance = lowering.state("running_variance", &[channels], 1.0);
        let normalised = match lowering.mode {
            Mode::Training => {
                let axes: Vec<usize> = (0..shape.len()).filter(|axis| *axis != 1).collect();
                let graph = &mut *lowering.graph;
                let mean = graph.mean(x, &axes, true);
                let centred = graph.sub(x, mean);
                let squares = graph.square(centred);
                let variance = graph.mean(squares, &axes, true);
                let shifted = graph.shift(variance, epsilon);
                let deviation = graph.sqrt(shifted);
                let count = (shape.iter().product::<usize>() / channels.max(1)) as f64;
                let unbiased = graph.scale(variance, count / (count - 1.0).max(1.0));
                for (name, old, new) in [("running_mean", running_mean, mean), ("running_variance", running_variance, unbiased)] {
                    let new = lowering.graph.reshape(new, &[channels]);
                    let part = lowering.graph.scale(new, momentum);
                    let rest = lowering.graph.scale(old, 1.0 - momentum);
                    let value = lowering.graph.add(rest, part);
                    lowering.update_state(name, value);
                }
                lowering.graph.div(centred, deviation)
            }
            Mode::Inference => {
                let graph = &mut *lowering.graph;
                let mean = graph.reshape(running_mean, &spread);
                let variance = graph.reshape(running_variance, &spread);
                let shifted = graph.shift(variance, epsilon);
                let deviation = graph.sqrt(shifted);
                let centred = graph.sub(x, mean);
                graph.div(centred, deviation)
            }
        };
        let graph = &mut *lowering.graph;
        let scale = graph.reshape(scale, &spread);
        let shift = graph.reshape(shift, &spread);
        let scaled = graph.mul(normalised, scale);
        Ok(graph.add(scaled, shift))
    }
}
