//! Entries for a terminal.

use super::entry::{Entry, Module};
use super::library::Library;
use super::prose::{Part, parts};
use super::reading;
use std::fmt::Write;

/// One entry with all that is known of it.
pub fn entry(library: &Library, module: &Module, entry: &Entry, width: usize) -> String {
    let mut out = format!("{}  ({}, {})\n", entry.called, entry.sort.word(), module.name);
    if entry.signature != entry.name {
        let _ = write!(out, "\n{}", indented(&entry.signature, 2));
    }
    for part in parts(&entry.documentation) {
        out.push('\n');
        match part {
            Part::Paragraph(text) => out += &wrapped(&text, 0, 0, width),
            Part::List(elements) => {
                for element in elements {
                    out += &wrapped(&format!("- {element}"), 0, 2, width);
                }
            }
        }
    }
    // What a signature says is not said again, unless there is more to say.
    for group in entry.groups.iter().filter(|group| !["Inputs", "Parameters"].contains(&group.title)) {
        let _ = write!(out, "\n{}\n", group.title);
        for row in &group.rows {
            let role = row.role.as_ref().map(|role| format!(" ({role})")).unwrap_or_default();
            out += &wrapped(&format!("{}{role}", reading::written(row)), 2, 6, width);
            for part in parts(&row.documentation) {
                if let Part::Paragraph(text) = part {
                    out += &wrapped(&text, 6, 6, width);
                }
            }
        }
    }
    let takers = library.takers(entry);
    if !takers.is_empty() {
        let _ = write!(out, "\n{}", wrapped(&format!("For {}.", takers.join(", ")), 0, 0, width));
    }
    out
}

/// All entries of some modules, one a line.
pub fn overview(modules: &[&Module], width: usize) -> String {
    let mut out = String::new();
    let entries = || modules.iter().flat_map(|module| &module.entries);
    let column = entries().map(|entry| entry.called.chars().count()).max().unwrap_or(0);
    for module in modules {
        let _ = writeln!(out, "{}{}", if out.is_empty() { "" } else { "\n" }, module.name);
        for part in parts(&module.documentation) {
            if let Part::Paragraph(text) = part {
                out += &wrapped(&text, 2, 2, width);
            }
        }
        for (sort, entries) in module.sections() {
            let _ = writeln!(out, "\n  {}", sort.title());
            for entry in entries {
                let summary = entry.summary().split_whitespace().collect::<Vec<_>>().join(" ");
                let line = format!("    {:column$}  {summary}", entry.called);
                let _ = writeln!(out, "{}", cut(line.trim_end(), width));
            }
        }
    }
    out
}

fn indented(text: &str, by: usize) -> String {
    text.lines().fold(String::new(), |out, line| out + &" ".repeat(by) + line + "\n")
}

fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width.saturating_sub(1)).collect::<String>().trim_end().to_owned() + "…"
}

/// Lines broken between words, with the first and the other lines indented.
fn wrapped(text: &str, first: usize, others: usize, width: usize) -> String {
    let mut out = String::new();
    let mut line = " ".repeat(first);
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            out += &line;
            out.push('\n');
            line = " ".repeat(others);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += word;
        is_empty = false;
    }
    out += &line;
    out.push('\n');
    out
}
