//! The lossless tree read as an [`ast::File`]. Every mistake that the grammar marked gets its message on the way.

mod declaration;
mod expression;
mod text;

use super::mistakes;
use super::screening::letter_like;
use super::tree::{Kind, Node};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, Spanned};
use crate::syntax::ast;

/// How many operators and calls one expression may hold along one way down; whoever walks an expression may recurse.
pub(super) const MOST_OPERATORS: usize = 256;

pub(super) fn view(text: &str, tree: &Node) -> (ast::File, Vec<Diagnostic>) {
    let mut reader = Reader { text, diagnostics: Vec::new(), operators: 0, unclosed_at: None };
    let file = reader.file(tree);
    for node in tree.leaves() {
        if node.kind == Kind::ForeignComment {
            reader.say(mistakes::foreign_comment(node.span, text.get(range(node.span)).unwrap_or("")));
        }
    }
    (file, reader.diagnostics)
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

struct Reader<'a> {
    text: &'a str,
    diagnostics: Vec<Diagnostic>,
    /// Operators and calls from the top of the current expression down to here.
    operators: usize,
    /// Where the last bracket that was never closed should have been; brackets inside of it that end there too are silent.
    unclosed_at: Option<u32>,
}

impl<'a> Reader<'a> {
    fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn text(&self, node: &Node) -> &'a str {
        self.between(node.span.start, node.span.end)
    }

    fn between(&self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    /// A short stretch at a place where something is missing, so that a label has something to point at.
    fn here(&self, node: &Node) -> Span {
        let rest = self.text.get(node.span.start as usize..).unwrap_or("");
        let width = rest.chars().next().filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
        Span { end: node.span.start + width as u32, ..node.span }
    }

    fn name(&mut self, node: &Node) -> ast::Name {
        let text = self.text(node);
        let Some(foreign) = text.chars().find(|c| !c.is_ascii()) else { return Spanned::new(text.to_owned(), node.span) };
        let meant: Option<String> = text.chars().map(|c| if c.is_ascii() { Some(c) } else { letter_like(c) }).collect();
        self.say(mistakes::foreign_letter(node.span, text, foreign, meant.as_deref()));
        Spanned::new(meant.unwrap_or_else(|| text.to_owned()), node.span)
    }

    /// A name that the grammar promises; without it, nothing can be said of the node.
    fn name_of(&mut self, node: &Node) -> Option<ast::Name> {
        let name = node.child(Kind::Name)?;
        Some(self.name(name))
    }

    /// Tells of a bracket that is never closed, unless that is only a consequence of another mistake.
    fn closed(&mut self, node: &Node) {
        let Some(missing) = node.child(Kind::MissingClose) else { return };
        if self.unclosed_at == Some(missing.span.start) || node.contains(Kind::UnterminatedText) {
            return;
        }
        self.unclosed_at = Some(missing.span.start);
        let Some(opener) = node.child(Kind::Punctuation).map(|opener| Span { end: opener.span.start + 1, ..opener.span }) else {
            return;
        };
        let found = self.between(missing.span.start, self.text.len() as u32);
        // Comments behind the contents belong to what follows.
        let blank = |part: &&Node| !matches!(part.kind, Kind::Space | Kind::Comment | Kind::Documentation | Kind::MissingClose);
        let end = node.children.iter().rev().find(blank).map_or(missing.span.start, |part| part.span.end);
        let due = self.here(&Node { span: Span { start: end, end, ..missing.span }, ..missing.clone() });
        let bracket = self.between(opener.start, opener.end);
        let far = bracket == "{" && self.between(opener.start, due.start).contains('\n');
        self.say(mistakes::unclosed(opener, bracket, due, found, far));
    }

    /// Tells of commas that are missing, unless the bracket was never closed: then what follows is most likely not inside.
    fn commas(&mut self, node: &Node) {
        if node.child(Kind::MissingClose).is_none() {
            let missing: Vec<Span> = node.all(Kind::MissingComma).map(|comma| self.here(comma)).collect();
            for at in missing {
                self.say(mistakes::missing_comma(at));
            }
        }
    }

    /// Tells of what stands after something complete.
    fn leftover(&mut self, node: &Node, after_what: &str) {
        let Some(leftover) = node.child(Kind::Leftover) else { return };
        let text = self.text(leftover).trim_end();
        let closers_only = text.chars().all(|c| matches!(c, ')' | ']' | '}' | ' '));
        if closers_only && node.contains(Kind::MissingClose)
            || node.contains(Kind::UnterminatedText) && !leftover.contains(Kind::UnterminatedText)
        {
            return;
        }
        if self.quoted_inside(leftover) {
            return;
        }
        let span = Span { end: leftover.span.start + text.len() as u32, ..leftover.span };
        self.say(mistakes::leftover(span, text, after_what));
    }

    /// Tells of texts in single quotes or without an end inside of what could not be read: they are the reason.
    fn quoted_inside(&mut self, node: &Node) -> bool {
        let mut found = false;
        for leaf in node.leaves() {
            match leaf.kind {
                Kind::UnterminatedText => self.say(mistakes::unterminated_text(leaf.span)),
                Kind::SingleQuoted => self.say(mistakes::single_quoted(leaf.span, self.text(leaf))),
                _ => continue,
            }
            found = true;
        }
        found
    }
}
