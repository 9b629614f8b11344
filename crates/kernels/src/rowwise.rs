//! Softmax and the logarithm of a sum of exponentials, row by row; stable for logits of any size.

use crate::arena::Shared;
use crate::map::{Fold, fold};
use crate::simd::for_each_level;
use crate::{Arena, Pool, Real, math};

/// Elements of a chunk of rows.
const CHUNK_ELEMENTS: usize = 4096;

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
    for row in first..first + count {
        // SAFETY: the row lies in both matrices; nobody else writes it.
        let (source, out) = unsafe { (base.at(source + row * cols), base.at(out + row * cols)) };
        let shift = shift_of(source, cols);
        for col in 0..cols {
            // SAFETY: the column lies in the row.
            unsafe { *out.add(col) = math::exp(*source.add(col) - shift) }
        }
        let sum = fold(Fold::Sum, out, cols);
        for col in 0..cols {
            // SAFETY: as above.
            unsafe { *out.add(col) = *out.add(col) / sum }
        }
    }
}

#[inline(always)]
fn logsumexp_body<T: Real>(base: Shared<T>, [first, count, cols]: [usize; 3], source: usize, out: usize) {
    for row in first..first + count {
        // SAFETY: the row lies in the matrix and the element in the result; nobody else writes it.
        let (source, out) = unsafe { (base.at(source + row * cols), base.at(out + row)) };
        let shift = shift_of(source, cols);
        let sum = sum_of_exp(source, cols, shift);
        // SAFETY: as above.
        unsafe { *out = shift + math::log(sum) }
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
fn sum_of_exp<T: Real>(source: *const T, cols: usize, shift: T) -> T {
    const BLOCK: usize = 64;
    let mut block = [T::ZERO; BLOCK];
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
