//! Matrices inside an arena; copying and filling them.

use crate::arena::Shared;
use crate::{Arena, Real};

/// A matrix in an arena: element (i, j) at `offset + i * row_stride + j * col_stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Where the first element stands.
    pub offset: usize,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Distance of neighbouring rows.
    pub row_stride: usize,
    /// Distance of neighbouring columns.
    pub col_stride: usize,
}

impl View {
    /// A matrix stored row by row.
    #[must_use]
    pub fn dense(offset: usize, rows: usize, cols: usize) -> View {
        View { offset, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The same numbers, rows and columns exchanged.
    #[must_use]
    pub fn transposed(self) -> View {
        View { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// One past the last element, or the offset if there is none.
    #[must_use]
    pub fn end(&self) -> usize {
        if self.rows == 0 || self.cols == 0 {
            return self.offset;
        }
        self.offset + (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride + 1
    }
}

/// Whether a result replaces or increases what stands in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Replace.
    Set,
    /// Add to it.
    Add,
}

/// Side of the square blocks of a transposing copy: two of them fit the first cache.
const BLOCK: usize = 16;

/// Copies `source` to `out`, of the same shape; they do not overlap.
pub fn copy<T: Real>(arena: &mut Arena<T>, out: View, source: View) {
    assert!((out.rows, out.cols) == (source.rows, source.cols), "copy between different shapes");
    debug_assert!(out.end() <= arena.len() && source.end() <= arena.len());
    // Rows are the direction in which the result is contiguous.
    let (out, source) = if out.col_stride <= out.row_stride || out.cols == 1 && out.rows > 1 && out.row_stride != 1 {
        (out, source)
    } else {
        (out.transposed(), source.transposed())
    };
    let base = arena.pointer();
    if out.col_stride == 1 && source.col_stride == 1 {
        for row in 0..out.rows {
            // SAFETY: both rows lie in the arena and do not overlap.
            unsafe { copy_short(at(base, &out, row, 0), at(base, &source, row, 0), out.cols) }
        }
        return;
    }
    let whole =
        if out.col_stride == 1 && source.row_stride == 1 { transpose_tiles(base, &out, &source) } else { (0, 0) };
    for first_row in (0..out.rows).step_by(BLOCK) {
        for first_col in (0..out.cols).step_by(BLOCK) {
            let rows = first_row..out.rows.min(first_row + BLOCK);
            for row in rows {
                let done = if row < whole.0 { whole.1 } else { 0 };
                for col in first_col.max(done)..out.cols.min(first_col + BLOCK) {
                    // SAFETY: both elements lie in the arena.
                    unsafe { *at(base, &out, row, col) = *at(base, &source, row, col) }
                }
            }
        }
    }
}

/// Side of the tiles that a transposition turns in registers.
const SIDE: usize = 8;

/// Transposes the whole tiles; returns the numbers of rows and columns that are done.
fn transpose_tiles<T: Real>(base: Shared<T>, out: &View, source: &View) -> (usize, usize) {
    let (rows, cols) = (out.rows / SIDE * SIDE, out.cols / SIDE * SIDE);
    for row in (0..rows).step_by(SIDE) {
        for col in (0..cols).step_by(SIDE) {
            let mut tile = [[T::ZERO; SIDE]; SIDE];
            for (c, line) in tile.iter_mut().enumerate() {
                // SAFETY: a column of the tile is contiguous in the source, inside the arena.
                unsafe { std::ptr::copy_nonoverlapping(at(base, source, row, col + c), line.as_mut_ptr(), SIDE) }
            }
            for r in 0..SIDE {
                let line = tile.map(|column| column[r]);
                // SAFETY: a row of the tile is contiguous in the result, inside the arena.
                unsafe { std::ptr::copy_nonoverlapping(line.as_ptr(), at(base, out, row + r, col), SIDE) }
            }
        }
    }
    (rows, cols)
}

/// Sets every element of `out` to `value`.
pub fn fill<T: Real>(arena: &mut Arena<T>, out: View, value: T) {
    debug_assert!(out.end() <= arena.len());
    let elements = arena.as_mut_slice();
    for row in 0..out.rows {
        let start = out.offset + row * out.row_stride;
        if out.col_stride == 1 {
            elements[start..start + out.cols].fill(value);
        } else {
            (0..out.cols).for_each(|col| elements[start + col * out.col_stride] = value);
        }
    }
}

/// Address of an element.
///
/// # Safety
///
/// The element lies in the arena.
#[inline(always)]
unsafe fn at<T>(base: Shared<T>, view: &View, row: usize, col: usize) -> *mut T {
    // SAFETY: the caller's promise.
    unsafe { base.at(view.offset + row * view.row_stride + col * view.col_stride) }
}

/// Copies `len` elements; a few of them without a library call. The ranges are the same or do not overlap.
///
/// # Safety
///
/// Both ranges are valid.
#[inline(always)]
pub(crate) unsafe fn copy_short<T: Copy>(out: *mut T, source: *const T, len: usize) {
    if len >= 32 {
        // SAFETY: the caller's promise.
        unsafe { std::ptr::copy(source, out, len) }
        return;
    }
    let mut done = 0;
    // SAFETY: the bits of `len` add up to `len`.
    unsafe {
        if len & 16 != 0 {
            copy_array::<T, 16>(out, source, &mut done);
        }
        if len & 8 != 0 {
            copy_array::<T, 8>(out, source, &mut done);
        }
        if len & 4 != 0 {
            copy_array::<T, 4>(out, source, &mut done);
        }
        if len & 2 != 0 {
            copy_array::<T, 2>(out, source, &mut done);
        }
        if len & 1 != 0 {
            copy_array::<T, 1>(out, source, &mut done);
        }
    }
}

#[inline(always)]
unsafe fn copy_array<T: Copy, const N: usize>(out: *mut T, source: *const T, done: &mut usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let array = source.add(*done).cast::<[T; N]>().read_unaligned();
        out.add(*done).cast::<[T; N]>().write_unaligned(array);
    }
    *done += N;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_equals_a_plain_loop_for_all_strides() {
        for (rows, cols) in [(0, 3), (1, 1), (1, 7), (7, 1), (16, 16), (17, 33), (100, 40)] {
            let n = rows * cols;
            let dense = View::dense(n + 5, rows, cols);
            let transposed = View { offset: n + 5, rows, cols, row_stride: 1, col_stride: rows };
            let out = View::dense(0, rows, cols);
            for (out, source) in [
                (out, dense),
                (out, transposed),
                (View { row_stride: 1, col_stride: rows, ..out }, dense),
                (View { row_stride: 1, col_stride: rows, ..out }, transposed),
            ] {
                let mut arena = Arena::<f32>::new(2 * n + 5).unwrap();
                arena.as_mut_slice().iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
                copy(&mut arena, out, source);
                for row in 0..rows {
                    for col in 0..cols {
                        let expected = source.offset + row * source.row_stride + col * source.col_stride;
                        assert_eq!(arena.as_slice()[row * out.row_stride + col * out.col_stride], expected as f32);
                    }
                }
            }
        }
    }

    #[test]
    fn a_diagonal_is_a_view() {
        let mut arena = Arena::<f64>::new(12).unwrap();
        fill(&mut arena, View { offset: 0, rows: 1, cols: 3, row_stride: 0, col_stride: 4 }, 2.0);
        fill(&mut arena, View::dense(9, 1, 3), 1.0);
        copy(&mut arena, View::dense(9, 1, 3), View { offset: 0, rows: 1, cols: 3, row_stride: 0, col_stride: 4 });
        assert_eq!(arena.as_slice(), [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 2.0]);
    }
}
