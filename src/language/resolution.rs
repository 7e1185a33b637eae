//! What every name of a file means, found without evaluating anything: where it is defined and what that says of itself.
//! Two things come of one walk: the definitions, for whoever shows or renames them, and the mistakes in functions, networks
//! and recipes that nothing uses and that evaluation therefore never meets.

use super::check::Checker;
use super::evaluate::{unknown_member, unknown_name};
use super::expand::no_return;
use super::frames::unknown_kind;
use super::modules::{Item, Loader, Modules};
use super::names::{self, with_suggestion};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::{
    self, Argument, Block, DeclarationKind, Expression, ExpressionKind, Parameter, Recipe, Statement, StatementKind, Type,
    TypeKind,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A name where it is used, and what it means there.
#[derive(Clone, Debug, PartialEq)]
pub struct NameUse {
    pub span: Span,
    /// The name in its declaration, which may be in another file.
    pub definition: Span,
    /// What is declared there, as it is written: `seed : int in 0.. = 1`. One line.
    pub declared: String,
    /// The declaration's `##` lines.
    pub documentation: String,
}

/// Every name of a file that has a definition, in the order of the text. Depends on the texts of the file and of what it uses
/// only; a file with mistakes gives what can be known.
pub fn definitions(sources: &mut Sources, file: FileId, base: &Path) -> Vec<NameUse> {
    let (mut modules, _) = Loader::new(sources, base).load(file);
    names::index(&mut modules, &mut Vec::new());
    let mut walk = Walk::new(&modules);
    walk.module(modules.main);
    let mut uses: Vec<NameUse> = walk
        .uses
        .into_iter()
        .map(|(span, meaning)| {
            let whole = sources.text(meaning.declared).split_whitespace().collect::<Vec<_>>().join(" ");
            let declared = whole.split(" {").next().unwrap_or_default().to_owned();
            NameUse { span, definition: meaning.name, declared, documentation: meaning.documentation.to_owned() }
        })
        .collect();
    uses.sort_by_key(|name| (name.span.start, name.span.end));
    uses.dedup_by_key(|name| name.span);
    uses
}

/// Reports the mistakes in the functions, networks and recipes outside the standard library.
pub(super) fn check(checker: &mut Checker<'_>) {
    let mut walk = Walk::new(checker.modules);
    for (index, module) in checker.modules.list.iter().enumerate() {
        if !module.standard {
            walk.module(index);
        }
    }
    // Where evaluation has found a mistake, it says more.
    let told: BTreeSet<Span> =
        checker.diagnostics.iter().filter_map(|known| known.labels.first()).map(|label| label.span).collect();
    let failed = checker.diagnostics.iter().any(|known| known.severity == Severity::Error);
    for diagnostic in walk.found {
        // What seems to be used nowhere may be used where a mistake is.
        if failed && diagnostic.severity == Severity::Warning {
            continue;
        }
        if diagnostic.labels.first().is_none_or(|label| !told.contains(&label.span)) {
            checker.report(diagnostic);
        }
    }
}

/// A definition on its way out.
#[derive(Clone, Copy)]
struct Meaning<'a> {
    name: Span,
    declared: Span,
    documentation: &'a str,
    sort: Sort<'a>,
}

/// What the parts behind a dot are looked for in.
#[derive(Clone, Copy)]
enum Sort<'a> {
    Module(usize),
    Kind(&'a ast::NativeKind),
    Recipe(usize, &'a Recipe),
    /// A parameter that is some recipe.
    AnyRecipe,
    Other,
}

struct Walk<'a> {
    modules: &'a Modules,
    module: usize,
    locals: BTreeMap<&'a str, Meaning<'a>>,
    /// In text that evaluation reaches, mistakes are told by it.
    silent: bool,
    found: Vec<Diagnostic>,
    uses: Vec<(Span, Meaning<'a>)>,
}

impl<'a> Walk<'a> {
    fn new(modules: &'a Modules) -> Self {
        Self { modules, module: 0, locals: BTreeMap::new(), silent: false, found: Vec::new(), uses: Vec::new() }
    }

    fn module(&mut self, module: usize) {
        self.module = module;
        let Some(found) = self.modules.get(module) else { return };
        for declaration in &found.tree.declarations {
            self.locals.clear();
            self.silent = !matches!(
                declaration.kind,
                DeclarationKind::Function(_) | DeclarationKind::Network(_) | DeclarationKind::Recipe(_)
            );
            match &declaration.kind {
                DeclarationKind::Param(param) => {
                    self.r#type(&param.r#type);
                    param.range.iter().chain(&param.default).for_each(|expression| self.expression(expression));
                }
                DeclarationKind::Let(binding) => self.expression(&binding.value),
                DeclarationKind::Function(function) => {
                    self.parameters(&function.parameters);
                    function.result.iter().for_each(|result| self.r#type(result));
                    self.expression(&function.body);
                }
                DeclarationKind::Network(network) => {
                    self.parameters(&network.parameters);
                    self.r#type(&network.result);
                    self.statements(&network.body, 0);
                    if !returns(&network.body) {
                        self.found.push(no_return(&network.name));
                    }
                }
                DeclarationKind::Record(record) => {
                    for field in &record.fields {
                        self.r#type(&field.parameter.r#type);
                        field.parameter.default.iter().for_each(|default| self.expression(default));
                    }
                }
                DeclarationKind::Recipe(recipe) => self.recipe(recipe),
                DeclarationKind::Block(block) => self.block(block),
                _ => {}
            }
        }
    }

    /// A name that is known from here on.
    fn bind(&mut self, name: &'a ast::Name, declared: Span, documentation: &'a str, sort: Sort<'a>) {
        self.locals.insert(&name.node, Meaning { name: name.span, declared, documentation, sort });
    }

    fn parameters(&mut self, parameters: &'a [Parameter]) {
        for parameter in parameters {
            let sort = match super::types::name_of(&parameter.r#type) {
                Some("recipe") => Sort::AnyRecipe,
                Some(name) => self.modules.kind(name).map_or(Sort::Other, Sort::Kind),
                None => Sort::Other,
            };
            self.bind(&parameter.name, parameter.span, "", sort);
        }
        for parameter in parameters {
            self.r#type(&parameter.r#type);
            parameter.default.iter().chain(&parameter.range).for_each(|expression| self.expression(expression));
        }
    }

    fn recipe(&mut self, recipe: &'a Recipe) {
        self.parameters(&recipe.parameters);
        for declaration in &recipe.body {
            match &declaration.kind {
                DeclarationKind::Block(block) => {
                    let sort = self.target(block).map_or(Sort::Other, |target| target.sort);
                    self.bind(&block.name, declaration.span, &declaration.documentation, sort);
                }
                DeclarationKind::Let(binding) => self.bind(&binding.name, declaration.span, "", Sort::Other),
                _ => {}
            }
        }
        for declaration in &recipe.body {
            match &declaration.kind {
                DeclarationKind::Let(binding) => self.expression(&binding.value),
                DeclarationKind::Block(block) => self.block(block),
                _ => {}
            }
        }
        recipe.ports.iter().for_each(|port| self.expression(&port.value));
        for parameter in &recipe.parameters {
            if !self.uses.iter().any(|(_, meaning)| meaning.name == parameter.name.span) {
                let name = &parameter.name.node;
                self.found.push(
                    Diagnostic::warning("E0230", format!("`{}` uses its parameter `{name}` nowhere", recipe.name.node))
                        .label(parameter.name.span, "has no effect")
                        .help("use it, or take it out: a sweep over it would make equal instances"),
                );
            }
        }
    }

    /// The kind, the fields and the values of a block.
    fn block(&mut self, block: &'a Block) {
        let target = self.target(block);
        if let Some(target) = target {
            self.uses.push((block.kind.span, target));
        }
        let alias = block.kind.node.split('.').next().unwrap_or_default();
        let is_local =
            self.locals.contains_key(alias) || self.modules.get(self.module).is_some_and(|module| module.unread.contains(alias));
        if target.is_none() && !self.silent && !is_local && !block.kind.node.is_empty() {
            self.found.push(unknown_kind(self.modules, self.module, block));
        }
        let sort = target.map_or(Sort::Other, |target| target.sort);
        if let (Sort::Kind(kind), false) = (sort, self.silent) {
            self.unknown_fields(block, kind);
        }
        // Names in a block that reads a sweep may be the sweep's, and are left to its use.
        let reads_sweep = matches!(sort, Sort::Kind(kind) if kind.fields.iter().any(|field| {
            super::types::name_of(&field.parameter.r#type) == Some("sweep")
        }));
        let silent = self.silent;
        self.silent |= reads_sweep;
        for field in &block.fields {
            let meaning = match sort {
                Sort::Kind(kind) => kind.fields.iter().find(|known| known.parameter.name.node == field.name.node).map(|known| {
                    let parameter = &known.parameter;
                    let (name, declared) = (parameter.name.span, parameter.span);
                    Meaning { name, declared, documentation: &known.documentation, sort: Sort::Other }
                }),
                Sort::Recipe(_, recipe) => parameter_meaning(&recipe.parameters, &field.name.node),
                _ => None,
            };
            self.uses.extend(meaning.map(|meaning| (field.name.span, meaning)));
            self.expression(&field.value);
        }
        self.silent = silent;
    }

    fn unknown_fields(&mut self, block: &'a Block, kind: &'a ast::NativeKind) {
        let known: Vec<&str> = kind.fields.iter().map(|field| field.parameter.name.node.as_str()).collect();
        for field in block.fields.iter().filter(|field| !known.contains(&field.name.node.as_str())) {
            let name = &field.name.node;
            let diagnostic = Diagnostic::error("E0201", format!("a {} has no field `{name}`", kind.name.node))
                .label(field.name.span, "no such field");
            self.found.push(with_suggestion(diagnostic, name, "fields", &known));
        }
    }

    /// What the word before a block's name means.
    fn target(&self, block: &'a Block) -> Option<Meaning<'a>> {
        let written = block.kind.node.as_str();
        // A parameter that is a recipe may be called like a kind.
        let is_meant = |local: &&Meaning<'_>| matches!(local.sort, Sort::AnyRecipe) || self.modules.kind(written).is_none();
        if let Some(local) = self.locals.get(written).filter(is_meant) {
            return Some(*local);
        }
        let recipe = match written.split_once('.') {
            None => self.modules.find_recipe(self.module, written),
            Some((alias, member)) => match self.modules.find(self.module, alias) {
                Some(Item::Module(other)) => self.modules.find_own_recipe(other, member),
                _ => None,
            },
        };
        match recipe {
            Some((module, _)) => self.own(module, written.rsplit('.').next().unwrap_or(written)),
            None => self.modules.declarations().find_map(|(_, declaration)| match &declaration.kind {
                DeclarationKind::NativeKind(kind) if kind.name.node == written => Some(Meaning {
                    name: kind.name.span,
                    declared: declaration.span,
                    documentation: &declaration.documentation,
                    sort: Sort::Kind(kind),
                }),
                _ => None,
            }),
        }
    }

    /// A name that a module declares itself.
    fn own(&self, module: usize, name: &str) -> Option<Meaning<'a>> {
        let declaration = self.modules.own_declaration(module, name)?;
        let (name, sort) = match &declaration.kind {
            DeclarationKind::Param(param) => (&param.name, Sort::Other),
            DeclarationKind::Let(binding) => (&binding.name, Sort::Other),
            DeclarationKind::Function(function) => (&function.name, Sort::Other),
            DeclarationKind::Network(network) => (&network.name, Sort::Other),
            DeclarationKind::Recipe(recipe) => (&recipe.name, Sort::Recipe(module, recipe)),
            DeclarationKind::NativeFunction(function) | DeclarationKind::NativeLayer(function) => (&function.name, Sort::Other),
            DeclarationKind::Block(block) => (&block.name, self.target(block).map_or(Sort::Other, |target| target.sort)),
            _ => return None,
        };
        Some(Meaning { name: name.span, declared: declaration.span, documentation: &declaration.documentation, sort })
    }

    /// A name by itself, from the inside out.
    fn meaning(&self, name: &str) -> Option<Meaning<'a>> {
        self.locals
            .get(name)
            .copied()
            .or_else(|| self.own(self.module, name))
            .or_else(|| {
                let module = self.modules.get(self.module)?;
                let used = *module.uses.get(name)?;
                let declared = module.tree.declarations.iter().find_map(|declaration| match &declaration.kind {
                    DeclarationKind::Use(found) if names::alias_of(found).is_some_and(|alias| alias.node == name) => Some(found),
                    _ => None,
                })?;
                let documentation = self.modules.get(used).map_or("", |module| module.tree.documentation.as_str());
                Some(Meaning {
                    name: names::alias_of(declared)?.span,
                    declared: declared.span,
                    documentation,
                    sort: Sort::Module(used),
                })
            })
            .or_else(|| self.own(self.modules.prelude, name))
            .or_else(|| self.word(name))
    }

    /// A word of a choice.
    fn word(&self, name: &str) -> Option<Meaning<'a>> {
        if !self.modules.is_word(name) {
            return None;
        }
        self.modules.declarations().find_map(|(_, declaration)| match &declaration.kind {
            DeclarationKind::NativeChoice(choice) => choice.words.iter().find(|word| word.node == name).map(|word| Meaning {
                name: word.span,
                declared: declaration.span,
                documentation: &declaration.documentation,
                sort: Sort::Other,
            }),
            _ => None,
        })
    }

    /// A part behind a dot.
    fn part(&self, of: Meaning<'a>, name: &str) -> Option<Meaning<'a>> {
        match of.sort {
            Sort::Module(module) => self.own(module, name),
            Sort::Kind(kind) => kind.ports.iter().chain(&kind.results).find(|part| part.name.node == name).map(|part| Meaning {
                name: part.name.span,
                declared: part.name.span.to(part.r#type.span),
                documentation: &part.documentation,
                sort: Sort::Other,
            }),
            Sort::Recipe(module, recipe) => {
                let port = recipe.ports.iter().find(|port| port.name.node == name).map(|port| Meaning {
                    name: port.name.span,
                    declared: port.span,
                    documentation: &port.documentation,
                    sort: Sort::Other,
                });
                port.or_else(|| {
                    let inner = Walk { module, ..Walk::new(self.modules) };
                    recipe.body.iter().find_map(|declaration| match &declaration.kind {
                        DeclarationKind::Block(block) if block.name.node == name => Some(Meaning {
                            name: block.name.span,
                            declared: declaration.span,
                            documentation: &declaration.documentation,
                            sort: inner.target(block).map_or(Sort::Other, |target| target.sort),
                        }),
                        _ => None,
                    })
                })
            }
            Sort::AnyRecipe | Sort::Other => None,
        }
    }

    /// Types, and the sizes of tensors: lower-case names in these are known in the body.
    fn r#type(&mut self, written: &'a Type) {
        match &written.kind {
            TypeKind::Named { name, arguments } => {
                if name.node == "tensor" {
                    for argument in arguments {
                        if let Some(variable) = super::sizes::variable(argument)
                            && !self.locals.contains_key(variable)
                        {
                            let (name, declared) = (argument.span, written.span);
                            self.locals.insert(variable, Meaning { name, declared, documentation: "", sort: Sort::Other });
                        }
                    }
                }
                if let Some(meaning) = self.declared_type(&name.node) {
                    self.uses.push((name.span, meaning));
                }
            }
            TypeKind::Network { inputs, output } => {
                inputs.iter().for_each(|(_, input)| self.r#type(input));
                self.r#type(output);
            }
            TypeKind::Inferred => {}
        }
    }

    /// Records, kinds and choices are types by their names.
    fn declared_type(&self, name: &str) -> Option<Meaning<'a>> {
        self.modules.declarations().find_map(|(_, declaration)| {
            let found = match &declaration.kind {
                DeclarationKind::Record(record) => &record.name,
                DeclarationKind::NativeKind(kind) => &kind.name,
                DeclarationKind::NativeChoice(choice) => &choice.name,
                _ => return None,
            };
            (found.node == name).then_some(Meaning {
                name: found.span,
                declared: declaration.span,
                documentation: &declaration.documentation,
                sort: Sort::Other,
            })
        })
    }

    fn statements(&mut self, statements: &'a [Statement], depth: usize) {
        if depth > 100 {
            return;
        }
        for statement in statements {
            match &statement.kind {
                StatementKind::Bind(name, expression) => {
                    self.expression(expression);
                    self.bind(name, statement.span, "", Sort::Other);
                }
                StatementKind::Return(expression) => self.expression(expression),
                StatementKind::If { condition, then, otherwise } => {
                    self.expression(condition);
                    self.statements(then, depth + 1);
                    self.statements(otherwise, depth + 1);
                }
                StatementKind::For { variable, over, body } => {
                    self.expression(over);
                    let outer = self.locals.clone();
                    self.bind(variable, variable.span.to(over.span), "", Sort::Other);
                    self.statements(body, depth + 1);
                    self.locals = outer;
                }
            }
        }
    }

    fn expression(&mut self, expression: &'a Expression) {
        let mut pending = vec![expression];
        while let Some(next) = pending.pop() {
            match &next.kind {
                ExpressionKind::Name(_) => {
                    self.chain(next);
                }
                ExpressionKind::Member(base, _) if is_path(base) => {
                    self.chain(next);
                    continue;
                }
                ExpressionKind::Quantity(_, unit) => {
                    let declared = self.modules.declarations().find_map(|(_, declaration)| match &declaration.kind {
                        DeclarationKind::NativeUnit(known) if known.name.node == unit.node => Some(Meaning {
                            name: known.name.span,
                            declared: declaration.span,
                            documentation: &declaration.documentation,
                            sort: Sort::Other,
                        }),
                        _ => None,
                    });
                    self.uses.extend(declared.map(|declared| (unit.span, declared)));
                }
                ExpressionKind::Call { callee, arguments } => self.argument_names(callee, arguments),
                ExpressionKind::Comprehension { element, variable, over, condition } => {
                    self.expression(over);
                    let outer = self.locals.clone();
                    self.bind(variable, variable.span.to(over.span), "", Sort::Other);
                    self.expression(element);
                    condition.iter().for_each(|condition| self.expression(condition));
                    self.locals = outer;
                    continue;
                }
                _ => {}
            }
            super::walk::children(next, &mut pending);
        }
    }

    /// `chest.train`, name by name; gives what the whole means.
    fn chain(&mut self, expression: &'a Expression) -> Option<Meaning<'a>> {
        let (mut base, mut members) = (expression, Vec::new());
        while let ExpressionKind::Member(inner, member) = &base.kind {
            members.push(member);
            base = inner;
        }
        let ExpressionKind::Name(name) = &base.kind else { return None };
        let Some(mut meaning) = self.meaning(name) else {
            self.unknown(name, base.span);
            return None;
        };
        self.uses.push((base.span, meaning));
        for member in members.into_iter().rev() {
            match self.part(meaning, &member.node) {
                Some(part) => meaning = part,
                None => {
                    if let (Sort::Module(module), false) = (meaning.sort, self.silent) {
                        self.found.push(unknown_member(self.modules, name, module, member));
                    }
                    return None;
                }
            }
            self.uses.push((member.span, meaning));
        }
        Some(meaning)
    }

    /// The names of arguments are those of the callee's parameters.
    fn argument_names(&mut self, callee: &'a Expression, arguments: &'a [Argument]) {
        let item = match &callee.kind {
            ExpressionKind::Name(name) => self.modules.find_callable(self.module, name),
            ExpressionKind::Member(base, member) => match &base.kind {
                ExpressionKind::Name(alias) => match self.modules.find(self.module, alias) {
                    Some(Item::Module(module)) => self.modules.own(module, &member.node),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let parameters: &'a [Parameter] = match item {
            Some(Item::Function(_, function)) => &function.parameters,
            Some(Item::Network(_, network)) => &network.parameters,
            Some(Item::NativeFunction(_, function) | Item::Layer(function)) => &function.parameters,
            _ => return,
        };
        for name in arguments.iter().filter_map(|argument| argument.name.as_ref()) {
            self.uses.extend(parameter_meaning(parameters, &name.node).map(|meaning| (name.span, meaning)));
        }
    }

    fn unknown(&mut self, name: &'a str, span: Span) {
        // Words that no declaration defines: `each` in sweeps, `everything` in lists of blocks, `nothing` in fields that may be left out, `_` in sizes.
        let is_known =
            ["each", "everything", super::blocks::NOTHING, "_"].contains(&name) || self.modules.find(self.module, name).is_some();
        if !self.silent && !is_known {
            let locals: Vec<&str> = self.locals.keys().copied().collect();
            self.found.push(unknown_name(self.modules, name, span, self.module, &locals));
        }
    }
}

/// Whether an expression is a name, or names with dots between them.
fn is_path(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Name(_) => true,
        ExpressionKind::Member(base, _) => is_path(base),
        _ => false,
    }
}

fn parameter_meaning<'a>(parameters: &'a [Parameter], name: &str) -> Option<Meaning<'a>> {
    let parameter = parameters.iter().find(|parameter| parameter.name.node == name)?;
    Some(Meaning { name: parameter.name.span, declared: parameter.span, documentation: "", sort: Sort::Other })
}

/// Whether statements end with a result on every way. A body that could not be read at all is left alone.
fn returns(statements: &[Statement]) -> bool {
    match statements.last().map(|last| &last.kind) {
        None => false,
        Some(StatementKind::Return(_)) => true,
        Some(StatementKind::If { then, otherwise, .. }) => returns(then) && returns(otherwise),
        Some(_) => statements.iter().any(|statement| matches!(statement.kind, StatementKind::Return(_))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "edition 2026
use std.data.phantom
use std.gan.cpd

param people = 200

recipe study(data: dataset) {
  ## Learns.
  gan model {
    data = data.train
    generator = cpd.compact_generator(channels = 8)
    budget = 1kimg
  }
  port generator = model.generator
}

dataset chest {
  source = phantom.chest(patients = people)
  image = gray(32)
}

study one { data = chest }
sample fake { from = one.model, labels = chest, of = broken. }
";

    fn uses() -> (Sources, Vec<NameUse>) {
        let mut sources = Sources::default();
        let file = sources.add("test.synth", None, TEXT);
        let uses = definitions(&mut sources, file, Path::new(""));
        (sources, uses)
    }

    /// What a use of a name, the last with this text before it, is defined as.
    fn defined(before: &str, name: &str) -> (String, String) {
        let (sources, uses) = uses();
        let at = TEXT.find(before).unwrap() + before.len();
        let found = uses.iter().find(|found| found.span.start as usize == at && sources.text(found.span) == name);
        let found = found.unwrap_or_else(|| panic!("{name} behind {before:?}"));
        (found.declared.clone(), found.documentation.lines().next().unwrap_or_default().to_owned())
    }

    #[test]
    fn every_name_knows_its_definition() {
        assert_eq!(defined("patients = ", "people").0, "param people = 200");
        assert_eq!(defined("data = ", "data").0, "data: dataset");
        assert_eq!(defined("data = data.", "train").0, "train : images[c, h, w, labels]");
        assert_eq!(defined("cpd.", "compact_generator").0.split('(').next(), Some("network compact_generator"));
        assert_eq!(defined("compact_generator(", "channels").0.split(':').next(), Some("channels"));
        assert_eq!(defined("budget = 1", "kimg"), ("native unit kimg : images = 1_000".into(), "A thousand images.".into()));
        assert_eq!(defined("Learns.\n  ", "gan").0, "native kind gan");
        assert_eq!(defined("{ from = one.", "model"), ("gan model".into(), "Learns.".into()));
        assert_eq!(defined("chest }\nsample fake { ", "from").0, "from : generator[c, h, w, labels]");
        assert_eq!(defined("gray(32)\n}\n\n", "study").0, "recipe study(data: dataset)");
        assert_eq!(defined("image = ", "gray").0.split('(').next(), Some("native fn gray"));
        assert_eq!(defined("one.model, labels = ", "chest").0, "dataset chest");
    }

    #[test]
    fn definitions_lie_in_their_own_files() {
        let (sources, uses) = uses();
        for found in &uses {
            assert!(!sources.text(found.definition).is_empty(), "{found:?}");
        }
        assert!(uses.len() > 20, "{}", uses.len());
    }
}
