//! Numbers that both sides can draw; the same formula stands in benches/pytorch/drawing.py. The 64-bit FNV-1a hash of a key is the
//! seed of SplitMix64 (Steele et al. 2014), whose i-th output gives the i-th number.

/// The i-th number in [−1, 1): the upper 24 bits.
pub fn uniform(key: &str, count: usize) -> impl Iterator<Item = f64> + use<> {
    let seed = key.bytes().fold(0xCBF2_9CE4_8422_2325u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3));
    (1..=count as u64).map(move |index| {
        let mut z = seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}

/// Numbers between centre − spread and centre + spread.
pub fn draw(key: &str, count: usize, centre: f64, spread: f64) -> Vec<f32> {
    uniform(key, count).map(|number| (centre + spread * number) as f32).collect()
}

/// Zeros and ones.
pub fn labels(key: &str, count: usize) -> Vec<f32> {
    uniform(key, count).map(|number| if number >= 0.0 { 1.0 } else { 0.0 }).collect()
}

#[test]
fn the_formula_is_that_of_the_script() {
    // benches/pytorch/drawing.py: draw("0 image", (3,), 0, 1) and labels("0 labels", (6,)).
    assert_eq!(draw("0 image", 3, 0.0, 1.0), [0.776_16, -0.368_275_17, -0.195_893_65]);
    assert_eq!(labels("0 labels", 6), [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
}
