//! exp and the two functions built of it.

use super::polynomial;
use crate::Real;

/// e to the power `x`: 0 and infinity beyond the range, subnormal results rounded once.
#[inline(always)]
pub fn exp<T: Real>(x: T) -> T {
    let [low, high] = T::EXP_RANGE;
    // Written so that not-a-number passes.
    let x = if x < low { low } else { x };
    let x = if x > high { high } else { x };
    let (rounded, tail) = reduce(x);
    let [half, rest] = T::power_of_two(rounded);
    ((T::ONE + tail) * half) * rest
}

/// Logistic function `1 / (1 + exp(-x))`, without overflow.
#[inline(always)]
pub fn sigmoid<T: Real>(x: T) -> T {
    let small = exp(-x.absolute());
    let numerator = if x < T::ZERO { small } else { T::ONE };
    numerator / (T::ONE + small)
}

/// Hyperbolic tangent, as `m / (m + 2)` with `m = exp(2|x|) - 1` free of cancellation.
#[inline(always)]
pub fn tanh<T: Real>(x: T) -> T {
    let size = x.absolute();
    let double = size + size;
    let double = if double > T::TANH_LIMIT { T::TANH_LIMIT } else { double };
    let (rounded, tail) = reduce(double);
    let [half, rest] = T::power_of_two(rounded);
    let power = half * rest;
    let expm1 = power.fused(tail, power - T::ONE);
    (expm1 / (expm1 + T::from_f64(2.0))).with_sign(x)
}

/// `x = n ln 2 + r` with |r| <= ln(2)/2: n with `ROUNDER` added, and `exp(r) - 1`.
#[inline(always)]
fn reduce<T: Real>(x: T) -> (T, T) {
    let rounded = x.fused(T::LOG2_E, T::ROUNDER);
    let n = rounded - T::ROUNDER;
    let r = (-n).fused(T::LN_2[1], (-n).fused(T::LN_2[0], x));
    (rounded, (r * r).fused(polynomial(r, T::EXP), r))
}
