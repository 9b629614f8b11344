//! Products of long rows with few columns: each element of the result is an inner product, by vectors along k.

use super::short::{DEPTH, Matrix, PANEL, put};
use super::vector::Vector;
use crate::Real;
use crate::arena::Shared;
use crate::view::{View, Write};

/// Vectors along k: four rows of `a` at a time against up to four columns of `b`.
#[inline(always)]
pub(super) unsafe fn dots<T: Real, V: Vector<T>, const L: usize>(
    base: Shared<T>,
    out: View,
    a: View,
    b: View,
    write: Write,
) {
    let (m, n, k) = (out.rows, out.cols, a.cols);
    // SAFETY: the caller's views lie in the arena.
    unsafe {
        let (a, b, out) = (Matrix::new(base, a), Matrix::new(base, b), Matrix::new(base, out));
        for col in (0..n).step_by(4) {
            let b = stand::<T>(b.from(0, col), k, 4.min(n - col));
            let (a, out) = (a.from(0, 0), out.from(0, col));
            match n - col {
                1 => dot_column::<T, V, L, 1>(out, a, b, [m, k], write),
                2 => dot_column::<T, V, L, 2>(out, a, b, [m, k], write),
                3 => dot_column::<T, V, L, 3>(out, a, b, [m, k], write),
                _ => dot_column::<T, V, L, 4>(out, a, b, [m, k], write),
            }
        }
    }
}

/// Columns of `b` as contiguous numbers: in place if they are, otherwise packed.
#[inline(always)]
unsafe fn stand<T: Real>(b: Matrix<T>, k: usize, cols: usize) -> Matrix<T> {
    if b.row_stride == 1 {
        return b;
    }
    let packed = PANEL.with(|panel| panel.get().cast::<T>());
    for col in 0..cols {
        for step in 0..k {
            // SAFETY: the panel has room for four columns of DEPTH numbers; the caller's elements lie in the matrix.
            unsafe { *packed.add(col * DEPTH + step) = *b.at(step, col) }
        }
    }
    Matrix { first: packed, row_stride: 1, col_stride: DEPTH }
}

#[inline(always)]
unsafe fn dot_column<T: Real, V: Vector<T>, const L: usize, const C: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [m, k]: [usize; 2],
    write: Write,
) {
    let mut row = 0;
    // SAFETY: rows below m lie in the caller's matrices.
    unsafe {
        while row + 4 <= m {
            dot_block::<T, V, L, 4, C>(out.from(row, 0), a.from(row, 0), b, k, write);
            row += 4;
        }
        while row < m {
            dot_block::<T, V, L, 1, C>(out.from(row, 0), a.from(row, 0), b, k, write);
            row += 1;
        }
    }
}

/// out: [R, C], a: [R, k], b: [k, C] with contiguous columns
#[inline(always)]
unsafe fn dot_block<T: Real, V: Vector<T>, const L: usize, const R: usize, const C: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    k: usize,
    write: Write,
) {
    // SAFETY: rows and columns have k numbers, behind which a vector may be read; the block lies in `out`; the caller
    // has chosen `V` by the processor.
    unsafe {
        let mut sums = [[V::zero(); C]; R];
        let full = k - k % L;
        if a.col_stride == 1 {
            for step in (0..full).step_by(L) {
                let right: [V; C] = std::array::from_fn(|col| V::load(b.at(step, col)));
                for (row, sums) in sums.iter_mut().enumerate() {
                    let left = V::load(a.at(row, step));
                    for (sum, &right) in sums.iter_mut().zip(&right) {
                        *sum = left.fused(right, *sum);
                    }
                }
            }
        }
        let done = if a.col_stride == 1 { full } else { 0 };
        for step in (done..k).step_by(L) {
            let len = L.min(k - step);
            let right: [V; C] = std::array::from_fn(|col| run_of::<T, V, L>(b.at(step, col), 1, len));
            for (row, sums) in sums.iter_mut().enumerate() {
                let left = run_of::<T, V, L>(a.at(row, step), a.col_stride, len);
                for (sum, &right) in sums.iter_mut().zip(&right) {
                    *sum = left.fused(right, *sum);
                }
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            for (col, sum) in sums.into_iter().enumerate() {
                let mut lanes = [T::ZERO; L];
                sum.store(lanes.as_mut_ptr());
                put(out.at(row, col), sum_of(lanes), write);
            }
        }
    }
}

/// `len` numbers, filled up with zeros. Contiguous ones are read as a full vector: behind the last number lies the rest
/// of the arena or its spare room.
#[inline(always)]
unsafe fn run_of<T: Real, V: Vector<T>, const L: usize>(first: *const T, stride: usize, len: usize) -> V {
    let mut run = [T::ZERO; L];
    // SAFETY: the caller's numbers lie in the arena or the panel.
    unsafe {
        if stride == 1 {
            for (lane, number) in run.iter_mut().enumerate() {
                let read = *first.add(lane);
                *number = if lane < len { read } else { T::ZERO };
            }
        } else {
            (0..len).for_each(|index| run[index] = *first.add(index * stride));
        }
        V::load(run.as_ptr())
    }
}

/// The sum of the lanes, joined in halves.
#[inline(always)]
fn sum_of<T: Real, const L: usize>(mut lanes: [T; L]) -> T {
    let mut width = L / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = lanes[lane] + lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}
