//! Runs a trained network in inference mode, batch by batch.

use super::bound::{BoundExecutable, defect};
use super::feeds;
use super::model::Model;
use super::randomness::Randomness;
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::network::graph::Graph;
use crate::network::{self, Mode, WeightTable};
use crate::random::Key;
use std::ops::Range;

/// Writes the values of an input (the second argument) for a range of samples.
type Fill<'f> = dyn FnMut(Range<usize>, usize, &mut [f32]) + 'f;
/// Takes the outputs of a batch, whose first sample is given.
type Each<'e> = dyn FnMut(usize, &[f32]) -> Result<(), Diagnostic> + 'e;

/// A network compiled for a fixed batch.
pub struct Predictor {
    executable: BoundExecutable,
    weights: Vec<Vec<f32>>,
    batch: usize,
    /// Numbers of one sample in each input, then in the output.
    input_lengths: Vec<usize>,
    output_length: usize,
    randomness: Randomness,
}

impl Predictor {
    pub fn new(model: &Model, batch: usize) -> Result<Self, Diagnostic> {
        let mut graph = Graph::default();
        let mut table = WeightTable::new("weights:");
        let mut names = Vec::new();
        let mut inputs = Vec::new();
        for (name, shape) in &model.network.inputs {
            let batched: Vec<usize> = std::iter::once(batch).chain(shape.iter().copied()).collect();
            inputs.push(graph.input(name, &batched));
            names.push(name.clone());
        }
        let output = network::lower(&model.network, &mut graph, batch, Mode::Inference, &inputs, &mut table)
            .map_err(|error| defect(format!("a trained network cannot be run: {error}")))?;
        let output_length = graph.shape(output).iter().skip(1).product();
        let bindings: Vec<String> = model.weights.specifications.iter().map(|weight| table.binding(&weight.name)).collect();
        let randomness = Randomness::new(&table.randomness);
        let executable = BoundExecutable::new(&graph, &[output], &[&names, &bindings, &randomness.bindings()])?;
        let input_lengths = model.network.inputs.iter().map(|(_, shape)| shape.iter().product()).collect();
        Ok(Self { executable, weights: model.weights.values.clone(), batch, input_lengths, output_length, randomness })
    }

    /// The outputs of `count` samples. `fill(samples, input, buffer)` writes the values of an input for a range of samples;
    /// what stands behind the last sample of the last batch is left as it is and its outputs are dropped. Layers that draw
    /// (noise) do so by the key and the sample's number.
    pub fn run(&mut self, count: usize, key: &Key, fill: &mut Fill<'_>, each: &mut Each<'_>) -> Result<(), Diagnostic> {
        let mut buffers: Vec<Vec<f32>> = self.input_lengths.iter().map(|length| vec![0.0; length * self.batch]).collect();
        for start in (0..count).step_by(self.batch.max(1)) {
            let samples = start..(start + self.batch).min(count);
            for (index, (buffer, length)) in buffers.iter_mut().zip(&self.input_lengths).enumerate() {
                if let Some(part) = buffer.get_mut(..samples.len() * length) {
                    fill(samples.clone(), index, part);
                }
            }
            self.randomness.fill_samples(key, samples.clone());
            self.executable.run(&[&buffers, &self.weights, &self.randomness.buffers])?;
            let made = samples.len() * self.output_length;
            each(start, self.executable.output(0).get(..made).unwrap_or_default())?;
        }
        Ok(())
    }

    /// The outputs for all images of a shard, row after row: `[n, outputs]`. The network takes images only.
    pub fn scores(&mut self, shard: &Shard) -> Result<Vec<f32>, Diagnostic> {
        let mut scores = Vec::with_capacity(shard.len() * self.output_length);
        self.run(
            shard.len(),
            &Key::new(0).with("scores"),
            &mut |samples, _, buffer| feeds::fill_images(shard, &samples.collect::<Vec<_>>(), buffer),
            &mut |_, output| {
                scores.extend_from_slice(output);
                Ok(())
            },
        )?;
        Ok(scores)
    }

    /// Uses other weights from now on, in the order of the model's.
    pub fn replace_weights(&mut self, values: &[Vec<f32>]) {
        self.weights.clone_from_slice(values);
    }
}
