//! A network block, expanded: a flat list of layers with shapes ([`NetworkProgram`]), and its lowering to the [`graph`]
//! of primitives for a batch. The language stage fills the list by asking each layer for its shape; this stage knows
//! layers and primitives, and nothing of text, steps or data.

mod describe;
pub mod graph;
pub mod growth;
pub mod layers;
pub mod listing;
pub mod lowering;
pub mod primitives;
mod program;
mod resampling;

pub use describe::{Description, LayerDescription, describe};
pub use lowering::{Distribution, Initial, Lowering, Mode, RandomInput, WeightSpecification, WeightTable, lower, weights};
pub use program::{GivenWeights, LayerArguments, LayerCall, NetworkProgram, Shape, ShapeError, TensorId};
