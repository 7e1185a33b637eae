//! The way for rows: a vector is eight neighbouring pixels of one image.
//!
//! A band of an image's rows is copied with its padding to a thread's workspace, small enough for the cache, and tiles of
//! the destination read the kernel's places at shifted pointers: nothing is copied once for every place, as im2col does.
//! Kernels of 1×1 read the images where they are.
//!
//! Vectors cut either each row, or the band as a whole, rows and what lies between them in the copy, whichever wastes less.
//! Where they do not end where a row does, the last one begins earlier; where that cannot be, results go to a scratch copy
//! first, from which the pixels are taken.

use super::layout::{Layout, MOST_TAPS};
use super::pass::Pass;
use super::tasks::{Shared, share_out};
use super::tile::{ChannelTiles, TILE_CHANNELS, TILE_VECTORS, Tap, Tile, tile_function, vectors_for};
use super::vector::{InstructionSet, LANES};

/// A band's copy should not be larger, in numbers: with the packed weights it must fit the second-level cache.
const BAND_NUMBERS: usize = 40 * 1024;
/// There should be at least so many tasks in all, so that every thread has some.
const LEAST_TASKS: usize = 16;
/// A band of fewer rows would copy too much twice.
const LEAST_ROWS: usize = 4;
/// Packed weights of at most so many numbers stay in the second-level cache while all tiles of channels pass over them.
const CACHED_WEIGHTS: usize = 64 * 1024;

/// How a pass is cut into bands of rows.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    layout: Layout,
    /// Whether the source is read where it is.
    direct: bool,
    /// Whether vectors cut a band as a whole, not each row.
    flat: bool,
    /// Whether results go to a scratch copy first.
    scratch: bool,
    band_rows: usize,
    bands: usize,
    /// Parts of the destination's channels that are tasks of their own.
    parts: usize,
}

/// One band of one image: where it lies, and which rows of a phase it is.
struct Band<'a> {
    source: &'a [f32],
    channel_stride: usize,
    weights: &'a [f32],
    /// The destination's image.
    image: usize,
    first: usize,
    rows: usize,
    /// The tiles of channels to work out.
    tiles: std::ops::Range<usize>,
}

impl Rows {
    /// The bands of `pass`, or nothing when its sizes do not allow this way.
    pub fn plan(pass: &Pass) -> Option<Rows> {
        let layout = Layout::new(pass)?;
        let Layout { height, width, segment, .. } = layout;
        let whole = (height - 1) * segment + width;
        let by_row = height * width.next_multiple_of(LANES);
        let in_one = layout.phases() == [1, 1];
        let direct = in_one && layout.is_identity(pass) && pass.places() == 1 && whole >= LANES;
        let seamless = in_one && segment == width && whole >= LANES;
        let flat = seamless || whole.next_multiple_of(LANES) < by_row;
        let scratch = !seamless && (!in_one || flat || width < LANES);
        let units = (pass.batch * pass.groups).max(1);
        let copied = if direct { 0 } else { pass.source_channels * layout.channel_len(height) };
        let least_rows = if direct { 2 * LANES.div_ceil(width) } else { LEAST_ROWS };
        let most_bands = (height / least_rows).max(1);
        let wanted = LEAST_TASKS.div_ceil(units).min(most_bands).max(copied.div_ceil(BAND_NUMBERS)).min(height);
        // The last band of a seamless copy must hold a vector.
        let band_rows = height.div_ceil(wanted);
        let last = height - (height.div_ceil(band_rows) - 1) * band_rows;
        let band_rows = if seamless && last * width < LANES { height } else { band_rows };
        let bands = height.div_ceil(band_rows);
        let tiles = ChannelTiles::new(pass.destination_channels).count();
        let parts = LEAST_TASKS.div_ceil(units * bands).clamp(1, tiles.max(1));
        Some(Rows { layout, direct, flat, scratch, band_rows, bands, parts })
    }

    /// The multiplications of one image and pair of channels, those of unused lanes included: each place of the kernel is in
    /// one phase.
    pub fn cost(&self, pass: &Pass) -> usize {
        pass.places() * self.vectors(self.layout.height) * LANES
    }

    /// Numbers of workspace that a worker needs.
    pub fn band_len(&self, pass: &Pass) -> usize {
        let copy = if self.direct { 0 } else { self.layout.copy_len(pass.source_channels, self.band_rows) };
        copy + if self.scratch { TILE_CHANNELS * self.vectors(self.band_rows) * LANES } else { 0 }
    }

    /// Vectors of `rows` rows.
    fn vectors(&self, rows: usize) -> usize {
        let Layout { width, segment, .. } = self.layout;
        if self.flat { ((rows - 1) * segment + width).div_ceil(LANES) } else { rows * width.div_ceil(LANES) }
    }

    /// Where vector `index` of `rows` rows begins in a slot, and where in the destination (or in the scratch copy).
    fn vector(&self, index: usize, rows: usize) -> (usize, usize) {
        let Layout { width, segment, .. } = self.layout;
        match (self.flat, self.scratch) {
            (true, true) => (index * LANES, index * LANES),
            (true, false) => {
                let start = (index * LANES).min((rows - 1) * segment + width - LANES);
                (start, start)
            }
            (false, _) => {
                let (row, x) = (index / width.div_ceil(LANES), index % width.div_ceil(LANES) * LANES);
                if self.scratch {
                    (row * segment + x, index * LANES)
                } else {
                    (row * segment + x.min(width - LANES), row * width + x.min(width - LANES))
                }
            }
        }
    }

    /// Carries out `pass` on `workers` threads; `workspace` holds [`Rows::band_len`] numbers for each.
    #[expect(clippy::too_many_arguments, reason = "one call, with operands, result and workspace")]
    pub fn run(
        &self,
        pass: &Pass,
        instructions: InstructionSet,
        source: &[f32],
        weights: &[f32],
        destination: &mut [f32],
        workspace: &mut [f32],
        workers: usize,
    ) {
        let band_len = self.band_len(pass);
        let (destination, workspace) = (Shared::new(destination), Shared::new(workspace));
        let image_len = pass.source_channels * pass.source_plane();
        let copy_len = if self.direct { 0 } else { self.layout.copy_len(pass.source_channels, self.band_rows) };
        let group_weights = pass.group_weight_len();
        let tiles = ChannelTiles::new(pass.destination_channels).count();
        // A group's channels follow one another, so the groups of an image are like images with other weights.
        share_out(pass.batch * pass.groups * self.bands * self.parts, workers, |worker, index| {
            let (index, part) = (index / self.parts, index % self.parts);
            let (image, first) = (index / self.bands, index % self.bands * self.band_rows);
            let rows = self.band_rows.min(self.layout.height - first);
            let from = &source[image * image_len..(image + 1) * image_len];
            // SAFETY: each worker has its own part, and runs one task at a time.
            let (copy, scratch) = unsafe { workspace.part(worker * band_len, band_len) }.split_at_mut(copy_len);
            let (source, channel_stride) = if self.direct {
                (&from[first * self.layout.segment..], pass.source_plane())
            } else {
                self.layout.copy(pass, from, first, rows, self.band_rows, copy);
                (&*copy, self.layout.channel_len(self.band_rows))
            };
            let weights = &weights[image % pass.groups * group_weights..][..group_weights];
            let tiles = part * tiles / self.parts..(part + 1) * tiles / self.parts;
            let band = Band { source, channel_stride, weights, image, first, rows, tiles };
            let [down, across] = self.layout.phases();
            for phase in (0..down).flat_map(|a| (0..across).map(move |b| [a, b])) {
                self.fill(pass, instructions, &band, phase, &destination, scratch);
            }
        });
    }

    /// Works out a phase of a band.
    fn fill(
        &self,
        pass: &Pass,
        instructions: InstructionSet,
        band: &Band,
        phase: [usize; 2],
        destination: &Shared,
        scratch: &mut [f32],
    ) {
        let mut taps = [Tap::default(); MOST_TAPS];
        let count = self.layout.taps(phase, self.band_rows, &mut taps);
        let taps = &taps[..count];
        let tiles = ChannelTiles::new(pass.destination_channels);
        let wide = vectors_for(tiles.largest());
        let vectors = self.vectors(band.rows);
        let steps = vectors / wide + vectors % wide;
        // Small weights stay in the cache, so a tile's inputs are used for all channels while they are in the first-level
        // cache; of large weights one tile's are used for all pixels instead.
        let block = if band.weights.len() <= CACHED_WEIGHTS && !self.scratch { 1 } else { steps };
        let plane = pass.destination_plane();
        for block_start in (0..steps).step_by(block) {
            for (channel, size) in band.tiles.clone().map(|index| tiles.tile(index)) {
                let packed = band.weights[channel * pass.source_channels * pass.places()..].as_ptr();
                let start = (band.image * pass.destination_channels + channel) * plane;
                let (to, destination_stride) = if self.scratch {
                    (scratch.as_mut_ptr(), vectors * LANES)
                } else {
                    (destination.at(start + band.first * self.layout.width), plane)
                };
                for step in block_start..(block_start + block).min(steps) {
                    let whole = vectors / wide;
                    let (first, count) = if step < whole { (step * wide, wide) } else { (whole * wide + step - whole, 1) };
                    let (mut offsets, mut targets) = ([0; TILE_VECTORS], [0; TILE_VECTORS]);
                    for n in 0..count {
                        (offsets[n], targets[n]) = self.vector(first + n, band.rows);
                    }
                    let tile = Tile {
                        taps,
                        channels: pass.source_channels,
                        channel_stride: band.channel_stride,
                        source: band.source.as_ptr(),
                        vectors: offsets,
                        weights: packed,
                        tap_stride: pass.source_channels * size,
                        destination: to,
                        targets,
                        destination_stride,
                        accumulate: false,
                    };
                    // SAFETY: the processor has these instructions. A vector's offset plus a tap's lies in the copy of each
                    // channel, or less than a vector beyond it, where there is another's or the copy's end (for a direct
                    // pass: in the image's plane); the packed weights hold this tile's `places · source_channels · size`
                    // numbers; the scratch copy has room for a tile, and these rows of these channels of this image's
                    // destination are this task's alone.
                    unsafe { tile_function(instructions, size, count)(&tile) };
                }
                if self.scratch {
                    for (m, scratch) in scratch.chunks_exact(vectors * LANES).take(size).enumerate() {
                        self.take_out(pass, band, phase, scratch, destination, start + m * plane);
                    }
                }
            }
        }
    }

    /// Takes a channel's pixels of a phase out of the scratch copy.
    fn take_out(&self, pass: &Pass, band: &Band, phase: [usize; 2], scratch: &[f32], destination: &Shared, start: usize) {
        let [down, across] = self.layout.phases();
        let row_len = if self.flat { self.layout.segment } else { self.layout.width.next_multiple_of(LANES) };
        let height = (pass.destination_height + down - 1 - phase[0]) / down;
        let width = (pass.destination_width + across - 1 - phase[1]) / across;
        for row in 0..band.rows.min(height.saturating_sub(band.first)) {
            let from = &scratch[row * row_len..][..width];
            let start = start + ((band.first + row) * down + phase[0]) * pass.destination_width + phase[1];
            if width > 0 {
                // SAFETY: this row of this channel is this task's alone.
                let to = unsafe { destination.part(start, (width - 1) * across + 1) };
                match across {
                    1 => to.copy_from_slice(from),
                    _ => to.iter_mut().step_by(across).zip(from).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }
}
