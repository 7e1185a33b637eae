//! Windows that move over images, as pooling uses them.

use std::ops::Range;

/// A window of `size` pixels that moves by `stride` over images with `padding` on all sides. Pairs are for rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl Window {
    /// The same in both directions.
    pub fn square(size: usize, stride: usize, padding: usize) -> Self {
        Self { size: [size; 2], stride: [stride; 2], padding: [padding; 2] }
    }

    /// Height and width of what the window makes of `height` × `width` pixels; `None` where it does not fit.
    pub fn places(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let along = |direction: usize| {
            let room = (image[direction] + 2 * self.padding[direction]).checked_sub(self.size[direction])?;
            Some(room / self.stride[direction].max(1) + 1)
        };
        Some([along(0)?, along(1)?])
    }

    /// The shape that the window makes of images `[n, c, h, w]`.
    ///
    /// # Panics
    /// When it does not fit, or could lie wholly in the padding.
    pub fn shape(&self, images: &[usize]) -> Vec<usize> {
        let sound = images.len() == 4
            && images.iter().all(|size| *size > 0)
            && self.stride.iter().all(|stride| *stride > 0)
            && self.size.iter().zip(self.padding).all(|(size, padding)| padding * 2 <= *size);
        let places = if sound { self.places([images[2], images[3]]) } else { None };
        assert!(places.is_some(), "pooling of {images:?} by {self:?}");
        let [rows, columns] = places.unwrap_or_default();
        vec![images[0], images[1], rows, columns]
    }

    /// Along a direction, the pixels of `length` that lie in the window at `place`.
    pub fn pixels(&self, direction: usize, place: usize, length: usize) -> Range<usize> {
        let (start, padding) = (place * self.stride[direction], self.padding[direction]);
        start.saturating_sub(padding).min(length)..(start + self.size[direction]).saturating_sub(padding).min(length)
    }

    /// Along a direction, those of `places` whose `k`-th pixel lies on the image of `length` pixels.
    pub fn places_with(&self, direction: usize, k: usize, length: usize, places: usize) -> Range<usize> {
        let (stride, padding) = (self.stride[direction], self.padding[direction]);
        let first = padding.saturating_sub(k).div_ceil(stride);
        let end = (length + padding).saturating_sub(k).div_ceil(stride).min(places);
        first.min(end)..end
    }
}
