//! The numbers of a network while it is trained.

use super::bound::defect;
use super::weight_file::fit;
use crate::diagnostic::Diagnostic;
use crate::network::layers::PROGRESS;
use crate::network::{Initial, NetworkProgram, WeightSpecification, WeightTable};
use crate::random::Key;
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// Every weight and running statistic of a network, in the order of its [`WeightTable`].
#[derive(Clone, Debug)]
pub struct Weights {
    pub specifications: Vec<WeightSpecification>,
    /// Their names as inputs of the graph.
    pub bindings: Vec<String>,
    pub values: Vec<Vec<f32>>,
}

impl Weights {
    /// The weights that a network begins with: those that its files hold, and all others drawn.
    ///
    /// # Errors
    /// Where a file cannot be read or does not fit: see [`fit`].
    pub fn begin(network: &NetworkProgram, table: &WeightTable, key: &Key) -> Result<Self, Diagnostic> {
        let mut weights = Self::initial(table, key);
        for mut fit in fit::fits(network, &table.specifications)? {
            fit.read(&mut |name, numbers| {
                let place = table.specifications.iter().position(|specification| specification.name == name);
                if let Some(values) = place.and_then(|place| weights.values.get_mut(place)) {
                    *values = numbers;
                }
            })?;
        }
        Ok(weights)
    }

    /// Drawn weights: each tensor by the key and its own name, so that adding a layer moves no other.
    pub fn initial(table: &WeightTable, key: &Key) -> Self {
        let values = table.specifications.iter().map(|specification| draw(specification, key)).collect();
        Self {
            specifications: table.specifications.clone(),
            bindings: table.specifications.iter().map(|specification| table.binding(&specification.name)).collect(),
            values,
        }
    }

    /// The weights that are learned.
    pub fn trainable(&self) -> impl Iterator<Item = (&WeightSpecification, &Vec<f32>)> {
        self.specifications.iter().zip(&self.values).filter(|(specification, _)| specification.trainable)
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.specifications.iter().position(|specification| specification.name == name)
    }

    /// Sets how much of its new branch a `fade` counts, from 0 to 1; `fade` is the path of its layer.
    pub fn set_progress(&mut self, fade: &str, progress: f32) {
        let name = format!("{fade}/{PROGRESS}");
        if let Some(values) = self.position(&name).and_then(|position| self.values.get_mut(position)) {
            values.fill(progress);
        }
    }

    /// Learned numbers move by average ← decay · average + (1 − decay) · weight; running statistics are taken over.
    pub fn approach(&mut self, weights: &Weights, decay: f32) {
        for ((specification, averages), values) in self.specifications.iter().zip(&mut self.values).zip(&weights.values) {
            if specification.trainable {
                for (average, value) in averages.iter_mut().zip(values) {
                    *average = decay * *average + (1.0 - decay) * value;
                }
            } else {
                averages.clone_from_slice(values);
            }
        }
    }

    /// As tensors by name, `prefix` put before each.
    pub fn write_tensors(&self, prefix: &str, tensors: &mut BTreeMap<String, Tensor>) -> Result<(), Diagnostic> {
        for (specification, values) in self.specifications.iter().zip(&self.values) {
            let tensor =
                Tensor::from_slice(values, specification.shape.as_slice(), &Device::Cpu).map_err(|error| unexpected(&error))?;
            tensors.insert(format!("{prefix}{}", specification.name), tensor);
        }
        Ok(())
    }

    /// Takes every weight from tensors by name; a missing one or one of another shape is an error.
    pub fn read_tensors(&mut self, prefix: &str, tensors: &BTreeMap<String, Tensor>) -> Result<(), Diagnostic> {
        for (specification, values) in self.specifications.iter().zip(&mut self.values) {
            let name = format!("{prefix}{}", specification.name);
            let tensor = tensors.get(&name).ok_or_else(|| mismatch(format!("the weight `{name}` is missing")))?;
            if tensor.dims() != specification.shape.as_slice() {
                return Err(mismatch(format!(
                    "the weight `{name}` has shape {:?}, but {:?} is due",
                    tensor.dims(),
                    specification.shape
                )));
            }
            *values = tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>()).map_err(|error| unexpected(&error))?;
        }
        Ok(())
    }
}

fn draw(specification: &WeightSpecification, key: &Key) -> Vec<f32> {
    let mut values = vec![0.0; specification.shape.iter().product()];
    match specification.initial {
        Initial::Constant(value) => values.fill(value as f32),
        Initial::Normal { deviation } => {
            key.with(&specification.name).fill_normal(&mut values);
            for value in &mut values {
                *value *= deviation as f32;
            }
        }
    }
    values
}

fn mismatch(message: String) -> Diagnostic {
    Diagnostic::error("E0652", message).help("the file was made by another network; remove it from the store and run again")
}

fn unexpected(error: &candle_core::Error) -> Diagnostic {
    defect(format!("weights cannot be turned into tensors: {error}"))
}
