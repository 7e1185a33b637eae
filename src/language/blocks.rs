//! Blocks: every field of the kind is there once and nothing else, each value is of its type, and sizes agree.

use super::admit::Slot;
use super::check::Checker;
use super::modules::Item;
use super::names::{listed, nearest, with_suggestion};
use super::program::{Role, Step, StepField};
use super::scope::Scope;
use super::sizes::Sizes;
use super::static_value::Static;
use super::types::Type;
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, DeclarationKind, Expression};
use std::collections::{BTreeMap, BTreeSet};

/// One block on its way to a step.
#[derive(Debug)]
pub(super) struct BlockState<'a> {
    pub block: &'a ast::Block,
    /// `None` where there is no such kind.
    pub kind: Option<&'a ast::NativeKind>,
    pub sizes: Sizes<'a>,
    /// Fields by their place in the kind.
    fields: BTreeMap<usize, StepField>,
    pub failed: bool,
}

impl BlockState<'_> {
    pub fn fields(&self) -> impl Iterator<Item = &StepField> {
        self.fields.values()
    }
}

impl<'a> Checker<'a> {
    /// Notes which blocks there are, so that names of them can be understood.
    pub fn list_blocks(&mut self) {
        let Some(main) = self.modules.get(self.modules.main) else { return };
        for declaration in &main.tree.declarations {
            if let DeclarationKind::Block(block) = &declaration.kind {
                let kind = self.modules.kind(&block.kind.node);
                self.blocks.push(BlockState {
                    block,
                    kind,
                    sizes: Sizes::default(),
                    fields: BTreeMap::new(),
                    failed: kind.is_none(),
                });
            }
        }
    }

    /// Checks all blocks of the file. `None` after a mistake.
    pub fn check_blocks(&mut self) -> Option<Vec<Step>> {
        for block in self.order() {
            self.check_block(block);
        }
        let steps: Vec<Option<Step>> = self.blocks.iter().map(step).collect();
        steps.into_iter().collect()
    }

    /// Every block after those that it names, as far as there is no circle; circles are reported by `cycles`.
    fn order(&self) -> Vec<usize> {
        let names: Vec<BTreeSet<usize>> = self.blocks.iter().map(|state| self.named_blocks(state.block)).collect();
        let mut order = Vec::new();
        let mut seen = vec![false; names.len()];
        for start in 0..names.len() {
            let mut stack = vec![(start, false)];
            while let Some((block, done)) = stack.pop() {
                if done {
                    order.push(block);
                    continue;
                }
                match seen.get_mut(block) {
                    Some(seen) if !*seen => *seen = true,
                    _ => continue,
                }
                stack.push((block, true));
                stack.extend(names.get(block).into_iter().flatten().rev().map(|next| (*next, false)));
            }
        }
        order
    }

    /// The blocks whose names stand in a block, or in a `let` or `param` that it names.
    fn named_blocks(&self, block: &'a ast::Block) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut lets = BTreeSet::new();
        let mut pending: Vec<&Expression> = block.fields.iter().map(|field| &field.value).collect();
        while let Some(expression) = pending.pop() {
            if let ast::ExpressionKind::Name(name) = &expression.kind {
                match self.modules.own(self.modules.main, name) {
                    Some(Item::Block(_)) => found.extend(self.block_index(name)),
                    Some(Item::Param(_, param)) if lets.insert(name.as_str()) => pending.extend(&param.default),
                    Some(Item::Let(_, binding)) if lets.insert(name.as_str()) => pending.push(&binding.value),
                    _ => {}
                }
            }
            super::walk::children(expression, &mut pending);
        }
        found
    }

    fn check_block(&mut self, index: usize) {
        let Some(state) = self.blocks.get(index) else { return };
        let block = state.block;
        let Some(kind) = state.kind else {
            let kinds: Vec<&str> = self.modules.kinds().map(|kind| kind.name.node.as_str()).collect();
            self.report(with_suggestion(
                Diagnostic::error("E0206", format!("there is no kind of block called `{}`", block.kind.node))
                    .label(block.kind.span, "no such kind"),
                &block.kind.node,
                "kinds",
                &kinds,
            ));
            return;
        };
        let given = self.given_fields(index, block, kind);
        let scope = Scope::in_block(self.modules.main, index);
        let mut networks = Vec::new();
        for (place, field) in kind.fields.iter().enumerate() {
            let parameter = &field.parameter;
            let r#type = self.resolve(&parameter.r#type);
            let Some((expression, scope, span, is_default)) = (match (given.get(parameter.name.node.as_str()), &parameter.default)
            {
                (Some(given), _) => Some((&given.value, scope.clone(), given.value.span, false)),
                (None, Some(default)) => Some((default, Scope::in_block(self.modules.prelude, index), head(block), true)),
                (None, None) => None,
            }) else {
                self.tie_sizes(index, &parameter.name.node, &Static::Poison, &r#type, head(block));
                continue;
            };
            let role = role(field);
            if matches!(r#type, Type::Condition) {
                let condition = self.condition(expression, &scope);
                self.keep(index, place, field, condition.map(Value::Condition), role, span, is_default);
                continue;
            }
            let value = self.evaluate(expression, &scope, Some(&r#type));
            let slot = Slot { name: &parameter.name.node, span };
            let value = self.admit(value, &r#type, &slot);
            let range_scope = Scope::new(self.modules.prelude);
            let value = self.admit_range(value, parameter.range.as_ref(), &range_scope, &slot);
            if let (Type::Network { inputs, output }, Static::Network(network)) = (&r#type, &value) {
                networks.push((place, field, network.clone(), *inputs, *output, span, is_default));
                continue;
            }
            self.tie_sizes(index, &parameter.name.node, &value, &r#type, span);
            let value = self.finish(value, &r#type, &slot);
            self.keep(index, place, field, value, role, span, is_default);
        }
        // Networks last: their sizes follow from those of the data.
        for (place, field, network, inputs, output, span, is_default) in networks {
            let program = self.fit_network(index, &field.parameter.name.node, span, &network, inputs, output);
            self.keep(index, place, field, program.map(Value::Network), role(field), span, is_default);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn keep(
        &mut self,
        index: usize,
        place: usize,
        field: &ast::KindField,
        value: Option<Value>,
        role: Role,
        span: Span,
        is_default: bool,
    ) {
        let Some(state) = self.blocks.get_mut(index) else { return };
        match value {
            Some(value) => {
                let name = field.parameter.name.node.clone();
                state.fields.insert(place, StepField { name, role, value, span, is_default });
            }
            None => state.failed = true,
        }
    }

    /// The fields by name; reports unknown, repeated and missing ones.
    fn given_fields(
        &mut self,
        index: usize,
        block: &'a ast::Block,
        kind: &'a ast::NativeKind,
    ) -> BTreeMap<&'a str, &'a ast::Field> {
        let known: Vec<&str> = kind.fields.iter().map(|field| field.parameter.name.node.as_str()).collect();
        let mut given: BTreeMap<&str, &ast::Field> = BTreeMap::new();
        let mut meant: Vec<&str> = Vec::new();
        let mut failed = false;
        for field in &block.fields {
            let name = field.name.node.as_str();
            if !known.contains(&name) {
                failed = true;
                meant.extend(nearest(name, known.iter().copied()));
                self.report(with_suggestion(
                    Diagnostic::error("E0201", format!("a {} has no field `{name}`", kind.name.node))
                        .label(field.name.span, "no such field"),
                    name,
                    "fields",
                    &known,
                ));
                // Its value is looked at all the same, for mistakes of its own.
                let scope = Scope::in_block(self.modules.main, index);
                if !could_be_choice(&field.value) {
                    self.evaluate(&field.value, &scope, None);
                }
            } else if let Some(before) = given.get(name) {
                failed = true;
                let before = before.name.span;
                self.report(
                    Diagnostic::error("E0203", format!("`{name}` is given twice in `{}`", block.name.node))
                        .label(field.name.span, "the second time here")
                        .label(before, "the first time here")
                        .help("leave one of them out"),
                );
            } else {
                given.insert(name, field);
            }
        }
        let missing: Vec<&ast::KindField> = kind
            .fields
            .iter()
            .filter(|field| field.parameter.default.is_none() && !given.contains_key(field.parameter.name.node.as_str()))
            .collect();
        failed |= !missing.is_empty();
        let unexplained: Vec<&ast::KindField> =
            missing.into_iter().filter(|field| !meant.contains(&field.parameter.name.node.as_str())).collect();
        if !unexplained.is_empty() {
            let names: Vec<&str> = unexplained.iter().map(|field| field.parameter.name.node.as_str()).collect();
            let mut diagnostic =
                Diagnostic::error("E0202", format!("the {} `{}` lacks {}", kind.name.node, block.name.node, listed(&names)))
                    .label(
                        head(block),
                        format!("add {}", names.iter().map(|name| format!("`{name} = …`")).collect::<Vec<_>>().join(" and ")),
                    );
            for field in unexplained {
                let expected = self.resolve(&field.parameter.r#type).expected(self.modules);
                diagnostic = diagnostic.note(format!("{}: {expected}", field.parameter.name.node));
            }
            self.report(diagnostic.note(format!("fields of a {}: {}", kind.name.node, known.join(", "))));
        }
        if let Some(state) = self.blocks.get_mut(index) {
            state.failed |= failed;
        }
        given
    }
}

/// A bare word may be that of a choice; whether it is one cannot be told without a type.
fn could_be_choice(expression: &Expression) -> bool {
    matches!(expression.kind, ast::ExpressionKind::Name(_))
}

/// Kind and name: `dataset chest`.
fn head(block: &ast::Block) -> Span {
    block.kind.span.to(block.name.span)
}

fn role(field: &ast::KindField) -> Role {
    match field.role.as_ref().map(|role| role.node.as_str()) {
        Some("horizon") => Role::Horizon,
        Some("schedule") => Role::Schedule,
        Some("resource") => Role::Resource,
        Some("cosmetic") => Role::Cosmetic,
        _ => Role::Identity,
    }
}

fn step(state: &BlockState<'_>) -> Option<Step> {
    let kind = state.kind.filter(|_| !state.failed)?;
    if state.fields.len() != kind.fields.len() {
        return None;
    }
    Some(Step {
        name: state.block.name.node.clone(),
        kind: kind.name.node.clone(),
        fields: state.fields.values().cloned().collect(),
        span: head(state.block),
    })
}
