//! How a space is cut into units (what fits a block) and chunks (what a thread claims).

use super::slots::{self, SLOT_BYTES};
use super::{Access, Fold, MapProgram, Operand, Over, Reduction};
use crate::Real;

/// Bytes of a slot if a program has few; several fit the first cache.
const BLOCK_BYTES: usize = 2048;
/// A chunk has at least so many elements ...
const CHUNK_ELEMENTS: usize = 8192;
/// ... and there are about so many chunks at most.
const MAX_CHUNKS: usize = 64;

/// Elements of a block of a program with so many slots.
#[inline(always)]
pub(super) fn block_len<T: Real>(slots: usize) -> usize {
    let bytes = if slots <= SLOT_BYTES / BLOCK_BYTES { BLOCK_BYTES } else { (SLOT_BYTES / slots) & !63 };
    assert!(bytes >= 64, "a map program has at most {} registers, operands and reductions", SLOT_BYTES / 64);
    bytes / size_of::<T>()
}

/// A space and its cutting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) block: usize,
    /// Whole rows in a unit, or 0 if a unit is a piece of one row.
    pub(super) group: usize,
    /// Units in a row (1 if units are groups).
    pub(super) pieces: usize,
    pub(super) units: usize,
    pub(super) units_per_chunk: usize,
    pub(super) chunks: usize,
    /// Scratch elements of one chunk, a multiple of a cache line.
    pub(super) partials: usize,
}

impl Space {
    #[inline(always)]
    pub(super) fn new<T: Real>(program: &MapProgram<T>) -> Space {
        let block = block_len::<T>(slots::count(program));
        let total = program.rows * program.cols;
        let (rows, cols) = if is_linear(program) { (1, total) } else { (program.rows, program.cols) };
        let mut space =
            Space { rows, cols, block, group: 0, pieces: 1, units: 0, units_per_chunk: 1, chunks: 0, partials: 0 };
        if total <= block {
            return space;
        }
        if cols <= block && rows > 1 {
            space.group = whole_rows::<T>(block, cols);
            space.units = rows.div_ceil(space.group);
        } else {
            space.pieces = cols.div_ceil(block);
            space.units = rows * space.pieces;
        }
        let elements = CHUNK_ELEMENTS.max(total / MAX_CHUNKS);
        space.units_per_chunk = (elements * space.units).div_ceil(total);
        if program.reductions.iter().any(|reduction| space.over(reduction) != Over::All) {
            // A chunk ends with a row, so that the sum of a row belongs to one chunk.
            space.units_per_chunk = space.units_per_chunk.next_multiple_of(space.pieces);
        }
        space.chunks = space.units.div_ceil(space.units_per_chunk);
        space.partials = space.partials_of(program);
        space
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.chunks * self.partials
    }

    /// Scratch elements of a reduction in one chunk: a number is kept as a sum of two, for `f32` as good as `f64`.
    #[inline(always)]
    pub(super) fn partial_len<T: Real>(&self, reduction: &Reduction<T>) -> usize {
        match self.over(reduction) {
            Over::All => 2,
            Over::Rows => 0,
            Over::Columns => self.cols,
        }
    }

    /// The direction of a reduction; in a single row or column there is only `All`.
    #[inline(always)]
    pub(super) fn over<T: Real>(&self, reduction: &Reduction<T>) -> Over {
        match reduction.over {
            Over::Rows if self.rows == 1 => Over::All,
            Over::Columns if self.cols == 1 => Over::All,
            over => over,
        }
    }

    /// How an operand is read; in a single row or column broadcasts become plain.
    #[inline(always)]
    pub(super) fn access(&self, operand: &Operand) -> Access {
        match operand.access {
            Access::Row if self.rows == 1 => Access::Dense,
            Access::Row if self.cols == 1 => Access::Scalar,
            Access::Column if self.cols == 1 => Access::Dense,
            Access::Column if self.rows == 1 => Access::Scalar,
            access => access,
        }
    }

    #[inline(always)]
    pub(super) fn unit(&self, index: usize) -> Unit {
        if self.group > 0 {
            let row = index * self.group;
            let rows = self.group.min(self.rows - row);
            return Unit { row, col: 0, rows, len: rows * self.cols, start: row * self.cols };
        }
        let (row, piece) = (index / self.pieces, index % self.pieces);
        let col = piece * self.block;
        Unit { row, col, rows: 1, len: self.block.min(self.cols - col), start: row * self.cols + col }
    }

    fn partials_of<T: Real>(&self, program: &MapProgram<T>) -> usize {
        let len: usize = program.reductions.iter().map(|reduction| self.partial_len(reduction)).sum();
        len.next_multiple_of(T::LANES)
    }
}

/// Part of a space that fits a block: whole rows, or a piece of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub(super) row: usize,
    pub(super) col: usize,
    pub(super) rows: usize,
    pub(super) len: usize,
    /// Index of the first element in a dense operand.
    pub(super) start: usize,
}

/// The number the fold of nothing gives.
#[inline(always)]
pub(super) fn neutral<T: Real>(fold: Fold) -> T {
    match fold {
        Fold::Sum => T::ZERO,
        Fold::Max => -T::INFINITY,
    }
}

/// Whether rows and columns do not matter.
fn is_linear<T: Real>(program: &MapProgram<T>) -> bool {
    let plain = |access| matches!(access, Access::Dense | Access::Scalar);
    program.rows == 1
        || (program.operands.iter().all(|operand| plain(operand.access))
            && program.reductions.iter().all(|reduction| reduction.over == Over::All))
}

/// Rows that fit a block, in full vectors where possible.
fn whole_rows<T: Real>(block: usize, cols: usize) -> usize {
    let rows = block / cols;
    let full = T::LANES >> cols.trailing_zeros().min(T::LANES.trailing_zeros());
    if rows >= full { rows - rows % full } else { rows }
}
