//! The kernel distance (with features of Inception the kernel inception distance, KID): the squared maximum mean discrepancy between
//! two sets of features under k(x, y) = (x · y / d + 1)³, estimated without bias: Σ k(xᵢ, xⱼ) / (m (m − 1)) over i ≠ j, the same of
//! the others, less twice the mean of k between the sets. Bińkowski et al. 2018, section 4 and equation 4 of Gretton et al. 2012.

use super::bootstrap::Interval;
use super::frechet::jackknife_interval;
use super::inception_score::mean_and_deviation;
use super::legacy_permutation::LegacyRandom;
use crate::kernels::cpu::pairs::{Rows, cubic_sum, cubic_sum_within};
use rayon::prelude::*;

/// Subsets of torch-fidelity, their size and its seed.
pub const SUBSETS: usize = 100;
pub const SUBSET_SIZE: usize = 1000;
pub const SEED: u32 = 2020;

/// The estimate over all pairs, with its 95 % interval by leaving out one group of images at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelDistance {
    pub value: f64,
    pub interval: Option<Interval>,
}

/// Sums of the kernel between groups of images.
struct Sums {
    sizes: Vec<usize>,
    /// `[groups, groups]`; of a group with itself without the pairs of one image.
    between: Vec<f64>,
}

impl Sums {
    fn within(groups: &[Rows<'_>]) -> Self {
        let g = groups.len();
        let mut between = vec![0.0; g * g];
        for (i, a) in groups.iter().enumerate() {
            for (j, b) in groups.iter().enumerate().take(i + 1) {
                let sum = if i == j { cubic_sum_within(*a) } else { cubic_sum(*a, *b) };
                for place in [i * g + j, j * g + i] {
                    between.get_mut(place).into_iter().for_each(|value| *value = sum);
                }
            }
        }
        Self { sizes: groups.iter().map(Rows::len).collect(), between }
    }

    /// The mean over pairs of different images, with one group left out.
    fn mean(&self, without: Option<usize>) -> f64 {
        let n: usize = self.sizes.iter().enumerate().filter(|(group, _)| Some(*group) != without).map(|(_, size)| size).sum();
        total(&self.between, self.sizes.len(), without, without) / (n as f64 * (n as f64 - 1.0))
    }
}

/// The sum over all pairs of groups but those of two that are left out.
fn total(between: &[f64], columns: usize, row: Option<usize>, column: Option<usize>) -> f64 {
    let counts = |place: usize| Some(place / columns) != row && Some(place % columns) != column;
    between.iter().enumerate().filter(|(place, _)| counts(*place)).map(|(_, sum)| sum).sum()
}

/// Of two sets of features in as many groups each; `None` where a set has fewer than two images. The groups are what the interval
/// leaves out, one of either set at a time.
pub fn kernel_distance(real: &[Rows<'_>], generated: &[Rows<'_>]) -> Option<KernelDistance> {
    let count = |groups: &[Rows<'_>]| groups.iter().map(Rows::len).sum::<usize>();
    if count(real) < 2 || count(generated) < 2 {
        return None;
    }
    let (xx, yy) = (Sums::within(real), Sums::within(generated));
    let columns = generated.len();
    let xy: Vec<f64> = real.iter().flat_map(|x| generated.iter().map(|y| cubic_sum(*x, *y))).collect();
    let value = |group: Option<usize>| {
        let left = |groups: &[Rows<'_>]| {
            groups.iter().enumerate().filter(|(index, _)| Some(*index) != group).map(|(_, rows)| rows.len()).sum::<usize>()
        };
        let pairs = left(real) as f64 * left(generated) as f64;
        xx.mean(group) + yy.mean(group) - 2.0 * total(&xy, columns, group, group) / pairs
    };
    let groups = real.len().min(columns);
    let without: Vec<f64> = if groups > 2 { (0..groups).map(|group| value(Some(group))).collect() } else { Vec::new() };
    let all = value(None);
    Some(KernelDistance { value: all, interval: jackknife_interval(all, &without) })
}

/// Mean and population deviation of the estimate over subsets, as torch-fidelity draws them: for each `size` images of one set, then
/// as many of the other. `None` where a set has fewer images.
pub fn over_subsets(one: Rows<'_>, other: Rows<'_>, subsets: usize, size: usize, seed: u32) -> Option<(f64, f64)> {
    if size < 2 || one.len() < size || other.len() < size {
        return None;
    }
    let mut random = LegacyRandom::new(seed);
    let drawn: Vec<[Vec<usize>; 2]> = (0..subsets)
        .map(|_| {
            [one.len(), other.len()].map(|n| {
                let mut order = random.permutation(n);
                order.truncate(size);
                order
            })
        })
        .collect();
    let estimate = |[x, y]: &[Vec<usize>; 2]| {
        let (x, y) = (one.gathered(x), other.gathered(y));
        let (x, y) = (Rows::new(&x, one.dimensions()), Rows::new(&y, one.dimensions()));
        let n = size as f64;
        (cubic_sum_within(x) + cubic_sum_within(y)) / (n * (n - 1.0)) - 2.0 * cubic_sum(x, y) / (n * n)
    };
    let estimates: Vec<f64> = drawn.par_iter().map(estimate).collect();
    mean_and_deviation(&estimates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{D, fake, near, real};

    #[test]
    fn agrees_with_torch_fidelity_and_the_definition() {
        let (real, fake) = (real(), fake());
        let all = kernel_distance(&[Rows::new(&real, D)], &[Rows::new(&fake, D)]).unwrap();
        near(all.value, 0.053_015_900_151_920_814, 1e-6);
        assert_eq!(all.interval, None);
        let fewer = kernel_distance(&[Rows::new(&real, D)], &[Rows::new(&fake[..300 * D], D)]).unwrap();
        near(fewer.value, 0.050_953_076_461_699, 1e-6);
        // Its sums are of float32.
        let (mean, deviation) = over_subsets(Rows::new(&fake, D), Rows::new(&real, D), 100, 100, SEED).unwrap();
        near(mean, 0.051_842_119_693_756_1, 2e-6);
        near(deviation, 0.011_248_286_083_595_424, 2e-6);
        assert_eq!(over_subsets(Rows::new(&fake, D), Rows::new(&real, D), 1, 401, SEED), None);
    }

    #[test]
    fn groups_change_nothing_but_the_interval() {
        let (real, fake) = (real(), fake());
        let groups = |rows: &'static [f32]| rows.chunks(40 * D).map(|rows| Rows::new(rows, D)).collect::<Vec<_>>();
        let (real, fake): (&'static [f32], &'static [f32]) = (real.leak(), fake.leak());
        let found = kernel_distance(&groups(real), &groups(fake)).unwrap();
        near(found.value, 0.053_015_900_151_920_814, 1e-6);
        let interval = found.interval.unwrap();
        assert!(interval.low > 0.03 && interval.high < 0.08 && interval.low < found.value, "{interval:?}");
        // Leaving the first group out is the estimate over the others.
        let rest = kernel_distance(&[Rows::new(&real[40 * D..], D)], &[Rows::new(&fake[40 * D..], D)]).unwrap();
        let sums = [Sums::within(&groups(real)), Sums::within(&groups(fake))];
        let own = Sums::within(&[Rows::new(&real[40 * D..], D)]);
        near(sums[0].mean(Some(0)), own.mean(None), 1e-9);
        assert!(rest.value.is_finite());
    }
}
