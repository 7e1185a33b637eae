//! `synth check FILE`: every mistake that can be found without running.

use super::{Exit, FileArguments, Format};
use crate::plan;
use crate::source::Sources;

#[derive(Debug, clap::Args)]
pub struct Check {
    #[command(flatten)]
    file: FileArguments,
}

impl Check {
    pub fn run(&self) -> Exit {
        let mut sources = Sources::default();
        let mut checked = self.file.check(&mut sources);
        if let Some(Err(problem)) = checked.program.as_ref().map(plan::Plan::new) {
            checked.diagnostics.push(problem);
            checked.program = None;
        }
        // Whoever reads an array or a log gets one in any case.
        self.file.print(&checked.diagnostics, &sources);
        let Some(program) = checked.program else { return Exit::Failure };
        if self.file.format == Format::Fancy {
            let count = program.steps.len();
            println!("ok: {count} {}", if count == 1 { "block" } else { "blocks" });
        }
        Exit::Success
    }
}
