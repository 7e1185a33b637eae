//! Multi-scale structural similarity of two images (Wang, Simoncelli and Bovik 2003), as Karras et al. 2018 (section 5) measure
//! the variety of generated images by it: the less alike two images of the same kind are, the more varied is the set. The window of
//! 11×11 pixels becomes smaller with the image, so that images of any size can be compared; pytorch-msssim and torchmetrics
//! refuse those of 160 pixels and less, and agree above.

use crate::kernels::cpu::windows::Plane;
use rayon::prelude::*;

/// Rows of the window, and the deviation of its weights, where the image is large enough.
const WINDOW: usize = 11;
const DEVIATION: f64 = 1.5;
const STABILITY: [f64; 2] = [0.01, 0.03];
const RANGE: f64 = 255.0;
/// Exponents of the scales, from the image itself to sixteenths.
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// The similarity of two images of equal size with pixels from 0 to 255: 1 for equal ones. `None` where sizes differ or are zero.
pub fn ms_ssim(one: &Plane, other: &Plane) -> Option<f64> {
    if (one.height, one.width) != (other.height, other.width) || one.pixels.is_empty() {
        return None;
    }
    let (mut one, mut other) = (one.clone(), other.clone());
    let mut product = 1.0;
    for (scale, weight) in WEIGHTS.iter().enumerate() {
        let [whole, contrast] = ssim(&one, &other);
        let is_last = scale + 1 == WEIGHTS.len();
        product *= if is_last { whole } else { contrast }.max(0.0).powf(*weight);
        if !is_last {
            (one, other) = (one.halved(), other.halved());
        }
    }
    Some(product)
}

/// Means over all windows: luminance times contrast and structure, and contrast and structure alone.
fn ssim(one: &Plane, other: &Plane) -> [f64; 2] {
    let weights = window(WINDOW.min(one.height).min(one.width));
    let [c1, c2] = STABILITY.map(|k| (k * RANGE).powi(2));
    let (mean_one, mean_other) = (one.means(&weights), other.means(&weights));
    let squares_one = one.combined(one, |a, b| a * b).means(&weights);
    let squares_other = other.combined(other, |a, b| a * b).means(&weights);
    let products = one.combined(other, |a, b| a * b).means(&weights);
    let (mut whole, mut contrast) = (0.0, 0.0);
    let means = mean_one.pixels.iter().zip(&mean_other.pixels);
    let squares = squares_one.pixels.iter().zip(&squares_other.pixels).zip(&products.pixels);
    for ((m1, m2), ((s1, s2), s12)) in means.zip(squares) {
        let (v1, v2) = (2.0 * (s12 - m1 * m2) + c2, (s1 - m1 * m1) + (s2 - m2 * m2) + c2);
        contrast += v1 / v2;
        whole += (2.0 * m1 * m2 + c1) * v1 / ((m1 * m1 + m2 * m2 + c1) * v2);
    }
    let n = products.pixels.len() as f64;
    [whole / n, contrast / n]
}

/// The weights of a window in one direction, which sum to 1.
fn window(size: usize) -> Vec<f64> {
    let deviation = size as f64 * DEVIATION / WINDOW as f64;
    let middle = (size as f64 - 1.0) / 2.0;
    let weights: Vec<f64> = (0..size).map(|at| (-(at as f64 - middle).powi(2) / (2.0 * deviation * deviation)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// The similarity of each pair of images, which `image` gives by their numbers; of several channels their mean.
pub fn of_pairs(pairs: &[(usize, usize)], image: impl Fn(usize) -> Vec<Plane> + Sync) -> Vec<f64> {
    let of = |(one, other): &(usize, usize)| {
        let channels: Vec<f64> = image(*one).iter().zip(&image(*other)).filter_map(|(one, other)| ms_ssim(one, other)).collect();
        channels.iter().sum::<f64>() / channels.len() as f64
    };
    pairs.par_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{image, near};

    fn plane(seed: u64, h: usize) -> Plane {
        Plane::new(h, h, image(seed, h))
    }

    /// The code of progressive growing of GANs, in f64, and pytorch-msssim 1.0.0.
    #[test]
    fn agrees_with_the_reference_packages() {
        for (h, due) in [
            (32, 0.539_477_224_584_058_6),
            (64, 0.495_147_931_026_465_04),
            (128, 0.487_302_716_361_697_36),
            (256, 0.513_713_503_663_084_4),
        ] {
            near(ms_ssim(&plane(0, h), &plane(1, h)).unwrap(), due, 1e-9);
        }
        near(ms_ssim(&plane(0, 256), &plane(1, 256)).unwrap(), 0.513_718_736_600_497_4, 2e-5);
        near(ms_ssim(&plane(0, 176), &plane(1, 176)).unwrap(), 0.494_761_364_114_875_76, 2e-5);
    }

    #[test]
    fn an_image_is_like_itself_at_any_size() {
        for h in [1, 2, 7, 11, 33, 100] {
            near(ms_ssim(&plane(2, h), &plane(2, h)).unwrap(), 1.0, 1e-9);
        }
        assert_eq!(ms_ssim(&plane(0, 8), &plane(0, 9)), None);
        let both = of_pairs(&[(0, 0), (0, 1)], |seed| vec![plane(seed as u64, 32)]);
        assert!((both[0] - 1.0).abs() < 1e-9 && both[1] < 0.6, "{both:?}");
    }
}
