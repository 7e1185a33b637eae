//! Pages, tables and figures for people, outside the store: `reports/<file>/<step>.html`.

use super::Outcome;
use crate::diagnostic::Diagnostic;
use crate::language::Program;
use crate::steps::StepKind;
use crate::store::{Digest, Store};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a step made for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// `report`, `table`.
    pub kind: String,
    /// The file to look at; others of the same step lie beside it.
    pub path: PathBuf,
}

/// Copies what steps made for people ([`StepKind::pages`]), where a file is not already the same. E0613 where the folder cannot be
/// written.
pub fn copy_reports(
    outcome: &Outcome,
    program: &Program,
    registry: &dyn Fn(&str) -> Option<&'static dyn StepKind>,
    store: &Store,
    folder: &Path,
) -> Result<Vec<Page>, Diagnostic> {
    let mut pages = Vec::new();
    for (index, ended) in &outcome.ended {
        let (Some(step), Some(record)) = (program.steps.get(*index), ended.record()) else { continue };
        let outputs = registry(&step.kind).map(StepKind::pages).unwrap_or_default();
        for (place, (output, ending)) in outputs.iter().enumerate() {
            let Some(blob) = record.outputs.get(*output) else { continue };
            let path = folder.join(format!("{}.{ending}", file_name(&step.name)));
            copy(&store.blob_path(&blob.digest), &blob.digest, &path).map_err(|error| {
                Diagnostic::error("E0613", format!("the page `{}` cannot be written", path.display()))
                    .note(format!("the system says: {error}"))
                    .help("make room or another folder for it with `--reports DIR`; the page itself is safe in the store")
            })?;
            if place == 0 {
                pages.push(Page { kind: step.kind.clone(), path });
            }
        }
    }
    Ok(pages)
}

/// The name of a step as the name of a file: without separators, and no longer than file systems allow; a long one is cut and
/// told apart by the digest of the whole.
fn file_name(step: &str) -> String {
    let plain = step.replace(['/', '\\'], "_");
    if plain.len() <= LONGEST_NAME {
        return plain;
    }
    let digest: String = blake3::hash(step.as_bytes()).to_hex().chars().take(16).collect();
    let start = plain.get(..plain.floor_char_boundary(LONGEST_NAME - 17)).unwrap_or_default();
    format!("{start}-{digest}")
}

/// In bytes, without the ending; most file systems allow 255 with it.
const LONGEST_NAME: usize = 200;

fn copy(blob: &Path, digest: &Digest, target: &Path) -> std::io::Result<()> {
    if Digest::of_file(target).is_ok_and(|(found, _)| found == *digest) {
        return Ok(());
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut page = tempfile::NamedTempFile::new_in(folder)?;
    page.write_all(&fs::read(blob)?)?;
    page.as_file().sync_all()?;
    make_readable(page.path())?;
    page.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// Temporary files are for their owner only; a page may be read by whom the system allows by default.
#[cfg(unix)]
fn make_readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_stay_in_their_folder_and_short() {
        assert_eq!(file_name("by_seed[seed=1].page"), "by_seed[seed=1].page");
        assert_eq!(file_name("../a\\b"), ".._a_b");
        let (one, other) = (file_name(&"é".repeat(300)), file_name(&"é".repeat(301)));
        assert!(one.len() <= LONGEST_NAME && one != other, "{one}");
    }
}
