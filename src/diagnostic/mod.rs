//! The one form of every message to the user: a coded [`Diagnostic`] with labels on all places involved and help with
//! the fix. Wording lives where the mistake is found; how it is shown lives in the renderers beside this file.

pub mod codes;
mod fancy;
mod json;
mod sarif;
#[cfg(test)]
mod tests;

use std::io::IsTerminal;

use crate::source::{Sources, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// A remark on a place. The first label of a diagnostic is the primary one.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// What was found, what was expected, where, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// `E0312`; each code has a page in `docs/errors/`.
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    pub labels: Vec<Label>,
    /// Further facts, one a line: the chain of shapes, the row of a table.
    pub notes: Vec<String>,
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: Vec::new(), notes: Vec::new(), help: None }
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: lines of the file with remarks, and a last line that counts.
    Fancy { colour: bool, width: usize },
    /// For programs: one JSON array.
    Json,
    /// For code scanning: one log in SARIF 2.1.0.
    Sarif,
}

impl Format {
    /// For people, as standard error takes it: colour on a terminal unless `NO_COLOR` is set, and the terminal's width;
    /// elsewhere plain text of 100 columns, so that what is kept in a file does not depend on a window.
    pub fn for_standard_error() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let columns = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0));
        Self::for_people(terminal, plain, columns)
    }

    fn for_people(terminal: bool, plain: bool, columns: Option<usize>) -> Self {
        let width = columns.filter(|_| terminal).unwrap_or(100).clamp(40, 200);
        Self::Fancy { colour: terminal && !plain, width }
    }
}

/// All diagnostics in a format, ending with a new line; nothing for people where there are none, and an empty array or log for programs.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, format: Format) -> String {
    let (colour, width) = match format {
        Format::Json => return json::array(diagnostics, sources),
        Format::Sarif => return sarif::log(diagnostics, sources),
        Format::Fancy { colour, width } => (colour, width),
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&fancy::diagnostic(diagnostic, sources, colour, width));
        out.push('\n');
    }
    if let Some(first) = diagnostics.first() {
        out.push_str(&format!("{}; `synth explain {}` says more\n", count(diagnostics), first.code));
    }
    out
}

/// `3 errors, 1 warning`.
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let number = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (errors, diagnostics.len() - errors) {
        (errors, 0) => number(errors, "error"),
        (0, warnings) => number(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", number(errors, "error"), number(warnings, "warning")),
    }
}
