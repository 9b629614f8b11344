//! Products with a short side, by loops that keep a block of the result in registers.

use std::cell::UnsafeCell;

use super::plan::{Kernel, Plan};
use crate::Real;
use crate::arena::Shared;
use crate::view::{View, Write, copy_short};

/// Rows of a block of `out`.
const ROWS: usize = 4;
/// Up to so many steps of k, writing the result is what costs.
const FEW_STEPS: usize = 8;
/// Steps of k taken at once.
const DEPTH: usize = 512;
/// Bytes of packed columns: they stay in the second cache.
const PANEL_BYTES: usize = 64 * 1024;

/// Runs a product that is not for the library.
#[inline(always)]
pub(super) fn run<T: Real>(base: Shared<T>, plan: &Plan, write: Write) {
    if plan.kernel == Kernel::Tiny {
        // SAFETY: the views lie in the arena.
        unsafe { tiny(base, plan, write) }
    } else if T::LANES == 16 {
        run_lanes::<T, 16>(base, plan, write);
    } else {
        run_lanes::<T, 8>(base, plan, write);
    }
}

#[inline(always)]
fn run_lanes<T: Real, const L: usize>(base: Shared<T>, plan: &Plan, write: Write) {
    let depth = plan.a.cols;
    for start in (0..depth).step_by(DEPTH) {
        let k = DEPTH.min(depth - start);
        let a = View { offset: plan.a.offset + start * plan.a.col_stride, cols: k, ..plan.a };
        let b = View { offset: plan.b.offset + start * plan.b.row_stride, rows: k, ..plan.b };
        let write = if start == 0 { write } else { Write::Add };
        // SAFETY: the views lie in the arena and `out` overlaps neither of the others.
        unsafe {
            match plan.kernel {
                Kernel::Dots => dots::<T, L>(base, plan.out, a, b, write),
                _ => columns::<T, L>(base, plan.out, a, b, write),
            }
        }
    }
}

/// A matrix by its first element and strides.
#[derive(Clone, Copy)]
struct Matrix<T> {
    first: *mut T,
    row_stride: usize,
    col_stride: usize,
}

impl<T: Copy> Matrix<T> {
    #[inline(always)]
    unsafe fn new(base: Shared<T>, view: View) -> Self {
        // SAFETY: the caller's view lies in the arena.
        let first = unsafe { base.at(view.offset) };
        Matrix { first, row_stride: view.row_stride, col_stride: view.col_stride }
    }

    #[inline(always)]
    unsafe fn at(self, row: usize, col: usize) -> *mut T {
        // SAFETY: the caller's element lies in the matrix.
        unsafe { self.first.add(row * self.row_stride + col * self.col_stride) }
    }

    #[inline(always)]
    unsafe fn from(self, row: usize, col: usize) -> Self {
        // SAFETY: the caller's element lies in the matrix.
        Matrix { first: unsafe { self.at(row, col) }, ..self }
    }
}

#[inline(always)]
unsafe fn tiny<T: Real>(base: Shared<T>, plan: &Plan, write: Write) {
    // SAFETY: the caller's views lie in the arena.
    unsafe {
        let (a, b, out) = (Matrix::new(base, plan.a), Matrix::new(base, plan.b), Matrix::new(base, plan.out));
        for row in 0..plan.out.rows {
            for col in 0..plan.out.cols {
                let mut sum = T::ZERO;
                for step in 0..plan.a.cols {
                    sum = (*a.at(row, step)).fused(*b.at(step, col), sum);
                }
                put(out.at(row, col), sum, write);
            }
        }
    }
}

/// Vectors along the columns of `out`. A block of the result is `R` rows by `V` vectors, eight or so in all: as many as
/// the multipliers need to be busy.
#[inline(always)]
unsafe fn columns<T: Real, const L: usize>(base: Shared<T>, out: View, a: View, b: View, write: Write) {
    let (n, k) = (out.cols, a.cols);
    // SAFETY: the caller's views lie in the arena.
    unsafe {
        let shape = [out.rows, n, k];
        let (a, b, out) = (Matrix::new(base, a), Matrix::new(base, b), Matrix::new(base, out));
        if b.col_stride == 1 {
            strip::<T, L>(out, a, b, shape, write);
            return;
        }
        // As many columns as fit are packed at once, in whole vectors.
        let width = (PANEL_BYTES / size_of::<T>() / k) & !(L - 1);
        for col in (0..n).step_by(width) {
            let cols = width.min(n - col);
            let packed = pack::<T, L>(b.from(0, col), k, cols);
            strip::<T, L>(out.from(0, col), a, packed, [shape[0], cols, k], write);
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
unsafe fn strip<T: Real, const L: usize>(
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
                    rows_block::<T, L>(out.from(0, col), a, b.from(0, col), shape, write);
                }
            }
            return;
        }
        let vectors = if m <= 3 { 4 } else { 2 };
        for col in (0..n).step_by(vectors * L) {
            let (out, b) = (out.from(0, col), b.from(0, col));
            for row in (0..m).step_by(ROWS) {
                let shape = [ROWS.min(m - row), (n - col).min(vectors * L), k];
                rows_block::<T, L>(out.from(row, 0), a.from(row, 0), b, shape, write);
            }
        }
    }
}

/// Up to `ROWS` rows by up to two vectors; up to three rows by up to four.
#[inline(always)]
unsafe fn rows_block<T: Real, const L: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [rows, cols, k]: [usize; 3],
    write: Write,
) {
    // SAFETY: the caller's block lies in its matrices.
    unsafe {
        match (rows, cols > L) {
            (4, true) => block::<T, L, 4, 2>(out, a, b, [k, cols], write),
            (4, false) => block::<T, L, 4, 1>(out, a, b, [k, cols], write),
            (3, _) => few_rows::<T, L, 3>(out, a, b, [k, cols], write),
            (2, _) => few_rows::<T, L, 2>(out, a, b, [k, cols], write),
            _ => few_rows::<T, L, 1>(out, a, b, [k, cols], write),
        }
    }
}

#[inline(always)]
unsafe fn few_rows<T: Real, const L: usize, const R: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [k, cols]: [usize; 2],
    write: Write,
) {
    // SAFETY: the caller's block lies in its matrices.
    unsafe {
        if cols > 3 * L {
            block::<T, L, R, 4>(out, a, b, [k, cols], write);
        } else if cols > L {
            block::<T, L, R, 2>(out, a, b, [k, cols], write);
            if cols > 2 * L {
                block::<T, L, R, 1>(out.from(0, 2 * L), a, b.from(0, 2 * L), [k, cols - 2 * L], write);
            }
        } else {
            block::<T, L, R, 1>(out, a, b, [k, cols], write);
        }
    }
}

/// out: [R, min(cols, V L)], a: [R, k], b: [k, V L]
#[inline(always)]
unsafe fn block<T: Real, const L: usize, const R: usize, const V: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    [k, cols]: [usize; 2],
    write: Write,
) {
    let mut sums = [[[T::ZERO; L]; V]; R];
    for step in 0..k {
        // SAFETY: the caller's matrices have k columns and rows, and vectors of `b` may be read in full.
        unsafe {
            let first = b.at(step, 0).cast::<[T; L]>();
            let vectors: [[T; L]; V] = std::array::from_fn(|index| first.add(index).read_unaligned());
            for row in 0..R {
                let factor = *a.at(row, step);
                for index in 0..V {
                    for lane in 0..L {
                        sums[row][index][lane] = factor.fused(vectors[index][lane], sums[row][index][lane]);
                    }
                }
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (index, sums) in sums.iter().enumerate() {
            let width = L.min(cols - index * L);
            // SAFETY: the caller's block lies in `out`.
            unsafe { put_vector(out.from(row, index * L), sums, width, write) }
        }
    }
}

/// Vectors along k: four rows of `a` at a time against up to four columns of `b`.
#[inline(always)]
unsafe fn dots<T: Real, const L: usize>(base: Shared<T>, out: View, a: View, b: View, write: Write) {
    let (m, n, k) = (out.rows, out.cols, a.cols);
    // SAFETY: the caller's views lie in the arena.
    unsafe {
        let (a, b, out) = (Matrix::new(base, a), Matrix::new(base, b), Matrix::new(base, out));
        for col in (0..n).step_by(4) {
            let b = stand::<T>(b.from(0, col), k, 4.min(n - col));
            let (a, out) = (a.from(0, 0), out.from(0, col));
            match n - col {
                1 => dot_column::<T, L, 1>(out, a, b, [m, k], write),
                2 => dot_column::<T, L, 2>(out, a, b, [m, k], write),
                3 => dot_column::<T, L, 3>(out, a, b, [m, k], write),
                _ => dot_column::<T, L, 4>(out, a, b, [m, k], write),
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
unsafe fn dot_column<T: Real, const L: usize, const C: usize>(
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
            dot_block::<T, L, 4, C>(out.from(row, 0), a.from(row, 0), b, k, write);
            row += 4;
        }
        while row < m {
            dot_block::<T, L, 1, C>(out.from(row, 0), a.from(row, 0), b, k, write);
            row += 1;
        }
    }
}

/// out: [R, C], a: [R, k], b: [k, C] with contiguous columns
#[inline(always)]
unsafe fn dot_block<T: Real, const L: usize, const R: usize, const C: usize>(
    out: Matrix<T>,
    a: Matrix<T>,
    b: Matrix<T>,
    k: usize,
    write: Write,
) {
    let mut sums = [[[T::ZERO; L]; C]; R];
    for step in (0..k).step_by(L) {
        let len = L.min(k - step);
        // SAFETY: `len` numbers of every row and column lie in the caller's matrices.
        unsafe {
            let right: [[T; L]; C] = std::array::from_fn(|col| run_of(b.at(step, col), 1, len));
            for (row, sums) in sums.iter_mut().enumerate() {
                let left: [T; L] = run_of(a.at(row, step), a.col_stride, len);
                for col in 0..C {
                    for lane in 0..L {
                        sums[col][lane] = left[lane].fused(right[col][lane], sums[col][lane]);
                    }
                }
            }
        }
    }
    for (row, sums) in sums.into_iter().enumerate() {
        for (col, lanes) in sums.into_iter().enumerate() {
            // SAFETY: the caller's block lies in `out`.
            unsafe { put(out.at(row, col), sum_of(lanes), write) }
        }
    }
}

/// `len` numbers, filled up with zeros. A full vector is read: behind the last number lies the rest of the arena or its
/// spare room.
#[inline(always)]
unsafe fn run_of<T: Real, const L: usize>(first: *const T, stride: usize, len: usize) -> [T; L] {
    let mut run = [T::ZERO; L];
    // SAFETY: the caller's numbers lie in the arena or the panel.
    unsafe {
        if stride == 1 {
            run = first.cast::<[T; L]>().read_unaligned();
            if len < L {
                for (lane, number) in run.iter_mut().enumerate() {
                    *number = if lane < len { *number } else { T::ZERO };
                }
            }
        } else {
            (0..len).for_each(|index| run[index] = *first.add(index * stride));
        }
    }
    run
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

#[inline(always)]
unsafe fn put<T: Real>(out: *mut T, value: T, write: Write) {
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
struct Panel([u64; PANEL_BYTES / 8 + 8]);

thread_local! {
    static PANEL: UnsafeCell<Panel> = const { UnsafeCell::new(Panel([0; PANEL_BYTES / 8 + 8])) };
}
