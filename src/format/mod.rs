//! One canonical layout of `.synth` files: [`format()`] makes text of text, on the lossless tree of [`crate::syntax`].
//!
//! The tree becomes a [`document`]: words, and places where a line may end. [`layout`] says how declarations and bodies are
//! laid out, [`expression`] how values are, and [`printer`] decides which lines end. Nothing here knows what names mean, and
//! nothing changes but white space, the commas of lists and of bodies, and the place of a comment that stood before a comma.

mod document;
mod expression;
mod layout;
mod printer;
#[cfg(test)]
mod tests;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources};
use crate::syntax::parse;
use crate::syntax::tree::{Kind, Node};

/// No line of code is longer where it can be broken.
const WIDTH: usize = 130;

/// A step of indentation.
const INDENT: usize = 2;

/// The file in its canonical layout: LF ends its lines, and it has no byte order mark.
///
/// # Errors
/// All mistakes of form, where there are any: what cannot be read cannot be laid out. `E0699` where the result would not say
/// the same as the file.
pub fn format(sources: &Sources, file: FileId) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(sources, file);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    let text = sources.get(file).map_or("", |source| &source.text);
    let formatted = layout::file(text, &parsed.tree);
    let mut after = Sources::default();
    let again = after.add("formatted", None, formatted.as_str());
    let reread = parse(&after, again);
    if !reread.diagnostics.is_empty() || words(text, &parsed.tree) != words(&formatted, &reread.tree) {
        let name = sources.get(file).map_or("", |source| &source.name);
        let defect = Diagnostic::error("E0699", format!("the layout of {name} would change what it says"))
            .help("the file is left as it is; please report this with the file");
        return Err(vec![defect]);
    }
    Ok(formatted)
}

/// Everything of a file but white space and commas, in order.
fn words(text: &str, tree: &Node) -> String {
    let mut words = String::with_capacity(text.len());
    for leaf in tree.leaves() {
        let word = text_of(text, leaf).trim_end();
        match leaf.kind {
            Kind::Space => {}
            Kind::Punctuation => words.extend(word.chars().filter(|c| *c != ',')),
            _ if word.is_empty() => {}
            _ => words.extend(["\n", word, "\n"]),
        }
    }
    words
}

fn text_of<'a>(text: &'a str, node: &Node) -> &'a str {
    text.get(node.span.start as usize..node.span.end as usize).unwrap_or("")
}
