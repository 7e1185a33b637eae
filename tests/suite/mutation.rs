//! A study of our own messages: take one sign or word out of a correct file, or swap two that stand next to each other, and
//! see where the first error is and how many there are. Every file of `pipelines/` and `stdlib/` is tried; a mutant that is
//! still correct is no mistake and does not count.
//!
//! `cargo test --release --test suite -- --nocapture mutation` tries a sample. `SYNTH_MUTATIONS=all` tries every mutant, and
//! `SYNTH_MUTATIONS=7` every seventh; `SYNTH_MUTATIONS_LIST=FILE` writes the mutants that miss to a file.

#![allow(clippy::print_stdout)] // the figures are printed

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use synth::diagnostic::Severity;
use synth::language::{CheckOptions, check};
use synth::source::{Sources, Span};

/// Every how many mutants one is tried by default.
const SAMPLE: usize = 23;

/// The share of mutants whose first error is within one line of the mistake must not be below this.
const LEAST_NEAR: f64 = 0.98;
/// The share of mutants with more than one error must not be above this.
const MOST_CASCADES: f64 = 0.03;

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("pipelines"), root.join("stdlib")];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "synth") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Words, numbers, texts and signs, without comments and white space: their places in the text.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    const SIGNS: [&str; 11] = ["..=", "..", "|>", "->", "==", "!=", "<=", ">=", "&&", "||", "**"];
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.map_or(rest.len(), |end| end + 2)
            }
            '0'..='9' => {
                let end = rest.char_indices().find(|(index, c)| {
                    let point = *c == '.' && rest[index + 1..].starts_with(|next: char| next.is_ascii_digit());
                    let exponent = *c == '-' && rest[..*index].ends_with('e');
                    !(c.is_alphanumeric() || matches!(c, '_' | '%') || point || exponent)
                });
                end.map_or(rest.len(), |(end, _)| end)
            }
            _ if first.is_alphabetic() || first == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ => SIGNS.iter().find(|sign| rest.starts_with(**sign)).map_or(first.len_utf8(), |sign| sign.len()),
        };
        tokens.push(at..at + length);
        at += length;
    }
    tokens
}

/// One mistake: the text with it, what it is in words, and the lines that it touches.
struct Mutant {
    text: String,
    what: String,
    lines: std::ops::RangeInclusive<usize>,
}

fn mutants(text: &str) -> Vec<Mutant> {
    let tokens = tokens(text);
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let deletions = tokens.iter().map(|token| Mutant {
        text: format!("{}{}", &text[..token.start], &text[token.end..]),
        what: format!("without `{}`", &text[token.clone()]),
        lines: line(token.start)..=line(token.start),
    });
    let swaps = tokens.iter().zip(tokens.iter().skip(1)).map(|(a, b)| {
        let (first, second) = (&text[a.clone()], &text[b.clone()]);
        Mutant {
            text: format!("{}{second}{}{first}{}", &text[..a.start], &text[a.end..b.start], &text[b.end..]),
            what: format!("`{first}` and `{second}` swapped"),
            lines: line(a.start)..=line(b.start),
        }
    });
    deletions.chain(swaps).filter(|mutant| mutant.text != text).collect()
}

/// Codes, lines and messages of the errors, in the order of the text. What only says that the library's own files are
/// checked as if they were a user's is left out.
fn errors(path: &Path, text: &str) -> Vec<(usize, String)> {
    let mut sources = Sources::default();
    let file = sources.add("mutant.synth", Some(path), text);
    let environment = |name: &str| (name == "CHEXPERT_ROOT").then(|| "/data".to_owned());
    let options = CheckOptions { params: Vec::new(), environment: &environment, base: PathBuf::new() };
    let diagnostics = check(&mut sources, file, &options).diagnostics;
    let mut errors: Vec<(Span, String)> = diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error && found.code != "E0227")
        .map(|found| {
            let span = found.labels.iter().map(|label| label.span).find(|span| span.file == file).unwrap_or_default();
            (span, format!("{} {}", found.code, found.message))
        })
        .collect();
    errors.sort();
    errors.into_iter().map(|(span, message)| (sources.line_column(span).0, message)).collect()
}

#[derive(Default)]
struct Figures {
    wrong: usize,
    near: usize,
    cascades: usize,
    missed: String,
}

fn study(path: &Path, every: usize) -> Figures {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display().to_string();
    let mut figures = Figures::default();
    let own = errors(path, &text);
    assert!(own.is_empty(), "{name} has errors of its own: {own:?}");
    // Which mutants of a file are tried depends on its name, so that a new file does not change those of the others.
    let start = name.bytes().map(usize::from).sum::<usize>() % every;
    let tried: Vec<Mutant> = mutants(&text).into_iter().skip(start).step_by(every).collect();
    let found: Vec<Vec<(usize, String)>> = tried.par_iter().map(|mutant| errors(path, &mutant.text)).collect();
    for (mutant, errors) in tried.iter().zip(found) {
        let Some((line, _)) = errors.first() else { continue };
        let near = line + 1 >= *mutant.lines.start() && *line <= mutant.lines.end() + 1;
        figures.wrong += 1;
        figures.near += usize::from(near);
        figures.cascades += usize::from(errors.len() > 1);
        if !near || errors.len() > 1 {
            let _ = writeln!(figures.missed, "{name}:{} {}", mutant.lines.start(), mutant.what);
            for (line, message) in errors.iter().take(4) {
                let _ = writeln!(figures.missed, "    {line}: {message}");
            }
        }
    }
    figures
}

#[test]
fn mutation_first_errors_are_near_and_single() {
    let chosen = std::env::var("SYNTH_MUTATIONS").unwrap_or_default();
    let every = if chosen == "all" { 1 } else { chosen.parse().unwrap_or(SAMPLE) };
    let mut whole = Figures::default();
    let mut by_file = BTreeMap::new();
    for path in files() {
        let figures = study(&path, every);
        whole.wrong += figures.wrong;
        whole.near += figures.near;
        whole.cascades += figures.cascades;
        whole.missed += &figures.missed;
        by_file.insert(path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&path).display().to_string(), figures);
    }
    let share = |count: usize, of: usize| 100.0 * count as f64 / of.max(1) as f64;
    println!("{:<46}{:>9}{:>10}{:>11}", "one mistake each, in", "mutants", "near %", "cascades %");
    for (name, figures) in &by_file {
        let (near, cascades) = (share(figures.near, figures.wrong), share(figures.cascades, figures.wrong));
        println!("{name:<46}{:>9}{near:>10.1}{cascades:>11.1}", figures.wrong);
    }
    let (near, cascades) = (share(whole.near, whole.wrong), share(whole.cascades, whole.wrong));
    println!("{:<46}{:>9}{near:>10.2}{cascades:>11.2}", "all", whole.wrong);
    if let Ok(list) = std::env::var("SYNTH_MUTATIONS_LIST") {
        std::fs::write(list, &whole.missed).unwrap();
    }
    assert!(whole.wrong > 500, "{} mutants only", whole.wrong);
    assert!(near >= 100.0 * LEAST_NEAR, "first errors are too far away:\n{}", whole.missed);
    assert!(cascades <= 100.0 * MOST_CASCADES, "too many cascades:\n{}", whole.missed);
}
