//! Text to tree. [`parse`] takes a file through four stages: a look at its characters (`screening`), the pest grammar
//! (`grammar`, the only file that knows pest), the lossless [`tree`], and the typed view of it, [`ast`], which the language
//! reads. Mistakes become diagnostics (worded in `mistakes`) and error nodes; parsing always gives a tree and never fails.
//!
//! Nothing here knows what names mean: blocks, functions and units are only words.

pub mod ast;
mod grammar;
mod mistakes;
mod recovery;
mod screening;
#[cfg(test)]
mod tests;
pub mod tree;
mod view;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources, Span};
use tree::{Kind, Node};

pub use recovery::Unread;

/// What reading one file gives.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub file: ast::File,
    /// Every character of the text, comments included.
    pub tree: Node,
    /// All mistakes of form, in the order of the text, without those that follow from others.
    pub diagnostics: Vec<Diagnostic>,
    /// Declarations that may have been read otherwise than they were meant, after a mistake in them.
    pub unread: Vec<Unread>,
}

/// How many mistakes of one file are told; a file with more is most likely no Synth at all.
const MOST_MISTAKES: usize = 100;

/// Reads a file. An unknown id gives an empty file.
pub fn parse(sources: &Sources, file: FileId) -> Parsed {
    let text = sources.get(file).map_or("", |source| &source.text);
    let screened = screening::screen(text, file);
    let mut diagnostics = screened.diagnostics;
    let whole = Span::new(file, 0, text.len());
    let mut parsed = Parsed {
        file: ast::File::default(),
        tree: Node { kind: Kind::Unreadable, span: whole, children: Vec::new() },
        diagnostics: Vec::new(),
        unread: Vec::new(),
    };
    if !screened.too_deep {
        match grammar::file(&screened.text, file) {
            Some(tree) => {
                let (view, mistakes) = view::view(&screened.text, &tree);
                // A character that screening replaced by a shorter sign is one again.
                let replaced = diagnostics.iter().any(|diagnostic| matches!(diagnostic.code, "E0112" | "E0119"));
                diagnostics.extend(mistakes);
                parsed.file = view;
                parsed.tree = tree;
                if replaced {
                    align(&mut parsed.tree, text);
                    for label in diagnostics.iter_mut().flat_map(|diagnostic| &mut diagnostic.labels) {
                        label.span = aligned(label.span, text);
                    }
                }
            }
            None => diagnostics.push(mistakes::too_slow(Span::new(file, 0, text.find('\n').unwrap_or(text.len())))),
        }
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span.start));
    parsed.unread = recovery::settle(text, &parsed.tree, &mut diagnostics);
    if diagnostics.len() > MOST_MISTAKES {
        let more = diagnostics.len() - MOST_MISTAKES;
        diagnostics.truncate(MOST_MISTAKES);
        if let Some(last) = diagnostics.pop() {
            diagnostics.push(last.note(format!("{more} further mistakes of form in this file are not shown")));
        }
    }
    parsed.diagnostics = diagnostics;
    parsed
}

/// Moves every boundary that lies inside of a character to that character's end.
fn align(node: &mut Node, text: &str) {
    node.span = aligned(node.span, text);
    for child in &mut node.children {
        align(child, text);
    }
}

fn aligned(span: Span, text: &str) -> Span {
    let end_of = |at: u32| text.ceil_char_boundary(at as usize) as u32;
    Span { start: end_of(span.start), end: end_of(span.end), ..span }
}
