//! `synth fmt FILES…`: one canonical layout.

use super::Exit;
use super::doc::unwritable;
use crate::diagnostic::{self, Diagnostic};
use crate::format::format;
use crate::source::{FileId, Sources};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

mod difference;

#[derive(Debug, clap::Args)]
pub struct Fmt {
    /// Files, or folders with all `.synth` files below them; `-` lays standard input out to standard output.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write nothing, and list the files that are laid out otherwise.
    #[arg(long)]
    check: bool,
    /// Write nothing, and show what would change.
    #[arg(long)]
    diff: bool,
}

impl Fmt {
    pub fn run(&self) -> Exit {
        let mut sources = Sources::default();
        let mut mistakes = Vec::new();
        let mut changed = false;
        for given in &self.files {
            match files_of(given) {
                Ok(files) => {
                    for file in files {
                        match self.lay_out(&file, &mut sources) {
                            Ok(differs) => changed |= differs,
                            Err(errors) => mistakes.extend(errors),
                        }
                    }
                }
                Err(error) => mistakes.push(error),
            }
        }
        eprint!("{}", diagnostic::render(&mistakes, &sources, diagnostic::Format::for_standard_error()));
        if !mistakes.is_empty() || changed && (self.check || self.diff) { Exit::Failure } else { Exit::Success }
    }

    /// Lays one file out, and says whether that changes it.
    fn lay_out(&self, path: &Path, sources: &mut Sources) -> Result<bool, Vec<Diagnostic>> {
        let is_input = path == Path::new("-");
        let file = if is_input { sources.read_input() } else { sources.read(path) }.map_err(|error| vec![error])?;
        let text = text_of(sources, file);
        let formatted = format(sources, file)?;
        let changed = text != formatted;
        let name = sources.get(file).map_or("", |source| &source.name);
        if self.diff {
            if changed {
                say(&difference::unified(name, text, &formatted, is_coloured()));
            }
        } else if self.check {
            if changed {
                say(&format!("{name}\n"));
            }
        } else if is_input {
            say(&formatted);
        } else if changed {
            write(path, &formatted).map_err(|reason| vec![unwritable(path, &reason)])?;
            say(&format!("laid out {name}\n"));
        }
        Ok(changed)
    }
}

fn text_of(sources: &Sources, file: FileId) -> &str {
    sources.get(file).map_or("", |source| &source.text)
}

/// A reader that has gone, such as `head`, is no mistake.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A file as it is given, or the `.synth` files below a folder by name; hidden folders are left out, links to folders too.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    if !folder.is_dir() {
        return Ok(vec![folder.to_path_buf()]);
    }
    let unreadable = |reason: &std::io::Error| {
        Diagnostic::error("E0123", format!("cannot read {}: {reason}", folder.display()))
            .help("give the path of a `.synth` file or of a folder that may be read")
    };
    let mut open = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|reason| unreadable(&reason))? {
            let entry = entry.map_err(|reason| unreadable(&reason))?;
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !entry.file_name().to_string_lossy().starts_with('.') {
                open.push(path);
            } else if !is_folder && path.extension().is_some_and(|extension| extension == "synth") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Puts a whole new file in the place of the old one, with its permissions; a link stays a link.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let metadata = std::fs::metadata(&path)?;
    if metadata.permissions().readonly() {
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let mut new = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(metadata.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_file_is_replaced_with_its_permissions_and_through_its_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.synth"), folder.path().join("b.synth"));
        std::fs::write(&file, "let  a = 1").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let fmt = Fmt { files: vec![link.clone()], check: false, diff: false };
        assert_eq!(fmt.run(), Exit::Success);
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "let a = 1\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn checking_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.synth");
        std::fs::write(&file, "let  a = 1").unwrap();
        let run = |check: bool, diff: bool| Fmt { files: vec![folder.path().to_path_buf()], check, diff }.run();
        assert_eq!((run(true, false), run(false, true)), (Exit::Failure, Exit::Failure));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "let  a = 1");
        assert_eq!((run(false, false), run(true, false)), (Exit::Success, Exit::Success));
        std::fs::write(&file, "let a = ").unwrap();
        assert_eq!(run(false, false), Exit::Failure);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "let a = ", "a file with mistakes is not touched");
    }
}
