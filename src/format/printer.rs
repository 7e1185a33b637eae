//! Decides where the lines of a [`Document`] end, and puts comments behind them.

use super::document::Document;
use super::{INDENT, WIDTH};

/// Spaces at least between code and the comment behind it.
const BEFORE_COMMENT: usize = 2;

#[derive(Debug, Default)]
struct Line {
    text: String,
    /// Characters of the text.
    width: usize,
    comment: Option<String>,
}

/// What is still to be printed.
type Open<'a> = (usize, bool, &'a Document);

#[derive(Debug, Default)]
pub(super) struct Printer {
    done: Vec<Line>,
    line: Line,
    /// Of the line that has begun.
    indent: usize,
    /// A space is due before the next word of this line.
    space: bool,
    /// An empty line is due when this line ends.
    blank: bool,
    /// A comment stands at the end of this line.
    ended: bool,
}

impl Printer {
    /// Prints a document that begins a line at this indentation, and ends its last line.
    pub fn print(&mut self, document: &Document, indent: usize) {
        self.end_line(indent);
        let mut open: Vec<Open> = vec![(indent, true, document)];
        while let Some((indent, broken, document)) = open.pop() {
            match document {
                Document::Text(text) => self.word(text, indent),
                Document::Space => self.space = true,
                Document::Line | Document::Edge if broken => self.end_line(indent),
                Document::Line => self.space = true,
                Document::Edge | Document::Break => {}
                Document::Blank => self.blank = self.blank || broken,
                Document::WhenFlat(text) if !broken => self.word(text, indent),
                Document::WhenBroken(text) if broken => self.word(text, indent),
                Document::WhenFlat(_) | Document::WhenBroken(_) => {}
                Document::Comment { text, own_line } => self.comment(text, *own_line, indent),
                Document::Row(parts) => open.extend(parts.iter().rev().map(|part| (indent, broken, part))),
                Document::Nest(parts) => open.extend(parts.iter().rev().map(|part| (indent + INDENT, broken, part))),
                Document::Flat(parts) => open.extend(parts.iter().rev().map(|part| (indent, false, part))),
                Document::Group { parts, broken: must } => {
                    let broken = *must || broken && !self.fits(parts, &open);
                    open.extend(parts.iter().rev().map(|part| (indent, broken, part)));
                }
                Document::Fill(words) => self.fill(words, broken, indent),
            }
        }
        self.end_line(indent);
    }

    /// Asks for an empty line before what is printed next.
    pub fn blank(&mut self) {
        self.done.push(Line::default());
    }

    /// A comment behind what was printed last.
    pub fn behind(&mut self, text: &str) {
        match self.done.last_mut() {
            Some(last) if last.comment.is_none() => last.comment = Some(text.to_owned()),
            _ => self.done.push(Line { text: text.to_owned(), ..Line::default() }),
        }
    }

    fn end_line(&mut self, indent: usize) {
        self.space = false;
        self.ended = false;
        self.indent = indent;
        if self.line.text.is_empty() {
            return;
        }
        self.done.push(std::mem::take(&mut self.line));
        if std::mem::take(&mut self.blank) {
            self.done.push(Line::default());
        }
    }

    fn word(&mut self, text: &str, indent: usize) {
        if text.is_empty() {
            return;
        }
        if self.ended {
            self.end_line(indent);
        }
        if self.line.text.is_empty() {
            self.line.text = " ".repeat(self.indent);
            self.line.width = self.indent;
        } else if self.space {
            self.line.text.push(' ');
            self.line.width += 1;
        }
        self.space = false;
        self.line.text.push_str(text);
        self.line.width += text.chars().count();
    }

    fn comment(&mut self, text: &str, own_line: bool, indent: usize) {
        if own_line || self.ended {
            self.end_line(indent);
        }
        if self.line.text.is_empty() {
            self.word(text, indent);
        } else {
            self.line.comment = Some(text.to_owned());
        }
        self.ended = true;
    }

    fn fill(&mut self, words: &[String], broken: bool, indent: usize) {
        for (index, word) in words.iter().enumerate() {
            let last = index + 1 == words.len();
            if index > 0 {
                if broken && self.line.width + 1 + word.chars().count() + 1 > WIDTH {
                    self.end_line(indent);
                } else {
                    self.space = true;
                }
            }
            self.word(word, indent);
            if broken || !last {
                self.word(",", indent);
            }
        }
    }

    /// Whether parts, flat, fit on this line together with what follows up to the first place where the line may end.
    fn fits(&self, parts: &[Document], open: &[Open]) -> bool {
        if self.ended {
            return true;
        }
        let begun = if self.line.text.is_empty() { self.indent } else { self.line.width };
        let Some(mut room) = WIDTH.checked_sub(begun + usize::from(self.space)) else { return false };
        let mut ahead: Vec<(bool, &Document)> = parts.iter().rev().map(|part| (false, part)).collect();
        let mut behind = open.iter().rev();
        loop {
            let Some((broken, document)) = ahead.pop().or_else(|| behind.next().map(|(_, broken, part)| (*broken, *part))) else {
                return true;
            };
            let needed = match document {
                Document::Line | Document::Edge if broken => return true,
                Document::Comment { .. } => return true,
                Document::Text(text) => text.chars().count(),
                Document::WhenFlat(text) if !broken => text.chars().count(),
                Document::WhenBroken(text) if broken => text.chars().count(),
                Document::Space | Document::Line => 1,
                Document::Fill(words) => words.iter().map(|word| word.chars().count() + 2).sum::<usize>().saturating_sub(2),
                Document::Row(parts) | Document::Nest(parts) => {
                    ahead.extend(parts.iter().rev().map(|part| (broken, part)));
                    0
                }
                // What follows may be broken where it stands.
                Document::Group { parts, broken: must } => {
                    ahead.extend(parts.iter().rev().map(|part| (broken || *must, part)));
                    0
                }
                Document::Flat(parts) => {
                    ahead.extend(parts.iter().rev().map(|part| (false, part)));
                    0
                }
                _ => 0,
            };
            match room.checked_sub(needed) {
                Some(left) => room = left,
                None => return false,
            }
        }
    }

    /// Comments behind lines that stand together begin at one column.
    pub fn finish(mut self) -> String {
        let mut out = String::new();
        for run in self.done.chunk_by_mut(|a, b| a.comment.is_some() && b.comment.is_some()) {
            let column = run.iter().map(|line| line.width).max().unwrap_or(0) + BEFORE_COMMENT;
            for line in run {
                out.push_str(line.text.trim_end());
                if let Some(comment) = &line.comment {
                    out.push_str(&" ".repeat(column.saturating_sub(line.width)));
                    out.push_str(comment);
                }
                out.push('\n');
            }
        }
        out
    }

    /// How many lines a document takes at this indentation.
    pub fn height(document: &Document, indent: usize) -> usize {
        let mut printer = Self::default();
        printer.print(document, indent);
        printer.done.len()
    }
}
