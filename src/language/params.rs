//! `param`: values from the command line or by default, checked against type and range alike.

use super::admit::Slot;
use super::check::Checker;
use super::names::with_suggestion;
use super::static_value::Static;
use super::types::Type;
use super::units;
use super::value::Value;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{self, DeclarationKind};

/// The params of the checked file with their values. `None` after a mistake.
pub(super) fn check(checker: &mut Checker<'_>) -> Option<Vec<(String, Value)>> {
    let main = checker.modules.main;
    let tree = &checker.modules.get(main)?.tree;
    let params: Vec<&ast::Param> = tree
        .declarations
        .iter()
        .filter_map(|declaration| match &declaration.kind {
            DeclarationKind::Param(param) => Some(param),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = params.iter().map(|param| param.name.node.as_str()).collect();
    for (index, (given, text)) in checker.given_params.iter().enumerate() {
        let before = checker.given_params.iter().take(index).find(|(before, _)| before == given);
        if let Some((_, before)) = before {
            checker.report(
                Diagnostic::error("E0228", format!("`-p {given}=…` is given twice"))
                    .note(format!("`{before}` first, and then `{text}`"))
                    .help("leave one of them out"),
            );
        }
        if !names.contains(&given.as_str()) {
            let diagnostic = Diagnostic::error("E0218", format!("`-p {given}=…` names no param of this file"));
            let diagnostic = match params.first() {
                Some(first) => diagnostic.label(first.name.span, "params are declared here"),
                None => diagnostic,
            };
            checker.report(with_suggestion(diagnostic, given, "params", &names));
        }
    }
    let mut values = Vec::new();
    let mut good = true;
    for param in params {
        let value = checker
            .definition((main, super::frames::FILE), &param.name.node, param.name.span, |checker| checker.param(main, param));
        let scope = checker.module_scope(main);
        let r#type = checker.type_of(&param.r#type, param.default.as_ref(), &scope);
        match checker.finish(value, &r#type, &Slot { name: &param.name.node, span: param.name.span }) {
            Some(value) => values.push((param.name.node.clone(), value)),
            None => good = false,
        }
    }
    good.then_some(values)
}

impl<'a> Checker<'a> {
    /// The value of a param: of the `-p` that names it, else its default.
    pub fn param(&mut self, module: usize, param: &'a ast::Param) -> Static<'a> {
        let name = &param.name.node;
        let scope = self.module_scope(module);
        let r#type = self.type_of(&param.r#type, param.default.as_ref(), &scope);
        let given = self.given_params.iter().find(|(given, _)| given == name && module == self.modules.main);
        let (value, span) = match (given, &param.default) {
            (Some((_, text)), _) => {
                let span = param.name.span.to(param.r#type.span);
                let value = match self.read_param(text, &r#type) {
                    Some(value) => value,
                    None => {
                        let expected = match r#type {
                            Type::Integer if is_digits(text) => format!("between {} and {}", i64::MIN, i64::MAX),
                            _ => r#type.expected(self.modules),
                        };
                        return self.poison(
                            Diagnostic::error("E0219", format!("`-p {name}={text}`: `{name}` must be {expected}"))
                                .label(span, "declared here")
                                .help(example(&r#type, name)),
                        );
                    }
                };
                let before = self.diagnostics.len();
                let value = self.admit(value, &r#type, &Slot { name, span });
                let value = self.admit_range(value, param.range.as_ref(), &scope, &Slot { name, span });
                self.recode_command_line(before, name, text, param.range.as_ref().map(|range| range.span));
                return value;
            }
            (None, Some(default)) => (self.evaluate(default, &scope, Some(&r#type)), default.span),
            (None, None) => {
                return self.poison(
                    Diagnostic::error("E0225", format!("`{name}` has no value"))
                        .label(param.name.span, "declared without a default")
                        .help(format!("give it on the command line: `-p {name}=…`")),
                );
            }
        };
        let slot = Slot { name, span };
        let value = self.admit(value, &r#type, &slot);
        self.admit_range(value, param.range.as_ref(), &scope, &slot)
    }

    /// Messages on a value from the command line say so.
    fn recode_command_line(&mut self, before: usize, name: &str, text: &str, range: Option<Span>) {
        for diagnostic in self.diagnostics.iter_mut().skip(before) {
            diagnostic.code = "E0219";
            diagnostic.message = format!("`-p {name}={text}`: {}", diagnostic.message);
            if let (Some(range), Some(label)) = (range, diagnostic.labels.first_mut()) {
                *label = crate::diagnostic::Label { span: range, text: "declared with this range".into() };
            }
        }
    }

    /// A text from the command line as a value of the type; texts and paths stand without quotes. `None` if it is none.
    fn read_param(&self, text: &str, r#type: &Type<'a>) -> Option<Static<'a>> {
        let plain = text.replace('_', "");
        Some(match r#type {
            Type::Text | Type::Path => Static::Text(text.to_owned()),
            Type::Boolean => Static::Boolean(text.parse().ok()?),
            Type::Integer => Static::Integer(plain.parse().ok()?),
            Type::Pair => match plain.split_once(',') {
                Some((rows, columns)) => Static::pair(rows.trim().parse().ok()?, columns.trim().parse().ok()?),
                None => Static::Integer(plain.parse().ok()?),
            },
            Type::Number => Static::Number(plain.parse().ok().filter(|value: &f64| value.is_finite())?),
            Type::Quantity(_) => {
                let split = plain.find(|c: char| c == '%' || (c.is_alphabetic() && c != 'e')).unwrap_or(plain.len());
                let (number, unit) = plain.split_at(split);
                let number: f64 = number.parse().ok().filter(|value: &f64| value.is_finite())?;
                if unit.is_empty() {
                    Static::Number(number)
                } else {
                    let unit = ast::Name { node: unit.to_owned(), span: Span::default() };
                    Static::Quantity(units::quantity(self.modules, number, &unit).ok()?)
                }
            }
            Type::Choice(choice) => {
                let word = choice.words.iter().find(|word| word.node == text)?;
                Static::Choice { choice: &choice.name.node, word: &word.node }
            }
            Type::List(Some(element)) => {
                Static::List(text.split(',').map(|part| self.read_param(part.trim(), element)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

/// Whether a text is a whole number, of any size.
fn is_digits(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit()) && digits.chars().all(|it| it.is_ascii_digit() || it == '_')
}

fn example(r#type: &Type<'_>, name: &str) -> String {
    match r#type {
        Type::Integer => format!("for example `-p {name}=2`"),
        Type::Pair => format!("for example `-p {name}=2` or `-p {name}=1,7`"),
        Type::Number => format!("for example `-p {name}=0.5`"),
        Type::Boolean => format!("`-p {name}=true` or `-p {name}=false`"),
        Type::Quantity("ratio") => format!("for example `-p {name}=20%`"),
        Type::Quantity("images") => format!("for example `-p {name}=30kimg`"),
        Type::List(_) => format!("elements are separated by commas: `-p {name}=1,2`"),
        _ => "see the declaration of the param".to_owned(),
    }
}
