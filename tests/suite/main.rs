//! The whole program as its users meet it: files in, exit status, words and files out. One binary, so that it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod architectures;
mod attribution;
mod cache;
mod chapters;
mod check;
mod conformance;
mod describe;
mod dicom;
mod divergence;
mod fidelity;
mod growth;
mod judging;
mod laboratory;
mod mutation;
mod neighbours;
mod parity;
mod phantoms;
mod privacy;
mod radiographs;
mod resume;
mod sampling;
mod selection;
mod sources;
mod stop_rule;
mod sweeps;
mod tools;
mod weights;
