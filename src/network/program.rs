//! What a network block comes to once names, sizes, loops and calls are resolved: a list of layer calls. It is what
//! keys are made of, what a checkpoint carries so that it can be used alone, and what is lowered.

use crate::language::{Construction, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A shape without the batch dimension: `[channels, height, width]` or `[length]`.
pub type Shape = Vec<usize>;

/// Which tensor of a network: first its inputs, then the outputs of its layers, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TensorId(pub usize);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkProgram {
    /// Where it was defined: `std.gan.cpd.generator`. For people; not part of keys.
    pub name: String,
    /// Its tensor inputs in the order and by the names of the kind of block that uses it: `z`, `y`.
    pub inputs: Vec<(String, Shape)>,
    /// In an order in which every input is there before it is read.
    pub calls: Vec<LayerCall>,
    pub output: TensorId,
    /// The paths of the calls that have a name of their own: `densenet121/features/conv0`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub named: BTreeSet<String>,
    /// Weights that it begins with instead of drawing them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<GivenWeights>,
}

/// Weights that a network, or a part of it, takes from a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenWeights {
    /// The path of the call whose weights they are; the network's own name where they are all of its weights.
    pub at: String,
    /// Where the file lies. Not part of keys: its content is.
    pub path: PathBuf,
    /// As the file of the study says: `pretrained(path = "densenet121.pth", …)`.
    pub source: Construction,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerCall {
    /// A registered layer: `conv`, `add`.
    pub layer: String,
    /// Where it stands: `generator/for.stage=3/conv_0`. Weights are named by it: `generator/for.stage=3/conv_0/weight`.
    pub path: String,
    pub inputs: Vec<TensorId>,
    /// The static arguments in the order of declaration, defaults written out.
    pub arguments: LayerArguments,
    /// Shape of the output for one image.
    pub shape: Shape,
}

/// Static arguments of a layer call.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct LayerArguments(pub Vec<(String, Value)>);

/// Why a layer cannot be applied to these shapes, in words: found, expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ShapeError {
    pub message: String,
    pub help: Option<String>,
}

impl ShapeError {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }
}

impl NetworkProgram {
    /// The shape of a tensor, without the batch.
    pub fn shape(&self, id: TensorId) -> Option<&Shape> {
        match id.0.checked_sub(self.inputs.len()) {
            None => self.inputs.get(id.0).map(|(_, shape)| shape),
            Some(index) => self.calls.get(index).map(|call| &call.shape),
        }
    }

    /// The file that a weight is taken from: that of the innermost part that has one.
    pub fn source_of(&self, weight: &str) -> Option<&GivenWeights> {
        let holds = |given: &&GivenWeights| weight.strip_prefix(given.at.as_str()).is_some_and(|rest| rest.starts_with('/'));
        self.given.iter().filter(holds).max_by_key(|given| given.at.len())
    }

    /// The names that calls on the way from the part `at` to a layer were given, outermost first.
    pub fn names_between<'p>(&self, at: &str, path: &'p str) -> Vec<&'p str> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]).filter(|end| *end > at.len());
        let called = ends.filter_map(|end| path.get(..end)).filter(|call| self.named.contains(*call));
        called.filter_map(|call| call.rsplit('/').next()).collect()
    }

    pub fn output_shape(&self) -> Option<&Shape> {
        self.shape(self.output)
    }
}

impl LayerArguments {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// A whole number that is not negative; the declaration's type and range have been checked before.
    pub fn size(&self, name: &str) -> Result<usize, ShapeError> {
        match self.get(name) {
            Some(Value::Integer(value)) if *value >= 0 => Ok(*value as usize),
            other => Err(ShapeError::new(format!("`{name}` must be a whole number, not {other:?}"))),
        }
    }

    /// Sizes for rows and columns: one whole number for both, or a list of two.
    pub fn pair(&self, name: &str) -> Result<[usize; 2], ShapeError> {
        if let Some(Value::List(values)) = self.get(name)
            && let [Value::Integer(rows), Value::Integer(columns)] = values.as_slice()
            && *rows >= 0
            && *columns >= 0
        {
            return Ok([*rows as usize, *columns as usize]);
        }
        self.size(name).map(|size| [size; 2])
    }

    pub fn flag(&self, name: &str) -> Result<bool, ShapeError> {
        match self.get(name) {
            Some(Value::Boolean(value)) => Ok(*value),
            other => Err(ShapeError::new(format!("`{name}` must be `true` or `false`, not {other:?}"))),
        }
    }

    pub fn number(&self, name: &str) -> Result<f64, ShapeError> {
        match self.get(name) {
            Some(Value::Integer(value)) => Ok(*value as f64),
            Some(Value::Number(value)) => Ok(*value),
            Some(Value::Quantity(quantity)) => Ok(quantity.value),
            other => Err(ShapeError::new(format!("`{name}` must be a number, not {other:?}"))),
        }
    }
}
