//! Bytes by their digest: `blobs/ab/abcd…`, read-only, linked into place when they are whole.

use super::{Digest, Store, Work, failed, sync_folder};
use crate::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Permissions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What a record knows of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    pub digest: Digest,
    pub size: u64,
}

impl Store {
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder("blobs").join(name.get(..2).unwrap_or("")).join(&name)
    }

    /// Whether a blob is there with the length it should have. Its bytes are looked at by [`Store::verify`].
    pub fn has(&self, blob: &Blob) -> bool {
        fs::metadata(self.blob_path(&blob.digest)).is_ok_and(|data| data.is_file() && data.len() == blob.size)
    }

    /// Reads a blob through. `false` where it is missing or was damaged; a damaged one is moved to `quarantine/`, so that
    /// from then on it is missing.
    pub fn verify(&self, blob: &Blob) -> Result<bool, Diagnostic> {
        let path = self.blob_path(&blob.digest);
        match Digest::of_file(&path) {
            Ok((digest, _)) if digest == blob.digest => Ok(true),
            Ok(_) => {
                self.quarantine(&path)?;
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("read", &path, &error)),
        }
    }

    /// Makes a file of a work folder a blob. It is synced and made read-only first, and never replaces one that is there:
    /// equal digests are equal bytes, unless the old one was damaged, which is found and put aside.
    pub fn publish(&self, work: &Work, file: &Path) -> Result<Blob, Diagnostic> {
        let write = |error: std::io::Error| failed("write", file, &error);
        File::open(file).and_then(|file| file.sync_all()).map_err(write)?;
        let (digest, size) = Digest::of_file(file).map_err(write)?;
        let mut permissions = fs::metadata(file).map_err(write)?.permissions();
        read_only(&mut permissions);
        fs::set_permissions(file, permissions).map_err(write)?;
        let blob = Blob { digest, size };
        let path = self.blob_path(&digest);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|error| failed("make", folder, &error))?;
        if path.exists() && self.verify(&blob)? {
            return Ok(blob);
        }
        match fs::hard_link(file, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            // Some file systems have no links. A rename may replace equal bytes by equal bytes, which harms nobody.
            Err(_) => {
                let copy = work.temporary();
                fs::copy(file, &copy)
                    .and_then(|_| File::open(&copy)?.sync_all())
                    .and_then(|()| fs::rename(&copy, &path))
                    .map_err(|error| failed("write", &path, &error))?;
            }
        }
        sync_folder(folder);
        Ok(blob)
    }

    /// Moves a damaged file to `quarantine/`.
    pub(super) fn quarantine(&self, path: &Path) -> Result<(), Diagnostic> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = self.folder("quarantine");
        let target = (0..10_000).map(|index| folder.join(format!("{name}.{index}"))).find(|target| !target.exists());
        let target = target.unwrap_or_else(|| folder.join(name));
        fs::create_dir_all(&folder).and_then(|()| fs::rename(path, &target)).map_err(|error| failed("move", path, &error))
    }
}

#[cfg(unix)]
fn read_only(permissions: &mut Permissions) {
    use std::os::unix::fs::PermissionsExt;
    permissions.set_mode(0o444);
}

#[cfg(not(unix))]
fn read_only(permissions: &mut Permissions) {
    permissions.set_readonly(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        (folder, store)
    }

    #[test]
    fn what_is_published_is_read_only_and_found_by_its_digest() {
        let (_folder, store) = store();
        let work = store.work().unwrap();
        let file = work.outputs().join("a");
        fs::write(&file, "hello").unwrap();
        let blob = store.publish(&work, &file).unwrap();
        assert_eq!(blob, Blob { digest: Digest::of(b"hello"), size: 5 });
        assert!(store.has(&blob) && store.verify(&blob).unwrap());
        assert!(fs::metadata(store.blob_path(&blob.digest)).unwrap().permissions().readonly());
        // A second publisher of the same bytes succeeds.
        let again = work.outputs().join("b");
        fs::write(&again, "hello").unwrap();
        assert_eq!(store.publish(&work, &again).unwrap(), blob);
    }

    #[test]
    fn damage_is_found_put_aside_and_mended_by_the_next_publisher() {
        let (_folder, store) = store();
        let work = store.work().unwrap();
        let file = work.outputs().join("a");
        fs::write(&file, "hello").unwrap();
        let blob = store.publish(&work, &file).unwrap();
        let path = store.blob_path(&blob.digest);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "jello").unwrap();
        assert!(store.has(&blob), "the length is still right");
        assert!(!store.verify(&blob).unwrap());
        assert!(!store.has(&blob));
        assert_eq!(fs::read_dir(store.folder("quarantine")).unwrap().count(), 1);
        fs::write(&path, "jello").unwrap();
        let again = work.outputs().join("b");
        fs::write(&again, "hello").unwrap();
        store.publish(&work, &again).unwrap();
        assert!(store.verify(&blob).unwrap());
    }

    #[test]
    fn a_file_in_place_of_the_store_is_a_coded_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Store::open(file.path()).unwrap_err().code, "E0601");
        assert_eq!(Store::open(&file.path().join("below")).unwrap_err().code, "E0601");
    }
}
