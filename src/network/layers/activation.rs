//! Elementwise activations: `relu`, `leaky_relu`, `tanh`, `sigmoid`. The shape stays.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

/// An activation: its name and the primitive it becomes.
pub struct Activation {
    name: &'static str,
    apply: fn(&mut Lowering<'_>, NodeId, &LayerArguments) -> Result<NodeId, ShapeError>,
}

pub const RELU: Activation = Activation { name: "relu", apply: |lowering, x, _| Ok(lowering.graph.relu(x)) };
pub const TANH: Activation = Activation { name: "tanh", apply: |lowering, x, _| Ok(lowering.graph.tanh(x)) };
pub const SIGMOID: Activation = Activation { name: "sigmoid", apply: |lowering, x, _| Ok(lowering.graph.sigmoid(x)) };
pub const LEAKY_RELU: Activation = Activation {
    name: "leaky_relu",
    apply: |lowering, x, arguments| {
        let slope = arguments.number("slope")?;
        Ok(lowering.graph.leaky_relu(x, slope))
    },
};

impl Layer for Activation {
    fn name(&self) -> &'static str {
        self.name
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        (self.apply)(lowering, input(inputs, 0)?, arguments)
    }
}
