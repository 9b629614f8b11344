//! Choice of the instruction set, once per process.

#[cfg(target_arch = "x86_64")]
use std::sync::atomic::{AtomicU8, Ordering};

/// Instruction sets with a compiled copy of every kernel, beside the one the crate is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg(target_arch = "x86_64")]
pub(crate) enum Level {
    /// What the compiler may assume; fused multiply-add may be a slow library call, the bits are the same.
    Portable = 1,
    /// 256 bits and fused multiply-add.
    Avx2 = 2,
    /// 512 bits.
    Avx512 = 3,
}

#[cfg(target_arch = "x86_64")]
static LEVEL: AtomicU8 = AtomicU8::new(0);

/// The best level of this processor.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn level() -> Level {
    match LEVEL.load(Ordering::Relaxed) {
        3 => Level::Avx512,
        2 => Level::Avx2,
        1 => Level::Portable,
        _ => choose(),
    }
}

#[cfg(target_arch = "x86_64")]
#[cold]
fn choose() -> Level {
    let level = best();
    LEVEL.store(level as u8, Ordering::Relaxed);
    level
}

#[cfg(target_arch = "x86_64")]
fn best() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Portable,
    }
}

/// Runs `check` once per level that this processor has. Other tests may run at the same time: they only see a slower
/// level, as the bits do not depend on it.
#[cfg(test)]
pub(crate) fn at_every_level(mut check: impl FnMut()) {
    #[cfg(target_arch = "x86_64")]
    {
        static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for level in [Level::Portable, Level::Avx2, Level::Avx512] {
            if level <= best() {
                LEVEL.store(level as u8, Ordering::Relaxed);
                check();
            }
        }
        LEVEL.store(best() as u8, Ordering::Relaxed);
        drop(guard);
    }
    #[cfg(not(target_arch = "x86_64"))]
    check();
}

/// Defines a function that runs an `#[inline(always)]` body compiled for the instruction set of this processor.
macro_rules! for_each_level {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<T: Real>($($arg:ident: $kind:ty),* $(,)?) = $body:path;) => {
        $(#[$meta])*
        #[inline]
        $vis fn $name<T: $crate::Real>($($arg: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512<T: $crate::Real>($($arg: $kind),*) {
                    $body($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2<T: $crate::Real>($($arg: $kind),*) {
                    $body($($arg),*);
                }
                match $crate::simd::level() {
                    // SAFETY: the level was chosen because the processor has these features.
                    $crate::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::simd::Level::Portable => {}
                }
            }
            $body($($arg),*);
        }
    };
}
pub(crate) use for_each_level;
