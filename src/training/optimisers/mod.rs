//! Optimisers: one file and one line in [`ALL`] for each. A file holds the formula with its source as a rule for one number
//! ([`crate::kernels::cpu::update::Rule`]); what is shared is here: reading the file's settings, the state between steps, and
//! the one pass over memory that moves all weights together with their running average.

mod adam;
mod adamw;
mod sgd;
#[cfg(test)]
mod tests;

use super::bound::defect;
use super::divergence::of_gradient;
use super::weights::Weights;
use crate::diagnostic::Diagnostic;
use crate::kernels::cpu::update::{self, Rule, Tensor as Moved};
use crate::language::Value;
use crate::network::{LayerArguments, ShapeError};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The settings of an optimiser, and the formula of its step.
pub trait Optimiser: std::fmt::Debug + Send + Sync {
    /// What is kept for each weight from step to step; checkpoints name tensors by it.
    fn moments(&self) -> &'static [&'static str];

    /// The learning rate.
    fn rate(&self) -> f64;

    /// The same optimiser with another learning rate; what it remembers of the weights stays as it is.
    fn at_rate(&self, rate: f64) -> Arc<dyn Optimiser>;

    /// Step `number`, from 1: runs the rule over everything, and gives what the pass gives.
    fn step(&self, number: u64, pass: Pass<'_, '_>) -> Option<usize>;
}

type Constructor = fn(&LayerArguments) -> Result<Arc<dyn Optimiser>, ShapeError>;

/// The constructors of type `optimiser`.
const ALL: &[(&str, Constructor)] = &[
    ("adam", |arguments| Ok(Arc::new(adam::Adam::new(arguments)?))),
    ("adamw", |arguments| Ok(Arc::new(adamw::AdamW::new(arguments)?))),
    ("sgd", |arguments| Ok(Arc::new(sgd::Sgd::new(arguments)?))),
];

/// The names of the constructors that are implemented.
pub fn constructors() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

/// The optimiser that a field says.
pub fn from_value(value: &Value) -> Result<Arc<dyn Optimiser>, Diagnostic> {
    let unknown = || defect(format!("{value:?} is no optimiser; there are {}", constructors().collect::<Vec<_>>().join(", ")));
    let Value::Construction(construction) = value else { return Err(unknown()) };
    let (_, made) = ALL.iter().find(|(name, _)| *name == construction.function).ok_or_else(unknown)?;
    made(&LayerArguments(construction.arguments.clone())).map_err(|error| defect(error.message))
}

/// What one step moves.
pub struct Pass<'a, 'g> {
    weights: &'a mut Weights,
    /// The gradient of the i-th learned tensor; empty where it is not moved.
    gradient: &'a dyn Fn(usize) -> &'g [f32],
    /// By moment, then by learned tensor.
    moments: &'a mut [Vec<Vec<f32>>],
    average: Option<(&'a mut Weights, f32)>,
}

impl Pass<'_, '_> {
    /// Moves every learned number that has a gradient by the rule. The answer is the first learned tensor of which a number would have become
    /// infinite or no number; such a one keeps its value.
    pub fn run<R: Rule<N>, const N: usize>(self, rule: &R) -> Option<usize> {
        let (average, decay) = self.average.map_or((None, 0.0), |(average, decay)| (Some(average), decay));
        let mut averages = average.map(|average| average.values.iter_mut());
        let mut moments: Vec<_> = self.moments.iter_mut().map(|moment| moment.iter_mut()).collect();
        let mut tensors = Vec::with_capacity(self.weights.values.len());
        let mut learned = Vec::with_capacity(self.weights.values.len());
        let mut index = 0;
        for (specification, weights) in self.weights.specifications.iter().zip(&mut self.weights.values) {
            let average = averages.as_mut().and_then(Iterator::next);
            if !specification.trainable {
                continue;
            }
            let gradient = (self.gradient)(index);
            let mut next = moments.iter_mut().map(|moment| moment.next().map_or(&mut [][..], Vec::as_mut_slice));
            let moments = std::array::from_fn(|_| next.next().unwrap_or_default());
            index += 1;
            if !gradient.is_empty() {
                learned.push(index - 1);
                tensors.push(Moved { weights, gradient, moments, average: average.map(Vec::as_mut_slice) });
            }
        }
        update::step(rule, tensors, decay).and_then(|tensor| learned.get(tensor).copied())
    }
}

/// An optimiser and what it remembers of every learned tensor.
#[derive(Clone, Debug)]
pub struct OptimiserState {
    optimiser: Arc<dyn Optimiser>,
    /// By moment, then by learned tensor in the order of the weights.
    moments: Vec<Vec<Vec<f32>>>,
    /// Steps made.
    steps: u64,
}

impl OptimiserState {
    pub fn new(optimiser: Arc<dyn Optimiser>, weights: &Weights) -> Self {
        let zeros: Vec<Vec<f32>> = weights.trainable().map(|(_, values)| vec![0.0; values.len()]).collect();
        Self { moments: vec![zeros; optimiser.moments().len()], optimiser, steps: 0 }
    }

    /// Steps made since the moments were 0.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Forgets all that was remembered.
    pub fn forget(&mut self) {
        self.moments.iter_mut().flatten().for_each(|moment| moment.fill(0.0));
        self.steps = 0;
    }

    /// Goes on with another learning rate.
    pub fn set_rate(&mut self, rate: f64) {
        if self.optimiser.rate() != rate {
            self.optimiser = self.optimiser.at_rate(rate);
        }
    }

    /// One step: `gradient(i)` is the gradient of the i-th learned tensor, which stays as it is where that is empty. Where an average is kept, it moves by
    /// average ← decay · average + (1 − decay) · weight in the same pass.
    ///
    /// # Errors
    /// What is to be said where a number would have become infinite or no number. Such a one keeps its value.
    pub fn step<'g>(
        &mut self,
        weights: &mut Weights,
        gradient: &dyn Fn(usize) -> &'g [f32],
        average: Option<(&mut Weights, f32)>,
    ) -> Result<(), String> {
        self.steps += 1;
        let pass = Pass { weights: &mut *weights, gradient, moments: &mut self.moments, average };
        match self.optimiser.step(self.steps, pass) {
            None => Ok(()),
            Some(index) => {
                let name = weights.trainable().nth(index).map_or("", |(weight, _)| weight.name.as_str());
                Err(of_gradient(name, gradient(index)))
            }
        }
    }

    /// What every remembered tensor is called in a checkpoint: moment by moment.
    fn names(&self, prefix: &str, weights: &Weights) -> Vec<String> {
        let of_moment = |moment: &&str| {
            let name = |weight: &str| format!("{prefix}{moment}/{weight}");
            weights.trainable().map(|(weight, _)| name(&weight.name)).collect::<Vec<_>>()
        };
        self.optimiser.moments().iter().flat_map(of_moment).collect()
    }

    pub fn write_tensors(
        &self,
        prefix: &str,
        weights: &Weights,
        tensors: &mut BTreeMap<String, Tensor>,
    ) -> Result<(), Diagnostic> {
        for (name, values) in self.names(prefix, weights).into_iter().zip(self.moments.iter().flatten()) {
            let tensor = Tensor::from_slice(values, values.len(), &Device::Cpu)
                .map_err(|error| defect(format!("moments cannot be turned into tensors: {error}")))?;
            tensors.insert(name, tensor);
        }
        Ok(())
    }

    pub fn read_tensors(
        &mut self,
        prefix: &str,
        weights: &Weights,
        tensors: &BTreeMap<String, Tensor>,
        steps: u64,
    ) -> Result<(), Diagnostic> {
        for (name, values) in self.names(prefix, weights).into_iter().zip(self.moments.iter_mut().flatten()) {
            let read = tensors
                .get(&name)
                .and_then(|tensor| tensor.to_vec1::<f32>().ok())
                .filter(|read| read.len() == values.len())
                .ok_or_else(|| defect(format!("the checkpoint has no usable `{name}`")))?;
            *values = read;
        }
        self.steps = steps;
        Ok(())
    }
}
