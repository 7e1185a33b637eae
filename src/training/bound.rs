//! An executable whose inputs have been found once among groups of named buffers, so that a training step looks up nothing.

use crate::diagnostic::Diagnostic;
use crate::kernels::cpu::Executable;
use crate::network::graph::{Graph, NodeId};

pub struct BoundExecutable {
    executable: Executable<f32>,
    /// For each input of the executable: which group, and which buffer of the group.
    slots: Vec<(usize, usize)>,
}

impl BoundExecutable {
    /// Compiles the outputs of a graph; every input must be named in one of the groups.
    pub fn new(graph: &Graph, outputs: &[NodeId], groups: &[&[String]]) -> Result<Self, Diagnostic> {
        let executable = Executable::compile(graph, outputs);
        let slots = executable
            .bindings()
            .iter()
            .map(|binding| {
                groups
                    .iter()
                    .enumerate()
                    .find_map(|(group, names)| names.iter().position(|name| name == binding).map(|index| (group, index)))
                    .ok_or_else(|| defect(format!("the training step has no value for its input `{binding}`")))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { executable, slots })
    }

    /// Runs once. The groups are those of [`BoundExecutable::new`], buffer for name.
    pub fn run(&mut self, groups: &[&[Vec<f32>]]) -> Result<(), Diagnostic> {
        let inputs: Vec<&[f32]> = self
            .slots
            .iter()
            .map(|(group, index)| groups.get(*group).and_then(|buffers| buffers.get(*index)).map(Vec::as_slice))
            .collect::<Option<_>>()
            .ok_or_else(|| defect("a training step is given fewer buffers than it was made for".into()))?;
        self.executable.run(&inputs);
        Ok(())
    }

    pub fn output(&self, index: usize) -> &[f32] {
        self.executable.output(index)
    }

    /// An output of one number.
    pub fn scalar(&self, index: usize) -> f64 {
        self.output(index).first().map_or(f64::NAN, |value| f64::from(*value))
    }
}

/// A contradiction that no input should be able to reach.
pub fn defect(message: String) -> Diagnostic {
    Diagnostic::error("E0699", message).help("this is a defect of synth itself: please report it with the file that you ran")
}
