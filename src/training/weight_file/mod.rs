//! Weights from files of other programs: safetensors and PyTorch's `.pth`, new and old. A file comes in as a path, tensors by
//! name go out, of which single ones are then read as f32. No code that a file holds is run, nothing is allocated by what a
//! file claims of itself, and whatever cannot be read is refused with its reason.
//!
//! - [`safetensors`]: a header of JSON, and numbers behind it.
//! - [`archive`]: PyTorch since 1.6: a zip archive of a pickle and one file for each storage.
//! - [`legacy`]: PyTorch before 1.6: pickles one behind the other, then storages.
//! - [`pickle`]: reads a pickle without running it; [`table`]: finds the table of tensors in what it holds.
//! - [`element`]: types of numbers.
//! - [`names`]: what the weights of a network are called in such files; [`fit`]: which tensor belongs to which weight.

mod archive;
mod element;
pub mod fit;
mod legacy;
mod names;
mod pickle;
mod safetensors;
mod table;
#[cfg(test)]
mod tests;

pub use element::Element;
pub use names::{CONSTRUCTOR, Pretrained};

use crate::diagnostic::Diagnostic;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The most that is read of a file before its tensors are known: headers and pickles are far smaller.
const LONGEST_HEAD: u64 = 32 << 20;

/// A file whose tensors are known by name.
#[derive(Debug)]
pub struct WeightFile {
    pub path: PathBuf,
    file: File,
    /// `safetensors`, `PyTorch`, `PyTorch before 1.6`.
    pub format: &'static str,
    pub tensors: BTreeMap<String, StoredTensor>,
    /// Entries of the same table that are no tensors, by name.
    pub others: Vec<String>,
    /// Written by synth itself: the names are those of its own weights.
    pub is_own: bool,
}

/// Where a tensor lies in its file.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTensor {
    pub shape: Vec<usize>,
    pub element: Element,
    /// Where its storage begins, in bytes from the start of the file.
    start: u64,
    /// The first of its numbers, and how far the next one in each dimension is, in numbers.
    offset: u64,
    strides: Vec<u64>,
    big_endian: bool,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: String,
    pub help: Option<String>,
    /// The file is well, but which of its tables is meant was not said, or not rightly.
    is_about_key: bool,
}

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: None, is_about_key: false }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// E0515 where a table has to be chosen, else E0514.
    pub fn diagnostic(self, path: &Path) -> Diagnostic {
        let code = if self.is_about_key { "E0515" } else { "E0514" };
        let diagnostic = Diagnostic::error(code, format!("the weights in `{}` cannot be used: {}", path.display(), self.reason));
        diagnostic.help(self.help.unwrap_or_else(|| "see whether the file is the one that you mean, and is whole".into()))
    }
}

impl WeightFile {
    /// Finds the tensors of a file; `key` names the table in a file that holds several (empty: there is one).
    ///
    /// # Errors
    /// Where the file cannot be read, has a format that is not known, or holds no table of that name.
    pub fn open(path: &Path, key: &str) -> Result<Self, Refusal> {
        let unreadable = |error: std::io::Error| Refusal::new(format!("the system says: {error}"));
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?;
        if length.is_dir() {
            return Err(Refusal::new("it is a folder").help("name the file in it"));
        }
        let length = length.len();
        let mut head = Vec::new();
        (&mut file).take(16).read_to_end(&mut head).map_err(unreadable)?;
        let content = match head.as_slice() {
            [b'P', b'K', 3, 4, ..] => archive::read(&file, length, key),
            [0x80, 0..=5, ..] => legacy::read(&mut file, length, key),
            [_, _, _, _, _, _, _, _, b'{', ..] => safetensors::read(&mut file, length, key),
            other => Err(unknown_format(other)),
        }?;
        let Content { format, tensors, others, is_own } = content;
        Ok(Self { path: path.to_path_buf(), file, format, tensors, others, is_own })
    }

    /// The numbers of a tensor in row-major order.
    ///
    /// # Errors
    /// Where it holds no floating numbers, or the file is no longer what it was.
    pub fn read(&mut self, name: &str) -> Result<Vec<f32>, Refusal> {
        let tensor = self.tensors.get(name).ok_or_else(|| Refusal::new(format!("it holds no `{name}`")))?;
        let size = tensor.element.size().filter(|_| tensor.element.is_floating());
        let size = size.ok_or_else(|| Refusal::new(format!("`{name}` holds {} instead of floating numbers", tensor.element)))?;
        let Some(last) = tensor.last() else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        let stretch = (last + 1 - tensor.offset) * size;
        self.file
            .seek(SeekFrom::Start(tensor.start + tensor.offset * size))
            .and_then(|_| (&mut self.file).take(stretch).read_to_end(&mut bytes))
            .map_err(|error| Refusal::new(format!("`{name}` cannot be read: {error}")))?;
        let size = usize::try_from(size).unwrap_or(1);
        let count = tensor.shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let count = count.ok_or_else(|| Refusal::new(format!("`{name}` has more numbers than any machine holds")))?;
        let number = |bytes: &[u8]| tensor.element.number(bytes, tensor.big_endian);
        let numbers: Option<Vec<f32>> = match tensor.strides == row_major(&tensor.shape) {
            true => bytes.chunks_exact(size).map(number).collect(),
            false => {
                let place = |at: u64| usize::try_from(at).ok()?.checked_mul(size);
                tensor.places(count).map(|at| number(bytes.get(place(at)?..)?.get(..size)?)).collect()
            }
        };
        let numbers = numbers.filter(|numbers| numbers.len() == count);
        numbers.ok_or_else(|| Refusal::new(format!("`{name}` ends in the middle")))
    }
}

/// What a format's reader finds.
struct Content {
    format: &'static str,
    tensors: BTreeMap<String, StoredTensor>,
    others: Vec<String>,
    is_own: bool,
}

impl StoredTensor {
    /// A tensor of a pickle whose storage is a stretch of the file.
    fn of_torch(name: &str, tensor: &pickle::Tensor, (start, end): (u64, u64), big_endian: bool) -> Result<Self, Refusal> {
        let shape: Option<Vec<usize>> = tensor.shape.iter().map(|size| usize::try_from(*size).ok()).collect();
        let shape = shape.ok_or_else(|| Refusal::new(format!("`{name}` has sizes beyond all bounds")))?;
        let (element, offset, strides) = (tensor.storage.element.clone(), tensor.offset, tensor.strides.clone());
        let stored = Self { shape, element, start, offset, strides, big_endian };
        stored.check(name, end)?;
        Ok(stored)
    }

    /// The last of its numbers, counted from the start of the storage; `None` where there is none.
    fn last(&self) -> Option<u64> {
        let reach = self.shape.iter().zip(&self.strides).try_fold(self.offset, |reach, (size, stride)| {
            reach.checked_add((*size as u64).checked_sub(1)?.checked_mul(*stride)?)
        });
        reach.filter(|_| !self.shape.contains(&0))
    }

    /// Whether all its numbers lie before this byte of the file.
    fn check(&self, name: &str, bound: u64) -> Result<(), Refusal> {
        let (false, Some(size)) = (self.shape.contains(&0), self.element.size()) else { return Ok(()) };
        let end = self.last().and_then(|last| last.checked_add(1)?.checked_mul(size)?.checked_add(self.start));
        match end {
            Some(end) if end <= bound => Ok(()),
            _ => Err(Refusal::new(format!("`{name}` reaches past the end of its numbers: it is not whole"))),
        }
    }

    /// The places of its numbers in row-major order, counted from its first one.
    fn places(&self, count: usize) -> impl Iterator<Item = u64> + '_ {
        (0..count as u64).map(|index| {
            let mut rest = index;
            self.shape.iter().zip(&self.strides).rev().fold(0, |place, (size, stride)| {
                let at = rest % *size as u64;
                rest /= *size as u64;
                place + at * stride
            })
        })
    }
}

/// Strides of a tensor whose numbers lie one behind the other.
fn row_major(shape: &[usize]) -> Vec<u64> {
    let mut strides = vec![1_u64; shape.len()];
    for axis in (1..shape.len()).rev() {
        let inner = strides.get(axis).copied().unwrap_or(1).saturating_mul(shape.get(axis).copied().unwrap_or(1) as u64);
        if let Some(stride) = strides.get_mut(axis - 1) {
            *stride = inner;
        }
    }
    strides
}

/// The message on a file that begins like none that is read here.
fn unknown_format(head: &[u8]) -> Refusal {
    const SAVE: &str = "write it as safetensors, or with `torch.save(model.state_dict(), …)`";
    let known = match head {
        [] => "it is empty",
        [0x1f, 0x8b, ..] => "it is compressed with gzip; unpack it first",
        [0x89, b'H', b'D', b'F', ..] => "it is an HDF5 file (Keras)",
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => "it is an array of NumPy's",
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' ', ..] => "it is a pointer of Git LFS: the file itself was not downloaded",
        [b'<', ..] => "it is a web page: the download went wrong",
        [b'{' | b'[', ..] => "it is a text of JSON; name the file with the tensors themselves",
        _ => "it has no format that is known here",
    };
    Refusal::new(known).help(SAVE)
}
