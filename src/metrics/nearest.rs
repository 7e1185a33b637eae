//! The nearest image of one set for every image of another, by the directions of their features. Candidates come from products in
//! single precision; every row that could be the nearest within their error is looked at again in double precision, from the features
//! themselves. So equal rows are at distance 0 exactly, ties go to the lower index, and threads change nothing.

use crate::kernels::cpu::matmul::{Operands, add_product};
use rayon::prelude::*;

/// What is called alike, between −1 and 1. A distance is 1 minus that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The cosine of the angle between two rows of features (Schütte et al. 2021, the code's `nn.py`).
    Cosine,
    /// Pearson's correlation over the features (Dar et al. 2025).
    Correlation,
}

/// The nearest row of a gallery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    pub index: usize,
    /// 1 − likeness: 0 for equal rows, 2 for opposite ones.
    pub distance: f64,
}

/// Rows of features of which only the direction counts.
#[derive(Clone, Debug)]
pub struct Directions {
    /// `[n, d]`.
    features: Vec<f32>,
    d: usize,
    likeness: Likeness,
    frames: Vec<Frame>,
}

/// How a row becomes one of length 1: (feature − mean) · scale. Without a direction (all features equal, or not numbers) the scale is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    mean: f64,
    scale: f64,
}

/// Rows of either set that are multiplied at once.
const QUERIES: usize = 128;
const GALLERY: usize = 1_024;
/// Candidates for the nearest row.
const KEPT: usize = 9;

impl Directions {
    /// `features` is `[n, d]`; numbers behind the last whole row are left out.
    pub fn new(features: Vec<f32>, d: usize, likeness: Likeness) -> Self {
        let frame = |row: &[f32]| {
            let mean = match likeness {
                Likeness::Cosine => 0.0,
                Likeness::Correlation => row.iter().map(|value| f64::from(*value)).sum::<f64>() / d as f64,
            };
            let length = row.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>().sqrt();
            Frame { mean, scale: if length > 0.0 && length.is_finite() { 1.0 / length } else { 0.0 } }
        };
        let frames = features.par_chunks_exact(d.max(1)).map(frame).collect();
        Self { features, d: d.max(1), likeness, frames }
    }

    pub fn len(&self) -> usize {
        self.frames.len()
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Some of the rows.
    #[must_use]
    pub fn gathered(&self, rows: &[usize]) -> Self {
        Self::new(rows.iter().flat_map(|row| self.row(*row)).copied().collect(), self.d, self.likeness)
    }

    fn row(&self, index: usize) -> &[f32] {
        self.features.get(index * self.d..(index + 1) * self.d).unwrap_or_default()
    }

    fn frame(&self, index: usize) -> Frame {
        self.frames.get(index).copied().unwrap_or(Frame { mean: 0.0, scale: 0.0 })
    }

    /// The distance between two rows: half the square of that between the directions. Rows without one are as far as rows at right
    /// angles, unless they are equal.
    pub fn distance(&self, row: usize, other: &Self, index: usize) -> f64 {
        let ((x, a), (y, b)) = ((self.row(row), self.frame(row)), (other.row(index), other.frame(index)));
        if a.scale == 0.0 || b.scale == 0.0 {
            return if x == y { 0.0 } else { 1.0 };
        }
        let squared = |(x, y): (&f32, &f32)| ((f64::from(*x) - a.mean) * a.scale - (f64::from(*y) - b.mean) * b.scale).powi(2);
        0.5 * x.iter().zip(y).map(squared).sum::<f64>()
    }

    /// The mean of all directions.
    fn centre(&self) -> Vec<f64> {
        let mut centre = vec![0.0; self.d];
        for (row, frame) in self.features.chunks_exact(self.d).zip(&self.frames).filter(|(_, frame)| frame.scale > 0.0) {
            centre.iter_mut().zip(row).for_each(|(sum, value)| *sum += (f64::from(*value) - frame.mean) * frame.scale);
        }
        centre.iter_mut().for_each(|sum| *sum /= self.len().max(1) as f64);
        centre
    }

    /// Directions as seen from a centre, which makes the products of rows that are nearly parallel small and so exact, and half their
    /// squared lengths. Rows without a direction are infinitely far.
    fn moved(&self, centre: &[f64]) -> (Vec<f32>, Vec<f32>) {
        let moved: Vec<f32> = self
            .features
            .par_chunks_exact(self.d)
            .zip(&self.frames)
            .flat_map_iter(|(row, frame)| {
                let at = |(value, centre): (&f32, &f64)| match frame.scale > 0.0 {
                    true => ((f64::from(*value) - frame.mean) * frame.scale - centre) as f32,
                    false => 0.0,
                };
                row.iter().zip(centre).map(at)
            })
            .collect();
        let half = |(row, frame): (&[f32], &Frame)| match frame.scale > 0.0 {
            true => (0.5 * row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>()) as f32,
            false => f32::INFINITY,
        };
        let halves = moved.par_chunks_exact(self.d).zip(&self.frames).map(half).collect();
        (moved, halves)
    }
}

/// Rows of a gallery with their distances in single precision, nearest first.
type Shortlist = Vec<(f32, usize)>;

/// The nearest row of the gallery for each query; empty where the gallery is.
pub fn nearest(queries: &Directions, gallery: &Directions) -> Vec<Neighbour> {
    if gallery.is_empty() || queries.d != gallery.d {
        return Vec::new();
    }
    let (d, centre) = (gallery.d, gallery.centre());
    let ((near, near_halves), (far, far_halves)) = (queries.moved(&centre), gallery.moved(&centre));
    let finite = |halves: &[f32]| halves.iter().copied().filter(|half| half.is_finite()).fold(0.0, f32::max);
    // Sums of d products (Higham 2002, section 3.1), the lengths, and the rows as they were moved.
    let unsure = (d as f32 + 16.0) * f32::EPSILON * 2.0 * finite(&near_halves).max(finite(&far_halves));
    // Rows without a direction are at distance 1 from what has one.
    let outside = if far_halves.iter().all(|half| half.is_finite()) { f64::INFINITY } else { 1.0 };
    let tiles = near.par_chunks(QUERIES * d).zip(near_halves.par_chunks(QUERIES)).enumerate();
    let found = tiles.flat_map_iter(|(tile, (rows, halves))| {
        let shortlists = shortlisted(rows, halves, &far, &far_halves, d);
        let decided = |(place, (shortlist, half)): (usize, (Shortlist, &f32))| {
            let query = tile * QUERIES + place;
            let of = |index: usize| Neighbour { index, distance: queries.distance(query, gallery, index) };
            let best = first(shortlist.iter().map(|(_, index)| of(*index)));
            let border = match shortlist.last() {
                Some((distance, _)) if shortlist.len() == KEPT => (f64::from(*distance) - f64::from(unsure)).min(outside),
                _ => f64::INFINITY,
            };
            match best.filter(|best| half.is_finite() && best.distance < border) {
                Some(best) => best,
                // One that was left out could be as near.
                None => first((0..gallery.len()).map(of)).unwrap_or_else(|| of(0)),
            }
        };
        shortlists.into_iter().zip(halves).enumerate().map(decided).collect::<Vec<_>>()
    });
    found.collect()
}

/// The nearest, and of equally near ones that of the lowest index.
fn first(neighbours: impl Iterator<Item = Neighbour>) -> Option<Neighbour> {
    neighbours.min_by(|a, b| a.distance.total_cmp(&b.distance).then(a.index.cmp(&b.index)))
}

/// For each of a few queries the rows of the gallery that seem nearest, in ascending order, with their distances in single precision.
fn shortlisted(rows: &[f32], halves: &[f32], far: &[f32], far_halves: &[f32], d: usize) -> Vec<Shortlist> {
    let mut shortlists: Vec<Shortlist> = vec![Vec::with_capacity(KEPT + 1); halves.len()];
    let mut products = Vec::new();
    for (tile, (others, other_halves)) in far.chunks(GALLERY * d).zip(far_halves.chunks(GALLERY)).enumerate() {
        products.clear();
        products.resize(halves.len() * other_halves.len(), 0.0);
        let (m, n) = (halves.len(), other_halves.len());
        let operands = Operands { m, k: d, n, a: rows, transpose_a: false, b: others, transpose_b: true };
        add_product(&operands, 1.0, &mut products, true);
        for ((products, half), shortlist) in products.chunks_exact(n).zip(halves).zip(&mut shortlists) {
            let mut limit = limit(shortlist);
            for (place, (product, other)) in products.iter().zip(other_halves).enumerate() {
                let distance = half + other - product;
                if distance < limit {
                    let at = shortlist.partition_point(|(known, _)| *known <= distance);
                    shortlist.insert(at, (distance, tile * GALLERY + place));
                    shortlist.truncate(KEPT);
                    limit = self::limit(shortlist);
                }
            }
        }
    }
    shortlists
}

fn limit(shortlist: &[(f32, usize)]) -> f32 {
    shortlist.last().filter(|_| shortlist.len() == KEPT).map_or(f32::INFINITY, |(distance, _)| *distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{D, fake, real};

    /// By definition: all pairs, the likeness as a quotient of sums.
    fn by_definition(queries: &[f32], gallery: &[f32], likeness: Likeness) -> Vec<(usize, f64)> {
        let centred = |row: &[f32]| -> Vec<f64> {
            let mean =
                if likeness == Likeness::Correlation { row.iter().map(|v| f64::from(*v)).sum::<f64>() / D as f64 } else { 0.0 };
            row.iter().map(|value| f64::from(*value) - mean).collect()
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let distance = |a: &[f32], b: &[f32]| {
            let (a, b) = (centred(a), centred(b));
            1.0 - dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
        };
        let of = |query: &[f32]| {
            let all = gallery.chunks(D).map(|row| distance(query, row)).enumerate();
            all.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
        };
        queries.chunks(D).map(of).collect()
    }

    #[test]
    fn the_nearest_are_those_of_the_definition_on_any_number_of_threads() {
        for likeness in [Likeness::Cosine, Likeness::Correlation] {
            let gallery: Vec<f32> =
                real().into_iter().chain(real().iter().map(|value| value * 0.5 + 0.1)).chain(fake()).collect();
            let queries: Vec<f32> = fake().iter().map(|value| value + 0.01).collect();
            let sets = (Directions::new(queries.clone(), D, likeness), Directions::new(gallery.clone(), D, likeness));
            let found = nearest(&sets.0, &sets.1);
            for (found, (index, distance)) in found.iter().zip(by_definition(&queries, &gallery, likeness)) {
                assert_eq!(found.index, index);
                assert!((found.distance - distance).abs() < 1e-12, "{found:?} {distance}");
            }
            for threads in [1, 2, 3, 7] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                assert_eq!(pool.install(|| nearest(&sets.0, &sets.1)), found);
            }
        }
    }

    /// Far from the origin and nearly parallel: single precision would not tell these rows apart.
    #[test]
    fn copies_are_at_distance_zero_and_ties_go_to_the_lower_index() {
        for likeness in [Likeness::Cosine, Likeness::Correlation] {
            let rows: Vec<f32> = real().iter().enumerate().map(|(at, value)| 1e4 * (1 + at % D) as f32 + value).collect();
            let twice: Vec<f32> = rows.iter().chain(&rows).copied().collect();
            let found = nearest(&Directions::new(rows.clone(), D, likeness), &Directions::new(twice, D, likeness));
            for (row, found) in found.iter().enumerate() {
                assert_eq!(*found, Neighbour { index: row, distance: 0.0 }, "{likeness:?}");
            }
            // Twenty equal rows: more than the shortlist holds.
            let equal: Vec<f32> = rows[..D].repeat(20);
            let found = nearest(&Directions::new(rows[..D].to_vec(), D, likeness), &Directions::new(equal, D, likeness));
            assert_eq!(found, [Neighbour { index: 0, distance: 0.0 }]);
        }
    }

    #[test]
    fn rows_without_a_direction_are_near_nothing() {
        let rows = Directions::new([[0.0; 4], [1.0, 2.0, 0.0, 0.0], [f32::NAN; 4]].concat(), 4, Likeness::Cosine);
        let found: Vec<f64> = nearest(&rows, &rows).iter().map(|found| found.distance).collect();
        assert_eq!(found, [0.0, 0.0, 1.0]);
        let blind = Directions::new(vec![3.0; 8], 4, Likeness::Correlation);
        assert_eq!(nearest(&rows.gathered(&[1]), &blind.gathered(&[])), []);
        assert_eq!(nearest(&blind, &blind)[1], Neighbour { index: 0, distance: 0.0 });
    }
}
