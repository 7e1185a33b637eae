//! The bytes of a part's images: held in memory, or lying in a file that is mapped into it, so that a data set may be larger than
//! the memory and is read as it is used.

use crate::kernels::Mapped;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes that are read like a slice.
#[derive(Clone)]
pub struct Pixels(Place);

#[derive(Clone)]
enum Place {
    Held(Vec<u8>),
    /// A range that lies within the file.
    Mapped(Arc<Mapped>, Range<usize>),
}

impl Pixels {
    /// The bytes of a file that a slice of it covers; `None` where the slice is not one of this file's.
    pub fn within(file: &Arc<Mapped>, slice: &[u8]) -> Option<Self> {
        let start = (slice.as_ptr() as usize).checked_sub(file.as_ptr() as usize)?;
        let range = start..start.checked_add(slice.len())?;
        file.get(range.clone())?;
        Some(Self(Place::Mapped(file.clone(), range)))
    }
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Held(bytes) => bytes,
            Place::Mapped(file, range) => file.get(range.clone()).unwrap_or(&[]),
        }
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Place::Held(bytes))
    }
}

impl FromIterator<u8> for Pixels {
    fn from_iter<T: IntoIterator<Item = u8>>(bytes: T) -> Self {
        Self::from(bytes.into_iter().collect::<Vec<u8>>())
    }
}

impl Default for Pixels {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Pixels {}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}
