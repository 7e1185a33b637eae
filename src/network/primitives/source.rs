//! Nodes without inputs: what is fed, and a number everywhere.

use super::{Kernel, Primitive};
use crate::network::graph::{Graph, NodeId};

/// A tensor that is fed when the graph is run.
#[derive(Debug)]
pub struct Input {
    pub name: String,
    pub shape: Vec<usize>,
}

/// One number everywhere.
#[derive(Debug)]
pub struct Constant {
    pub value: f64,
    pub shape: Vec<usize>,
}

impl Primitive for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn shape(&self, _: &[&[usize]]) -> Vec<usize> {
        self.shape.clone()
    }

    fn gradient(&self, _: &mut Graph, _: NodeId, _: &[NodeId], _: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        Vec::new()
    }

    fn input_name(&self) -> Option<&str> {
        Some(&self.name)
    }
}

impl Primitive for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn shape(&self, _: &[&[usize]]) -> Vec<usize> {
        self.shape.clone()
    }

    fn gradient(&self, _: &mut Graph, _: NodeId, _: &[NodeId], _: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        Vec::new()
    }

    fn constant(&self) -> Option<f64> {
        Some(self.value)
    }
}

impl Kernel for Input {}

impl Kernel for Constant {}
