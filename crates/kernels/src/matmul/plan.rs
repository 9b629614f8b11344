//! Which kernel a product uses: decided by the whole shape and the strides.

use crate::Real;
use crate::view::View;

/// A side of `out` up to this leaves vectors of the library empty.
const SHORT: usize = 4;
/// Sums at least this long pay for our loops; shorter products are well served by the library.
const LONG: usize = 32;
/// Bytes of the long operand up to which strips of it are read from the second cache.
const STRIP_BYTES: usize = 256 * 1024;

/// A way to compute a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Vectors along the columns of `out`; `b` is packed where its rows are not contiguous.
    Columns,
    /// Vectors along `k`.
    Dots,
    /// faer.
    Library,
}

/// A kernel and the product as it wants to see it (both sides may have been transposed).
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) kernel: Kernel,
    pub(super) out: View,
    pub(super) a: View,
    pub(super) b: View,
}

impl Plan {
    /// The choice follows measurements (see the `throughput` example).
    #[inline(always)]
    pub(super) fn new<T: Real>(out: View, a: View, b: View) -> Plan {
        let (m, n, k) = (out.rows, out.cols, a.cols);
        if m.min(n) > SHORT || k < LONG {
            return Plan { kernel: Kernel::Library, out, a, b };
        }
        Plan::short::<T>(out, a, b)
    }

    fn short<T: Real>(out: View, a: View, b: View) -> Plan {
        let straight = |kernel| Plan { kernel, out, a, b };
        let turned = |kernel| Plan { kernel, out: out.transposed(), a: b.transposed(), b: a.transposed() };
        let (m, n, k) = (out.rows, out.cols, a.cols);
        let half = T::LANES / 2;
        let is_strip = |side: usize| side >= half && side * k * size_of::<T>() <= STRIP_BYTES;
        if m == 1 && b.col_stride == 1 && is_strip(n) {
            straight(Kernel::Columns)
        } else if n <= SHORT && a.row_stride == 1 && is_strip(m) {
            turned(Kernel::Columns)
        } else if k >= 2 * LONG && a.col_stride == 1 && (b.row_stride == 1 || n <= SHORT) {
            straight(Kernel::Dots)
        } else {
            straight(Kernel::Library)
        }
    }
}
