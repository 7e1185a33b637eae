//! Whether a value may stand where a type is due: type, unit, choice, part of a block, range.

use super::check::Checker;
use super::scope::Scope;
use super::static_value::{Entry, Measure, Range, Static};
use super::types::{self, Type};
use super::units;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, Expression, ExpressionKind};

/// The place of a value, for messages.
pub(super) struct Slot<'s> {
    /// The field or parameter.
    pub name: &'s str,
    pub span: Span,
}

impl<'a> Checker<'a> {
    /// The value, if it is of the type; a bare block becomes the part of it that is due. Otherwise poison, with a message.
    pub fn admit(&mut self, value: Static<'a>, r#type: &Type<'a>, slot: &Slot<'_>) -> Static<'a> {
        match (r#type, value) {
            (_, Static::Poison) => Static::Poison,
            (Type::Unknown, _) => Static::Poison,
            (Type::Any, value) => value,
            (Type::Results, value @ (Static::Result { .. } | Static::Family { .. })) => self.admit_results(value, slot),
            (Type::Scores, value @ (Static::Result { .. } | Static::Family { .. })) => self.admit_scores(value, slot),
            (Type::Measured, value @ (Static::Result { .. } | Static::Family { .. })) => self.admit_measured(value, slot),
            (Type::Axes, Static::List(values)) => self.admit_axes(values, slot),
            (Type::Pair, value) if let Some([rows, columns]) = value.as_pair() => Static::pair(rows, columns),
            (Type::Record(record), Static::Record(values)) => self.admit_record(record, &values, slot),
            (Type::Boolean, value @ Static::Boolean(_))
            | (Type::Integer, value @ Static::Integer(_))
            | (Type::Number, value @ (Static::Integer(_) | Static::Number(_)))
            | (Type::Text | Type::Path, value @ Static::Text(_))
            | (Type::Step, value @ Static::Block(_))
            | (Type::Tensor(_), value @ Static::Tensor(_))
            | (Type::Network { .. } | Type::AnyNetwork, value @ Static::Network(_))
            | (Type::AnyRecord, value @ Static::Record(_))
            | (Type::Recipe, value @ Static::Recipe(..))
            | (Type::Axes, value @ Static::Axes(_)) => value,
            (Type::Family, Static::Family { family, path }) if path.is_empty() => Static::Family { family, path },
            (Type::Quantity(dimension), Static::Quantity(quantity)) if quantity.dimension == *dimension => {
                Static::Quantity(quantity)
            }
            (Type::Choice(due), Static::Choice { choice, word }) if due.name.node == choice => Static::Choice { choice, word },
            (Type::List(None), value @ Static::List(_)) => value,
            (Type::List(Some(element)), Static::List(values)) => {
                // An instance or a sweep in a list of blocks is all of its blocks.
                let values: Vec<_> = match element.as_ref() {
                    Type::Step => values
                        .into_iter()
                        .flat_map(|value| match self.blocks_of(&value) {
                            Some(blocks) => blocks.into_iter().map(Static::Block).collect(),
                            None => vec![value],
                        })
                        .collect(),
                    _ => values,
                };
                let admitted: Vec<_> = values.into_iter().map(|value| self.admit(value, element, slot)).collect();
                if admitted.iter().any(Static::is_poison) { Static::Poison } else { Static::List(admitted) }
            }
            (Type::Sized { name, .. }, Static::Construction(made)) if made.type_name == *name => Static::Construction(made),
            (Type::Sized { name, .. }, value @ (Static::Block(_) | Static::Port { .. })) => self.admit_port(&value, name, slot),
            (Type::Sized { name, .. }, Static::Instance(frame)) => {
                let fits = |checker: &Self, value: &Static<'a>| match value {
                    Static::Port { block, port } => checker.port_type(*block, port).is_some_and(|held| types::serves(held, name)),
                    Static::Construction(made) => made.type_name == *name,
                    Static::Block(block) => checker.fitting_ports(*block, name).len() == 1,
                    _ => false,
                };
                let value = self.port_of_instance(frame, &format!("`{name}`"), slot, fits);
                self.admit(value, r#type, slot)
            }
            (Type::Blocks { kind, .. }, Static::Instance(frame)) => {
                let fits = |checker: &Self, value: &Static<'a>| match value {
                    Static::Block(block) => checker.has_ports_of(*block, kind),
                    _ => false,
                };
                let value = self.port_of_instance(frame, &format!("a whole {}", kind.name.node), slot, fits);
                self.admit(value, r#type, slot)
            }
            (Type::Blocks { kind, .. }, value @ (Static::Block(_) | Static::Port { .. })) => {
                self.admit_blocks(&value, kind, slot)
            }
            (_, value) => {
                let diagnostic = self.wrong_type(&value, r#type, slot);
                self.poison(diagnostic)
            }
        }
    }

    /// One list of axes from a list of them.
    fn admit_axes(&mut self, values: Vec<Static<'a>>, slot: &Slot<'_>) -> Static<'a> {
        let mut names: Vec<String> = Vec::new();
        for value in values {
            match value {
                Static::Poison => return Static::Poison,
                Static::Axes(axes) => names.extend(axes),
                other => {
                    let diagnostic = self.wrong_type(&other, &Type::Axes, slot);
                    return self.poison(diagnostic);
                }
            }
        }
        Static::Axes(names)
    }

    /// All fields of a declared record in its order: those that are given, and the defaults of the others.
    fn admit_record(&mut self, record: &'a ast::Record, given: &[Entry<'a>], slot: &Slot<'_>) -> Static<'a> {
        let module = self.modules.module_of_record(record);
        if !self.enter(module, &record.name.node, slot.span, "give the field a default that holds no record of its own kind") {
            return Static::Poison;
        }
        let admitted = self.admit_fields(record, module, given, slot);
        self.calls.pop();
        admitted
    }

    fn admit_fields(&mut self, record: &'a ast::Record, module: usize, given: &[Entry<'a>], slot: &Slot<'_>) -> Static<'a> {
        let known: Vec<&str> = record.fields.iter().map(|field| field.parameter.name.node.as_str()).collect();
        let mut good = true;
        for Entry { name, .. } in given {
            if !known.contains(&name.text) {
                good = false;
                self.report(super::names::with_suggestion(
                    Diagnostic::error("E0201", format!("a {} has no field `{}`", record.name.node, name.text))
                        .label(name.span, "no such field"),
                    name.text,
                    "fields",
                    &known,
                ));
            }
        }
        let mut scope = Scope::new(module);
        let mut values = Vec::new();
        for field in &record.fields {
            let parameter = &field.parameter;
            let name = parameter.name.node.as_str();
            let r#type = self.type_of(&parameter.r#type, parameter.default.as_ref(), &scope);
            let entry = given.iter().find(|entry| entry.name.text == name);
            let place = entry.map_or(slot.span, |entry| entry.place);
            let value = match (entry, &parameter.default) {
                (Some(entry), _) => entry.value.clone(),
                (None, Some(default)) => self.evaluate(default, &scope, Some(&r#type)),
                (None, None) => {
                    let expected = r#type.expected(self.modules);
                    self.poison(
                        Diagnostic::error("E0202", format!("`{}` lacks `{name}`", slot.name))
                            .label(slot.span, format!("add `{name} = …`"))
                            .note(format!("{name}: {expected}"))
                            .note(format!("fields of a {}: {}", record.name.node, known.join(", "))),
                    )
                }
            };
            let inner = Slot { name, span: place };
            let value = self.admit(value, &r#type, &inner);
            let value = self.admit_range(value, parameter.range.as_ref(), &scope, &inner);
            good &= !value.is_poison();
            scope.locals.insert(name, value.clone());
            values.push(Entry { name: (&parameter.name).into(), value, place });
        }
        if good { Static::Record(values) } else { Static::Poison }
    }

    fn wrong_type(&self, value: &Static<'a>, r#type: &Type<'a>, slot: &Slot<'_>) -> Diagnostic {
        let name = slot.name;
        let quoted = if name.contains(' ') { name.to_owned() } else { format!("`{name}`") };
        let expected = r#type.expected(self.modules);
        let found = self.found(value);
        match (r#type, value) {
            (Type::Quantity(dimension), Static::Integer(_) | Static::Number(_)) => {
                let number = value.measure().map_or(0.0, |measure| measure.value);
                let known: Vec<&str> =
                    units::units_of(self.modules, dimension).iter().map(|unit| unit.name.node.as_str()).collect();
                let diagnostic = Diagnostic::error("E0209", format!("{quoted} is {} and needs a unit", units::words(dimension)))
                    .label(slot.span, "a number without a unit")
                    .note(format!("units of {dimension}: {}", known.join(", ")));
                match units::suggestion(self.modules, number, dimension) {
                    Some(fix) => diagnostic.help(format!("write `{fix}`")),
                    None => diagnostic,
                }
            }
            (Type::Quantity(dimension), Static::Quantity(quantity)) => {
                let known: Vec<&str> =
                    units::units_of(self.modules, dimension).iter().map(|unit| unit.name.node.as_str()).collect();
                Diagnostic::error(
                    "E0208",
                    format!("{quoted} is {}, not {}", units::words(dimension), units::words(&quantity.dimension)),
                )
                .label(slot.span, format!("this is {}", units::words(&quantity.dimension)))
                .help(format!("units of {dimension}: {}", known.join(", ")))
            }
            (Type::Integer | Type::Number, Static::Quantity(quantity)) => {
                Diagnostic::error("E0208", format!("{quoted} is a number without a unit"))
                    .label(slot.span, format!("this is {}", units::words(&quantity.dimension)))
                    .help("leave the unit out")
            }
            (Type::Integer, Static::Number(number)) => {
                let diagnostic = Diagnostic::error(
                    "E0207",
                    format!("{quoted} must be a whole number, not {}", super::static_value::show(*number)),
                )
                .label(slot.span, "not written as a whole number");
                if number.fract() == 0.0 && number.abs() < 9e15 {
                    diagnostic.help(format!("write `{}`", *number as i64))
                } else {
                    diagnostic.help("`floor(…)` gives the whole number below")
                }
            }
            (_, Static::Tensor(_)) => {
                Diagnostic::error("E0317", format!("{quoted} must be known while checking, and a tensor is not"))
                    .label(slot.span, "a tensor, known only when the network runs")
                    .note(format!("expected: {expected}"))
            }
            (Type::Quantity(dimension), Static::Port { block, port }) if self.port_type(*block, port) == Some(*dimension) => {
                Diagnostic::error("E0207", format!("{quoted} is declared as a number of {dimension}, not as data"))
                    .label(slot.span, format!("this is {found}"))
                    .help(format!("declare it with sizes: `{dimension}[c, h, w, labels]`"))
            }
            (Type::Sized { .. }, Static::Network(_)) | (Type::Network { .. }, _) => {
                Diagnostic::error("E0207", format!("{quoted} must be {expected}")).label(slot.span, format!("this is {found}"))
            }
            _ => Diagnostic::error("E0207", format!("{quoted} must be {expected}, not {found}"))
                .label(slot.span, format!("this is {found}")),
        }
    }

    /// Checks a value against the range of its parameter; of a list, the range is that of its length, of a pair that of both
    /// numbers.
    pub fn admit_range(
        &mut self,
        value: Static<'a>,
        range: Option<&'a Expression>,
        scope: &Scope<'a>,
        slot: &Slot<'_>,
    ) -> Static<'a> {
        let (Some(written), false) = (range, value.is_poison()) else { return value };
        if let Static::Pair(pair) = value {
            let both = pair.map(|number| self.admit_range(Static::Integer(number), range, scope, slot));
            return if both.iter().any(Static::is_poison) { Static::Poison } else { value };
        }
        let ExpressionKind::Range { start, end, inclusive } = &written.kind else { return value };
        let Some(range) = self.range(start.as_deref(), end.as_deref(), *inclusive, scope) else { return Static::Poison };
        let (measure, what) = match &value {
            Static::List(elements) => {
                let length = elements.len();
                (
                    Measure { value: length as f64, integer: Some(length as i64), dimension: None },
                    format!("has {length} elements"),
                )
            }
            other => match other.measure() {
                Some(measure) => {
                    let shown = match other {
                        Static::Quantity(quantity) => units::shown(self.modules, quantity),
                        _ => measure
                            .integer
                            .map_or_else(|| super::static_value::show(measure.value), |integer| integer.to_string()),
                    };
                    (measure, format!("is {shown}"))
                }
                None => return value,
            },
        };
        if contains(&range, &measure) {
            return value;
        }
        let allowed = self.sources.text(written.span).to_owned();
        self.poison(
            Diagnostic::error("E0210", format!("`{}` {what}, which is outside {allowed}", slot.name))
                .label(slot.span, format!("must be in {allowed}"))
                .help(bounds(&range, |measure| match &measure.dimension {
                    Some(dimension) => {
                        units::shown(self.modules, &super::value::Quantity { value: measure.value, dimension: dimension.clone() })
                    }
                    None => super::static_value::show(measure.value),
                })),
        )
    }
}

/// Whether a number lies in a range; numbers of other dimensions do not.
pub(super) fn contains(range: &Range, measure: &Measure) -> bool {
    let above = range.start.as_ref().is_none_or(|start| start.dimension == measure.dimension && measure.value >= start.value);
    let below = range.end.as_ref().is_none_or(|end| {
        end.dimension == measure.dimension && (measure.value < end.value || (range.inclusive && measure.value == end.value))
    });
    above && below
}

/// A range in words.
fn bounds(range: &Range, show: impl Fn(&Measure) -> String) -> String {
    let top = |end: &Measure| if range.inclusive { format!("at most {}", show(end)) } else { format!("below {}", show(end)) };
    match (&range.start, &range.end) {
        (Some(start), Some(end)) => format!("at least {} and {}", show(start), top(end)),
        (Some(start), None) => format!("at least {}", show(start)),
        (None, Some(end)) => top(end),
        (None, None) => "any number will do".into(),
    }
}
