//! NumPy's `RandomState(seed).permutation(n)` of before 2019, by which torch-fidelity draws its subsets: Mersenne Twister MT19937
//! (Matsumoto and Nishimura 1998), bounded numbers by masking and rejection, Fisher and Yates from the end. Only for numbers that
//! have to be the same as those of other programs; everything else is drawn by [`crate::random`].

const STATE: usize = 624;
const MIDDLE: usize = 397;

/// A generator at some place of its sequence.
#[derive(Clone, Debug)]
pub struct LegacyRandom {
    state: Vec<u32>,
    next: usize,
}

impl LegacyRandom {
    pub fn new(seed: u32) -> Self {
        let mut state = vec![seed];
        for index in 1..STATE as u32 {
            let last = state.last().copied().unwrap_or(0);
            state.push((last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(index));
        }
        Self { state, next: STATE }
    }

    fn word(&mut self) -> u32 {
        if self.next >= STATE {
            self.turn();
        }
        let mut word = self.state.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn turn(&mut self) {
        for at in 0..STATE {
            let of = |index: usize| self.state.get(index % STATE).copied().unwrap_or(0);
            let word = (of(at) & 0x8000_0000) | (of(at + 1) & 0x7fff_ffff);
            let new = of(at + MIDDLE) ^ (word >> 1) ^ if word & 1 == 1 { 0x9908_b0df } else { 0 };
            if let Some(place) = self.state.get_mut(at) {
                *place = new;
            }
        }
        self.next = 0;
    }

    /// Uniform among 0, 1, … `most`.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let drawn = self.word() & mask;
            if drawn <= most {
                return drawn;
            }
        }
    }

    /// A random order of 0, 1, … n − 1. Its first k are `choice(n, k, replace=False)`.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            let other = self.up_to(last as u32) as usize;
            order.swap(last, other);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `RandomState(2020).choice(400, 100, replace=False)` twice, of numpy 1.26.
    #[test]
    fn permutations_are_those_of_numpy() {
        let mut random = LegacyRandom::new(2020);
        assert_eq!(random.permutation(400)[..8], [2, 190, 302, 257, 208, 338, 334, 174]);
        assert_eq!(random.permutation(400)[..8], [362, 231, 147, 96, 296, 376, 15, 144]);
        assert_eq!((random.permutation(1), random.permutation(0)), (vec![0], vec![]));
    }
}
