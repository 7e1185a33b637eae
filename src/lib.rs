//! Synth: a whole study with synthetic medical images is one file, and this is the program that checks, plans and runs it.
//!
//! Text goes down through pure stages to a plan; an engine carries the plan out over a store; results come back as
//! artefacts that reports read. The stages, in the order that data passes them:
//!
//! 1. [`source`] reads files and knows where every character is.
//! 2. [`syntax`] turns text into a tree that keeps comments and survives mistakes.
//! 3. [`language`] resolves names, types, units and ranges, and expands the tree to a [`language::Program`].
//!    [`study`] looks at the design of the whole: what has learned from what, and what judges it.
//! 4. [`network`] holds what a network block says: a flat list of layers with shapes, lowered to a graph of primitives.
//! 5. [`plan`] makes a graph of steps from a program and gives each step its key.
//! 6. [`store`] keeps blobs by their content, records by their key, and checkpoints of long steps.
//! 7. [`engine`] runs what is not in the store, in order, with progress, interruption and a journal.
//! 8. [`steps`] is what each kind of block does; it draws on [`data`], [`training`], [`features`], [`metrics`] and [`report`].
//! 9. [`autodiff`] and [`kernels`] turn a graph of primitives into gradients and into numbers.
//!
//! [`mod@format`] lays files out, and [`mod@reference`] shows what declarations say of themselves. [`diagnostic`] is the one form of
//! every message to the user, [`random`] the one source of chance, and [`cli`] the commands; nothing imports `cli`.
//! `docs/architecture.md` has the map, and the few places where types are shared upwards.

pub mod autodiff;
pub mod cli;
pub mod data;
pub mod diagnostic;
pub mod engine;
pub mod features;
pub mod format;
pub mod kernels;
pub mod language;
pub mod metrics;
pub mod network;
pub mod plan;
pub mod random;
pub mod reference;
pub mod report;
pub mod source;
pub mod steps;
pub mod store;
pub mod study;
pub mod syntax;
pub mod training;
