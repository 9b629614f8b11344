//! The memory of one thread that holds a block's registers, copies of operands, and accumulators.

use std::cell::UnsafeCell;

use super::MapProgram;
use crate::Real;
use crate::arena::ALIGNMENT;

/// Bytes of all slots of a block.
pub(super) const SLOT_BYTES: usize = 64 * 1024;
/// Operands a program may have.
pub(super) const MAX_OPERANDS: usize = 256;

/// Slots a program needs: one for each register, operand and reduction.
pub(super) fn count<T: Real>(program: &MapProgram<T>) -> usize {
    program.registers as usize + program.operands.len() + program.reductions.len()
}

/// Numbers of a block: vectors of `LANES` at `pointer`, `pointer + step` and so on; the step is 0 for a single number,
/// which then stands there `LANES` times.
#[derive(Clone, Copy)]
pub(super) struct Argument<T> {
    pub(super) pointer: *const T,
    pub(super) step: usize,
}

/// Slots and operand table of the running thread.
#[derive(Clone, Copy)]
pub(super) struct Workspace<T> {
    slots: *mut T,
    arguments: *mut Argument<T>,
    /// Numbers in a slot.
    pub(super) block: usize,
}

impl<T: Real> Workspace<T> {
    /// The workspace of this thread. Only one may be in use: kernels never call each other.
    #[inline(always)]
    pub(super) fn new(block: usize) -> Self {
        MEMORY.with(|memory| {
            let memory = memory.get();
            // SAFETY: only addresses are taken.
            unsafe {
                Workspace {
                    slots: (&raw mut (*memory).slots).cast(),
                    arguments: (&raw mut (*memory).arguments).cast(),
                    block,
                }
            }
        })
    }

    /// The slot of a register.
    #[inline(always)]
    pub(super) fn slot(&self, index: usize) -> *mut T {
        debug_assert!((index + 1) * self.block * size_of::<T>() <= SLOT_BYTES);
        // SAFETY: the block length was chosen so that all slots fit.
        unsafe { self.slots.add(index * self.block) }
    }

    /// Where the numbers of an operand stand.
    #[inline(always)]
    pub(super) fn argument(&self, operand: usize) -> *mut Argument<T> {
        assert!(operand < MAX_OPERANDS, "a map program has at most {MAX_OPERANDS} operands");
        // SAFETY: below the length of the table.
        unsafe { self.arguments.add(operand) }
    }
}

#[repr(C, align(64))]
struct Memory {
    slots: [u64; SLOT_BYTES / 8],
    arguments: [[usize; 2]; MAX_OPERANDS],
}

const _: () = assert!(ALIGNMENT == 64 && size_of::<Argument<f32>>() == size_of::<[usize; 2]>());

thread_local! {
    static MEMORY: UnsafeCell<Memory> = const {
        UnsafeCell::new(Memory { slots: [0; SLOT_BYTES / 8], arguments: [[0; 2]; MAX_OPERANDS] })
    };
}
