//! Declarations, bodies and lists: which parts stand on lines of their own, and where empty lines and comments go.

use super::document::Document;
use super::printer::Printer;
use super::{INDENT, text_of};
use crate::syntax::tree::{Kind, Node};

/// The whole text in its layout.
pub(super) fn file(text: &str, tree: &Node) -> String {
    let layout = Layout { text };
    let mut printer = Printer::default();
    let entries = layout.entries(tree);
    let heights = layout.heights(&entries, 0);
    for (index, entry) in entries.iter().enumerate() {
        let own_line = layout.newlines_before(entry) > 0;
        if index > 0 && own_line && layout.is_blank_due(&entries, &heights, index) {
            printer.blank();
        }
        if is_comment(entry) && !own_line && index > 0 {
            printer.behind(text_of(text, entry).trim_end());
        } else {
            printer.print(&layout.node(entry, false), 0);
        }
    }
    printer.finish()
}

/// What stands between the parts inside of a pair of brackets.
#[derive(Clone, Copy, PartialEq)]
enum Separator {
    /// Commas, and one behind the last part where each has a line of its own. Whoever writes that one wants these lines.
    Comma,
    /// Commas on one line, nothing on lines of their own. Whoever begins a new line for the first part wants these lines.
    LineEnd,
    Nothing,
}

pub(super) struct Layout<'a> {
    pub text: &'a str,
}

impl Layout<'_> {
    pub fn text(&self, node: &Node) -> Document {
        Document::text(text_of(self.text, node))
    }

    pub fn comment(&self, node: &Node) -> Document {
        let own_line = node.span.start == 0 || self.newlines_before(node) > 0;
        Document::Comment { text: text_of(self.text, node).trim_end().to_owned(), own_line }
    }

    /// How many lines end between this and what stands before it.
    pub fn newlines_before(&self, node: &Node) -> usize {
        let before = self.text.get(..node.span.start as usize).unwrap_or("");
        let end = before.trim_end_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{FEFF}').len();
        before.get(end..).unwrap_or("").bytes().filter(|byte| *byte == b'\n').count()
    }

    /// The parts of a list or body: no white space, no signs, nothing that is empty.
    pub fn entries<'n>(&self, node: &'n Node) -> Vec<&'n Node> {
        let is_part = |part: &&Node| !matches!(part.kind, Kind::Space | Kind::Punctuation) && part.span.start < part.span.end;
        node.children.iter().filter(is_part).collect()
    }

    /// Any node. `open` says whether lines may end inside of an expression that stands in no brackets of its own.
    pub fn node(&self, node: &Node, open: bool) -> Document {
        match node.kind {
            Kind::Comment | Kind::Documentation => self.comment(node),
            Kind::Expression => self.expression(node, open),
            Kind::NamedType => self.named_type(node),
            Kind::NetworkType => self.network_type(node),
            Kind::If => Document::group(self.parts(node, 0, false)),
            Kind::Parameters => Document::group(self.commas(node, "(", ")")),
            Kind::Body | Kind::RecordValue => Document::group(self.body(node)),
            Kind::NativeChoice => Document::Row(self.parts(node, 0, false)),
            _ if node.children.is_empty() || matches!(node.kind, Kind::Path | Kind::KindPath | Kind::Quantity) => self.text(node),
            _ => Document::Row(self.parts(node, 0, open)),
        }
    }

    /// The parts of a node with spaces between them; `padding` follows its name where it has a line of its own.
    fn parts(&self, node: &Node, padding: usize, open: bool) -> Vec<Document> {
        let open = match node.kind {
            Kind::Parameter | Kind::Argument | Kind::Element | Kind::Comprehension => true,
            Kind::RangeClause | Kind::Default => open,
            _ => false,
        };
        let mut parts = Vec::new();
        for part in &node.children {
            if part.kind == Kind::Space || part.span.start == part.span.end {
                continue;
            }
            let is_tight = part.kind == Kind::Parameters
                || matches!(node.kind, Kind::Parameter | Kind::NetworkInput) && part.kind == Kind::Punctuation;
            if !parts.is_empty() && !is_tight {
                parts.push(Document::Space);
            }
            match (node.kind, part.kind) {
                (Kind::If, Kind::Body) => parts.extend(self.body(part)),
                (Kind::NativeChoice, Kind::Body) => parts.push(Document::group(self.words(part))),
                _ => parts.push(self.node(part, open)),
            }
            if part.kind == Kind::Name && padding > 0 {
                parts.push(Document::WhenBroken(" ".repeat(padding)));
            }
        }
        parts
    }

    /// Parts between brackets, one a line or all on one.
    fn enclosed(&self, entries: &[&Node], brackets: (&str, &str), edge: &Document, separator: Separator) -> Vec<Document> {
        let (opening, closing) = brackets;
        if entries.is_empty() {
            return vec![Document::text(format!("{opening}{closing}"))];
        }
        let heights = self.heights(entries, INDENT);
        let last = entries.iter().rposition(|entry| !is_comment(entry));
        let paddings = self.paddings(entries);
        let mut inner = Vec::new();
        for (index, (entry, padding)) in entries.iter().zip(paddings).enumerate() {
            let behind = is_comment(entry) && self.newlines_before(entry) == 0;
            if !behind {
                if index > 0 && separator != Separator::Nothing && self.is_blank_due(entries, &heights, index) {
                    inner.push(Document::Blank);
                }
                inner.push(if index == 0 { edge.clone() } else { Document::Line });
            }
            inner.push(match entry.kind {
                Kind::Field | Kind::Port | Kind::Argument => Document::Row(self.parts(entry, padding, true)),
                _ => self.node(entry, true),
            });
            if is_comment(entry) {
                continue;
            }
            match separator {
                Separator::Comma if Some(index) == last => inner.push(Document::WhenBroken(",".into())),
                Separator::Comma => inner.push(Document::text(",")),
                Separator::LineEnd if Some(index) != last => inner.push(Document::WhenFlat(",")),
                _ => {}
            }
        }
        vec![Document::text(opening), Document::Nest(inner), edge.clone(), Document::text(closing)]
    }

    /// A list of parameters, arguments or elements.
    pub fn commas(&self, list: &Node, opening: &str, closing: &str) -> Vec<Document> {
        let mut parts = self.enclosed(&self.entries(list), (opening, closing), &Document::Edge, Separator::Comma);
        if self.ends_with_comma(list) {
            parts.push(Document::Break);
        }
        parts
    }

    /// The words of a choice.
    fn words(&self, body: &Node) -> Vec<Document> {
        let mut parts = self.enclosed(&self.entries(body), ("{", "}"), &Document::Line, Separator::Comma);
        if self.ends_with_comma(body) {
            parts.push(Document::Break);
        }
        parts
    }

    /// One value between brackets, or a list made by a `for`.
    pub fn alone(&self, node: &Node, opening: &str, closing: &str, edge: &Document) -> Vec<Document> {
        self.enclosed(&self.entries(node), (opening, closing), edge, Separator::Nothing)
    }

    /// Fields or statements. They stay on one line where they are written on one and have room there.
    fn body(&self, body: &Node) -> Vec<Document> {
        let entries = self.entries(body);
        let mut parts = self.enclosed(&entries, ("{", "}"), &Document::Line, Separator::LineEnd);
        let has_lines = entries.iter().any(|entry| self.newlines_before(entry) > 0);
        let has_blocks = entries.iter().any(|entry| matches!(entry.kind, Kind::Let | Kind::Block | Kind::Sweep | Kind::Port));
        let has_loops = entries.len() > 1 && entries.iter().any(|entry| matches!(entry.kind, Kind::For | Kind::If));
        if has_lines || has_blocks || has_loops {
            parts.push(Document::Break);
        }
        parts
    }

    /// Whether a comma stands behind the last part.
    pub fn ends_with_comma(&self, list: &Node) -> bool {
        let last =
            list.children.iter().rposition(|part| !is_comment(part) && !matches!(part.kind, Kind::Space | Kind::Punctuation));
        let behind = list.children.iter().skip(last.map_or(0, |last| last + 1));
        last.is_some() && behind.filter(|part| part.kind == Kind::Punctuation).any(|part| text_of(self.text, part).contains(','))
    }

    /// `tensor[c, h, w]`: on one line whatever its length.
    fn named_type(&self, node: &Node) -> Document {
        let parts = node.children.iter().filter(|part| part.kind != Kind::Space).map(|part| match part.kind {
            Kind::List => Document::group(self.enclosed(&self.entries(part), ("[", "]"), &Document::Edge, Separator::Comma)),
            _ => self.text(part),
        });
        Document::Flat(parts.collect())
    }

    /// `network(z: tensor[latent]) -> tensor[c, h, w]`.
    fn network_type(&self, node: &Node) -> Document {
        let result = node.child(Kind::Result);
        let inputs: Vec<&Node> = self.entries(node).into_iter().filter(|part| part.kind != Kind::Result).collect();
        let mut parts = vec![Document::text("network")];
        parts.push(Document::group(self.enclosed(&inputs, ("(", ")"), &Document::Edge, Separator::Comma)));
        if let Some(result) = result {
            parts.extend([Document::Space, self.node(result, false)]);
        }
        Document::Row(parts)
    }

    /// For each part the spaces behind its name that bring the `=` of neighbours to one column.
    fn paddings(&self, entries: &[&Node]) -> Vec<usize> {
        let mut paddings = vec![0; entries.len()];
        let mut run: Vec<(usize, usize)> = Vec::new();
        let mut kind = Kind::File;
        let mut close = |run: &mut Vec<(usize, usize)>| {
            let widest = run.iter().map(|(_, width)| *width).max().unwrap_or(0);
            for (index, width) in run.drain(..) {
                if let Some(padding) = paddings.get_mut(index) {
                    *padding = widest - width;
                }
            }
        };
        for (index, entry) in entries.iter().enumerate() {
            let has_gap = index > 0 && self.newlines_before(entry) > 1;
            let is_named = matches!(entry.kind, Kind::Field | Kind::Port | Kind::Argument) && entry.child(Kind::Assign).is_some();
            if has_gap || !is_comment(entry) && (!is_named || entry.kind != kind) {
                close(&mut run);
            }
            if let Some(name) = entry.child(Kind::Name).filter(|_| is_named) {
                run.push((index, text_of(self.text, name).chars().count()));
                kind = entry.kind;
            }
        }
        close(&mut run);
        paddings
    }

    /// How many lines each declaration with a body takes; 1 for everything else.
    fn heights(&self, entries: &[&Node], indent: usize) -> Vec<usize> {
        let has_body = |entry: &Node| is_declaration(entry) && entry.child(Kind::Body).is_some();
        let height = |entry: &&Node| if has_body(entry) { Printer::height(&self.node(entry, false), indent) } else { 1 };
        entries.iter().map(height).collect()
    }

    /// Whether an empty line stands before a part: where there is one, behind the edition, and around a body of several
    /// lines, before the comments that stand above it.
    fn is_blank_due(&self, entries: &[&Node], heights: &[usize], index: usize) -> bool {
        let Some(entry) = entries.get(index) else { return false };
        if self.newlines_before(entry) > 1 {
            return true;
        }
        // Only the first line behind a declaration can be due one; a comment behind that belongs to it.
        let behind = |part: &&Node| is_comment(part) && self.newlines_before(part) == 0;
        let Some(before) = entries.iter().take(index).rposition(|part| !behind(part)) else { return false };
        let Some(declaration) = entries.get(before).filter(|part| is_declaration(part)) else { return false };
        // A `##` behind a declaration and one below it document the next together.
        if entries.get(before + 1..index).unwrap_or_default().iter().any(|part| part.kind == Kind::Documentation) {
            return false;
        }
        let next = entries.iter().enumerate().skip(index).find(|(_, part)| !is_comment(part));
        let Some((next, following)) = next.filter(|(_, part)| is_declaration(part)) else { return false };
        let has_gap = entries.get(index..=next).unwrap_or_default().iter().any(|part| self.newlines_before(part) > 1);
        let is_tall = |index: usize| heights.get(index).is_some_and(|height| *height > 1);
        !has_gap && (is_tall(before) || is_tall(next) || declaration.kind == Kind::Edition || following.kind == Kind::Edition)
    }
}

pub(super) fn is_comment(node: &Node) -> bool {
    matches!(node.kind, Kind::Comment | Kind::Documentation)
}

fn is_declaration(node: &Node) -> bool {
    matches!(
        node.kind,
        Kind::Edition
            | Kind::Use
            | Kind::Param
            | Kind::Let
            | Kind::Function
            | Kind::Network
            | Kind::Recipe
            | Kind::Record
            | Kind::Sweep
            | Kind::NativeUnit
            | Kind::NativeChoice
            | Kind::NativeFunction
            | Kind::NativeLayer
            | Kind::NativeKind
            | Kind::Block
            | Kind::Port
    )
}
