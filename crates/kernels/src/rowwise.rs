//! Softmax and the logarithm of a sum of exponentials, row by row; stable for logits of any size.

use crate::arena::Shared;
use crate::map::{Fold, fold};
use crate::simd::for_each_level;
use crate::{Arena, Pool, Real, math};

/// Elements of a chunk of rows.
const CHUNK_ELEMENTS: usize = 4096;
/// Numbers whose exponentials are taken in one loop.
const BLOCK: usize = 256;

/// Softmax of every row of `source`: rows x cols at offset `source` to rows x cols at `out`, which may be the same.
pub fn softmax<T: Real>(arena: &mut Arena<T>, pool: &Pool, rows: usize, cols: usize, source: usize, out: usize) {
    debug_assert!(source.max(out) + rows * cols <= arena.len());
    let base = arena.pointer();
    by_rows(pool, rows, cols, &|first, count| softmax_rows(base, [first, count, cols], source, out));
}

/// `log(sum(exp(row)))` of every row: rows x cols at offset `source` to rows x 1 at `out`.
///
/// Finite for finite rows; minus infinity for a row of minus infinities and for an empty one.
pub fn logsumexp<T: Real>(arena: &mut Arena<T>, pool: &Pool, rows: usize, cols: usize, source: usize, out: usize) {
    debug_assert!(source + rows * cols <= arena.len() && out + rows <= arena.len());
    let base = arena.pointer();
    by_rows(pool, rows, cols, &|first, count| logsumexp_rows(base, [first, count, cols], source, out));
}

/// Calls `task(first row, number of rows)` for chunks of rows.
fn by_rows(pool: &Pool, rows: usize, cols: usize, task: &(dyn Fn(usize, usize) + Sync)) {
    let step = CHUNK_ELEMENTS.div_ceil(cols.max(1));
    pool.run(rows.div_ceil(step), &|chunk| task(chunk * step, step.min(rows - chunk * step)));
}

for_each_level! {
    fn softmax_rows<T: Real>(base: Shared<T>, shape: [usize; 3], source: usize, out: usize) = softmax_body;
}

for_each_level! {
    fn logsumexp_rows<T: Real>(base: Shared<T>, shape: [usize; 3], source: usize, out: usize) = logsumexp_body;
}

#[inline(always)]
fn softmax_body<T: Real>(base: Shared<T>, [first, count, cols]: [usize; 3], source: usize, out: usize) {
    // SAFETY: the rows lie in both matrices; nobody else writes them.
    let (source, out) = unsafe { (base.at(source + first * cols), base.at(out + first * cols)) };
    for row in 0..count {
        // SAFETY: the row lies in the matrix.
        let numbers = unsafe { source.add(row * cols) };
        let shift = shift_of(numbers, cols);
        for col in 0..cols {
            // SAFETY: the column lies in the row.
            unsafe { *out.add(row * cols + col) = *numbers.add(col) - shift }
        }
    }
    // One long loop for all rows: short ones would not fill vectors.
    for index in 0..count * cols {
        // SAFETY: the element lies in the rows.
        unsafe { *out.add(index) = math::exp(*out.add(index)) }
    }
    for row in 0..count {
        // SAFETY: the row lies in the matrix.
        let numbers = unsafe { out.add(row * cols) };
        let factor = T::ONE / fold(Fold::Sum, numbers, cols);
        for col in 0..cols {
            // SAFETY: the column lies in the row.
            unsafe { *numbers.add(col) = *numbers.add(col) * factor }
        }
    }
}

#[inline(always)]
fn logsumexp_body<T: Real>(base: Shared<T>, [first, count, cols]: [usize; 3], source: usize, out: usize) {
    // SAFETY: the rows lie in the matrix and their results in the arena; nobody else writes those.
    let (source, out) = unsafe { (base.at(source + first * cols), base.at(out + first)) };
    let mut block = [T::ZERO; BLOCK];
    if cols > BLOCK {
        for row in 0..count {
            // SAFETY: the row lies in the matrix and the element in the result.
            unsafe {
                let numbers = source.add(row * cols);
                let shift = shift_of(numbers, cols);
                *out.add(row) = shift + math::log(sum_of_exp(numbers, cols, shift, &mut block));
            }
        }
        return;
    }
    let step = BLOCK / cols.max(1);
    let mut shifts = [T::ZERO; BLOCK];
    for start in (0..count).step_by(step) {
        let rows = step.min(count - start);
        for (row, shift) in shifts[..rows].iter_mut().enumerate() {
            // SAFETY: the row lies in the matrix.
            let numbers = unsafe { source.add((start + row) * cols) };
            *shift = shift_of(numbers, cols);
            for col in 0..cols {
                // SAFETY: the column lies in the row.
                block[row * cols + col] = unsafe { *numbers.add(col) } - *shift;
            }
        }
        block[..rows * cols].iter_mut().for_each(|x| *x = math::exp(*x));
        for (row, &shift) in shifts[..rows].iter().enumerate() {
            let sum = fold(Fold::Sum, block[row * cols..].as_ptr(), cols);
            // SAFETY: the element lies in the result.
            unsafe { *out.add(start + row) = shift + math::log(sum) }
        }
    }
}

/// The maximum of a row, or 0 if it is infinite: infinities must not meet as their difference.
#[inline(always)]
fn shift_of<T: Real>(source: *const T, cols: usize) -> T {
    let largest = fold(Fold::Max, source, cols);
    if largest == -T::INFINITY || largest == T::INFINITY { T::ZERO } else { largest }
}

/// Sum of exp(x - shift) over a row, block by block.
#[inline(always)]
fn sum_of_exp<T: Real>(source: *const T, cols: usize, shift: T, block: &mut [T; BLOCK]) -> T {
    let mut sum = T::ZERO;
    for start in (0..cols).step_by(BLOCK) {
        let len = BLOCK.min(cols - start);
        for (index, number) in block[..len].iter_mut().enumerate() {
            // SAFETY: the element lies in the row.
            *number = math::exp(unsafe { *source.add(start + index) } - shift);
        }
        sum = sum + fold(Fold::Sum, block.as_ptr(), len);
    }
    sum
}

#[cfg(test)]
mod tests;
