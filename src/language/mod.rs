//! Tree to program: names, types, units, ranges, evaluation, and the expansion of network blocks.
//! In comes a file with its imports, out goes a [`Program`] or diagnostics. Knows nothing of the store or the engine.

mod program;
mod value;

pub use program::{Program, Role, Step, StepField};
pub use value::{Comparison, Condition, Construction, Dimension, Quantity, StepReference, Value};
