//! Eight single-precision numbers at once: the one thing the kernels ask of an instruction set.

use std::array::from_fn;

/// Numbers in a [`Vector`].
pub const LANES: usize = 8;

/// Which instructions the kernels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// AVX2 with fused multiply-add: x86-64 processors since 2013.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What every processor of the build's target has.
    Portable,
}

impl InstructionSet {
    /// The best that this processor has.
    pub fn detect() -> InstructionSet {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return InstructionSet::Avx2;
        }
        InstructionSet::Portable
    }

    /// All that this processor has, for tests.
    #[cfg(test)]
    pub fn all() -> Vec<InstructionSet> {
        let mut sets = vec![InstructionSet::detect(), InstructionSet::Portable];
        sets.dedup();
        sets
    }
}

/// Eight numbers in one register, or in as many as the processor needs.
///
/// # Safety
/// Of every method: the processor has the instructions of the implementing type, and a pointer passed is valid for the
/// eight (for [`Vector::splat`]: one) numbers that are read or written; it need not be aligned.
pub trait Vector: Copy {
    /// Eight zeros.
    unsafe fn zero() -> Self;
    /// The eight numbers at `from`.
    unsafe fn load(from: *const f32) -> Self;
    /// The number at `from`, eight times.
    unsafe fn splat(from: *const f32) -> Self;
    /// Writes the eight numbers to `to`.
    unsafe fn store(self, to: *mut f32);
    /// `self · factor + sum`.
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self;
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self − other`.
    unsafe fn subtract(self, other: Self) -> Self;
    /// `self · factor`.
    unsafe fn multiply(self, factor: Self) -> Self;
    /// The sum of the eight, in a fixed order.
    unsafe fn sum(self) -> f32;
    /// Rows become columns.
    unsafe fn transpose(rows: [Self; LANES]) -> [Self; LANES];
}

/// Work that is written once for every instruction set.
pub trait Kernel {
    /// Does the work with vectors of type `V`. To be inlined always, and its hot parts to be free of closures: a closure is
    /// not compiled for the caller's instructions.
    ///
    /// # Safety
    /// The processor has the instructions of `V`, and what the implementor says of its fields holds.
    unsafe fn run<V: Vector>(&self);
}

/// Does the work of `kernel` with `instructions`.
///
/// # Safety
/// What the kernel says of its fields holds. (An [`InstructionSet`] is made only when the processor has it.)
pub unsafe fn run_kernel(instructions: InstructionSet, kernel: &impl Kernel) {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions; the rest is the caller's.
        InstructionSet::Avx2 => unsafe { run_avx2(kernel) },
        // SAFETY: the caller's.
        InstructionSet::Portable => unsafe { kernel.run::<Portable>() },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2(kernel: &impl Kernel) {
    // SAFETY: the caller's.
    unsafe { kernel.run::<Avx2>() };
}

/// Eight numbers in an array, for processors without AVX2.
#[derive(Clone, Copy)]
pub struct Portable([f32; LANES]);

impl Vector for Portable {
    #[inline(always)]
    unsafe fn zero() -> Self {
        Portable([0.0; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for eight readable numbers.
        Portable(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Self {
        // SAFETY: the caller vouches for one readable number.
        Portable([unsafe { *from }; LANES])
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for eight writable numbers.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) };
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
        Portable(from_fn(|lane| self.0[lane] * factor.0[lane] + sum.0[lane]))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Portable(from_fn(|lane| self.0[lane] + other.0[lane]))
    }

    #[inline(always)]
    unsafe fn subtract(self, other: Self) -> Self {
        Portable(from_fn(|lane| self.0[lane] - other.0[lane]))
    }

    #[inline(always)]
    unsafe fn multiply(self, factor: Self) -> Self {
        Portable(from_fn(|lane| self.0[lane] * factor.0[lane]))
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }

    #[inline(always)]
    unsafe fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
        from_fn(|column| Portable(from_fn(|row| rows[row].0[column])))
    }
}

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{LANES, Vector};

    /// Eight numbers in one AVX register.
    #[derive(Clone, Copy)]
    pub struct Avx2(__m256);

    // SAFETY of the blocks below: by the trait's contract the processor has AVX2 and FMA and the pointers are valid;
    // the unaligned forms of load and store are used.
    impl Vector for Avx2 {
        #[inline(always)]
        unsafe fn zero() -> Self {
            // SAFETY: see above.
            Avx2(unsafe { _mm256_setzero_ps() })
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: see above.
            Avx2(unsafe { _mm256_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn splat(from: *const f32) -> Self {
            // SAFETY: see above.
            Avx2(unsafe { _mm256_broadcast_ss(&*from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: see above.
            unsafe { _mm256_storeu_ps(to, self.0) };
        }

        #[inline(always)]
        unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: see above.
            Avx2(unsafe { _mm256_fmadd_ps(self.0, factor.0, sum.0) })
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: see above.
            Avx2(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn subtract(self, other: Self) -> Self {
            // SAFETY: see above.
            Avx2(unsafe { _mm256_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        unsafe fn multiply(self, factor: Self) -> Self {
            // SAFETY: see above.
            Avx2(unsafe { _mm256_mul_ps(self.0, factor.0) })
        }

        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            // SAFETY: see above.
            unsafe {
                let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
                let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
            }
        }

        #[inline(always)]
        unsafe fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
            // (Matched, not mapped: a closure would not be compiled for these instructions.)
            let [Avx2(a), Avx2(b), Avx2(c), Avx2(d), Avx2(e), Avx2(f), Avx2(g), Avx2(h)] = rows;
            // SAFETY: see above. Pairs, then quadruples, then halves are interleaved.
            unsafe {
                let (ab0, ab1) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd0, cd1) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let (ef0, ef1) = (_mm256_unpacklo_ps(e, f), _mm256_unpackhi_ps(e, f));
                let (gh0, gh1) = (_mm256_unpacklo_ps(g, h), _mm256_unpackhi_ps(g, h));
                let (a0, a1) = (_mm256_shuffle_ps::<0x44>(ab0, cd0), _mm256_shuffle_ps::<0xEE>(ab0, cd0));
                let (a2, a3) = (_mm256_shuffle_ps::<0x44>(ab1, cd1), _mm256_shuffle_ps::<0xEE>(ab1, cd1));
                let (e0, e1) = (_mm256_shuffle_ps::<0x44>(ef0, gh0), _mm256_shuffle_ps::<0xEE>(ef0, gh0));
                let (e2, e3) = (_mm256_shuffle_ps::<0x44>(ef1, gh1), _mm256_shuffle_ps::<0xEE>(ef1, gh1));
                [
                    Avx2(_mm256_permute2f128_ps::<0x20>(a0, e0)),
                    Avx2(_mm256_permute2f128_ps::<0x20>(a1, e1)),
                    Avx2(_mm256_permute2f128_ps::<0x20>(a2, e2)),
                    Avx2(_mm256_permute2f128_ps::<0x20>(a3, e3)),
                    Avx2(_mm256_permute2f128_ps::<0x31>(a0, e0)),
                    Avx2(_mm256_permute2f128_ps::<0x31>(a1, e1)),
                    Avx2(_mm256_permute2f128_ps::<0x31>(a2, e2)),
                    Avx2(_mm256_permute2f128_ps::<0x31>(a3, e3)),
                ]
            }
        }
    }
}
