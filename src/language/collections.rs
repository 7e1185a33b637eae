//! Lists made by a `for`, records, and what loops run over.

use super::check::Checker;
use super::scope::Scope;
use super::static_value::{Entry, PathName, Static};
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{self, Expression};

impl<'a> Checker<'a> {
    /// `[element for variable in over if condition]`: the element once for every turn, with the variable bound.
    pub fn comprehension(
        &mut self,
        element: &'a Expression,
        variable: &'a ast::Name,
        over: &'a Expression,
        condition: Option<&'a Expression>,
        scope: &Scope<'a>,
        expected: Option<&Type<'a>>,
    ) -> Static<'a> {
        let Some(turns) = self.turns(over, scope) else { return Static::Poison };
        let element_type = match expected {
            Some(Type::List(Some(element))) => Some(element.as_ref()),
            _ => None,
        };
        let mut inner = scope.clone();
        let mut values = Vec::new();
        for turn in turns {
            inner.locals.insert(&variable.node, turn);
            match condition.map(|condition| self.condition_value(condition, &inner)) {
                Some(None) => return Static::Poison,
                Some(Some(false)) => continue,
                _ => {}
            }
            match self.evaluate(element, &inner, element_type) {
                Static::Poison => return Static::Poison,
                value => values.push(value),
            }
        }
        Static::List(values)
    }

    /// The values that a loop runs over: the whole numbers of a range, or the elements of a list. `None` after a mistake.
    pub fn turns(&mut self, over: &'a Expression, scope: &Scope<'a>) -> Option<Vec<Static<'a>>> {
        let range = match self.evaluate(over, scope, None) {
            Static::Poison => return None,
            Static::List(elements) => return self.spend(elements.len() as u64, over.span).then_some(elements),
            Static::Range(range) => range,
            other => {
                let found = self.found(&other);
                let code = if matches!(other, Static::Tensor(_)) { "E0317" } else { "E0207" };
                self.report(
                    Diagnostic::error(code, format!("`for` runs over a range or a list, not over {found}"))
                        .label(over.span, "neither range nor list")
                        .help("write for example `for stage in 3..=5`"),
                );
                return None;
            }
        };
        let whole = |measure: &Option<super::static_value::Measure>| measure.as_ref().and_then(|measure| measure.integer);
        let (Some(start), Some(end)) = (whole(&range.start), whole(&range.end)) else {
            self.report(
                Diagnostic::error("E0207", "`for` needs a range between two whole numbers")
                    .label(over.span, "an end is missing or no whole number")
                    .help("write for example `for stage in 3..=5`; `floor(…)` makes a number whole"),
            );
            return None;
        };
        let length = i128::from(end) - i128::from(start) + i128::from(range.inclusive);
        if !self.spend(u64::try_from(length.max(0)).unwrap_or(u64::MAX), over.span) {
            return None;
        }
        let last = if range.inclusive { Some(end) } else { end.checked_sub(1) };
        Some(last.map(|last| (start..=last).map(Static::Integer).collect()).unwrap_or_default())
    }

    /// `{ name = value, … }`; where a declared record is due, its fields say which values are expected.
    pub fn record(&mut self, fields: &'a [ast::Field], scope: &Scope<'a>, expected: Option<&Type<'a>>) -> Static<'a> {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let mut good = true;
        for field in fields {
            let name = PathName::from(&field.name);
            if let Some(before) = entries.iter().find(|entry| entry.name.text == name.text) {
                self.report(
                    Diagnostic::error("E0203", format!("`{}` is given twice in this record", name.text))
                        .label(name.span, "the second time here")
                        .label(before.name.span, "the first time here")
                        .help("leave one of them out"),
                );
                good = false;
                continue;
            }
            let due = match expected {
                Some(Type::Record(record)) => record.fields.iter().find(|known| known.parameter.name.node == name.text),
                _ => None,
            };
            let due = due.map(|due| self.resolve(&due.parameter.r#type));
            let value = self.evaluate(&field.value, scope, due.as_ref());
            good &= !value.is_poison();
            entries.push(Entry { name, value, place: field.value.span });
        }
        if good { Static::Record(entries) } else { Static::Poison }
    }
}
