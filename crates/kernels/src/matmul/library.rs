//! Products by faer, cut into tiles outside it.

use faer::linalg::matmul::matmul;
use faer::traits::ComplexField;
use faer::{Accum, MatMut, MatRef, Par};

use super::plan::Plan;
use crate::arena::Shared;
use crate::view::{View, Write};
use crate::{Pool, Real};

/// A tile has at least so many multiply-adds (about 10 microseconds).
const TILE_WORK: usize = 1 << 20;
/// Tiles at most: each packs the side it shares with the others anew.
const MAX_TILES: usize = 8;
/// A tile is about so long at least.
const SHORTEST_TILE: usize = 48;
/// The length of a tile is a multiple of this, so that the library's own blocks stay full.
const TILE_STEP: usize = 32;

/// Tiles along the longer side of `out`; the cutting depends on the shape alone.
#[inline]
pub(super) fn tiled<T: Real>(base: Shared<T>, pool: &Pool, plan: &Plan, write: Write) {
    let Plan { out, a, b, .. } = *plan;
    let (work, add) = (out.rows * out.cols * a.cols, write == Write::Add);
    if work < 2 * TILE_WORK {
        // SAFETY: the views lie in the arena and `out` overlaps neither `a` nor `b`.
        return unsafe { T::library_product(base.at(0), out, a, b, add) };
    }
    let by_rows = out.rows >= out.cols;
    let side = out.rows.max(out.cols);
    let wanted = (work / TILE_WORK).min(side / SHORTEST_TILE).clamp(1, MAX_TILES);
    let step = side.div_ceil(wanted).next_multiple_of(TILE_STEP);
    pool.run(side.div_ceil(step), &|tile| {
        let start = tile * step;
        let len = step.min(side - start);
        let (out, a, b) = if by_rows {
            (rows(out, start, len), rows(a, start, len), b)
        } else {
            (cols(out, start, len), a, cols(b, start, len))
        };
        // SAFETY: the views lie in the arena, tiles of `out` are disjoint, and `out` overlaps neither `a` nor `b`.
        unsafe { T::library_product(base.at(0), out, a, b, add) }
    });
}

fn rows(view: View, start: usize, len: usize) -> View {
    View { offset: view.offset + start * view.row_stride, rows: len, ..view }
}

fn cols(view: View, start: usize, len: usize) -> View {
    View { offset: view.offset + start * view.col_stride, cols: len, ..view }
}

/// The library call.
///
/// # Safety
///
/// The views lie inside the allocation of `base`; `out` overlaps neither `a` nor `b`; nobody else uses `out`.
pub(crate) unsafe fn product<T: ComplexField>(base: *mut T, out: View, a: View, b: View, add: bool, one: T) {
    let accumulate = if add { Accum::Add } else { Accum::Replace };
    // SAFETY: the caller's promise.
    unsafe { matmul(exclusive(base, out), accumulate, shared(base, a), shared(base, b), one, Par::Seq) }
}

unsafe fn shared<'a, T>(base: *const T, view: View) -> MatRef<'a, T> {
    let [row_stride, col_stride] = [view.row_stride as isize, view.col_stride as isize];
    // SAFETY: the caller of `product` promises that the view lies in the allocation.
    unsafe { MatRef::from_raw_parts(base.add(view.offset), view.rows, view.cols, row_stride, col_stride) }
}

unsafe fn exclusive<'a, T>(base: *mut T, view: View) -> MatMut<'a, T> {
    let [row_stride, col_stride] = [view.row_stride as isize, view.col_stride as isize];
    // SAFETY: as above; nobody else uses these elements.
    unsafe { MatMut::from_raw_parts_mut(base.add(view.offset), view.rows, view.cols, row_stride, col_stride) }
}
