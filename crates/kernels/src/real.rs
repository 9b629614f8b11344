//! The two number types.

use std::fmt::{Debug, Display};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A floating-point type the kernels know: `f32` or `f64`.
pub trait Real:
    sealed::Details
    + Copy
    + Send
    + Sync
    + PartialOrd
    + Default
    + Debug
    + Display
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// Name of the type, as in model files and messages.
    const NAME: &'static str;

    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number, exactly.
    fn to_f64(self) -> f64;
    /// Neither infinite nor not-a-number.
    fn is_finite(self) -> bool;
    /// The bits of the number, those of an `f32` in the low half.
    fn bits(self) -> u64;
}

pub(crate) mod sealed {
    use crate::matmul::vector::Vector;
    use crate::view::View;

    /// What kernels and polynomials need of a type; private, so nobody adds a third one.
    pub trait Details: Sized + Copy + 'static {
        /// Numbers in 64 bytes: the unit of all vector loops.
        const LANES: usize;
        /// `LANES` numbers as the compiler likes, in two registers of AVX2, in one of AVX-512.
        type Plain: Vector<Self>;
        #[cfg(target_arch = "x86_64")]
        type Half: Vector<Self>;
        #[cfg(target_arch = "x86_64")]
        type Wide: Vector<Self>;
        /// 1.5 * 2^(mantissa bits): adding it rounds to an integer, which then stands in the low bits.
        const ROUNDER: Self;
        const LOG2_E: Self;
        /// ln 2 in two parts; multiples of the first up to the exponent range are exact.
        const LN_2: [Self; 2];
        /// exp is 0 below the first and infinite above the second.
        const EXP_RANGE: [Self; 2];
        /// (e^r - 1 - r) / r^2 on |r| <= ln(2)/2, lowest power first.
        const EXP: &'static [Self];
        /// R(z) / z of fdlibm's logarithm, lowest power first.
        const LOG: &'static [Self];
        const MIN_NORMAL: Self;
        /// Power of two that makes every subnormal number normal, and its exponent.
        const LIFT: [Self; 2];
        /// tanh(x) is 1 where 2x is above.
        const TANH_LIMIT: Self;

        /// self * factor + summand, rounded once.
        fn fused(self, factor: Self, summand: Self) -> Self;
        fn absolute(self) -> Self;
        fn with_sign(self, sign: Self) -> Self;
        fn root(self) -> Self;
        /// 2^n of the integer n that `ROUNDER` was added to, as two factors, each a normal number.
        fn power_of_two(rounded: Self) -> [Self; 2];
        /// Mantissa in [sqrt(1/2), sqrt(2)) and exponent of a positive normal number.
        fn split(self) -> [Self; 2];
        fn sine(self) -> Self;
        fn cosine(self) -> Self;
        /// Sine below the limit of the reduction, without a branch.
        fn sine_near(self) -> Self;
        /// As `sine_near`.
        fn cosine_near(self) -> Self;
        fn arc_tangent(self) -> Self;
        fn error_function(self) -> Self;
        fn power(self, exponent: Self) -> Self;

        /// Product by the library, sequential: `out = a * b`, or added to `out`.
        ///
        /// # Safety
        ///
        /// The views lie inside the allocation of `base`; `out` overlaps neither `a` nor `b`; nobody else uses `out`.
        unsafe fn library_product(base: *mut Self, out: View, a: View, b: View, add: bool);
        fn inverse(source: &[Self], n: usize) -> Vec<Self>;
        /// Diagonal of U and sign of the row permutation of an LU factorisation.
        fn pivots(source: &[Self], n: usize) -> (Vec<Self>, bool);
    }
}

macro_rules! real {
    ($type:ident, $bits:ident, mantissa: $mantissa:literal, bias: $bias:literal, root_half: $root_half:literal,
     library: $library:ident,
     half: $half:ident, wide: $wide:ident, $($constants:tt)*) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $type::INFINITY;
            const NAN: Self = $type::NAN;
            const NAME: &'static str = stringify!($type);

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }

            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }

            #[inline(always)]
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
        }

        impl sealed::Details for $type {
            const LANES: usize = 64 / size_of::<$type>();
            type Plain = [$type; 64 / size_of::<$type>()];
            #[cfg(target_arch = "x86_64")]
            type Half = [std::arch::x86_64::$half; 2];
            #[cfg(target_arch = "x86_64")]
            type Wide = std::arch::x86_64::$wide;
            const MIN_NORMAL: Self = $type::MIN_POSITIVE;
            const LOG2_E: Self = std::$type::consts::LOG2_E;
            $($constants)*

            #[inline(always)]
            fn fused(self, factor: Self, summand: Self) -> Self {
                self.mul_add(factor, summand)
            }

            #[inline(always)]
            fn absolute(self) -> Self {
                self.abs()
            }

            #[inline(always)]
            fn with_sign(self, sign: Self) -> Self {
                self.copysign(sign)
            }

            #[inline(always)]
            fn root(self) -> Self {
                self.sqrt()
            }

            #[inline(always)]
            fn power_of_two(rounded: Self) -> [Self; 2] {
                // Halves by a logical shift of a positive number: an arithmetic one of 64 bits needs AVX-512.
                const OFFSET: $bits = 2 << $bias;
                let n = rounded.to_bits().wrapping_sub(Self::ROUNDER.to_bits());
                let half = (n.wrapping_add(OFFSET) >> 1).wrapping_sub(OFFSET / 2);
                let rest = n.wrapping_sub(half);
                let bias = (1 << $bias) - 1;
                [half, rest].map(|n| $type::from_bits(n.wrapping_add(bias) << $mantissa))
            }

            #[inline(always)]
            fn split(self) -> [Self; 2] {
                let shift = (1.0 as $type).to_bits() - $root_half;
                let bits = self.to_bits().wrapping_add(shift);
                let bias: $bits = (1 << $bias) - 1;
                let exponent = (bits >> $mantissa).wrapping_sub(bias);
                let mantissa = (bits & ((1 << $mantissa) - 1)).wrapping_add($root_half);
                // A small integer becomes a number through the low bits of `ROUNDER`.
                let exponent = $type::from_bits(Self::ROUNDER.to_bits().wrapping_add(exponent)) - Self::ROUNDER;
                [$type::from_bits(mantissa), exponent]
            }

            #[inline(always)]
            fn sine(self) -> Self {
                crate::math::trigonometric::$library::sin(self)
            }

            #[inline(always)]
            fn cosine(self) -> Self {
                crate::math::trigonometric::$library::cos(self)
            }

            #[inline(always)]
            fn sine_near(self) -> Self {
                crate::math::trigonometric::$library::near(self, 0)
            }

            #[inline(always)]
            fn cosine_near(self) -> Self {
                crate::math::trigonometric::$library::near(self, 1)
            }

            #[inline(always)]
            fn arc_tangent(self) -> Self {
                crate::math::trigonometric::$library::atan(self)
            }

            #[inline(always)]
            fn error_function(self) -> Self {
                crate::math::error_function::$library(self)
            }

            #[inline(always)]
            fn power(self, exponent: Self) -> Self {
                crate::math::power::$library(self, exponent)
            }

            unsafe fn library_product(base: *mut Self, out: View, a: View, b: View, add: bool) {
                // SAFETY: the caller's promise.
                unsafe { crate::matmul::library::product(base, out, a, b, add, 1.0) }
            }

            fn inverse(source: &[Self], n: usize) -> Vec<Self> {
                crate::factor::library::inverse(source, n)
            }

            fn pivots(source: &[Self], n: usize) -> (Vec<Self>, bool) {
                crate::factor::library::pivots(source, n)
            }
        }
    };
}

use crate::view::View;

// Polynomials of exp: interpolation at Chebyshev nodes in 60 digits; relative error 1.0e-8 and 1.7e-17.
// Logarithms: the polynomials of fdlibm's e_log.c and e_logf.c.
real! {
    f32, u32, mantissa: 23, bias: 7, root_half: 0x3f35_04f3, library: single, half: __m256, wide: __m512,
    const ROUNDER: Self = 12_582_912.0;
    const LN_2: [Self; 2] = [0.693_138_1, 9.058_001e-6];
    const EXP_RANGE: [Self; 2] = [-104.0, 89.0];
    const EXP: &'static [Self] = &[0.5, 0.166_665_76, 0.041_666_554, 0.008_363_293, 0.001_392_632_6];
    const LOG: &'static [Self] = &[0.666_666_6, 0.400_009_72, 0.284_987_87, 0.242_790_79];
    const LIFT: [Self; 2] = [33_554_432.0, 25.0];
    const TANH_LIMIT: Self = 20.0;
}

real! {
    f64, u64, mantissa: 52, bias: 10, root_half: 0x3fe6_a09e_667f_3bcd, library: double, half: __m256d, wide: __m512d,
    const ROUNDER: Self = 6_755_399_441_055_744.0;
    const LN_2: [Self; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    const EXP_RANGE: [Self; 2] = [-746.0, 710.0];
    const EXP: &'static [Self] = &[
        0.500_000_000_000_000_1,
        0.166_666_666_666_666_67,
        0.041_666_666_666_623_48,
        0.008_333_333_333_330_012,
        0.001_388_888_891_753_829_6,
        0.000_198_412_698_598_633_03,
        0.000_024_801_520_792_572_693,
        2.755_726_807_289_01e-6,
        2.762_032_742_826_824e-7,
        2.510_056_927_581_368_3e-8,
    ];
    const LOG: &'static [Self] = &[
        0.666_666_666_666_673_5,
        0.399_999_999_994_094_2,
        0.285_714_287_436_623_9,
        0.222_221_984_321_497_84,
        0.181_835_721_616_180_5,
        0.153_138_376_992_093_73,
        0.147_981_986_051_165_86,
    ];
    const LIFT: [Self; 2] = [18_014_398_509_481_984.0, 54.0];
    const TANH_LIMIT: Self = 44.0;
}
