//! sin and cos: reduction by pi/2 in three parts, then the polynomials of fdlibm's k_sin.c and k_cos.c.

/// Beyond this size the reduction would lose bits; the `libm` crate takes over, which reduces exactly.
pub(crate) const LIMIT: f64 = 1e5;

const PI_HALF: [f64; 3] = [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17, -1.497_384_904_859_183_3e-33];
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// `x` minus the nearest multiple of pi/2, and that multiple modulo 4 in the low bits.
#[inline(always)]
fn reduce(x: f64) -> (f64, u64) {
    let rounded = x.mul_add(std::f64::consts::FRAC_2_PI, ROUNDER);
    let n = -(rounded - ROUNDER);
    let r = n.mul_add(PI_HALF[2], n.mul_add(PI_HALF[1], n.mul_add(PI_HALF[0], x)));
    (r, rounded.to_bits())
}

#[inline(always)]
fn choose(sine: f64, cosine: f64, quadrant: u64) -> f64 {
    // All bits set where the cosine is wanted: a choice the compiler keeps in vectors.
    let mask = (quadrant & 1).wrapping_neg();
    let bits = (sine.to_bits() & !mask) | (cosine.to_bits() & mask);
    // The second bit of the quadrant is the sign.
    f64::from_bits(bits ^ ((quadrant & 2) << 62))
}

/// In `f64`, rounded at the end.
pub(crate) mod single {
    use super::{LIMIT, choose, reduce};
    use crate::math::polynomial;

    const SINE: [f64; 4] = [
        -0.166_666_666_416_265_24,
        0.008_333_329_385_889_463,
        -0.000_198_393_348_360_966_32,
        0.000_002_718_311_493_989_822,
    ];
    const COSINE: [f64; 4] =
        [-0.499_999_997_251_031, 0.041_666_623_323_739_06, -0.001_388_676_377_460_993, 0.000_024_390_448_796_277_41];

    #[inline(always)]
    pub(crate) fn sin(x: f32) -> f32 {
        if f64::from(x.abs()) > LIMIT { libm::sinf(x) } else { near(x, 0) }
    }

    #[inline(always)]
    pub(crate) fn cos(x: f32) -> f32 {
        if f64::from(x.abs()) > LIMIT { libm::cosf(x) } else { near(x, 1) }
    }

    /// Rare enough to leave it to the `libm` crate.
    #[inline(always)]
    pub(crate) fn atan(x: f32) -> f32 {
        libm::atanf(x)
    }

    /// sin(x + turns pi/2) below the limit.
    #[inline(always)]
    pub(crate) fn near(x: f32, turns: u64) -> f32 {
        let (r, quadrant) = reduce(x.into());
        let z = r * r;
        let sine = (z * r).mul_add(polynomial(z, &SINE), r);
        let cosine = z.mul_add(polynomial(z, &COSINE), 1.0);
        choose(sine, cosine, quadrant.wrapping_add(turns)) as f32
    }
}

/// In `f64`.
pub(crate) mod double {
    use super::{LIMIT, choose, reduce};
    use crate::math::polynomial;

    const SINE: [f64; 6] = [
        -0.166_666_666_666_666_32,
        0.008_333_333_333_322_49,
        -0.000_198_412_698_298_579_5,
        2.755_731_370_707_007e-6,
        -2.505_076_025_340_686_3e-8,
        1.589_690_995_211_55e-10,
    ];
    const COSINE: [f64; 6] = [
        0.041_666_666_666_666_6,
        -0.001_388_888_888_887_411,
        0.000_024_801_587_289_476_73,
        -2.755_731_435_139_066_3e-7,
        2.087_572_321_298_175e-9,
        -1.135_964_755_778_819_5e-11,
    ];

    #[inline(always)]
    pub(crate) fn sin(x: f64) -> f64 {
        if x.abs() > LIMIT { libm::sin(x) } else { near(x, 0) }
    }

    #[inline(always)]
    pub(crate) fn cos(x: f64) -> f64 {
        if x.abs() > LIMIT { libm::cos(x) } else { near(x, 1) }
    }

    /// As in single precision.
    #[inline(always)]
    pub(crate) fn atan(x: f64) -> f64 {
        libm::atan(x)
    }

    /// sin(x + turns pi/2) below the limit.
    #[inline(always)]
    pub(crate) fn near(x: f64, turns: u64) -> f64 {
        let (r, quadrant) = reduce(x);
        let z = r * r;
        let sine = (z * r).mul_add(polynomial(z, &SINE), r);
        let half = 0.5 * z;
        let head = 1.0 - half;
        let cosine = head + (z * z).mul_add(polynomial(z, &COSINE), (1.0 - head) - half);
        choose(sine, cosine, quadrant.wrapping_add(turns))
    }
}
