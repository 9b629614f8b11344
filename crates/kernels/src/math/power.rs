//! Powers of numbers.

use super::{exp, log};

/// Through `f64`, whose logarithm has bits to spare.
#[inline(always)]
pub(crate) fn single(x: f32, y: f32) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    let size = exp(y * log(x.abs()));
    let integer = y.trunc() == y;
    let odd = integer && (0.5 * y).trunc() != 0.5 * y;
    let signed = if odd { size.copysign(x) } else { size };
    // Minus zero and minus infinity take any exponent.
    let defined = x >= 0.0 || integer || x == 0.0 || x == f64::NEG_INFINITY;
    let result = if defined || x.is_nan() { signed } else { f64::NAN };
    // log gives 0 * infinity here, or not-a-number that the standard ignores.
    let one = y == 0.0 || x == 1.0 || (x == -1.0 && y.is_infinite());
    (if one { 1.0 } else { result }) as f32
}

/// The `libm` crate: it carries the logarithm in two numbers.
#[inline(always)]
pub(crate) fn double(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}
