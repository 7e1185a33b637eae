//! Symmetric matrices in double precision: sums of outer products, a factor of what is positive semidefinite, eigenvalues.
//! Work is shared out by the sizes of the matrix alone, so results are equal to the last bit on any number of threads.

#![allow(clippy::needless_range_loop)] // loops of constant length over lanes are vectorised by index

use super::matmul::{Operands, add_product};
use rayon::prelude::*;

/// Rows and columns of a tile of a sum of outer products.
const TILE: usize = 128;
/// Columns that a factorisation, and a reduction to three diagonals, works on before it brings the rest of the matrix up to date.
const PANEL: usize = 32;
/// Fewer numbers than this are not worth another thread.
const WORTH_A_THREAD: usize = 1 << 15;

/// Σ x xᵀ of rows x of length `d`, of which only the tiles on and below the diagonal are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct OuterProducts {
    d: usize,
    /// Rows of tiles one after the other, each up to the diagonal.
    tiles: Vec<Vec<f64>>,
}

impl OuterProducts {
    pub fn new(d: usize) -> Self {
        let tiles = places(d).map(|(row, column)| vec![0.0; width(d, row) * width(d, column)]).collect();
        Self { d, tiles }
    }

    /// Adds x xᵀ for every row x of `rows`, `[n, d]`.
    ///
    /// # Panics
    /// When `rows` is not a whole number of rows.
    pub fn add(&mut self, rows: &[f64]) {
        let d = self.d;
        let n = rows.len().checked_div(d).unwrap_or(0);
        assert_eq!(rows.len(), n * d, "the rows must have {d} numbers each");
        // Columns of each tile beside each other, once for all products that need them.
        let packed: Vec<Vec<f64>> = (0..d.div_ceil(TILE))
            .into_par_iter()
            .map(|tile| rows.chunks_exact(d).flat_map(|row| &row[tile * TILE..tile * TILE + width(d, tile)]).copied().collect())
            .collect();
        let places: Vec<(usize, usize)> = places(d).collect();
        self.tiles.par_iter_mut().zip(places).for_each(|(tile, (row, column))| {
            let (a, b) = (&packed[row], &packed[column]);
            let operands = Operands { m: width(d, row), k: n, n: width(d, column), a, transpose_a: true, b, transpose_b: false };
            add_product(&operands, 1.0, tile, true);
        });
    }

    /// Adds, or with a factor of −1 takes away, what another sum holds.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn add_times(&mut self, factor: f64, other: &Self) {
        assert_eq!(self.d, other.d, "sums of outer products of one length");
        for (tile, other) in self.tiles.iter_mut().zip(&other.tiles) {
            tile.iter_mut().zip(other).for_each(|(sum, more)| *sum += factor * more);
        }
    }

    /// The whole matrix, `[d, d]`.
    pub fn matrix(&self) -> Vec<f64> {
        let d = self.d;
        let mut matrix = vec![0.0; d * d];
        for (tile, (row, column)) in self.tiles.iter().zip(places(d)) {
            let wide = width(d, column);
            for (index, value) in tile.iter().enumerate() {
                let (i, j) = (row * TILE + index / wide, column * TILE + index % wide);
                matrix[i * d + j] = *value;
                matrix[j * d + i] = *value;
            }
        }
        matrix
    }
}

/// The rows and columns of tiles, up to the diagonal.
fn places(d: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..d.div_ceil(TILE)).flat_map(|row| (0..=row).map(move |column| (row, column)))
}

fn width(d: usize, tile: usize) -> usize {
    TILE.min(d - tile * TILE)
}

/// A matrix F, `[d, rank]`, with F Fᵀ equal to the positive semidefinite `matrix`, `[d, d]`: Cholesky's method with the largest
/// remaining diagonal element as the next pivot (Higham 2002, section 10.3), which ends where that falls below `d` · ε · the largest
/// of all: the rest is rounding. Gives F and the rank.
///
/// # Panics
/// When the matrix is not `[d, d]`.
pub fn factor(matrix: &[f64], d: usize) -> (Vec<f64>, usize) {
    assert_eq!(matrix.len(), d * d, "a matrix of {d} x {d}");
    let mut rest = matrix.to_vec();
    let mut diagonal: Vec<f64> = (0..d).map(|i| matrix[i * d + i]).collect();
    let largest = diagonal.iter().copied().fold(0.0, f64::max);
    let least = largest * f64::EPSILON * d as f64;
    // Panels of columns, each `[d, columns]`.
    let mut panels: Vec<(Vec<f64>, usize)> = Vec::new();
    let mut rank = 0;
    loop {
        let mut panel = vec![0.0; d * PANEL];
        let mut columns = 0;
        while columns < PANEL && rank < d {
            let pivot = (0..d).fold(0, |best, i| if diagonal[i] > diagonal[best] { i } else { best });
            if diagonal[pivot] <= least {
                break;
            }
            let scale = diagonal[pivot].sqrt();
            let known: Vec<f64> = panel[pivot * PANEL..pivot * PANEL + columns].to_vec();
            let source = &rest[pivot * d..(pivot + 1) * d];
            for (i, row) in panel.chunks_exact_mut(PANEL).enumerate() {
                // A row that has been a pivot is used up.
                let value =
                    if diagonal[i] == f64::NEG_INFINITY { 0.0 } else { (source[i] - dot(&row[..columns], &known)) / scale };
                row[columns] = value;
                diagonal[i] -= value * value;
            }
            panel[pivot * PANEL + columns] = scale;
            diagonal[pivot] = f64::NEG_INFINITY;
            columns += 1;
            rank += 1;
        }
        let ended = columns < PANEL || rank == d;
        if columns > 0 {
            let narrow: Vec<f64> = panel.chunks_exact(PANEL).flat_map(|row| row[..columns].iter().copied()).collect();
            if !ended {
                let operands = Operands { m: d, k: columns, n: d, a: &narrow, transpose_a: false, b: &narrow, transpose_b: true };
                add_product(&operands, -1.0, &mut rest, d < TILE);
            }
            panels.push((narrow, columns));
        }
        if ended {
            break;
        }
    }
    let mut factor = vec![0.0; d * rank];
    let mut first = 0;
    for (panel, columns) in &panels {
        for (row, values) in panel.chunks_exact(*columns).enumerate() {
            factor[row * rank + first..row * rank + first + columns].copy_from_slice(values);
        }
        first += columns;
    }
    (factor, rank)
}

/// The eigenvalues of a symmetric matrix, `[n, n]`, in ascending order: Householder's reduction to three diagonals in panels
/// (Dongarra, Sorensen and Hammarling 1989), then implicit QL (Golub and Van Loan 2013, section 8.3).
///
/// # Panics
/// When the matrix is not `[n, n]`.
pub fn eigenvalues(matrix: &[f64], n: usize) -> Vec<f64> {
    assert_eq!(matrix.len(), n * n, "a matrix of {n} x {n}");
    let (mut diagonal, mut beside) = three_diagonals(matrix.to_vec(), n);
    implicit_ql(&mut diagonal, &mut beside);
    diagonal.sort_by(f64::total_cmp);
    diagonal
}

/// The diagonal and the one beside it, of a matrix with the same eigenvalues.
fn three_diagonals(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n]);
    let mut start = 0;
    while start < n {
        let columns = PANEL.min(n - start);
        // Reflections H = 1 − τ v vᵀ change A to A − v wᵀ − w vᵀ. Rows of v and w of this panel, from row `start` on.
        let rows = n - start;
        let (mut v, mut w) = (vec![0.0; rows * PANEL], vec![0.0; rows * PANEL]);
        for column in 0..columns {
            let c = start + column;
            // The column as the reflections of this panel have left it.
            let (vc, wc): (Vec<f64>, Vec<f64>) = (v[column * PANEL..][..column].to_vec(), w[column * PANEL..][..column].to_vec());
            let mut x: Vec<f64> = (c..n)
                .map(|i| {
                    let at = (i - start) * PANEL;
                    a[c * n + i] - dot(&v[at..at + column], &wc) - dot(&w[at..at + column], &vc)
                })
                .collect();
            diagonal[c] = x[0];
            let Some((_, below)) = x.split_first_mut() else { continue };
            if below.is_empty() {
                continue;
            }
            let tau = reflection(below);
            beside[c] = below[0];
            below[0] = 1.0;
            let mut product = times(&a, n, c + 1, below);
            // What the panel's reflections would have done to the matrix.
            let (mut vx, mut wx) = (vec![0.0; column], vec![0.0; column]);
            for (i, value) in below.iter().enumerate() {
                let at = (column + 1 + i) * PANEL;
                vx.iter_mut().zip(&v[at..]).for_each(|(sum, v)| *sum += v * value);
                wx.iter_mut().zip(&w[at..]).for_each(|(sum, w)| *sum += w * value);
            }
            for (i, value) in product.iter_mut().enumerate() {
                let at = (column + 1 + i) * PANEL;
                *value = tau * (*value - dot(&v[at..at + column], &wx) - dot(&w[at..at + column], &vx));
            }
            let half = 0.5 * tau * dot(&product, below);
            for (i, (value, x)) in product.iter().zip(below.iter()).enumerate() {
                let at = (column + 1 + i) * PANEL + column;
                v[at] = *x;
                w[at] = value - half * x;
            }
        }
        let done = start + columns;
        update(&mut a, n, done, &v[columns * PANEL..], &w[columns * PANEL..]);
        start = done;
    }
    (diagonal, beside)
}

/// Turns x into the vector of the reflection that leaves nothing of it but its first element, which is left in its place; gives τ.
/// The vector's own first element is 1.
fn reflection(x: &mut [f64]) -> f64 {
    let first = x[0];
    let scale = x.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let rest = x[1..].iter().map(|value| (value / scale) * (value / scale)).sum::<f64>();
    if scale == 0.0 || rest == 0.0 {
        x[1..].fill(0.0);
        return 0.0;
    }
    let length = scale * ((first / scale) * (first / scale) + rest).sqrt();
    let beta = if first > 0.0 { -length } else { length };
    x[1..].iter_mut().for_each(|value| *value /= first - beta);
    x[0] = beta;
    (beta - first) / beta
}

/// The product of the lower right part of the matrix, from row and column `from` on, with a vector.
fn times(a: &[f64], n: usize, from: usize, vector: &[f64]) -> Vec<f64> {
    let row = |i: usize| dot(&a[i * n + from..(i + 1) * n], vector);
    if vector.len() * vector.len() < WORTH_A_THREAD {
        return (from..n).map(row).collect();
    }
    (from..n).into_par_iter().with_min_len(8).map(row).collect()
}

/// A − V Wᵀ − W Vᵀ in the lower right part of the matrix from row and column `from` on.
fn update(a: &mut [f64], n: usize, from: usize, v: &[f64], w: &[f64]) {
    let rows = n - from;
    if rows == 0 {
        return;
    }
    // [V W] [W V]ᵀ in one product for each stretch of rows.
    let pairs = |first: &[f64], second: &[f64]| -> Vec<f64> {
        first.chunks_exact(PANEL).zip(second.chunks_exact(PANEL)).flat_map(|(a, b)| [a, b].concat()).collect()
    };
    let (left, right) = (pairs(v, w), pairs(w, v));
    a[from * n..].par_chunks_mut(TILE * n).enumerate().for_each(|(stretch, part)| {
        let m = part.len() / n;
        let left = &left[stretch * TILE * 2 * PANEL..][..m * 2 * PANEL];
        let mut product = vec![0.0; m * rows];
        let operands = Operands { m, k: 2 * PANEL, n: rows, a: left, transpose_a: false, b: &right, transpose_b: true };
        add_product(&operands, -1.0, &mut product, true);
        for (row, change) in part.chunks_exact_mut(n).zip(product.chunks_exact(rows)) {
            row[from..].iter_mut().zip(change).for_each(|(value, change)| *value += change);
        }
    });
}

/// Eigenvalues of a symmetric matrix of three diagonals, written over its diagonal.
fn implicit_ql(diagonal: &mut [f64], beside: &mut [f64]) {
    let n = diagonal.len();
    for l in 0..n {
        // Three sweeps find an eigenvalue; so many never happen, and the nearest numbers are kept.
        for _ in 0..60 {
            let small = |m: usize| {
                let around = diagonal[m].abs() + diagonal[m + 1].abs();
                beside[m].abs() <= f64::EPSILON * around
            };
            let m = (l..n - 1).find(|m| small(*m)).unwrap_or(n - 1);
            if m == l {
                break;
            }
            let g = (diagonal[l + 1] - diagonal[l]) / (2.0 * beside[l]);
            let r = (g * g + 1.0).sqrt();
            let mut g = diagonal[m] - diagonal[l] + beside[l] / (g + if g < 0.0 { -r } else { r });
            let (mut sine, mut cosine, mut p) = (1.0, 1.0, 0.0);
            let mut ended = true;
            for i in (l..m).rev() {
                let (f, b) = (sine * beside[i], cosine * beside[i]);
                let r = f.hypot(g);
                beside[i + 1] = r;
                if r == 0.0 {
                    diagonal[i + 1] -= p;
                    beside[m] = 0.0;
                    ended = false;
                    break;
                }
                sine = f / r;
                cosine = g / r;
                g = diagonal[i + 1] - p;
                let t = (diagonal[i] - g) * sine + 2.0 * cosine * b;
                p = sine * t;
                diagonal[i + 1] = g + p;
                g = cosine * t - b;
            }
            if ended {
                diagonal[l] -= p;
                beside[l] = g;
                beside[m] = 0.0;
            }
        }
    }
}

/// The sum of products in eight lanes, whatever the hardware.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 16];
    let (heads, tail) = a.as_chunks::<16>();
    let (others, rest) = b.as_chunks::<16>();
    for (x, y) in heads.iter().zip(others) {
        for lane in 0..16 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let mut sum = 0.0;
    for (x, y) in tail.iter().zip(rest) {
        sum += x * y;
    }
    lanes.iter().sum::<f64>() + sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    fn numbers(count: usize, seed: u64) -> Vec<f64> {
        (0..count).map(|i| Key::new(seed).normal(i as u64)).collect()
    }

    fn outer(rows: &[f64], d: usize) -> Vec<f64> {
        let mut sum = OuterProducts::new(d);
        rows.chunks(37 * d).for_each(|part| sum.add(part));
        sum.matrix()
    }

    #[test]
    fn outer_products_are_summed_in_blocks() {
        for (n, d) in [(1, 1), (50, 7), (90, 200), (40, 300)] {
            let rows = numbers(n * d, 1);
            let found = outer(&rows, d);
            for (i, j) in [(0, 0), (d - 1, 0), (d / 2, d - 1), (d - 1, d - 1)] {
                let due: f64 = rows.chunks_exact(d).map(|row| row[i] * row[j]).sum();
                assert!((found[i * d + j] - due).abs() < 1e-9, "{n} {d} {i} {j}");
            }
        }
    }

    #[test]
    fn factors_give_the_matrix_back_whatever_its_rank() {
        for (n, d) in [(3, 1), (80, 10), (40, 64), (30, 90), (200, 150)] {
            let matrix = outer(&numbers(n * d, 2), d);
            let (factor, rank) = factor(&matrix, d);
            assert_eq!(rank, n.min(d));
            for i in 0..d {
                for j in 0..d {
                    let product: f64 = (0..rank).map(|k| factor[i * rank + k] * factor[j * rank + k]).sum();
                    assert!((product - matrix[i * d + j]).abs() < 1e-9 * n as f64, "{n} {d} {i} {j}");
                }
            }
        }
        assert_eq!(factor(&[0.0; 9], 3), (Vec::new(), 0));
    }

    /// The matrix of second differences has the eigenvalues 2 − 2 cos(π k / (n + 1)); changed by reflections it is full.
    #[test]
    fn eigenvalues_are_those_that_are_known() {
        for n in [1, 2, 3, 31, 33, 100, 170] {
            let mut matrix = vec![0.0; n * n];
            for i in 0..n {
                matrix[i * n + i] = 2.0;
                if i > 0 {
                    matrix[i * n + i - 1] = -1.0;
                    matrix[(i - 1) * n + i] = -1.0;
                }
            }
            for seed in 0..3 {
                let v = numbers(n, seed);
                let length = dot(&v, &v);
                let image: Vec<f64> = matrix.chunks_exact(n).map(|row| dot(row, &v)).collect();
                let twice = dot(&image, &v);
                for i in 0..n {
                    for j in 0..n {
                        matrix[i * n + j] +=
                            -2.0 / length * (v[i] * image[j] + image[i] * v[j]) + 4.0 / (length * length) * v[i] * v[j] * twice;
                    }
                }
            }
            for (k, found) in eigenvalues(&matrix, n).iter().enumerate() {
                let due = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
                assert!((found - due).abs() < 1e-12 * n as f64, "{n} {k}: {found} {due}");
            }
        }
        assert_eq!(eigenvalues(&[0.0; 4], 2), [0.0, 0.0]);
        assert!(eigenvalues(&[], 0).is_empty());
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let d = 260;
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let matrix = outer(&numbers(400 * d, 3), d);
                (factor(&matrix, d), eigenvalues(&matrix, d), matrix)
            })
        };
        let one = run(1);
        assert!([2, 3, 7].into_iter().all(|threads| run(threads) == one));
    }
}
