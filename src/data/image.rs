//! `gray(size, fit)`: from the bytes of a JPEG or PNG file to one channel of `size` × `size` bytes. A file is taken whole or
//! not at all: decoders fill the missing rest of a truncated JPEG with grey, which no one would notice at 32 pixels, so the
//! file is first walked from its start to its end marker.

use super::arguments::Arguments;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use ::image::imageops::{FilterType, crop_imm, resize};
use ::image::{ImageBuffer, ImageReader, Limits, Luma};
use std::io::Cursor;

/// The format that images of a data set are brought to: one channel of 8 bits, square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFormat {
    /// Pixels along each side.
    pub size: usize,
    pub fit: Fit,
}

/// How an image that is not square becomes square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Its middle is cut out.
    Crop,
    Stretch,
}

/// No radiograph is larger; what says so is damaged, and would fill the memory.
const LARGEST_SIDE: u32 = 20_000;
const LARGEST_BYTES: u64 = 1 << 30;

/// The constructor of type `image_format`.
pub const CONSTRUCTOR: &str = "gray";

impl ImageFormat {
    /// From `gray(…)`.
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        if construction.function != CONSTRUCTOR {
            return Err(Diagnostic::error("E0513", format!("`{}` is not an image format", construction.function))
                .help("write `image = gray(32)`"));
        }
        let arguments = Arguments(construction);
        let fit = if arguments.choice("fit")? == "stretch" { Fit::Stretch } else { Fit::Crop };
        Ok(Self { size: arguments.integer("size")? as usize, fit })
    }

    /// Decodes a file and brings it to the format: `[1, size, size]`. The error says what is wrong with the bytes.
    pub fn decode(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        if bytes.is_empty() {
            return Err("the file is empty".to_owned());
        }
        let mut reader =
            ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| format!("it cannot be read: {error}"))?;
        match reader.format() {
            Some(::image::ImageFormat::Jpeg) => complete_jpeg(bytes)?,
            Some(::image::ImageFormat::Png) => complete_png(bytes)?,
            _ => return Err("it is neither a JPEG nor a PNG image, whatever its name says".to_owned()),
        }
        let mut limits = Limits::default();
        limits.max_image_width = Some(LARGEST_SIDE);
        limits.max_image_height = Some(LARGEST_SIDE);
        limits.max_alloc = Some(LARGEST_BYTES);
        reader.limits(limits);
        let decoded = reader.decode().map_err(|error| error.to_string())?;
        // 16 bits throughout: 8-bit values are multiplied by 257, so that rounding happens once, at the end.
        let gray = decoded.to_luma16();
        if gray.width() == 0 || gray.height() == 0 {
            return Err("it has no pixels".to_owned());
        }
        Ok(self.fit(&gray))
    }

    fn fit(&self, gray: &ImageBuffer<Luma<u16>, Vec<u16>>) -> Vec<u8> {
        let (width, height, size) = (gray.width(), gray.height(), self.size as u32);
        let side = width.min(height);
        let scaled = match self.fit {
            _ if (width, height) == (size, size) => gray.clone(),
            Fit::Stretch => resize(gray, size, size, FilterType::Triangle),
            Fit::Crop => {
                let middle = crop_imm(gray, (width - side) / 2, (height - side) / 2, side, side).to_image();
                resize(&middle, size, size, FilterType::Triangle)
            }
        };
        scaled.pixels().map(|Luma([value])| ((u32::from(*value) + 128) / 257) as u8).collect()
    }
}

/// Walks a JPEG from marker to marker up to its end marker (ITU-T T.81, annex B).
fn complete_jpeg(bytes: &[u8]) -> Result<(), String> {
    let cut = || format!("it is a truncated JPEG: its {} bytes hold no end marker", bytes.len());
    let byte = |at: usize| bytes.get(at).copied().ok_or_else(cut);
    let (mut at, mut in_scan, mut has_scan) = (2, false, false);
    loop {
        // To the next marker: 0xFF and a byte that is neither stuffing nor fill.
        while byte(at)? != 0xFF {
            if !in_scan {
                return Err(format!("it is a damaged JPEG: no marker at byte {at}"));
            }
            at += 1;
        }
        match byte(at + 1)? {
            0xFF => at += 1,
            // A stuffed 0xFF of the scan's data, a restart marker, or one without a body.
            0x00 | 0x01 | 0xD0..=0xD7 => at += 2,
            0xD9 if has_scan => return Ok(()),
            0xD9 => return Err("it is a damaged JPEG: it ends before its pixels begin".to_owned()),
            marker => {
                let length = usize::from(byte(at + 2)?) << 8 | usize::from(byte(at + 3)?);
                in_scan = marker == 0xDA;
                has_scan |= in_scan;
                at += 2 + length.max(2);
            }
        }
    }
}

/// Walks a PNG from chunk to chunk up to `IEND`. (Checksums are the decoder's business.)
fn complete_png(bytes: &[u8]) -> Result<(), String> {
    let mut at = 8usize;
    loop {
        let Some([a, b, c, d, kind @ ..]) = bytes.get(at..at.saturating_add(8)) else {
            return Err(format!("it is a truncated PNG: its {} bytes hold no end chunk", bytes.len()));
        };
        // A chunk is its length, its kind, as many bytes, and a checksum.
        at = at.saturating_add(12).saturating_add(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        if kind == b"IEND" && at <= bytes.len() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

    fn encode(image: &DynamicImage, format: ::image::ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Dark on the left, bright on the right, wider than high.
    fn ramp() -> GrayImage {
        GrayImage::from_fn(60, 40, |x, y| Luma([(x * 4 + y % 2) as u8]))
    }

    const SQUARE: ImageFormat = ImageFormat { size: 8, fit: Fit::Stretch };

    #[test]
    fn every_kind_of_file_gives_the_same_grey() {
        let gray = DynamicImage::ImageLuma8(ramp());
        let png = ::image::ImageFormat::Png;
        let expected = SQUARE.decode(&encode(&gray, png)).unwrap();
        assert_eq!(expected.len(), 64);
        assert!(expected.windows(2).take(7).all(|pair| pair[0] < pair[1]), "{expected:?}");
        for other in [
            DynamicImage::ImageRgb8(gray.to_rgb8()),
            DynamicImage::ImageRgba8(gray.to_rgba8()),
            DynamicImage::ImageLuma16(gray.to_luma16()),
            DynamicImage::ImageRgb16(gray.to_rgb16()),
        ] {
            assert_eq!(SQUARE.decode(&encode(&other, png)).unwrap(), expected);
        }
        for jpeg in [gray.clone(), DynamicImage::ImageRgb8(gray.to_rgb8())] {
            let decoded = SQUARE.decode(&encode(&jpeg, ::image::ImageFormat::Jpeg)).unwrap();
            assert!(decoded.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 3), "{decoded:?} {expected:?}");
        }
    }

    #[test]
    fn crop_takes_the_middle_and_the_right_size_is_left_alone() {
        let image = GrayImage::from_fn(30, 10, |x, _| Luma([if (10..20).contains(&x) { 200 } else { 0 }]));
        let bytes = encode(&DynamicImage::ImageLuma8(image), ::image::ImageFormat::Png);
        let crop = ImageFormat { size: 5, fit: Fit::Crop };
        assert_eq!(crop.decode(&bytes).unwrap(), vec![200; 25]);
        let stretched = ImageFormat { size: 5, fit: Fit::Stretch }.decode(&bytes).unwrap();
        assert!(stretched[0] == 0 && stretched[2] > 190 && stretched[4] == 0, "{stretched:?}");
        let exact = GrayImage::from_fn(8, 8, |x, y| Luma([(x * 31 + y) as u8]));
        let bytes = encode(&DynamicImage::ImageLuma8(exact.clone()), ::image::ImageFormat::Png);
        assert_eq!(SQUARE.decode(&bytes).unwrap(), exact.into_raw());
    }

    #[test]
    fn resizing_averages_what_it_leaves_out() {
        let stripes = GrayImage::from_fn(64, 64, |x, _| Luma([if x % 2 == 0 { 0 } else { 200 }]));
        let decoded = SQUARE.decode(&encode(&DynamicImage::ImageLuma8(stripes), ::image::ImageFormat::Png)).unwrap();
        assert!(decoded.iter().all(|value| value.abs_diff(100) <= 4), "{decoded:?}");
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        for format in [::image::ImageFormat::Jpeg, ::image::ImageFormat::Png] {
            let bytes = encode(&DynamicImage::ImageLuma8(ramp()), format);
            SQUARE.decode(&bytes).unwrap();
            for length in 0..bytes.len() {
                assert!(SQUARE.decode(&bytes[..length]).is_err(), "{format:?} cut at {length} of {}", bytes.len());
            }
            // As after a full disk: the rest is zeros.
            let mut zeros = bytes.clone();
            zeros[bytes.len() / 2..].fill(0);
            assert!(SQUARE.decode(&zeros).is_err());
            let mut followed = bytes;
            followed.extend_from_slice(b"bytes behind the end");
            SQUARE.decode(&followed).unwrap();
        }
    }

    #[test]
    fn other_files_and_impossible_sizes_are_errors() {
        assert!(SQUARE.decode(b"").unwrap_err().contains("empty"));
        assert!(SQUARE.decode(b"<html>not found</html>").unwrap_err().contains("neither a JPEG nor a PNG"));
        let mut png = encode(&DynamicImage::ImageRgba8(RgbaImage::new(4, 4)), ::image::ImageFormat::Png);
        png[16..20].copy_from_slice(&0x7FFF_FFFFu32.to_be_bytes());
        SQUARE.decode(&png).unwrap_err();
        let mut jpeg = encode(&DynamicImage::ImageRgb8(RgbImage::new(16, 16)), ::image::ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        for (height, width) in [(0u16, 16u16), (16, 0), (60_000, 60_000)] {
            jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
            jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
            SQUARE.decode(&jpeg).unwrap_err();
        }
    }

    #[test]
    fn no_damage_makes_the_decoder_panic() {
        for format in [::image::ImageFormat::Jpeg, ::image::ImageFormat::Png] {
            let bytes = encode(&DynamicImage::ImageLuma8(ramp()), format);
            for at in 0..bytes.len() {
                for value in [0, 0xFF, bytes[at] ^ 0x10] {
                    let mut changed = bytes.clone();
                    changed[at] = value;
                    let _ = SQUARE.decode(&changed);
                }
            }
        }
    }
}
