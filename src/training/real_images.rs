//! Real images as a growing network sees them. At a lower resolution every pixel is the mean of those that it stands for, rounded
//! to a whole grey level, as in the pyramid of images that the authors of progressive growing trained from; while a stage fades
//! in, an image is drawn towards its own half resolution as far as the stage does not count yet (Schütte et al. 2021, code of
//! `train.py` and `dataset_tool.py`).

use super::feeds;
use super::growth::Detail;
use crate::data::shard::Shard;

/// The images of some rows as numbers from −1 to 1, `[n, c, h / 2^halvings, w / 2^halvings]`.
pub fn fill(shard: &Shard, rows: &[usize], detail: Detail, numbers: &mut [f32]) {
    if detail == Detail::FULL {
        return feeds::fill_images(shard, rows, numbers);
    }
    let factor = 1usize << detail.halvings;
    let (height, width) = (shard.height / factor, shard.width / factor);
    for (row, image) in rows.iter().zip(numbers.chunks_mut((shard.channels * height * width).max(1))) {
        let planes = shard.image(*row).chunks((shard.height * shard.width).max(1));
        for (pixels, plane) in planes.zip(image.chunks_mut((height * width).max(1))) {
            shrink(pixels, shard.width, factor, plane, width);
            if detail.progress < 1.0 {
                soften(plane, width, (1.0 - detail.progress) as f32);
            }
        }
    }
}

/// Means of factor × factor grey levels, rounded, as numbers from −1 to 1.
fn shrink(pixels: &[u8], wide: usize, factor: usize, plane: &mut [f32], width: usize) {
    let area = (factor * factor) as f32;
    for (index, number) in plane.iter_mut().enumerate() {
        let (top, left) = (index / width * factor, index % width * factor);
        let row = |y: usize| pixels.get((top + y) * wide + left..(top + y) * wide + left + factor).unwrap_or_default();
        let sum: u32 = (0..factor).flat_map(row).map(|pixel| u32::from(*pixel)).sum();
        *number = (sum as f32 / area).round_ties_even() / 127.5 - 1.0;
    }
}

/// Draws every pixel towards the mean of its 2 × 2 pixels.
fn soften(plane: &mut [f32], width: usize, share: f32) {
    for rows in plane.chunks_exact_mut(2 * width.max(1)) {
        let (upper, lower) = rows.split_at_mut(width);
        for (upper, lower) in upper.chunks_exact_mut(2).zip(lower.chunks_exact_mut(2)) {
            let mean = (upper.iter().sum::<f32>() + lower.iter().sum::<f32>()) / 4.0;
            for pixel in upper.iter_mut().chain(lower) {
                *pixel += (mean - *pixel) * share;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_resolution_has_rounded_means_and_fades_from_the_one_below() {
        let images = vec![0, 1, 10, 10, 0, 2, 10, 30, 100, 100, 0, 0, 100, 100, 0, 255];
        let shard = Shard { images: images.into(), channels: 1, height: 4, width: 4, patients: vec![0], ..Shard::default() };
        let level = |grey: f32| grey / 127.5 - 1.0;
        let mut half = [0.0; 4];
        fill(&shard, &[0], Detail { halvings: 1, progress: 1.0 }, &mut half);
        // Means 0.75, 15, 100, 63.75.
        assert_eq!(half, [1.0, 15.0, 100.0, 64.0].map(level));
        fill(&shard, &[0], Detail { halvings: 1, progress: 0.25 }, &mut half);
        for (found, grey) in half.iter().zip([1.0, 15.0, 100.0, 64.0]) {
            assert!((found - level(grey * 0.25 + 45.0 * 0.75)).abs() < 1e-6, "{found} {grey}");
        }
        let mut full = [0.0; 16];
        fill(&shard, &[0], Detail::FULL, &mut full);
        assert_eq!(full[15], 1.0);
    }
}
