//! Values. A row of operands breaks at the operators that bind most loosely, before each of them.

use super::document::Document;
use super::layout::{Layout, is_comment};
use super::text_of;
use crate::syntax::tree::{Kind, Node};

const RANGE: u8 = 5;
const PIPE: u8 = 6;
const POWER: u8 = 10;

impl Layout<'_> {
    /// A whole expression. Outside of brackets, where `open` is false, only pipes may begin a line.
    pub fn expression(&self, node: &Node, open: bool) -> Document {
        if let Some(choice) = node.child(Kind::IfExpression) {
            return Document::group(self.choice(choice));
        }
        let parts: Vec<&Node> = self.entries(node);
        self.row(&parts, open)
    }

    fn row(&self, parts: &[&Node], open: bool) -> Document {
        let Some(loosest) = parts.iter().filter_map(|part| self.strength(part)).min() else {
            return Document::Row(parts.iter().map(|part| self.operand(part)).collect());
        };
        let mut groups = parts.split(|part| self.strength(part) == Some(loosest));
        let first = self.row(groups.next().unwrap_or_default(), open);
        let signs = parts.iter().filter(|part| self.strength(part) == Some(loosest));
        let mut rest = Vec::new();
        for (sign, group) in signs.zip(groups) {
            let operand = self.row(group, open);
            if loosest == RANGE || loosest == POWER {
                rest.extend([self.text(sign), operand]);
                continue;
            }
            let before = if open || loosest == PIPE { Document::Line } else { Document::Space };
            rest.extend([before, self.text(sign), Document::Space, operand]);
        }
        let row = vec![first, Document::Nest(rest)];
        if open && loosest != RANGE && loosest != POWER || loosest == PIPE { Document::group(row) } else { Document::Row(row) }
    }

    /// How tightly an operator binds, as in `docs/reference/syntax.md`; `None` for everything else.
    fn strength(&self, part: &Node) -> Option<u8> {
        match part.kind {
            Kind::RangeOperator => Some(RANGE),
            Kind::Infix => Some(match text_of(self.text, part) {
                "or" => 1,
                "and" => 2,
                "|>" => PIPE,
                "+" | "-" => 7,
                "*" | "/" => 8,
                "^" => POWER,
                _ => 4,
            }),
            _ => None,
        }
    }

    /// A value with what stands before and behind it: `-f(x).y`.
    fn operand(&self, node: &Node) -> Document {
        if is_comment(node) {
            return self.comment(node);
        }
        let mut parts = Vec::new();
        for part in self.entries(node) {
            match part.kind {
                Kind::Prefix => {
                    parts.push(self.text(part));
                    if text_of(self.text, part) == "not" {
                        parts.push(Document::Space);
                    }
                }
                Kind::Call => parts.push(Document::group(self.commas(part, "(", ")"))),
                Kind::List => parts.push(Document::group(self.list(part))),
                Kind::Group => parts.push(Document::group(self.alone(part, "(", ")", &Document::Edge))),
                Kind::Member => parts.push(self.text(part)),
                _ => parts.push(self.node(part, false)),
            }
        }
        Document::Row(parts)
    }

    fn list(&self, list: &Node) -> Vec<Document> {
        if list.child(Kind::Comprehension).is_some() {
            return self.alone(list, "[", "]", &Document::Edge);
        }
        let Some(words) = self.short_words(list) else { return self.commas(list, "[", "]") };
        let mut parts = vec![Document::text("["), Document::Nest(vec![Document::Edge, Document::Fill(words)])];
        parts.extend([Document::Edge, Document::text("]")]);
        if self.ends_with_comma(list) {
            parts.push(Document::Break);
        }
        parts
    }

    /// The elements of a list of plain words, numbers and texts that has no comments and no empty lines.
    fn short_words(&self, list: &Node) -> Option<Vec<String>> {
        let word = |(index, element): (usize, &&Node)| {
            let operands = &element.child(Kind::Expression)?.children;
            let [operand] = operands.as_slice() else { return None };
            let is_plain = |part: &Node| matches!(part.kind, Kind::Number | Kind::Quantity | Kind::Text | Kind::Name);
            let [part] = operand.children.as_slice() else { return None };
            (is_plain(part) && (index == 0 || self.newlines_before(element) < 2)).then(|| text_of(self.text, part).to_owned())
        };
        let words: Option<Vec<String>> = self.entries(list).iter().enumerate().map(word).collect();
        words.filter(|words| !words.is_empty())
    }

    /// `if a { x } else if b { y } else { z }`.
    fn choice(&self, node: &Node) -> Vec<Document> {
        let mut parts = Vec::new();
        for part in &node.children {
            if part.kind == Kind::Space || part.span.start == part.span.end {
                continue;
            }
            if !parts.is_empty() {
                parts.push(Document::Space);
            }
            match part.kind {
                Kind::Branch => parts.extend(self.alone(part, "{", "}", &Document::Line)),
                _ => parts.push(self.node(part, false)),
            }
        }
        parts
    }
}
