//! The numbers that a DICOM file stores (PS3.3, C.7.6.3 and PS3.5, clause 8), as they are before any rescaling: frame by frame, row
//! by row, the samples of a pixel side by side.

use super::codec::{Decoded, Malformed, is_believable};
use super::data_set::{Element, PIXEL_DATA, Tag, Value, name};
use super::{File, MOST_SAMPLES, jpeg, jpeg_ls, jpeg2000, rle};
use crate::data::image::Fault;

const SAMPLES: Tag = (0x0028, 0x0002);
const PHOTOMETRIC: Tag = (0x0028, 0x0004);
const PLANAR: Tag = (0x0028, 0x0006);
const FRAMES: Tag = (0x0028, 0x0008);
const ROWS: Tag = (0x0028, 0x0010);
const COLUMNS: Tag = (0x0028, 0x0011);
const ALLOCATED: Tag = (0x0028, 0x0100);
const STORED: Tag = (0x0028, 0x0101);
const HIGH_BIT: Tag = (0x0028, 0x0102);
const SIGNED: Tag = (0x0028, 0x0103);
/// Pixels as floating-point numbers, of 32 and of 64 bits.
const FLOAT_PIXELS: [Tag; 2] = [(0x7FE0, 0x0008), (0x7FE0, 0x0009)];

/// How a file says that its numbers are seen, and how many numbers a pixel has then.
const PHOTOMETRICS: [(&str, usize); 8] = [
    ("MONOCHROME1", 1),
    ("MONOCHROME2", 1),
    ("PALETTE COLOR", 1),
    ("RGB", 3),
    ("YBR_FULL", 3),
    ("YBR_FULL_422", 3),
    ("YBR_RCT", 3),
    ("YBR_ICT", 3),
];

/// What a file says of its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub frames: usize,
    pub rows: usize,
    pub columns: usize,
    pub samples: usize,
    pub photometric: String,
    pub bits_allocated: u32,
    pub bits_stored: u32,
    pub is_signed: bool,
    is_planar: bool,
}

/// Numbers with what they are numbers of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub layout: Layout,
    /// `frames · rows · columns · samples` numbers.
    pub values: Vec<i32>,
    /// Three samples are brightness and two differences of colour (YBR_FULL) instead of red, green and blue.
    pub is_ybr: bool,
}

impl Layout {
    fn of(file: &File<'_>) -> Result<Self, Fault> {
        let missing = |tag: Tag, what: &str| Fault::from(format!("it has no {what} {}", name(tag)));
        let number = |tag: Tag, what: &str| file.set.short(tag).map(usize::from).ok_or_else(|| missing(tag, what));
        let photometric = file.set.text(PHOTOMETRIC).ok_or_else(|| missing(PHOTOMETRIC, "Photometric Interpretation"))?;
        let samples = file.set.short(SAMPLES).map_or(1, usize::from);
        let frames = match file.set.text(FRAMES) {
            None => 1,
            Some(text) => text.parse().map_err(|_| format!("\"{text}\" in {} is no number of frames", name(FRAMES)))?,
        };
        let bits_allocated = number(ALLOCATED, "Bits Allocated")? as u32;
        let layout = Self {
            frames,
            rows: number(ROWS, "Rows")?,
            columns: number(COLUMNS, "Columns")?,
            samples,
            bits_allocated,
            bits_stored: file.set.short(STORED).map_or(bits_allocated, u32::from),
            is_signed: file.set.short(SIGNED) == Some(1),
            is_planar: file.set.short(PLANAR) == Some(1),
            photometric,
        };
        layout.check(file.set.short(HIGH_BIT).map(u32::from))?;
        Ok(layout)
    }

    fn check(&self, high_bit: Option<u32>) -> Result<(), Fault> {
        let Some((_, samples)) = PHOTOMETRICS.iter().find(|(known, _)| *known == self.photometric) else {
            return Err(Fault::unread(format!("its Photometric Interpretation is {}", self.photometric)));
        };
        if *samples != self.samples {
            return Err(Fault::from(format!("it is {} with {} numbers in a pixel", self.photometric, self.samples)));
        }
        if !matches!(self.bits_allocated, 1 | 8 | 16 | 32) {
            return Err(Fault::unread(format!("its numbers have {} bits", self.bits_allocated)));
        }
        if self.bits_stored == 0 || self.bits_stored > self.bits_allocated {
            return Err(Fault::from(format!("{} of {} bits are stored", self.bits_stored, self.bits_allocated)));
        }
        if high_bit.is_some_and(|high_bit| high_bit + 1 != self.bits_stored) {
            return Err(Fault::unread(format!(
                "its numbers of {} bits do not stand in the lowest bits: the highest one is bit {}",
                self.bits_stored,
                high_bit.unwrap_or(0)
            )));
        }
        let count =
            [self.rows, self.columns, self.samples].iter().try_fold(self.frames, |product, size| product.checked_mul(*size));
        if count == Some(0) || self.frames == 0 {
            return Err(Fault::from("it says that it has no pixels".to_owned()));
        }
        if count.is_none_or(|count| count > MOST_SAMPLES) {
            return Err(Fault::from(format!(
                "it says that it has {} frames of {}×{} pixels, more than is read",
                self.frames, self.columns, self.rows
            )));
        }
        Ok(())
    }

    /// Pixels of one frame.
    fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// A number of so many bits, with its sign.
    fn signed(&self, value: u32, bits: u32) -> i32 {
        let value = if bits < 32 { value & ((1 << bits) - 1) } else { value };
        if self.is_signed && bits < 32 && value >> (bits - 1) == 1 {
            (i64::from(value) - (1i64 << bits)) as i32
        } else {
            value as i32
        }
    }
}

impl File<'_> {
    /// The numbers of all frames.
    pub fn pixels(&self) -> Result<Stored, Fault> {
        let Some(element) = self.set.get(PIXEL_DATA) else {
            return Err(if FLOAT_PIXELS.iter().any(|tag| self.set.get(*tag).is_some()) {
                Fault::unread("its pixels are floating-point numbers")
            } else {
                Fault::from("it holds no pixels (7FE0,0010)".to_owned())
            });
        };
        let layout = Layout::of(self)?;
        match &element.value {
            Value::Bytes(bytes) => {
                if let Some(syntax) = self.syntax.as_deref().filter(|syntax| !is_native(syntax)) {
                    return Err(if method(syntax).is_some() {
                        Fault::from(format!("its pixels are plain numbers, and it says that they are compressed ({syntax})"))
                    } else {
                        unread_syntax(syntax)
                    });
                }
                self.native(layout, element, bytes)
            }
            Value::Fragments(fragments) => self.encapsulated(layout, fragments),
            Value::Items(_) => Err(Fault::from("its pixels are a sequence".to_owned())),
        }
    }

    fn native(&self, layout: Layout, element: &Element<'_>, bytes: &[u8]) -> Result<Stored, Fault> {
        let is_422 = layout.photometric == "YBR_FULL_422";
        if is_422 && (layout.bits_allocated != 8 || layout.columns % 2 == 1) {
            return Err(Fault::unread("its colours are halved (YBR_FULL_422) in an unusual way"));
        }
        let per_pixel = if is_422 { 2 } else { layout.samples };
        let frame_bits = layout.pixels() * per_pixel * layout.bits_allocated as usize;
        let expected = (frame_bits * layout.frames).div_ceil(8);
        if bytes.len() < expected {
            return Err(Fault::from(format!("it holds {} bytes of pixels, and {expected} are expected", bytes.len())));
        }
        if (bytes.len() - expected) * 8 >= frame_bits && expected > 0 && bytes.len() - expected > 1 {
            return Err(Fault::from(format!(
                "it holds {} bytes of pixels, more than {} of {expected} bytes together",
                bytes.len(),
                crate::data::split::count(layout.frames, "frame")
            )));
        }
        let bytes = bytes.get(..expected).unwrap_or(&[]);
        let is_big = self.set.writing.is_big_endian;
        // Bits above those that are stored may hold overlays of old files, and are no part of the numbers.
        let signed = |value: u32| layout.signed(value, layout.bits_stored);
        let mut values: Vec<i32> = match layout.bits_allocated {
            1 => (0..frame_bits * layout.frames)
                .map(|at| bytes.get(at / 8).map_or(0, |byte| i32::from(byte >> (at % 8) & 1)))
                .collect(),
            // In words of a big-endian file two bytes have changed places.
            8 if is_big && element.representation == *b"OW" => {
                bytes.chunks(2).flat_map(|pair| pair.iter().rev()).map(|byte| signed(u32::from(*byte))).collect()
            }
            8 => bytes.iter().map(|byte| signed(u32::from(*byte))).collect(),
            16 => {
                let number = |pair: &[u8; 2]| if is_big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
                bytes.as_chunks::<2>().0.iter().map(|pair| signed(u32::from(number(pair)))).collect()
            }
            _ => {
                let number = |four: &[u8; 4]| if is_big { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
                bytes.as_chunks::<4>().0.iter().map(|four| signed(number(four))).collect()
            }
        };
        if layout.bits_allocated == 32 && !layout.is_signed && values.iter().any(|value| *value < 0) {
            return Err(Fault::unread("its numbers are above 2 147 483 647"));
        }
        if is_422 {
            // Two pixels share one pair of differences: Y Y B R.
            values = values
                .chunks_exact(4)
                .flat_map(|four| {
                    let [first, second, blue, red] = *four else { return [0; 6] };
                    [first, blue, red, second, blue, red]
                })
                .collect();
        } else if layout.is_planar && layout.samples > 1 {
            values = interleaved(&values, layout.pixels(), layout.samples);
        }
        let is_ybr = layout.photometric.starts_with("YBR_FULL");
        Ok(Stored { layout, values, is_ybr })
    }

    fn encapsulated(&self, layout: Layout, fragments: &[&[u8]]) -> Result<Stored, Fault> {
        let syntax = self.syntax.as_deref().unwrap_or("none");
        let method = method(syntax).ok_or_else(|| unread_syntax(syntax))?;
        let size = layout.frames * layout.pixels() * layout.samples;
        if !is_believable(size, fragments.iter().map(|fragment| fragment.len()).sum()) {
            return Err(Fault::from(format!("its compressed pixels are far too few bytes for {size} numbers")));
        }
        let frames = frames(&layout, fragments)?;
        let mut values = Vec::with_capacity(size);
        let mut is_ybr = layout.photometric.starts_with("YBR_FULL");
        for frame in frames {
            let decoded = match method {
                Method::Rle => {
                    let bytes = (layout.bits_allocated / 8) as usize;
                    if bytes == 0 {
                        return Err(Fault::unread("its pixels are run lengths of single bits"));
                    }
                    let numbers = rle::decode(&frame, layout.pixels(), layout.samples, bytes)?;
                    if bytes == 4 && !layout.is_signed && numbers.iter().any(|number| *number > i32::MAX as u32) {
                        return Err(Fault::unread("its numbers are above 2 147 483 647"));
                    }
                    values.extend(numbers.into_iter().map(|number| layout.signed(number, layout.bits_stored)));
                    continue;
                }
                Method::Jpeg => jpeg::decode(&frame)?,
                Method::JpegLs => jpeg_ls::decode(&frame)?,
                Method::Jpeg2000 => jpeg2000::decode(&frame)?,
            };
            is_ybr &= !decoded.is_rgb;
            let bits = decoded.bits.min(layout.bits_stored);
            values.extend(fitting(&layout, decoded)?.into_iter().map(|value| layout.signed(value as u32, bits)));
        }
        Ok(Stored { layout, values, is_ybr })
    }
}

/// That a frame is what the file around it says.
fn fitting(layout: &Layout, decoded: Decoded) -> Result<Vec<i32>, Malformed> {
    if (decoded.width, decoded.height, decoded.samples) != (layout.columns, layout.rows, layout.samples) {
        return Err(Malformed::from(format!(
            "its compressed pixels are {}×{} with {} numbers each, and the file says {}×{} with {}",
            decoded.width, decoded.height, decoded.samples, layout.columns, layout.rows, layout.samples
        )));
    }
    if decoded.bits > layout.bits_allocated {
        let (bits, allocated) = (decoded.bits, layout.bits_allocated);
        return Err(Malformed::from(format!("its compressed pixels have {bits} bits, and the file says {allocated}")));
    }
    Ok(decoded.values)
}

/// Planes, one after the other, as pixels.
fn interleaved(values: &[i32], pixels: usize, samples: usize) -> Vec<i32> {
    let mut result = vec![0; values.len()];
    for (frame, out) in values.chunks_exact(pixels * samples).zip(result.chunks_exact_mut(pixels * samples)) {
        for (sample, plane) in frame.chunks_exact(pixels).enumerate() {
            out.iter_mut().skip(sample).step_by(samples).zip(plane).for_each(|(place, value)| *place = *value);
        }
    }
    result
}

/// How compressed pixels are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Rle,
    Jpeg,
    JpegLs,
    Jpeg2000,
}

/// PS3.6, table A-1.
fn method(syntax: &str) -> Option<Method> {
    Some(match syntax {
        "1.2.840.10008.1.2.5" => Method::Rle,
        "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51" | "1.2.840.10008.1.2.4.57" | "1.2.840.10008.1.2.4.70" => Method::Jpeg,
        "1.2.840.10008.1.2.4.80" | "1.2.840.10008.1.2.4.81" => Method::JpegLs,
        "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => Method::Jpeg2000,
        _ => return None,
    })
}

fn is_native(syntax: &str) -> bool {
    matches!(syntax, "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1" | "1.2.840.10008.1.2.2" | super::DEFLATED)
}

fn unread_syntax(syntax: &str) -> Fault {
    Fault::unread(match syntax {
        "none" => "its pixels are compressed, and it does not say how: it names no Transfer Syntax (0002,0010)".to_owned(),
        _ => format!("its Transfer Syntax is {syntax}"),
    })
}

/// The bytes of each frame. Fragments of one frame are joined; where there are several frames, the table of offsets says which
/// fragments are theirs, or every fragment is a frame.
fn frames(layout: &Layout, fragments: &[&[u8]]) -> Result<Vec<Vec<u8>>, Fault> {
    let Some((offsets, fragments)) = fragments.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(Fault::from("it holds no pixels: there are no fragments".to_owned()));
    };
    if layout.frames == 1 {
        return Ok(vec![fragments.concat()]);
    }
    if fragments.len() == layout.frames {
        return Ok(fragments.iter().map(|fragment| fragment.to_vec()).collect());
    }
    let offsets: Vec<usize> = offsets.as_chunks::<4>().0.iter().map(|offset| u32::from_le_bytes(*offset) as usize).collect();
    let mut frames: Vec<Vec<u8>> = Vec::new();
    let mut place = 0;
    for fragment in fragments {
        if offsets.contains(&place) {
            frames.push(Vec::new());
        }
        if let Some(frame) = frames.last_mut() {
            frame.extend_from_slice(fragment);
        }
        place += fragment.len() + 8;
    }
    if frames.len() == layout.frames {
        return Ok(frames);
    }
    Err(Fault::from(format!(
        "its pixels lie in {} fragments, and it does not say which belong to which of its {} frames",
        fragments.len(),
        layout.frames
    )))
}
