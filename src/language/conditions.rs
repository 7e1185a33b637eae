//! Conditions of claims: comparisons over results that are known only after the run.

use super::check::Checker;
use super::names::with_suggestion;
use super::operators::symbol;
use super::scope::Scope;
use super::static_value::Static;
use super::value::{Comparison, Condition, Construction, Value};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Expression, ExpressionKind, UnaryOperator};

/// What a part of a condition is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Number,
    Truth,
}

impl Sort {
    fn named(self) -> &'static str {
        match self {
            Sort::Number => "a number",
            Sort::Truth => "a comparison",
        }
    }
}

impl<'a> Checker<'a> {
    /// The condition that an expression states, or `None` after a mistake.
    pub fn condition(&mut self, expression: &'a Expression, scope: &Scope<'a>) -> Option<Condition> {
        let (condition, sort) = self.condition_part(expression, scope)?;
        if sort != Sort::Truth {
            self.report(
                Diagnostic::error("E0406", "a claim must compare something")
                    .label(expression.span, "a number is neither true nor false")
                    .help("write a comparison, such as `gap.auroc_gap < 0.10`"),
            );
            return None;
        }
        if condition.references().is_empty() {
            self.report(
                Diagnostic::error("E0406", "this claim names no result, so the run cannot decide it")
                    .label(expression.span, "known before anything runs")
                    .help("compare a result of a block, such as `gap.auroc_gap < 0.10`"),
            );
            return None;
        }
        Some(condition)
    }

    fn condition_part(&mut self, expression: &'a Expression, scope: &Scope<'a>) -> Option<(Condition, Sort)> {
        if !self.spend(1, expression.span) {
            return None;
        }
        self.nested(expression.span, None, |checker| match &expression.kind {
            ExpressionKind::Binary(operator, left, right) => {
                let left_part = checker.condition_part(left, scope);
                let right_part = checker.condition_part(right, scope);
                let ((a, a_sort), (b, b_sort)) = (left_part?, right_part?);
                let needed = match operator {
                    BinaryOperator::And | BinaryOperator::Or => Sort::Truth,
                    _ => Sort::Number,
                };
                let good_left = checker.need(a_sort, needed, symbol(*operator), left.span);
                let good_right = checker.need(b_sort, needed, symbol(*operator), right.span);
                (good_left && good_right).then_some(())?;
                let (left, right) = (Box::new(a), Box::new(b));
                let compare = |comparison, left, right| (Condition::Compare { comparison, left, right }, Sort::Truth);
                let compute = |operator, left, right| (Condition::Arithmetic { operator, left, right }, Sort::Number);
                Some(match operator {
                    BinaryOperator::Add => compute('+', left, right),
                    BinaryOperator::Subtract => compute('-', left, right),
                    BinaryOperator::Multiply => compute('*', left, right),
                    BinaryOperator::Divide => compute('/', left, right),
                    BinaryOperator::Power => compute('^', left, right),
                    BinaryOperator::Less => compare(Comparison::Less, left, right),
                    BinaryOperator::LessOrEqual => compare(Comparison::LessOrEqual, left, right),
                    BinaryOperator::Greater => compare(Comparison::Greater, left, right),
                    BinaryOperator::GreaterOrEqual => compare(Comparison::GreaterOrEqual, left, right),
                    BinaryOperator::Equal => compare(Comparison::Equal, left, right),
                    BinaryOperator::NotEqual => compare(Comparison::NotEqual, left, right),
                    BinaryOperator::And => (Condition::And(left, right), Sort::Truth),
                    BinaryOperator::Or => (Condition::Or(left, right), Sort::Truth),
                })
            }
            ExpressionKind::Unary(operator, operand) => {
                let (part, sort) = checker.condition_part(operand, scope)?;
                let (needed, name) = match operator {
                    UnaryOperator::Negate => (Sort::Number, "-"),
                    UnaryOperator::Not => (Sort::Truth, "not"),
                };
                checker.need(sort, needed, name, operand.span).then_some(())?;
                Some(match operator {
                    UnaryOperator::Negate => (Condition::Negate(Box::new(part)), Sort::Number),
                    UnaryOperator::Not => (Condition::Not(Box::new(part)), Sort::Truth),
                })
            }
            _ => checker.condition_leaf(expression, scope),
        })
    }

    fn need(&mut self, found: Sort, needed: Sort, operator: &str, span: Span) -> bool {
        if found != needed {
            self.report(
                Diagnostic::error("E0406", format!("`{operator}` joins {}s here", needed.named().trim_start_matches("a ")))
                    .label(span, format!("this is {}", found.named()))
                    .help("comparisons are joined with `and` and `or`: `0.1 < a.x and a.x < 0.2`"),
            );
        }
        found == needed
    }

    /// Whether a statistic comes to one number, as a claim needs. If not, that is reported.
    fn one_number(&mut self, statistic: &Construction, span: Span) -> bool {
        let argument = |name: &str| statistic.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let Some(Value::Results(results)) = argument("value") else { return true };
        let over = match argument("over") {
            Some(Value::Axes(over)) => over.as_slice(),
            _ => &[],
        };
        let written = &results.written;
        let axes: Vec<&str> = results.axes.iter().map(|axis| axis.name.as_str()).collect();
        if let Some(unknown) = over.iter().find(|name| !axes.contains(&name.as_str())) {
            let diagnostic = Diagnostic::error("E0410", format!("the sweep of `{written}` has no axis `{unknown}`"));
            self.report(with_suggestion(diagnostic.label(span, "no such axis in it"), unknown, "axes", &axes));
            return false;
        }
        let left: Vec<&str> = axes.iter().copied().filter(|axis| !over.iter().any(|name| name == axis)).collect();
        let (message, help) = match statistic.function.as_str() {
            "mean_ci" => (
                "a claim compares numbers, and `mean_ci` is a number with an interval".to_owned(),
                format!("write `mean({written})`; a table shows the interval"),
            ),
            "bootstrap_ci" => (
                "a claim compares numbers, and `bootstrap_ci` is a number with an interval".to_owned(),
                format!("write `bootstrap_upper({written})` or `bootstrap_lower({written})` for one end of the interval"),
            ),
            "holm" => (
                "`holm` adjusts all cells of a table, and a claim has none".to_owned(),
                format!("write `maximum({written})`, or show `holm({written})` in a table"),
            ),
            "single" if results.cells.len() > 1 => (
                format!("`{written}` has {} instances, and `single` is for one", results.cells.len()),
                format!("say which number of them counts: `mean({written})` or `maximum({written})`"),
            ),
            _ if !over.is_empty() && !left.is_empty() => (
                format!("a claim compares one number, and {} would be left over", super::names::listed(&left)),
                "leave `over` out, and all instances are put together; a table shows them one by one".to_owned(),
            ),
            _ => return true,
        };
        self.report(Diagnostic::error("E0406", message).label(span, "not one number").help(help));
        false
    }

    /// A result, or a number that is known now.
    fn condition_leaf(&mut self, expression: &'a Expression, scope: &Scope<'a>) -> Option<(Condition, Sort)> {
        let value = self.evaluate(expression, scope, None);
        match &value {
            Static::Poison => None,
            Static::Result { block, result } => {
                let step = self.block_name(*block)?;
                Some((Condition::Result { step, result: (*result).to_owned() }, Sort::Number))
            }
            Static::Construction(made) if made.type_name == "statistic" => {
                let statistic = made.construction.clone();
                self.one_number(&statistic, expression.span).then_some((Condition::Statistic(statistic), Sort::Number))
            }
            Static::Integer(_) | Static::Number(_) => Some((Condition::Number(value.measure()?.value), Sort::Number)),
            Static::Quantity(quantity) if quantity.dimension == "ratio" => {
                Some((Condition::Number(quantity.value), Sort::Number))
            }
            other => {
                let found = self.found(other);
                let mut diagnostic = Diagnostic::error("E0406", format!("{found} cannot be compared in a claim"))
                    .label(expression.span, "neither a result nor a number");
                if let Static::Family { path, .. } = other
                    && !path.is_empty()
                {
                    let text = self.sources.text(expression.span);
                    diagnostic = diagnostic.help(format!("say which number of them counts: `mean({text})` or `maximum({text})`"));
                }
                if let Static::Block(block) = other
                    && let Some(kind) = self.blocks.get(*block).and_then(|state| state.kind)
                {
                    let name = self.block_name(*block).unwrap_or_default();
                    let results: Vec<String> =
                        kind.results.iter().map(|result| format!("`{name}.{}`", result.name.node)).collect();
                    diagnostic = match results.as_slice() {
                        [] => diagnostic.help(format!("a {} has no results", kind.name.node)),
                        results => diagnostic.help(format!("results of `{name}`: {}", results.join(", "))),
                    };
                }
                self.report(diagnostic);
                None
            }
        }
    }
}
