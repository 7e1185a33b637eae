//! Digests of files outside the store. A file that looks as it did (device, inode, size, times) is not read again,
//! unless it was so young when it was read that a later write could have left its times as they were.

use super::{Digest, Store};
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

/// Clocks of file systems are coarse: a file younger than this may be written again without a change of its times.
const YOUNG: Duration = Duration::from_secs(2);
/// The first bytes of the file; another format counts as no file.
const MAGIC: &[u8; 16] = b"synth stat 0001\n";
const ENTRY: usize = 72;
/// Beyond this only what the present run looked at is kept.
const MOST: usize = 2_000_000;

/// How a file looked: device, inode, size, time of change of its bytes and of its entry, in nanoseconds.
type Look = [u64; 5];

/// A file whose digest is known.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: PathBuf,
    pub digest: Digest,
    look: Look,
    /// Old enough that an equal look means equal bytes.
    settled: bool,
}

/// The digests known so far, kept in `files.stat`.
#[derive(Debug)]
pub struct FileDigests {
    path: PathBuf,
    known: HashMap<Look, Digest>,
    fresh: Vec<(Look, Digest)>,
}

impl FileDigests {
    pub fn load(store: &Store) -> Self {
        let path = store.folder("files.stat");
        let known = fs::read(&path).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default();
        Self { path, known, fresh: Vec::new() }
    }

    /// The digests of files in their order, those that are not known computed on all threads. With the first file that
    /// cannot be read, where there is one. `told` hears how many have been looked at.
    pub fn digest(&mut self, files: &[PathBuf], told: &(dyn Fn(usize) + Sync)) -> Result<Vec<Seen>, (PathBuf, io::Error)> {
        let (known, done) = (&self.known, AtomicUsize::new(0));
        let see = |path: &PathBuf| {
            let seen = see(path, known).map_err(|error| (path.clone(), error));
            told(done.fetch_add(1, Ordering::Relaxed) + 1);
            seen
        };
        let seen: Vec<Result<(Seen, bool), (PathBuf, io::Error)>> = files.par_iter().map(see).collect();
        let mut result = Vec::with_capacity(seen.len());
        for file in seen {
            let (file, is_new) = file?;
            if is_new && file.settled {
                self.known.insert(file.look, file.digest);
                self.fresh.push((file.look, file.digest));
            }
            result.push(file);
        }
        Ok(result)
    }

    /// Keeps what was learned. Two runs at once may lose each other's: it is read again then.
    pub fn save(&mut self) {
        if self.fresh.is_empty() || !self.path.parent().is_some_and(Path::is_dir) {
            return;
        }
        if self.known.len() > MOST {
            self.known = self.fresh.iter().copied().collect();
        }
        let temporary = self.path.with_extension(format!("{}", std::process::id()));
        let bytes = encode(&self.known);
        if fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &self.path)).is_ok() {
            self.fresh.clear();
        } else {
            let _ = fs::remove_file(&temporary);
        }
    }
}

impl Seen {
    /// Whether the file still holds what it held when it was seen.
    pub fn is_unchanged(&self) -> bool {
        match fs::metadata(&self.path) {
            Ok(data) if look(&data) == self.look => {
                self.settled || Digest::of_file(&self.path).is_ok_and(|(digest, _)| digest == self.digest)
            }
            _ => false,
        }
    }
}

/// The digest of one file, and whether it had to be read.
fn see(path: &Path, known: &HashMap<Look, Digest>) -> io::Result<(Seen, bool)> {
    let data = fs::metadata(path)?;
    let look = look(&data);
    if let Some(digest) = known.get(&look) {
        return Ok((Seen { path: path.to_path_buf(), digest: *digest, look, settled: true }, false));
    }
    let age = data.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    let settled = age.is_some_and(|age| age > YOUNG) && has_inode(&look);
    let (digest, _) = Digest::of_file(path)?;
    Ok((Seen { path: path.to_path_buf(), digest, look, settled }, true))
}

#[cfg(unix)]
fn look(data: &Metadata) -> Look {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds = |seconds: i64, rest: i64| (seconds as u64).wrapping_mul(1_000_000_000).wrapping_add(rest as u64);
    [
        data.dev(),
        data.ino(),
        data.size(),
        nanoseconds(data.mtime(), data.mtime_nsec()),
        nanoseconds(data.ctime(), data.ctime_nsec()),
    ]
}

/// Without inodes two files can look the same, so nothing is ever settled.
#[cfg(not(unix))]
fn look(data: &Metadata) -> Look {
    let modified = data.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    [0, 0, data.len(), modified.unwrap_or_default().as_nanos() as u64, 0]
}

fn has_inode(look: &Look) -> bool {
    look[1] != 0
}

/// Magic, entries sorted, digest of all before it.
fn encode(known: &HashMap<Look, Digest>) -> Vec<u8> {
    let mut entries: Vec<_> = known.iter().collect();
    entries.sort();
    let mut bytes = Vec::with_capacity(MAGIC.len() + entries.len() * ENTRY + 32);
    bytes.extend_from_slice(MAGIC);
    for (look, digest) in entries {
        look.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes.extend_from_slice(digest.as_bytes());
    }
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<HashMap<Look, Digest>> {
    let (body, digest) = bytes.split_last_chunk::<32>()?;
    if Digest::of(body).as_bytes() != digest {
        return None;
    }
    let entries = body.strip_prefix(MAGIC)?;
    let number = |entry: &[u8], at: usize| Some(u64::from_le_bytes(*entry.get(at * 8..)?.first_chunk()?));
    entries
        .chunks_exact(ENTRY)
        .map(|entry| {
            let look = [number(entry, 0)?, number(entry, 1)?, number(entry, 2)?, number(entry, 3)?, number(entry, 4)?];
            Some((look, Digest::from_bytes(*entry.last_chunk()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_and_again_when_it_looks_different() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let file = folder.path().join("image.png");
        fs::write(&file, "pixels").unwrap();
        let old = SystemTime::now() - Duration::from_secs(60);
        fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        let mut digests = FileDigests::load(&store);
        let seen = digests.digest(std::slice::from_ref(&file), &|_| ()).unwrap();
        assert_eq!(seen[0].digest, Digest::of(b"pixels"));
        assert!(seen[0].is_unchanged());
        digests.save();
        let mut again = FileDigests::load(&store);
        assert_eq!(again.known.len(), 1);
        assert_eq!(again.digest(std::slice::from_ref(&file), &|_| ()).unwrap()[0].digest, Digest::of(b"pixels"));
        assert!(again.fresh.is_empty(), "it was not read a second time");
        fs::write(&file, "others").unwrap();
        assert!(!seen[0].is_unchanged());
        let now = again.digest(std::slice::from_ref(&file), &|_| ()).unwrap();
        assert_eq!(now[0].digest, Digest::of(b"others"));
        assert!(again.fresh.is_empty(), "a file this young is not trusted");
        let missing = folder.path().join("missing.png");
        assert_eq!(again.digest(&[file, missing.clone()], &|_| ()).unwrap_err().0, missing);
    }

    #[test]
    fn a_damaged_table_counts_as_none() {
        let known = HashMap::from([([1, 2, 3, 4, 5], Digest::of(b"x"))]);
        let mut bytes = encode(&known);
        assert_eq!(decode(&bytes), Some(known));
        bytes[20] ^= 1;
        assert_eq!(decode(&bytes), None);
        assert_eq!(decode(b""), None);
    }
}
