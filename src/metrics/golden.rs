//! Inputs that anyone can rebuild, and on which reference packages were run: torch-fidelity 0.4.0, prdc 0.2, pytorch-msssim 1.0.0,
//! numpy and scipy. u(s, i) is splitmix64 of s · 2³² + i as a number in [0, 1) with 24 bits.

/// Rows and columns of the features.
pub const N: usize = 400;
pub const D: usize = 64;

pub fn uniform(seed: u64, index: u64) -> f64 {
    let mut z = (seed << 32).wrapping_add(index).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f64 / (1u64 << 24) as f64
}

fn made(seed: u64, n: usize, d: usize, scale: f64, shift: f64, period: usize) -> Vec<f32> {
    let number = |index: usize| {
        let (i, j) = (index / d, index % d);
        let extra = if j % 5 == i % period { 0.75 } else { 0.0 };
        ((2.0 * uniform(seed, index as u64) - 1.0) * scale + shift + extra) as f32
    };
    (0..n * d).map(number).collect()
}

/// Features of real images, `[400, 64]`.
pub fn real() -> Vec<f32> {
    made(1, N, D, 1.0, 0.0, 5)
}

/// Features of generated images.
pub fn fake() -> Vec<f32> {
    made(2, N, D, 0.9, 0.1, 4)
}

/// Features of other real images.
pub fn hold() -> Vec<f32> {
    made(3, N, D, 1.0, 0.0, 5)
}

/// Logits of 400 images for 10 classes.
pub fn logits() -> Vec<f32> {
    made(4, N, 10, 1.0, 0.0, 10).iter().map(|value| 4.0 * value).collect()
}

/// An image of h × h whole numbers from 0 to 255: waves and noise.
pub fn image(seed: u64, h: usize) -> Vec<f64> {
    let size = h as f64;
    let number = |index: usize| {
        let (y, x) = ((index / h) as f64, (index % h) as f64);
        let base = 128.0 + 80.0 * (x * 6.0 / size + seed as f64).sin() * (y * 4.0 / size).cos();
        (base + 20.0 * (2.0 * uniform(20 + seed, index as u64) - 1.0)).clamp(0.0, 255.0).floor()
    };
    (0..h * h).map(number).collect()
}

/// Whether two numbers agree to a relative error.
#[track_caller]
pub fn near(found: f64, due: f64, tolerance: f64) {
    assert!((found - due).abs() <= tolerance * due.abs(), "{found} is not {due}");
}

#[test]
fn the_inputs_are_those_of_the_reference() {
    let sum = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
    near(sum(&real()), 3_963.434_475_064_277_6, 1e-12);
    near(sum(&fake()), 6_533.308_336_578_968, 1e-12);
    assert_eq!(real()[..4], [1.282_603_5, -0.747_938_04, 0.401_862_38, 0.265_752_43]);
    assert_eq!(image(0, 32)[..4], [134.0, 132.0, 162.0, 162.0]);
}
