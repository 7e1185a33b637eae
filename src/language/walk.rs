//! A look at every function and network that the user wrote, used or not: names that nothing defines, results missing.

use super::check::Checker;
use super::evaluate::{unknown_member, unknown_name};
use super::expand::no_return;
use super::modules::{Item, Modules};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{
    DeclarationKind, Expression, ExpressionKind, Parameter, Recipe, Statement, StatementKind, TextPart, Type, TypeKind,
};
use std::collections::BTreeSet;

/// Adds the expressions that an expression is made of.
pub(super) fn children<'a>(expression: &'a Expression, into: &mut Vec<&'a Expression>) {
    match &expression.kind {
        ExpressionKind::Text(parts) => into.extend(parts.iter().filter_map(|part| match part {
            TextPart::Interpolated(inner) => Some(inner),
            TextPart::Literal(_) => None,
        })),
        ExpressionKind::List(elements) => into.extend(elements),
        ExpressionKind::Comprehension { element, over, condition, .. } => {
            into.extend([element.as_ref(), over.as_ref()].into_iter().chain(condition.as_deref()));
        }
        ExpressionKind::Record(fields) => into.extend(fields.iter().map(|field| &field.value)),
        ExpressionKind::Range { start, end, .. } => into.extend(start.iter().chain(end).map(Box::as_ref)),
        ExpressionKind::Member(base, _) => into.push(base),
        ExpressionKind::Call { callee, arguments } => {
            into.push(callee);
            into.extend(arguments.iter().map(|argument| &argument.value));
        }
        ExpressionKind::Pipe(a, b) | ExpressionKind::Binary(_, a, b) => into.extend([a.as_ref(), b.as_ref()]),
        ExpressionKind::Unary(_, inner) => into.push(inner),
        ExpressionKind::If(a, b, c) => into.extend([a.as_ref(), b.as_ref(), c.as_ref()]),
        _ => {}
    }
}

/// Calls `found` for every name that stands alone or before a dot or bracket in the expressions.
pub(super) fn each_name<'a>(expressions: impl IntoIterator<Item = &'a Expression>, found: &mut dyn FnMut(&'a str)) {
    let mut pending: Vec<&'a Expression> = expressions.into_iter().collect();
    while let Some(next) = pending.pop() {
        if let ExpressionKind::Name(name) = &next.kind {
            found(name);
        }
        children(next, &mut pending);
    }
}

/// Checks the bodies of all functions and networks outside the standard library.
pub(super) fn check(checker: &mut Checker<'_>) {
    let mut walk = Walk { modules: checker.modules, module: 0, locals: BTreeSet::new(), found: Vec::new() };
    for (index, module) in checker.modules.list.iter().enumerate() {
        if module.standard {
            continue;
        }
        walk.module = index;
        for declaration in &module.tree.declarations {
            walk.locals.clear();
            match &declaration.kind {
                DeclarationKind::Function(function) => {
                    walk.parameters(&function.parameters);
                    walk.expression(&function.body);
                }
                DeclarationKind::Network(network) => {
                    walk.parameters(&network.parameters);
                    walk.sizes(&network.result);
                    walk.statements(&network.body, 0);
                    if !returns(&network.body) {
                        walk.found.push(no_return(&network.name));
                    }
                }
                DeclarationKind::Recipe(recipe) => walk.recipe(recipe),
                _ => {}
            }
        }
    }
    // Where evaluation has found a mistake, it says more.
    let told: BTreeSet<Span> =
        checker.diagnostics.iter().filter_map(|known| known.labels.first()).map(|label| label.span).collect();
    for diagnostic in walk.found {
        if diagnostic.labels.first().is_none_or(|label| !told.contains(&label.span)) {
            checker.report(diagnostic);
        }
    }
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

struct Walk<'a> {
    modules: &'a Modules,
    module: usize,
    locals: BTreeSet<&'a str>,
    found: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn parameters(&mut self, parameters: &'a [Parameter]) {
        self.locals.extend(parameters.iter().map(|parameter| parameter.name.node.as_str()));
        for parameter in parameters {
            self.sizes(&parameter.r#type);
            for expression in parameter.default.iter().chain(&parameter.range) {
                self.expression(expression);
            }
        }
    }

    /// The expressions of a recipe's blocks. Names in a block that reads a sweep may be the sweep's, and are left to its use.
    fn recipe(&mut self, recipe: &'a Recipe) {
        self.parameters(&recipe.parameters);
        self.locals.extend(recipe.body.iter().filter_map(|declaration| match &declaration.kind {
            DeclarationKind::Block(block) => Some(block.name.node.as_str()),
            DeclarationKind::Let(binding) => Some(binding.name.node.as_str()),
            _ => None,
        }));
        // Words that no expression defines: `each` in sweeps, `everything` in lists of blocks.
        self.locals.extend(["each", "everything"]);
        for declaration in &recipe.body {
            match &declaration.kind {
                DeclarationKind::Let(binding) => self.expression(&binding.value),
                DeclarationKind::Block(block) => {
                    let reads_sweep = self.modules.kind(&block.kind.node).is_some_and(|kind| {
                        kind.fields.iter().any(|field| super::types::name_of(&field.parameter.r#type) == Some("sweep"))
                    });
                    if !reads_sweep {
                        block.fields.iter().for_each(|field| self.expression(&field.value));
                    }
                }
                _ => {}
            }
        }
        recipe.ports.iter().for_each(|port| self.expression(&port.value));
    }

    /// Lower-case names in a tensor's type are sizes, known in the body.
    fn sizes(&mut self, written: &'a Type) {
        if let TypeKind::Named { name, arguments } = &written.kind
            && name.node == "tensor"
        {
            self.locals.extend(arguments.iter().filter_map(super::sizes::variable));
        }
    }

    fn statements(&mut self, statements: &'a [Statement], depth: usize) {
        if depth > 100 {
            return;
        }
        for statement in statements {
            match &statement.kind {
                StatementKind::Bind(name, expression) => {
                    self.expression(expression);
                    self.locals.insert(&name.node);
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
                    self.locals.insert(&variable.node);
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
                ExpressionKind::Name(name) => self.name(name, next.span),
                ExpressionKind::Member(base, member) => {
                    if let ExpressionKind::Name(name) = &base.kind
                        && !self.locals.contains(name.as_str())
                        && let Some(Item::Module(module)) = self.modules.find(self.module, name)
                    {
                        if self.modules.own(module, &member.node).is_none() {
                            self.found.push(unknown_member(self.modules, name, module, member));
                        }
                        continue;
                    }
                }
                ExpressionKind::Comprehension { element, variable, over, condition } => {
                    self.expression(over);
                    let fresh = self.locals.insert(&variable.node);
                    self.expression(element);
                    condition.iter().for_each(|condition| self.expression(condition));
                    if fresh {
                        self.locals.remove(variable.node.as_str());
                    }
                    continue;
                }
                _ => {}
            }
            children(next, &mut pending);
        }
    }

    fn name(&mut self, name: &'a str, span: Span) {
        let is_word = self.modules.choices().any(|choice| choice.words.iter().any(|word| word.node == name));
        if self.locals.contains(name) || is_word || self.modules.find(self.module, name).is_some() {
            return;
        }
        let locals: Vec<&str> = self.locals.iter().copied().collect();
        self.found.push(unknown_name(self.modules, name, span, self.module, &locals));
    }
}
