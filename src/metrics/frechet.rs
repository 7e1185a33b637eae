//! The Fréchet distance between two sets of features: ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½), that of two normal distributions
//! with their means and covariances (Dowson and Landau 1982; Heusel et al. 2017, equation 6). Covariances have n − 1 in the
//! denominator, as in torch-fidelity, clean-fid and pytorch-fid; StyleGAN's have n.
//!
//! Sums over images are of f64 and add up, so that no more than a block of features has to be held, and what leaves out some images
//! is a difference. The trace of the root is the sum of √λ over the eigenvalues λ of Fᵀ Σ₂ F with F Fᵀ = Σ₁, which is symmetric:
//! nothing becomes complex, and sets of fewer images than features need no ridge.

use super::bootstrap::Interval;
use crate::kernels::cpu::matmul::multiply;
use crate::kernels::cpu::symmetric::{OuterProducts, eigenvalues, factor};

/// Rows that are turned into f64 at a time.
const BLOCK: usize = 512;

/// Number, sum and products of rows of features, from which mean and covariance follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    n: usize,
    sum: Vec<f64>,
    products: OuterProducts,
}

impl Moments {
    /// Of no rows yet, of `d` features each.
    pub fn new(d: usize) -> Self {
        Self { n: 0, sum: vec![0.0; d], products: OuterProducts::new(d) }
    }

    /// Of all rows, `[n, d]`.
    pub fn of(rows: &[f32], d: usize) -> Self {
        let mut moments = Self::new(d);
        moments.add(rows);
        moments
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.n
    }

    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Adds rows, `[n, d]`.
    pub fn add(&mut self, rows: &[f32]) {
        let d = self.sum.len().max(1);
        for block in rows.chunks(BLOCK * d) {
            let wide: Vec<f64> = block.iter().map(|value| f64::from(*value)).collect();
            for row in wide.chunks_exact(d) {
                self.n += 1;
                self.sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            self.products.add(&wide);
        }
    }

    /// What is left when the rows of `other`, which are among these, are taken out.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.n -= other.n.min(self.n);
        rest.sum.iter_mut().zip(&other.sum).for_each(|(sum, less)| *sum -= less);
        rest.products.add_times(-1.0, &other.products);
        rest
    }

    /// These rows and those of `other`.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.n += other.n;
        both.sum.iter_mut().zip(&other.sum).for_each(|(sum, more)| *sum += more);
        both.products.add_times(1.0, &other.products);
        both
    }

    /// Mean, `[d]`, and covariance, `[d, d]`; `None` of fewer than two rows.
    fn normal(&self) -> Option<(Vec<f64>, Vec<f64>)> {
        if self.n < 2 {
            return None;
        }
        let n = self.n as f64;
        let mean: Vec<f64> = self.sum.iter().map(|sum| sum / n).collect();
        let mut covariance = self.products.matrix();
        for (row, a) in covariance.chunks_exact_mut(mean.len().max(1)).zip(&mean) {
            row.iter_mut().zip(&mean).for_each(|(value, b)| *value = (*value - n * a * b) / (n - 1.0));
        }
        Some((mean, covariance))
    }
}

/// One side of distances to several others: mean, covariance, and its factor.
#[derive(Clone, Debug)]
pub struct Reference {
    mean: Vec<f64>,
    trace: f64,
    /// `[d, rank]`.
    factor: Vec<f64>,
    rank: usize,
}

impl Reference {
    /// `None` of fewer than two rows.
    pub fn new(moments: &Moments) -> Option<Self> {
        let (mean, covariance) = moments.normal()?;
        let d = mean.len();
        let (factor, rank) = factor(&covariance, d);
        Some(Self { trace: trace(&covariance, d), mean, factor, rank })
    }

    /// The Fréchet distance; `None` where there are fewer than two rows, or not as many features.
    pub fn distance(&self, other: &Moments) -> Option<f64> {
        let (mean, covariance) = other.normal().filter(|(mean, _)| mean.len() == self.mean.len())?;
        let (d, rank) = (mean.len(), self.rank);
        let between: f64 = mean.iter().zip(&self.mean).map(|(a, b)| (a - b) * (a - b)).sum();
        let mut half = vec![0.0; d * rank];
        multiply(d, d, rank, &covariance, false, &self.factor, false, &mut half);
        let mut whole = vec![0.0; rank * rank];
        multiply(rank, d, rank, &self.factor, true, &half, false, &mut whole);
        symmetrise(&mut whole, rank);
        let root: f64 = eigenvalues(&whole, rank).iter().map(|value| value.max(0.0).sqrt()).sum();
        Some(between + self.trace + trace(&covariance, d) - 2.0 * root)
    }
}

/// The Fréchet distance between two sets; `None` where one has fewer than two rows.
pub fn frechet_distance(one: &Moments, other: &Moments) -> Option<f64> {
    Reference::new(one)?.distance(other)
}

/// What the distance tends to with ever more generated images: the intercept of the line through distances of the first n of them
/// over 1/n (Chong and Forsyth 2020, section 3.1). `parts` are the sums over stretches of generated images, one behind the other.
/// `None` where fewer than two of the prefixes have a distance.
pub fn frechet_infinite(reference: &Reference, parts: &[Moments]) -> Option<f64> {
    let mut so_far: Option<Moments> = None;
    let mut points = Vec::new();
    for part in parts {
        let next = so_far.as_ref().map_or_else(|| part.clone(), |so_far| so_far.with(part));
        if let Some(distance) = reference.distance(&next) {
            points.push((1.0 / next.len() as f64, distance));
        }
        so_far = Some(next);
    }
    intercept(&points)
}

/// The stretches of `n` images whose ends are the 15 points of [`frechet_infinite`]: from the larger of two and a tenth of them, but no
/// more than 5000, evenly up to all.
pub fn stretches(n: usize) -> Vec<std::ops::Range<usize>> {
    const POINTS: usize = 15;
    let first = 5_000.0_f64.min((n as f64 / 10.0).max(2.0));
    let ends = (0..POINTS).map(|point| (first + (n as f64 - first) * point as f64 / (POINTS - 1) as f64) as usize);
    let mut stretches = Vec::new();
    let mut start = 0;
    for end in ends.map(|end| end.min(n)) {
        if end > start {
            stretches.push(start..end);
            start = end;
        }
    }
    stretches
}

/// Where the line of least squares through some points meets x = 0.
fn intercept(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let (x, y) = (points.iter().map(|(x, _)| x).sum::<f64>() / n, points.iter().map(|(_, y)| y).sum::<f64>() / n);
    let spread: f64 = points.iter().map(|(a, _)| (a - x) * (a - x)).sum();
    let slope = points.iter().map(|(a, b)| (a - x) * (b - y)).sum::<f64>() / spread;
    (points.len() > 1 && spread > 0.0).then_some(y - slope * x)
}

/// The 95 % interval of a number from its values with one group of images left out at a time, the delete-a-group jackknife: value ± t ·
/// √((G − 1)/G · Σ (valueᵢ − mean)²) (Kott 2001). The bootstrap is no good here: images drawn twice make a set that is less varied,
/// and a Fréchet distance that is too large. `None` of fewer than two groups.
pub fn jackknife_interval(value: f64, without_each: &[f64]) -> Option<Interval> {
    let groups = without_each.len() as f64;
    if without_each.len() < 2 {
        return None;
    }
    let mean = without_each.iter().sum::<f64>() / groups;
    let squares: f64 = without_each.iter().map(|without| (without - mean) * (without - mean)).sum();
    let reach = super::statistic::student_t(0.975, groups - 1.0) * (squares * (groups - 1.0) / groups).sqrt();
    Some(Interval { low: value - reach, high: value + reach })
}

fn trace(matrix: &[f64], d: usize) -> f64 {
    matrix.iter().step_by(d + 1).sum()
}

/// Makes rounding the same on both sides of the diagonal.
fn symmetrise(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            let (Some(a), Some(b)) = (matrix.get(i * n + j).copied(), matrix.get(j * n + i).copied()) else { continue };
            for place in [i * n + j, j * n + i] {
                if let Some(value) = matrix.get_mut(place) {
                    *value = 0.5 * (a + b);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{D, N, fake, hold, near, real};
    use crate::random::Key;

    fn distance(one: &[f32], other: &[f32]) -> f64 {
        frechet_distance(&Moments::of(one, D), &Moments::of(other, D)).unwrap()
    }

    /// torch-fidelity 0.4.0's formula, numpy's eigenvalues and scipy's root of a matrix in f64 agree to 12 digits.
    #[test]
    fn agrees_with_the_reference_packages() {
        near(distance(&fake(), &real()), 3.440_405_831_069_455, 1e-7);
        near(distance(&real(), &fake()), 3.440_405_831_069_455, 1e-7);
        near(distance(&hold(), &real()), 1.871_664_339_357_963, 1e-7);
        // Its means are of float32.
        near(distance(&fake(), &real()), 3.440_405_816_950_253_4, 1e-8);
        assert!(distance(&real(), &real()).abs() < 1e-7);
    }

    /// With 40 digits (mpmath) the distance is 19.1981225394716. numpy's eigenvalues give 19.198121953, scipy's root 19.198121985 and a
    /// symmetric root 19.198122186: they take the root of rounding where the covariances have no rank.
    #[test]
    fn fewer_images_than_features_have_a_distance() {
        let found = distance(&fake()[..40 * D], &real()[..40 * D]);
        near(found, 19.198_122_539_471_6, 1e-12);
        assert!((found - 19.198_122).abs() < 6e-7, "{found}");
    }

    /// Distances between normal distributions are known: of equal covariances ‖m‖².
    #[test]
    fn a_shift_is_its_square() {
        let mut rows = vec![0f32; 20_000 * 8];
        Key::new(1).fill_normal(&mut rows);
        let moved: Vec<f32> = rows.iter().enumerate().map(|(i, value)| value + if i % 8 == 3 { 2.0 } else { 0.0 }).collect();
        let found = frechet_distance(&Moments::of(&rows, 8), &Moments::of(&moved, 8)).unwrap();
        assert!((found - 4.0).abs() < 1e-5, "{found}");
        let wide: Vec<f32> = rows.iter().map(|value| 3.0 * value).collect();
        let found = frechet_distance(&Moments::of(&rows, 8), &Moments::of(&wide, 8)).unwrap();
        assert!((found / (8.0 * 4.0) - 1.0).abs() < 0.02, "{found}");
    }

    /// Prefixes of 40, 80, 120, 160, 200, 300 and 400 generated images.
    #[test]
    fn the_limit_is_the_intercept() {
        let rows = fake();
        let ends = [0, 40, 80, 120, 160, 200, 300, 400];
        let parts: Vec<Moments> = ends.windows(2).map(|ends| Moments::of(&rows[ends[0] * D..ends[1] * D], D)).collect();
        let reference = Reference::new(&Moments::of(&real(), D)).unwrap();
        near(frechet_infinite(&reference, &parts).unwrap(), 1.897_432_936_175_761_4, 1e-7);
        assert_eq!(frechet_infinite(&reference, &parts[..1]), None);
    }

    #[test]
    fn stretches_cover_all_images() {
        for n in [2, 9, 400, 10_000, 100_000] {
            let found = stretches(n);
            assert_eq!(found.iter().map(|stretch| stretch.len()).sum::<usize>(), n);
            assert!(found.windows(2).all(|pair| pair[0].end == pair[1].start) && found.len() <= 15);
        }
        assert_eq!((stretches(400)[0].end, stretches(100_000)[0].end), (40, 5_000));
    }

    #[test]
    fn moments_stream_and_leave_out() {
        let rows = real();
        let all = Moments::of(&rows, D);
        let mut streamed = Moments::new(D);
        rows.chunks(7 * D).for_each(|part| streamed.add(part));
        let other = Moments::of(&fake(), D);
        near(frechet_distance(&streamed, &other).unwrap(), frechet_distance(&all, &other).unwrap(), 1e-12);
        let rest = all.without(&Moments::of(&rows[..100 * D], D));
        near(frechet_distance(&rest, &other).unwrap(), distance(&rows[100 * D..], &fake()), 1e-9);
        assert_eq!((rest.len(), N), (300, 400));
        assert!(frechet_distance(&Moments::of(&rows[..D], D), &other).is_none() && Moments::new(3).is_empty());
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| distance(&fake(), &real()).to_bits())
        };
        assert!([2, 3, 7].into_iter().all(|threads| run(threads) == run(1)));
    }

    /// Of the mean of n numbers the jackknife gives the standard error: 10 groups of 40 out of 400.
    #[test]
    fn the_jackknife_gives_the_error_of_a_mean() {
        let values: Vec<f64> = (0..4000).map(|i| Key::new(3).normal(i)).collect();
        let total: f64 = values.iter().sum();
        let without: Vec<f64> = values.chunks(100).map(|group| (total - group.iter().sum::<f64>()) / 3900.0).collect();
        let interval = jackknife_interval(total / 4000.0, &without).unwrap();
        let due = 2.0 * 2.02 / 4000.0_f64.sqrt();
        assert!(((interval.high - interval.low) / due - 1.0).abs() < 0.25, "{interval:?} {due}");
        assert_eq!(jackknife_interval(1.0, &[1.0]), None);
    }
}
