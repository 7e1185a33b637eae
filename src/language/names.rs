//! Names: which exist, which are given twice, and which one was probably meant.

use super::index::Index;
use super::modules::Modules;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast;
use std::collections::BTreeMap;

/// The name that was probably meant: the nearest by edits, if it is near enough to be a slip.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    // Of one or two letters, everything is near everything.
    let limit = match name.chars().count() {
        0..3 => 0,
        length => (length / 3).max(1),
    };
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` and `c`".
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Adds the nearest name and the full list to a message on an unknown name.
pub(super) fn with_suggestion(diagnostic: Diagnostic, name: &str, what: &str, known: &[&str]) -> Diagnostic {
    let diagnostic = if known.is_empty() {
        diagnostic.note(format!("{what}: none"))
    } else {
        diagnostic.note(format!("{what}: {}", known.join(", ")))
    };
    match nearest(name, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// The name that a declaration brings into expressions.
fn name_of(declaration: &ast::Declaration) -> Option<&ast::Name> {
    match &declaration.kind {
        ast::DeclarationKind::Param(param) => Some(&param.name),
        ast::DeclarationKind::Let(binding) => Some(&binding.name),
        ast::DeclarationKind::Function(function) => Some(&function.name),
        ast::DeclarationKind::Network(network) => Some(&network.name),
        ast::DeclarationKind::NativeFunction(function) | ast::DeclarationKind::NativeLayer(function) => Some(&function.name),
        ast::DeclarationKind::Recipe(recipe) => Some(&recipe.name),
        ast::DeclarationKind::Block(block) => Some(&block.name),
        _ => None,
    }
}

/// The name that a `use` brings.
pub(super) fn alias_of(used: &ast::Use) -> Option<&ast::Name> {
    match (&used.alias, &used.target) {
        (Some(alias), _) => Some(alias),
        (None, ast::UseTarget::Standard(segments)) => segments.last(),
        (None, ast::UseTarget::File(_)) => None,
    }
}

/// Fills [`super::modules::Module::items`], and reports names given twice and declarations that do not belong where
/// they stand.
pub(super) fn index(modules: &mut Modules, diagnostics: &mut Vec<Diagnostic>) {
    let main = modules.main;
    for (number, module) in modules.list.iter_mut().enumerate() {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut records: BTreeMap<&str, Span> = BTreeMap::new();
        let mut items = BTreeMap::new();
        for (position, declaration) in module.tree.declarations.iter().enumerate() {
            let used = match &declaration.kind {
                ast::DeclarationKind::Use(used) => alias_of(used),
                _ => None,
            };
            misplaced(declaration, module.standard, number == main, diagnostics);
            if let ast::DeclarationKind::Recipe(recipe) = &declaration.kind {
                repeated_in(recipe, diagnostics);
            }
            if let ast::DeclarationKind::Record(record) = &declaration.kind {
                repeated_fields(record, diagnostics);
                match records.insert(&record.name.node, record.name.span) {
                    Some(before) => diagnostics.push(twice(&record.name, before)),
                    None if super::types::is_basic(&record.name.node) => diagnostics.push(
                        Diagnostic::error("E0204", format!("`{}` is a type already", record.name.node))
                            .label(record.name.span, "taken")
                            .help("give the record another name"),
                    ),
                    None => {}
                }
            }
            let Some(name) = used.or_else(|| name_of(declaration)) else { continue };
            if let Some(before) = first.get(name.node.as_str()) {
                diagnostics.push(twice(name, *before));
                continue;
            }
            first.insert(&name.node, name.span);
            // What `synth describe` adds has a name that no expression can write.
            if used.is_none() && !name.node.contains(' ') {
                items.insert(name.node.clone(), position);
            }
        }
        module.items = items;
    }
    modules.index = Index::new(modules);
}

/// Parameters, blocks and `let`s of a recipe share one set of names; its ports have one of their own.
fn repeated_in(recipe: &ast::Recipe, diagnostics: &mut Vec<Diagnostic>) {
    let parameters = recipe.parameters.iter().map(|parameter| &parameter.name);
    let inner: Vec<&ast::Name> = parameters.chain(recipe.body.iter().filter_map(name_of)).collect();
    let ports: Vec<&ast::Name> = recipe.ports.iter().map(|port| &port.name).collect();
    for names in [inner, ports] {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        for name in names {
            match first.get(name.node.as_str()) {
                Some(before) => diagnostics.push(twice(name, *before)),
                None => {
                    first.insert(&name.node, name.span);
                }
            }
        }
    }
}

fn repeated_fields(record: &ast::Record, diagnostics: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for name in record.fields.iter().map(|field| &field.parameter.name) {
        if let Some(before) = first.insert(&name.node, name.span) {
            diagnostics.push(twice(name, before));
        }
    }
}

fn twice(name: &ast::Name, before: Span) -> Diagnostic {
    Diagnostic::error("E0204", format!("`{}` is defined twice", name.node))
        .label(name.span, "the second time here")
        .label(before, "first defined here")
        .help("give one of them another name")
}

/// Native declarations outside the standard library; blocks and params in a file that is only used.
fn misplaced(declaration: &ast::Declaration, standard: bool, main: bool, diagnostics: &mut Vec<Diagnostic>) {
    let native = matches!(
        declaration.kind,
        ast::DeclarationKind::NativeUnit(_)
            | ast::DeclarationKind::NativeChoice(_)
            | ast::DeclarationKind::NativeFunction(_)
            | ast::DeclarationKind::NativeLayer(_)
            | ast::DeclarationKind::NativeKind(_)
    );
    if native && !standard {
        diagnostics.push(
            Diagnostic::error("E0227", "`native` declares what the program itself implements")
                .label(declaration.span, "allowed in the standard library only")
                .help("write a `fn` or a `network` instead"),
        );
    }
    if let (ast::DeclarationKind::Param(param), false) = (&declaration.kind, main) {
        diagnostics.push(
            Diagnostic::error("E0229", format!("the param `{}` stands in a file that is only used", param.name.node))
                .label(param.name.span, "never given a value")
                .help("make it a parameter of the `fn`, `network` or `recipe` that needs it, or a `let`"),
        );
    }
    if let (ast::DeclarationKind::Block(block), false) = (&declaration.kind, main) {
        diagnostics.push(
            Diagnostic::error("E0229", format!("the block `{}` stands in a file that is only used", block.name.node))
                .label(block.name.span, "never run")
                .help(
                    "move the block into the file that is run; a used file holds `fn`, `network`, `recipe`, `record` and `let`",
                ),
        );
    }
}
