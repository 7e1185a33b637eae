//! All modules of the standard library, or one file, and what a word on the command line means in them.

use super::entry::{Entry, Module, Sort};
use super::reading;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources, standard_library_files};
use crate::syntax;

#[derive(Clone, Debug)]
pub struct Library {
    /// The prelude first, then by name.
    pub modules: Vec<Module>,
}

/// What a word means.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'l> {
    Module(&'l Module),
    Entries(Vec<(&'l Module, &'l Entry)>),
}

const PRELUDE: &str = "std.prelude";

impl Library {
    /// What is built in.
    pub fn standard() -> Self {
        let mut sources = Sources::default();
        let mut modules: Vec<Module> = standard_library_files()
            .map(|(shown, text)| {
                let name = shown.trim_end_matches(".synth").replace('/', ".");
                let short = name.rsplit('.').next().filter(|_| name != PRELUDE).unwrap_or_default().to_owned();
                let file = sources.add(shown, None, text);
                let tree = syntax::parse(&sources, file).file;
                reading::module(&sources, &tree, &name, &short)
            })
            .collect();
        modules.sort_by_key(|module| module.name != PRELUDE);
        Self { modules }
    }

    /// One file of a user, and its mistakes of form.
    pub fn of_file(sources: &Sources, file: FileId) -> (Self, Vec<Diagnostic>) {
        let name = sources.get(file).map_or("", |file| file.name.as_str());
        let short = std::path::Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let parsed = syntax::parse(sources, file);
        let module = reading::module(sources, &parsed.file, &short.unwrap_or_default(), "");
        (Self { modules: vec![module] }, parsed.diagnostics)
    }

    /// Every entry with its module.
    pub fn entries(&self) -> impl Iterator<Item = (&Module, &Entry)> {
        self.modules.iter().flat_map(|module| module.entries.iter().map(move |entry| (module, entry)))
    }

    /// `std.gan.cpd`, `cpd`, `cpd.generator`, `generator`, `gan`, `gan.loss`, `optimiser`.
    ///
    /// # Errors
    /// `E0205` with the nearest name.
    pub fn find(&self, word: &str) -> Result<Found<'_>, Diagnostic> {
        let is_called = |module: &&Module| module.name == word || module.name.rsplit('.').next() == Some(word);
        let entries = |test: &dyn Fn(&Entry) -> bool| self.entries().filter(|(_, entry)| test(entry)).collect::<Vec<_>>();
        let exact = entries(&|entry| entry.called == word);
        if !exact.is_empty() {
            return Ok(Found::Entries(exact));
        }
        if let Some(module) = self.modules.iter().find(is_called) {
            return Ok(Found::Module(module));
        }
        let full = self.entries().filter(|(module, entry)| format!("{}.{}", module.name, entry.name) == word).collect();
        let owner = word.rsplit_once('.').map(|(owner, part)| {
            entries(&|entry| {
                entry.called == owner && entry.groups.iter().any(|group| group.rows.iter().any(|row| row.name == part))
            })
        });
        let choice = |entry: &Entry| {
            let words = entry.signature.split_once(": ").map(|(_, words)| words.split(" | ").any(|found| found == word));
            entry.sort == Sort::Choice && words == Some(true)
        };
        let ways = [
            full,
            entries(&|entry| entry.name == word),
            owner.unwrap_or_default(),
            entries(&|entry| entry.makes.as_deref() == Some(word) && entry.sort == Sort::Constructor),
            entries(&choice),
        ];
        match ways.into_iter().find(|found| !found.is_empty()) {
            Some(found) => Ok(Found::Entries(found)),
            None => Err(self.unknown(word)),
        }
    }

    fn unknown(&self, word: &str) -> Diagnostic {
        let names =
            self.entries().map(|(_, entry)| entry.called.as_str()).chain(self.entries().map(|(_, entry)| entry.name.as_str()));
        let names = names.chain(self.modules.iter().map(|module| module.name.as_str()));
        let nearest = names.map(|name| (strsim::damerau_levenshtein(word, name), name)).min();
        let error = Diagnostic::error("E0205", format!("nothing called `{word}` is declared here"));
        match nearest {
            Some((distance, name)) if distance <= 1 + word.chars().count() / 3 => error.help(format!("did you mean `{name}`?")),
            _ => error.help("`synth doc` alone lists everything"),
        }
    }

    /// The fields that take what an entry makes: `gan.loss`.
    pub fn takers(&self, entry: &Entry) -> Vec<String> {
        let Some(made) = entry.makes.as_deref().filter(|_| entry.sort == Sort::Constructor) else { return Vec::new() };
        let takes = |r#type: &str| r#type.split(|c: char| !c.is_alphanumeric() && c != '_').next() == Some(made);
        self.entries()
            .filter(|(_, taker)| matches!(taker.sort, Sort::Kind | Sort::Layer | Sort::Recipe))
            .flat_map(|(_, taker)| taker.groups.iter().map(move |group| (taker, group)))
            .filter(|(_, group)| ["Fields", "Parameters"].contains(&group.title))
            .flat_map(|(taker, group)| group.rows.iter().map(move |row| (taker, row)))
            .filter(|(_, row)| takes(&row.r#type))
            .map(|(taker, row)| format!("{}.{}", taker.called, row.name))
            .collect()
    }
}
