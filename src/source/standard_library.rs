//! The standard library: the `.synth` files under `stdlib/`, embedded when the program is built.

include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

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
    }
}
