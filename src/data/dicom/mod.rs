//! DICOM files: from bytes to the numbers that are stored ([`File::pixels`]) and to a [`Picture`](super::picture::Picture)
//! ([`File::picture`]).
//! [`data_set`] finds the elements, [`pixels`] makes numbers of them with one module for each encoding, [`modality`] says what the
//! numbers mean. Nothing is guessed: what contradicts itself, is cut, or is not read, is an error with a code.

mod codec;
mod data_set;
mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod modality;
mod pixels;
mod rle;

pub use data_set::Tag;
pub use pixels::Stored;

use super::image::Fault;
use data_set::{DataSet, Writing};
use std::io::Read;

/// The largest frame that is decoded, in numbers.
const MOST_SAMPLES: usize = 1 << 28;
/// The most bytes that a deflated file may grow to, and how many times it may grow beyond [`ALWAYS_ALLOWED`].
const MOST_BYTES: u64 = 1 << 30;
const MOST_GROWTH: u64 = 200;
const ALWAYS_ALLOWED: u64 = 64 << 20;

const TRANSFER_SYNTAX: Tag = (0x0002, 0x0010);
const PATIENT: Tag = (0x0010, 0x0020);
const SOP_INSTANCE: Tag = (0x0008, 0x0018);

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// The elements of one file.
#[derive(Debug)]
pub struct File<'a> {
    set: DataSet<'a>,
    /// The UID of the encoding; `None` where the file names none.
    syntax: Option<String>,
}

/// Whether bytes look like a DICOM file, with or without its preamble.
pub fn is_dicom(bytes: &[u8]) -> bool {
    begin(bytes).is_some()
}

/// Where the elements begin, and how they are written where there is no file meta information.
fn begin(bytes: &[u8]) -> Option<(usize, Option<Writing>)> {
    if bytes.get(128..132) == Some(b"DICM") {
        return Some((132, None));
    }
    let letters =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|letters| letters.iter().all(u8::is_ascii_uppercase));
    match bytes.first_chunk::<8>()? {
        [2, 0, _, 0, ..] if letters(4..6) => Some((0, None)),
        [8, 0, _, 0, ..] if letters(4..6) => Some((0, Some(Writing::EXPLICIT))),
        [0, 8, 0, _, ..] if letters(4..6) => Some((0, Some(Writing::BIG_ENDIAN))),
        [8, 0, _, 0, length, 0, 0, 0] if *length <= 128 => Some((0, Some(Writing::IMPLICIT))),
        _ => None,
    }
}

/// Reads the elements of a file and hands them to `look`.
pub fn read<T>(bytes: &[u8], look: impl FnOnce(&File<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    read_until(bytes, None, look)
}

/// As [`read`], but only the elements before `until`.
fn read_until<T>(bytes: &[u8], until: Option<Tag>, look: impl FnOnce(&File<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let (start, bare) = begin(bytes).ok_or_else(|| "it is no DICOM file: it does not begin as one".to_owned())?;
    let body = bytes.get(start..).unwrap_or(&[]);
    if let Some(writing) = bare {
        return look(&File { set: DataSet::read(body, writing, until)?, syntax: None });
    }
    // The file meta information is always explicit and little endian. Its own statement of its length is often wrong or missing.
    let meta = DataSet::read(body, Writing::EXPLICIT, Some((0x0003, 0)))?;
    let body = body.get(meta_length(body)..).unwrap_or(&[]);
    let syntax = meta.text(TRANSFER_SYNTAX);
    if syntax.as_deref() == Some(DEFLATED) {
        let inflated = inflate(body)?;
        return look(&File { set: DataSet::read(&inflated, Writing::EXPLICIT, until)?, syntax });
    }
    let writing = match syntax.as_deref() {
        Some("1.2.840.10008.1.2") => Writing::IMPLICIT,
        Some("1.2.840.10008.1.2.2") => Writing::BIG_ENDIAN,
        _ => Writing::EXPLICIT,
    };
    // Some files name an explicit encoding, or none, and leave the types out all the same.
    let has_types = body.get(4..6).is_none_or(|letters| letters.iter().all(u8::is_ascii_uppercase));
    let writing = if writing == Writing::EXPLICIT && !has_types { Writing::IMPLICIT } else { writing };
    look(&File { set: DataSet::read(body, writing, until)?, syntax })
}

/// How many bytes the elements of group 2 take.
fn meta_length(body: &[u8]) -> usize {
    let mut at = 0usize;
    while let Some([2, 0, _, _, a, b, c, d]) = body.get(at..at.saturating_add(8)) {
        let is_long = matches!(&[*a, *b], b"OB" | b"OW" | b"UN" | b"UT" | b"SQ");
        at = if is_long {
            let length = body
                .get(at + 8..at + 12)
                .map_or(0, |bytes| bytes.iter().rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)));
            at.saturating_add(12).saturating_add(length)
        } else {
            at + 8 + (usize::from(*d) << 8 | usize::from(*c))
        };
    }
    at
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let most = MOST_BYTES.min(ALWAYS_ALLOWED.max(bytes.len() as u64 * MOST_GROWTH));
    let mut inflated = Vec::new();
    let mut reader = flate2::read::DeflateDecoder::new(bytes).take(most + 1);
    reader.read_to_end(&mut inflated).map_err(|error| format!("its deflated data set cannot be inflated: {error}"))?;
    if inflated.len() as u64 > most {
        return Err(Fault::from(format!("its {} bytes inflate to more than {most}", bytes.len())));
    }
    Ok(inflated)
}

/// Whether the first bytes of a file are those of a DICOM file. One that cannot be read is none.
pub fn looks_like_one(path: &std::path::Path) -> bool {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    file.and_then(|file| file.take(132).read_to_end(&mut bytes)).is_ok() && is_dicom(&bytes)
}

/// What tells an image from others, without its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// (0010,0020), where it is not empty.
    pub patient: Option<String>,
    /// (0008,0018).
    pub instance: Option<String>,
}

/// Who the patient is and which image this is, from as few bytes of the file as are needed.
pub fn identity(path: &std::path::Path) -> Result<Identity, Fault> {
    let open = |error: std::io::Error| Fault::from(error.to_string());
    let look = |file: &File<'_>| Ok(Identity { patient: file.set.text(PATIENT), instance: file.set.text(SOP_INSTANCE) });
    let mut file = std::fs::File::open(path).map_err(open)?;
    let mut bytes = Vec::new();
    // Patient and instance stand near the beginning, but for a file with long private parts.
    file.by_ref().take(16 << 10).read_to_end(&mut bytes).map_err(open)?;
    let until = Some((0x0010, 0x0021));
    if let Ok(identity) = read_until(&bytes, until, look)
        && identity.patient.is_some()
    {
        return Ok(identity);
    }
    file.read_to_end(&mut bytes).map_err(open)?;
    read_until(&bytes, until, look)
}
