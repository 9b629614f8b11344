//! Aligned storage of fixed length that all kernels of a plan share.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::fmt;
use std::ptr::NonNull;
use std::slice;

use crate::Real;

/// Alignment of an arena in bytes: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;

/// Storage of fixed length, aligned to 64 bytes and zeroed.
///
/// Behind the last element lie 64 more bytes, so that a kernel that holds the whole arena may read full vectors there.
pub struct Arena<T: Real> {
    pointer: NonNull<T>,
    len: usize,
}

impl<T: Real> Arena<T> {
    /// Storage of `len` zeros.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if the system refuses or the size overflows.
    pub fn new(len: usize) -> Result<Self, OutOfMemory> {
        let layout = layout::<T>(len).ok_or(OutOfMemory { len })?;
        // SAFETY: the layout has at least `ALIGNMENT` bytes.
        let pointer = unsafe { alloc_zeroed(layout) };
        // Zero bits are the number zero in both types, so the whole block is initialised.
        NonNull::new(pointer.cast::<T>()).map(|pointer| Arena { pointer, len }).ok_or(OutOfMemory { len })
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All elements.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: `len` initialised elements belong to this arena.
        unsafe { slice::from_raw_parts(self.pointer.as_ptr(), self.len) }
    }

    /// All elements, mutable.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: `len` initialised elements belong to this arena, borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.pointer.as_ptr(), self.len) }
    }

    /// Address of the first element, for kernels that read and write at once.
    pub(crate) fn pointer(&mut self) -> Shared<T> {
        Shared(self.pointer.as_ptr())
    }
}

impl<T: Real> Drop for Arena<T> {
    fn drop(&mut self) {
        if let Some(layout) = layout::<T>(self.len) {
            // SAFETY: allocated in `new` with the same layout.
            unsafe { dealloc(self.pointer.as_ptr().cast(), layout) }
        }
    }
}

impl<T: Real> fmt::Debug for Arena<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Arena").field("len", &self.len).finish()
    }
}

// SAFETY: an arena owns its elements, like a vector.
unsafe impl<T: Real> Send for Arena<T> {}
// SAFETY: a shared arena only hands out shared slices.
unsafe impl<T: Real> Sync for Arena<T> {}

/// The system has no memory for an arena of `len` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// Elements asked for.
    pub len: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no memory for {} numbers", self.len)
    }
}

impl std::error::Error for OutOfMemory {}

/// A pointer into an arena that tasks of one kernel call share; each task writes only its own elements.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(pub(crate) *mut T);

impl<T> Shared<T> {
    /// The address `offset` elements on. A method, so that closures capture the whole value and not the bare pointer.
    ///
    /// # Safety
    ///
    /// `offset` must lie inside the arena or at its end.
    #[inline(always)]
    pub(crate) unsafe fn at(self, offset: usize) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(offset) }
    }
}

// SAFETY: the users of `Shared` give every task its own elements to write.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

fn layout<T>(len: usize) -> Option<Layout> {
    let bytes = len.checked_mul(size_of::<T>())?.checked_add(ALIGNMENT)?;
    Layout::from_size_align(bytes, ALIGNMENT).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_aligned_zeroed_and_refuses_the_impossible() {
        for len in [0, 1, 15, 1000] {
            let mut arena = Arena::<f32>::new(len).unwrap();
            assert_eq!(arena.as_slice().as_ptr() as usize % ALIGNMENT, 0);
            assert!(arena.as_mut_slice().iter().all(|&x| x == 0.0));
            assert_eq!((arena.len(), arena.is_empty()), (len, len == 0));
        }
        assert_eq!(Arena::<f64>::new(usize::MAX / 4).unwrap_err(), OutOfMemory { len: usize::MAX / 4 });
        assert!(Arena::<f64>::new(1 << 58).is_err());
    }
}
