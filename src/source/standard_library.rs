//! The standard library: the `.synth` files under `stdlib/`, embedded when the program is built.

use super::{FileId, SourceFile};

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// Ids from here on are those of the standard library, in the order of its files, in every [`super::Sources`]. So a file
/// of it is the same file in every check, and need be read once only.
const FIRST: u32 = 1 << 31;

/// The name and the text of a file of the standard library: `["std", "gan", "cpd"]`, with or without the `std`, is
/// `std/gan/cpd.synth`. The prelude, which every file sees without a `use`, is `["std", "prelude"]`.
pub fn standard_library(path: &[&str]) -> Option<(&'static str, &'static str)> {
    let path = path.strip_prefix(&["std"]).unwrap_or(path);
    standard_library_files().find(|(name, _)| {
        let inside = name.trim_start_matches("std/").trim_end_matches(".synth");
        inside.split('/').eq(path.iter().copied())
    })
}

/// All files of the standard library by name, sorted: `std/classify/densenet.synth`.
pub fn standard_library_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.iter().copied().zip(FILES.iter().map(|(_, text)| *text))
}

impl FileId {
    /// The id of a file of the standard library by its name: `std/gan/cpd.synth`.
    pub fn standard(name: &str) -> Option<Self> {
        let index = NAMES.iter().position(|known| *known == name)?;
        Some(Self(FIRST + u32::try_from(index).ok()?))
    }

    /// The file that an id of the standard library names.
    pub(super) fn standard_file(self) -> Option<&'static SourceFile> {
        STANDARD.get(self.0.checked_sub(FIRST)? as usize)
    }
}

static STANDARD: std::sync::LazyLock<Vec<SourceFile>> = std::sync::LazyLock::new(|| {
    standard_library_files().map(|(name, text)| SourceFile { name: name.to_owned(), path: None, text: text.into() }).collect()
});

/// The names with `std/` before them, made once.
static NAMES: std::sync::LazyLock<Vec<&'static str>> =
    std::sync::LazyLock::new(|| FILES.iter().map(|(name, _)| &*format!("std/{name}").leak()).collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_the_path_of_a_use() {
        let (name, text) = standard_library(&["std", "gan", "cpd"]).expect("std.gan.cpd");
        assert_eq!(name, "std/gan/cpd.synth");
        assert!(text.contains("network generator"));
        assert_eq!(standard_library(&["prelude"]).map(|(name, _)| name), Some("std/prelude.synth"));
        assert_eq!(standard_library(&["std", "gan"]), None);
        assert_eq!(standard_library(&[]), None);
        let id = FileId::standard("std/gan/cpd.synth").expect("a file of the library");
        assert!(crate::source::Sources::default().get(id).is_some_and(|file| file.name == "std/gan/cpd.synth"));
        assert_eq!(FileId::standard("std/gan.synth"), None);
    }
}
