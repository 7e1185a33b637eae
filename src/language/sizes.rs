//! Sizes of a block: the letters in square brackets of its kind, each one number throughout the block, with where that
//! number comes from.

use super::check::Checker;
use super::scope::Scope;
use super::static_value::Static;
use super::types::{self, Type};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{Expression, ExpressionKind};
use std::collections::BTreeMap;

/// A size and the place that decided it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Size {
    pub value: i64,
    pub origin: Span,
    /// What holds tensors of this size, for messages: the block `chest`.
    pub holder: String,
}

/// A size as the block that uses it came to know it.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub size: Size,
    /// The field's value in this block.
    pub place: Span,
    pub field: String,
}

/// The sizes of one block.
#[derive(Clone, Debug, Default)]
pub(super) struct Sizes<'a> {
    pub variables: BTreeMap<&'a str, Bound>,
    /// A size is not known because of a mistake that has been reported: say nothing of what follows from it.
    pub tainted: bool,
}

impl<'a> Sizes<'a> {
    /// The variables as local names, for sizes that are computed.
    pub fn scope(&self, module: usize) -> Scope<'a> {
        let mut scope = Scope::new(module);
        for (name, bound) in &self.variables {
            scope.locals.insert(name, Static::Integer(bound.size.value));
        }
        scope
    }
}

/// The name, where a size is nothing but one.
pub(super) fn variable(size: &Expression) -> Option<&str> {
    match &size.kind {
        ExpressionKind::Name(name) if name != "_" => Some(name),
        _ => None,
    }
}

/// What a letter counts.
pub(super) fn word(variable: &str) -> &str {
    match variable {
        "c" => "channels",
        "h" => "height",
        "w" => "width",
        other => other,
    }
}

/// `1×32×32` for a shape of three, `[512]` otherwise.
pub(super) fn show_shape<T: ToString>(shape: &[T]) -> String {
    let numbers: Vec<String> = shape.iter().map(ToString::to_string).collect();
    if numbers.len() == 3 { numbers.join("×") } else { format!("[{}]", numbers.join(", ")) }
}

impl<'a> Checker<'a> {
    /// A size of a type in a scope, `None` if it names something that is not local there: a letter means the same whatever
    /// the file calls by that name. A size that is no whole
    /// positive number is a mistake and reported.
    pub fn known_size(&mut self, size: &'a Expression, scope: &Scope<'a>) -> Option<i64> {
        if !is_known(size, scope) {
            return None;
        }
        let value = self.evaluate(size, scope, None);
        match value {
            Static::Poison => None,
            Static::Integer(value) if value >= 1 => Some(value),
            other => {
                let found = match &other {
                    Static::Integer(value) => value.to_string(),
                    Static::Number(value) => super::static_value::show(*value),
                    other => self.found(other),
                };
                let text = self.sources.text(size.span).to_owned();
                self.report(
                    Diagnostic::error("E0319", format!("the size `{text}` is {found}, not a positive whole number"))
                        .label(size.span, format!("{found} here"))
                        .help("choose sizes that divide without a rest, or round down with `floor(…)`"),
                );
                None
            }
        }
    }

    /// A size of a kind, as far as the block knows it.
    pub fn block_size(&mut self, block: usize, size: &'a Expression) -> Option<Size> {
        if let Some(name) = variable(size) {
            return self.blocks.get(block)?.sizes.variables.get(name).map(|bound| bound.size.clone());
        }
        let state = self.blocks.get(block)?;
        let (scope, origin) = (state.sizes.scope(self.modules.prelude), state.block.kind.span);
        let holder = format!("`{}`", state.block.kind.node);
        self.known_size(size, &scope).map(|value| Size { value, origin, holder })
    }

    /// The sizes of what one port of a block holds.
    pub fn port_sizes(&mut self, block: usize, port: &str) -> Vec<Option<Size>> {
        let kind = self.blocks.get(block).and_then(|state| state.kind);
        let Some(port) = kind.and_then(|kind| kind.ports.iter().find(|known| known.name.node == port)) else { return Vec::new() };
        types::sizes_of(&port.r#type).iter().map(|size| self.block_size(block, size)).collect()
    }

    /// The sizes of an admitted value.
    fn sizes_of_value(&mut self, value: &Static<'a>, r#type: &Type<'a>, block: usize, span: Span) -> Vec<Option<Size>> {
        match (value, r#type) {
            (Static::Construction(made), _) => {
                let holder = self.block_name(block).map(|name| format!("`{name}`")).unwrap_or_default();
                made.sizes.iter().map(|size| size.map(|value| Size { value, origin: span, holder: holder.clone() })).collect()
            }
            (Static::Port { block, port }, _) => self.port_sizes(*block, port),
            (Static::Block(block), Type::Blocks { kind, .. }) => match kind.ports.first() {
                Some(port) => self.port_sizes(*block, &port.name.node),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Ties the sizes of a field's value to the letters of the block, and reports what does not agree.
    pub fn tie_sizes(&mut self, block: usize, field: &'a str, value: &Static<'a>, r#type: &Type<'a>, span: Span) {
        let (Type::Sized { sizes, .. } | Type::Blocks { sizes, .. }) = r#type else { return };
        if value.is_poison() {
            if let Some(state) = self.blocks.get_mut(block).filter(|_| !sizes.is_empty()) {
                state.sizes.tainted = true;
            }
            return;
        }
        let actual = self.sizes_of_value(value, r#type, block, span);
        // A constructor whose type has no sizes makes what works with all, such as `random_features()`.
        if actual.is_empty() && matches!(value, Static::Construction(_)) {
            return;
        }
        let mut disagreeing: Vec<(String, Size, Bound)> = Vec::new();
        for (index, written) in sizes.iter().enumerate() {
            let Some(size) = actual.get(index).cloned().flatten() else {
                if let Some(state) = self.blocks.get_mut(block) {
                    state.sizes.tainted = true;
                }
                continue;
            };
            let known = match variable(written) {
                Some(name) => self.blocks.get(block).and_then(|state| state.sizes.variables.get(name).cloned()),
                None => {
                    self.block_size(block, written).map(|size| Bound { place: size.origin, field: size.holder.clone(), size })
                }
            };
            match (known, variable(written)) {
                (Some(known), name) if known.size.value != size.value => {
                    disagreeing.push((word(name.unwrap_or("size")).to_owned(), size, known));
                }
                (None, Some(name)) => {
                    if let Some(state) = self.blocks.get_mut(block) {
                        state.sizes.variables.insert(name, Bound { size, place: span, field: field.to_owned() });
                    }
                }
                _ => {}
            }
        }
        let Some((_, _, first)) = disagreeing.first() else { return };
        let found: Vec<String> = disagreeing.iter().map(|(word, size, _)| format!("{word} {}", size.value)).collect();
        let due: Vec<String> = disagreeing.iter().map(|(word, _, known)| format!("{word} {}", known.size.value)).collect();
        let mut diagnostic = Diagnostic::error("E0313", format!("`{field}` and `{}` do not fit together", first.field))
            .label(span, format!("here {}", found.join(", ")))
            .label(first.place, format!("here {}", due.join(", ")));
        let mut origins: Vec<(Span, String)> = Vec::new();
        for (word, size, known) in &disagreeing {
            for (place, size) in [(span, size), (first.place, &known.size)] {
                if size.origin != place && !origins.iter().any(|(origin, _)| *origin == size.origin) {
                    origins.push((size.origin, format!("{} says {word} {} here", size.holder, size.value)));
                }
            }
        }
        for (origin, text) in origins {
            diagnostic = diagnostic.label(origin, text);
        }
        self.report(diagnostic.help("take both from data of the same size and with the same labels"));
        if let Some(state) = self.blocks.get_mut(block) {
            state.failed = true;
        }
    }
}

/// Whether every name in a size has a value.
fn is_known(size: &Expression, scope: &Scope<'_>) -> bool {
    let mut pending = vec![size];
    while let Some(next) = pending.pop() {
        let known = match &next.kind {
            ExpressionKind::Name(name) => scope.locals.contains_key(name.as_str()),
            ExpressionKind::Error => false,
            _ => true,
        };
        if !known {
            return false;
        }
        match &next.kind {
            ExpressionKind::Call { arguments, .. } => pending.extend(arguments.iter().map(|argument| &argument.value)),
            ExpressionKind::Member(..) => {}
            _ => super::walk::children(next, &mut pending),
        }
    }
    true
}
