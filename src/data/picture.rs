//! One image as its file holds it or its phantom drew it, before it is brought to the format of a data set: grey values of any
//! depth, colours, or Hounsfield units. What sources return and [`super::image::ImageFormat`] takes.

use super::image::Fault;

/// Pixels row by row, channels interleaved.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub meaning: Meaning,
    pub samples: Samples,
    /// The window that the file wants its values to be seen through (DICOM PS3.3, C.11.2), where it names one.
    pub window: Option<FileWindow>,
}

/// What the numbers of a picture are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// One channel, bright is large.
    Gray { black: f32, white: f32 },
    /// Red, green, blue from 0 to `white`.
    Rgb { white: f32 },
    /// Attenuation of X-rays: −1000 is air, 0 water.
    Hounsfield,
}

/// The numbers, as small as they come.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
    F32(Vec<f32>),
}

/// How a file wants its values to be seen: from values to 0 (black) … 1 (white).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileWindow {
    pub centre: f64,
    pub width: f64,
    pub curve: Curve,
    /// Low values are bright (MONOCHROME1): `centre` is on the scale of the file, and the picture's values are `flip` minus
    /// those of the file.
    pub flip: Option<f64>,
}

/// The curve of a window (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    Linear,
    LinearExact,
    Sigmoid,
}

impl Picture {
    /// Grey values of 8 bits.
    pub fn gray8(width: usize, height: usize, samples: Vec<u8>) -> Self {
        let meaning = Meaning::Gray { black: 0.0, white: 255.0 };
        Self { width, height, meaning, samples: Samples::U8(samples), window: None }
    }

    /// Grey values from 0 to `white`.
    pub fn gray16(width: usize, height: usize, samples: Vec<u16>, white: u16) -> Self {
        let meaning = Meaning::Gray { black: 0.0, white: f32::from(white) };
        Self { width, height, meaning, samples: Samples::U16(samples), window: None }
    }

    /// Grey values from `black` to `white`.
    pub fn gray(width: usize, height: usize, samples: Vec<f32>, black: f32, white: f32) -> Self {
        Self { width, height, meaning: Meaning::Gray { black, white }, samples: Samples::F32(samples), window: None }
    }

    /// Red, green and blue of 8 bits, interleaved.
    pub fn rgb8(width: usize, height: usize, samples: Vec<u8>) -> Self {
        Self { width, height, meaning: Meaning::Rgb { white: 255.0 }, samples: Samples::U8(samples), window: None }
    }

    /// Red, green and blue of 16 bits, interleaved.
    pub fn rgb16(width: usize, height: usize, samples: Vec<u16>) -> Self {
        Self { width, height, meaning: Meaning::Rgb { white: 65_535.0 }, samples: Samples::U16(samples), window: None }
    }

    /// Hounsfield units.
    pub fn hounsfield(width: usize, height: usize, samples: Vec<f32>) -> Self {
        Self { width, height, meaning: Meaning::Hounsfield, samples: Samples::F32(samples), window: None }
    }

    /// Numbers in one pixel.
    pub fn channels(&self) -> usize {
        match self.meaning {
            Meaning::Rgb { .. } => 3,
            Meaning::Gray { .. } | Meaning::Hounsfield => 1,
        }
    }

    /// The lowest and the highest number; 0 and 0 where there is none.
    pub fn range(&self) -> (f32, f32) {
        let range = match &self.samples {
            Samples::U8(values) => values.iter().min().zip(values.iter().max()).map(|(a, b)| (f32::from(*a), f32::from(*b))),
            Samples::U16(values) => values.iter().min().zip(values.iter().max()).map(|(a, b)| (f32::from(*a), f32::from(*b))),
            Samples::F32(values) => values
                .iter()
                .copied()
                .map(|value| (value, value))
                .reduce(|(low, high), (value, _)| (low.min(value), high.max(value))),
        };
        range.unwrap_or((0.0, 0.0))
    }

    /// That there are as many numbers as pixels, and at least one.
    pub fn check(&self) -> Result<(), Fault> {
        let count = match &self.samples {
            Samples::U8(values) => values.len(),
            Samples::U16(values) => values.len(),
            Samples::F32(values) => values.len(),
        };
        if count == 0 {
            return Err(Fault::from("it has no pixels".to_owned()));
        }
        if self.width.checked_mul(self.height).and_then(|pixels| pixels.checked_mul(self.channels())) != Some(count) {
            return Err(Fault::from(format!("its {count} numbers are not {}×{} pixels", self.width, self.height)));
        }
        Ok(())
    }
}

impl FileWindow {
    /// Where a value of the picture lies between black (0) and white (1).
    pub fn brightness(&self, value: f32) -> f32 {
        let value = f64::from(value);
        let seen = match self.flip {
            Some(flip) => 1.0 - self.seen(flip - value),
            None => self.seen(value),
        };
        seen as f32
    }

    fn seen(&self, value: f64) -> f64 {
        let (centre, width) = (self.centre, self.width);
        match self.curve {
            // A width of 1 is a threshold.
            Curve::Linear if width <= 1.0 => f64::from(value > centre - 0.5),
            Curve::Linear => ((value - (centre - 0.5)) / (width - 1.0) + 0.5).clamp(0.0, 1.0),
            Curve::LinearExact => ((value - centre) / width + 0.5).clamp(0.0, 1.0),
            Curve::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_standard() {
        let window = |curve, centre, width| FileWindow { centre, width, curve, flip: None };
        // PS3.3 C.11.2.1.2.1: c = 2048, w = 4096 maps 0 … 4095 to 0 … 1.
        let full = window(Curve::Linear, 2048.0, 4096.0);
        assert_eq!((full.brightness(0.0), full.brightness(4095.0)), (0.0, 1.0));
        let threshold = window(Curve::Linear, 5.0, 1.0);
        assert_eq!((threshold.brightness(4.0), threshold.brightness(5.0)), (0.0, 1.0));
        let exact = window(Curve::LinearExact, 40.0, 80.0);
        assert_eq!((exact.brightness(0.0), exact.brightness(20.0), exact.brightness(90.0)), (0.0, 0.25, 1.0));
        assert_eq!(window(Curve::Sigmoid, 7.0, 3.0).brightness(7.0), 0.5);
        let flipped = FileWindow { flip: Some(4095.0), ..full };
        assert_eq!((flipped.brightness(0.0), flipped.brightness(4095.0)), (0.0, 1.0));
    }

    #[test]
    fn numbers_must_be_as_many_as_pixels() {
        Picture::gray8(2, 2, vec![0; 4]).check().unwrap();
        assert!(Picture::rgb8(2, 2, vec![0; 4]).check().is_err());
        assert!(Picture::gray8(0, 0, vec![]).check().is_err());
        assert_eq!(Picture::hounsfield(2, 1, vec![-1000.0, 40.0]).range(), (-1000.0, 40.0));
    }
}
