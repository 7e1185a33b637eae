//! The standard library as modules: `std.gan.cpd` is the file `stdlib/gan/cpd.synth`, carried inside the program.

use crate::source::{FileId, Sources, standard_library_files};
use crate::syntax::{self, ast};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The module that every file knows without a `use`.
pub(super) const PRELUDE: &str = "std.prelude";

/// Module name, name in messages, and text of every module, in order of their names.
pub(super) fn modules() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    standard_library_files().map(|(file, text)| (file.trim_end_matches(".synth").replace('/', "."), file, text))
}

/// What a file of the standard library declares. It is read once, however many checks use it.
pub(super) fn tree(file: FileId) -> Arc<ast::File> {
    static READ: Mutex<BTreeMap<FileId, Arc<ast::File>>> = Mutex::new(BTreeMap::new());
    if let Some(known) = READ.lock().unwrap_or_else(PoisonError::into_inner).get(&file) {
        return known.clone();
    }
    let tree = Arc::new(syntax::parse(&Sources::default(), file).file);
    READ.lock().unwrap_or_else(PoisonError::into_inner).entry(file).or_insert(tree).clone()
}
