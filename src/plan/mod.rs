//! Program to graph of steps, and what each step's key is. In comes a checked [`Program`](crate::language::Program), out
//! goes an order in which steps can run and, as far as results are known, whether a step is in the store and why not.
//! Knows the store, to look things up; starts nothing.

mod canonical;
mod difference;
mod estimate;
mod external;
mod graph;
mod instance;
mod key;
mod layers;
mod reason;
mod resolved;
mod shown;
mod survey;

pub use difference::{Changed, Difference, FieldChange, Named, Renamed, Rerun};
pub use estimate::{Estimate, estimate};
pub use external::{ExternalInputs, LookedAt, Watch};
pub use graph::Plan;
pub use instance::{Instance, family, listed};
pub use key::{KEY_SCHEMA, Key, KeyInputs, Ports};
pub use layers::{LayerChange, NetworkChange};
pub use reason::{Change, changes, reason};
pub use resolved::{resolved, resolved_step};
pub use shown::{shown, shown_reference};
pub use survey::{
    State, Survey, Surveyed, continues_from, horizon, key_of, no_kind, provenance_fields, provenance_params, resolve, survey,
};
