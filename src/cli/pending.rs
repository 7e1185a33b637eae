//! What other stages will provide; goes away as they land.

use crate::diagnostic::Diagnostic;
use crate::language::Program;
use crate::source::{FileId, Sources};
use std::path::PathBuf;

pub struct CheckOptions<'e> {
    pub params: Vec<(String, String)>,
    pub environment: &'e dyn Fn(&str) -> Option<String>,
    pub base: PathBuf,
}

pub struct Checked {
    pub program: Option<Program>,
    pub diagnostics: Vec<Diagnostic>,
}

pub fn check(_sources: &mut Sources, _file: FileId, options: &CheckOptions<'_>) -> Checked {
    let _ = (&options.params, options.environment, &options.base);
    Checked { program: None, diagnostics: vec![Diagnostic::error("E0600", "the check of files is not there yet")] }
}

pub fn render(diagnostics: &[Diagnostic], _sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| format!("error[{}]: {}\n", diagnostic.code, diagnostic.message)).collect()
}

pub fn json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    render(diagnostics, sources)
}

pub fn explain(_code: &str) -> Option<String> {
    None
}
