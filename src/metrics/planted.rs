//! Planted copies: training images changed in known ways, of which a detector of copies should find as many as it can. What it misses
//! here, it would miss among synthetic images too.

use crate::random::Key;

/// The ways with their levels, from none to much. Words are those of the choice `planted_change`.
const CHANGES: &[(&str, &[f64])] = &[
    ("exact", &[0.0]),
    ("noise", &[0.02, 0.05, 0.1]),
    ("shift", &[0.03, 0.06, 0.125]),
    ("flip", &[0.0]),
    ("contrast", &[0.9, 0.75, 0.5]),
];

/// One way to change a copy, by so much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    name: &'static str,
    level: f64,
}

impl Change {
    /// All levels of the ways that are asked for, in a fixed order.
    pub fn of(wanted: impl Fn(&str) -> bool) -> Vec<Self> {
        let named = CHANGES.iter().filter(|(name, _)| wanted(name));
        named.flat_map(|(name, levels)| levels.iter().map(|level| Self { name, level: *level })).collect()
    }

    /// `noise of 5 %`.
    pub fn title(&self) -> String {
        let hundredths = 100.0 * self.level;
        match self.name {
            "noise" => format!("noise of {hundredths} %"),
            "shift" => format!("shifted by {hundredths} %"),
            "flip" => "mirrored".to_owned(),
            "contrast" => format!("contrast times {}", self.level),
            _ => "exact copies".to_owned(),
        }
    }

    /// A copy of an image `[c, h, w]`. `key` is that of the image.
    ///
    /// - exact: the same bytes;
    /// - noise: independent normal noise on every number, its deviation a share of the range from black to white;
    /// - shift: another crop: moved across and down by a share of the shorter side, at least one pixel, each way drawn; edges are
    ///   repeated;
    /// - flip: left and right exchanged;
    /// - contrast: distances from the image's mean times a factor.
    pub fn copy(&self, image: &[u8], [_, height, width]: [usize; 3], key: &Key) -> Vec<u8> {
        let byte = |value: f64| value.round().clamp(0.0, 255.0) as u8;
        let moved = |across: isize, down: isize, mirrored: bool| -> Vec<u8> {
            let at = |place: isize, by: isize, size: usize| (place + by).clamp(0, size as isize - 1) as usize;
            let planes = image.chunks_exact((height * width).max(1));
            let pixel = |plane: &[u8], y: usize, x: usize| {
                let x = if mirrored { width - 1 - x } else { x };
                plane.get(at(y as isize, down, height) * width + at(x as isize, across, width)).copied().unwrap_or(0)
            };
            planes.flat_map(|plane| (0..height * width).map(move |place| pixel(plane, place / width, place % width))).collect()
        };
        match self.name {
            "noise" => {
                let noisy =
                    |(place, value): (usize, &u8)| byte(f64::from(*value) + 255.0 * self.level * key.normal(place as u64));
                image.iter().enumerate().map(noisy).collect()
            }
            "shift" => {
                let by = ((self.level * height.min(width) as f64).round() as isize).max(1);
                let sign = |draw: u64| if key.below(draw, 2) == 0 { by } else { -by };
                moved(sign(0), sign(1), false)
            }
            "flip" => moved(0, 0, true),
            "contrast" => {
                let mean = image.iter().map(|value| f64::from(*value)).sum::<f64>() / image.len().max(1) as f64;
                image.iter().map(|value| byte(mean + self.level * (f64::from(*value) - mean))).collect()
            }
            _ => image.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_changed_as_said_and_no_further() {
        let shape = [1, 16, 16];
        let image: Vec<u8> = (0..=255).collect();
        let key = Key::new(1);
        let changes = Change::of(|_| true);
        assert_eq!(changes.len(), 11);
        let of = |name: &str, level: f64| {
            Change { name: changes.iter().find(|c| c.name == name).unwrap().name, level }.copy(&image, shape, &key)
        };
        assert_eq!(of("exact", 0.0), image);
        let flipped = of("flip", 0.0);
        assert_eq!((flipped[0], flipped[15], flipped[16]), (15, 0, 31));
        let shifted = of("shift", 0.125);
        // By two pixels across and two down, whichever way.
        assert!([34, 30, -34, -30].contains(&(i32::from(shifted[8 * 16 + 8]) - 136)), "{}", shifted[8 * 16 + 8]);
        let contrast = of("contrast", 0.5);
        assert_eq!((contrast[0], contrast[255]), (64, 191));
        let noise = of("noise", 0.1);
        let differences = noise.iter().zip(&image).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>() / 256.0;
        assert!((20.0..30.0).contains(&differences.sqrt()), "{}", differences.sqrt());
        assert_eq!(Change::of(|name| name == "flip").len(), 1);
        assert_eq!(Change::of(|_| true)[2].title(), "noise of 5 %");
    }
}
