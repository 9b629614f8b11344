//! log and the two functions built of it.

use super::{exp, polynomial};
use crate::Real;

/// Natural logarithm: `log(0)` is minus infinity, of negative numbers not-a-number.
#[inline(always)]
pub fn log<T: Real>(x: T) -> T {
    let tiny = x < T::MIN_NORMAL;
    let lifted = if tiny { x * T::LIFT[0] } else { x };
    let [mantissa, exponent] = lifted.split();
    let exponent = if tiny { exponent - T::LIFT[1] } else { exponent };
    let result = log_of(mantissa, exponent, T::ZERO);
    let result = if x == T::ZERO { -T::INFINITY } else { result };
    let result = if x < T::ZERO { T::NAN } else { result };
    // Infinity and not-a-number are their own logarithms.
    if x < T::INFINITY { result } else { x }
}

/// `log(1 + x)`, exact for small `x`.
#[inline(always)]
pub fn log1p<T: Real>(x: T) -> T {
    let (sum, result) = log1p_inside(x);
    let result = if sum == T::ZERO { -T::INFINITY } else { result };
    let result = if sum < T::ZERO { T::NAN } else { result };
    if x < T::INFINITY { result } else { x }
}

/// `log(1 + exp(x))`, finite for every finite `x`.
#[inline(always)]
pub fn softplus<T: Real>(x: T) -> T {
    let positive = if x > T::ZERO { x } else { T::ZERO };
    // The sum lies in [1, 2]: no special case, and not-a-number comes back through `lost`.
    positive + log1p_inside(exp(-x.absolute())).1
}

/// 1 + x, and its logarithm if that is positive and finite.
#[inline(always)]
fn log1p_inside<T: Real>(x: T) -> (T, T) {
    let sum = T::ONE + x;
    // What rounding the sum has lost, relative to it.
    let lost = (x - (sum - T::ONE)) / sum;
    let [mantissa, exponent] = sum.split();
    (sum, log_of(mantissa, exponent, lost))
}

/// log(mantissa * 2^exponent) + lost, by fdlibm's series in s = f / (2 + f).
#[inline(always)]
fn log_of<T: Real>(mantissa: T, exponent: T, lost: T) -> T {
    let f = mantissa - T::ONE;
    let s = f / (T::ONE + T::ONE + f);
    let z = s * s;
    let series = z * polynomial(z, T::LOG);
    let half_square = T::from_f64(0.5) * f * f;
    let small = s.fused(half_square + series, exponent.fused(T::LN_2[1], lost));
    exponent.fused(T::LN_2[0], f - (half_square - small))
}
