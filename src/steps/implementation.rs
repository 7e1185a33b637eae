//! Which sources decide what a kind of step makes. `build.rs` digests every file; a kind names what it draws on.

include!(concat!(env!("OUT_DIR"), "/digests.rs"));

/// The digest of all named files and folders under `src/`, with the versions of the crates that compute. `None` for a
/// name under which there is nothing, which a test forbids.
pub fn implementation_of(sources: &[&str]) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(CRATES.as_bytes());
    for source in sources {
        let beneath = format!("{source}/");
        let mut any = false;
        for (name, digest) in DIGESTS.iter().filter(|(name, _)| name == source || name.starts_with(&beneath)) {
            any = true;
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(digest.as_bytes());
        }
        if !any {
            return None;
        }
    }
    Some(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_names_sources_that_exist() {
        for kind in crate::steps::all() {
            for source in kind.sources() {
                assert!(implementation_of(&[source]).is_some(), "`{}` names `{source}`, which is not under src/", kind.name());
            }
        }
    }

    #[test]
    fn sources_are_told_apart() {
        let one = implementation_of(&["random.rs"]);
        assert!(one.is_some());
        assert_ne!(one, implementation_of(&["steps"]));
        assert_ne!(one, implementation_of(&["random.rs", "steps"]));
        assert_eq!(implementation_of(&["no_such_folder"]), None);
        assert!(CRATES.contains("gemm 0."), "{CRATES}");
    }
}
