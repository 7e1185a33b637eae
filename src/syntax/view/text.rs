//! Texts: escapes and interpolated expressions.

use super::{Reader, mistakes};
use crate::source::Span;
use crate::syntax::ast::{Expression, ExpressionKind, TextPart};
use crate::syntax::grammar;
use crate::syntax::screening;
use crate::syntax::tree::{Kind, Node};

impl Reader<'_> {
    /// The parts of a text between its quotes. Literals next to each other are one.
    pub(super) fn text_parts(&mut self, node: &Node) -> Vec<TextPart> {
        let inner =
            Span { start: node.span.start + 1, end: node.span.end.saturating_sub(1).max(node.span.start + 1), ..node.span };
        let text = self.between(inner.start, inner.end);
        let place = |start: usize, end: usize| Span::new(inner.file, inner.start as usize + start, inner.start as usize + end);
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut characters = text.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\' | '{' | '}'))) => literal.push(escaped),
                    Some((_, 'n')) => literal.push('\n'),
                    Some((_, 't')) => literal.push('\t'),
                    Some((next, other)) => {
                        let end = next + other.len_utf8();
                        self.say(mistakes::bad_escape(place(at, end), text.get(at..end).unwrap_or("")));
                    }
                    None => {}
                },
                '{' => {
                    let rest = text.get(at + 1..).unwrap_or("");
                    match rest.find('}') {
                        Some(length) => {
                            if !literal.is_empty() {
                                parts.push(TextPart::Literal(std::mem::take(&mut literal)));
                            }
                            let span = place(at, at + length + 2);
                            parts.push(TextPart::Interpolated(self.interpolation(rest.get(..length).unwrap_or(""), span)));
                            while characters.as_str().len() > rest.len() - length - 1 && characters.next().is_some() {}
                        }
                        None => {
                            self.say(mistakes::bad_interpolation(place(at, text.len()), text.get(at..).unwrap_or("")));
                            break;
                        }
                    }
                }
                '}' => self.say(mistakes::bad_interpolation(place(at, at + 1), "}")),
                _ => literal.push(c),
            }
        }
        if !literal.is_empty() || parts.is_empty() {
            parts.push(TextPart::Literal(literal));
        }
        parts
    }

    /// The expression inside of `{…}`; `span` includes the braces.
    fn interpolation(&mut self, text: &str, span: Span) -> Expression {
        let bad = Expression { span, kind: ExpressionKind::Error };
        let screened = screening::screen(text, span.file);
        let tree = if screened.too_deep || !screened.diagnostics.is_empty() {
            None
        } else {
            grammar::interpolation(text, span.file, span.start as usize + 1)
        };
        let Some(tree) = tree.filter(|tree| tree.child(Kind::Leftover).is_none() && tree.child(Kind::Missing).is_none()) else {
            self.say(mistakes::bad_interpolation(span, &format!("{{{text}}}")));
            return bad;
        };
        match tree.child(Kind::Expression) {
            Some(expression) => self.expression(expression),
            None => bad,
        }
    }
}
