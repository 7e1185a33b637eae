//! The stage's entry: reads what a file uses, evaluates its params and blocks, and gives a program or all mistakes.

use super::admit::Slot;
use super::blocks::BlockState;
use super::expand::Expansion;
use super::frames::{Frame, head};
use super::functions::Environment;
use super::modules::{Loader, Modules};
use super::names;
use super::networks::NetworkKey;
use super::program::{self, Program};
use super::scope::Scope;
use super::static_value::{Names, Static};
use super::sweeps::{self, Family};
use super::value::Value;
use super::{consequences, cycles, params, resolution, tables};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::network::NetworkProgram;
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::{self, DeclarationKind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a check depends on besides the text.
pub struct CheckOptions<'e> {
    /// `-p name=value` in the order in which they were given, as text.
    pub params: Vec<(String, String)>,
    /// The environment that `env("NAME")` sees.
    pub environment: &'e dyn Fn(&str) -> Option<String>,
    /// Where `use "file.synth"` counts from in a text that is no file.
    pub base: PathBuf,
}

/// A program, or why there is none. Warnings may stand beside a program.
#[derive(Clone, Debug)]
pub struct Checked {
    pub program: Option<Program>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks one file with all that it uses. The only files read are those that `use` names; the outcome depends on nothing
/// but texts and options. Ends on any input: evaluation and expansion have limits.
pub fn check(sources: &mut Sources, file: FileId, options: &CheckOptions<'_>) -> Checked {
    let (mut modules, diagnostics) = Loader::new(sources, &options.base).load(file);
    check_modules(sources, &mut modules, diagnostics, options)
}

/// Checks a file that has been read with all that it uses; `diagnostics` are those of reading.
pub(super) fn check_modules(
    sources: &Sources,
    modules: &mut Modules,
    mut diagnostics: Vec<Diagnostic>,
    options: &CheckOptions<'_>,
) -> Checked {
    names::index(modules, &mut diagnostics);
    let modules = &*modules;
    let mut checker = Checker::new(sources, modules, options);
    for diagnostic in diagnostics {
        checker.report(diagnostic);
    }
    checker.expand_file();
    let (program_params, steps) = (params::check(&mut checker), checker.check_blocks());
    checker.check_declarations();
    checker.check_frames();
    cycles::check(&mut checker);
    resolution::check(&mut checker);
    let documentation = modules.get(modules.main).map(|module| documentation(&module.tree)).unwrap_or_default();
    let families = checker.families.iter().map(family).collect();
    let mut diagnostics = std::mem::take(&mut checker.diagnostics);
    consequences::drop(&mut diagnostics, modules, sources);
    let failed = |diagnostics: &[Diagnostic]| diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let program = match (program_params, steps) {
        (Some(params), Some(steps)) if !failed(&diagnostics) => Some(Program { documentation, params, steps, families }),
        _ => None,
    };
    diagnostics.extend(program.iter().flat_map(tables::mistakes));
    let program = program.filter(|_| !failed(&diagnostics));
    Checked { program, diagnostics }
}

/// A sweep as the rest of the program knows it.
fn family(family: &Family<'_>) -> program::Family {
    let instance =
        |instance: &sweeps::Instance<'_>| program::Instance { name: instance.name.clone(), labels: instance.labels.clone() };
    program::Family {
        name: family.name.clone(),
        of: family.block.kind.node.clone(),
        axes: family.axes.clone(),
        instances: family.instances.iter().map(instance).collect(),
        span: head(family.block),
    }
}

/// The documentation of a file: its own, else that of its first `use`, `param` or block that has some.
fn documentation(tree: &ast::File) -> String {
    if !tree.documentation.is_empty() {
        return tree.documentation.clone();
    }
    let head = tree.declarations.iter().find(|declaration| {
        !declaration.documentation.is_empty()
            && matches!(declaration.kind, DeclarationKind::Use(_) | DeclarationKind::Param(_) | DeclarationKind::Block(_))
    });
    head.map(|declaration| declaration.documentation.clone()).unwrap_or_default()
}

/// The value of a `param` or `let`, once it was asked for.
pub(super) enum Definition<'a> {
    InProgress,
    Known(Static<'a>),
}

/// All that is known while one file is checked. The parts of the work are methods in files of their own.
pub(super) struct Checker<'a> {
    pub sources: &'a Sources,
    pub modules: &'a Modules,
    pub environment: Environment<'a>,
    /// The folder from which paths count.
    pub base: &'a Path,
    pub given_params: &'a [(String, String)],
    pub diagnostics: Vec<Diagnostic>,
    seen: BTreeSet<(&'static str, Option<Span>, String)>,
    /// Every step of the expanded file.
    pub blocks: Vec<BlockState<'a>>,
    /// Blocks by the names of their steps.
    pub indices: BTreeMap<String, usize>,
    /// The file and the instances of recipes.
    pub frames: Vec<Frame<'a>>,
    /// The sweeps.
    pub families: Vec<Family<'a>>,
    /// What asked for the instance in which the current block stands, for messages.
    pub context: Vec<Label>,
    /// By module, frame and name.
    pub definitions: BTreeMap<((usize, usize), &'a str), Definition<'a>>,
    /// Functions and networks that are being evaluated, innermost last.
    pub calls: Vec<(usize, &'a str)>,
    /// The network that is being expanded.
    pub expansion: Option<Expansion>,
    /// Networks that have been expanded without a word.
    pub networks: BTreeMap<NetworkKey<'a>, Arc<NetworkProgram>>,
    pub steps_left: u64,
    depth: usize,
}

/// Expressions, statements and elements that one check may evaluate.
const MOST_STEPS: u64 = 1_000_000;
/// How deep expressions and calls may nest.
const DEEPEST: usize = 100;

impl<'a> Checker<'a> {
    fn new(sources: &'a Sources, modules: &'a Modules, options: &'a CheckOptions<'_>) -> Self {
        Self {
            sources,
            modules,
            environment: options.environment,
            base: &options.base,
            given_params: &options.params,
            diagnostics: Vec::new(),
            seen: BTreeSet::new(),
            blocks: Vec::new(),
            indices: BTreeMap::new(),
            frames: Vec::new(),
            families: Vec::new(),
            context: Vec::new(),
            definitions: BTreeMap::new(),
            calls: Vec::new(),
            expansion: None,
            networks: BTreeMap::new(),
            steps_left: MOST_STEPS,
            depth: 0,
        }
    }

    /// Adds a message once, even where a loop or a second use of a network meets the same mistake again.
    /// Mistakes inside a network that is being expanded also show what asked for it.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        let follows_from_sizes = diagnostic.code.starts_with("E03") || ["E0210", "E0222", "E0223"].contains(&diagnostic.code);
        if let Some(expansion) = self.expansion.as_ref().filter(|_| follows_from_sizes) {
            diagnostic.labels.extend(expansion.context.iter().cloned());
        }
        // A mistake in a recipe is one, however many instances meet it and whatever each of them calls its blocks.
        let message = if self.context.is_empty() { diagnostic.message.clone() } else { String::new() };
        for label in &self.context {
            if !diagnostic.labels.iter().any(|known| known.span == label.span) {
                diagnostic.labels.push(label.clone());
            }
        }
        let key = (diagnostic.code, diagnostic.labels.first().map(|label| label.span), message);
        if self.seen.insert(key) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Takes from the allowance of work; `false` when it is used up, which is reported once.
    pub fn spend(&mut self, steps: u64, span: Span) -> bool {
        if self.steps_left == 0 {
            return false;
        }
        self.steps_left = self.steps_left.saturating_sub(steps);
        if self.steps_left == 0 {
            self.report(
                Diagnostic::error("E0222", format!("checking this file takes more than {MOST_STEPS} steps"))
                    .label(span, "stopped here")
                    .help("shorten the ranges that `for` runs over, or the lists"),
            );
        }
        self.steps_left > 0
    }

    /// Runs `work` one level deeper, or reports that nesting has no end in sight.
    pub fn nested<R>(&mut self, span: Span, otherwise: R, work: impl FnOnce(&mut Self) -> R) -> R {
        if self.depth >= DEEPEST {
            self.report(
                Diagnostic::error("E0222", format!("more than {DEEPEST} levels are nested here"))
                    .label(span, "too deep")
                    .help("give parts of it names of their own with `let`, `fn` or `network`"),
            );
            return otherwise;
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    /// The text of a place if it is short enough to quote, as "`text`".
    pub fn quoted(&self, span: Span) -> Option<String> {
        let text = self.sources.text(span);
        (!text.is_empty() && text.chars().count() <= 40 && !text.contains('\n')).then(|| format!("`{text}`"))
    }

    /// The name of a block's step.
    pub fn block_name(&self, block: usize) -> Option<String> {
        self.blocks.get(block).map(|state| state.name.clone())
    }

    /// The block of a step's name.
    pub fn block_index(&self, name: &str) -> Option<usize> {
        self.indices.get(name).copied()
    }

    /// What was found, in words, with the names of blocks.
    pub fn found(&self, value: &Static<'a>) -> String {
        let kind_and_name =
            |block: usize| self.blocks.get(block).map(|state| (state.block.kind.node.as_str(), state.block.name.node.as_str()));
        match value {
            Static::Block(block) => match kind_and_name(*block) {
                Some((kind, name)) => format!("the {kind} `{name}`"),
                None => value.found(),
            },
            Static::Port { block, port } => match (kind_and_name(*block), self.port_type(*block, port)) {
                (Some((_, name)), Some(made)) => format!("`{name}.{port}`, which holds {made}"),
                _ => value.found(),
            },
            Static::Quantity(quantity) => {
                format!("`{}`, {}", super::units::shown(self.modules, quantity), super::units::words(&quantity.dimension))
            }
            _ => value.found(),
        }
    }

    /// The finished form of an admitted value. `None` after a mistake, and for what can only be used while checking, which
    /// is reported.
    pub fn finish(&mut self, value: Static<'a>, r#type: &super::types::Type<'a>, slot: &Slot<'_>) -> Option<Value> {
        if value.is_poison() {
            return None;
        }
        let found = self.found(&value);
        let finished = {
            let block = |block| self.block_name(block);
            let family = |family| self.family(family).map(|family| family.name.clone());
            value.into_value(r#type, &Names { block: &block, family: &family })
        };
        if finished.is_none() {
            self.report(
                Diagnostic::error("E0207", format!("`{}` cannot be {found}", slot.name))
                    .label(slot.span, "no value that can be kept")
                    .help("networks, ranges and results are named where they are used"),
            );
        }
        finished
    }

    /// The scope of a module's own declarations.
    pub fn module_scope(&self, module: usize) -> Scope<'a> {
        Scope::new(module)
    }
}
