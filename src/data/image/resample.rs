//! Resizing with an antialiasing triangle filter (the "bilinear" of Pillow, and of PyTorch with `antialias`): a pixel of the
//! result is a weighted mean of the pixels around its place, over a triangle as wide as two pixels of the smaller image.
//! A few rows of the result at a time, which stay in the nearest cache: the old rows are added up into them, then the columns of all of
//! them side by side. All sums are in single precision, in one fixed order, and nothing is rounded between the two passes.

/// The weights that make one pixel of the result: those of `weights.len()` pixels from `first` on. Their sum is 1.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// For every pixel of a result of `to` pixels, its place in `from` pixels.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    (0..to)
        .map(|index| {
            let centre = (index as f64 + 0.5) * scale;
            let first = (centre - support).floor().max(0.0) as usize;
            let last = ((centre + support).ceil() as usize).min(from);
            let mut weights: Vec<f64> =
                (first..last).map(|at| (1.0 - ((at as f64 + 0.5 - centre) / support).abs()).max(0.0)).collect();
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
            let skipped = weights.iter().take_while(|weight| **weight == 0.0).count();
            let weights = weights.into_iter().skip(skipped).map(|weight| weight as f32);
            Taps { first: first + skipped, weights: weights.collect() }
        })
        .collect()
}

impl Taps {
    /// The weight of the pixel at a place, where it has one.
    fn weight(&self, at: usize) -> Option<f32> {
        self.weights.get(at.checked_sub(self.first)?).copied()
    }
}

/// Rows of the result that are made together, as many as a vector of the processor is wide.
const ABREAST: usize = 8;

/// Resizes `width` × `height` numbers to `size` × `size`. `fill(row, numbers)` gives one row of the old image; it is asked again for
/// those on which two stretches of the result rest.
pub fn resample(width: usize, height: usize, size: usize, mut fill: impl FnMut(usize, &mut [f32])) -> Vec<f32> {
    let mut result = vec![0f32; size * size];
    if (width, height) == (size, size) {
        result.chunks_exact_mut(size).enumerate().for_each(|(row, numbers)| fill(row, numbers));
        return result;
    }
    let (across, down) = (taps(width, size), taps(height, size));
    let mut line = vec![0f32; width];
    let mut rows = vec![0f32; ABREAST * width];
    let mut columns = vec![[0f32; ABREAST]; width];
    for (down, numbers) in down.chunks(ABREAST).zip(result.chunks_mut(ABREAST * size)) {
        rows.fill(0.0);
        let begin = down.first().map_or(0, |taps| taps.first);
        let end = down.last().map_or(0, |taps| taps.first + taps.weights.len());
        for at in begin..end {
            fill(at, &mut line);
            for (row, taps) in rows.chunks_exact_mut(width).zip(down) {
                if let Some(weight) = taps.weight(at) {
                    row.iter_mut().zip(&line).for_each(|(sum, value)| *sum += weight * value);
                }
            }
        }
        for (place, row) in rows.chunks_exact(width).enumerate() {
            for (column, value) in columns.iter_mut().zip(row) {
                if let Some(number) = column.get_mut(place) {
                    *number = *value;
                }
            }
        }
        for (x, taps) in across.iter().enumerate() {
            let mut sums = [0f32; ABREAST];
            for (weight, column) in taps.weights.iter().zip(columns.iter().skip(taps.first)) {
                sums.iter_mut().zip(column).for_each(|(sum, value)| *sum += weight * value);
            }
            numbers.iter_mut().skip(x).step_by(size).zip(sums).for_each(|(number, sum)| *number = sum);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(image: &[f32], width: usize, size: usize) -> Vec<f32> {
        resample(width, image.len() / width, size, |row, numbers| numbers.copy_from_slice(&image[row * width..(row + 1) * width]))
    }

    /// Every pixel by the definition, in double precision.
    fn reference(image: &[f32], width: usize, size: usize) -> Vec<f64> {
        let height = image.len() / width;
        let weight = |from: usize, to: usize, index: usize, at: usize| {
            let scale = from as f64 / to as f64;
            (1.0 - ((at as f64 + 0.5 - (index as f64 + 0.5) * scale) / scale.max(1.0)).abs()).max(0.0)
        };
        let mut result = Vec::new();
        for place in 0..size * size {
            let (mut sum, mut total) = (0.0, 0.0);
            for (at, value) in image.iter().enumerate() {
                let both = weight(height, size, place / size, at / width) * weight(width, size, place % size, at % width);
                sum += both * f64::from(*value);
                total += both;
            }
            result.push(sum / total);
        }
        result
    }

    #[test]
    fn any_size_is_the_weighted_mean_of_the_definition() {
        for (width, height, size) in [(40, 31, 8), (7, 9, 16), (16, 16, 16), (5, 64, 5), (1, 1, 4), (33, 2, 4)] {
            let image: Vec<f32> = (0..width * height).map(|at| ((at * 7919) % 251) as f32).collect();
            for (ours, theirs) in resized(&image, width, size).iter().zip(reference(&image, width, size)) {
                assert!((f64::from(*ours) - theirs).abs() < 1e-3, "{width}×{height} → {size}: {ours} {theirs}");
            }
        }
    }
}
