//! Means of an image in windows whose weights are a product of one for rows and one for columns, and means of 2×2 pixels.

/// An image of one channel, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<f64>,
}

impl Plane {
    /// # Panics
    /// When the pixels are not as many as the sizes say.
    pub fn new(height: usize, width: usize, pixels: Vec<f64>) -> Self {
        assert_eq!(pixels.len(), height * width, "{height} rows of {width} pixels");
        Self { height, width, pixels }
    }

    /// A number of each pixel and the one at the same place of another image of this size.
    pub fn combined(&self, other: &Self, of: impl Fn(f64, f64) -> f64) -> Self {
        let pixels = self.pixels.iter().zip(&other.pixels).map(|(a, b)| of(*a, *b)).collect();
        Self { pixels, ..*self }
    }

    /// The weighted means of all windows that lie inside the image, as many rows and columns as there are `weights`.
    ///
    /// # Panics
    /// When the window is larger than the image.
    pub fn means(&self, weights: &[f64]) -> Self {
        let size = weights.len();
        assert!(size >= 1 && size <= self.height && size <= self.width, "a window of {size} in {}×{}", self.height, self.width);
        let (height, width) = (self.height - size + 1, self.width - size + 1);
        let mut across = vec![0.0; self.height * width];
        for (out, row) in across.chunks_exact_mut(width).zip(self.pixels.chunks_exact(self.width)) {
            for (shift, weight) in weights.iter().enumerate() {
                out.iter_mut().zip(&row[shift..]).for_each(|(sum, pixel)| *sum += weight * pixel);
            }
        }
        let mut pixels = vec![0.0; height * width];
        for (y, out) in pixels.chunks_exact_mut(width).enumerate() {
            for (shift, weight) in weights.iter().enumerate() {
                let row = &across[(y + shift) * width..][..width];
                out.iter_mut().zip(row).for_each(|(sum, pixel)| *sum += weight * pixel);
            }
        }
        Self { height, width, pixels }
    }

    /// Means of 2×2 pixels; a last row or column without a partner is left out. An image of one row or column stays as it is.
    pub fn halved(&self) -> Self {
        if self.height < 2 || self.width < 2 {
            return self.clone();
        }
        let (height, width) = (self.height / 2, self.width / 2);
        let mut pixels = Vec::with_capacity(height * width);
        for rows in self.pixels.chunks_exact(2 * self.width) {
            let (upper, lower) = rows.split_at(self.width);
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            pixels.extend(pairs.map(|(a, b)| 0.25 * (a[0] + b[0] + a[1] + b[1])));
        }
        Self { height, width, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_halves_are_those_of_the_definition() {
        let plane = Plane::new(3, 5, (0..15).map(f64::from).collect());
        let found = plane.means(&[0.25, 0.75]);
        assert_eq!((found.height, found.width), (2, 4));
        let due = 0.25 * (0.25 * 1.0 + 0.75 * 2.0) + 0.75 * (0.25 * 6.0 + 0.75 * 7.0);
        assert!((found.pixels[1] - due).abs() < 1e-12);
        assert_eq!(plane.halved(), Plane::new(1, 2, vec![3.0, 5.0]));
        assert_eq!(plane.halved().halved(), plane.halved());
    }
}
