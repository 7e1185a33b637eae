//! The standard library as modules: `std.gan.cpd` is the file `stdlib/gan/cpd.synth`, carried inside the program.

use crate::source::standard_library_files;

/// The module that every file knows without a `use`.
pub(super) const PRELUDE: &str = "std.prelude";

/// Module name, name in messages, and text of every module, in order of their names.
pub(super) fn modules() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    standard_library_files().map(|(file, text)| (file.trim_end_matches(".synth").replace('/', "."), file, text))
}
