//! The five linear maps of F(4, 3), in one dimension, eight numbers at a time.
//!
//! Toom and Cook's interpolation at 0, ±√½, ±√2 and ∞: with these points, whose squares are each other's inverses, the
//! greatest error is a fifth of that of Winograd's 0, ±1, ±2, ∞ (Barabasz, Anderson, Soodhalter and Gregg, "Error Analysis and
//! Improving the Accuracy of Winograd Convolution for Deep Neural Networks", ACM TOMS 46, 2020, weigh such choices). With p
//! a point and N(p) = Π (p − other points), the rows are: `result`ᵀ pʲ, `kernel` pʲ / N(p), `source` the coefficients of
//! Π (x − other points). The two gradients are transposes of these.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::super::vector::Vector;

/// Points of the interpolation.
pub const POINTS: usize = 6;
/// Results of a tile along one side.
pub const RESULTS: usize = 4;
/// Places of the kernel along one side.
pub const PLACES: usize = 3;

/// A linear map along one side.
pub trait Transform<const FROM: usize, const TO: usize> {
    /// Maps `FROM` vectors to `TO`.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    unsafe fn apply<V: Vector>(from: [V; FROM]) -> [V; TO];
}

/// `even ± factor · odd`.
///
/// # Safety
/// As for [`Transform::apply`].
#[inline(always)]
unsafe fn pair<V: Vector>(even: V, odd: V, factor: f32) -> [V; 2] {
    // SAFETY: the caller's.
    unsafe { [odd.multiply_add(V::splat(&factor), even), odd.multiply_add(V::splat(&-factor), even)] }
}

/// `sum + factor · value`.
///
/// # Safety
/// As for [`Transform::apply`].
#[inline(always)]
unsafe fn plus<V: Vector>(sum: V, factor: f32, value: V) -> V {
    // SAFETY: the caller's.
    unsafe { value.multiply_add(V::splat(&factor), sum) }
}

/// Six neighbouring pixels of the source to their values at the points.
pub struct Source;

impl Transform<6, 6> for Source {
    #[inline(always)]
    unsafe fn apply<V: Vector>([a, b, c, d, e, f]: [V; 6]) -> [V; 6] {
        // SAFETY: the caller's.
        unsafe {
            let [p, q] = pair(plus(e, -2.0, c), plus(d, -2.0, b), FRAC_1_SQRT_2);
            let [r, s] = pair(plus(e, -0.5, c), plus(d, -0.5, b), SQRT_2);
            [plus(a.add(e), -2.5, c), p, q, r, s, plus(b.add(f), -2.5, d)]
        }
    }
}

/// Three places of the kernel to their values at the points.
pub struct Places;

impl Transform<3, 6> for Places {
    #[inline(always)]
    unsafe fn apply<V: Vector>([a, b, c]: [V; 3]) -> [V; 6] {
        // SAFETY: the caller's.
        unsafe {
            let [p, q] = pair(plus(a, 0.5, c).multiply(V::splat(&(-2.0 / 3.0))), b, FRAC_1_SQRT_2 * (-2.0 / 3.0));
            let [r, s] = pair(plus(a, 2.0, c).multiply(V::splat(&(1.0 / 6.0))), b, SQRT_2 / 6.0);
            [a, p, q, r, s, c]
        }
    }
}

/// Values at the points to four neighbouring results.
pub struct Results;

impl Transform<6, 4> for Results {
    #[inline(always)]
    unsafe fn apply<V: Vector>([a, p, q, r, s, f]: [V; 6]) -> [V; 4] {
        // SAFETY: the caller's.
        unsafe {
            let (even, odd) = (p.add(q), p.subtract(q).multiply(V::splat(&FRAC_1_SQRT_2)));
            let (far_even, far_odd) = (r.add(s), r.subtract(s).multiply(V::splat(&SQRT_2)));
            [
                a.add(even).add(far_even),
                odd.add(far_odd),
                plus(far_even.multiply(V::splat(&2.0)), 0.5, even),
                plus(plus(f, 0.5, odd), 2.0, far_odd),
            ]
        }
    }
}

/// The transpose of [`Results`]: gradients of four neighbouring results to the points.
pub struct ResultGradients;

impl Transform<4, 6> for ResultGradients {
    #[inline(always)]
    unsafe fn apply<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 6] {
        // SAFETY: the caller's.
        unsafe {
            let [p, q] = pair(plus(a, 0.5, c), plus(b, 0.5, d), FRAC_1_SQRT_2);
            let [r, s] = pair(plus(a, 2.0, c), plus(b, 2.0, d), SQRT_2);
            [a, p, q, r, s, d]
        }
    }
}

/// The transpose of [`Places`]: sums at the points to gradients of the kernel's three places.
pub struct PlaceGradients;

impl Transform<6, 3> for PlaceGradients {
    #[inline(always)]
    unsafe fn apply<V: Vector>([a, p, q, r, s, f]: [V; 6]) -> [V; 3] {
        // SAFETY: the caller's.
        unsafe {
            let even = p.add(q).multiply(V::splat(&(-2.0 / 3.0)));
            let far_even = r.add(s).multiply(V::splat(&(1.0 / 6.0)));
            let odd = p.subtract(q).multiply(V::splat(&(FRAC_1_SQRT_2 * (-2.0 / 3.0))));
            [a.add(even).add(far_even), plus(odd, SQRT_2 / 6.0, r.subtract(s)), plus(plus(f, 0.5, even), 2.0, far_even)]
        }
    }
}

/// Applies `T` along both sides.
///
/// # Safety
/// As for [`Transform::apply`].
#[inline(always)]
pub unsafe fn both_sides<T: Transform<F, N>, V: Vector, const F: usize, const N: usize>(from: [[V; F]; F]) -> [[V; N]; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut columns = [[V::zero(); F]; N];
        for x in 0..F {
            let mut column = [V::zero(); F];
            for y in 0..F {
                column[y] = from[y][x];
            }
            let column = T::apply(column);
            for y in 0..N {
                columns[y][x] = column[y];
            }
        }
        let mut to = [[V::zero(); N]; N];
        for y in 0..N {
            to[y] = T::apply(columns[y]);
        }
        to
    }
}
