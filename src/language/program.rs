//! A checked and expanded file: what the planner and the engine work on.

use super::value::{Axis, StepReference, Value};
use crate::source::Span;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a field means for the key of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Part of the result's identity.
    Identity,
    /// Identity, and data that weights are learned from.
    Training,
    /// Identity, and data that decide what is kept of a training and when it stops.
    Selection,
    /// Identity, and data that judge.
    Evaluation,
    /// How long to train: raising it continues from the last checkpoint.
    Horizon,
    /// Part of the identity; depends on the horizon.
    Schedule,
    /// How the work is done, never what comes out.
    Resource,
    /// How the result is titled, never what it holds. (Part of the key of steps that print it.)
    Cosmetic,
}

/// All steps of a file, in the order in which they stand.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The documentation at the head of the file (of its first `param` or block, where the file has none of its own).
    pub documentation: String,
    /// Values of the `param`s, as given or by default, for the report.
    pub params: Vec<(String, Value)>,
    pub steps: Vec<Step>,
    /// The sweeps, in the order in which they were expanded.
    pub families: Vec<Family>,
}

/// A sweep: the same recipe (or kind of block) once for every combination of the values of its axes.
#[derive(Clone, Debug)]
pub struct Family {
    /// `by_classes`; inside of another instance with what that is called before it.
    pub name: String,
    /// The recipe or kind, as written.
    pub of: String,
    pub axes: Vec<Axis>,
    pub instances: Vec<Instance>,
    /// The sweep's head, for messages.
    pub span: Span,
}

/// One combination.
#[derive(Clone, Debug)]
pub struct Instance {
    /// `by_classes[gan=cpd, seed=1001]`: the name of its only step, or what the names of its steps begin with before a dot.
    pub name: String,
    /// One label for each axis.
    pub labels: Vec<String>,
}

impl Instance {
    /// Whether a step of this name belongs to the instance.
    pub fn holds(&self, step: &str) -> bool {
        step.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// One block with every field known.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: String,
    pub kind: String,
    /// All fields of the kind in the order of its declaration, defaults written out.
    pub fields: Vec<StepField>,
    /// The block's head, for messages.
    pub span: Span,
    /// The folder of the file that is run, from which paths of weights count.
    pub folder: PathBuf,
}

#[derive(Clone, Debug)]
pub struct StepField {
    pub name: String,
    pub role: Role,
    pub value: Value,
    /// Where the value stands; the block's head for a default.
    pub span: Span,
    pub is_default: bool,
}

impl Step {
    pub fn field(&self, name: &str) -> Option<&StepField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The steps that this one reads, with the field that names them.
    pub fn references(&self) -> Vec<(&str, StepReference)> {
        self.fields
            .iter()
            .flat_map(|field| field.value.references().into_iter().map(|reference| (field.name.as_str(), reference)))
            .collect()
    }
}

impl Program {
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The steps by their names, for whoever asks for many of them.
    pub fn steps_by_name(&self) -> BTreeMap<&str, &Step> {
        self.steps.iter().map(|step| (step.name.as_str(), step)).collect()
    }
}
