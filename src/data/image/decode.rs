//! From the bytes of a file to a [`Picture`]. What is in a file counts, not the ending of its name.

use super::whole::{complete_jpeg, complete_png};
use super::{Fault, Picture};
use crate::data::dicom;
use ::image::{DynamicImage, ImageReader, Limits};
use std::io::{Cursor, Read};

/// No radiograph is larger; what says so is damaged, and would fill the memory.
const LARGEST_SIDE: u32 = 20_000;
const LARGEST_BYTES: u64 = 1 << 30;
/// How many times a file may grow beyond what is always allowed: large radiographs grow less than a hundred times.
const MOST_GROWTH: u64 = 200;
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// The picture in a JPEG, PNG or DICOM file.
pub fn picture(bytes: &[u8]) -> Result<Picture, Fault> {
    if bytes.is_empty() {
        return Err(Fault::from("the file is empty".to_owned()));
    }
    if dicom::is_dicom(bytes) {
        return dicom::read(bytes, |file| file.picture());
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| format!("it cannot be read: {error}"))?;
    match reader.format() {
        Some(::image::ImageFormat::Jpeg) => complete_jpeg(bytes)?,
        Some(::image::ImageFormat::Png) => complete_png(bytes)?,
        _ => return Err(Fault::from("it is neither a JPEG, a PNG nor a DICOM image, whatever its name says".to_owned())),
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST_BYTES.min(ALWAYS_ALLOWED.max(bytes.len() as u64 * MOST_GROWTH)));
    reader.limits(limits);
    let decoded = reader.decode().map_err(|error| error.to_string())?;
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let picture = match decoded {
        DynamicImage::ImageLuma8(pixels) => Picture::gray8(width, height, pixels.into_raw()),
        DynamicImage::ImageLuma16(pixels) => Picture::gray16(width, height, pixels.into_raw(), u16::MAX),
        DynamicImage::ImageRgb8(pixels) => Picture::rgb8(width, height, pixels.into_raw()),
        // Transparency is ignored.
        DynamicImage::ImageLumaA8(_) => Picture::gray8(width, height, decoded.into_luma8().into_raw()),
        DynamicImage::ImageLumaA16(_) => Picture::gray16(width, height, decoded.into_luma16().into_raw(), u16::MAX),
        DynamicImage::ImageRgba8(_) => Picture::rgb8(width, height, decoded.into_rgb8().into_raw()),
        _ => Picture::rgb16(width, height, decoded.into_rgb16().into_raw()),
    };
    picture.check()?;
    Ok(picture)
}

/// Whether the first bytes of a file are those of a sort that is read. One that cannot be opened is none.
pub fn is_image(path: &std::path::Path) -> bool {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(132).read_to_end(&mut bytes));
    read.is_ok() && (bytes.starts_with(&[0xFF, 0xD8, 0xFF]) || bytes.starts_with(b"\x89PNG\r\n\x1A\n") || dicom::is_dicom(&bytes))
}
