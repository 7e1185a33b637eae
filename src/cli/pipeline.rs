//! A file from the command line, checked.

use super::{Exit, FileArguments, Format};
use crate::diagnostic::{self, Diagnostic};
use crate::language::{CheckOptions, Checked, Program, check};
use crate::plan::{Plan, provenance_params};
use crate::source::Sources;
use crate::steps::PipelineFacts;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file without mistakes.
pub struct Pipeline {
    pub sources: Sources,
    pub program: Program,
    pub facts: PipelineFacts,
}

impl FileArguments {
    /// Reads and checks the file. All messages are printed; with an error there is no pipeline.
    pub fn load(&self) -> Result<Pipeline, Exit> {
        let mut sources = Sources::default();
        let checked = self.check(&mut sources);
        if !checked.diagnostics.is_empty() {
            self.print(&checked.diagnostics, &sources);
        }
        let program = checked.program.ok_or(Exit::Failure)?;
        let facts = PipelineFacts {
            file_name: self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            documentation: program.documentation.clone(),
            params: provenance_params(&program),
        };
        Ok(Pipeline { sources, program, facts })
    }

    /// Reads and checks the file, and prints nothing.
    pub fn check(&self, sources: &mut Sources) -> Checked {
        let file = match sources.read(&self.file) {
            Ok(file) => file,
            Err(error) => return Checked { program: None, diagnostics: vec![error] },
        };
        let options = CheckOptions {
            params: self.params.clone(),
            environment: &|name| std::env::var(name).ok(),
            base: self.file.parent().map(Path::to_path_buf).unwrap_or_default(),
        };
        check(sources, file, &options)
    }

    /// Prints messages in the chosen format: for people to standard error, for programs to standard output.
    pub fn print(&self, diagnostics: &[Diagnostic], sources: &Sources) {
        let render = |format| diagnostic::render(diagnostics, sources, format);
        match self.format {
            Format::Fancy => eprint!("{}", render(diagnostic::Format::for_standard_error())),
            Format::Json => print!("{}", render(diagnostic::Format::Json)),
            Format::Sarif => print!("{}", render(diagnostic::Format::Sarif)),
        }
    }

    /// The stem of the file's name: `quickstart`.
    pub fn stem(&self) -> PathBuf {
        self.file.file_stem().map(PathBuf::from).unwrap_or_else(|| PathBuf::from("pipeline"))
    }
}

impl Pipeline {
    /// The steps with these names and all that they need; all steps where none is named. E0611 for an unknown name.
    pub fn wanted(&self, plan: &Plan, names: &[String]) -> Result<BTreeSet<usize>, Vec<Diagnostic>> {
        if names.is_empty() {
            return Ok(plan.order().iter().copied().collect());
        }
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        for name in names {
            match self.program.steps.iter().position(|step| step.name == *name) {
                Some(step) => found.push(step),
                None => unknown.push(unknown_step(name, &self.program)),
            }
        }
        if unknown.is_empty() { Ok(plan.with_needs(&found)) } else { Err(unknown) }
    }
}

fn unknown_step(name: &str, program: &Program) -> Diagnostic {
    let names = || program.steps.iter().map(|step| step.name.as_str());
    let nearest = names().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    let diagnostic = Diagnostic::error("E0611", format!("the file has no block `{name}`"))
        .note(format!("its blocks are: {}", names().collect::<Vec<_>>().join(", ")));
    match nearest {
        Some((distance, known)) if distance <= 1 + name.chars().count() / 3 => {
            diagnostic.help(format!("did you mean `{known}`?"))
        }
        _ => diagnostic.help("name one of these, or none to run all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Step;
    use crate::source::Span;

    #[test]
    fn an_unknown_step_is_answered_with_the_nearest() {
        let step = |name: &str| Step { name: name.into(), kind: "gan".into(), fields: vec![], span: Span::default() };
        let program = Program { steps: vec![step("chest"), step("model")], ..Program::default() };
        assert_eq!(unknown_step("modle", &program).help.unwrap(), "did you mean `model`?");
        assert!(unknown_step("xyz", &program).help.unwrap().contains("one of these"));
    }
}
