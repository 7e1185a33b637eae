//! The product of two matrices, in single or double precision.

use gemm::Parallelism;

/// Products of fewer multiplications than this are done by the calling thread; waking another costs more than it saves.
const MULTIPLICATIONS_WORTH_A_THREAD: usize = 1 << 18;

/// A number type that matrices are made of.
pub trait Element: Copy + Send + Sync + 'static {
    /// The neutral element of addition.
    const ZERO: Self;
    /// The neutral element of multiplication.
    const ONE: Self;
}

impl Element for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
}

impl Element for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
}

/// Writes the product of `a` (`[m, k]`, or `[k, m]` when `transpose_a`) and `b` (`[k, n]`, or `[n, k]` when
/// `transpose_b`) to `out` (`[m, n]`); all are row-major and dense.
///
/// # Panics
/// When a slice's length is not the product of its shape.
#[expect(clippy::too_many_arguments, reason = "a matrix product has three sizes and three operands")]
pub fn multiply<T: Element>(m: usize, k: usize, n: usize, a: &[T], transpose_a: bool, b: &[T], transpose_b: bool, out: &mut [T]) {
    if k == 0 {
        assert!(a.is_empty() && b.is_empty() && out.len() == m * n, "a product over nothing has sizes like any other");
        out.fill(T::ZERO);
        return;
    }
    let large = m * n * k >= MULTIPLICATIONS_WORTH_A_THREAD;
    let parallelism = if large { Parallelism::Rayon(0) } else { Parallelism::None };
    Operands { m, k, n, a, transpose_a, b, transpose_b }.write(None, out, parallelism);
}

/// Adds `scale` times the product to `out`, otherwise as [`multiply`]; with `alone`, on the calling thread only.
///
/// # Panics
/// When a slice's length is not the product of its shape.
pub fn add_product<T: Element>(operands: &Operands<'_, T>, scale: T, out: &mut [T], alone: bool) {
    let parallelism = if alone { Parallelism::None } else { Parallelism::Rayon(0) };
    operands.write(Some(scale), out, parallelism);
}

/// The factors of a product: `a` is `[m, k]`, or `[k, m]` when `transpose_a`; `b` is `[k, n]`, or `[n, k]` when `transpose_b`.
#[derive(Clone, Copy, Debug)]
pub struct Operands<'a, T> {
    pub m: usize,
    pub k: usize,
    pub n: usize,
    pub a: &'a [T],
    pub transpose_a: bool,
    pub b: &'a [T],
    pub transpose_b: bool,
}

impl<T: Element> Operands<'_, T> {
    /// With a scale, adds to what is there; without, replaces it.
    fn write(&self, scale: Option<T>, out: &mut [T], parallelism: Parallelism) {
        let &Self { m, k, n, a, transpose_a, b, transpose_b } = self;
        assert_eq!(a.len(), m * k, "the left matrix must have {m} x {k} elements");
        assert_eq!(b.len(), k * n, "the right matrix must have {k} x {n} elements");
        assert_eq!(out.len(), m * n, "the product must have {m} x {n} elements");
        if m == 0 || n == 0 || k == 0 {
            return;
        }
        let (a_column, a_row) = if transpose_a { (m as isize, 1) } else { (1, k as isize) };
        let (b_column, b_row) = if transpose_b { (k as isize, 1) } else { (1, n as isize) };
        // SAFETY: the assertions above make every element that these sizes and strides address lie inside its slice; `out`
        // is borrowed mutably, so it overlaps neither operand; `T` is `f32` or `f64`, which `gemm` supports.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                out.as_mut_ptr(),
                1,
                n as isize,
                scale.is_some(),
                a.as_ptr(),
                a_column,
                a_row,
                b.as_ptr(),
                b_column,
                b_row,
                if scale.is_some() { T::ONE } else { T::ZERO },
                scale.unwrap_or(T::ONE),
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Operands, add_product, multiply};

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.0 - 1.0).collect()
    }

    #[test]
    fn products_equal_the_definition_for_every_transposition() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 2), (17, 9, 1), (1, 33, 20), (64, 128, 65), (4, 0, 3)] {
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            for (transpose_a, transpose_b) in [(false, false), (true, false), (false, true), (true, true)] {
                let mut out = vec![f32::NAN; m * n];
                multiply(m, k, n, &a, transpose_a, &b, transpose_b, &mut out);
                for (row, column) in (0..m).flat_map(|row| (0..n).map(move |column| (row, column))) {
                    let expected: f64 = (0..k)
                        .map(|i| {
                            let left = if transpose_a { a[i * m + row] } else { a[row * k + i] };
                            let right = if transpose_b { b[column * k + i] } else { b[i * n + column] };
                            f64::from(left) * f64::from(right)
                        })
                        .sum();
                    let found = f64::from(out[row * n + column]);
                    assert!((found - expected).abs() < 1e-5 * (1.0 + k as f64), "{found} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn products_are_added_to_what_is_there() {
        let (a, b) = (numbers(6, 1), numbers(8, 2));
        let operands = Operands { m: 3, k: 2, n: 4, a: &a, transpose_a: false, b: &b, transpose_b: false };
        let mut product = vec![0.0; 12];
        multiply(3, 2, 4, &a, false, &b, false, &mut product);
        for alone in [false, true] {
            let mut out: Vec<f32> = (0..12).map(|i| i as f32).collect();
            add_product(&operands, -2.0, &mut out, alone);
            for (index, (found, product)) in out.iter().zip(&product).enumerate() {
                assert!((found - (index as f32 - 2.0 * product)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (m, k, n) = (100, 700, 130);
        let (a, b) = (numbers(m * k, 3), numbers(k * n, 4));
        let mut results = Vec::new();
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = vec![0.0; m * n];
            pool.install(|| multiply(m, k, n, &a, false, &b, false, &mut out));
            results.push(out.iter().map(|value| value.to_bits()).collect::<Vec<u32>>());
        }
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0], results[2]);
    }

    #[test]
    fn double_precision_keeps_its_digits() {
        let mut out = [0.0_f64];
        multiply(1, 2, 1, &[1.0, 1e-12], false, &[1.0, 1.0], false, &mut out);
        assert_eq!(out[0], 1.0 + 1e-12);
    }
}
