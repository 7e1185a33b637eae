//! Files with mistakes in them, `tests/suite/check/*.synth`. A line `# Error: E0203 12-17` stands above the line that it
//! speaks of and says what is found there: the code and, where given, the columns of the primary place, from 1, the end
//! exclusive. A file must give exactly the errors and warnings that it names.

use std::path::{Path, PathBuf};

use synth::diagnostic::{Format, Severity, render};
use synth::language::CheckOptions;
use synth::source::{Sources, Span};
use synth::study::check;

/// `line, what, code, columns`, the columns only where the file gives some.
type Finding = (usize, &'static str, String, Option<String>);

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/check");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "synth"));
    files.sort();
    files
}

/// What a file says of itself.
fn expected(text: &str) -> Vec<Finding> {
    let mut waiting = Vec::new();
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let note = line.trim_start();
        let what = [("# Error: ", "error"), ("# Warning: ", "warning")]
            .into_iter()
            .find_map(|(mark, what)| Some((what, note.strip_prefix(mark)?)));
        match what {
            Some((what, note)) => {
                let mut words = note.split_whitespace();
                waiting.push((what, words.next().expect("a code").to_owned(), words.next().map(str::to_owned)));
            }
            None => findings.extend(waiting.drain(..).map(|(what, code, columns)| (index + 1, what, code, columns))),
        }
    }
    assert!(waiting.is_empty(), "a file must not end with what it expects");
    findings
}

fn found(path: &Path) -> (Vec<Finding>, String) {
    let mut sources = Sources::default();
    let file = sources.read(path).expect("a readable file");
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: path.parent().unwrap().to_path_buf() };
    let diagnostics = check(&mut sources, file, &options).diagnostics;
    let findings = diagnostics.iter().map(|diagnostic| {
        let span = diagnostic.labels.iter().map(|label| label.span).find(|span| span.file == file).expect("a place in the file");
        let (line, column) = sources.line_column(span);
        let (_, end) = sources.line_column(Span { start: span.end, ..span });
        let what = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
        (line, what, diagnostic.code.to_owned(), Some(format!("{column}-{end}")))
    });
    let findings = findings.collect();
    (findings, render(&diagnostics, &sources, Format::Fancy { colour: false, width: 100 }))
}

#[test]
fn files_give_exactly_the_mistakes_that_they_name() {
    let mut failures = String::new();
    let mut mistakes = 0;
    for path in files() {
        let mut expected = expected(&std::fs::read_to_string(&path).unwrap());
        let (mut found, drawn) = found(&path);
        mistakes += expected.len();
        expected.sort();
        found.sort();
        // Columns are compared where the file gives them.
        for (found, expected) in found.iter_mut().zip(&expected) {
            if expected.3.is_none() {
                found.3 = None;
            }
        }
        if found != expected {
            let list = |findings: &[Finding]| findings.iter().map(|finding| format!("    {finding:?}\n")).collect::<String>();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            failures += &format!("{name} expects\n{}and gives\n{}{drawn}\n", list(&expected), list(&found));
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(mistakes >= 40, "{mistakes} mistakes only");
}
