//! Where a copy of an image keeps what the places of a kernel read, so that each of them reads neighbouring pixels.
//!
//! Rows and columns that a stride passes over lie apart: each direction has `slots`, of which slot j holds every `step`-th
//! row (column) of the padded image from the j-th on. With them, a convolution of any stride and dilation is one of stride 1
//! whose places are shifted. The other way round, a transposed convolution writes `phases` of its destination, each a
//! convolution of stride 1 with a part of the kernel's places.

use super::pass::Pass;
use super::plain::inside;
use super::tasks::{Shared, share_out};
use super::tile::Tap;
use super::vector::LANES;

/// Most places of a kernel that a [`Layout`] is made for.
pub const MOST_TAPS: usize = 256;
/// Channels that are a multiple of so many numbers apart compete for the same lines of a cache.
const CACHE_PAGE: usize = 256;
/// Numbers of a cache's line.
const LINE: usize = 16;

/// The layout along one direction.
#[derive(Clone, Copy, Debug)]
struct Direction {
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    transposed: bool,
    /// Zeros before the first pixel.
    before: usize,
    /// Pixels of the source from one that a slot takes to the next.
    step: usize,
    slots: usize,
    /// How far the places of the kernel reach within a slot.
    reach: usize,
}

impl Direction {
    fn new(pass: &Pass, direction: usize) -> Direction {
        let (kernel, stride) = (pass.kernel[direction], pass.stride[direction]);
        let (padding, dilation) = (pass.padding[direction], pass.dilation[direction]);
        let step = if pass.transposed { 1 } else { stride };
        let mut found = Direction {
            kernel,
            stride,
            padding,
            dilation,
            transposed: pass.transposed,
            before: padding,
            step,
            slots: 1,
            reach: 0,
        };
        if pass.transposed {
            let lowest = (0..found.phases()).flat_map(|phase| (0..kernel).filter_map(move |k| found.shift(phase, k))).min();
            found.before = lowest.map_or(0, |lowest| (-lowest).max(0) as usize);
        }
        let known = found;
        for (slot, shift) in (0..known.phases()).flat_map(|phase| (0..kernel).filter_map(move |k| known.place(phase, k))) {
            found.slots = found.slots.max(slot + 1);
            found.reach = found.reach.max(shift);
        }
        found
    }

    /// Pixels of the destination that are worked out apart.
    fn phases(&self) -> usize {
        if self.transposed { self.stride } else { 1 }
    }

    /// Where the place `k` of a transposed kernel finds the source of the first pixel of a phase; none where it adds nothing.
    fn shift(&self, phase: usize, k: usize) -> Option<isize> {
        let distance = (phase + self.padding) as isize - (k * self.dilation) as isize;
        (distance % self.stride as isize == 0).then_some(distance / self.stride as isize)
    }

    /// The slot in which the place `k` reads, and how far from its beginning.
    fn place(&self, phase: usize, k: usize) -> Option<(usize, usize)> {
        if self.transposed {
            return self.shift(phase, k).map(|shift| (0, (shift + self.before as isize) as usize));
        }
        Some((k * self.dilation % self.stride, k * self.dilation / self.stride))
    }
}

/// The layout of a pass's source, and of its destination's phases.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    directions: [Direction; 2],
    /// Rows and columns of a phase of the destination, those of the largest.
    pub height: usize,
    pub width: usize,
    /// Numbers from a row of a slot to the next.
    pub segment: usize,
}

impl Layout {
    /// The layout for `pass`; none for kernels of too many places.
    pub fn new(pass: &Pass) -> Option<Layout> {
        if pass.places() > MOST_TAPS || pass.destination_plane() == 0 {
            return None;
        }
        let directions = [0, 1].map(|direction| Direction::new(pass, direction));
        let height = pass.destination_height.div_ceil(directions[0].phases());
        let width = pass.destination_width.div_ceil(directions[1].phases());
        Some(Layout { directions, height, width, segment: width + directions[1].reach })
    }

    /// How many phases the destination has: down, and across.
    pub fn phases(&self) -> [usize; 2] {
        self.directions.map(|direction| direction.phases())
    }

    /// Whether the source is its own copy.
    pub fn is_identity(&self, pass: &Pass) -> bool {
        let plain = |direction: &Direction| direction.stride == 1 && direction.before == 0 && direction.reach == 0;
        self.directions.iter().all(plain) && [pass.source_height, pass.source_width] == [self.height, self.width]
    }

    /// Numbers from a slot to the next, for `rows` rows of a phase.
    fn slot_len(&self, rows: usize) -> usize {
        (rows + self.directions[0].reach) * self.segment
    }

    /// Numbers from a channel to the next, for `rows` rows of a phase.
    pub fn channel_len(&self, rows: usize) -> usize {
        let numbers = self.directions[0].slots * self.directions[1].slots * self.slot_len(rows);
        if numbers.is_multiple_of(CACHE_PAGE) { numbers + LINE } else { numbers }
    }

    /// Numbers of a copy of `channels` channels; a vector may reach beyond the last.
    pub fn copy_len(&self, channels: usize, rows: usize) -> usize {
        channels * self.channel_len(rows) + 2 * LANES
    }

    /// Writes the places of the kernel that contribute to a phase, for copies of `rows` rows, and says how many they are.
    pub fn taps(&self, phase: [usize; 2], rows: usize, taps: &mut [Tap; MOST_TAPS]) -> usize {
        let [down, across] = &self.directions;
        let mut count = 0;
        for ky in 0..down.kernel {
            let Some((slot_y, shift_y)) = down.place(phase[0], ky) else { continue };
            for kx in 0..across.kernel {
                let Some((slot_x, shift_x)) = across.place(phase[1], kx) else { continue };
                let slot = slot_y * across.slots + slot_x;
                let source = slot * self.slot_len(rows) + shift_y * self.segment + shift_x;
                taps[count] = Tap { source, weight: ky * across.kernel + kx };
                count += 1;
            }
        }
        count
    }

    /// Copies what `rows` rows of each phase, from `first` on, need of `image` `[c, h, w]` to `copy`, zeros around it; the
    /// copy is laid out for `laid` rows, which are at least as many.
    pub fn copy(&self, pass: &Pass, image: &[f32], first: usize, rows: usize, laid: usize, copy: &mut [f32]) {
        let [down, across] = &self.directions;
        let (channel_len, slot_len) = (self.channel_len(laid), self.slot_len(laid));
        let width = pass.source_width;
        for (channel, copy) in image.chunks_exact(pass.source_plane().max(1)).zip(copy.chunks_mut(channel_len)) {
            let (slots, beyond) = copy.split_at_mut(down.slots * across.slots * slot_len);
            beyond.fill(0.0);
            for (slot, copy) in slots.chunks_mut(slot_len).enumerate() {
                let (slot_y, slot_x) = (slot / across.slots, slot % across.slots);
                let rows = copy.chunks_exact_mut(self.segment).take(rows + down.reach).enumerate();
                for (row, copy) in rows {
                    let Some(row) = inside((first + row) * down.step + slot_y, down.before, pass.source_height) else {
                        zero_row(copy);
                        continue;
                    };
                    let from = &channel[row * width..(row + 1) * width];
                    let start = across.before.saturating_sub(slot_x).div_ceil(across.step);
                    let offset = start * across.step + slot_x - across.before;
                    let count = width.saturating_sub(offset).div_ceil(across.step).min(copy.len().saturating_sub(start));
                    zero_ends(copy, start, start + count);
                    if count > 0 {
                        copy_row(&from[offset..], across.step, &mut copy[start..start + count]);
                    }
                }
            }
        }
        // What vectors reach over the end must be numbers, whatever their value.
        let end = image.len() / pass.source_plane().max(1) * channel_len;
        copy[end..].fill(0.0);
    }
}

impl Layout {
    /// Copies whole images `[n, c, h, w]`, one after another.
    pub fn copy_images(&self, pass: &Pass, images: &[f32], copy: &mut [f32], workers: usize) {
        let channels = pass.groups * pass.source_channels;
        let (image_len, copy_len) = (channels * pass.source_plane(), self.copy_len(channels, self.height));
        let copy = Shared::new(copy);
        share_out(pass.batch, workers, |_, image| {
            // SAFETY: this task alone has this image.
            let to = unsafe { copy.part(image * copy_len, copy_len) };
            self.copy(pass, &images[image * image_len..(image + 1) * image_len], 0, self.height, self.height, to);
        });
    }
}

/// Fills a row with zeros. Rows are short: a call of the system's fill, or copy, takes longer than the work itself.
fn zero_row(row: &mut [f32]) {
    row.as_chunks_mut::<LANES>().0.iter_mut().for_each(|chunk| *chunk = [0.0; LANES]);
    match row.last_chunk_mut::<LANES>() {
        Some(last) => *last = [0.0; LANES],
        None => row.fill(0.0),
    }
}

/// Zeros before `start` and from `end` on; what is between may be overwritten.
fn zero_ends(row: &mut [f32], start: usize, end: usize) {
    let ends = start.max(row.len().saturating_sub(end));
    match (row.len() >= LANES && ends <= LANES).then(|| row.first_chunk_mut::<LANES>()).flatten() {
        Some(first) => *first = [0.0; LANES],
        None => return zero_row(row),
    }
    if let Some(last) = row.last_chunk_mut::<LANES>() {
        *last = [0.0; LANES];
    }
}

/// Fills `to` with every `step`-th number, eight at a time where they are neighbours; the last eight may overlap those before.
fn copy_row(from: &[f32], step: usize, to: &mut [f32]) {
    match step {
        1 => {
            let from = &from[..to.len()];
            let (eights, from_eights) = (to.as_chunks_mut::<LANES>().0, from.as_chunks::<LANES>().0);
            eights.copy_from_slice(&from_eights[..eights.len()]);
            match (to.last_chunk_mut::<LANES>(), from.last_chunk::<LANES>()) {
                (Some(to), Some(from)) => *to = *from,
                _ => to.copy_from_slice(from),
            }
        }
        _ => {
            for index in 0..to.len() {
                to[index] = from[index * step];
            }
        }
    }
}
