//! Optimisers: settings from the file, state between steps.

use super::bound::defect;
use super::weights::Weights;
use crate::diagnostic::Diagnostic;
use crate::kernels::cpu::adam::{self, AdamSettings};
use crate::language::Value;
use crate::network::LayerArguments;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// The constructors of type `optimiser` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["adam"];

/// What `adam(rate, beta1, beta2, epsilon)` says.
pub fn adam_settings(value: &Value) -> Result<AdamSettings, Diagnostic> {
    match value {
        Value::Construction(construction) if construction.function == "adam" => {
            let arguments = LayerArguments(construction.arguments.clone());
            let number = |name: &str| arguments.number(name).map_err(|error| defect(error.message));
            Ok(AdamSettings {
                rate: number("rate")?,
                beta1: number("beta1")?,
                beta2: number("beta2")?,
                epsilon: number("epsilon")?,
                step: 0,
            })
        }
        other => Err(defect(format!("{other:?} is no optimiser; there are {}", CONSTRUCTORS.join(", ")))),
    }
}

/// Adam's first and second moments of every learned tensor, and how many steps were made.
#[derive(Clone, Debug)]
pub struct OptimiserState {
    settings: AdamSettings,
    /// Positions in the [`Weights`] that are learned; gradients come in this order.
    positions: Vec<usize>,
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
}

impl OptimiserState {
    pub fn new(settings: AdamSettings, weights: &Weights) -> Self {
        let positions: Vec<usize> = weights.trainable().collect();
        let zeros: Vec<Vec<f32>> =
            positions.iter().filter_map(|position| weights.values.get(*position)).map(|values| vec![0.0; values.len()]).collect();
        Self { settings, positions, first: zeros.clone(), second: zeros }
    }

    /// One step: `gradient(i)` is the gradient of the i-th learned tensor. Where an average is kept, it moves by
    /// average ← decay · average + (1 − decay) · weight in the same pass.
    pub fn step<'g>(
        &mut self,
        weights: &mut Weights,
        gradient: impl Fn(usize) -> &'g [f32],
        mut average: Option<(&mut Weights, f32)>,
    ) {
        self.settings.step += 1;
        for (index, position) in self.positions.iter().enumerate() {
            let (Some(values), Some(first), Some(second)) =
                (weights.values.get_mut(*position), self.first.get_mut(index), self.second.get_mut(index))
            else {
                continue;
            };
            let average = average
                .as_mut()
                .and_then(|(average, decay)| average.values.get_mut(*position).map(|values| (values.as_mut_slice(), *decay)));
            adam::step(values, gradient(index), first, second, average, &self.settings);
        }
    }

    pub fn write_tensors(
        &self,
        prefix: &str,
        weights: &Weights,
        tensors: &mut BTreeMap<String, Tensor>,
    ) -> Result<(), Diagnostic> {
        for (moment, values) in [("first", &self.first), ("second", &self.second)] {
            for (position, values) in self.positions.iter().zip(values) {
                let Some(specification) = weights.specifications.get(*position) else { continue };
                let tensor = Tensor::from_slice(values, values.len(), &Device::Cpu)
                    .map_err(|error| defect(format!("moments cannot be turned into tensors: {error}")))?;
                tensors.insert(format!("{prefix}{moment}/{}", specification.name), tensor);
            }
        }
        Ok(())
    }

    pub fn read_tensors(
        &mut self,
        prefix: &str,
        weights: &Weights,
        tensors: &BTreeMap<String, Tensor>,
        step: u64,
    ) -> Result<(), Diagnostic> {
        for (moment, all) in [("first", &mut self.first), ("second", &mut self.second)] {
            for (position, values) in self.positions.iter().zip(all) {
                let Some(specification) = weights.specifications.get(*position) else { continue };
                let name = format!("{prefix}{moment}/{}", specification.name);
                let read = tensors
                    .get(&name)
                    .and_then(|tensor| tensor.to_vec1::<f32>().ok())
                    .filter(|read| read.len() == values.len())
                    .ok_or_else(|| defect(format!("the checkpoint has no usable `{name}`")))?;
                *values = read;
            }
        }
        self.settings.step = step;
        Ok(())
    }
}
