//! Folders in which running steps write. They lie in the store so that a finished file can be linked into its place.

use super::{Owner, Store, failed};
use crate::diagnostic::Diagnostic;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// One folder, removed when it is dropped.
#[derive(Debug)]
pub struct Work {
    root: PathBuf,
    outputs: PathBuf,
    temporaries: AtomicU64,
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

impl Store {
    /// A fresh folder of this process.
    pub fn work(&self) -> Result<Work, Diagnostic> {
        let nanoseconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("{}-{nanoseconds:x}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let root = self.folder("work").join(name);
        let outputs = root.join("outputs");
        let make = || -> std::io::Result<()> {
            fs::create_dir_all(&root)?;
            fs::write(root.join("owner.json"), serde_json::to_vec(&Owner::current())?)?;
            fs::create_dir(&outputs)
        };
        make().map_err(|error| failed("make", &root, &error))?;
        Ok(Work { root, outputs, temporaries: AtomicU64::new(0) })
    }

    /// Removes the folders of processes that are gone. What cannot be removed is left for the next run.
    pub(super) fn remove_abandoned_work(&self) {
        let Ok(entries) = fs::read_dir(self.folder("work")) else { return };
        for entry in entries.flatten() {
            let folder = entry.path();
            let file = folder.join("owner.json");
            let abandoned = match fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Owner>(&bytes).ok()) {
                Some(owner) => !owner.lives(&file),
                // Another process is making it at this moment, or died while it did.
                None => old(&folder),
            };
            if abandoned {
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }
}

fn old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|data| data.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).unwrap_or_default() > Duration::from_secs(60))
}

impl Work {
    /// Where the step writes its outputs.
    pub fn outputs(&self) -> &Path {
        &self.outputs
    }

    /// The path of a new file beside the outputs.
    pub fn temporary(&self) -> PathBuf {
        self.root.join(format!("temporary-{}", self.temporaries.fetch_add(1, Ordering::Relaxed)))
    }

    /// Touched while the step runs, for runs on other hosts.
    pub(super) fn owner_file(&self) -> PathBuf {
        self.root.join("owner.json")
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_dead_are_removed_and_those_of_the_living_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let living = store.work().unwrap();
        let dead = folder.path().join("work/dead");
        fs::create_dir_all(dead.join("outputs")).unwrap();
        fs::write(dead.join("outputs/train"), "half").unwrap();
        let killed = Owner { process: u32::MAX, ..Owner::current() };
        fs::write(dead.join("owner.json"), serde_json::to_vec(&killed).unwrap()).unwrap();
        Store::open(folder.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.outputs().is_dir());
        drop(living);
        assert_eq!(fs::read_dir(folder.path().join("work")).unwrap().count(), 0);
    }
}
