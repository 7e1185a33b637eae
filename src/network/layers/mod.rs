//! The layers that a network block may call: one file and one line in [`all`] for each. Names, parameters, ranges and
//! documentation are declared in `stdlib/prelude.synth` (`native layer`); here stand shape, weights and lowering.
//! Arithmetic on tensors is layers too: `add`, `subtract`, `multiply`, `divide`, `negate` (see `arithmetic`); these
//! four have no declaration, being operators.

use super::graph::NodeId;
use super::lowering::Lowering;
use super::program::{LayerArguments, Shape, ShapeError};

/// What a layer must know of itself.
pub trait Layer: Sync {
    /// As declared: `conv`.
    fn name(&self) -> &'static str;

    /// The shape of the output for inputs of these shapes, batch left out, or why there is none.
    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError>;

    /// Adds the layer's primitives to the graph. Inputs carry the batch as their first dimension: `[n, c, h, w]`, `[n, k]`.
    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError>;
}

/// The layer of a name.
pub fn find(name: &str) -> Option<&'static dyn Layer> {
    all().iter().copied().find(|layer| layer.name() == name)
}

/// Every layer.
pub fn all() -> &'static [&'static dyn Layer] {
    &[]
}
