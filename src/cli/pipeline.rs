//! A file from the command line, checked.

use super::looking::Looking;
use super::{Exit, FileArguments, Format, StoreArguments, say};
use crate::diagnostic::{self, Diagnostic};
use crate::language::{CheckOptions, Checked, Program, Step};
use crate::plan::{Instance, Plan, Survey, family, listed, provenance_params, survey};
use crate::source::{FileId, Sources};
use crate::steps::{self, PipelineFacts};
use crate::store::Store;
use crate::study::check;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file without mistakes.
pub struct Pipeline {
    pub sources: Sources,
    pub program: Program,
    pub facts: PipelineFacts,
    /// What is doubtful in it, though nothing is wrong.
    pub warnings: Vec<Diagnostic>,
}

impl FileArguments {
    /// Reads and checks the file. With an error all messages are printed and there is no pipeline.
    pub fn load(&self) -> Result<Pipeline, Exit> {
        self.load_from(Sources::default())
    }

    /// The same, with files read as the sources say.
    pub fn load_from(&self, mut sources: Sources) -> Result<Pipeline, Exit> {
        let checked = self.check(&mut sources);
        let Some(program) = checked.program else {
            self.print(&checked.diagnostics, &sources);
            return Err(Exit::Failure);
        };
        let facts = PipelineFacts {
            file_name: self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            documentation: program.documentation.clone(),
            params: provenance_params(&program),
        };
        Ok(Pipeline { sources, program, facts, warnings: checked.diagnostics })
    }

    /// A line for each warning, before the work of a command begins; `check` shows where and why.
    pub fn mention_warnings(&self, pipeline: &Pipeline) {
        for warning in &pipeline.warnings {
            eprintln!("warning[{}]: {}; `synth check` shows where", warning.code, warning.message);
        }
    }

    /// Reads and checks the file, and prints nothing.
    pub fn check(&self, sources: &mut Sources) -> Checked {
        let file = match sources.read(&self.file) {
            Ok(file) => file,
            Err(error) => return Checked { program: None, diagnostics: vec![error] },
        };
        self.check_file(sources, file)
    }

    /// Checks a text in place of the file's own.
    pub fn check_file(&self, sources: &mut Sources, file: FileId) -> Checked {
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
            Format::Json => say(&render(diagnostic::Format::Json)),
            Format::Sarif => say(&render(diagnostic::Format::Sarif)),
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
        Ok(plan.with_needs(&self.named(names)?))
    }

    /// The steps that the names mean, in the order of the file: the one of that name, or all instances of a sweep.
    pub fn named(&self, names: &[String]) -> Result<Vec<usize>, Vec<Diagnostic>> {
        let (mut found, mut unknown) = (BTreeSet::new(), Vec::new());
        for name in names {
            let exact = self.program.steps.iter().position(|step| step.name == *name);
            let given = Instance::of(name);
            let steps = self.program.steps.iter().enumerate();
            let meant: Vec<usize> = match exact {
                Some(step) => vec![step],
                None => steps.filter(|(_, step)| given.means(&Instance::of(&step.name))).map(|(index, _)| index).collect(),
            };
            if meant.is_empty() {
                unknown.push(unknown_step(name, &self.program));
            }
            found.extend(meant);
        }
        if unknown.is_empty() { Ok(found.into_iter().collect()) } else { Err(unknown) }
    }

    /// Looks up in the store the steps with these names and all that they need. Changes nothing in it.
    pub fn survey(&self, store: &StoreArguments, names: &[String]) -> Result<Survey, Vec<Diagnostic>> {
        let plan = Plan::new(&self.program).map_err(|problem| vec![problem])?;
        let wanted = self.wanted(&plan, names)?;
        let store = Store::at(&store.store).map_err(|problem| vec![problem])?;
        let looking = Looking::begin();
        let watch = |step: &Step, done, total| looking.at(step, done, total);
        survey(&self.program, &plan, &wanted, &store, &self.facts, &steps::find, &watch)
    }
}

fn unknown_step(name: &str, program: &Program) -> Diagnostic {
    // Instances of a sweep are listed by what they share.
    let names: BTreeSet<String> = program.steps.iter().map(|step| family(&step.name)).collect();
    let given = family(name);
    let nearest = names.iter().map(|known| (strsim::damerau_levenshtein(&given, known), known)).min();
    let ordered: Vec<String> = program.steps.iter().map(|step| family(&step.name)).collect();
    let mut listed: Vec<&str> = Vec::new();
    for name in &ordered {
        if !listed.contains(&name.as_str()) {
            listed.push(name);
        }
    }
    let diagnostic = Diagnostic::error("E0611", format!("the file has no block `{name}`"))
        .note(format!("its blocks are: {}", listed.join(", ")));
    let diagnostic = axes(name, program).into_iter().fold(diagnostic, Diagnostic::note);
    match nearest {
        Some((0, known)) => diagnostic.help(format!("`{known}` is there, but not with these values in the brackets")),
        Some((distance, known)) if distance <= 1 + given.chars().count() / 3 => {
            diagnostic.help(format!("did you mean `{known}`?"))
        }
        _ => diagnostic.help("name one of these; the name of a sweep means all of its steps"),
    }
}

/// The values of each axis of the sweep that a name means, where the sweep is there and the values are not.
fn axes(name: &str, program: &Program) -> Vec<String> {
    let given = Instance { axes: Vec::new(), ..Instance::of(name) };
    let mut axes: Vec<(String, Vec<String>)> = Vec::new();
    for (axis, value) in
        program.steps.iter().map(|step| Instance::of(&step.name)).filter(|it| given.means(it)).flat_map(|it| it.axes)
    {
        match axes.iter_mut().find(|(known, _)| *known == axis) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => axes.push((axis, vec![value])),
        }
    }
    axes.into_iter().map(|(axis, values)| format!("{axis}: {}", listed(values.iter().map(String::as_str)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn an_unknown_step_is_answered_with_the_nearest() {
        let step = |name: &str| Step {
            name: name.into(),
            kind: "gan".into(),
            fields: vec![],
            span: Span::default(),
            folder: Default::default(),
        };
        let program = Program { steps: vec![step("chest"), step("model")], ..Program::default() };
        assert_eq!(unknown_step("modle", &program).help.unwrap(), "did you mean `model`?");
        assert!(unknown_step("xyz", &program).help.unwrap().contains("one of these"));
        let program = Program { steps: vec![step("many[seed=1].gap"), step("many[seed=2].gap")], ..Program::default() };
        assert_eq!(unknown_step("many[seed=9]", &program).notes[1], "seed: 1, 2");
    }
}
