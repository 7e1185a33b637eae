//! From kernels of 3×3 places to the points of the interpolation, and from sums at the points to their gradients.

use super::super::vector::{Kernel, LANES, Vector};
use super::transform::{PLACES, POINTS, PlaceGradients, Places, both_sides};

/// Numbers of a kernel.
pub const KERNEL: usize = PLACES * PLACES;

/// Writes the kernels from `sources` source channels to `channels` destination channels at the points, as the left side of
/// products: `to + point · point_len + channel · row_len + source`.
///
/// `to` is valid for all these numbers, of `sources` rounded up to a multiple of eight.
pub struct Spread<'a> {
    /// The weight, from the group's first on.
    pub weight: &'a [f32],
    /// Numbers between source channels, and between destination channels.
    pub between_sources: usize,
    pub between_channels: usize,
    /// Whether kernels are turned by half a circle, as the gradient by the input needs them.
    pub turned: bool,
    pub sources: usize,
    /// The first of `channels` destination channels.
    pub channel: usize,
    pub channels: usize,
    pub to: *mut f32,
    pub point_len: usize,
    pub row_len: usize,
}

impl Kernel for Spread<'_> {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        // Two vectors of a channel fill a cache line before the next channel's turn.
        for pair in (0..self.sources).step_by(2 * LANES) {
            for channel in 0..self.channels {
                for source in (pair..self.sources.min(pair + 2 * LANES)).step_by(LANES) {
                    // SAFETY: the caller's.
                    unsafe {
                        let kernel = self.load::<V>(channel, source);
                        let points: [[V; POINTS]; POINTS] = both_sides::<Places, V, PLACES, POINTS>(kernel);
                        let mut to = self.to.add(channel * self.row_len + source);
                        for point in 0..POINTS * POINTS {
                            points[point / POINTS][point % POINTS].store(to);
                            to = to.wrapping_add(self.point_len);
                        }
                    }
                }
            }
        }
    }
}

impl Spread<'_> {
    /// The kernels from eight sources (or fewer, at the end) to a channel.
    #[inline(always)]
    unsafe fn load<V: Vector>(&self, channel: usize, source: usize) -> [[V; PLACES]; PLACES] {
        let first = (self.channel + channel) * self.between_channels + source * self.between_sources;
        let mut last = [0.0; LANES];
        // SAFETY: the instructions are the caller's; a kernel has nine numbers.
        unsafe {
            let mut vectors = [V::zero(); LANES];
            for lane in 0..LANES.min(self.sources - source) {
                let from = &self.weight[first + lane * self.between_sources..][..KERNEL];
                vectors[lane] = V::load(from.as_ptr());
                last[lane] = from[KERNEL - 1];
            }
            let vectors = V::transpose(vectors);
            let mut kernel = [[V::zero(); PLACES]; PLACES];
            for place in 0..KERNEL {
                let to = if self.turned { KERNEL - 1 - place } else { place };
                kernel[to / PLACES][to % PLACES] = if place < LANES { vectors[place] } else { V::load(last.as_ptr()) };
            }
            kernel
        }
    }
}

/// Writes the gradients by `rows` × `columns` kernels from sums at the points, `from + point · point_len + row · row_len +
/// column`, to `to + row · to_row + column · 9`.
///
/// `from` is valid for all these numbers, of `columns` rounded up to a multiple of eight, and nobody else touches these
/// gradients.
pub struct Collect {
    pub from: *const f32,
    pub point_len: usize,
    pub row_len: usize,
    pub rows: usize,
    pub columns: usize,
    pub to: *mut f32,
    pub to_row: usize,
}

impl Kernel for Collect {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        for row in 0..self.rows {
            for column in (0..self.columns).step_by(LANES) {
                // SAFETY: the caller's.
                unsafe {
                    let from = self.from.add(row * self.row_len + column);
                    let mut points = [[V::zero(); POINTS]; POINTS];
                    for point in 0..POINTS * POINTS {
                        points[point / POINTS][point % POINTS] = V::load(from.add(point * self.point_len));
                    }
                    let kernel: [[V; PLACES]; PLACES] = both_sides::<PlaceGradients, V, POINTS, PLACES>(points);
                    let (mut places, mut last) = ([V::zero(); LANES], [0.0; LANES]);
                    for place in 0..LANES {
                        places[place] = kernel[place / PLACES][place % PLACES];
                    }
                    kernel[PLACES - 1][PLACES - 1].store(last.as_mut_ptr());
                    let kernels = V::transpose(places);
                    let to = self.to.add(row * self.to_row + column * KERNEL);
                    for lane in 0..LANES.min(self.columns - column) {
                        kernels[lane].store(to.add(lane * KERNEL));
                        *to.add(lane * KERNEL + LANES) = last[lane];
                    }
                }
            }
        }
    }
}
