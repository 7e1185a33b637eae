//! What other stages will provide; goes away as they land.

use crate::diagnostic::Diagnostic;
use crate::source::Sources;

pub fn render(diagnostics: &[Diagnostic], _sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| format!("error[{}]: {}\n", diagnostic.code, diagnostic.message)).collect()
}

pub fn json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    render(diagnostics, sources)
}

pub fn explain(_code: &str) -> Option<String> {
    None
}
