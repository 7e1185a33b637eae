//! A file as a slice of bytes that the system reads as it is used, so that it may be larger than the memory.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// A whole file, mapped into memory.
#[derive(Debug)]
pub struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps a file that nobody changes while it is mapped: one of the store, or one that only this process knows.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the bytes behind a map must not change while it lives. Files of the store are read-only, named by their content,
        // written under another name before they get theirs, and removed or moved but never cut; a removed file stays readable until
        // the map ends. Who cuts one by hand against its rights while a step reads it has the system end the process (SIGBUS) at the
        // next byte that is missing; nothing is published then, and the next run finds the damage and makes the file anew.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Self(map))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
