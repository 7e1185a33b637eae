//! The reference as pages of HTML: one for each module, one that lists all, and one stylesheet. They need no script and ask
//! no other computer for anything.

use super::entry::{Entry, Group, Module, Row, Sort};
use super::library::Library;
use super::prose::{Part, Piece, parts, pieces};
use maud::{DOCTYPE, Markup, html};

const STYLE: &str = include_str!("style.css");

/// Names of files and their texts.
pub fn pages(library: &Library) -> Vec<(String, String)> {
    let mut pages = vec![("style.css".to_owned(), STYLE.to_owned())];
    if let [only] = library.modules.as_slice() {
        pages.push(("index.html".to_owned(), page(&Place { library, module: only }, only)));
        return pages;
    }
    pages.push(("index.html".to_owned(), index(library)));
    for module in &library.modules {
        pages.push((format!("{}.html", module.name), page(&Place { library, module }, module)));
    }
    pages
}

/// Where names are looked up.
struct Place<'l> {
    library: &'l Library,
    module: &'l Module,
}

impl Place<'_> {
    /// The address of what a name means here: an entry of this module, of the prelude, or one with its module's name before
    /// it; or the constructors of a type.
    fn address(&self, name: &str) -> Option<String> {
        // `h` is a unit behind a number only; elsewhere it is a size.
        let named = |entry: &Entry| entry.sort != Sort::Unit;
        let here = self.module.entries.iter().find(|entry| entry.name == name && named(entry)).map(|entry| (self.module, entry));
        let found = here.or_else(|| self.library.entries().find(|(_, entry)| entry.called == name && named(entry)));
        if let Some((module, entry)) = found {
            return Some(self.at(module, &anchor(&entry.name)));
        }
        let makes = |entry: &Entry| entry.sort == Sort::Constructor && entry.makes.as_deref() == Some(name);
        let (module, _) = self.library.entries().find(|(_, entry)| makes(entry))?;
        Some(self.at(module, &format!("type.{name}")))
    }

    fn at(&self, module: &Module, anchor: &str) -> String {
        if module.name == self.module.name { format!("#{anchor}") } else { format!("{}.html#{anchor}", module.name) }
    }

    fn code(&self, text: &str) -> Markup {
        self.code_of("", text)
    }

    /// Code whose names lead to what they mean. Names of parameters, of named arguments, and of what the code declares lead
    /// nowhere.
    fn code_of(&self, declared: &str, text: &str) -> Markup {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let mut tokens: Vec<&str> = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| is_name(c) != is_name(first)).unwrap_or(rest.len());
            let (token, after) = rest.split_at(end);
            tokens.push(token);
            rest = after;
        }
        html! {
            @for (index, token) in tokens.iter().enumerate() {
                @let next = tokens.get(index + 1).map_or("", |next| next.trim_start());
                @let before = index.checked_sub(1).and_then(|before| tokens.get(before)).map_or("", |before| *before);
                @let names = next.starts_with(':') || (next.starts_with('=') && !next.starts_with("=="));
                @if token.starts_with(|c: char| c.is_ascii_digit()) { span.number { (token) } }
                @else if !names && *token != declared && !before.ends_with(['.', '"']) && let Some(address) = self.address(token) { a href=(address) { (token) } }
                @else { (token) }
            }
        }
    }

    fn words(&self, text: &str) -> Markup {
        html! {
            @for piece in pieces(text) {
                @match piece {
                    Piece::Words(words) => (words),
                    Piece::Code(code) => code {
                        @match self.address(code) {
                            Some(address) => a href=(address) { (code) },
                            None => (self.code(code)),
                        }
                    },
                }
            }
        }
    }

    fn prose(&self, documentation: &str) -> Markup {
        html! {
            @for part in parts(documentation) {
                @match part {
                    Part::Paragraph(text) => p { (self.words(&text)) },
                    Part::List(elements) => ul { @for element in elements { li { (self.words(element)) } } },
                }
            }
        }
    }

    fn entry(&self, entry: &Entry) -> Markup {
        let takers = self.library.takers(entry);
        html! {
            article id=(anchor(&entry.name)) {
                h3 { a.self href={ "#" (anchor(&entry.name)) } { (entry.called) } " " span.sort { (entry.sort.word()) } }
                @if entry.signature != entry.name { pre { code { (self.code_of(&entry.name, &entry.signature)) } } }
                (self.prose(&entry.documentation))
                @for group in entry.groups.iter().filter(|group| !["Inputs", "Parameters"].contains(&group.title)) {
                    (self.group(group))
                }
                @if !takers.is_empty() {
                    p.takers { "For " @for (index, taker) in takers.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (self.code(taker)) }
                    } "." }
                }
            }
        }
    }

    fn group(&self, group: &Group) -> Markup {
        html! {
            h4 { (group.title) }
            dl { @for row in &group.rows { (self.row(row)) } }
        }
    }

    fn row(&self, row: &Row) -> Markup {
        html! {
            dt {
                code.name { (row.name) }
                @if !row.r#type.is_empty() { " " code.type { (self.code(&row.r#type)) } }
                @match &row.default {
                    Some(default) => { " " span.default { "= " code { (self.code(default)) } } },
                    None => {},
                }
                @if let Some(role) = &row.role { " " span.role title=(meaning(role)) { (role) } }
            }
            dd { (self.prose(&row.documentation)) }
        }
    }
}

/// What a role means for the key of a step.
fn meaning(role: &str) -> &'static str {
    match role {
        "horizon" => "how long to train: raising it goes on from the last checkpoint",
        "resource" => "how the work is done: changing it makes nothing run again",
        "cosmetic" => "how it is titled: only what prints it is made again",
        "schedule" => "when something happens while training",
        _ => "part of what a step is",
    }
}

/// A name that may stand in an address.
fn anchor(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_alphanumeric() || c == '_' { c.to_string() } else { format!("sign-{:x}", u32::from(c)) })
        .collect()
}

fn page(place: &Place<'_>, module: &Module) -> String {
    let body = html! {
        nav.side aria-label="Contents" {
            @if place.library.modules.len() > 1 { p { a href="index.html" { "All modules" } } }
            @for (sort, entries) in module.sections() {
                h2 { a href={ "#" (section_anchor(sort)) } { (sort.title()) } }
                ul { @for entry in entries { li { a href={ "#" (anchor(&entry.name)) } { (entry.name) } } } }
            }
        }
        main {
            header {
                p.eyebrow { "Synth reference" }
                h1 { (module.name) }
                (place.prose(&module.documentation))
                @if let Some(r#use) = usage(module) { pre { code { (r#use) } } }
            }
            @for (sort, entries) in module.sections() {
                section id=(section_anchor(sort)) {
                    h2 { (sort.title()) }
                    @if sort == Sort::Constructor {
                        @for made in entries.chunk_by(|a, b| a.makes == b.makes) {
                            @let name = made.first().and_then(|entry| entry.makes.as_deref()).unwrap_or_default();
                            div id={ "type." (name) } { @for entry in made { (place.entry(entry)) } }
                        }
                    } @else { @for entry in entries { (place.entry(entry)) } }
                }
            }
        }
    };
    document(&module.name, &body)
}

/// How a file gets at a module of the standard library.
fn usage(module: &Module) -> Option<String> {
    (module.name.starts_with("std.") && module.name != "std.prelude").then(|| format!("use {}", module.name))
}

fn index(library: &Library) -> String {
    let body = html! {
        main.index {
            header {
                p.eyebrow { "Synth reference" }
                h1 { "The standard library" }
                p { "Everything that a " code { ".synth" } " file can name: what the program implements, and the networks that are "
                    "written in the language itself. The prelude is known without a " code { "use" } "." }
            }
            @for module in &library.modules {
                @let place = Place { library, module };
                section.module {
                    h2 { a href={ (module.name) ".html" } { (module.name) } }
                    (place.prose(super::prose::first_paragraph(&module.documentation)))
                    @for (sort, entries) in module.sections() {
                        h3 { (sort.title()) }
                        ul.entries { @for entry in entries {
                            li {
                                a href={ (module.name) ".html#" (anchor(&entry.name)) } { code { (entry.called) } }
                                " " span { (plain(entry.summary())) }
                            }
                        } }
                    }
                }
            }
        }
    };
    document("The standard library", &body)
}

/// Words without the marks of code.
fn plain(text: &str) -> String {
    text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn section_anchor(sort: Sort) -> String {
    format!("all.{}", sort.word().replace(' ', "-"))
}

fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Synth" }
                link rel="stylesheet" href="style.css";
            }
            body { (body) }
        }
    };
    page.into_string()
}
