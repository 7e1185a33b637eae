//! `synth version`: what a bug report should quote.

use super::Exit;
use crate::plan::KEY_SCHEMA;

pub fn run() -> Exit {
    println!(
        "synth {} ({} {}, keys of schema {KEY_SCHEMA})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    Exit::Success
}
