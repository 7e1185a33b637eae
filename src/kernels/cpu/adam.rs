//! One step of Adam over a flat parameter vector, fused with the running average of the parameters.
//!
//! Source: D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1, with the bias
//! correction as PyTorch writes it: ε is added to the *corrected* root, `rate · m̂ / (√v̂ + ε)`. (TensorFlow 1 adds ε to
//! the uncorrected root; the two agree but for the effective size of ε in the first steps.)

use rayon::prelude::*;

/// Elements a task handles; a multiple of the cache line, small enough to share out, large enough to be worth it.
const CHUNK: usize = 16 * 1024;

/// What one step of Adam needs to know besides the vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// The learning rate.
    pub rate: f64,
    /// The decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// The decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Added to the corrected root of the second moment.
    pub epsilon: f64,
    /// The number of this step, counted from 1.
    pub step: u64,
}

/// The numbers a step multiplies with, worked out once in double precision.
#[derive(Clone, Copy)]
struct Factors {
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    step_size: f32,
    root_scale: f32,
    epsilon: f32,
}

impl Factors {
    fn new(settings: &AdamSettings) -> Factors {
        let step = settings.step.max(1) as f64;
        let correction1 = 1.0 - settings.beta1.powf(step);
        let correction2 = 1.0 - settings.beta2.powf(step);
        Factors {
            beta1: settings.beta1 as f32,
            one_minus_beta1: (1.0 - settings.beta1) as f32,
            beta2: settings.beta2 as f32,
            one_minus_beta2: (1.0 - settings.beta2) as f32,
            step_size: (settings.rate / correction1) as f32,
            root_scale: (1.0 / correction2.sqrt()) as f32,
            epsilon: settings.epsilon as f32,
        }
    }
}

/// Moves `parameters` one step against `gradient` and updates both moments in place; with `average = (vector, decay)`
/// also sets `vector ← decay · vector + (1 − decay) · parameters`, with the parameters after the step.
///
/// Every element is worked out from its own five numbers alone, so the number of threads changes no bit.
///
/// # Panics
/// When the vectors' lengths differ.
pub fn step(
    parameters: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    average: Option<(&mut [f32], f32)>,
    settings: &AdamSettings,
) {
    let length = parameters.len();
    assert_eq!(gradient.len(), length, "the gradient must have as many elements as the parameters");
    assert_eq!(first.len(), length, "the first moment must have as many elements as the parameters");
    assert_eq!(second.len(), length, "the second moment must have as many elements as the parameters");
    let factors = Factors::new(settings);
    let state = parameters
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(first.par_chunks_mut(CHUNK))
        .zip(second.par_chunks_mut(CHUNK));
    match average {
        None => state.for_each(|(((parameters, gradient), first), second)| {
            step_chunk(parameters, gradient, first, second, factors);
        }),
        Some((average, decay)) => {
            assert_eq!(average.len(), length, "the average must have as many elements as the parameters");
            state.zip(average.par_chunks_mut(CHUNK)).for_each(|((((parameters, gradient), first), second), average)| {
                step_chunk(parameters, gradient, first, second, factors);
                // The chunk is in the cache still, so this second loop reads no memory but the average.
                for (average, parameter) in average.iter_mut().zip(&*parameters) {
                    *average = decay * *average + (1.0 - decay) * parameter;
                }
            });
        }
    }
}

/// One chunk, with AVX2 where the processor has it: the same operations in the same order, so the same bits.
fn step_chunk(parameters: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], factors: Factors) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as just found.
        return unsafe { step_chunk_avx2(parameters, gradient, first, second, factors) };
    }
    step_elements(parameters, gradient, first, second, factors);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn step_chunk_avx2(parameters: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], factors: Factors) {
    step_elements(parameters, gradient, first, second, factors);
}

#[inline(always)]
fn step_elements(parameters: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], factors: Factors) {
    let moments = first.iter_mut().zip(second);
    for ((parameter, gradient), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
        *first = factors.beta1 * *first + factors.one_minus_beta1 * gradient;
        *second = factors.beta2 * *second + factors.one_minus_beta2 * gradient * gradient;
        *parameter -= factors.step_size * *first / (second.sqrt() * factors.root_scale + factors.epsilon);
    }
}

#[cfg(test)]
mod tests {
    use super::{AdamSettings, CHUNK, step};

    fn settings(step: u64) -> AdamSettings {
        AdamSettings { rate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step }
    }

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.0 - 1.0).collect()
    }

    #[test]
    fn five_steps_equal_the_algorithm_in_double_precision() {
        let (mut parameters, mut first, mut second) = (vec![0.5_f32], vec![0.0], vec![0.0]);
        let mut average = vec![0.5_f32];
        let (mut p, mut m, mut v, mut a) = (0.5_f64, 0.0_f64, 0.0_f64, 0.5_f64);
        for (number, gradient) in [0.3_f32, -1.5, 0.01, 2.0, -0.2].into_iter().enumerate() {
            let t = number as i32 + 1;
            step(&mut parameters, &[gradient], &mut first, &mut second, Some((&mut average, 0.75)), &settings(t as u64));
            let g = f64::from(gradient);
            m = 0.9 * m + 0.1 * g;
            v = 0.99 * v + 0.01 * g * g;
            p -= 1e-3 * (m / (1.0 - 0.9_f64.powi(t))) / ((v / (1.0 - 0.99_f64.powi(t))).sqrt() + 1e-8);
            a = 0.75 * a + 0.25 * p;
            assert!((f64::from(parameters[0]) - p).abs() < 1e-6, "step {t}: {} is not {p}", parameters[0]);
            assert!((f64::from(average[0]) - a).abs() < 1e-6, "step {t}: {} is not {a}", average[0]);
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let length = 3 * CHUNK + 17;
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (mut parameters, mut average) = (numbers(length, 1), numbers(length, 2));
            let (mut first, mut second) = (vec![0.0; length], vec![0.0; length]);
            for number in 1..4 {
                let gradient = numbers(length, 10 + number);
                let average = Some((average.as_mut_slice(), 0.999));
                pool.install(|| step(&mut parameters, &gradient, &mut first, &mut second, average, &settings(number as u64)));
            }
            [parameters, average].concat().iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
    }
}
