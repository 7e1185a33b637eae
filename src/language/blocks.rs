//! Blocks: every field of the kind is there once and nothing else, each value is of its type, and sizes agree.

use super::admit::Slot;
use super::check::Checker;
use super::frames::{Chosen, head};
use super::names::{listed, nearest, with_suggestion};
use super::program::{Role, Step, StepField};
use super::scope::Scope;
use super::sizes::Sizes;
use super::static_value::Static;
use super::types::{self, Type};
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, Expression};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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
    /// The frame in which it stands.
    pub frame: usize,
    /// The step's name: `model`, `by_seed[seed=1].model`.
    pub name: String,
    /// Values that a sweep has chosen for its fields.
    chosen: Chosen<'a>,
}

impl<'a> BlockState<'a> {
    pub fn new(block: &'a ast::Block, kind: Option<&'a ast::NativeKind>, frame: usize, name: String, chosen: Chosen<'a>) -> Self {
        let (sizes, fields) = (Sizes::default(), BTreeMap::new());
        Self { block, kind, sizes, fields, failed: kind.is_none(), frame, name, chosen }
    }

    pub fn chosen(&self) -> impl Iterator<Item = &Static<'a>> {
        self.chosen.values().map(|(value, _)| value)
    }

    pub fn fields(&self) -> impl Iterator<Item = &StepField> {
        self.fields.values()
    }
}

impl<'a> Checker<'a> {
    /// Checks all blocks of the file. `None` after a mistake.
    pub fn check_blocks(&mut self) -> Option<Vec<Step>> {
        for block in self.order() {
            self.check_block(block);
        }
        let steps: Vec<Option<Step>> = self.blocks.iter().map(|state| step(state, self.base)).collect();
        steps.into_iter().collect()
    }

    /// Every block after those that it names, as far as there is no circle; circles are reported by `cycles`.
    fn order(&self) -> Vec<usize> {
        let needs: Vec<BTreeSet<usize>> = (0..self.blocks.len()).map(|block| self.needed_blocks(block)).collect();
        super::order::after_needs(&needs)
    }

    fn check_block(&mut self, index: usize) {
        let Some(state) = self.blocks.get(index) else { return };
        let block = state.block;
        // An unknown kind has been told of when the file was expanded.
        let Some(kind) = state.kind else { return };
        let (frame, chosen) = (state.frame, state.chosen.clone());
        self.context = self.frames.get(frame).map(|frame| frame.context.clone()).unwrap_or_default();
        let mut scope = Scope { block: Some(index), ..self.frame_scope(frame) };
        let parameters: Vec<&'a ast::Parameter> = kind.fields.iter().map(|field| &field.parameter).collect();
        let (given, good) = self.given_fields(block, &format!("a {}", kind.name.node), &parameters, &scope);
        if let Some(state) = self.blocks.get_mut(index) {
            state.failed |= !good;
        }
        scope.family = self.read_family(kind, &given, &scope);
        let reads_sweep = kind.fields.iter().any(|field| types::name_of(&field.parameter.r#type) == Some("sweep"));
        let mut networks = Vec::new();
        for (place, field) in kind.fields.iter().enumerate() {
            let parameter = &field.parameter;
            let r#type = self.resolve(&parameter.r#type);
            let name = parameter.name.node.as_str();
            // Without its sweep nothing can be said of what is in it.
            if reads_sweep && scope.family.is_none() && is_of_sweep(&r#type) {
                if let Some(state) = self.blocks.get_mut(index) {
                    state.failed = true;
                }
                continue;
            }
            let Some((expression, scope, span, is_default)) = (match (given.get(name), &parameter.default) {
                (Some(given), _) => Some((&given.value, scope.clone(), given.value.span, false)),
                (None, Some(default)) => Some((default, Scope::in_block(self.modules.prelude, index), head(block), true)),
                (None, None) => None,
            }) else {
                self.tie_sizes(index, &parameter.name.node, &Static::Poison, &r#type, head(block));
                continue;
            };
            let role = role(field);
            if is_nothing(expression) && parameter.default.as_ref().is_some_and(is_nothing) {
                self.keep(index, place, field, Some(Value::Choice(NOTHING.to_owned())), role, span, is_default);
                continue;
            }
            if matches!(r#type, Type::Condition) {
                let condition = self.condition(expression, &scope);
                self.keep(index, place, field, condition.map(Value::Condition), role, span, is_default);
                continue;
            }
            let (value, span) = match chosen.get(name) {
                Some((value, span)) => (value.clone(), *span),
                None => (self.evaluate(expression, &scope, Some(&r#type)), span),
            };
            let slot = Slot { name, span };
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
        self.context.clear();
    }

    /// The sweep that a block reads, whose parts and axes its other fields may name.
    fn read_family(
        &mut self,
        kind: &'a ast::NativeKind,
        given: &BTreeMap<&'a str, &'a ast::Field>,
        scope: &Scope<'a>,
    ) -> Option<usize> {
        let field = kind.fields.iter().find(|field| types::name_of(&field.parameter.r#type) == Some("sweep"))?;
        let given = given.get(field.parameter.name.node.as_str())?;
        match self.evaluate(&given.value, scope, None) {
            Static::Family { family, path } if path.is_empty() => Some(family),
            _ => None,
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

    /// The fields by name, and whether they are all good; reports unknown, repeated and missing ones.
    /// `what` has these parameters: "a gan", "`study`".
    pub fn given_fields(
        &mut self,
        block: &'a ast::Block,
        what: &str,
        parameters: &[&'a ast::Parameter],
        scope: &Scope<'a>,
    ) -> (BTreeMap<&'a str, &'a ast::Field>, bool) {
        let known: Vec<&str> = parameters.iter().map(|parameter| parameter.name.node.as_str()).collect();
        let mut given: BTreeMap<&str, &ast::Field> = BTreeMap::new();
        let mut meant: Vec<&str> = Vec::new();
        let mut good = true;
        // Fields that are unknown or repeated: each most likely stands for one that is missing.
        let mut strangers = 0;
        for field in &block.fields {
            let name = field.name.node.as_str();
            if !known.contains(&name) {
                good = false;
                match nearest(name, known.iter().copied()) {
                    Some(near) => meant.push(near),
                    None => strangers += 1,
                }
                self.report(with_suggestion(
                    Diagnostic::error("E0201", format!("{what} has no field `{name}`")).label(field.name.span, "no such field"),
                    name,
                    "fields",
                    &known,
                ));
                // Its value is looked at all the same, for mistakes of its own.
                if !could_be_choice(&field.value) && super::sweeps::each(&field.value).is_none() {
                    self.evaluate(&field.value, scope, None);
                }
            } else if let Some(before) = given.get(name) {
                good = false;
                strangers += 1;
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
        let missing: Vec<&'a ast::Parameter> = parameters
            .iter()
            .copied()
            .filter(|parameter| parameter.default.is_none() && !given.contains_key(parameter.name.node.as_str()))
            .collect();
        good &= missing.is_empty();
        let unexplained: Vec<&'a ast::Parameter> =
            missing.into_iter().filter(|parameter| !meant.contains(&parameter.name.node.as_str())).collect();
        if unexplained.len() > strangers {
            let names: Vec<&str> = unexplained.iter().map(|parameter| parameter.name.node.as_str()).collect();
            let mut diagnostic =
                Diagnostic::error("E0202", format!("the {} `{}` lacks {}", block.kind.node, block.name.node, listed(&names)))
                    .label(
                        head(block),
                        format!("add {}", names.iter().map(|name| format!("`{name} = …`")).collect::<Vec<_>>().join(" and ")),
                    );
            for parameter in unexplained {
                let expected = self.resolve(&parameter.r#type).expected(self.modules);
                diagnostic = diagnostic.note(format!("{}: {expected}", parameter.name.node));
            }
            self.report(diagnostic.note(format!("fields of {what}: {}", known.join(", "))));
        }
        (given, good)
    }
}

/// What stands in a field that may be left out and holds no value then: its default says so in the prelude.
pub(super) const NOTHING: &str = "nothing";

fn is_nothing(expression: &Expression) -> bool {
    matches!(&expression.kind, ast::ExpressionKind::Name(name) if name == NOTHING)
}

/// Whether values of a type name parts or axes of a sweep.
fn is_of_sweep(r#type: &Type<'_>) -> bool {
    matches!(r#type, Type::Axes | Type::Results | Type::Scores | Type::Measured | Type::Sized { name: "statistic", .. })
}

/// A bare word may be that of a choice; whether it is one cannot be told without a type.
fn could_be_choice(expression: &Expression) -> bool {
    matches!(expression.kind, ast::ExpressionKind::Name(_))
}

fn role(field: &ast::KindField) -> Role {
    match field.role.as_ref().map(|role| role.node.as_str()) {
        Some("training") => Role::Training,
        Some("selection") => Role::Selection,
        Some("evaluation") => Role::Evaluation,
        Some("horizon") => Role::Horizon,
        Some("schedule") => Role::Schedule,
        Some("resource") => Role::Resource,
        Some("cosmetic") => Role::Cosmetic,
        _ => Role::Identity,
    }
}

fn step(state: &BlockState<'_>, folder: &Path) -> Option<Step> {
    let kind = state.kind.filter(|_| !state.failed)?;
    if state.fields.len() != kind.fields.len() {
        return None;
    }
    Some(Step {
        name: state.name.clone(),
        kind: kind.name.node.clone(),
        fields: state.fields.values().cloned().collect(),
        span: head(state.block),
        folder: folder.to_path_buf(),
    })
}
