//! Which kernel a product uses: decided by the whole shape and the strides.

use crate::Real;
use crate::view::View;

/// Below so many multiply-adds, calls and packing cost more than plain loops.
const TINY: usize = 48;
/// A side up to this makes a product short: the library then spends its time on packing.
const SHORT: usize = 16;
/// Products up to so many multiply-adds are ours whatever their sides.
const SMALL: usize = 1 << 14;

/// A way to compute a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Plain loops.
    Tiny,
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
    #[inline(always)]
    pub(super) fn new<T: Real>(out: View, a: View, b: View) -> Plan {
        let (m, n, k) = (out.rows, out.cols, a.cols);
        let work = m * n * k;
        if work <= TINY {
            return Plan { kernel: Kernel::Tiny, out, a, b };
        }
        if work > SMALL && m.min(n).min(k) > SHORT {
            return Plan { kernel: Kernel::Library, out, a, b };
        }
        Plan::short::<T>(out, a, b)
    }

    fn short<T: Real>(out: View, a: View, b: View) -> Plan {
        let straight = |kernel| Plan { kernel, out, a, b };
        let turned = |kernel| Plan { kernel, out: out.transposed(), a: b.transposed(), b: a.transposed() };
        let (m, n, k) = (out.rows, out.cols, a.cols);
        let half = T::LANES / 2;
        if m == 1 {
            let contiguous = b.col_stride == 1 || b.row_stride != 1 || k < half;
            return straight(if contiguous && n >= half { Kernel::Columns } else { Kernel::Dots });
        }
        if n == 1 {
            let contiguous = a.row_stride == 1 || a.col_stride != 1 || k < half;
            return if contiguous && m >= half { turned(Kernel::Columns) } else { straight(Kernel::Dots) };
        }
        if n >= half && (b.col_stride == 1 || m >= half) {
            straight(Kernel::Columns)
        } else if m >= half && (a.row_stride == 1 || k < T::LANES) {
            turned(Kernel::Columns)
        } else {
            straight(Kernel::Dots)
        }
    }
}
