//! Matrix products: our own loops where one side is short, the library otherwise, cut into tiles by the shape alone.

pub(crate) mod library;
mod plan;
mod short;

use crate::arena::Shared;
use crate::simd::for_each_level;
use crate::view::{View, Write, fill};
use crate::{Arena, Pool, Real};
use plan::{Kernel, Plan};

/// `out = a b`, or `out = out + a b`; of an empty sum the product is 0. `out` overlaps neither `a` nor `b`.
///
/// Every element is summed over `k` in an order that the shapes and strides fix.
pub fn matmul<T: Real>(arena: &mut Arena<T>, pool: &Pool, out: View, a: View, b: View, write: Write) {
    // a: [m, k], b: [k, n], out: [m, n]
    assert!(
        (out.rows, out.cols, a.cols) == (a.rows, b.cols, b.rows),
        "product of {}x{} and {}x{} into {}x{}",
        a.rows,
        a.cols,
        b.rows,
        b.cols,
        out.rows,
        out.cols
    );
    debug_assert!(out.end() <= arena.len() && a.end() <= arena.len() && b.end() <= arena.len());
    if a.cols == 0 && write == Write::Set {
        fill(arena, out, T::ZERO);
    }
    if out.rows * out.cols * a.cols == 0 {
        return;
    }
    let base = arena.pointer();
    let plan = Plan::new::<T>(out, a, b);
    if plan.kernel == Kernel::Library {
        return library::tiled(base, pool, &plan, write);
    }
    own(base, &plan, write);
}

for_each_level! {
    fn own<T: Real>(base: Shared<T>, plan: &Plan, write: Write) = short::run;
}

#[cfg(test)]
mod tests;
