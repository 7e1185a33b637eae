//! The two innermost kernels: a tile of outputs, and a tile of weight gradients, each held in registers.

#[cfg(target_arch = "x86_64")]
use super::vector::Avx2;
use super::vector::{InstructionSet, LANES, Portable, Vector};

/// Most channels in a tile: with two vectors each, twelve sums, two inputs and one weight fill AVX2's sixteen registers.
pub const TILE_CHANNELS: usize = 6;
/// Most vectors in a tile of outputs.
pub const TILE_VECTORS: usize = 8;
/// Most columns in a tile of weight gradients.
pub const TILE_COLUMNS: usize = 4;

/// A place of the kernel that contributes to a tile.
#[derive(Clone, Copy, Default)]
pub struct Tap {
    /// Where its input begins, from the tile's source.
    pub source: usize,
    /// Its number among the packed weights' taps.
    pub weight: usize,
}

/// A tile of outputs of M channels and N vectors: `destination[m · destination_stride + targets[n]] = Σ_taps Σ_channels
/// weight[tap][channel][m] · source[tap.source + channel · channel_stride + vectors[n]]`.
pub struct Tile<'a> {
    /// The places that contribute, in the order they are summed.
    pub taps: &'a [Tap],
    /// Channels of the source.
    pub channels: usize,
    /// Numbers between channels of the source.
    pub channel_stride: usize,
    /// The source.
    pub source: *const f32,
    /// Where each vector begins, from the source.
    pub vectors: [usize; TILE_VECTORS],
    /// Packed weights `[tap][channel][m]`.
    pub weights: *const f32,
    /// Numbers between the weights of a tap and of the next: those of all channels, of which a tile may sum some.
    pub tap_stride: usize,
    /// The first channel.
    pub destination: *mut f32,
    /// Where each vector belongs, from a channel's beginning.
    pub targets: [usize; TILE_VECTORS],
    /// Numbers between channels of the destination.
    pub destination_stride: usize,
    /// Whether the sums start from what the destination holds, instead of zero.
    pub accumulate: bool,
}

/// Fills a [`Tile`].
///
/// # Safety
/// The processor has the function's instructions, and every number that the tile's formula reads or writes is valid.
pub type TileFunction = unsafe fn(&Tile);

#[expect(clippy::needless_range_loop, reason = "loops of constant length over register arrays read better by index")]
#[inline(always)]
unsafe fn tile<V: Vector, const M: usize, const N: usize>(tile: &Tile) {
    // SAFETY: the caller vouches for all numbers of the formula; each access below is one of them.
    unsafe {
        let mut sums = [[V::zero(); N]; M];
        if tile.accumulate {
            for m in 0..M {
                for n in 0..N {
                    sums[m][n] = V::load(tile.destination.add(m * tile.destination_stride + tile.targets[n]));
                }
            }
        }
        for tap in tile.taps {
            let mut source = tile.source.add(tap.source);
            let mut weights = tile.weights.add(tap.weight * tile.tap_stride);
            for _ in 0..tile.channels {
                let mut values = [V::zero(); N];
                for n in 0..N {
                    values[n] = V::load(source.add(tile.vectors[n]));
                }
                for m in 0..M {
                    let weight = V::splat(weights.add(m));
                    for n in 0..N {
                        sums[m][n] = weight.multiply_add(values[n], sums[m][n]);
                    }
                }
                source = source.wrapping_add(tile.channel_stride);
                weights = weights.wrapping_add(M);
            }
        }
        for m in 0..M {
            for n in 0..N {
                sums[m][n].store(tile.destination.add(m * tile.destination_stride + tile.targets[n]));
            }
        }
    }
}

/// A tile of weight gradients of M rows (output channels) and N columns (input channels and taps):
/// `destination[n][m] += Σ_steps Σ_lanes gradient[step][m][lane] · columns[n][inputs[step] + lane]`.
pub struct DotTile<'a> {
    /// Where each step's eight inputs begin, from a column's start.
    pub inputs: &'a [usize],
    /// The rows' gradients, packed `[step][m][8]`.
    pub gradient: *const f32,
    /// Each column's inputs.
    pub columns: [*const f32; TILE_COLUMNS],
    /// Where each column's first sum is added.
    pub destinations: [*mut f32; TILE_COLUMNS],
    /// Numbers between rows of the destination.
    pub destination_stride: usize,
}

/// Adds a [`DotTile`] to its destinations.
///
/// # Safety
/// The processor has the function's instructions, and every number that the tile's formula reads or writes is valid.
pub type DotFunction = unsafe fn(&DotTile);

#[expect(clippy::needless_range_loop, reason = "loops of constant length over register arrays read better by index")]
#[inline(always)]
unsafe fn dot<V: Vector, const M: usize, const N: usize>(tile: &DotTile) {
    // SAFETY: the caller vouches for all numbers of the formula; each access below is one of them.
    unsafe {
        let mut sums = [[V::zero(); N]; M];
        let mut gradient = tile.gradient;
        for input in tile.inputs {
            let mut values = [V::zero(); N];
            for n in 0..N {
                values[n] = V::load(tile.columns[n].add(*input));
            }
            for m in 0..M {
                let row = V::load(gradient.add(m * LANES));
                for n in 0..N {
                    sums[m][n] = row.multiply_add(values[n], sums[m][n]);
                }
            }
            gradient = gradient.add(M * LANES);
        }
        for m in 0..M {
            for n in 0..N {
                *tile.destinations[n].add(m * tile.destination_stride) += sums[m][n].sum();
            }
        }
    }
}

/// Most columns in a tile of outer products.
pub const OUTER_COLUMNS: usize = 6;

/// A tile of weight gradients of N columns (input channels and taps) and K vectors of output channels:
/// `sums[n][k] = Σ_pixels columns[n][pixel] · gradient[pixel][k]`.
pub struct OuterTile<'a> {
    /// Where each pixel lies, from a column's start.
    pub pixels: &'a [usize],
    /// The gradient by the output, a pixel's channels after another's.
    pub gradient: *const f32,
    /// Numbers from a pixel's channels to the next's, and from a column's sums to the next's.
    pub gradient_stride: usize,
    /// Each column's inputs.
    pub columns: [*const f32; OUTER_COLUMNS],
    /// The first column's sums.
    pub sums: *mut f32,
    /// Whether the sums are added to what is there.
    pub accumulate: bool,
}

/// Fills an [`OuterTile`].
///
/// # Safety
/// The processor has the function's instructions, and every number that the tile's formula reads or writes is valid.
pub type OuterFunction = unsafe fn(&OuterTile);

#[expect(clippy::needless_range_loop, reason = "loops of constant length over register arrays read better by index")]
#[inline(always)]
unsafe fn outer<V: Vector, const N: usize, const K: usize>(tile: &OuterTile) {
    // SAFETY: the caller vouches for all numbers of the formula; each access below is one of them.
    unsafe {
        let mut sums = [[V::zero(); K]; N];
        if tile.accumulate {
            for n in 0..N {
                for k in 0..K {
                    sums[n][k] = V::load(tile.sums.add(n * tile.gradient_stride + k * LANES));
                }
            }
        }
        let mut gradient = tile.gradient;
        for pixel in tile.pixels {
            let mut values = [V::zero(); K];
            for k in 0..K {
                values[k] = V::load(gradient.add(k * LANES));
            }
            for n in 0..N {
                let input = V::splat(tile.columns[n].add(*pixel));
                for k in 0..K {
                    sums[n][k] = input.multiply_add(values[k], sums[n][k]);
                }
            }
            gradient = gradient.add(tile.gradient_stride);
        }
        for n in 0..N {
            for k in 0..K {
                sums[n][k].store(tile.sums.add(n * tile.gradient_stride + k * LANES));
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn outer_avx2<const N: usize, const K: usize>(arguments: &OuterTile) {
    // SAFETY: the caller keeps the contract of `OuterFunction`.
    unsafe { outer::<Avx2, N, K>(arguments) }
}

unsafe fn outer_portable<const N: usize, const K: usize>(arguments: &OuterTile) {
    // SAFETY: the caller keeps the contract of `OuterFunction`.
    unsafe { outer::<Portable, N, K>(arguments) }
}

fn outer_of<const N: usize, const K: usize>(instructions: InstructionSet) -> OuterFunction {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => outer_avx2::<N, K>,
        InstructionSet::Portable => outer_portable::<N, K>,
    }
}

/// The kernel for `columns` columns (1 to 6) and `vectors` vectors of output channels (1 or 2).
pub fn outer_function(instructions: InstructionSet, columns: usize, vectors: usize) -> OuterFunction {
    match (columns, vectors) {
        (1, 1) => outer_of::<1, 1>(instructions),
        (2, 1) => outer_of::<2, 1>(instructions),
        (3, 1) => outer_of::<3, 1>(instructions),
        (4, 1) => outer_of::<4, 1>(instructions),
        (5, 1) => outer_of::<5, 1>(instructions),
        (6, 1) => outer_of::<6, 1>(instructions),
        (1, 2) => outer_of::<1, 2>(instructions),
        (2, 2) => outer_of::<2, 2>(instructions),
        (3, 2) => outer_of::<3, 2>(instructions),
        (4, 2) => outer_of::<4, 2>(instructions),
        (5, 2) => outer_of::<5, 2>(instructions),
        (6, 2) => outer_of::<6, 2>(instructions),
        _ => unreachable!("no kernel for {columns} columns and {vectors} vectors"),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile_avx2<const M: usize, const N: usize>(arguments: &Tile) {
    // SAFETY: the caller keeps the contract of `TileFunction`.
    unsafe { tile::<Avx2, M, N>(arguments) }
}

unsafe fn tile_portable<const M: usize, const N: usize>(arguments: &Tile) {
    // SAFETY: the caller keeps the contract of `TileFunction`.
    unsafe { tile::<Portable, M, N>(arguments) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn dot_avx2<const M: usize, const N: usize>(arguments: &DotTile) {
    // SAFETY: the caller keeps the contract of `DotFunction`.
    unsafe { dot::<Avx2, M, N>(arguments) }
}

unsafe fn dot_portable<const M: usize, const N: usize>(arguments: &DotTile) {
    // SAFETY: the caller keeps the contract of `DotFunction`.
    unsafe { dot::<Portable, M, N>(arguments) }
}

fn tile_of<const M: usize, const N: usize>(instructions: InstructionSet) -> TileFunction {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => tile_avx2::<M, N>,
        InstructionSet::Portable => tile_portable::<M, N>,
    }
}

fn dot_of<const M: usize, const N: usize>(instructions: InstructionSet) -> DotFunction {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => dot_avx2::<M, N>,
        InstructionSet::Portable => dot_portable::<M, N>,
    }
}

/// How many vectors a tile holds when the largest tile has `channels` channels: enough sums to hide the multiply-add's
/// latency, few enough for the registers.
pub fn vectors_for(channels: usize) -> usize {
    match channels {
        1 => 8,
        2 => 4,
        3 => 3,
        _ => 2,
    }
}

/// The kernel for `channels` channels (1 to 6) and `vectors` vectors: 1, 2, or what [`vectors_for`] says.
pub fn tile_function(instructions: InstructionSet, channels: usize, vectors: usize) -> TileFunction {
    match (channels, vectors) {
        (1, 1) => tile_of::<1, 1>(instructions),
        (2, 1) => tile_of::<2, 1>(instructions),
        (3, 1) => tile_of::<3, 1>(instructions),
        (4, 1) => tile_of::<4, 1>(instructions),
        (5, 1) => tile_of::<5, 1>(instructions),
        (6, 1) => tile_of::<6, 1>(instructions),
        (1, 2) => tile_of::<1, 2>(instructions),
        (2, 2) => tile_of::<2, 2>(instructions),
        (3, 2) => tile_of::<3, 2>(instructions),
        (4, 2) => tile_of::<4, 2>(instructions),
        (5, 2) => tile_of::<5, 2>(instructions),
        (6, 2) => tile_of::<6, 2>(instructions),
        (1, 8) => tile_of::<1, 8>(instructions),
        (2, 4) => tile_of::<2, 4>(instructions),
        (3, 3) => tile_of::<3, 3>(instructions),
        _ => unreachable!("no kernel for {channels} channels and {vectors} vectors"),
    }
}

/// How many columns a tile of weight gradients holds for a tile of `channels` rows.
pub fn columns_for(channels: usize) -> usize {
    if channels <= 2 { 4 } else { 2 }
}

/// The kernel for `channels` rows (1 to 6) and `columns` columns: 1, or what [`columns_for`] says.
pub fn dot_function(instructions: InstructionSet, channels: usize, columns: usize) -> DotFunction {
    match (channels, columns) {
        (1, 1) => dot_of::<1, 1>(instructions),
        (2, 1) => dot_of::<2, 1>(instructions),
        (3, 1) => dot_of::<3, 1>(instructions),
        (4, 1) => dot_of::<4, 1>(instructions),
        (5, 1) => dot_of::<5, 1>(instructions),
        (6, 1) => dot_of::<6, 1>(instructions),
        (1, 4) => dot_of::<1, 4>(instructions),
        (2, 4) => dot_of::<2, 4>(instructions),
        (3, 2) => dot_of::<3, 2>(instructions),
        (4, 2) => dot_of::<4, 2>(instructions),
        (5, 2) => dot_of::<5, 2>(instructions),
        (6, 2) => dot_of::<6, 2>(instructions),
        _ => unreachable!("no kernel for {channels} rows and {columns} columns"),
    }
}

/// Splits `channels` into as few tiles as possible, of sizes that differ by at most one.
#[derive(Clone, Copy)]
pub struct ChannelTiles {
    channels: usize,
    count: usize,
}

impl ChannelTiles {
    /// The tiles of `channels` channels.
    pub fn new(channels: usize) -> ChannelTiles {
        ChannelTiles { channels, count: channels.div_ceil(TILE_CHANNELS) }
    }

    /// How many tiles there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first channel of a tile, and how many it has.
    pub fn tile(&self, index: usize) -> (usize, usize) {
        let (size, larger) = (self.channels / self.count, self.channels % self.count);
        (index * size + index.min(larger), size + usize::from(index < larger))
    }

    /// The channels of the largest tile.
    pub fn largest(&self) -> usize {
        self.channels.div_ceil(self.count.max(1))
    }
}
