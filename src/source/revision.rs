//! Files as they were at a commit, read through the `git` program: `HEAD~1:pipelines/study.synth`, and what that file uses.

use crate::diagnostic::Diagnostic;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// A commit of the repository around the current folder.
#[derive(Clone, Debug)]
pub struct Revision {
    /// As it was given: `HEAD~1`.
    name: String,
    commit: String,
    /// The repository's folder.
    root: PathBuf,
}

impl Revision {
    /// Takes `REV:FILE` apart, and finds the commit and the path that the file has in the working tree. As in a shell, the
    /// file counts from the current folder; where there is none, from the root of the repository, as git has it.
    ///
    /// # Errors
    /// E0128 when there is no git, no repository, no such commit, or no such file in it.
    pub fn file(given: &str) -> Result<(Self, PathBuf), Diagnostic> {
        let (name, file) = given.split_once(':').unwrap_or((given, ""));
        let folder = std::env::current_dir().unwrap_or_default();
        let line = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
        let root = git(&folder, &["rev-parse", "--show-toplevel"]).map(line).map_err(|why| {
            unreadable(given, &why).help("run this in the folder of a git repository, or compare two files instead")
        })?;
        let commit = format!("{name}^{{commit}}");
        let commit =
            git(&folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).map(line).map_err(|why| {
                unreadable(given, &format!("{why}no commit is called `{name}`")).help(
                    "`git log --oneline` lists commits; HEAD is the last one, HEAD~1 the one before, and branches have names",
                )
            })?;
        let revision = Self { name: name.to_owned(), commit, root: PathBuf::from(root) };
        let candidates = [folder.join(file), revision.root.join(file)].map(|path| normal(&path));
        let found = candidates.into_iter().find(|path| revision.read(path).is_some_and(|text| text.is_ok()));
        match found {
            Some(path) => Ok((revision, path)),
            None => {
                let listed =
                    git(&revision.root, &["ls-tree", "-r", "--name-only", &revision.commit]).map(line).unwrap_or_default();
                let files: Vec<&str> = listed.lines().filter(|path| path.ends_with(".synth")).take(12).collect();
                let error = unreadable(given, &format!("the commit holds no file `{file}`"));
                Err(match files.as_slice() {
                    [] => error,
                    files => error.note(format!("it holds {}", files.join(", "))),
                }
                .help("write `REV:FILE`, as in `HEAD~1:pipelines/study.synth`"))
            }
        }
    }

    /// How a file is called in messages: `HEAD~1:pipelines/study.synth`.
    pub(super) fn shown(&self, path: &Path) -> String {
        match normal(path).strip_prefix(&self.root) {
            Ok(inside) => format!("{}:{}", self.name, inside.display()),
            Err(_) => path.display().to_string(),
        }
    }

    /// The bytes of a file at this commit; `None` for one outside the repository, which has no history here.
    pub(super) fn read(&self, path: &Path) -> Option<Result<Vec<u8>, Diagnostic>> {
        let path = normal(path);
        let inside = path.strip_prefix(&self.root).ok()?;
        let inside = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        let object = format!("{}:{inside}", self.commit);
        Some(git(&self.root, &["cat-file", "blob", &object]).map_err(|_| {
            unreadable(&format!("{}:{inside}", self.name), "the commit holds no such file")
                .help("what a file uses is read from the same commit as the file")
        }))
    }
}

/// What git prints, or why there is nothing, ready to stand before more words.
fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|error| format!("`git` cannot be started ({error}); "))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
    Err(if said.is_empty() { String::new() } else { format!("git says: {said}; ") })
}

fn unreadable(given: &str, why: &str) -> Diagnostic {
    Diagnostic::error("E0128", format!("cannot read {given}: {}", why.trim_end_matches("; ")))
}

/// Without `.` and `..`, which git does not follow.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_no_detours() {
        assert_eq!(normal(Path::new("/a/./b/../c")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("/../a")), Path::new("/a"));
    }

    #[test]
    fn an_unknown_commit_is_told_of() {
        assert_eq!(Revision::file("no-such-commit:a.synth").unwrap_err().code, "E0128");
        assert_eq!(Revision::file("--help:a.synth").unwrap_err().code, "E0128");
    }
}
