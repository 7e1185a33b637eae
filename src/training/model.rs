//! A trained network that can be used alone: weights, the network itself, and what its inputs and outputs mean.

use super::bound::defect;
use super::checkpoint::Checkpoint;
use super::weights::Weights;
use crate::diagnostic::Diagnostic;
use crate::network::{self, NetworkProgram};
use crate::random::Key;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is written beside the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ModelFacts {
    network: NetworkProgram,
    label_names: Vec<String>,
}

/// A network with its weights.
#[derive(Clone, Debug)]
pub struct Model {
    pub network: NetworkProgram,
    pub weights: Weights,
    /// The findings, in the order of the label vector.
    pub label_names: Vec<String>,
}

impl Model {
    pub fn write(&self, path: &Path) -> Result<(), Diagnostic> {
        // Where the network was defined and what its weights began with is not what it is; it would change digests for nothing.
        let network = NetworkProgram { name: String::new(), named: BTreeSet::new(), given: Vec::new(), ..self.network.clone() };
        let facts = ModelFacts { network, label_names: self.label_names.clone() };
        let mut tensors = BTreeMap::new();
        self.weights.write_tensors("", &mut tensors)?;
        Checkpoint { tensors, facts }.write(path).map_err(|error| {
            Diagnostic::error("E0654", format!("{} cannot be written: {error}", path.display()))
                .help("look at the room and the rights on that disk, then run again")
        })
    }

    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let Checkpoint { tensors, facts } = Checkpoint::<ModelFacts>::read(path)?;
        let table =
            network::weights(&facts.network).map_err(|error| defect(format!("a stored network is not valid: {error}")))?;
        let mut weights = Weights::initial(&table, &Key::new(0));
        weights.read_tensors("", &tensors)?;
        Ok(Self { network: facts.network, weights, label_names: facts.label_names })
    }
}
