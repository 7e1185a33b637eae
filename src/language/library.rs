//! The standard library, carried inside the program: one line for each file under `stdlib/`.

/// The module that every file knows without a `use`.
pub(super) const PRELUDE: &str = "std.prelude";

/// Module name, name in messages, and text.
pub(super) const FILES: &[(&str, &str, &str)] = &[
    (PRELUDE, "std/prelude.synth", include_str!("../../stdlib/prelude.synth")),
    ("std.classify.densenet", "std/classify/densenet.synth", include_str!("../../stdlib/classify/densenet.synth")),
    ("std.data.phantom", "std/data/phantom.synth", include_str!("../../stdlib/data/phantom.synth")),
    ("std.gan.cpd", "std/gan/cpd.synth", include_str!("../../stdlib/gan/cpd.synth")),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Every `.synth` file under a folder, as module names.
    fn modules(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                modules(&path, &format!("{prefix}.{stem}"), found);
            } else if path.extension().is_some_and(|extension| extension == "synth") {
                found.push(format!("{prefix}.{stem}"));
            }
        }
    }

    #[test]
    fn every_file_of_the_standard_library_is_carried() {
        let mut found = Vec::new();
        modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib"), "std", &mut found);
        let mut listed: Vec<String> = super::FILES.iter().map(|(name, _, _)| (*name).to_owned()).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }
}
