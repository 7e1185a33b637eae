//! A module as one page of Markdown.

use super::entry::{Entry, Group, Module};
use super::library::Library;
use super::prose::{Part, parts};
use std::fmt::Write;

pub fn module(library: &Library, module: &Module) -> String {
    let mut out = format!("# {}\n\n{}", module.name, prose(&module.documentation));
    for (sort, entries) in module.sections() {
        let _ = writeln!(out, "## {}\n", sort.title());
        for entry in entries {
            out += &entry_of(library, entry);
        }
    }
    out.trim_end().to_owned() + "\n"
}

fn entry_of(library: &Library, entry: &Entry) -> String {
    let mut out = format!("### `{}`\n\n", entry.called);
    if entry.signature != entry.name {
        let _ = write!(out, "```text\n{}\n```\n\n", entry.signature);
    }
    out += &prose(&entry.documentation);
    for group in entry.groups.iter().filter(|group| !["Inputs", "Parameters"].contains(&group.title)) {
        out += &table(group);
    }
    let takers = library.takers(entry);
    if !takers.is_empty() {
        let takers: Vec<String> = takers.iter().map(|taker| format!("`{taker}`")).collect();
        let _ = write!(out, "For {}.\n\n", takers.join(", "));
    }
    out
}

fn prose(documentation: &str) -> String {
    parts(documentation).into_iter().fold(String::new(), |out, part| match part {
        Part::Paragraph(text) => out + &text + "\n\n",
        Part::List(elements) => out + &elements.iter().map(|element| format!("- {element}\n")).collect::<String>() + "\n",
    })
}

/// Columns that no row fills are left out.
fn table(group: &Group) -> String {
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|")) };
    let columns: Vec<(&str, Vec<String>)> = vec![
        (group.title, group.rows.iter().map(|row| code(&row.name)).collect()),
        ("type", group.rows.iter().map(|row| code(&row.r#type)).collect()),
        ("default", group.rows.iter().map(|row| row.default.as_deref().map(code).unwrap_or_default()).collect()),
        ("role", group.rows.iter().map(|row| row.role.clone().unwrap_or_default()).collect()),
        ("", group.rows.iter().map(|row| row.documentation.replace('\n', " ").replace('|', "\\|")).collect()),
    ];
    let columns: Vec<_> = columns.into_iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())).collect();
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let mut out = line(columns.iter().map(|(title, _)| *title).collect());
    out += &line(columns.iter().map(|_| "---").collect());
    for index in 0..group.rows.len() {
        out += &line(columns.iter().filter_map(|(_, cells)| cells.get(index).map(String::as_str)).collect());
    }
    out + "\n"
}
