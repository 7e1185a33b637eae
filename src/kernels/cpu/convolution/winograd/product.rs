//! The products at one point of the interpolation: a small matrix product on register tiles.

use super::super::tile::{ChannelTiles, TILE_CHANNELS};
use super::super::vector::{Kernel, LANES, Vector};

/// Numbers in a row of a panel: two vectors, as many as a register tile is wide.
pub const PANEL: usize = 2 * LANES;
/// Terms summed at once: a panel's then stay in the first-level cache while all rows use them.
const DEPTH: usize = 128;

/// `result[r][v] = Σ_d left[r][d] · right[d][v]`, for `v` over vectors; the sums start from what the result holds when
/// `accumulate` is set. The right side comes in panels `[panel][d][16]`.
///
/// Its pointers are valid for all numbers of this formula.
#[derive(Clone, Copy)]
pub struct Product {
    pub rows: usize,
    pub depth: usize,
    pub vectors: usize,
    pub left: *const f32,
    /// Numbers between rows.
    pub left_row: usize,
    pub right: *const f32,
    /// Numbers between panels.
    pub right_panel: usize,
    pub result: *mut f32,
    /// Numbers between rows.
    pub result_row: usize,
    pub accumulate: bool,
}

impl Kernel for Product {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let tiles = ChannelTiles::new(self.rows);
        for first in (0..self.depth).step_by(DEPTH) {
            let depth = DEPTH.min(self.depth - first);
            for vector in (0..self.vectors).step_by(2) {
                for index in 0..tiles.count() {
                    let (row, rows) = tiles.tile(index);
                    // SAFETY: the caller vouches for all numbers of the formula; these are some of them.
                    unsafe {
                        let part = Product {
                            depth,
                            left: self.left.add(row * self.left_row + first),
                            right: self.right.add(vector / 2 * self.right_panel + first * PANEL),
                            result: self.result.add(row * self.result_row + vector * LANES),
                            accumulate: self.accumulate || first > 0,
                            ..*self
                        };
                        if self.vectors - vector == 1 { part.rows_of::<V, 1>(rows) } else { part.rows_of::<V, 2>(rows) }
                    }
                }
            }
        }
    }
}

impl Product {
    #[inline(always)]
    unsafe fn rows_of<V: Vector, const N: usize>(&self, rows: usize) {
        // SAFETY: the caller's.
        unsafe {
            match rows {
                1 => self.tile::<V, 1, N>(),
                2 => self.tile::<V, 2, N>(),
                3 => self.tile::<V, 3, N>(),
                4 => self.tile::<V, 4, N>(),
                5 => self.tile::<V, 5, N>(),
                TILE_CHANNELS => self.tile::<V, TILE_CHANNELS, N>(),
                _ => unreachable!("a register tile has at most {TILE_CHANNELS} rows, not {rows}"),
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<V: Vector, const M: usize, const N: usize>(&self) {
        // SAFETY: the caller vouches for all numbers of the formula; each access below is one of them.
        unsafe {
            let mut sums = [[V::zero(); N]; M];
            let (mut left, mut right) = (self.left, self.right);
            for _ in 0..self.depth {
                let mut values = [V::zero(); N];
                for n in 0..N {
                    values[n] = V::load(right.add(n * LANES));
                }
                for m in 0..M {
                    let factor = V::splat(left.add(m * self.left_row));
                    for n in 0..N {
                        sums[m][n] = factor.multiply_add(values[n], sums[m][n]);
                    }
                }
                left = left.wrapping_add(1);
                right = right.wrapping_add(PANEL);
            }
            if self.accumulate {
                for m in 0..M {
                    for n in 0..N {
                        sums[m][n] = sums[m][n].add(V::load(self.result.add(m * self.result_row + n * LANES)));
                    }
                }
            }
            for m in 0..M {
                for n in 0..N {
                    sums[m][n].store(self.result.add(m * self.result_row + n * LANES));
                }
            }
        }
    }
}
