//! `synth doc [NAME]`: the reference of the standard library or of a file, from its documentation.

use super::Exit;
use crate::diagnostic::{self, Diagnostic};
use crate::reference::{self, Found, Library, Module};
use crate::source::Sources;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Doc {
    /// What to show: `gan`, `cpd.generator`, `std.gan.cpd`, or the path of a `.synth` file. Without it, everything.
    what: Option<String>,
    /// A name in the file.
    name: Option<String>,
    #[arg(long, value_enum, default_value_t = Form::Text, requires_if("html", "output"))]
    format: Form,
    /// Write a file for each module into this folder: pages of HTML, unless `--format markdown` is given.
    #[arg(short = 'o', long, value_name = "DIR")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For the terminal.
    Text,
    Markdown,
    /// Pages with links, into the folder that `-o` names.
    Html,
}

impl Doc {
    pub fn run(&self) -> Exit {
        let mut sources = Sources::default();
        match self.shown(&mut sources) {
            Ok(text) => {
                print!("{text}");
                Exit::Success
            }
            Err(problems) => {
                eprint!("{}", diagnostic::render(&problems, &sources, diagnostic::Format::for_standard_error()));
                Exit::Failure
            }
        }
    }

    fn shown(&self, sources: &mut Sources) -> Result<String, Vec<Diagnostic>> {
        let file = self.what.as_deref().filter(|what| what.ends_with(".synth") || what.contains(std::path::MAIN_SEPARATOR));
        let (library, word) = match file {
            Some(path) => {
                let file = sources.read(path).map_err(|problem| vec![problem])?;
                let (library, mistakes) = Library::of_file(sources, file);
                if !mistakes.is_empty() {
                    return Err(mistakes);
                }
                (library, self.name.clone())
            }
            None => {
                let words: Vec<&str> = [&self.what, &self.name].into_iter().flatten().map(String::as_str).collect();
                (Library::standard(), Some(words.join(".")).filter(|word| !word.is_empty()))
            }
        };
        let found = word.map(|word| library.find(&word)).transpose().map_err(|problem| vec![problem])?;
        let modules: Vec<&Module> = match &found {
            None => library.modules.iter().collect(),
            Some(Found::Module(module)) => vec![module],
            Some(Found::Entries(entries)) => entries.iter().map(|(module, _)| *module).collect(),
        };
        if let Some(folder) = &self.output {
            return self.write(&library, &modules, folder).map_err(|problem| vec![problem]);
        }
        Ok(match (self.format, &found) {
            (Form::Markdown, _) => {
                modules.iter().map(|module| reference::markdown(&library, module)).collect::<Vec<_>>().join("\n")
            }
            (_, Some(Found::Entries(entries))) => {
                let shown = entries.iter().map(|(module, entry)| reference::text(&library, module, entry, super::columns()));
                shown.collect::<Vec<_>>().join("\n")
            }
            _ => reference::overview(&modules, super::columns()),
        })
    }

    /// Writes the pages, and says where they are.
    fn write(&self, library: &Library, modules: &[&Module], folder: &Path) -> Result<String, Diagnostic> {
        let pages = match self.format {
            Form::Markdown => {
                modules.iter().map(|module| (format!("{}.md", module.name), reference::markdown(library, module))).collect()
            }
            _ => reference::pages(library),
        };
        std::fs::create_dir_all(folder).map_err(|reason| unwritable(folder, &reason))?;
        for (name, text) in &pages {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|reason| unwritable(&path, &reason))?;
        }
        let first = folder.join(pages.iter().map(|(name, _)| name).find(|name| *name == "index.html").map_or("", String::as_str));
        Ok(format!("wrote {} files; begin with {}\n", pages.len(), first.display()))
    }
}

/// `E0640`.
pub fn unwritable(path: &Path, reason: &std::io::Error) -> Diagnostic {
    Diagnostic::error("E0640", format!("cannot write {}", path.display()))
        .note(reason.to_string())
        .help("name a folder that exists or can be made, and that you may write to")
}
