//! Files and places in them. The one stage that reads `.synth` text; everything behind it works on [`Sources`].
//! Files come from the disk ([`Sources::read`]) or from the standard library inside the program ([`standard_library()`]).

mod file;
mod revision;
mod standard_library;

pub use revision::Revision;
pub use standard_library::{standard_library, standard_library_files};

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which file of a [`Sources`] a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// A stretch of text, in bytes from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start: start as u32, end: end as u32 }
    }

    /// The smallest stretch that holds both; of two files, the first stays.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Something with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    pub node: T,
    pub span: Span,
}

impl<T> Spanned<T> {
    pub fn new(node: T, span: Span) -> Self {
        Self { node, span }
    }
}

/// One file's name and text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As shown in messages: the path the user gave, or `std/gan/cpd.synth`.
    pub name: String,
    /// On disk; `None` for the embedded standard library and for text without a file.
    pub path: Option<PathBuf>,
    pub text: Arc<str>,
}

/// All files of one check.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    /// Where files are read from; `None` for the disk.
    revision: Option<Revision>,
}

impl Sources {
    /// Files of a repository are read as they were at a commit.
    pub fn at(revision: Revision) -> Self {
        Self { revision: Some(revision), ..Self::default() }
    }

    pub fn add(&mut self, name: impl Into<String>, path: Option<&Path>, text: impl Into<Arc<str>>) -> FileId {
        self.files.push(SourceFile { name: name.into(), path: path.map(Path::to_path_buf), text: text.into() });
        FileId(self.files.len() as u32 - 1)
    }

    /// A file that was added or read, or one of the standard library, which is always there.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize).or_else(|| id.standard_file())
    }

    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|file| file.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// Line and column of a place, both from 1, the column in characters.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let Some(file) = self.get(span.file) else { return (1, 1) };
        let before = file.text.get(..span.start as usize).unwrap_or(&file.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}
