//! The one source of chance. Every draw is a pure function of a key (seed and purposes) and an index, by the counter-based
//! generator Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). Nothing is streamed, so a
//! draw depends neither on the order of work nor on the number of threads, and adding one never moves another.

/// Names a family of draws: a seed, then what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    digest: [u8; 32],
}

impl Key {
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("synth random 1");
        hasher.update(&seed.to_le_bytes());
        Self { digest: *hasher.finalize().as_bytes() }
    }

    /// The same key for one purpose: `key.with("latent")`.
    #[must_use]
    pub fn with(&self, purpose: &str) -> Self {
        self.keyed(b"purpose", purpose.as_bytes())
    }

    /// The same key for one member of a series: a patient, an image, a step.
    #[must_use]
    pub fn with_index(&self, index: u64) -> Self {
        self.keyed(b"index", &index.to_le_bytes())
    }

    /// The keyed hash of a sort of member and its name. What fits one block is hashed without the state of a longer message, which
    /// takes a third of the time.
    fn keyed(&self, sort: &[u8], name: &[u8]) -> Self {
        let mut block = [0u8; blake3::BLOCK_LEN];
        let digest = match block.get_mut(..sort.len() + name.len()) {
            Some(message) => {
                let (first, rest) = message.split_at_mut(sort.len());
                first.copy_from_slice(sort);
                rest.copy_from_slice(name);
                blake3::keyed_hash(&self.digest, message)
            }
            None => blake3::Hasher::new_keyed(&self.digest).update(sort).update(name).finalize(),
        };
        Self { digest: *digest.as_bytes() }
    }

    fn philox_key(&self) -> [u32; 2] {
        let [a, b, c, d, e, f, g, h, ..] = self.digest;
        [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
    }

    fn block(&self, index: u64) -> [u32; 4] {
        philox4x32_10([index as u32, (index >> 32) as u32, 0, 0], self.philox_key())
    }

    /// Uniform in [0, 1) with 53 bits.
    pub fn uniform(&self, index: u64) -> f64 {
        let [a, b, ..] = self.block(index);
        unit_f64(a, b)
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&self, index: u64) -> f64 {
        let [a, b, c, d] = self.block(index);
        box_muller(unit_f64(a, b), unit_f64(c, d)).0
    }

    /// Uniform among 0, 1, … n − 1 (n ≥ 1), without bias worth naming: 64 random bits are multiplied by n.
    pub fn below(&self, index: u64, n: u64) -> u64 {
        let [a, b, ..] = self.block(index);
        let bits = u64::from(a) | u64::from(b) << 32;
        ((u128::from(bits) * u128::from(n)) >> 64) as u64
    }

    /// Standard normals; element i depends on the key and i only.
    pub fn fill_normal(&self, values: &mut [f32]) {
        let key = self.philox_key();
        for (block, quad) in values.chunks_mut(4).enumerate() {
            let [a, b, c, d] = philox4x32_10([block as u32, (block as u64 >> 32) as u32, 1, 0], key);
            let (first, second) = box_muller(unit_f64_of(a), unit_f64_of(b));
            let (third, fourth) = box_muller(unit_f64_of(c), unit_f64_of(d));
            for (value, drawn) in quad.iter_mut().zip([first, second, third, fourth]) {
                *value = drawn as f32;
            }
        }
    }

    /// Uniform in [0, 1) with 24 bits; element i depends on the key and i only.
    pub fn fill_uniform(&self, values: &mut [f32]) {
        let key = self.philox_key();
        for (block, quad) in values.chunks_mut(4).enumerate() {
            let drawn = philox4x32_10([block as u32, (block as u64 >> 32) as u32, 2, 0], key);
            for (value, bits) in quad.iter_mut().zip(drawn) {
                *value = (bits >> 8) as f32 / (1 << 24) as f32;
            }
        }
    }

    /// A uniformly random order of 0, 1, … n − 1 (Fisher and Yates).
    pub fn permutation(&self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            let other = self.below(last as u64, last as u64 + 1) as usize;
            order.swap(last, other);
        }
        order
    }
}

fn unit_f64(low: u32, high: u32) -> f64 {
    let bits = (u64::from(low) | u64::from(high) << 32) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

fn unit_f64_of(bits: u32) -> f64 {
    f64::from(bits) / 4_294_967_296.0
}

/// Two standard normals from two uniforms in [0, 1).
fn box_muller(u: f64, v: f64) -> (f64, f64) {
    let radius = (-2.0 * (1.0 - u).ln()).sqrt();
    let angle = std::f64::consts::TAU * v;
    (radius * angle.cos(), radius * angle.sin())
}

/// Ten rounds of Philox on four 32-bit words.
fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(0x9E37_79B9);
            key[1] = key[1].wrapping_add(0xBB67_AE85);
        }
        let first = u64::from(counter[0]) * 0xD251_1F53;
        let second = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of the Random123 distribution (kat_vectors).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox4x32_10([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox4x32_10([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// Keys are the keyed hash of their purpose, however long it is.
    #[test]
    fn a_key_is_the_keyed_hash_of_its_purpose() {
        let key = Key::new(3);
        for length in [0, 1, 56, 57, 58, 500] {
            let purpose = "p".repeat(length);
            let mut hasher = blake3::Hasher::new_keyed(&key.digest);
            hasher.update(b"purpose").update(purpose.as_bytes());
            assert_eq!(key.with(&purpose).digest, *hasher.finalize().as_bytes(), "{length}");
        }
        let hash = blake3::Hasher::new_keyed(&key.digest).update(b"index").update(&7u64.to_le_bytes()).finalize();
        assert_eq!(key.with_index(7).digest, *hash.as_bytes());
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let mut values = vec![0f32; 100_001];
        Key::new(1).with("test").fill_normal(&mut values);
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "mean {mean}, variance {variance}");
    }

    #[test]
    fn a_permutation_holds_every_index_once_and_depends_on_the_purpose() {
        let key = Key::new(7);
        let mut order = key.with("a").permutation(100);
        assert_ne!(order, key.with("b").permutation(100));
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
