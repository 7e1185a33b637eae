//! The report: one self-contained HTML page with claims, tables, images, curves, the graph of steps and the conditions of
//! every number, and the same tables as text for the terminal.
//!
//! In come finished steps ([`Artefact`]s with their files) and what is known of the file; out goes a string. The page asks
//! the network for nothing, needs no script, and holds neither times nor host names: equal inputs give equal bytes. Nothing
//! here knows of keys, the cache or training; it reads the files that other steps have written.
//!
//! `page` puts the sections together, each section is one file with a function `section`, and drawings go through `svg`.

pub mod attribution;
mod axes;
mod claims;
mod conditions;
mod curve;
mod data;
pub mod fidelity;
pub mod figure;
mod forest;
mod graph;
mod layout;
mod line;
mod nearest;
pub mod neighbours;
mod number;
mod page;
mod picture;
pub mod privacy;
mod reading;
mod results;
mod roc;
mod samples;
mod scale;
mod study;
mod style;
mod svg;
mod sweeps;
pub mod table;
pub mod terminal;
#[cfg(test)]
mod tests;
mod training;

pub use graph::Graph;
pub use page::render;
pub use study::Study;

#[cfg(doc)]
use crate::steps::Artefact;
