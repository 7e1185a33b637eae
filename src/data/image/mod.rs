//! `gray(size, …)`, `rgb(size, …)` and `hounsfield(size, windows, …)`: from one image as its file holds it (a [`Picture`]) to
//! `[channels, size, size]` bytes. Files are read in [`decode`] (taken whole or not at all, see [`whole`]); [`resample`] is the
//! filter with which the size is reached.

mod decode;
mod fault;
mod resample;
mod whole;

pub use decode::{is_image, picture};
pub use fault::Fault;

use super::arguments::Arguments;
use super::picture::{Meaning, Picture, Samples};
use crate::diagnostic::Diagnostic;
use crate::language::Construction;

/// The format that images of a data set are brought to: square, 8 bits a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFormat {
    /// Pixels along each side.
    pub size: usize,
    pub fit: Fit,
    pub channels: Channels,
    /// Which values are black and white.
    pub intensity: Intensity,
    /// Divide each image by its own highest value after resizing and cut the fraction off, as Schütte et al. 2021 do.
    pub by_own_maximum: bool,
}

/// How an image that is not square becomes square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Its middle is cut out.
    Crop,
    Stretch,
}

/// What the channels are.
#[derive(Clone, Debug, PartialEq)]
pub enum Channels {
    Gray,
    Rgb,
    /// One channel for each window.
    Hounsfield(Vec<Window>),
}

/// Hounsfield units from `level − width/2` (black) to `level + width/2` (white).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub level: f64,
    pub width: f64,
}

/// Which values of grey or colour are black and white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intensity {
    /// Nothing and all that the file's depth can hold.
    FullDepth,
    /// The window that the file names.
    FileWindow,
    /// The image's own lowest and highest value.
    OwnRange,
}

/// The constructors of type `image_format`, and of what they are made from.
pub const CONSTRUCTORS: [&str; 4] = ["gray", "rgb", "hounsfield", "window"];

impl ImageFormat {
    /// Grey at the file's full depth, the middle cut out.
    pub fn gray(size: usize) -> Self {
        Self { size, fit: Fit::Crop, channels: Channels::Gray, intensity: Intensity::FullDepth, by_own_maximum: false }
    }

    /// From `gray(…)`, `rgb(…)` or `hounsfield(…)`.
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        let channels = match construction.function.as_str() {
            "gray" => Channels::Gray,
            "rgb" => Channels::Rgb,
            "hounsfield" => {
                let windows = arguments.constructions("windows")?.into_iter().map(|window| {
                    let window = Arguments(window);
                    Ok(Window {
                        level: window.quantity("level", "attenuation")?,
                        width: window.quantity("width", "attenuation")?,
                    })
                });
                Channels::Hounsfield(windows.collect::<Result<_, Diagnostic>>()?)
            }
            other => {
                return Err(Diagnostic::error("E0513", format!("`{other}` is not an image format"))
                    .help("write `image = gray(32)`, `rgb(32)` or `hounsfield(32)`"));
            }
        };
        let intensity = match &channels {
            Channels::Hounsfield(_) => Intensity::FullDepth,
            Channels::Gray | Channels::Rgb => match arguments.choice("intensity")? {
                "file_window" => Intensity::FileWindow,
                "own_range" => Intensity::OwnRange,
                _ => Intensity::FullDepth,
            },
        };
        Ok(Self {
            size: arguments.integer("size")? as usize,
            fit: if arguments.choice("fit")? == "stretch" { Fit::Stretch } else { Fit::Crop },
            channels,
            intensity,
            by_own_maximum: arguments.choice("compat")? == "paper",
        })
    }

    /// How many channels an image has.
    pub fn channel_count(&self) -> usize {
        match &self.channels {
            Channels::Gray => 1,
            Channels::Rgb => 3,
            Channels::Hounsfield(windows) => windows.len(),
        }
    }

    /// Decodes a file and brings it to the format: `[c, size, size]`.
    pub fn decode(&self, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        self.render(&picture(bytes)?)
    }

    /// Brings a picture to the format: `[c, size, size]`. Windows are laid first, so that what lies beyond them is as if it
    /// ended there; then the size is reached; then values are rounded to bytes.
    pub fn render(&self, picture: &Picture) -> Result<Vec<u8>, Fault> {
        picture.check()?;
        let mut pixels = match (&self.channels, picture.meaning) {
            (Channels::Hounsfield(windows), Meaning::Hounsfield) => windows
                .iter()
                .flat_map(|window| {
                    let low = (window.level - window.width / 2.0) as f32;
                    let scale = (255.0 / window.width) as f32;
                    self.plane(picture, Pixel::Only, |value| ((value - low) * scale).clamp(0.0, 255.0))
                })
                .collect(),
            (Channels::Hounsfield(_), _) => {
                return Err(Fault::unfit(
                    "its values are not Hounsfield units",
                    "`hounsfield(…)` is for computed tomography: write `image = gray(…)` for other images",
                ));
            }
            (Channels::Gray, Meaning::Rgb { .. }) => self.seen(picture, Pixel::Luminance)?,
            (Channels::Gray, _) => self.seen(picture, Pixel::Only)?,
            (Channels::Rgb, Meaning::Rgb { .. }) => {
                let planes = (0..3).map(|channel| self.seen(picture, Pixel::Channel(channel)));
                planes.collect::<Result<Vec<_>, _>>()?.concat()
            }
            (Channels::Rgb, _) => self.seen(picture, Pixel::Only)?.repeat(3),
        };
        if self.by_own_maximum {
            let highest = pixels.iter().copied().fold(0.0, f32::max);
            if highest > 0.0 {
                pixels.iter_mut().for_each(|value| *value = (*value / highest * 255.0).floor());
            }
        }
        Ok(pixels.into_iter().map(|value| (value + 0.5) as u8).collect())
    }

    /// One channel of grey or colour, from 0 to 255.
    fn seen(&self, picture: &Picture, pixel: Pixel) -> Result<Vec<f32>, Fault> {
        let (black, white) = match (self.intensity, picture.meaning, picture.window) {
            (Intensity::FileWindow, _, Some(window)) => {
                return Ok(self.plane(picture, pixel, |value| window.brightness(value) * 255.0));
            }
            (Intensity::FileWindow, _, None) => {
                return Err(Fault::unfit(
                    "its file names no window",
                    "leave `intensity = file_window` out, or choose `intensity = own_range`",
                ));
            }
            (Intensity::OwnRange, _, _) => picture.range(),
            (Intensity::FullDepth, Meaning::Gray { black, white }, _) => (black, white),
            (Intensity::FullDepth, Meaning::Rgb { white }, _) => (0.0, white),
            (Intensity::FullDepth, Meaning::Hounsfield, _) => {
                return Err(Fault::unfit(
                    "it is a computed tomogram: its values are Hounsfield units, of which no one is black or white as such",
                    "write `image = hounsfield(32, windows = [window(level = 40HU, width = 80HU)])`, or choose another `intensity`",
                ));
            }
        };
        // A picture of one value is black where it is stretched to its own range.
        let scale = if white > black { 255.0 / (white - black) } else { 0.0 };
        if (black, scale) == (0.0, 1.0) {
            return Ok(self.plane(picture, pixel, |value| value));
        }
        Ok(self.plane(picture, pixel, |value| ((value - black) * scale).clamp(0.0, 255.0)))
    }

    /// One channel, every value changed by `change`, cut and resized.
    fn plane(&self, picture: &Picture, pixel: Pixel, change: impl Fn(f32) -> f32) -> Vec<f32> {
        match &picture.samples {
            Samples::U8(values) => self.resized(picture, values, pixel, change),
            Samples::U16(values) => self.resized(picture, values, pixel, change),
            Samples::F32(values) => self.resized(picture, values, pixel, change),
        }
    }

    fn resized<T: Copy + Into<f64> + Into<f32>>(
        &self,
        picture: &Picture,
        values: &[T],
        pixel: Pixel,
        change: impl Fn(f32) -> f32,
    ) -> Vec<f32> {
        let (width, height, channels) = (picture.width, picture.height, picture.channels());
        let side = width.min(height);
        let (across, down) = match self.fit {
            Fit::Crop => (side, side),
            Fit::Stretch => (width, height),
        };
        let (left, top) = ((width - across) / 2, (height - down) / 2);
        resample::resample(across, down, self.size, |row, numbers| {
            let start = ((top + row) * width + left) * channels;
            let pixels = values.get(start..start + across * channels).unwrap_or(&[]);
            match pixel {
                Pixel::Only => numbers.iter_mut().zip(pixels).for_each(|(number, value)| *number = change((*value).into())),
                Pixel::Channel(channel) => {
                    let of_channel = pixels.iter().skip(channel).step_by(channels);
                    numbers.iter_mut().zip(of_channel).for_each(|(number, value)| *number = change((*value).into()));
                }
                Pixel::Luminance => numbers.iter_mut().zip(pixels.chunks_exact(channels)).for_each(|(number, rgb)| {
                    *number = change(luminance(rgb));
                }),
            }
        })
    }
}

/// Which number of a pixel is meant.
#[derive(Clone, Copy)]
enum Pixel {
    /// It has one.
    Only,
    Channel(usize),
    Luminance,
}

/// How bright a colour is (Rec. 709). Grey stays exactly as it is.
fn luminance<T: Copy + Into<f64>>(rgb: &[T]) -> f32 {
    let sum: f64 = rgb.iter().zip([2126.0, 7152.0, 722.0]).map(|(value, weight)| weight * (*value).into()).sum();
    (sum / 10_000.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::image::{DynamicImage, GrayImage, Luma, RgbImage, RgbaImage};
    use std::io::Cursor;

    fn encode(image: &DynamicImage, format: ::image::ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Dark on the left, bright on the right, wider than high.
    fn ramp() -> GrayImage {
        GrayImage::from_fn(60, 40, |x, y| Luma([(x * 4 + y % 2) as u8]))
    }

    /// 8 × 8 pixels, stretched.
    fn square() -> ImageFormat {
        ImageFormat { fit: Fit::Stretch, ..ImageFormat::gray(8) }
    }

    #[test]
    fn every_kind_of_file_gives_the_same_grey() {
        let gray = DynamicImage::ImageLuma8(ramp());
        let png = ::image::ImageFormat::Png;
        let expected = square().decode(&encode(&gray, png)).unwrap();
        assert_eq!(expected.len(), 64);
        assert!(expected.windows(2).take(7).all(|pair| pair[0] < pair[1]), "{expected:?}");
        for other in [
            DynamicImage::ImageRgb8(gray.to_rgb8()),
            DynamicImage::ImageRgba8(gray.to_rgba8()),
            DynamicImage::ImageLuma16(gray.to_luma16()),
            DynamicImage::ImageRgb16(gray.to_rgb16()),
        ] {
            assert_eq!(square().decode(&encode(&other, png)).unwrap(), expected);
        }
        for jpeg in [gray.clone(), DynamicImage::ImageRgb8(gray.to_rgb8())] {
            let decoded = square().decode(&encode(&jpeg, ::image::ImageFormat::Jpeg)).unwrap();
            assert!(decoded.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 3), "{decoded:?} {expected:?}");
        }
    }

    #[test]
    fn crop_takes_the_middle_and_the_right_size_is_left_alone() {
        let image = GrayImage::from_fn(30, 10, |x, _| Luma([if (10..20).contains(&x) { 200 } else { 0 }]));
        let bytes = encode(&DynamicImage::ImageLuma8(image), ::image::ImageFormat::Png);
        let crop = ImageFormat::gray(5);
        assert_eq!(crop.decode(&bytes).unwrap(), vec![200; 25]);
        let stretched = ImageFormat { fit: Fit::Stretch, ..ImageFormat::gray(5) }.decode(&bytes).unwrap();
        assert!(stretched[0] == 0 && stretched[2] > 190 && stretched[4] == 0, "{stretched:?}");
        let exact = GrayImage::from_fn(8, 8, |x, y| Luma([(x * 31 + y) as u8]));
        let bytes = encode(&DynamicImage::ImageLuma8(exact.clone()), ::image::ImageFormat::Png);
        assert_eq!(square().decode(&bytes).unwrap(), exact.into_raw());
    }

    #[test]
    fn resizing_averages_what_it_leaves_out() {
        let stripes = GrayImage::from_fn(64, 64, |x, _| Luma([if x % 2 == 0 { 0 } else { 200 }]));
        let decoded = square().decode(&encode(&DynamicImage::ImageLuma8(stripes), ::image::ImageFormat::Png)).unwrap();
        assert!(decoded.iter().all(|value| value.abs_diff(100) <= 4), "{decoded:?}");
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error() {
        for format in [::image::ImageFormat::Jpeg, ::image::ImageFormat::Png] {
            let bytes = encode(&DynamicImage::ImageLuma8(ramp()), format);
            square().decode(&bytes).unwrap();
            for length in 0..bytes.len() {
                assert!(square().decode(&bytes[..length]).is_err(), "{format:?} cut at {length} of {}", bytes.len());
            }
            // As after a full disk: the rest is zeros.
            let mut zeros = bytes.clone();
            zeros[bytes.len() / 2..].fill(0);
            assert!(square().decode(&zeros).is_err());
            let mut followed = bytes;
            followed.extend_from_slice(b"bytes behind the end");
            square().decode(&followed).unwrap();
        }
    }

    #[test]
    fn other_files_and_impossible_sizes_are_errors() {
        assert!(square().decode(b"").unwrap_err().text.contains("empty"));
        assert!(square().decode(b"<html>not found</html>").unwrap_err().text.contains("neither a JPEG, a PNG nor a DICOM"));
        let mut png = encode(&DynamicImage::ImageRgba8(RgbaImage::new(4, 4)), ::image::ImageFormat::Png);
        png[16..20].copy_from_slice(&0x7FFF_FFFFu32.to_be_bytes());
        square().decode(&png).unwrap_err();
        let mut jpeg = encode(&DynamicImage::ImageRgb8(RgbImage::new(16, 16)), ::image::ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        for (height, width) in [(0u16, 16u16), (16, 0), (60_000, 60_000)] {
            jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
            jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
            square().decode(&jpeg).unwrap_err();
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
                    let _ = square().decode(&changed);
                }
            }
        }
    }
}
