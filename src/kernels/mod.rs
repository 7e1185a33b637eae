//! The hot operations: what a graph of primitives spends its time in, written for the hardware.
//!
//! In come plain slices and the numbers that describe them (shapes, strides, settings); out come filled slices. Nothing
//! here knows of graphs' meaning, of the language or of training. It is the only place where `unsafe` is allowed, each
//! time with its reason; so [`Mapped`] lies here too.

#![allow(unsafe_code, clippy::indexing_slicing, clippy::panic)] // sizes are checked where a kernel is entered

pub mod cpu;
mod mapped;

pub use mapped::Mapped;
