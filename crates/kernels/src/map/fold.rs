//! Sums and maxima of contiguous numbers.

use super::Fold;
use super::slots::Argument;
use crate::{Real, math};

/// Lanes of a horizontal sum, the same for both types and every instruction set.
const LANES: usize = 16;

/// The fold of `len` numbers: short ones in order, long ones in 16 lanes joined in halves.
#[inline(always)]
pub(crate) fn fold<T: Real>(kind: Fold, numbers: *const T, len: usize) -> T {
    match kind {
        Fold::Sum => fold_by(numbers, len, T::ZERO, |x, y| x + y),
        Fold::Max => fold_by(numbers, len, -T::INFINITY, math::max),
    }
}

/// The fold of `len` numbers of a block, in `f64` for what follows.
#[inline(always)]
pub(super) fn fold_argument<T: Real>(kind: Fold, argument: Argument<T>, start: usize, len: usize) -> T {
    if argument.step > 0 || len == 0 {
        // SAFETY: the caller's range lies in the block.
        return fold(kind, unsafe { argument.pointer.add(start) }, len);
    }
    // SAFETY: a single number stands at the pointer.
    let number = unsafe { *argument.pointer };
    match kind {
        Fold::Sum => number * T::from_f64(len as f64),
        Fold::Max => number,
    }
}

/// `into[i] = into[i] (+ or max) numbers[i]`.
#[inline(always)]
pub(super) fn fold_into<T: Real>(kind: Fold, into: *mut T, argument: Argument<T>, len: usize) {
    let stride = usize::from(argument.step > 0);
    match (kind, stride) {
        (Fold::Sum, 1) => combine(into, argument.pointer, len, |x, y| x + y),
        (Fold::Max, 1) => combine(into, argument.pointer, len, math::max),
        (kind, _) => {
            for index in 0..len {
                // SAFETY: the caller's accumulator has `len` numbers; a single number stands at the pointer.
                unsafe { *into.add(index) = join(kind, *into.add(index), *argument.pointer) }
            }
        }
    }
}

/// Two folds joined.
#[inline(always)]
pub(super) fn join<T: Real>(kind: Fold, x: T, y: T) -> T {
    match kind {
        Fold::Sum => x + y,
        Fold::Max => math::max(x, y),
    }
}

#[inline(always)]
fn combine<T: Real>(into: *mut T, numbers: *const T, len: usize, f: impl Fn(T, T) -> T) {
    for index in 0..len {
        // SAFETY: the caller's ranges have `len` numbers.
        unsafe { *into.add(index) = f(*into.add(index), *numbers.add(index)) }
    }
}

#[inline(always)]
fn fold_by<T: Real>(numbers: *const T, len: usize, neutral: T, f: impl Fn(T, T) -> T) -> T {
    // SAFETY: the caller's range has `len` numbers.
    let at = |index: usize| unsafe { *numbers.add(index) };
    if len < LANES {
        return (0..len).fold(neutral, |sum, index| f(sum, at(index)));
    }
    let mut lanes = [neutral; LANES];
    let full = len - len % LANES;
    for start in (0..full).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum = f(*sum, at(start + lane));
        }
    }
    for index in full..len {
        lanes[index - full] = f(lanes[index - full], at(index));
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = f(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}
