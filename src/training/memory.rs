//! How much memory the training of a network takes, known from the network alone.

use super::lone_step::{LoneStep, lone_step};
use crate::kernels::cpu::planned_numbers;
use crate::network::{self, NetworkProgram, ShapeError};

/// Memory of a training step in bytes, numbers being 32 bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingMemory {
    /// Images in a step.
    pub batch: usize,
    /// What is learned, and running statistics.
    pub weights: u64,
    /// One number for each that is learned.
    pub gradients: u64,
    /// Adam's two moments of each number that is learned.
    pub optimiser: u64,
    /// A second copy of the weights, where a running average is kept.
    pub average: u64,
    /// Inputs, and the buffers that the forward and the backward pass share by plan.
    pub activations: u64,
}

impl TrainingMemory {
    pub fn total(&self) -> u64 {
        self.weights + self.gradients + self.optimiser + self.average + self.activations
    }
}

/// What a [`lone_step`] and Adam take. The buffers are planned as for a run, and not allocated. What a block adds is not in it: the other network of a `gan`, and penalties.
///
/// # Errors
/// When a layer cannot be lowered for this batch.
pub fn training_memory(program: &NetworkProgram, batch: usize, averaged: bool) -> Result<TrainingMemory, ShapeError> {
    let LoneStep { graph, table, outputs, .. } = lone_step(program, batch)?;
    let numbers = |shapes: &mut dyn Iterator<Item = &network::Shape>| -> u64 {
        shapes.map(|shape| shape.iter().map(|size| *size as u64).product::<u64>()).sum()
    };
    let weights = numbers(&mut table.specifications.iter().map(|weight| &weight.shape));
    let learned = table.parameter_count() as u64;
    let fed = numbers(&mut program.inputs.iter().map(|(_, shape)| shape)) * batch as u64
        + numbers(&mut table.randomness.iter().map(|input| &input.shape));
    let buffers = (planned_numbers(&graph, &outputs) as u64).saturating_sub(learned);
    let bytes = size_of::<f32>() as u64;
    Ok(TrainingMemory {
        batch,
        weights: weights * bytes,
        gradients: learned * bytes,
        optimiser: 2 * learned * bytes,
        average: if averaged { weights * bytes } else { 0 },
        activations: (fed + buffers) * bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Construction, Value};
    use crate::network::{LayerArguments, LayerCall, TensorId};

    /// `x |> dense(6)` on 10 numbers.
    fn program() -> NetworkProgram {
        let weights =
            Value::Construction(Construction { function: "he".into(), arguments: vec![("gain".into(), Value::Number(1.0))] });
        let arguments = LayerArguments(vec![("outputs".into(), Value::Integer(6)), ("weights".into(), weights)]);
        let call =
            LayerCall { layer: "dense".into(), path: "net/dense_0".into(), inputs: vec![TensorId(0)], arguments, shape: vec![6] };
        NetworkProgram {
            name: "net".into(),
            inputs: vec![("x".into(), vec![10])],
            calls: vec![call],
            output: TensorId(1),
            ..NetworkProgram::default()
        }
    }

    #[test]
    fn memory_is_what_can_be_counted_by_hand() {
        let memory = training_memory(&program(), 8, true).expect("the network is lowered");
        assert_eq!((memory.weights, memory.gradients, memory.optimiser, memory.average), (240, 240, 480, 240));
        // 8 × 10 inputs and 8 × 6 outputs at least; the plan rounds places up.
        assert!(memory.activations >= 4 * 128, "{memory:?}");
        assert_eq!(memory.total(), 1200 + memory.activations);
    }

    #[test]
    fn activations_grow_with_the_batch_and_nothing_else_does() {
        let [small, large] = [8, 800].map(|batch| training_memory(&program(), batch, false).expect("the network is lowered"));
        assert!(large.activations > 50 * small.activations, "{small:?} {large:?}");
        assert_eq!((small.weights, small.optimiser, small.average), (large.weights, large.optimiser, 0));
    }
}
