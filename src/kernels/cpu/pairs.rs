//! What is computed of all pairs of rows of two matrices without ever holding it: sums of a cubic kernel, the nearest rows, counts of
//! rows that are near. Products of rows are made tile by tile in single precision; whatever depends on more digits than they have is
//! computed again from the rows themselves in double precision. Results do not depend on the number of threads.

#![allow(clippy::needless_range_loop)] // loops of constant length over lanes are vectorised by index

use super::matmul::{Operands, add_product};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Rows of either matrix in a tile.
const TILE: usize = 512;
/// Candidates for the nearest rows beyond those that are asked for.
const SPARE: usize = 8;

/// Rows of features, `[n, d]`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [f32],
    d: usize,
}

impl<'a> Rows<'a> {
    /// # Panics
    /// When the values are not whole rows.
    pub fn new(values: &'a [f32], d: usize) -> Self {
        assert!(d > 0 && values.len().is_multiple_of(d), "{} numbers are not rows of {d}", values.len());
        Self { values, d }
    }

    pub fn len(&self) -> usize {
        self.values.len() / self.d
    }

    /// Numbers in a row.
    pub fn dimensions(&self) -> usize {
        self.d
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn row(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.d..(index + 1) * self.d]
    }

    /// The rows of one tile, and the number of its first.
    fn tile(&self, tile: usize) -> (usize, Rows<'a>) {
        let (first, end) = (tile * TILE, ((tile + 1) * TILE).min(self.len()));
        (first, Rows { values: &self.values[first * self.d..end * self.d], d: self.d })
    }

    fn tiles(&self) -> usize {
        self.len().div_ceil(TILE)
    }

    /// The mean of all rows.
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.d];
        for row in self.values.chunks_exact(self.d) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        mean.iter_mut().for_each(|sum| *sum /= self.len().max(1) as f64);
        mean
    }

    /// Copies of some rows.
    pub fn gathered(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter().flat_map(|row| self.row(*row)).copied().collect()
    }
}

/// The products of all rows of two tiles, `[a, b]`.
fn products(a: Rows<'_>, b: Rows<'_>, out: &mut Vec<f32>) {
    out.clear();
    out.resize(a.len() * b.len(), 0.0);
    let operands = Operands { m: a.len(), k: a.d, n: b.len(), a: a.values, transpose_a: false, b: b.values, transpose_b: true };
    add_product(&operands, 1.0, out, true);
}

/// Σ (x · y / d + 1)³ over all pairs of rows.
pub fn cubic_sum(x: Rows<'_>, y: Rows<'_>) -> f64 {
    let pairs: Vec<(usize, usize)> = (0..x.tiles()).flat_map(|i| (0..y.tiles()).map(move |j| (i, j))).collect();
    sum_over(&pairs, |i, j, buffer| {
        products(x.tile(i).1, y.tile(j).1, buffer);
        cubes(buffer, x.d)
    })
}

/// The same over all pairs of different rows of one matrix, each pair counted both ways.
pub fn cubic_sum_within(x: Rows<'_>) -> f64 {
    let pairs: Vec<(usize, usize)> = (0..x.tiles()).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
    sum_over(&pairs, |i, j, buffer| {
        let (a, b) = (x.tile(i).1, x.tile(j).1);
        products(a, b, buffer);
        if i != j {
            return 2.0 * cubes(buffer, x.d);
        }
        let own: f64 = buffer.iter().step_by(a.len() + 1).map(|product| cube(*product, x.d)).sum();
        cubes(buffer, x.d) - own
    })
}

/// The sum over pairs of tiles, in their order.
fn sum_over(pairs: &[(usize, usize)], of: impl Fn(usize, usize, &mut Vec<f32>) -> f64 + Sync) -> f64 {
    let sums: Vec<f64> = pairs.par_iter().map_init(Vec::new, |buffer, (i, j)| of(*i, *j, buffer)).collect();
    sums.iter().sum()
}

fn cube(product: f32, d: usize) -> f64 {
    let base = f64::from(product) / d as f64 + 1.0;
    base * base * base
}

fn cubes(products: &[f32], d: usize) -> f64 {
    let scale = 1.0 / d as f64;
    let mut lanes = [0.0; 16];
    let (heads, tail) = products.as_chunks::<16>();
    for head in heads {
        for lane in 0..16 {
            let base = f64::from(head[lane]) * scale + 1.0;
            lanes[lane] += base * base * base;
        }
    }
    lanes.iter().sum::<f64>() + tail.iter().map(|product| cube(*product, d)).sum::<f64>()
}

/// Rows with their squared lengths, moved by the same vector as others that they are compared with: near rows far from the origin
/// would drown in rounding.
#[derive(Clone, Debug)]
pub struct Centred {
    /// As given, for exact distances.
    original: Vec<f32>,
    moved: Vec<f32>,
    lengths: Vec<f32>,
    longest: f32,
    d: usize,
}

impl Centred {
    /// # Panics
    /// When the values are not whole rows of as many numbers as the centre has.
    pub fn new(rows: Rows<'_>, centre: &[f64]) -> Self {
        let d = rows.d;
        assert_eq!(centre.len(), d, "a centre of {d} numbers");
        let moved: Vec<f32> = rows
            .values
            .par_chunks(d)
            .flat_map_iter(|row| row.iter().zip(centre).map(|(value, centre)| (f64::from(*value) - centre) as f32))
            .collect();
        let length = |row: &[f32]| row.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>() as f32;
        let lengths: Vec<f32> = moved.par_chunks(d).map(length).collect();
        let longest = lengths.iter().copied().fold(0.0, f32::max);
        Self { original: rows.values.to_vec(), moved, lengths, longest, d }
    }

    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    fn rows(&self) -> Rows<'_> {
        Rows { values: &self.moved, d: self.d }
    }

    /// The squared distance between a row and one of another matrix.
    fn exact(&self, row: usize, other: &Self, index: usize) -> f64 {
        let (a, b) = (&self.original[row * self.d..][..self.d], &other.original[index * self.d..][..self.d]);
        squared_distance(a, b)
    }

    /// The most by which a squared distance from products in single precision can be wrong: sums of d products (Higham 2002, section
    /// 3.1), the lengths, and the rows as they were moved.
    fn uncertainty(&self, other: &Self) -> f32 {
        (self.d as f32 + 16.0) * f32::EPSILON * 2.0 * self.longest.max(other.longest)
    }
}

/// Σ (a − b)², in double precision.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 16];
    let (heads, tail) = a.as_chunks::<16>();
    let (others, rest) = b.as_chunks::<16>();
    for (x, y) in heads.iter().zip(others) {
        for lane in 0..16 {
            let difference = f64::from(x[lane]) - f64::from(y[lane]);
            lanes[lane] += difference * difference;
        }
    }
    let last: f64 = tail.iter().zip(rest).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
    lanes.iter().sum::<f64>() + last
}

/// The nearest candidates of one row so far: approximate squared distance and index, in ascending order.
type Candidates = Vec<(f32, u32)>;

/// The squared distances from each row to the `ks`-th nearest other rows of the same matrix (1: the nearest): for each row as many
/// numbers as `ks`, infinite where there are not so many others.
pub fn nearest_within(x: &Centred, ks: &[usize]) -> Vec<f64> {
    let most = ks.iter().copied().max().unwrap_or(0);
    let kept = most + SPARE;
    let rows = x.rows();
    let stripes: Vec<Mutex<Vec<Candidates>>> =
        (0..rows.tiles()).map(|tile| Mutex::new(vec![Vec::with_capacity(kept + 1); rows.tile(tile).1.len()])).collect();
    let pairs: Vec<(usize, usize)> = (0..rows.tiles()).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
    pairs.par_iter().for_each_init(Vec::new, |buffer, (i, j)| {
        let ((first, a), (other, b)) = (rows.tile(*i), rows.tile(*j));
        products(a, b, buffer);
        let (of_a, of_b) = (&x.lengths[first..first + a.len()], &x.lengths[other..other + b.len()]);
        for (row, length) in buffer.chunks_exact_mut(b.len()).zip(of_a) {
            row.iter_mut().zip(of_b).for_each(|(product, other)| *product = length + other - 2.0 * *product);
        }
        let mut stripe = stripes[*i].lock().unwrap_or_else(PoisonError::into_inner);
        for (place, (row, candidates)) in buffer.chunks_exact(b.len()).zip(stripe.iter_mut()).enumerate() {
            offer(candidates, kept, row.iter().copied(), other, first + place);
        }
        drop(stripe);
        if i != j {
            let mut stripe = stripes[*j].lock().unwrap_or_else(PoisonError::into_inner);
            let mut limits: Vec<f32> = stripe.iter().map(|candidates| limit(candidates, kept)).collect();
            for (place, row) in buffer.chunks_exact(b.len()).enumerate() {
                for (part, (row, limits)) in row.chunks(16).zip(limits.chunks_mut(16)).enumerate() {
                    if row.iter().zip(&*limits).all(|(value, limit)| value > limit) {
                        continue;
                    }
                    for (column, (value, limit)) in row.iter().zip(limits).enumerate() {
                        if value <= limit {
                            let candidates = &mut stripe[part * 16 + column];
                            insert(candidates, kept, (*value, (first + place) as u32));
                            *limit = self::limit(candidates, kept);
                        }
                    }
                }
            }
        }
    });
    let candidates: Vec<Candidates> =
        stripes.into_iter().flat_map(|stripe| stripe.into_inner().unwrap_or_else(PoisonError::into_inner)).collect();
    let unsure = x.uncertainty(x);
    candidates.par_iter().enumerate().flat_map_iter(|(row, candidates)| ranked(x, row, candidates, kept, unsure, ks)).collect()
}

/// The exact distances of a row from its candidates, or from all rows where a better one may have been left out.
fn ranked(x: &Centred, row: usize, candidates: &Candidates, kept: usize, unsure: f32, ks: &[usize]) -> Vec<f64> {
    let most = ks.iter().copied().max().unwrap_or(0);
    let mut exact: Vec<f64> = candidates.iter().map(|(_, other)| x.exact(row, x, *other as usize)).collect();
    exact.sort_by(f64::total_cmp);
    let complete = candidates.len() < kept;
    let border = candidates.last().map_or(f64::INFINITY, |(distance, _)| f64::from(*distance) - f64::from(unsure));
    if !complete && exact.get(most.saturating_sub(1)).is_none_or(|kth| *kth >= border) {
        exact = (0..x.len()).filter(|other| *other != row).map(|other| x.exact(row, x, other)).collect();
        exact.sort_by(f64::total_cmp);
    }
    ks.iter().map(|k| k.checked_sub(1).and_then(|at| exact.get(at)).copied().unwrap_or(f64::INFINITY)).collect()
}

/// Offers a row of distances, whose first is that to row `first`; the row itself is none.
fn offer(candidates: &mut Candidates, kept: usize, distances: impl Iterator<Item = f32>, first: usize, own: usize) {
    let mut limit = limit(candidates, kept);
    for (place, distance) in distances.enumerate() {
        if distance <= limit && first + place != own {
            insert(candidates, kept, (distance, (first + place) as u32));
            limit = self::limit(candidates, kept);
        }
    }
}

fn limit(candidates: &Candidates, kept: usize) -> f32 {
    if candidates.len() < kept { f32::INFINITY } else { candidates.last().map_or(f32::INFINITY, |(distance, _)| *distance) }
}

/// The smallest are kept by distance and index, whatever the order in which they come.
fn insert(candidates: &mut Candidates, kept: usize, new: (f32, u32)) {
    let place = candidates.partition_point(|known| known.0.total_cmp(&new.0).then(known.1.cmp(&new.1)).is_lt());
    if place < kept {
        candidates.insert(place, new);
        candidates.truncate(kept);
    }
}

/// A ball around each row of a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Balls<'a> {
    /// Squared radii.
    pub radii: &'a [f64],
    /// Whether what lies on the surface is inside.
    pub closed: bool,
}

impl Balls<'_> {
    fn holds(&self, ball: usize, distance: f64) -> bool {
        distance < self.radii[ball] || self.closed && distance == self.radii[ball]
    }
}

/// Which rows of a matrix lie in balls around the rows of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// For each row, in how many balls it lies.
    pub within: Vec<u32>,
    /// For each ball, whether there is a row in it.
    pub filled: Vec<bool>,
}

/// For each set of balls around rows of `x`, which rows of `y` lie in them, and likewise for balls around rows of `y`: all in one look
/// at the pairs.
pub fn inside(x: &Centred, y: &Centred, around_x: &[Balls<'_>], around_y: &[Balls<'_>]) -> (Vec<Inside>, Vec<Inside>) {
    let (rows, columns) = (x.rows(), y.rows());
    let counts = |sets: usize, n: usize| -> Vec<Vec<AtomicU32>> {
        (0..sets).map(|_| (0..n).map(|_| AtomicU32::new(0)).collect()).collect()
    };
    let flags = |sets: usize, n: usize| -> Vec<Vec<AtomicBool>> {
        (0..sets).map(|_| (0..n).map(|_| AtomicBool::new(false)).collect()).collect()
    };
    let (within_x, filled_x) = (counts(around_x.len(), y.len()), flags(around_x.len(), x.len()));
    let (within_y, filled_y) = (counts(around_y.len(), x.len()), flags(around_y.len(), y.len()));
    let unsure = x.uncertainty(y);
    // Beyond this from both rows, a pair is in no ball.
    let widest = |sets: &[Balls<'_>], n: usize| -> Vec<f32> {
        let radius = |row: usize| sets.iter().map(|balls| balls.radii[row]).fold(0.0, f64::max);
        (0..n).map(|row| radius(row) as f32 * (1.0 + f32::EPSILON) + unsure).collect()
    };
    let (reach_x, reach_y) = (widest(around_x, x.len()), widest(around_y, y.len()));
    let pairs: Vec<(usize, usize)> = (0..rows.tiles()).flat_map(|i| (0..columns.tiles()).map(move |j| (i, j))).collect();
    pairs.par_iter().for_each_init(Vec::new, |buffer, (i, j)| {
        let ((first, a), (other, b)) = (rows.tile(*i), columns.tile(*j));
        products(a, b, buffer);
        let lengths = &y.lengths[other..other + b.len()];
        let reach = &reach_y[other..other + b.len()];
        for (place, row) in buffer.chunks_exact(b.len()).enumerate() {
            let at = first + place;
            let (length, near) = (x.lengths[at], reach_x[at]);
            let parts = row.chunks(16).zip(lengths.chunks(16)).zip(reach.chunks(16));
            for (part, ((row, lengths), reach)) in parts.enumerate() {
                let distance = |product: &f32, other: &f32| length + other - 2.0 * product;
                let far = row
                    .iter()
                    .zip(lengths)
                    .zip(reach)
                    .fold(true, |far, ((product, other), reach)| far & (distance(product, other) > near.max(*reach)));
                if far {
                    continue;
                }
                for (column, ((product, length), reach)) in row.iter().zip(lengths).zip(reach).enumerate() {
                    let about = distance(product, length);
                    if about > near.max(*reach) {
                        continue;
                    }
                    let to = other + part * 16 + column;
                    let mut exact = None;
                    // What rounding cannot change is taken from the product.
                    let mut is_in = |balls: &Balls<'_>, ball: usize| {
                        let (about, unsure) = (f64::from(about), f64::from(unsure));
                        let radius = balls.radii[ball];
                        if about + unsure < radius {
                            true
                        } else if about - unsure > radius {
                            false
                        } else {
                            balls.holds(ball, *exact.get_or_insert_with(|| x.exact(at, y, to)))
                        }
                    };
                    for (set, balls) in around_x.iter().enumerate() {
                        if is_in(balls, at) {
                            within_x[set][to].fetch_add(1, Ordering::Relaxed);
                            filled_x[set][at].store(true, Ordering::Relaxed);
                        }
                    }
                    for (set, balls) in around_y.iter().enumerate() {
                        if is_in(balls, to) {
                            within_y[set][at].fetch_add(1, Ordering::Relaxed);
                            filled_y[set][to].store(true, Ordering::Relaxed);
                        }
                    }
                }
            }
        }
    });
    let collected = |within: Vec<Vec<AtomicU32>>, filled: Vec<Vec<AtomicBool>>| -> Vec<Inside> {
        let sets = within.into_iter().zip(filled);
        sets.map(|(within, filled)| Inside {
            within: within.into_iter().map(AtomicU32::into_inner).collect(),
            filled: filled.into_iter().map(AtomicBool::into_inner).collect(),
        })
        .collect()
    };
    (collected(within_x, filled_x), collected(within_y, filled_y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    fn numbers(n: usize, d: usize, seed: u64, shift: f32) -> Vec<f32> {
        let mut numbers = vec![0.0; n * d];
        Key::new(seed).fill_normal(&mut numbers);
        numbers.iter_mut().for_each(|number| *number += shift);
        numbers
    }

    fn centred(values: &[f32], d: usize) -> Centred {
        Centred::new(Rows::new(values, d), &vec![100.0; d])
    }

    /// By definition, in double precision.
    fn all_distances(a: &[f32], b: &[f32], d: usize) -> Vec<Vec<f64>> {
        a.chunks_exact(d).map(|a| b.chunks_exact(d).map(|b| squared_distance(a, b)).collect()).collect()
    }

    #[test]
    fn sums_of_cubes_are_those_of_the_definition() {
        let (d, a, b) = (20, numbers(600, 20, 1, 0.0), numbers(530, 20, 2, 0.3));
        let kernel = |x: &[f32], y: &[f32]| {
            let product: f64 = x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            (product / d as f64 + 1.0).powi(3)
        };
        let due: f64 = a.chunks_exact(d).flat_map(|x| b.chunks_exact(d).map(move |y| kernel(x, y))).sum();
        let found = cubic_sum(Rows::new(&a, d), Rows::new(&b, d));
        assert!((found / due - 1.0).abs() < 1e-6, "{found} {due}");
        let own: f64 = a.chunks_exact(d).map(|x| kernel(x, x)).sum();
        let due: f64 = a.chunks_exact(d).flat_map(|x| a.chunks_exact(d).map(move |y| kernel(x, y))).sum::<f64>() - own;
        let found = cubic_sum_within(Rows::new(&a, d));
        assert!((found / due - 1.0).abs() < 1e-6, "{found} {due}");
    }

    /// Far from the origin, where products in single precision tell nothing; with copies, so that candidates do not suffice.
    #[test]
    fn nearest_rows_are_exact() {
        for copies in [0, 30] {
            let (d, mut a) = (24, numbers(1_100, 24, 3, 100.0));
            for copy in 0..copies {
                let row = a[..d].to_vec();
                a[(copy + 5) * d..(copy + 6) * d].copy_from_slice(&row);
            }
            let found = nearest_within(&centred(&a, d), &[1, 3, 5]);
            for (row, distances) in all_distances(&a, &a, d).into_iter().enumerate() {
                let mut others: Vec<f64> =
                    distances.into_iter().enumerate().filter(|(other, _)| *other != row).map(|(_, distance)| distance).collect();
                others.sort_by(f64::total_cmp);
                assert_eq!(found[row * 3..row * 3 + 3], [others[0], others[2], others[4]], "row {row} with {copies} copies");
            }
        }
        let few = nearest_within(&centred(&numbers(3, 4, 1, 0.0), 4), &[2, 3]);
        assert!(few[0].is_finite() && few[1].is_infinite());
    }

    #[test]
    fn what_lies_in_balls_is_exact() {
        let (d, a, b) = (12, numbers(600, 12, 4, 100.0), numbers(700, 12, 5, 100.2));
        let (x, y) = (centred(&a, d), centred(&b, d));
        let (around_a, around_b) = (nearest_within(&x, &[3]), nearest_within(&y, &[5]));
        // One radius is the distance to a row of the other set, which counts where the ball is closed.
        let mut around_a = around_a;
        around_a[7] = squared_distance(&a[7 * d..8 * d], &b[9 * d..10 * d]);
        let distances = all_distances(&a, &b, d);
        for closed in [false, true] {
            let (of_a, of_b) =
                inside(&x, &y, &[Balls { radii: &around_a, closed }], &[Balls { radii: &around_b, closed: false }]);
            let is_in = |i: usize, j: usize| distances[i][j] < around_a[i] || closed && distances[i][j] == around_a[i];
            for j in 0..700 {
                assert_eq!(of_a[0].within[j] as usize, (0..600).filter(|i| is_in(*i, j)).count(), "{j}");
                assert_eq!(of_b[0].filled[j], (0..600).any(|i| distances[i][j] < around_b[j]));
            }
            assert!((0..600).all(|i| of_a[0].filled[i] == (0..700).any(|j| is_in(i, j))));
            assert!((0..600).all(|i| of_b[0].within[i] as usize == (0..700).filter(|j| distances[i][*j] < around_b[*j]).count()));
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (d, a, b) = (16, numbers(1_300, 16, 6, 1.0), numbers(900, 16, 7, 1.0));
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let (x, y) = (centred(&a, d), centred(&b, d));
                let radii = nearest_within(&x, &[4]);
                let balls = inside(&x, &y, &[Balls { radii: &radii, closed: true }], &[]);
                (cubic_sum_within(Rows::new(&a, d)).to_bits(), cubic_sum(x.rows(), y.rows()).to_bits(), radii, balls)
            })
        };
        let one = run(1);
        assert!([2, 3, 7].into_iter().all(|threads| run(threads) == one));
    }
}
