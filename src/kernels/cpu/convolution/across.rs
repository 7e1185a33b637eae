//! The way for every other size: a vector is the same pixel of eight images.
//!
//! Images are copied to `[block][pixel][channel][16 images]` (a pixel's channels and images are its record), so that whatever the width, the stride or the kernel, lanes
//! are full (when the batch is), pixels in the padding are left out instead of multiplied, and reads are contiguous.

use super::pass::Pass;
use super::tasks::{Shared, share_out};
use super::tile::{ChannelTiles, TILE_CHANNELS, TILE_VECTORS, Tap, Tile, tile_function};
#[cfg(target_arch = "x86_64")]
use super::vector::Avx2;
use super::vector::{InstructionSet, LANES, Portable, Vector};

/// Images in a block: two vectors.
pub const BLOCK: usize = 2 * LANES;
/// Pixels worked out before they are put back in order.
const PIXELS: usize = 64;
/// Places of the kernel handled at once; larger kernels take several rounds.
const TAPS: usize = 64;

/// Numbers of a cache's page: addresses that differ by a multiple of it compete for the same few lines.
const CACHE_PAGE: usize = 1024;

/// Numbers of a pixel's record: its channels, and a line more where records would compete in the cache otherwise.
pub fn record_len(channels: usize) -> usize {
    let numbers = channels * BLOCK;
    if numbers.is_multiple_of(CACHE_PAGE / 4) { numbers + BLOCK } else { numbers }
}

/// Numbers of the copy of a batch of images.
pub fn copy_len(batch: usize, channels: usize, plane: usize) -> usize {
    batch.div_ceil(BLOCK) * plane * record_len(channels)
}

/// The multiplications of a batch and one pair of channels, those of unused lanes included.
pub fn cost(pass: &Pass) -> usize {
    let (rows, columns) = pass.products();
    pass.batch.next_multiple_of(BLOCK) * rows * columns
}

/// Copies `images` `[n, channels, plane]` to `copy` `[block][pixel][channel][16]`, zeros for images beyond the batch.
pub fn copy_images(
    instructions: InstructionSet,
    images: &[f32],
    (batch, channels, plane): (usize, usize, usize),
    copy: &mut [f32],
    workers: usize,
) {
    let groups = plane.div_ceil(LANES);
    let copy = Shared::new(copy);
    share_out(batch.div_ceil(BLOCK) * groups, workers, |_, index| {
        let (block, pixel) = (index / groups, index % groups * LANES);
        let pixels = LANES.min(plane - pixel);
        // SAFETY: the pixels of one block are contiguous in the copy, and this task alone has this group of them.
        let to = unsafe { copy.part((block * plane + pixel) * record_len(channels), pixels * record_len(channels)) };
        let count = BLOCK.min(batch - block * BLOCK);
        let from = &images[block * BLOCK * channels * plane..][..count * channels * plane];
        let from = Group { from, count, channels, plane, pixel };
        match instructions {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `InstructionSet` is made only when the processor has it.
            InstructionSet::Avx2 => unsafe { copy_group_avx2(&from, to) },
            InstructionSet::Portable => copy_group::<Portable>(&from, to),
        }
    });
}

/// Up to eight neighbouring pixels of up to sixteen images.
struct Group<'a> {
    from: &'a [f32],
    count: usize,
    channels: usize,
    plane: usize,
    pixel: usize,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn copy_group_avx2(group: &Group, to: &mut [f32]) {
    copy_group::<Avx2>(group, to);
}

#[inline(always)]
fn copy_group<V: Vector>(group: &Group, to: &mut [f32]) {
    let record = record_len(group.channels);
    let pixels = to.len() / record;
    for channel in 0..group.channels {
        for half in [0, LANES] {
            if pixels == LANES {
                // SAFETY: eight pixels from `pixel` on lie in the plane of each of the `count` images; the eight records
                // of `to` have at least `channels` times sixteen numbers each. The instructions are the caller's.
                unsafe {
                    let mut rows = [V::zero(); LANES];
                    for (image, row) in rows.iter_mut().enumerate() {
                        if half + image < group.count {
                            let start = ((half + image) * group.channels + channel) * group.plane + group.pixel;
                            *row = V::load(group.from.as_ptr().add(start));
                        }
                    }
                    for (pixel, column) in V::transpose(rows).into_iter().enumerate() {
                        column.store(to.as_mut_ptr().add(pixel * record + channel * BLOCK + half));
                    }
                }
            } else {
                for (pixel, image) in (0..pixels).flat_map(|pixel| (half..half + LANES).map(move |image| (pixel, image))) {
                    let start = (image * group.channels + channel) * group.plane + group.pixel + pixel;
                    to[pixel * record + channel * BLOCK + image] = if image < group.count { group.from[start] } else { 0.0 };
                }
            }
        }
    }
}

/// Carries out `pass` on `workers` threads from `copy`, the source as [`copy_images`] leaves it.
pub fn run(pass: &Pass, instructions: InstructionSet, copy: &[f32], weights: &[f32], destination: &mut [f32], workers: usize) {
    let tiles = ChannelTiles::new(pass.destination_channels);
    let plane = pass.destination_plane();
    let block_len = pass.source_plane() * record_len(pass.groups * pass.source_channels);
    let destination = Shared::new(destination);
    share_out(pass.batch.div_ceil(BLOCK) * pass.groups * tiles.count(), workers, |_, index| {
        let (index, (channel, size)) = (index / tiles.count(), tiles.tile(index % tiles.count()));
        let (block, group) = (index / pass.groups, index % pass.groups);
        let source = &copy[block * block_len..(block + 1) * block_len][group * pass.source_channels * BLOCK..];
        let packed = &weights[group * pass.group_weight_len() + channel * pass.source_channels * pass.places()..];
        let channel = group * pass.destination_channels + channel;
        let channels = pass.groups * pass.destination_channels;
        let mut results = [0.0; TILE_CHANNELS * PIXELS * BLOCK];
        for first in (0..plane).step_by(PIXELS) {
            let pixels = PIXELS.min(plane - first);
            for pixel in 0..pixels {
                fill_pixel(pass, instructions, source, packed, size, first + pixel, &mut results[pixel * BLOCK..]);
            }
            let count = BLOCK.min(pass.batch - block * BLOCK);
            for m in 0..size {
                let start = (block * BLOCK * channels + channel + m) * plane + first;
                let from = &results[m * PIXELS * BLOCK..][..pixels * BLOCK];
                let put = Put { from, destination, start, image_len: channels * plane, count };
                match instructions {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: an `InstructionSet` is made only when the processor has it; this task alone has these
                    // channels of this block's images.
                    InstructionSet::Avx2 => unsafe { put_back_avx2(&put) },
                    // SAFETY: as above.
                    InstructionSet::Portable => unsafe { put_back::<Portable>(&put) },
                }
            }
        }
    });
}

/// Pixels `[pixel][16 images]` of one channel, and where the first image's first pixel belongs.
struct Put<'a> {
    from: &'a [f32],
    destination: Shared,
    start: usize,
    image_len: usize,
    count: usize,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn put_back_avx2(put: &Put) {
    // SAFETY: the caller's.
    unsafe { put_back::<Avx2>(put) };
}

/// # Safety
/// The processor has the instructions of `V`, and nobody else touches these pixels of the destination.
#[inline(always)]
unsafe fn put_back<V: Vector>(put: &Put) {
    let pixels = put.from.len() / BLOCK;
    let whole = pixels / LANES * LANES;
    for first in (0..whole).step_by(LANES) {
        for half in (0..put.count).step_by(LANES) {
            // SAFETY: the eight records from `first` on have sixteen numbers each; the destination is the caller's.
            unsafe {
                let mut rows = [V::zero(); LANES];
                for (pixel, row) in rows.iter_mut().enumerate() {
                    *row = V::load(put.from.as_ptr().add((first + pixel) * BLOCK + half));
                }
                for (image, column) in V::transpose(rows).into_iter().enumerate().take(put.count - half) {
                    let to = put.destination.part(put.start + (half + image) * put.image_len + first, LANES);
                    column.store(to.as_mut_ptr());
                }
            }
        }
    }
    for (pixel, image) in (whole..pixels).flat_map(|pixel| (0..put.count).map(move |image| (pixel, image))) {
        // SAFETY: the destination is the caller's.
        unsafe { put.destination.part(put.start + image * put.image_len + pixel, 1)[0] = put.from[pixel * BLOCK + image] };
    }
}

/// Works out one pixel of sixteen images and of a tile's `size` channels; channel m's go to `results` from
/// `m · PIXELS · BLOCK` on.
fn fill_pixel(
    pass: &Pass,
    instructions: InstructionSet,
    source: &[f32],
    weights: &[f32],
    size: usize,
    pixel: usize,
    results: &mut [f32],
) {
    let unit = record_len(pass.groups * pass.source_channels);
    let mut taps = [Tap::default(); TAPS];
    let (mut count, mut accumulate) = (0, false);
    let mut vectors = [0; TILE_VECTORS];
    vectors[1] = LANES;
    let mut flush = |taps: &[Tap], accumulate: bool| {
        let tile = Tile {
            taps,
            channels: pass.source_channels,
            channel_stride: BLOCK,
            source: source.as_ptr(),
            vectors,
            weights: weights.as_ptr(),
            tap_stride: pass.source_channels * size,
            destination: results.as_mut_ptr(),
            targets: vectors,
            destination_stride: PIXELS * BLOCK,
            accumulate,
        };
        assert!(results.len() >= (size - 1) * PIXELS * BLOCK + BLOCK, "a pixel's results must have room");
        // SAFETY: the processor has these instructions. Each tap is a pixel of the source, whose record has, from where the
        // group's channels begin, sixteen numbers for each of them; the packed weights begin with this tile's; the results have room, as checked.
        unsafe { tile_function(instructions, size, 2)(&tile) };
    };
    pass.taps_at(pixel / pass.destination_width, pixel % pass.destination_width, unit, |tap| {
        if count == TAPS {
            flush(&taps, accumulate);
            (count, accumulate) = (0, true);
        }
        taps[count] = tap;
        count += 1;
    });
    flush(&taps[..count], accumulate);
}
