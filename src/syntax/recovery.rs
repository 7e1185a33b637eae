//! Which mistakes of form only follow from another one, and where the reader may have lost its way.

use super::tree::{Kind, Node};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Mistakes after which what follows may have been read otherwise than it was meant. After the others, such as a `:` for a
/// `=`, reading goes on as if they were mended.
fn is_lost(code: &str) -> bool {
    matches!(code, "E0101" | "E0102" | "E0103" | "E0104" | "E0105" | "E0114" | "E0115" | "E0116" | "E0120" | "E0122")
}

/// A declaration that may have been read otherwise than it was meant.
#[derive(Clone, Copy, Debug)]
pub struct Unread {
    pub span: Span,
    /// What others call it may be what is missing.
    pub nameless: bool,
}

/// Drops the mistakes that follow from one before them, of mistakes in the order of the text; gives the declarations that
/// hold a mistake after which they may have been read wrongly.
pub(super) fn settle(text: &str, tree: &Node, diagnostics: &mut Vec<Diagnostic>) -> Vec<Unread> {
    let declarations: Vec<&Node> = tree
        .children
        .iter()
        .filter(|node| !matches!(node.kind, Kind::Space | Kind::Comment | Kind::Documentation | Kind::ForeignComment))
        .collect();
    let mut unread: Vec<usize> = Vec::new();
    // Up to where the last mistake reaches: the end of the line behind its own.
    let (mut reach, mut reach_in) = (0, usize::MAX);
    diagnostics.retain(|diagnostic| {
        let Some(span) = diagnostic.labels.first().map(|label| label.span) else { return true };
        let at = declarations.partition_point(|node| node.span.start <= span.start).saturating_sub(1);
        let last = diagnostic.labels.iter().map(|label| label.span.end).max().unwrap_or(span.end);
        if matches!(diagnostic.code, "E0109" | "E0110") {
            // What looks like a unit may be a word that was to stand elsewhere.
            let follows = diagnostic.code == "E0110" && span.start < reach;
            (reach, reach_in) = (reach.max(end_of_line(text, last, 1)), at);
            return !follows;
        }
        let rest = text.get(span.start as usize..).unwrap_or("");
        if diagnostic.code == "E0107" && unread.last() == Some(&at) {
            // Arguments may have been read as fields.
            return false;
        }
        if !is_lost(diagnostic.code) || rest.starts_with(';') {
            return true;
        }
        let opens = |node: &Node| text.get(range(node.span)).is_some_and(|text| text.contains('{') || !is_balanced(text));
        let closes_only = matches!(diagnostic.code, "E0101" | "E0115") && rest.starts_with([')', ']', '}']);
        let stray = declarations.get(at).is_some_and(|node| node.kind == Kind::Stray);
        let opened = || unread.iter().filter_map(|at| declarations.get(*at)).any(|node| opens(node));
        let follows = span.start < reach && (stray || reach_in == at) || closes_only && opened();
        if !follows {
            let line = if stray { end_of_line(text, last, 2) } else { end_of_next_line(text, last) };
            (reach, reach_in) = (reach.max(line), at);
        }
        // What is left over of a declaration may have been the rest of its value.
        let previous = at.checked_sub(1).filter(|_| stray && diagnostic.code == "E0102" && !rest.starts_with('}'));
        unread.extend(previous.filter(|previous| unread.last() < Some(previous)));
        if unread.last() != Some(&at) {
            unread.push(at);
        }
        !follows
    });
    let unread = unread.into_iter().filter_map(|at| declarations.get(at));
    unread.map(|node| Unread { span: node.span, nameless: is_nameless(text, node) }).collect()
}

/// Whether the name that a declaration was to bring may be what is missing.
fn is_nameless(text: &str, node: &Node) -> bool {
    match node.kind {
        Kind::Block | Kind::Sweep => node.child(Kind::Name).is_none(),
        Kind::Use => true,
        Kind::Stray => {
            let text = text.get(node.span.start as usize..).unwrap_or("");
            ["use ", "param ", "let ", "fn ", "network ", "recipe ", "record "].iter().any(|word| text.starts_with(word))
        }
        _ => false,
    }
}

/// Whether as many brackets are closed as are opened.
fn is_balanced(text: &str) -> bool {
    text.matches(['(', '[', '{']).count() == text.matches([')', ']', '}']).count()
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

/// The end of the line of a place, or of one of the next lines.
fn end_of_line(text: &str, at: u32, lines: usize) -> u32 {
    let rest = text.get(at as usize..).unwrap_or("");
    let length: usize = rest.split_inclusive('\n').take(lines).map(str::len).sum();
    at + length as u32
}

/// The end of the next line that is not empty: a block that swallows what follows does so over empty lines.
fn end_of_next_line(text: &str, at: u32) -> u32 {
    let rest = text.get(at as usize..).unwrap_or("");
    let skipped = rest.split_inclusive('\n').skip(1).take_while(|line| line.trim().is_empty()).count();
    end_of_line(text, at, skipped + 2)
}
