//! The design of a study: what is wrong with an experiment although every block of it is right. In comes a checked
//! [`Program`], out come diagnostics; nothing is run. [`check`] is the whole check of a file, from text to design.
//!
//! Fields say in `stdlib/prelude.synth` what they are to a study: `training` data shape weights, `selection` data decide what
//! is kept and when to stop, `evaluation` data judge. The rules here know only these roles, not the kinds of block.

mod leaks;
mod origins;
mod seeds;
#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, Severity};
use crate::language::{self, CheckOptions, Checked, Program};
use crate::source::{FileId, Sources};
use crate::steps;
use origins::Origins;

/// Checks a file with all that it uses: its language, what each kind of step can know of its fields before it runs, and the
/// design of the study.
pub fn check(sources: &mut Sources, file: FileId, options: &CheckOptions<'_>) -> Checked {
    let mut checked = language::check(sources, file, options);
    if let Some(program) = &checked.program {
        let found = mistakes(program);
        let failed = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        checked.diagnostics.extend(found);
        if failed {
            checked.program = None;
        }
    }
    checked
}

/// Everything that is wrong with the steps of a program and with its design.
fn mistakes(program: &Program) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for step in &program.steps {
        let Some(kind) = steps::find(&step.kind) else { continue };
        found.extend(kind.check(step));
        found.extend(kind.check_within(step, program));
    }
    let origins = Origins::of(program);
    found.extend(leaks::check(program, &origins));
    found.extend(leaks::chosen_on_training_data(program, &origins));
    found.extend(seeds::check(program));
    once(found)
}

/// Instances of a recipe meet the same mistake at the same place: it is told for the first of them.
fn once(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = std::collections::BTreeSet::new();
    let key = |diagnostic: &Diagnostic| (diagnostic.code, diagnostic.labels.first().map(|label| label.span));
    found.into_iter().filter(|diagnostic| seen.insert(key(diagnostic))).collect()
}
