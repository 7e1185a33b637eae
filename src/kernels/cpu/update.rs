//! The optimiser's pass over memory: every learned number of a network is read once, moved along its gradient by a rule, and
//! written once, together with what the rule remembers of it and with its running average. All tensors are cut into pieces of
//! one length and shared out together, so that a network of a thousand small tensors is one parallel pass.
//!
//! Every element is worked out from its own numbers alone, by the same operations in the same order on any instruction set
//! (nothing is contracted to a fused multiply-add): neither threads nor vectors change a bit.

use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Elements of a piece: all that is read and written for it stays in the second-level cache, and sharing it out costs little.
const PIECE: usize = 8 * 1024;

/// How one number moves: the formula of an optimiser for one step, its factors worked out.
///
/// `N` numbers are remembered for each weight from step to step (moments); they begin at 0.
pub trait Rule<const N: usize>: Sync {
    /// The weight and its moments after the step.
    fn moved(&self, weight: f32, gradient: f32, moments: [f32; N]) -> (f32, [f32; N]);
}

/// What a step reads and writes of one tensor; all slices have the same length.
pub struct Tensor<'a, const N: usize> {
    pub weights: &'a mut [f32],
    pub gradient: &'a [f32],
    pub moments: [&'a mut [f32]; N],
    /// Moves with the weights by average ← decay · average + (1 − decay) · weight.
    pub average: Option<&'a mut [f32]>,
}

impl<'a, const N: usize> Tensor<'a, N> {
    fn split(self, at: usize) -> (Self, Self) {
        let (weights, more_weights) = self.weights.split_at_mut(at);
        let (gradient, more_gradient) = self.gradient.split_at(at);
        let mut moments: [&mut [f32]; N] = std::array::from_fn(|_| Default::default());
        let mut more_moments: [&mut [f32]; N] = std::array::from_fn(|_| Default::default());
        for ((whole, part), rest) in self.moments.into_iter().zip(&mut moments).zip(&mut more_moments) {
            (*part, *rest) = whole.split_at_mut(at);
        }
        let (average, more_average) = self.average.map(|average| average.split_at_mut(at)).unzip();
        (
            Self { weights, gradient, moments, average },
            Self { weights: more_weights, gradient: more_gradient, moments: more_moments, average: more_average },
        )
    }
}

/// Moves every tensor one step by the rule, and averages by `decay`. Where a weight or a moment would become infinite or no
/// number, it keeps its old value; the first tensor with such a one is the answer.
///
/// # Panics
/// When slices of a tensor differ in length.
pub fn step<'a, R: Rule<N>, const N: usize>(
    rule: &R,
    tensors: impl IntoIterator<Item = Tensor<'a, N>>,
    decay: f32,
) -> Option<usize> {
    let mut pieces = Vec::new();
    for (index, mut tensor) in tensors.into_iter().enumerate() {
        let length = tensor.weights.len();
        assert_eq!(tensor.gradient.len(), length, "the gradient must have as many elements as the weights");
        assert!(tensor.moments.iter().all(|moment| moment.len() == length), "a moment must have as many elements as the weights");
        let averaged = tensor.average.as_ref().map_or(length, |average| average.len());
        assert_eq!(averaged, length, "the average must have as many elements as the weights");
        while tensor.weights.len() > PIECE {
            let (piece, rest) = tensor.split(PIECE);
            pieces.push((index, piece));
            tensor = rest;
        }
        pieces.push((index, tensor));
    }
    let first = AtomicUsize::new(usize::MAX);
    pieces.into_par_iter().for_each(|(index, piece)| {
        if !piece_step(rule, piece, decay) {
            first.fetch_min(index, Ordering::Relaxed);
        }
    });
    Some(first.into_inner()).filter(|index| *index != usize::MAX)
}

/// One piece, with AVX2 where the processor has it.
fn piece_step<R: Rule<N>, const N: usize>(rule: &R, piece: Tensor<'_, N>, decay: f32) -> bool {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as just found.
        return unsafe { piece_step_avx2(rule, piece, decay) };
    }
    elements(rule, piece, decay)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn piece_step_avx2<R: Rule<N>, const N: usize>(rule: &R, piece: Tensor<'_, N>, decay: f32) -> bool {
    elements(rule, piece, decay)
}

#[inline(always)]
fn elements<R: Rule<N>, const N: usize>(rule: &R, piece: Tensor<'_, N>, decay: f32) -> bool {
    let Tensor { weights, gradient, mut moments, mut average } = piece;
    let mut finite = true;
    let whole = weights.len() / BLOCK * BLOCK;
    for start in (0..whole).step_by(BLOCK) {
        let at = start..start + BLOCK;
        let mut old = Block::default();
        old.weights.copy_from_slice(&weights[at.clone()]);
        old.gradient.copy_from_slice(&gradient[at.clone()]);
        for (block, moment) in old.moments.iter_mut().zip(&moments) {
            block.copy_from_slice(&moment[at.clone()]);
        }
        let (new, good) = old.moved(rule, BLOCK);
        finite &= good;
        weights[at.clone()].copy_from_slice(&new.weights);
        for (moment, block) in moments.iter_mut().zip(&new.moments) {
            moment[at.clone()].copy_from_slice(block);
        }
        if let Some(average) = &mut average {
            for (average, weight) in average[at].iter_mut().zip(&new.weights) {
                *average = decay * *average + (1.0 - decay) * weight;
            }
        }
    }
    let rest = weights.len() - whole;
    if rest > 0 {
        let mut old = Block::default();
        old.weights[..rest].copy_from_slice(&weights[whole..]);
        old.gradient[..rest].copy_from_slice(&gradient[whole..]);
        for (block, moment) in old.moments.iter_mut().zip(&moments) {
            block[..rest].copy_from_slice(&moment[whole..]);
        }
        let (new, good) = old.moved(rule, rest);
        finite &= good;
        weights[whole..].copy_from_slice(&new.weights[..rest]);
        for (moment, block) in moments.iter_mut().zip(&new.moments) {
            moment[whole..].copy_from_slice(&block[..rest]);
        }
        if let Some(average) = &mut average {
            for (average, weight) in average[whole..].iter_mut().zip(&new.weights) {
                *average = decay * *average + (1.0 - decay) * weight;
            }
        }
    }
    finite
}

/// Elements that move together: few enough to stay in registers and the first-level cache, of a known number, so that the loops
/// over them are made of vectors.
const BLOCK: usize = 32;

#[derive(Clone, Copy)]
struct Block<const N: usize> {
    weights: [f32; BLOCK],
    gradient: [f32; BLOCK],
    moments: [[f32; BLOCK]; N],
}

impl<const N: usize> Default for Block<N> {
    /// Ones, from which every rule goes on to finite numbers where a block is not full.
    fn default() -> Self {
        Self { weights: [1.0; BLOCK], gradient: [1.0; BLOCK], moments: [[1.0; BLOCK]; N] }
    }
}

impl<const N: usize> Block<N> {
    /// The block after the step, and whether the first `count` elements are finite; those that are not stay as they were.
    #[expect(clippy::needless_range_loop, reason = "loops of constant length over blocks are vectorised by index")]
    #[inline(always)]
    fn moved<R: Rule<N>>(&self, rule: &R, count: usize) -> (Self, bool) {
        // Plain indices below constant bounds: loops that the compiler makes vectors of, also where it inlines little.
        let mut new = *self;
        for index in 0..BLOCK {
            let mut moments = [0.0; N];
            for n in 0..N {
                moments[n] = self.moments[n][index];
            }
            let (weight, moments) = rule.moved(self.weights[index], self.gradient[index], moments);
            new.weights[index] = weight;
            for n in 0..N {
                new.moments[n][index] = moments[n];
            }
        }
        let mut broken = 0;
        for index in 0..BLOCK {
            broken |= u32::from(!is_finite(new.weights[index]));
            for n in 0..N {
                broken |= u32::from(!is_finite(new.moments[n][index]));
            }
        }
        if broken == 0 {
            return (new, true);
        }
        let mut good = true;
        for index in 0..count {
            if !is_finite(new.weights[index]) || new.moments.iter().any(|moment| !is_finite(moment[index])) {
                good = false;
                new.weights[index] = self.weights[index];
                for (new, old) in new.moments.iter_mut().zip(&self.moments) {
                    new[index] = old[index];
                }
            }
        }
        (new, good)
    }
}

/// As `f32::is_finite`, in integers.
#[inline(always)]
fn is_finite(number: f32) -> bool {
    number.to_bits() & 0x7f80_0000 != 0x7f80_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// weight − gradient/2 − the sum of earlier gradients.
    struct Plain;

    impl Rule<1> for Plain {
        fn moved(&self, weight: f32, gradient: f32, [sum]: [f32; 1]) -> (f32, [f32; 1]) {
            (weight - 0.5 * gradient - sum, [sum + gradient])
        }
    }

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.0 - 1.0).collect()
    }

    /// Tensors of these lengths: weights, moments and averages after three steps.
    fn moved(lengths: &[usize], by_piece: impl Fn(&Plain, Tensor<'_, 1>, f32)) -> Vec<u32> {
        let mut all = Vec::new();
        for (seed, length) in lengths.iter().enumerate() {
            let (mut weights, mut sums, mut average) = (numbers(*length, seed), vec![0.0; *length], numbers(*length, seed + 50));
            for number in 0..3 {
                let gradient = numbers(*length, 100 * number + seed);
                let tensor =
                    Tensor { weights: &mut weights, gradient: &gradient, moments: [&mut sums], average: Some(&mut average) };
                by_piece(&Plain, tensor, 0.75);
            }
            all.extend([weights, sums, average].concat().iter().map(|number| number.to_bits()));
        }
        all
    }

    #[test]
    fn neither_threads_nor_pieces_nor_vectors_change_a_bit() {
        let lengths = [1, 3 * PIECE + 17, 5, PIECE, 0, 100];
        let plain = moved(&lengths, |rule, tensor, decay| assert!(elements(rule, tensor, decay)));
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| moved(&lengths, |rule, tensor, decay| assert_eq!(step(rule, [tensor], decay), None)));
            assert!(plain == found, "{threads} threads change a bit");
        }
    }

    #[test]
    fn all_tensors_move_in_one_pass() {
        let (mut a, mut b, mut sums) = (vec![1.0; 3], vec![2.0; 2 * PIECE], [vec![0.0; 3], vec![0.0; 2 * PIECE]]);
        let [first, second] = &mut sums;
        let gradients = [vec![1.0; 3], vec![2.0; 2 * PIECE]];
        let tensors = [
            Tensor { weights: &mut a, gradient: &gradients[0], moments: [first], average: None },
            Tensor { weights: &mut b, gradient: &gradients[1], moments: [second], average: None },
        ];
        assert_eq!(step(&Plain, tensors, 0.0), None);
        assert_eq!(a, [0.5; 3]);
        assert!(b.iter().all(|number| *number == 1.0) && sums[1].iter().all(|number| *number == 2.0));
    }

    #[test]
    fn what_is_not_finite_is_told_and_not_written() {
        for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut weights, mut sums, mut average) = ([1.0, 1.0, 1.0], [0.0; 3], [1.0; 3]);
            let gradient = [2.0, broken, 2.0];
            let tensor = Tensor { weights: &mut weights, gradient: &gradient, moments: [&mut sums], average: Some(&mut average) };
            let whole = Tensor { weights: &mut [0.0], gradient: &[1.0], moments: [&mut [0.0]], average: None };
            assert_eq!(step(&Plain, [whole, tensor], 0.5), Some(1));
            assert_eq!((weights, sums, average), ([0.0, 1.0, 0.0], [2.0, 0.0, 2.0], [0.5, 1.0, 0.5]));
        }
    }
}
