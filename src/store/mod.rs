//! What has been made, on disk. Blobs lie under the BLAKE3 digest of their bytes, a record says which blobs a step with a
//! given key made, trajectories hold the checkpoints of long steps, leases keep two runs from doing the same work at once.
//!
//! Plain files are the truth: there is no database and no lock over the whole. Everything becomes visible in one step
//! (written elsewhere, synced, then linked or renamed), so that a kill at any moment leaves nothing half. What is damaged
//! later is found by its digest, moved to `quarantine/`, and counts as missing. The store knows nothing of steps or keys.
//!
//! ```text
//! .synth/blobs/ab/abcd…          the bytes, read-only
//!        actions/<key>.json      what a step made: digests of its outputs, and the components of its key
//!        trajectories/<key>/     checkpoints, by position
//!        leases/<key>.json       who is making it now
//!        work/                   folders of running steps; those of dead runs are removed
//!        journal/                one file a run, one line an event
//!        quarantine/             damaged objects, for whoever wants to know why
//!        files.stat              digests of files outside the store by their inode, size and times
//! ```

mod blob;
mod digest;
mod error;
mod file_digests;
mod journal;
mod lease;
mod owner;
mod record;
mod trajectory;
mod work;

pub use blob::Blob;
pub use digest::Digest;
pub use error::failed;
pub use file_digests::{FileDigests, Seen};
pub use journal::Journal;
pub use lease::Lease;
pub use owner::Owner;
pub use record::{Component, Record};
pub use trajectory::Trajectory;
pub use work::Work;

use crate::diagnostic::Diagnostic;
use std::path::{Path, PathBuf};

/// A store at a folder. Cheap to clone; several processes may use one at the same time.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

const FOLDERS: [&str; 7] = ["blobs", "actions", "trajectories", "leases", "work", "journal", "quarantine"];

impl Store {
    /// Looks without making anything: a folder that is not there is an empty store. E0601 where a file stands in its place.
    pub fn at(root: &Path) -> Result<Self, Diagnostic> {
        if root.exists() && !root.is_dir() {
            return Err(Diagnostic::error("E0601", format!("the store `{}` is a file, and must be a folder", root.display()))
                .help("give another place with `--store DIR`, or move that file away"));
        }
        // Absolute, because steps are handed paths and may run under another current folder.
        let root = std::path::absolute(root).map_err(|error| failed("find", root, &error))?;
        Ok(Self { root })
    }

    /// Makes the folders that are missing, and removes what dead runs left behind.
    pub fn open(root: &Path) -> Result<Self, Diagnostic> {
        let store = Self::at(root)?;
        for folder in FOLDERS {
            let path = store.folder(folder);
            std::fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))?;
        }
        store.remove_abandoned_work();
        Ok(store)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// Makes a rename or a link in a folder last through a power cut. Not every file system can; then it is left to it.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}
