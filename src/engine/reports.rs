//! Pages for people, outside the store: `reports/<file>/<step>.html`.

use super::Outcome;
use crate::diagnostic::Diagnostic;
use crate::language::Program;
use crate::store::{Digest, Store};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Copies every `.html` that a step made, where a file is not already the same. Returns the paths of all pages.
/// E0613 where the folder cannot be written.
pub fn copy_reports(outcome: &Outcome, program: &Program, store: &Store, folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let mut pages = Vec::new();
    for (index, ended) in &outcome.ended {
        let (Some(step), Some(record)) = (program.steps.get(*index), ended.record()) else { continue };
        let found: Vec<_> = record.outputs.iter().filter(|(name, _)| name.ends_with(".html")).collect();
        for (name, blob) in &found {
            let file = if found.len() == 1 { format!("{}.html", step.name) } else { format!("{}.{name}", step.name) };
            let target = folder.join(file);
            copy(&store.blob_path(&blob.digest), &blob.digest, &target).map_err(|error| {
                Diagnostic::error("E0613", format!("the page `{}` cannot be written", target.display()))
                    .note(format!("the system says: {error}"))
                    .help("make room or another folder for it with `--reports DIR`; the page itself is safe in the store")
            })?;
            pages.push(target);
        }
    }
    Ok(pages)
}

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
