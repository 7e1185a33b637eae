//! What the decoders of compressed pixels give, and what can be wrong with what they are given.

use crate::data::image::Fault;

/// One decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    pub width: usize,
    pub height: usize,
    /// Numbers in one pixel.
    pub samples: usize,
    /// Bits of each number.
    pub bits: u32,
    /// Row by row, interleaved.
    pub values: Vec<i32>,
    /// Three samples are known to be red, green and blue, whatever the file around says.
    pub is_rgb: bool,
}

/// Whether so few bytes can be so many numbers. No image of this size shrinks two hundred times; what says so would fill the memory.
pub fn is_believable(samples: usize, bytes: usize) -> bool {
    samples <= 1 << 25 || samples / 200 <= bytes && samples <= super::MOST_SAMPLES
}

/// Why a frame cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    Damaged(String),
    /// Sound as far as one can tell, but of a kind that is not read.
    Unread(String),
}

impl From<String> for Malformed {
    fn from(text: String) -> Self {
        Self::Damaged(text)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Damaged(text) => Self::from(text),
            Malformed::Unread(what) => Self::unread(format!("its pixels are {what}")),
        }
    }
}
