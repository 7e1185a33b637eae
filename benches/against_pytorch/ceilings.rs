//! What this machine can do at most on the threads that are used: multiply-adds in registers, and bytes to and from memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long each is measured; the best of the tries counts.
const TRIES: usize = 10;

/// Multiply-adds of f32 each second, and bytes each second of a ← b + s · c over arrays that no cache holds.
pub fn measure() -> serde_json::Value {
    serde_json::json!({
        "threads": rayon::current_num_threads(),
        "multiply_adds": multiply_adds(),
        "bytes": bytes(),
    })
}

/// Does the same on every thread and gives the shortest time of all tries.
fn shortest(work: impl Fn(usize) + Sync) -> Duration {
    let times = (0..TRIES).map(|_| {
        let start = Instant::now();
        rayon::broadcast(|thread| work(thread.index()));
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

fn multiply_adds() -> f64 {
    const ROUNDS: usize = 20_000_000;
    let each = shortest(|_| {
        black_box(in_registers(ROUNDS));
    });
    (ROUNDS * SUMS * LANES * rayon::current_num_threads()) as f64 / each.as_secs_f64()
}

/// Independent sums: more than the latency of an addition times the units that do it.
const SUMS: usize = 12;
/// Numbers in a sum: those of an AVX2 register.
const LANES: usize = 8;

/// Twelve sums of eight numbers that never leave the registers, with AVX2 and FMA where the processor has them.
fn in_registers(rounds: usize) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        #[target_feature(enable = "avx2,fma")]
        fn fused(rounds: usize) -> f32 {
            sums(rounds, f32::mul_add)
        }
        #[allow(unsafe_code)]
        // SAFETY: the processor has both, as just found.
        return unsafe { fused(rounds) };
    }
    sums(rounds, |sum, factor, term| sum * factor + term)
}

#[inline(always)]
fn sums(rounds: usize, multiply_add: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let (factor, term) = (black_box(0.999_f32), black_box(0.001_f32));
    let mut sums = [[1.0_f32; LANES]; SUMS];
    for _ in 0..rounds {
        for sum in &mut sums {
            for lane in sum {
                *lane = multiply_add(*lane, factor, term);
            }
        }
    }
    sums.iter().flatten().sum()
}

fn bytes() -> f64 {
    const LENGTH: usize = 16 << 20;
    let threads = rayon::current_num_threads();
    let arrays: Vec<_> = (0..threads).map(|_| std::sync::Mutex::new([0.0, 1.0, 2.0].map(|value| vec![value; LENGTH]))).collect();
    let each = shortest(|thread| {
        let Some(Ok(mut arrays)) = arrays.get(thread).map(std::sync::Mutex::lock) else { return };
        let [a, b, c] = &mut *arrays;
        let factor = black_box(0.5_f32);
        for ((a, b), c) in a.iter_mut().zip(&*b).zip(&*c) {
            *a = *b + factor * *c;
        }
        black_box(&a);
    });
    (3 * LENGTH * size_of::<f32>() * threads) as f64 / each.as_secs_f64()
}
