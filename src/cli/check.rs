//! `synth check FILE`: every mistake that can be found without running.

use super::{Exit, FileArguments};
use crate::plan;

#[derive(Debug, clap::Args)]
pub struct Check {
    #[command(flatten)]
    file: FileArguments,
}

impl Check {
    pub fn run(&self) -> Exit {
        let pipeline = match self.file.load() {
            Ok(pipeline) => pipeline,
            Err(exit) => return exit,
        };
        if let Err(problem) = plan::Plan::new(&pipeline.program) {
            self.file.print(&[problem], &pipeline.sources);
            return Exit::Failure;
        }
        if self.file.format == super::Format::Fancy {
            let count = pipeline.program.steps.len();
            println!("ok: {count} {}", if count == 1 { "block" } else { "blocks" });
        } else if pipeline.warnings == 0 {
            // Whoever reads the array gets one in any case.
            println!("[]");
        }
        Exit::Success
    }
}
