//! The parts of expressions.

use crate::syntax::ast::{Expression, ExpressionKind, TextPart};

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
