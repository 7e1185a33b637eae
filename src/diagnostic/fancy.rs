//! Diagnostics for people: a head line, the places in their lines of the file, facts and help. miette draws the boxes; this
//! is the only file that knows it.

use std::collections::BTreeMap;
use std::fmt::Write;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use super::{Diagnostic, Label, Severity};
use crate::source::{FileId, SourceFile, Sources, Span};

/// Lines longer than this are not drawn: a label in a file of one line would print the whole file.
const LONGEST_LINE: usize = 500;

/// One diagnostic, ending with a new line.
pub(super) fn diagnostic(diagnostic: &Diagnostic, sources: &Sources, colour: bool, width: usize) -> String {
    let mut out = String::new();
    let (word, paint) = match diagnostic.severity {
        Severity::Error => ("error", "\u{1b}[1;31m"),
        Severity::Warning => ("warning", "\u{1b}[1;33m"),
    };
    let painted = |text: &str, paint: &str| if colour { format!("{paint}{text}\u{1b}[0m") } else { text.to_owned() };
    let head = format!("{word}[{}]", diagnostic.code);
    let message = wrapped(&format!("{head}: {}", visible(&diagnostic.message)), width, "  ");
    out.push_str(&message.replacen(&head, &painted(&head, paint), 1));
    for (file, labels) in by_file(&diagnostic.labels) {
        if let Some(source) = sources.get(file) {
            out.push_str(&snippet(source, &labels, sources, colour, width));
        }
    }
    for note in &diagnostic.notes {
        out.push_str(&wrapped(&format!("  {}", visible(note)), width, "    "));
    }
    if let Some(help) = &diagnostic.help {
        let help = wrapped(&format!("  help: {}", visible(help)), width, "        ");
        out.push_str(&help.replacen("help:", &painted("help:", "\u{1b}[36m"), 1));
    }
    out
}

/// The labels of each file, the file of the primary label first.
fn by_file(labels: &[Label]) -> Vec<(FileId, Vec<&Label>)> {
    let mut files: BTreeMap<FileId, Vec<&Label>> = BTreeMap::new();
    for label in labels {
        files.entry(label.span.file).or_default().push(label);
    }
    let primary = labels.first().map(|label| label.span.file);
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by_key(|(file, _)| Some(*file) != primary);
    files
}

/// The lines of one file that labels point at.
fn snippet(source: &SourceFile, labels: &[&Label], sources: &Sources, colour: bool, width: usize) -> String {
    let text = drawable(&source.text);
    let spans: Vec<LabeledSpan> = labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let (start, end) = within_line(&text, label.span);
            let words = Some(visible(&label.text)).filter(|words| !words.is_empty());
            if index == 0 {
                LabeledSpan::new_primary_with_span(words, (start, end - start))
            } else {
                LabeledSpan::new_with_span(words, (start, end - start))
            }
        })
        .collect();
    let too_long = spans.iter().any(|span| line_at(&text, span.offset()).len() > LONGEST_LINE);
    let mut drawn = String::new();
    let snippet = Snippet { source: Named { name: &source.name, text: &text }, labels: spans };
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_context_lines(1).with_links(false);
    if too_long || handler.render_report(&mut drawn, &snippet).is_err() {
        return plain(labels, sources);
    }
    let primary = labels.first().map_or((1, 1), |label| sources.line_column(label.span));
    joined(&drawn, &format!("{}:{}:{}", source.name, primary.0, primary.1))
}

/// miette draws a box for every stretch of lines; this joins them into one with the primary place at its head.
fn joined(drawn: &str, primary: &str) -> String {
    let is_head = |line: &&str| line.trim_start().starts_with('╭');
    let margin = |head: &str| head.len() - head.trim_start().len();
    let heads: Vec<&str> = drawn.lines().filter(is_head).collect();
    let widest = heads.iter().map(|head| margin(head)).max().unwrap_or(0);
    let Some(head) = heads.iter().find(|head| head.contains(primary)).or(heads.first()) else { return String::new() };
    let mut out = format!("{}{}\n", " ".repeat(widest), head.trim());
    let mut indent = None;
    let mut foot = "";
    for line in drawn.lines().map(str::trim_end) {
        if line.trim_start().starts_with('╭') {
            if indent.is_some() {
                let _ = writeln!(out, "{}·", " ".repeat(widest));
            }
            indent = Some(widest - margin(line));
        } else if line.trim_start().starts_with('╰') && indent.is_some() && line.ends_with("────") && margin(line) <= widest
        {
            foot = line.trim_start();
        } else if let Some(indent) = indent
            && !line.is_empty()
        {
            let _ = writeln!(out, "{}{line}", " ".repeat(indent));
        }
    }
    let _ = writeln!(out, "{}{foot}", " ".repeat(widest));
    out
}

/// Places without a drawing.
fn plain(labels: &[&Label], sources: &Sources) -> String {
    labels.iter().fold(String::new(), |mut out, label| {
        let (line, column) = sources.line_column(label.span);
        let name = sources.get(label.span.file).map_or("", |file| file.name.as_str());
        let _ = writeln!(out, "   ─[{name}:{line}:{column}] {}", visible(&label.text));
        out
    })
}

/// A stretch cut to its first line and to the text.
fn within_line(text: &str, span: Span) -> (usize, usize) {
    let start = floor(text, span.start as usize);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let line_end = line_start + text[line_start..line_end].trim_end().len();
    // A place at the end of a line is shown at the sign before it: nothing can be drawn under nothing.
    let start = if start >= line_end { floor(text, line_end.saturating_sub(1)).max(line_start) } else { start };
    let end = floor(text, span.end as usize);
    let end = if end <= start { text[start..].chars().next().map_or(start, |c| start + c.len_utf8()) } else { end };
    (start, end.clamp(start, line_end.max(start)))
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn line_at(text: &str, at: usize) -> &str {
    let at = floor(text, at);
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].lines().next().unwrap_or("")
}

/// The text of a file with the same length in bytes, in which nothing moves the cursor or hides other text.
fn drawable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) && !matches!(c, '\n' | '\t') {
            let sign = if c == '\r' { ' ' } else { '?' };
            out.extend(std::iter::repeat_n(sign, c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

/// Words of a message, in which nothing moves the cursor or hides other text.
fn visible(text: &str) -> String {
    text.chars().map(|c| if hidden(c) && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

fn hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Breaks lines between words; what follows the first line is indented.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::new();
    for (index, line) in text.split('\n').enumerate() {
        let first_indent = if index == 0 { line.len() - line.trim_start().len() } else { 0 };
        let mut current = if index == 0 { line[..first_indent].to_owned() } else { indent.to_owned() };
        let mut fresh = true;
        for word in line.split_whitespace() {
            if !fresh && current.chars().count() + 1 + word.chars().count() > width {
                let _ = writeln!(out, "{current}");
                indent.clone_into(&mut current);
                fresh = true;
            }
            if !fresh {
                current.push(' ');
            }
            current.push_str(word);
            fresh = false;
        }
        let _ = writeln!(out, "{}", current.trim_end());
    }
    out
}

/// A file as miette wants to see it.
#[derive(Debug)]
struct Named<'a> {
    name: &'a str,
    text: &'a str,
}

impl SourceCode for Named<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Asked for lines around a place, we give the whole lines that the place is on; asked for none, the place itself.
        let whole = |at: usize, end: usize| {
            let (at, end) = (floor(self.text, at), floor(self.text, end));
            let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let end = self.text[end..].find('\n').map_or(self.text.len(), |length| end + length);
            SourceSpan::from((start, end - start))
        };
        let span = if before + after > 0 { whole(span.offset(), span.offset() + span.len()) } else { *span };
        let contents = self.text.read_span(&span, 0, 0)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_owned(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            // Of this stretch: miette draws stretches whose lines touch in one piece.
            contents.data().split(|byte| *byte == b'\n').count(),
        )))
    }
}

/// The labels of one file, without a message.
#[derive(Debug)]
struct Snippet<'a> {
    source: Named<'a>,
    labels: Vec<LabeledSpan>,
}

impl std::fmt::Display for Snippet<'_> {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet<'_> {}

impl miette::Diagnostic for Snippet<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
