//! The way for rows of a multiple of eight pixels and stride 1: a vector is eight neighbouring pixels of one image.
//!
//! A band of an image's rows is copied with its padding to a thread's workspace, small enough for the cache, and tiles of
//! the destination read the kernel's places at shifted pointers: nothing is copied once for every place, as im2col does.
//! Kernels of 1×1 read the images where they are.

use super::pass::Pass;
use super::plain::inside;
use super::tasks::{Shared, share_out};
use super::tile::{ChannelTiles, TILE_VECTORS, Tap, Tile, tile_function, vectors_for};
use super::vector::{InstructionSet, LANES};

/// Most places of the kernel; larger kernels take the other way.
const MOST_TAPS: usize = 64;
/// A band's copy should not be larger, in numbers: with the packed weights it must fit the second-level cache.
const BAND_NUMBERS: usize = 40 * 1024;
/// There should be at least so many bands in all, so that every thread has some.
const LEAST_BANDS: usize = 16;
/// Packed weights of at most so many numbers stay in the second-level cache while all tiles of channels pass over them.
const CACHED_WEIGHTS: usize = 64 * 1024;

/// How a pass is cut into bands of rows.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Whether the source is read where it is.
    direct: bool,
    /// Rows of the destination.
    height: usize,
    /// Vectors in a row of the destination.
    row_vectors: usize,
    /// Numbers in a row of the padded source.
    padded_width: usize,
    /// Zero rows above the first pixel, and zeros before it in its row.
    padding: [usize; 2],
    /// Rows of the padded source beyond those of the destination.
    overhang: usize,
    band_rows: usize,
    bands: usize,
}

impl Rows {
    /// The bands of `pass`, or nothing when its sizes do not allow this way.
    pub fn plan(pass: &Pass) -> Option<Rows> {
        let reach = [0, 1].map(|direction| (pass.kernel[direction] - 1) * pass.dilation[direction]);
        let padding = if pass.transposed {
            [reach[0].checked_sub(pass.padding[0])?, reach[1].checked_sub(pass.padding[1])?]
        } else {
            pass.padding
        };
        if pass.stride != [1, 1] || pass.places() > MOST_TAPS || pass.destination_plane() == 0 {
            return None;
        }
        let direct = pass.places() == 1 && padding == [0, 0];
        let plane = pass.destination_plane();
        let (height, width) = if direct { (plane / LANES, LANES) } else { (pass.destination_height, pass.destination_width) };
        if height * width != plane || !width.is_multiple_of(LANES) {
            return None;
        }
        let [overhang, beside] = reach;
        let padded_width = width + beside;
        let copied = if direct { 0 } else { pass.source_channels * (height + overhang) * padded_width };
        let wanted = LEAST_BANDS.div_ceil((pass.batch * pass.groups).max(1)).max(copied.div_ceil(BAND_NUMBERS));
        let band_rows = height.div_ceil(wanted);
        let bands = height.div_ceil(band_rows);
        Some(Rows { direct, height, row_vectors: width / LANES, padded_width, padding, overhang, band_rows, bands })
    }

    /// Numbers of workspace that a worker needs.
    pub fn band_len(&self, pass: &Pass) -> usize {
        if self.direct { 0 } else { pass.source_channels * self.padded_plane(self.band_rows) }
    }

    fn padded_plane(&self, rows: usize) -> usize {
        (rows + self.overhang) * self.padded_width
    }

    /// Whether the source is read where it is.
    pub fn is_direct(&self) -> bool {
        self.direct
    }

    /// The vectors that begin a destination plane's rows: where vector `index` begins in a padded source plane.
    pub fn vector_offset(&self, index: usize) -> usize {
        (index / self.row_vectors) * self.padded_width + (index % self.row_vectors) * LANES
    }

    /// Numbers of a whole image's padded copy, of one channel.
    pub fn image_plane(&self) -> usize {
        self.padded_plane(self.height)
    }

    /// Where a place of the kernel (counted from the end in a transposed pass) reads, from where the first one does.
    pub fn shift(&self, pass: &Pass, place: usize) -> usize {
        place / pass.kernel[1] * pass.dilation[0] * self.padded_width + place % pass.kernel[1] * pass.dilation[1]
    }

    /// Copies what `rows` rows of the destination, from `first` on, need of `image` `[c, h, w]` to `band`
    /// `[c, rows + overhang, padded_width]`, zeros around it.
    pub fn copy_band(&self, pass: &Pass, image: &[f32], first: usize, rows: usize, band: &mut [f32]) {
        let width = pass.source_width;
        let plane = self.padded_plane(rows);
        for (channel, copy) in image.chunks_exact(pass.source_plane()).zip(band.chunks_exact_mut(plane)) {
            for (row, copy) in copy.chunks_exact_mut(self.padded_width).enumerate() {
                zero_row(copy);
                if let Some(row) = inside(first + row, self.padding[0], pass.source_height) {
                    copy_row(&channel[row * width..(row + 1) * width], &mut copy[self.padding[1]..self.padding[1] + width]);
                }
            }
        }
    }

    /// Carries out `pass` on `workers` threads; `bands` holds [`Rows::band_len`] numbers for each.
    #[expect(clippy::too_many_arguments, reason = "one call, with operands, result and workspace")]
    pub fn run(
        &self,
        pass: &Pass,
        instructions: InstructionSet,
        source: &[f32],
        weights: &[f32],
        destination: &mut [f32],
        bands: &mut [f32],
        workers: usize,
    ) {
        let band_len = self.band_len(pass);
        let (destination, bands) = (Shared::new(destination), Shared::new(bands));
        let image_len = pass.source_channels * pass.source_plane();
        let group_weights = pass.group_weight_len();
        // A group's channels follow one another, so the groups of an image are like images with other weights.
        share_out(pass.batch * pass.groups * self.bands, workers, |worker, index| {
            let (image, first) = (index / self.bands, index % self.bands * self.band_rows);
            let weights = &weights[image % pass.groups * group_weights..][..group_weights];
            let rows = self.band_rows.min(self.height - first);
            let from = &source[image * image_len..(image + 1) * image_len];
            let (band, channel_stride) = if self.direct {
                (&from[first * LANES..], pass.source_plane())
            } else {
                let plane = self.padded_plane(rows);
                // SAFETY: each worker has its own part, and runs one task at a time.
                let band = unsafe { bands.part(worker * band_len, pass.source_channels * plane) };
                self.copy_band(pass, from, first, rows, band);
                (&*band, plane)
            };
            let start = image * pass.destination_channels * pass.destination_plane() + first * self.row_vectors * LANES;
            self.fill_band(pass, instructions, band, channel_stride, weights, &destination, start, rows);
        });
    }

    /// Works out `rows` rows of all channels of one image; `start` is where the first channel's rows begin.
    #[expect(clippy::too_many_arguments, reason = "one call, from `run`")]
    fn fill_band(
        &self,
        pass: &Pass,
        instructions: InstructionSet,
        band: &[f32],
        channel_stride: usize,
        weights: &[f32],
        destination: &Shared,
        start: usize,
        rows: usize,
    ) {
        let mut taps = [Tap::default(); MOST_TAPS];
        let places = pass.places();
        for (place, tap) in taps[..places].iter_mut().enumerate() {
            let source = self.shift(pass, place);
            *tap = Tap { source, weight: if pass.transposed { places - 1 - place } else { place } };
        }
        let tiles = ChannelTiles::new(pass.destination_channels);
        let wide = vectors_for(tiles.largest());
        let vectors = rows * self.row_vectors;
        let steps = vectors / wide + vectors % wide;
        // Small weights stay in the cache, so a tile's inputs are used for all channels while they are in the first-level
        // cache; of large weights one tile's are used for all pixels instead.
        let block = if weights.len() <= CACHED_WEIGHTS { 1 } else { steps };
        for block_start in (0..steps).step_by(block) {
            for index in 0..tiles.count() {
                let (channel, size) = tiles.tile(index);
                let packed = weights[channel * pass.source_channels * places..].as_ptr();
                for step in block_start..(block_start + block).min(steps) {
                    let whole = vectors / wide;
                    let (first, count) = if step < whole { (step * wide, wide) } else { (whole * wide + step - whole, 1) };
                    let mut offsets = [0; TILE_VECTORS];
                    for (n, offset) in offsets[..count].iter_mut().enumerate() {
                        *offset = self.vector_offset(first + n);
                    }
                    let tile = Tile {
                        taps: &taps[..places],
                        channels: pass.source_channels,
                        channel_stride,
                        source: band.as_ptr(),
                        vectors: offsets,
                        weights: packed,
                        destination: destination.at(start + channel * pass.destination_plane() + first * LANES),
                        destination_stride: pass.destination_plane(),
                        accumulate: false,
                    };
                    // SAFETY: the processor has these instructions. A vector's offset plus a tap's lies in the band's
                    // `rows + overhang` padded rows of each channel (for a direct pass: in the image's plane); the packed
                    // weights hold this tile's `places · source_channels · size` numbers; the destination's rows
                    // `first..first + rows` of this image are this task's alone.
                    unsafe { tile_function(instructions, size, count)(&tile) };
                }
            }
        }
    }
}

/// Fills a row with zeros. Rows are short: a call of the system's fill, or copy, takes longer than the work itself.
fn zero_row(row: &mut [f32]) {
    let Some(last) = row.len().checked_sub(LANES) else { return row.fill(0.0) };
    for start in (0..last).step_by(LANES).chain([last]) {
        if let Some(row) = row[start..].first_chunk_mut::<LANES>() {
            *row = [0.0; LANES];
        }
    }
}

/// Copies a row, eight numbers at a time; the last eight may overlap those before.
fn copy_row(from: &[f32], to: &mut [f32]) {
    let Some(last) = from.len().checked_sub(LANES) else { return to.copy_from_slice(from) };
    for start in (0..last).step_by(LANES).chain([last]) {
        if let (Some(from), Some(to)) = (from[start..].first_chunk::<LANES>(), to[start..].first_chunk_mut::<LANES>()) {
            *to = *from;
        }
    }
}
