//! The state of a training between two steps: tensors by name and facts as JSON, in one safetensors file.

use crate::diagnostic::Diagnostic;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

/// The one metadata entry. safetensors writes metadata in the order of a hash map, so more than one would not be the same bytes twice.
const ENTRY: &str = "synth";

/// Tensors and facts, on disk or on their way there.
#[derive(Clone, Debug)]
pub struct Checkpoint<F> {
    pub tensors: BTreeMap<String, Tensor>,
    pub facts: F,
}

impl<F: Serialize + DeserializeOwned> Checkpoint<F> {
    /// Writes the file; the same content is the same bytes.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let facts = serde_json::to_string(&self.facts)?;
        let bytes =
            safetensors::serialize(&self.tensors, Some(HashMap::from([(ENTRY.to_owned(), facts)]))).map_err(io::Error::other)?;
        std::fs::write(path, bytes)
    }

    /// Reads a file that [`Checkpoint::write`] made.
    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error.to_string()))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| unreadable(path, &error.to_string()))?;
        let facts = metadata
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get(ENTRY))
            .ok_or_else(|| unreadable(path, "it does not say what it holds"))?;
        let facts = serde_json::from_str(facts).map_err(|error| unreadable(path, &error.to_string()))?;
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|error| unreadable(path, &error.to_string()))?
            .into_iter()
            .collect();
        Ok(Self { tensors, facts })
    }
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error("E0653", format!("the weights in {} cannot be read: {why}", path.display()))
        .help("remove the file and run again; synth makes it anew")
}
