//! `sweep`: an instance for every combination of the values that its fields name with `each(…)`.

use super::check::Checker;
use super::frames::{Chosen, Member, Target, head};
use super::scope::Scope;
use super::static_value::{Static, show};
use super::types::Type;
use super::units;
use super::value::Axis;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, Argument, Expression, ExpressionKind};
use std::collections::BTreeMap;

/// A sweep with more instances than this is refused.
const MOST_INSTANCES: usize = 10_000;

/// An expanded sweep.
#[derive(Debug)]
pub(super) struct Family<'a> {
    pub block: &'a ast::Block,
    /// As steps are named: `by_seed`.
    pub name: String,
    pub axes: Vec<Axis>,
    pub instances: Vec<Instance<'a>>,
}

/// One combination of a sweep.
#[derive(Debug)]
pub(super) struct Instance<'a> {
    pub name: String,
    pub labels: Vec<String>,
    pub member: Member<'a>,
}

/// One value of an axis.
#[derive(Clone)]
struct Choice<'a> {
    label: String,
    value: Static<'a>,
    span: Span,
}

impl<'a> Checker<'a> {
    /// Expands a sweep of a recipe or kind.
    pub fn sweep(&mut self, frame: usize, block: &'a ast::Block, target: Target<'a>) -> Member<'a> {
        let scope = self.frame_scope(frame);
        let mut axes: Vec<(&'a str, Vec<Choice<'a>>)> = Vec::new();
        for field in &block.fields {
            let Some(arguments) = each(&field.value) else { continue };
            let expected = self.expected_by(target, &field.name.node);
            let Some(choices) = self.axis(field, arguments, expected.as_ref(), &scope) else { return Member::Failed };
            axes.push((&field.name.node, choices));
        }
        if axes.is_empty() {
            self.report(
                Diagnostic::error("E0413", format!("`{}` sweeps over nothing", block.name.node))
                    .label(inner_each(block).unwrap_or_else(|| head(block)), "`each(…)` must be the whole value of a field")
                    .help("give a field several values: `seed = each(1..4)`; a single instance is a block: `recipe name { … }`"),
            );
            return Member::Failed;
        }
        let count = axes.iter().try_fold(1_usize, |count, (_, choices)| count.checked_mul(choices.len()));
        if count.is_none_or(|count| count > MOST_INSTANCES) {
            self.report(
                Diagnostic::error("E0412", format!("`{}` has more than {MOST_INSTANCES} instances", block.name.node))
                    .label(head(block), "expansion stopped here")
                    .help("give its fields fewer values"),
            );
            return Member::Failed;
        }
        let mut instances = Vec::new();
        for combination in combinations(&axes) {
            let labels: Vec<String> = combination.iter().map(|(_, choice)| choice.label.clone()).collect();
            let coordinates: Vec<String> = combination.iter().map(|(axis, choice)| format!("{axis}={}", choice.label)).collect();
            let name = format!("{}[{}]", block.name.node, coordinates.join(", "));
            let chosen: Chosen<'a> =
                combination.iter().map(|(axis, choice)| (*axis, (choice.value.clone(), choice.span))).collect();
            let member = match target {
                Target::Kind(kind) => self.add_block(frame, block, Some(kind), &name, chosen),
                Target::Recipe(module, recipe) => {
                    let asked = (block, chosen);
                    self.instantiate_recipe(frame, asked, module, recipe, &name).map_or(Member::Failed, Member::Instance)
                }
                Target::Unknown => Member::Failed,
            };
            if matches!(member, Member::Failed) {
                return Member::Failed;
            }
            let prefix = self.frames.get(frame).map(|frame| frame.prefix.as_str()).unwrap_or_default();
            instances.push(Instance { name: format!("{prefix}{name}"), labels, member });
        }
        let prefix = self.frames.get(frame).map(|frame| frame.prefix.as_str()).unwrap_or_default();
        let name = format!("{prefix}{}", block.name.node);
        let axes = axes
            .into_iter()
            .map(|(name, choices)| Axis {
                name: name.to_owned(),
                labels: choices.into_iter().map(|choice| choice.label).collect(),
            })
            .collect();
        self.families.push(Family { block, name, axes, instances });
        Member::Family(self.families.len() - 1)
    }

    /// The type of the parameter or field that a sweep gives values to.
    fn expected_by(&mut self, target: Target<'a>, name: &str) -> Option<Type<'a>> {
        let (parameter, module) = match target {
            Target::Kind(kind) => {
                let field = kind.fields.iter().find(|field| field.parameter.name.node == name)?;
                (&field.parameter, self.modules.prelude)
            }
            Target::Recipe(module, recipe) => (recipe.parameters.iter().find(|parameter| parameter.name.node == name)?, module),
            Target::Unknown => return None,
        };
        Some(self.type_of(&parameter.r#type, parameter.default.as_ref(), &Scope::new(module)))
    }

    /// The values of one axis with their labels; `None` after a mistake.
    fn axis(
        &mut self,
        field: &'a ast::Field,
        arguments: &'a [Argument],
        expected: Option<&Type<'a>>,
        scope: &Scope<'a>,
    ) -> Option<Vec<Choice<'a>>> {
        let mut choices: Vec<(Choice<'a>, Option<&'a Expression>)> = Vec::new();
        let mut good = true;
        for argument in arguments {
            let span = argument.value.span;
            if matches!(argument.value.kind, ExpressionKind::Range { .. }) {
                let Some(turns) = self.turns(&argument.value, scope) else {
                    good = false;
                    continue;
                };
                choices.extend(turns.into_iter().map(|value| (Choice { label: self.label(&value, None), value, span }, None)));
                continue;
            }
            let takes_list = matches!(expected, Some(Type::List(_) | Type::Pair | Type::Any | Type::Axes));
            let value = self.evaluate(&argument.value, scope, expected);
            good &= !value.is_poison();
            if let (Static::List(elements), false, None) = (&value, takes_list, &argument.name) {
                let elements = elements.iter().cloned();
                choices.extend(elements.map(|value| (Choice { label: self.label(&value, None), value, span }, None)));
                continue;
            }
            let label = match &argument.name {
                Some(name) => name.node.clone(),
                None => self.label(&value, Some(&argument.value)),
            };
            choices.push((Choice { label, value, span }, argument.name.is_none().then_some(&argument.value)));
        }
        if !good {
            return None;
        }
        // Where two would be called the same, the whole of what is written is their name.
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (choice, _) in &choices {
            *counts.entry(choice.label.clone()).or_default() += 1;
        }
        for (choice, written) in &mut choices {
            if let Some(written) = written
                && counts.get(&choice.label).is_some_and(|count| *count > 1)
            {
                choice.label = plain(self.sources.text(written.span));
            }
        }
        let mut known: BTreeMap<String, &Choice<'a>> = BTreeMap::new();
        for (choice, _) in &choices {
            // By its value where that is a number, so that `0.1` and `1e-1` are one.
            let identity = match choice.value.measure() {
                Some(measure) => format!("{} {}", measure.value, measure.dimension.unwrap_or_default()),
                None => choice.label.clone(),
            };
            if let Some(before) = known.insert(identity, choice) {
                let message = format!("`{}` has the value `{}` twice", field.name.node, choice.label);
                self.report(
                    Diagnostic::error("E0413", message)
                        .label(choice.span, "the second time here")
                        .label(before.span, "the first time here")
                        .help("leave one out, or tell them apart with labels of your own: `each(a = …, b = …)`"),
                );
                return None;
            }
        }
        if choices.is_empty() {
            self.report(
                Diagnostic::error("E0413", format!("`{}` has no value to sweep over", field.name.node))
                    .label(field.value.span, "empty")
                    .help("give at least one value: `each(1, 2, 3)` or `each(1..4)`"),
            );
            return None;
        }
        Some(choices.into_iter().map(|(choice, _)| choice).collect())
    }

    /// What a value is called in the names of steps.
    fn label(&self, value: &Static<'a>, written: Option<&Expression>) -> String {
        match (value, written) {
            (Static::Integer(number), _) => number.to_string(),
            (Static::Number(number), _) => show(*number),
            (Static::Boolean(value), _) => value.to_string(),
            (Static::Quantity(quantity), _) => units::shown(self.modules, quantity),
            (Static::Choice { word, .. }, _) => (*word).to_owned(),
            (Static::Text(text), _) => plain(text),
            // Of a list: as it would be called where it stood alone.
            (Static::Recipe(module, recipe), None) => match self.modules.get(*module) {
                Some(found) if *module != self.modules.main => found.short.clone(),
                _ => recipe.name.node.clone(),
            },
            (_, Some(written)) => short_name(written).unwrap_or_else(|| plain(self.sources.text(written.span))),
            _ => "value".to_owned(),
        }
    }
}

/// `cpd` for `cpd.train` and `cpd.train(…)`, `chest` for `chest`: the first word of a name.
fn short_name(written: &Expression) -> Option<String> {
    match &written.kind {
        ExpressionKind::Name(name) => Some(name.clone()),
        ExpressionKind::Member(base, _) => short_name(base),
        ExpressionKind::Call { callee, .. } => short_name(callee),
        _ => None,
    }
}

/// A text as it may stand between the brackets of a step's name: letters, digits and plain signs, not too long.
fn plain(text: &str) -> String {
    let allowed = |c: char| if c.is_alphanumeric() || "_.-+() ".contains(c) { c } else { '_' };
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).map(allowed).collect()
}

/// The arguments of `each(…)`, if an expression is that.
pub(super) fn each(expression: &Expression) -> Option<&[Argument]> {
    match &expression.kind {
        ExpressionKind::Call { callee, arguments } => match &callee.kind {
            ExpressionKind::Name(name) if name == "each" => Some(arguments),
            _ => None,
        },
        _ => None,
    }
}

/// An `each(…)` that stands inside of a value.
fn inner_each(block: &ast::Block) -> Option<Span> {
    let mut pending: Vec<&Expression> = block.fields.iter().map(|field| &field.value).collect();
    while let Some(next) = pending.pop() {
        if each(next).is_some() {
            return Some(next.span);
        }
        super::walk::children(next, &mut pending);
    }
    None
}

/// One value of every axis, the last axis turning fastest.
fn combinations<'a, 'c>(axes: &'c [(&'a str, Vec<Choice<'a>>)]) -> Vec<Vec<(&'a str, &'c Choice<'a>)>> {
    axes.iter().fold(vec![Vec::new()], |done, (axis, choices)| {
        done.iter()
            .flat_map(|before| {
                choices.iter().map(move |choice| {
                    let mut next = before.clone();
                    next.push((*axis, choice));
                    next
                })
            })
            .collect()
    })
}
