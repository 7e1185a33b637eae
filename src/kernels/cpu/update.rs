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
    let Tensor { weights, gradient, moments, average } = piece;
    let (weights, last_weights) = weights.as_chunks_mut::<BLOCK>();
    let (gradient, last_gradient) = gradient.as_chunks::<BLOCK>();
    let mut last_moments: [&mut [f32]; N] = std::array::from_fn(|_| Default::default());
    let mut moments = moments.into_iter().zip(&mut last_moments).map(|(moment, last)| {
        let (blocks, rest) = moment.as_chunks_mut::<BLOCK>();
        *last = rest;
        blocks
    });
    let mut moments: [&mut [[f32; BLOCK]]; N] = std::array::from_fn(|_| moments.next().unwrap_or_default());
    let (mut average, last_average) = average.map(|average| average.as_chunks_mut::<BLOCK>()).unzip();

    let mut finite = true;
    for (index, (weights, gradient)) in weights.iter_mut().zip(gradient).enumerate() {
        let moments = moments.each_mut().map(|moment| &mut moment[index]);
        finite &= move_block(rule, weights, gradient, moments, BLOCK);
        if let Some(average) = &mut average {
            move_average(&mut average[index], weights, decay);
        }
    }

    // What is left over moves in a block of its own, filled up with ones, from which every rule goes on to finite numbers.
    let count = last_weights.len();
    if count > 0 {
        let filled = |numbers: &[f32]| {
            let mut block = [1.0; BLOCK];
            block[..count].copy_from_slice(numbers);
            block
        };
        let (mut weights, gradient) = (filled(last_weights), filled(last_gradient));
        let mut moments = last_moments.each_ref().map(|moment| filled(moment));
        finite &= move_block(rule, &mut weights, &gradient, moments.each_mut(), count);
        last_weights.copy_from_slice(&weights[..count]);
        for (moment, block) in last_moments.into_iter().zip(&moments) {
            moment.copy_from_slice(&block[..count]);
        }
        if let Some(average) = last_average {
            move_average(average, last_weights, decay);
        }
    }
    finite
}

#[inline(always)]
fn move_average(average: &mut [f32], weights: &[f32], decay: f32) {
    for (average, weight) in average.iter_mut().zip(weights) {
        *average = decay * *average + (1.0 - decay) * weight;
    }
}

/// Elements that move together: few enough to stay in the first-level cache, of a known number, so that the loops over them are made
/// of vectors.
const BLOCK: usize = 32;

/// Moves a block, and says whether its first `count` elements are finite; those that are not stay as they were.
#[expect(clippy::needless_range_loop, reason = "loops of constant length over blocks are vectorised by index")]
#[inline(always)]
fn move_block<R: Rule<N>, const N: usize>(
    rule: &R,
    weights: &mut [f32; BLOCK],
    gradient: &[f32; BLOCK],
    moments: [&mut [f32; BLOCK]; N],
    count: usize,
) -> bool {
    // Results go to arrays that nothing else can point to, without which the compiler would make no vectors.
    let (mut new_weights, mut new_moments) = ([0.0; BLOCK], [[0.0; BLOCK]; N]);
    for index in 0..BLOCK {
        let mut old = [0.0; N];
        for n in 0..N {
            old[n] = moments[n][index];
        }
        let (weight, new) = rule.moved(weights[index], gradient[index], old);
        new_weights[index] = weight;
        for n in 0..N {
            new_moments[n][index] = new[n];
        }
    }
    let mut broken = 0;
    for index in 0..BLOCK {
        broken |= u32::from(!is_finite(new_weights[index]));
        for n in 0..N {
            broken |= u32::from(!is_finite(new_moments[n][index]));
        }
    }
    if broken == 0 {
        *weights = new_weights;
        for (moment, new) in moments.into_iter().zip(new_moments) {
            *moment = new;
        }
        return true;
    }
    let is_good = |index: usize| is_finite(new_weights[index]) && new_moments.iter().all(|moment| is_finite(moment[index]));
    for index in (0..BLOCK).filter(|index| is_good(*index)) {
        weights[index] = new_weights[index];
        for n in 0..N {
            moments[n][index] = new_moments[n][index];
        }
    }
    (0..count).all(is_good)
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
