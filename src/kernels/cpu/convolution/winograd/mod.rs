//! Kernels of 3×3 places by Winograd's algorithm: a quarter of the multiplications.
//!
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), F(4×4, 3×3): tiles of 6×6 pixels, four
//! pixels apart, and the kernels are evaluated at 36 points (`transform`); at each point the channels are summed by a small
//! matrix product (`product`); from the sums at the points come 4×4 results. The gradient by the input is the same with
//! kernels turned by half a circle; the gradient by the weight is its transpose, F(3×3, 4×4), with sums over tiles.
//!
//! A vector is the same tile of eight images (`images`), so batches that are no multiple of eight waste lanes, and planes
//! whose sides are no multiple of four waste results. [`WinogradPass::plan`] and [`WinogradWeight::plan`] weigh that and
//! the transformations against the direct ways, by sizes alone.
//!
//! Milliseconds of one thread (AMD EPYC, Zen 3, AVX2; processor time, medians of six turns taken in turn with the direct ways
//! here and PyTorch 2.15): this way / direct / PyTorch.
//!
//! | layer | forward | by the input | by the weight |
//! |---|---|---|---|
//! | 16×64→64, 64×64 | 24.8 / 68.4 / 94.0 | 24.2 / 64.0 / 86.5 | 30.5 / 75.0 / 99.2 |
//! | 16×128→128, 32×32 | 20.6 / 57.2 / 55.2 | 21.3 / 58.8 / 53.0 | 29.0 / 85.2 / 75.6 |
//! | 16×256→256, 16×16 | 27.6 / 58.5 / 60.6 | 29.0 / 66.1 / 58.4 | 26.9 / 86.4 / 80.4 |
//! | 16×512→512, 8×8 | 22.7 / 52.5 / 64.8 | 26.5 / 51.6 / 59.8 | 22.3 / 79.0 / 85.8 |
//! | 32×512→512, 4×4 | 13.1 / 23.5 / 36.1 | 15.3 / 23.6 / 42.1 | 12.4 / 40.3 / 72.0 |
//! | 32×128→32, 32×32 | 12.8 / 35.6 / 30.8 | 14.1 / 38.5 / 50.0 | 17.1 / 42.2 / 37.6 |
//! | 32×64→64, 16×16 | 2.97 / 8.08 / 9.74 | 3.76 / 9.80 / 9.65 | 3.78 / 11.2 / 10.1 |
//! | 32×64→64, 8×8 | 0.95 / 1.70 / 2.86 | 1.00 / 1.56 / 1.89 | 0.71 / 2.25 / 2.36 |
//! | 32×16→16, 32×32 | 1.05 / 2.04 / 2.52 | 1.11 / 2.10 / 2.26 | 1.55 / 2.62 / 3.26 |
//!
//! Errors on numbers drawn evenly from −1 to 1, as differences from double precision divided by the root mean square of the
//! results: their root mean square is 0.4 to 1.2·10⁻⁶ (the direct ways: 0.2 to 1.1·10⁻⁶), the greatest of tens of thousands
//! of elements about 10⁻⁵ at most. Tests hold every element to 10⁻⁵ of its size and that root mean square together.

#![expect(
    clippy::needless_range_loop,
    reason = "a closure, as an iterator takes it, is not compiled for the caller's instructions"
)]

mod images;
mod pass;
mod product;
mod transform;
mod weight;
mod weights;

#[cfg(test)]
mod tests;

pub use pass::WinogradPass;
pub use weight::WinogradWeight;

use super::pass::Pass;
use super::vector::LANES;

/// Multiply-adds that transforming the tiles of a channel there or back costs, for each vector of tiles.
const TILE_COST: usize = 300;
/// Multiply-adds that transforming eight kernels costs.
const KERNEL_COST: usize = 600;

/// Whether the algorithm fits: kernels of 3×3 neighbouring places, stride 1, and no more padding than the kernel reaches.
fn fits(pass: &Pass) -> bool {
    let square = pass.kernel == [transform::PLACES; 2] && pass.stride == [1; 2] && pass.dilation == [1; 2];
    square && pass.padding.iter().all(|padding| *padding < transform::PLACES) && pass.destination_plane() > 0
}

/// Whether `vectors` vectors of tiles, their transformations and those of the kernels are less work than the direct way.
fn pays(pass: &Pass, vectors: usize) -> bool {
    let kernels = pass.source_channels * pass.destination_channels;
    let tiles = vectors * (pass::ALL_POINTS * kernels + TILE_COST * (pass.source_channels + pass.destination_channels));
    let direct = pass.batch * pass.destination_plane() / LANES * kernels * pass.places();
    tiles + KERNEL_COST * kernels / LANES < direct * 3 / 4
}
