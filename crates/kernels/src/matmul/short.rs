//! Products with a short side, by loops that keep a block of the result in registers.

use std::cell::UnsafeCell;

use super::dots::dots;
use super::plan::{Kernel, Plan};
use super::vector::Vector;
use crate::Real;
use crate::arena::Shared;
use crate::view::{View, Write, copy_short};

/// Rows of a block of `out`.
const ROWS: usize = 4;
/// Up to so many steps of k, writing the result is what costs.
const FEW_STEPS: usize = 8;
/// Steps of k taken at once.
pub(super) const DEPTH: usize = 512;
/// Bytes of packed columns: they stay in the second cache.
const PANEL_BYTES: usize = 64 * 1024;

/// Runs a product that is not for the library.
#[inline(always)]
pub(super) fn run<T: Real, V: Vector<T>>(base: Shared<T>, plan: &Plan, write: Write) {
    if T::LANES == 16 {
        run_lanes::<T, V, 16>(base, plan, write);
    } else {
        run_lanes::<T, V, 8>(base, plan, write);
    }
}

#[inline(always)]
fn run_lanes<T: Real, V: Vector<T>, const L: usize>(base: Shared<T>, plan: &Plan, write: Write) {
    let depth = plan.a.cols;
    for start in (0..depth).step_by(DEPTH) {
        let k = DEPTH.min(depth - start);
        let a = View { offset: plan.a.offset + start * plan.a.col_stride, cols: k, ..plan.a };
        let b = View { offset: plan.b.offset + start * plan.b.row_stride, rows: k, ..plan.b };
        let write = if start == 0 { write } else { Write::Add };
        // SAFETY: the views lie in the arena and `out` overlaps neither of the others.
        unsafe {
            match plan.kernel {
                Kernel::Dots => dots::<T, V, L>(base, plan.out, a, b, write),
                _ => columns::<T, V, L>(base, plan.out, a, b, write),
            }
        }
    }
}

/// A product of a few multiply-adds, element by element.
#[inline(always)]
pub(super) fn tiny<T: Real>(base: Shared<T>, out: &View, a: &View, b: &View, write: Write) {
    // SAFETY: the views lie in the arena.
    unsafe {
        let (depth, a, b) = (a.cols, Matrix::new(base, *a), Matrix::new(base, *b));
        let target = Matrix::new(base, *out);
        for row in 0..out.rows {
            for col in 0..out.cols {
                let mut sum = *a.at(row, 0) * *b.at(0, col);
                for step in 1..depth {
                    sum = (*a.at(row, step)).fused(*b.at(step, col), sum);
                }
                put(target.at(row, col), sum, write);
            }
        }
    }
}

/// A matrix by its first element and strides.
#[derive(Clone, Copy)]
pub(super) struct Matrix<T> {
    pub(super) first: *mut T,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

impl<T: Copy> Matrix<T> {
    #[inline(always)]
    pub(super) unsafe fn new(base: Shared<T>, view: View) -> Self {
        // SAFETY: the caller's view lies in the arena.
        let first = unsafe { base.at(view.offset) };
        Matrix { first, row_stride: view.row_stride, col_stride: view.col_stride }
    }

    #[inline(always)]
    pub(super) unsafe fn at(self, row: usize, col: usize) -> *mut T {
        // SAFETY: the caller's element lies in the matrix.
        unsafe { self.first.add(row * self.row_stride + col * self.col_stride) }
    }

    #[inline(always)]
    pub(super) unsafe fn from(self, row: usize, col: usize) -> Self {
        // SAFETY: the caller's element lies in the matrix.
        Matrix { first: unsafe { self.at(row, col) }, ..self }
    }
}

/// Vectors along the columns of `out`. A block of the result is `R` rows by `V` vectors, eight or so in all: as many as
/// the multipliers need to be busy.
#[inline(always)]
unsafe fn columns<T: Real, V: Vector<T>, const L: usize>(base: Shared<T>, out: View, a: View, b: View, write: Write) {
    let (n, k) = (out.cols, a.cols);
    // SAFETY: the caller's views lie in the arena.
    unsafe {
        let shape = [out.rows, n, k];
        let (a, b, out) = (Matrix::new(base, a), Matrix::new(base, b), Matrix::new(base, out));
        if b.col_stride == 1 {
            strip::<T, V, L>(out, a, b, shape, write);
            return;
        }
        // As many columns as fit are packed at once, in whole vectors.
        let width = (PANEL_BYTES / size_of::<T>() / k) & !(L - 1);
        for col in (0..n).step_by(width) {
            let cols = width.min(n - col);
            let packed = pack::<T, L>(b.from(0, col), k, cols);
            strip::<T, V, L>(out.from(0, col), a, packed, [shape[0], cols, k], write);
        }
    }
}

/// The whole of `b` with its columns side by side; what lies between the last column and the next full vector is not
/// used by anyone.
#[inline(always)]
unsafe fn pack<T: Real, const L: usize>(b: Matrix<T>, k: usize, cols: usize) -> Matrix<T> {
    let row_stride = cols.next_multiple_of(L);
    let packed = Matrix { first: PANEL.with(|panel| panel.get().cast::<T>()), row_stride, col_stride: 1 };
    for col in 0..cols {
        for step in 0..k {
            // SAFETY: the caller's columns fit the panel and lie in the matrix.
            unsafe { *packed.at(step, col) = *b.at(step, col) }
        }
    }
    packed
}

/// out: [m, n], a: [m, k], b: [k, n] with contiguous rows. Rows of `b` are read in full vectors: behind the last one
/// lies the rest of the arena, or its spare room, or the panel's, and what is computed from it is not stored.
#[inline(always)]
unsafe fn strip<T: Real, V: Vector<T>, const L: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [m, n, k]: [usize; 3],
    write: Write,
) {
    // SAFETY: blocks lie in the caller's matrices.
    unsafe {
        if m > 3 && k <= FEW_STEPS {
            // The result is what moves: row by row, as it lies in memory.
            for row in (0..m).step_by(ROWS) {
                let (out, a) = (out.from(row, 0), a.from(row, 0));
                for col in (0..n).step_by(2 * L) {
                    let shape = [ROWS.min(m - row), n - col, k];
                    rows_block::<T, V, L>(out.from(0, col), a, b.from(0, col), shape, write);
                }
            }
            return;
        }
        let vectors = if m <= 3 { 4 } else { 2 };
        for col in (0..n).step_by(vectors * L) {
            let (out, b) = (out.from(0, col), b.from(0, col));
            for row in (0..m).step_by(ROWS) {
                let shape = [ROWS.min(m - row), (n - col).min(vectors * L), k];
                rows_block::<T, V, L>(out.from(row, 0), a.from(row, 0), b, shape, write);
            }
        }
    }
}

/// Up to `ROWS` rows by up to two vectors; up to three rows by up to four.
#[inline(always)]
unsafe fn rows_block<T: Real, V: Vector<T>, const L: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [rows, cols, k]: [usize; 3],
    write: Write,
) {
    // SAFETY: the caller's block lies in its matrices.
    unsafe {
        match (rows, cols > L) {
            (4, true) => block::<T, V, L, 4, 2>(out, a, b, [k, cols], write),
            (4, false) => block::<T, V, L, 4, 1>(out, a, b, [k, cols], write),
            (3, _) => few_rows::<T, V, L, 3>(out, a, b, [k, cols], write),
            (2, _) => few_rows::<T, V, L, 2>(out, a, b, [k, cols], write),
            _ => few_rows::<T, V, L, 1>(out, a, b, [k, cols], write),
        }
    }
}

#[inline(always)]
unsafe fn few_rows<T: Real, V: Vector<T>, const L: usize, const R: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [k, cols]: [usize; 2],
    write: Write,
) {
    // SAFETY: the caller's block lies in its matrices.
    unsafe {
        if cols > 3 * L {
            block::<T, V, L, R, 4>(out, a, b, [k, cols], write);
        } else if cols > L {
            block::<T, V, L, R, 2>(out, a, b, [k, cols], write);
            if cols > 2 * L {
                block::<T, V, L, R, 1>(out.from(0, 2 * L), a, b.from(0, 2 * L), [k, cols - 2 * L], write);
            }
        } else {
            block::<T, V, L, R, 1>(out, a, b, [k, cols], write);
        }
    }
}

/// out: [R, min(cols, N L)], a: [R, k], b: [k, N L]
#[inline(always)]
unsafe fn block<T: Real, V: Vector<T>, const L: usize, const R: usize, const N: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [k, cols]: [usize; 2],
    write: Write,
) {
    // SAFETY: the caller's matrices have k columns and rows, vectors of `b` may be read in full, and the block lies in
    // `out`; the caller has chosen `V` by the processor.
    unsafe {
        let mut sums = [[V::zero(); N]; R];
        for step in 0..k {
            let first = b.at(step, 0);
            let vectors: [V; N] = std::array::from_fn(|index| V::load(first.add(index * L)));
            for (row, sums) in sums.iter_mut().enumerate() {
                let factor = V::splat(*a.at(row, step));
                for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                    *sum = factor.fused(vector, *sum);
                }
            }
        }
        let plain = out.col_stride == 1 && write == Write::Set;
        for (row, sums) in sums.into_iter().enumerate() {
            for (index, sum) in sums.into_iter().enumerate() {
                let (target, width) = (out.from(row, index * L), cols - index * L);
                if plain && width >= L {
                    sum.store(target.first);
                } else {
                    let mut numbers = [T::ZERO; L];
                    sum.store(numbers.as_mut_ptr());
                    put_vector(target, &numbers, width.min(L), write);
                }
            }
        }
    }
}

#[inline(always)]
pub(super) unsafe fn put<T: Real>(out: *mut T, value: T, write: Write) {
    // SAFETY: the caller's element lies in the arena.
    unsafe {
        *out = match write {
            Write::Set => value,
            Write::Add => *out + value,
        }
    }
}

/// Writes `width` numbers along a row of `out`.
#[inline(always)]
unsafe fn put_vector<T: Real, const L: usize>(out: Matrix<T>, numbers: &[T; L], width: usize, write: Write) {
    // SAFETY: the caller's numbers lie in the arena.
    unsafe {
        if width == L && out.col_stride == 1 {
            let target = out.first.cast::<[T; L]>();
            let mut result = *numbers;
            if write == Write::Add {
                let old = target.read_unaligned();
                for lane in 0..L {
                    result[lane] = old[lane] + numbers[lane];
                }
            }
            target.write_unaligned(result);
        } else if write == Write::Set && out.col_stride == 1 {
            copy_short(out.first, numbers.as_ptr(), width);
        } else {
            (0..width).for_each(|col| put(out.at(0, col), numbers[col], write));
        }
    }
}

/// Packed columns, and a spare vector behind them.
#[repr(C, align(64))]
pub(super) struct Panel([u64; PANEL_BYTES / 8 + 8]);

thread_local! {
    pub(super) static PANEL: UnsafeCell<Panel> = const { UnsafeCell::new(Panel([0; PANEL_BYTES / 8 + 8])) };
}
