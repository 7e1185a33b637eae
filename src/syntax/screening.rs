//! A look at the characters before the grammar sees them: merge conflicts, look-alikes, control characters and brackets
//! that nest too deeply. Each gets its message here and is then replaced by what it stands for, byte for byte, so that the
//! grammar reads on without a second complaint and every place stays where it was.

use super::mistakes;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// How deep brackets may nest. The deepest file of the standard library needs five.
pub(super) const MOST_NESTED: usize = 64;

/// Text fit for the grammar, of the same length in bytes.
pub(super) struct Screened {
    pub text: String,
    pub diagnostics: Vec<Diagnostic>,
    /// Brackets nest deeper than [`MOST_NESTED`]: the grammar must not see this text.
    pub too_deep: bool,
}

pub(super) fn screen(text: &str, file: FileId) -> Screened {
    let mut screen = Screen { file, output: text.to_owned(), diagnostics: Vec::new(), open: Vec::new(), too_deep: None };
    let mut position = 0;
    let mut theirs = None;
    for line in text.split_inclusive('\n') {
        let end = position + line.len();
        let marker = |mark: &str| line.starts_with(mark) && !line[mark.len()..].starts_with(mark.get(..1).unwrap_or(""));
        if marker("<<<<<<<") {
            screen.diagnostics.push(mistakes::conflict(Span::new(file, position, position + line.trim_end().len())));
            screen.blank(position, end);
            theirs = Some(false);
        } else if theirs.is_some() && marker(">>>>>>>") {
            screen.blank(position, end);
            theirs = None;
        } else if theirs.is_some() && (marker("=======") || marker("|||||||")) {
            screen.blank(position, end);
            theirs = Some(true);
        } else if theirs == Some(true) {
            screen.blank(position, end);
        } else {
            screen.line(line, position);
        }
        position = end;
        if screen.too_deep.is_some() {
            break;
        }
    }
    let too_deep = screen.too_deep.is_some();
    screen.diagnostics.extend(screen.too_deep.map(mistakes::too_deep));
    Screened { text: screen.output, diagnostics: screen.diagnostics, too_deep }
}

struct Screen {
    file: FileId,
    output: String,
    diagnostics: Vec<Diagnostic>,
    open: Vec<char>,
    too_deep: Option<Span>,
}

impl Screen {
    /// Replaces a stretch by signs of one byte each, filled up with spaces.
    fn replace(&mut self, start: usize, end: usize, by: &str) {
        let mut new = by.to_owned();
        new.push_str(&" ".repeat((end - start).saturating_sub(by.len())));
        self.output.replace_range(start..end, &new);
    }

    fn blank(&mut self, start: usize, end: usize) {
        let lines: String = self.output[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        self.output.replace_range(start..end, &lines);
    }

    fn line(&mut self, line: &str, offset: usize) {
        if begins_declaration(line) {
            self.open.clear();
        }
        let mut characters = line.char_indices().peekable();
        let mut comment = false;
        // What ends the text that we are in.
        let mut quote: Option<char> = None;
        while let Some((at, c)) = characters.next() {
            let (start, end) = (offset + at, offset + at + c.len_utf8());
            let span = Span::new(self.file, start, end);
            if (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || is_reordering(c) {
                let mut end = end;
                while let Some((at, c)) = characters.next_if(|(_, c)| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
                    end = offset + at + c.len_utf8();
                }
                self.diagnostics.push(mistakes::control_character(Span::new(self.file, start, end), c));
                self.replace(start, end, " ");
                continue;
            }
            if comment || (start == 0 && c == '\u{FEFF}') {
                continue;
            }
            if let Some(closing) = quote {
                match c {
                    '\\' => {
                        characters.next_if(|(_, next)| *next != '\n');
                    }
                    '"' => quote = None,
                    _ if c == closing => {
                        self.replace(start, end, "\"");
                        quote = None;
                    }
                    _ => {}
                }
                continue;
            }
            match c {
                '#' => comment = true,
                '"' => quote = Some('"'),
                '\'' => {
                    // Text in single quotes is passed over when it ends on this line.
                    if let Some(length) =
                        line[at + 1..].find(['\'', '\n']).filter(|length| line[at + 1 + length..].starts_with('\''))
                    {
                        while characters.next_if(|(next, _)| *next <= at + 1 + length).is_some() {}
                    }
                }
                '(' | '[' | '{' => {
                    self.open.push(c);
                    if self.open.len() > MOST_NESTED {
                        self.too_deep = Some(span);
                        return;
                    }
                }
                ')' | ']' | '}' => self.close(c),
                '“' | '”' | '„' | '«' | '»' | '‘' | '’' => {
                    let closing = match c {
                        '«' => '»',
                        '»' => '«',
                        '‘' | '’' => '’',
                        _ => '”',
                    };
                    let text_end =
                        line[at + c.len_utf8()..].find(closing).map_or(end, |length| end + length + closing.len_utf8());
                    self.diagnostics.push(mistakes::look_alike(Span::new(self.file, start, text_end), c, "\""));
                    // The space that is left over goes before the quote, so that it is not in the text.
                    self.replace(start, end, if c.len_utf8() == 2 { " \"" } else { "  \"" });
                    quote = Some(closing);
                }
                _ if !c.is_ascii() => {
                    if let Some(meant) = sign_like(c) {
                        self.diagnostics.push(mistakes::look_alike(span, c, meant));
                        self.replace(start, end, meant);
                    }
                }
                _ => {}
            }
        }
    }

    /// Closes everything down to the bracket that this one belongs to, as the grammar does; a stray one closes nothing.
    fn close(&mut self, closer: char) {
        let opener = match closer {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        if let Some(at) = self.open.iter().rposition(|open| *open == opener) {
            self.open.truncate(at);
        }
    }
}

/// Whether a line begins a declaration at its first column; no bracket stays open across it. The grammar's
/// `declaration_start` accepts at least these.
fn begins_declaration(line: &str) -> bool {
    let word = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next(), words.next()) {
        _ if !word(line) => false,
        (Some("use" | "param" | "let" | "fn" | "native"), Some(second), _) => word(second),
        (Some("if" | "for" | "return" | "else" | "not" | "and" | "or"), _, _) => false,
        (Some(first), Some(second), Some("{")) => {
            let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            plain(first) && plain(second) && word(second)
        }
        _ => false,
    }
}

/// Marks that turn the direction of writing can make text look like something else than it is.
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The ASCII sign or space that a character was most likely meant to be.
fn sign_like(c: char) -> Option<&'static str> {
    Some(match c {
        '−' | '–' | '—' | '‐' | '‑' | '‒' => "-",
        '×' | '∗' | '·' | '⋅' => "*",
        '÷' | '∕' | '⁄' => "/",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '→' => "->",
        '…' => "..",
        '，' | '、' | '‚' => ",",
        '：' | '∶' => ":",
        '＝' => "=",
        '（' => "(",
        '）' => ")",
        '［' => "[",
        '］' => "]",
        '｛' => "{",
        '｝' => "}",
        '＜' => "<",
        '＞' => ">",
        '％' => "%",
        '＋' => "+",
        '．' | '。' => ".",
        '＃' => "#",
        '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}' => " ",
        _ if c.is_whitespace() => " ",
        _ => return None,
    })
}

/// The ASCII letter that a letter of another script looks like.
pub(super) fn letter_like(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'е' | 'ε' => 'e',
        'һ' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ո' => 'n',
        'о' | 'ο' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        _ => return None,
    })
}
