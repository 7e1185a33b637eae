//! Tree to program: names, types, units, ranges, evaluation, and the expansion of network blocks.
//! In comes a file with its imports, out goes a [`Program`] or diagnostics. Knows nothing of the store or the engine.

mod admit;
mod arguments;
mod blocks;
mod check;
mod collections;
mod conditions;
mod consequences;
mod cycles;
mod declarations;
mod describe;
mod evaluate;
mod expand;
mod families;
mod frames;
mod functions;
mod index;
mod layer_calls;
mod library;
mod mismatch;
mod modules;
mod names;
mod needs;
mod networks;
mod operators;
mod order;
mod params;
mod pretrained;
mod program;
mod references;
mod resolution;
mod scope;
mod sizes;
mod static_value;
mod sweeps;
mod tables;
#[cfg(test)]
mod tests;
mod trace;
mod types;
mod units;
mod unused;
mod value;
mod walk;

pub use check::{CheckOptions, Checked, check};
pub use declarations::{Native, declarations, implemented_functions};
pub use describe::{NetworkRequest, expand_network, is_standard_module, networks, no_network, standard_module};

pub use program::{Family, Instance, Program, Role, Step, StepField};
pub use resolution::{NameUse, definitions};
pub use tables::Crossing;
pub use value::{Axis, Comparison, Condition, Construction, Dimension, Quantity, ResultCell, Results, StepReference, Value};
