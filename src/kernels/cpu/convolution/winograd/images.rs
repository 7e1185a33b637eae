//! From images to tiles at the points of the interpolation, and back.
//!
//! A vector is the same tile of eight images: lanes are full on planes of any size, and neither borders nor overlaps need
//! lanes to be moved. Tiles are counted `[eight images][tile row][tile column]`.

use std::marker::PhantomData;

use super::super::vector::{Kernel, LANES, Vector};
use super::product::PANEL;
use super::transform::{POINTS, RESULTS, Results, Transform};

/// Neighbouring tiles handled at once.
const RUN: usize = 8;
/// Pixels of a row that they and their borders span, and room for what a store writes beyond.
const ROW: usize = RUN * RESULTS + 2 + LANES;

/// Planes of a batch: a group's channels of each image follow one another.
#[derive(Clone, Copy, Debug)]
pub struct Planes {
    /// Images in the batch.
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    /// Numbers of an image, all groups of channels included.
    pub image_len: usize,
}

impl Planes {
    /// Vectors of tiles, when the planes are results.
    pub fn vectors(&self) -> usize {
        self.batch.div_ceil(LANES) * self.tile_rows() * self.tile_columns()
    }

    fn tile_rows(&self) -> usize {
        self.height.div_ceil(RESULTS)
    }

    fn tile_columns(&self) -> usize {
        self.width.div_ceil(RESULTS)
    }

    /// The run of neighbouring tiles that begins `done` after vector `first`, of the `count` from there on.
    #[inline(always)]
    fn run(&self, first: usize, count: usize, done: usize) -> Run {
        let (rows, columns) = (self.tile_rows(), self.tile_columns());
        let (row, column) = ((first + done) / columns, (first + done) % columns);
        let tiles = RUN.min(columns - column).min(count - done);
        let image = row / rows * LANES;
        let images = LANES.min(self.batch - image);
        Run { image, images, y: row % rows * RESULTS, x: column * RESULTS, tiles, vector: done }
    }
}

/// Neighbouring tiles of eight images (or fewer, at the batch's end).
struct Run {
    image: usize,
    images: usize,
    /// The first tile's first result.
    y: usize,
    x: usize,
    tiles: usize,
    /// The first tile's number among those asked for.
    vector: usize,
}

/// Where a vector of tiles lies: `start + point · point_len + channel · channel_len + vector / 2 · pair_len + vector % 2 · 8`.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub point_len: usize,
    pub channel_len: usize,
    pub pair_len: usize,
}

impl Layout {
    #[inline(always)]
    fn offset(&self, channel: usize, vector: usize) -> usize {
        channel * self.channel_len + vector / 2 * self.pair_len + vector % 2 * LANES
    }
}

/// Transforms tiles of `SIDE` × `SIDE` pixels, four pixels apart, by `T`.
///
/// `to` is valid for all numbers that `layout` gives.
pub struct Gather<'a, T, const SIDE: usize> {
    /// Images from the first channel on.
    pub images: &'a [f32],
    pub planes: Planes,
    /// The planes that determine the tiles.
    pub results: Planes,
    /// Zeros before a plane's first row, and before its first column.
    pub padding: [usize; 2],
    /// The first of `channels` channels.
    pub channel: usize,
    pub channels: usize,
    /// The first of `vectors` vectors.
    pub vector: usize,
    pub vectors: usize,
    pub to: *mut f32,
    pub layout: Layout,
    pub transform: PhantomData<T>,
}

impl<T: Transform<SIDE, POINTS>, const SIDE: usize> Kernel for Gather<'_, T, SIDE> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let mut pixels = [[[0.0; LANES]; ROW]; SIDE];
        let mut columns = [[[0.0; LANES]; ROW]; POINTS];
        for channel in 0..self.channels {
            let mut done = 0;
            while done < self.vectors {
                let run = self.results.run(self.vector, self.vectors, done);
                done += run.tiles;
                let width = run.tiles * RESULTS + SIDE - RESULTS;
                // SAFETY: `width` vectors and eight more fit a row; the rest is the caller's.
                unsafe {
                    for (row, pixels) in pixels.iter_mut().enumerate() {
                        self.load_row::<V>(channel, &run, row, width, pixels);
                    }
                    for x in 0..width {
                        let mut column = [V::zero(); SIDE];
                        for y in 0..SIDE {
                            column[y] = V::load(pixels[y][x].as_ptr());
                        }
                        let column = T::apply(column);
                        for y in 0..POINTS {
                            column[y].store(columns[y][x].as_mut_ptr());
                        }
                    }
                    for tile in 0..run.tiles {
                        let mut to = self.to.add(self.layout.offset(channel, run.vector + tile));
                        for row in &columns {
                            let mut values = [V::zero(); SIDE];
                            for x in 0..SIDE {
                                values[x] = V::load(row[tile * RESULTS + x].as_ptr());
                            }
                            let values = T::apply(values);
                            for x in 0..POINTS {
                                values[x].store(to);
                                to = to.wrapping_add(self.layout.point_len);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl<T, const SIDE: usize> Gather<'_, T, SIDE> {
    /// Writes `width` pixels of a run's row to `pixels` `[pixel][image]`, zeros outside the plane.
    #[inline(always)]
    unsafe fn load_row<V: Vector>(&self, channel: usize, run: &Run, row: usize, width: usize, pixels: &mut [[f32; LANES]; ROW]) {
        let Planes { height, width: plane_width, image_len, .. } = self.planes;
        let [above, left] = self.padding;
        // SAFETY: stores go to the row; loads of eight numbers are checked below.
        unsafe {
            let inside = above <= run.y + row && run.y + row < above + height;
            let (start, end) = if inside {
                (left.saturating_sub(run.x), width.min((plane_width + left).saturating_sub(run.x)))
            } else {
                (width, width)
            };
            for pixel in &mut pixels[..start] {
                V::zero().store(pixel.as_mut_ptr());
            }
            if inside {
                let plane = (self.channel + channel) * height * plane_width;
                let from = run.image * image_len + plane + (run.y + row - above) * plane_width + run.x;
                for x in (start..end).step_by(LANES) {
                    let from = from + x - left;
                    let to = pixels[x..].as_mut_ptr().cast::<f32>();
                    if from + (run.images - 1) * image_len + LANES <= self.images.len() {
                        let mut rows = [V::zero(); LANES];
                        for image in 0..run.images {
                            rows[image] = V::load(self.images.as_ptr().add(from + image * image_len));
                        }
                        let columns = V::transpose(rows);
                        for pixel in 0..LANES {
                            columns[pixel].store(to.add(pixel * LANES));
                        }
                    } else {
                        let count = LANES.min(end - x);
                        for pixel in 0..count {
                            for image in 0..LANES {
                                let place = from + image * image_len + pixel;
                                pixels[x + pixel][image] = if image < run.images { self.images[place] } else { 0.0 };
                            }
                        }
                    }
                }
            }
            for pixel in &mut pixels[end.max(start)..width] {
                V::zero().store(pixel.as_mut_ptr());
            }
        }
    }
}

/// Transforms sums at the points to results, and puts them where they belong.
///
/// `from` is valid for all numbers that `layout` gives, and nobody else touches the results' channels `channel` and
/// following of these tiles.
pub struct PutBack {
    pub from: *const f32,
    pub layout: Layout,
    pub results: Planes,
    /// Where the first image's first channel begins.
    pub to: *mut f32,
    pub channel: usize,
    pub channels: usize,
    pub vector: usize,
    pub vectors: usize,
}

impl Kernel for PutBack {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let mut pixels = [[[0.0; LANES]; RUN * RESULTS]; RESULTS];
        for channel in 0..self.channels {
            let mut done = 0;
            while done < self.vectors {
                let run = self.results.run(self.vector, self.vectors, done);
                done += run.tiles;
                // SAFETY: a run's tiles fit the rows; the rest is the caller's.
                unsafe {
                    for tile in 0..run.tiles {
                        let from = self.from.add(self.layout.offset(channel, run.vector + tile));
                        let mut columns = [[V::zero(); POINTS]; RESULTS];
                        for x in 0..POINTS {
                            let mut column = [V::zero(); POINTS];
                            for y in 0..POINTS {
                                column[y] = V::load(from.add((y * POINTS + x) * self.layout.point_len));
                            }
                            let column = Results::apply(column);
                            for y in 0..RESULTS {
                                columns[y][x] = column[y];
                            }
                        }
                        for y in 0..RESULTS {
                            let row = Results::apply(columns[y]);
                            for x in 0..RESULTS {
                                row[x].store(pixels[y][tile * RESULTS + x].as_mut_ptr());
                            }
                        }
                    }
                    self.store_rows::<V>(channel, &run, &pixels);
                }
            }
        }
    }
}

impl PutBack {
    #[inline(always)]
    unsafe fn store_rows<V: Vector>(&self, channel: usize, run: &Run, pixels: &[[[f32; LANES]; RUN * RESULTS]; RESULTS]) {
        let Planes { height, width, image_len, .. } = self.results;
        let count = (run.tiles * RESULTS).min(width - run.x);
        let to = run.image * image_len + (self.channel + channel) * height * width + run.y * width + run.x;
        for (y, row) in pixels.iter().enumerate().take(height - run.y) {
            for x in (0..count).step_by(LANES) {
                let to = to + y * width + x;
                // SAFETY: `x` is below the row's length, a multiple of eight; the results are the caller's.
                unsafe {
                    let from = row[x..].as_ptr().cast::<f32>();
                    let mut columns = [V::zero(); LANES];
                    for pixel in 0..LANES {
                        columns[pixel] = V::load(from.add(pixel * LANES));
                    }
                    let columns = V::transpose(columns);
                    for image in 0..run.images {
                        let to = self.to.add(to + image * image_len);
                        if count - x >= LANES {
                            columns[image].store(to);
                        } else {
                            let mut numbers = [0.0; LANES];
                            columns[image].store(numbers.as_mut_ptr());
                            // A row of results as a rule, which is one store; a copy of any length is a call.
                            match (numbers.first_chunk::<RESULTS>(), count - x) {
                                (Some(row), RESULTS) => to.cast::<[f32; RESULTS]>().write_unaligned(*row),
                                (_, rest) => to.copy_from_nonoverlapping(numbers.as_ptr(), rest),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The layout of a block of `vectors` vectors of tiles as the right side of products: `[point][panel][channel][16]`.
pub const fn panels(channels: usize, vectors: usize) -> Layout {
    Layout { point_len: spread(vectors.div_ceil(2) * channels * PANEL), channel_len: PANEL, pair_len: channels * PANEL }
}

/// The layout of tiles as rows: `[point][channel][vector]`.
pub const fn rows(channels: usize, vectors: usize) -> Layout {
    let channel_len = spread(vectors * LANES);
    Layout { point_len: spread(channels * channel_len), channel_len, pair_len: PANEL }
}

/// The least odd multiple of a cache line that has room for `numbers`: what lies so far apart does not compete for the
/// same lines of the cache.
pub const fn spread(numbers: usize) -> usize {
    const LINE: usize = 16;
    (numbers.div_ceil(LINE) | 1) * LINE
}
