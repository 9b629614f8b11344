//! Matrix products: our own loops where one side is short, the library otherwise, cut into tiles by the shape alone.

mod dots;
pub(crate) mod library;
mod plan;
mod short;
pub(crate) mod vector;

use crate::arena::Shared;
use crate::simd::for_each_level;
use crate::view::{View, Write, fill};
use crate::{Arena, Pool, Real};
use plan::{Kernel, Plan};

/// Up to so many multiply-adds a call of the library costs more than plain loops.
const TINY: usize = 32;

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
    let work = out.rows * out.cols * a.cols;
    let base = arena.pointer();
    if work == 0 {
        if write == Write::Set {
            fill(arena, out, T::ZERO);
        }
    } else if work <= TINY {
        tiny(base, &out, &a, &b, write);
    } else {
        let plan = Plan::new::<T>(out, a, b);
        match plan.kernel {
            Kernel::Library => library::tiled(base, pool, &plan, write),
            Kernel::Columns | Kernel::Dots => own(base, &plan, write),
        }
    }
}

for_each_level! {
    fn tiny<T: Real>(base: Shared<T>, out: &View, a: &View, b: &View, write: Write) = short::tiny;
}

fn own<T: Real>(base: Shared<T>, plan: &Plan, write: Write) {
    #[cfg(target_arch = "x86_64")]
    {
        use crate::simd::{Level, level};

        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
        fn avx512<T: Real>(base: Shared<T>, plan: &Plan, write: Write) {
            short::run::<T, T::Wide>(base, plan, write);
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2<T: Real>(base: Shared<T>, plan: &Plan, write: Write) {
            short::run::<T, T::Half>(base, plan, write);
        }
        match level() {
            // SAFETY: the level was chosen because the processor has these features.
            Level::Avx512 => return unsafe { avx512(base, plan, write) },
            // SAFETY: as above.
            Level::Avx2 => return unsafe { avx2(base, plan, write) },
            Level::Portable => {}
        }
    }
    short::run::<T, T::Plain>(base, plan, write);
}

#[cfg(test)]
mod tests;
