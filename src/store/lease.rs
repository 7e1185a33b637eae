//! Who is making a result now. A lease only saves double work: publishing twice is harmless, so nothing depends on it.

use super::owner::HEARTBEAT;
use super::{Digest, Owner, Store, Work, failed};
use crate::diagnostic::Diagnostic;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::SystemTime;

/// Held until it is dropped. All the while a thread touches its file, and the owner's file of the work folder.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

impl Store {
    /// Takes the lease on a key, or says who holds it. The lease of an owner that died is taken over at once.
    pub fn lease(&self, work: &Work, key: &Digest) -> Result<Result<Lease, Owner>, Diagnostic> {
        let path = self.folder("leases").join(format!("{key}.json"));
        let mine = work.temporary();
        let write = |error: std::io::Error| failed("write", &path, &error);
        fs::write(&mine, serde_json::to_vec(&Owner::current()).map_err(|error| write(error.into()))?).map_err(write)?;
        // Two tries: the second after a stale lease was put away.
        for _ in 0..2 {
            match fs::hard_link(&mine, &path) {
                Ok(()) => {
                    let _ = fs::remove_file(&mine);
                    return Ok(Ok(Lease::held(path, work.owner_file())));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let Ok(bytes) = fs::read(&path) else { continue };
                    match serde_json::from_slice::<Owner>(&bytes) {
                        Ok(owner) if owner.lives(&path) => {
                            let _ = fs::remove_file(&mine);
                            return Ok(Err(owner));
                        }
                        _ => put_away(&path, &work.temporary(), &bytes),
                    }
                }
                // No links on this file system: go on without a lease rather than not at all.
                Err(_) => return Ok(Ok(Lease { path: mine, stop: None, heart: None })),
            }
        }
        // Another process was faster in taking over.
        let owner = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Err(owner.unwrap_or_else(Owner::current)))
    }
}

/// Removes a dead lease, and gives it back where it was no longer the dead one.
fn put_away(path: &std::path::Path, aside: &std::path::Path, dead: &[u8]) {
    if fs::rename(path, aside).is_ok() {
        if fs::read(aside).is_ok_and(|bytes| bytes != dead) {
            let _ = fs::hard_link(aside, path);
        }
        let _ = fs::remove_file(aside);
    }
}

impl Lease {
    fn held(path: PathBuf, work: PathBuf) -> Self {
        let (stop, stopped) = channel::<()>();
        let touched = [path.clone(), work];
        let beat = move || {
            while stopped.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                for file in touched.iter().filter_map(|path| fs::File::options().write(true).open(path).ok()) {
                    let _ = file.set_modified(SystemTime::now());
                }
            }
        };
        let heart = std::thread::Builder::new().name("lease".into()).spawn(beat).ok();
        Self { path, stop: Some(stop), heart }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_and_the_next_is_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = store.work().unwrap();
        let key = Digest::of(b"key");
        let lease = store.lease(&work, &key).unwrap().unwrap();
        assert_eq!(store.lease(&work, &key).unwrap().unwrap_err(), Owner::current());
        assert!(store.lease(&work, &Digest::of(b"another")).unwrap().is_ok());
        drop(lease);
        assert!(store.lease(&work, &key).unwrap().is_ok());
    }

    #[test]
    fn the_lease_of_a_killed_process_is_taken_over_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = store.work().unwrap();
        let key = Digest::of(b"key");
        let path = store.folder("leases").join(format!("{key}.json"));
        let killed = Owner { process: u32::MAX, ..Owner::current() };
        fs::write(&path, serde_json::to_vec(&killed).unwrap()).unwrap();
        assert!(store.lease(&work, &key).unwrap().is_ok());
        fs::write(&path, "{ torn").unwrap();
        assert!(store.lease(&work, &key).unwrap().is_ok());
    }
}
