//! The same elements under another shape.

use super::{Kernel, Primitive};
use crate::network::graph::{Graph, NodeId};

#[derive(Debug)]
pub struct Reshape {
    pub shape: Vec<usize>,
}

impl Primitive for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let same = inputs[0].iter().product::<usize>() == self.shape.iter().product::<usize>();
        assert!(same, "reshape of {:?} to {:?}", inputs[0], self.shape);
        self.shape.clone()
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, _: &[bool]) -> Vec<Option<NodeId>> {
        let shape = graph.shape(inputs[0]).to_vec();
        vec![Some(graph.reshape(g, &shape))]
    }

    fn is_view(&self) -> bool {
        true
    }
}

impl Kernel for Reshape {}
