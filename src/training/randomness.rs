//! The random inputs of a graph (dropout, noise) and what they are filled with: numbers keyed by the input's name and by the
//! step or the sample, so that they depend neither on how a training was cut into runs nor on batches and threads.

use crate::network::{Distribution, RandomInput};
use crate::random::Key;
use std::ops::Range;

#[derive(Clone, Debug)]
pub struct Randomness {
    inputs: Vec<RandomInput>,
    /// In the order of [`Randomness::bindings`].
    pub buffers: Vec<Vec<f32>>,
}

impl Randomness {
    pub fn new(inputs: &[RandomInput]) -> Self {
        let buffers = inputs.iter().map(|input| vec![0.0; input.shape.iter().product()]).collect();
        Self { inputs: inputs.to_vec(), buffers }
    }

    /// Their names as inputs of the graph.
    pub fn bindings(&self) -> Vec<String> {
        self.inputs.iter().map(|input| input.binding.clone()).collect()
    }

    /// New numbers for a training step.
    pub fn fill_step(&mut self, key: &Key, step: u64) {
        for (input, buffer) in self.inputs.iter().zip(&mut self.buffers) {
            draw(input.distribution, &key.with(&input.binding).with_index(step), buffer);
        }
    }

    /// New numbers for some samples, each by its own number.
    pub fn fill_samples(&mut self, key: &Key, samples: Range<usize>) {
        for (input, buffer) in self.inputs.iter().zip(&mut self.buffers) {
            let key = key.with(&input.binding);
            let length: usize = input.shape.iter().skip(1).product();
            for (sample, part) in samples.clone().zip(buffer.chunks_mut(length.max(1))) {
                draw(input.distribution, &key.with_index(sample as u64), part);
            }
        }
    }
}

fn draw(distribution: Distribution, key: &Key, numbers: &mut [f32]) {
    match distribution {
        Distribution::Uniform => key.fill_uniform(numbers),
        Distribution::Normal => key.fill_normal(numbers),
    }
}
