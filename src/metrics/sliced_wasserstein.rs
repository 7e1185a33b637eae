//! The sliced Wasserstein distance (Rabin et al. 2011): the mean over random directions of the distance between two sets of points
//! projected on them, which in one dimension is the mean distance of what stands at the same place when both are sorted. Of images
//! (Karras et al. 2018, section 5) the points are patches of 7×7 pixels of each level of a Laplacian pyramid (Burt and Adelson 1983),
//! down to 16 pixels, brought to mean 0 and deviation 1 over each set and channel; distances are told times 1000.

use crate::kernels::cpu::matmul::{Operands, add_product};
use crate::kernels::cpu::sorting::sort;
use crate::kernels::cpu::windows::Plane;
use crate::random::Key;
use rayon::prelude::*;

/// Rows and columns of a patch.
const PATCH: usize = 7;
/// Patches of each image at each level.
const PATCHES: usize = 128;
/// Random directions.
const DIRECTIONS: usize = 512;
/// The smallest level has at least so many rows.
const SMALLEST: usize = 16;
/// Directions that are projected on together.
const TOGETHER: usize = 4;
/// What distances are multiplied by.
const SCALE: f64 = 1e3;
/// The weights of a blur of five pixels.
const BLUR: [f64; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// The mean over directions of the distance between points `[n, d]` and `[m, d]`; `directions` are `[d, count]` of any length.
///
/// `None` where a set is empty or there is no direction.
pub fn sliced_wasserstein(one: &[f32], other: &[f32], d: usize, directions: &[f32]) -> Option<f64> {
    let count = directions.len().checked_div(d)?;
    if count == 0 || one.len() < d || other.len() < d {
        return None;
    }
    let starts: Vec<usize> = (0..count).step_by(TOGETHER).collect();
    let distances = |buffers: &mut [Vec<f32>; 2], spare: &mut Vec<u32>, start: usize| -> f64 {
        let end = (start + TOGETHER).min(count);
        for (points, buffer) in [one, other].into_iter().zip(buffers.iter_mut()) {
            project(points, d, directions, count, start..end, buffer);
        }
        let [first, second] = buffers;
        let (n, m) = (one.len() / d, other.len() / d);
        let columns = first.chunks_exact_mut(n).zip(second.chunks_exact_mut(m));
        columns
            .map(|(a, b)| {
                sort(a, spare);
                sort(b, spare);
                between_sorted(a, b)
            })
            .sum()
    };
    let sums: Vec<f64> = starts
        .par_iter()
        .map_init(|| (Default::default(), Vec::new()), |(buffers, spare), start| distances(buffers, spare, *start))
        .collect();
    Some(sums.iter().sum::<f64>() / count as f64)
}

/// The points on some directions, `[directions, n]`.
fn project(points: &[f32], d: usize, directions: &[f32], count: usize, some: std::ops::Range<usize>, out: &mut Vec<f32>) {
    let wanted: Vec<f32> =
        directions.chunks_exact(count).flat_map(|row| row.get(some.clone()).unwrap_or_default().iter().copied()).collect();
    let n = points.len() / d;
    out.clear();
    out.resize(n * some.len(), 0.0);
    let operands = Operands { m: some.len(), k: d, n, a: &wanted, transpose_a: true, b: points, transpose_b: true };
    add_product(&operands, 1.0, out, true);
}

/// The area between the distribution functions of two sorted lists; of equally long ones the mean distance of their elements.
fn between_sorted(a: &[f32], b: &[f32]) -> f64 {
    if a.len() == b.len() {
        let distance = |(a, b): (&f32, &f32)| f64::from((a - b).abs());
        return a.iter().zip(b).map(distance).sum::<f64>() / a.len() as f64;
    }
    // The steps of either function, in units of 1 / (n m).
    let (mut i, mut j, mut done, mut area) = (0, 0, 0, 0.0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let (next_a, next_b) = ((i + 1) * b.len(), (j + 1) * a.len());
        let next = next_a.min(next_b);
        area += f64::from((x - y).abs()) * (next - done) as f64;
        done = next;
        i += usize::from(next_a == next);
        j += usize::from(next_b == next);
    }
    area / (a.len() * b.len()) as f64
}

/// The distance of two sets of images at each level, the largest first, and their mean. `one` and `other` give an image's channels by
/// its number. `None` without images, or where images have fewer rows or columns than a patch.
pub fn of_images(
    [n, m]: [usize; 2],
    one: impl Fn(usize) -> Vec<Plane> + Sync,
    other: impl Fn(usize) -> Vec<Plane> + Sync,
    key: &Key,
) -> Option<(Vec<f64>, f64)> {
    let first = (n > 0 && m > 0).then(|| one(0))?;
    let levels = levels(first.first()?.height.min(first.first()?.width))?;
    let d = first.len() * PATCH * PATCH;
    let mut distances = Vec::new();
    for level in 0..levels {
        let key = key.with("sliced wasserstein").with_index(level as u64);
        // Patches lie at the same places in both sets, so that a set is at no distance from itself.
        let of_set = |count: usize, image: &(dyn Fn(usize) -> Vec<Plane> + Sync)| {
            let mut points = patches(count, image, level, levels, &key.with("patches"))?;
            standardise(&mut points, d);
            Some(points)
        };
        let (a, b) = (of_set(n, &one)?, of_set(m, &other)?);
        distances.push(SCALE * sliced_wasserstein(&a, &b, d, &directions(d, &key.with("directions")))?);
    }
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    Some((distances, mean))
}

/// How many levels there are: halves until 16 rows are left; `None` where not even one patch fits.
fn levels(rows: usize) -> Option<usize> {
    let halves = std::iter::successors(Some(rows), |rows| Some(rows / 2)).take_while(|rows| *rows >= SMALLEST).count();
    (rows >= PATCH).then_some(halves.max(1))
}

/// Random unit vectors, `[d, 512]`.
fn directions(d: usize, key: &Key) -> Vec<f32> {
    let mut directions = vec![0.0; d * DIRECTIONS];
    key.fill_normal(&mut directions);
    let mut squares = vec![0.0_f64; DIRECTIONS];
    for row in directions.chunks_exact(DIRECTIONS) {
        squares.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) * f64::from(*value));
    }
    for row in directions.chunks_exact_mut(DIRECTIONS) {
        row.iter_mut().zip(&squares).for_each(|(value, square)| *value = (f64::from(*value) / square.sqrt()) as f32);
    }
    directions
}

/// Random patches of a level of each image's pyramid, `[images · 128, channels · 49]`.
fn patches(
    count: usize,
    image: &(dyn Fn(usize) -> Vec<Plane> + Sync),
    level: usize,
    levels: usize,
    key: &Key,
) -> Option<Vec<f32>> {
    let of_image = |index: usize| -> Option<Vec<f32>> {
        let channels: Vec<Plane> = image(index).into_iter().map(|plane| pyramid_level(plane, level, levels)).collect();
        let (height, width) = (channels.first()?.height, channels.first()?.width);
        let (down, right) = ((height + 1).checked_sub(PATCH)?, (width + 1).checked_sub(PATCH)?);
        let key = key.with_index(index as u64);
        let mut patches = Vec::with_capacity(PATCHES * channels.len() * PATCH * PATCH);
        for patch in 0..PATCHES as u64 {
            let (y, x) = (key.below(2 * patch, down as u64) as usize, key.below(2 * patch + 1, right as u64) as usize);
            for plane in &channels {
                for row in 0..PATCH {
                    let start = (y + row) * width + x;
                    patches.extend(plane.pixels.get(start..start + PATCH)?.iter().map(|pixel| *pixel as f32));
                }
            }
        }
        Some(patches)
    };
    let images: Option<Vec<Vec<f32>>> = (0..count).into_par_iter().map(of_image).collect();
    Some(images?.concat())
}

/// One level of the Laplacian pyramid: what is lost when the image is halved and doubled again, and at the last level the image.
fn pyramid_level(mut plane: Plane, level: usize, levels: usize) -> Plane {
    for _ in 0..level {
        plane = down(&plane);
    }
    if level + 1 == levels {
        return plane;
    }
    let up = up(&down(&plane), plane.height, plane.width);
    plane.combined(&up, |pixel, known| pixel - known)
}

/// Blurred, and every second pixel of every second row.
fn down(plane: &Plane) -> Plane {
    let blurred = bordered(plane).means(&BLUR);
    let (height, width) = (plane.height / 2, plane.width / 2);
    let rows = blurred.pixels.chunks_exact(plane.width.max(1)).step_by(2).take(height);
    Plane::new(height, width, rows.flat_map(|row| row.iter().step_by(2).take(width).copied()).collect())
}

/// Pixels four times as strong with zeros between them, blurred.
fn up(plane: &Plane, height: usize, width: usize) -> Plane {
    let mut pixels = vec![0.0; height * width];
    for (row, wide) in plane.pixels.chunks_exact(plane.width.max(1)).zip(pixels.chunks_exact_mut(width.max(1)).step_by(2)) {
        wide.iter_mut().step_by(2).zip(row).for_each(|(wide, pixel)| *wide = 4.0 * pixel);
    }
    bordered(&Plane::new(height, width, pixels)).means(&BLUR)
}

/// With two more pixels on each side, mirrored about the edge pixels, as SciPy's `mirror` does it.
fn bordered(plane: &Plane) -> Plane {
    let mirrored = |at: usize, size: usize| -> usize {
        let period = 2 * size.max(2) as i64 - 2;
        let at = (at as i64 - 2).rem_euclid(period);
        at.min(period - at) as usize
    };
    let (height, width) = (plane.height + 4, plane.width + 4);
    let columns: Vec<usize> = (0..width).map(|x| mirrored(x, plane.width)).collect();
    let pixel = |y: usize, x: usize| plane.pixels.get(y * plane.width + x).copied().unwrap_or(0.0);
    let row = |y: usize| {
        let y = mirrored(y, plane.height);
        columns.iter().map(move |x| pixel(y, *x))
    };
    Plane::new(height, width, (0..height).flat_map(row).collect())
}

/// Brings each channel of all patches to mean 0 and deviation 1.
fn standardise(points: &mut [f32], d: usize) {
    let size = PATCH * PATCH;
    for channel in 0..d / size {
        let of_channel = |point: &[f32]| -> Vec<f64> {
            point.get(channel * size..(channel + 1) * size).unwrap_or_default().iter().map(|value| f64::from(*value)).collect()
        };
        // Sums over stretches of equal length, in their order.
        let sums: Vec<(f64, f64)> = points
            .par_chunks(4096 * d)
            .map(|stretch| {
                let values = stretch.chunks_exact(d).flat_map(of_channel);
                values.fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value))
            })
            .collect();
        let n = (points.len() / d * size) as f64;
        let (sum, squares) = sums.iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
        let mean = sum / n;
        let deviation = (squares / n - mean * mean).max(0.0).sqrt();
        // A channel of one colour has nothing to compare but that.
        let scale = if deviation > 0.0 { 1.0 / deviation } else { 1.0 };
        points.par_chunks_mut(d).for_each(|point| {
            let part = point.get_mut(channel * size..(channel + 1) * size).unwrap_or_default();
            part.iter_mut().for_each(|value| *value = ((f64::from(*value) - mean) * scale) as f32);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{D, fake, image, near, real, uniform};

    /// 32 directions of splitmix64, with numpy in f64.
    #[test]
    fn agrees_with_numpy_on_given_directions() {
        let mut directions: Vec<f64> = (0..D * 32).map(|index| 2.0 * uniform(9, index as u64) - 1.0).collect();
        for column in 0..32 {
            let length = (0..D).map(|row| directions[row * 32 + column].powi(2)).sum::<f64>().sqrt();
            (0..D).for_each(|row| directions[row * 32 + column] /= length);
        }
        let directions: Vec<f32> = directions.iter().map(|value| *value as f32).collect();
        near(sliced_wasserstein(&fake(), &real(), D, &directions).unwrap(), 0.146_116_118_869_651, 1e-6);
        assert_eq!(sliced_wasserstein(&real(), &real(), D, &directions), Some(0.0));
        assert_eq!(sliced_wasserstein(&[], &real(), D, &directions), None);
    }

    #[test]
    fn lists_of_unequal_length_are_compared_by_their_functions() {
        // 0, 0, 1, 1 against 0, 1 is no distance; a shift by 2 is one of 2.
        assert_eq!(between_sorted(&[0.0, 0.0, 1.0, 1.0], &[0.0, 1.0]), 0.0);
        assert_eq!(between_sorted(&[2.0, 3.0], &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), 2.0);
        assert!((between_sorted(&[0.0, 1.0, 2.0], &[0.0, 1.0]) - (1.0 / 6.0 + 1.0 / 3.0)).abs() < 1e-12);
    }

    /// scipy.ndimage.convolve with `mirror`: the gradient x on 8 pixels, halved, is (0.75, 2, 4, 5.875), and doubled again 1.375 at 1.
    #[test]
    fn pyramids_are_those_of_progressive_growing() {
        let ramp = Plane::new(8, 8, (0..64).map(|i| f64::from(i % 8)).collect());
        let half = down(&ramp);
        assert_eq!(half.pixels[..4], [0.75, 2.0, 4.0, 5.875]);
        let whole = up(&half, 8, 8);
        near(whole.pixels[1], 0.5 * (0.75 + 2.0), 1e-12);
        let level = pyramid_level(ramp, 0, 2);
        assert!(level.pixels[3].abs() < 1e-12 && (level.pixels[1] + 0.375).abs() < 1e-12);
        assert_eq!((levels(64), levels(128), levels(16), levels(7), levels(6)), (Some(3), Some(4), Some(1), Some(1), None));
    }

    #[test]
    fn images_are_at_no_distance_from_themselves_and_threads_change_nothing() {
        let images = |shift: f64| {
            move |index: usize| {
                let pixels =
                    image(index as u64, 32).iter().map(|pixel| if shift > 0.0 { pixel.powf(shift) } else { *pixel }).collect();
                vec![Plane::new(32, 32, pixels)]
            }
        };
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| of_images([12, 9], images(0.0), images(0.5), &Key::new(1)).unwrap())
        };
        let (levels, mean) = run(1);
        assert!(levels.len() == 2 && mean > 0.0);
        assert!([2, 3, 7].into_iter().all(|threads| run(threads) == (levels.clone(), mean)));
        let (_, own) = of_images([12, 12], images(0.0), images(0.0), &Key::new(1)).unwrap();
        assert_eq!(own, 0.0);
    }
}
