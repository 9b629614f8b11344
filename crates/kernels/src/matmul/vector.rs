//! Vectors of 64 bytes for the blocks of short products, where the compiler's own vectorisation is not to be trusted.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// 16 `f32` or 8 `f64`, whatever registers they take.
pub trait Vector<T>: Copy {
    /// All lanes 0.
    ///
    /// # Safety
    ///
    /// Here and below: the processor has the instructions of this vector.
    unsafe fn zero() -> Self;
    /// All lanes the same.
    unsafe fn splat(number: T) -> Self;
    /// The lanes from memory, which holds as many.
    unsafe fn load(source: *const T) -> Self;
    /// The lanes to memory, which has room for as many.
    unsafe fn store(self, target: *mut T);
    /// self * factor + summand, rounded once.
    unsafe fn fused(self, factor: Self, summand: Self) -> Self;
}

macro_rules! plain {
    ($type:ident, $lanes:literal) => {
        impl Vector<$type> for [$type; $lanes] {
            #[inline(always)]
            unsafe fn zero() -> Self {
                [0.0; $lanes]
            }

            #[inline(always)]
            unsafe fn splat(number: $type) -> Self {
                [number; $lanes]
            }

            #[inline(always)]
            unsafe fn load(source: *const $type) -> Self {
                // SAFETY: the caller's promise.
                unsafe { source.cast::<Self>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $type) {
                // SAFETY: the caller's promise.
                unsafe { target.cast::<Self>().write_unaligned(self) }
            }

            #[inline(always)]
            unsafe fn fused(self, factor: Self, summand: Self) -> Self {
                std::array::from_fn(|lane| self[lane].mul_add(factor[lane], summand[lane]))
            }
        }
    };
}

plain!(f32, 16);
plain!(f64, 8);

#[cfg(target_arch = "x86_64")]
macro_rules! register {
    ($type:ident, $wide:ident, $half:ident, $lanes:literal,
     $zero:ident $splat:ident $load:ident $store:ident $fused:ident,
     $half_zero:ident $half_splat:ident $half_load:ident $half_store:ident $half_fused:ident) => {
        impl Vector<$type> for $wide {
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: here and below, the caller's promise.
                unsafe { $zero() }
            }

            #[inline(always)]
            unsafe fn splat(number: $type) -> Self {
                // SAFETY: as above.
                unsafe { $splat(number) }
            }

            #[inline(always)]
            unsafe fn load(source: *const $type) -> Self {
                // SAFETY: as above.
                unsafe { $load(source) }
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $type) {
                // SAFETY: as above.
                unsafe { $store(target, self) }
            }

            #[inline(always)]
            unsafe fn fused(self, factor: Self, summand: Self) -> Self {
                // SAFETY: as above.
                unsafe { $fused(self, factor, summand) }
            }
        }

        impl Vector<$type> for [$half; 2] {
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: as above.
                unsafe { [$half_zero(); 2] }
            }

            #[inline(always)]
            unsafe fn splat(number: $type) -> Self {
                // SAFETY: as above.
                unsafe { [$half_splat(number); 2] }
            }

            #[inline(always)]
            unsafe fn load(source: *const $type) -> Self {
                // SAFETY: as above.
                unsafe { [$half_load(source), $half_load(source.add($lanes / 2))] }
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $type) {
                // SAFETY: as above.
                unsafe {
                    $half_store(target, self[0]);
                    $half_store(target.add($lanes / 2), self[1]);
                }
            }

            #[inline(always)]
            unsafe fn fused(self, factor: Self, summand: Self) -> Self {
                // SAFETY: as above.
                unsafe { [0, 1].map(|half| $half_fused(self[half], factor[half], summand[half])) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
register! {
    f32, __m512, __m256, 16,
    _mm512_setzero_ps _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps,
    _mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps
}
#[cfg(target_arch = "x86_64")]
register! {
    f64, __m512d, __m256d, 8,
    _mm512_setzero_pd _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_fmadd_pd,
    _mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_fmadd_pd
}
