//! Files outside the store that steps read: found, digested, and looked at again before a result is published.

use crate::diagnostic::Diagnostic;
use crate::language::Step;
use crate::plan::canonical::encode_texts;
use crate::steps::{ExternalFile, ExternalFiles, Memo, StepKind};
use crate::store::{Component, Digest, FileDigests, Seen};
use std::path::PathBuf;

/// The external files of a step as they were when its key was made.
#[derive(Clone, Debug, Default)]
pub struct ExternalInputs {
    names: Vec<String>,
    seen: Vec<Seen>,
    /// What they were chosen from.
    listing: Option<String>,
}

/// Is told of which step the files outside the store are looked at, and how many of how many have been: 0 of 0 while they are looked for.
pub type Watch<'a> = &'a (dyn Fn(&Step, u64, u64) + Sync);

/// What looking again found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookedAt {
    Unchanged,
    /// The first file that is not what it was.
    Moved(PathBuf),
}

impl ExternalInputs {
    /// Asks the kind which files the step reads, and digests them. E0609 for one that cannot be read. `memo` has what was worked out
    /// for other steps.
    pub fn of(
        step: &Step,
        kind: &dyn StepKind,
        memo: &Memo,
        digests: &mut FileDigests,
        watch: Watch<'_>,
    ) -> Result<Self, Diagnostic> {
        watch(step, 0, 0);
        let ExternalFiles { files, listing } = kind.external_files(step, memo)?;
        let (names, paths): (Vec<String>, Vec<PathBuf>) =
            files.into_iter().map(|ExternalFile { name, path }| (name, path)).unzip();
        let told = |done: usize| watch(step, done as u64, paths.len() as u64);
        let seen = digests.digest(&paths, &told).map_err(|(path, error)| {
            Diagnostic::error("E0609", format!("`{}` reads `{}`, which cannot be read", step.name, path.display()))
                .label(step.span, "in this block")
                .note(format!("the system says: {error}"))
                .help("see whether the file is there and may be read, or leave it out of the table that names it")
        })?;
        Ok(Self { names, seen, listing })
    }

    /// Names and contents in the order in which the step reads them, with what they were chosen from, as one component of the key.
    pub fn component(&self) -> Option<Component> {
        let mut bytes = encode_texts(self.names.iter().chain(&self.listing).map(String::as_str));
        self.seen.iter().for_each(|file| bytes.extend_from_slice(file.digest.as_bytes()));
        let shown = match self.seen.len() {
            0 => return None,
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        Some(Component { name: "files".into(), digest: Digest::of(&bytes), shown, horizon: false })
    }

    pub fn look_again(&self) -> LookedAt {
        match self.seen.iter().find(|file| !file.is_unchanged()) {
            Some(file) => LookedAt::Moved(file.path.clone()),
            None => LookedAt::Unchanged,
        }
    }
}
