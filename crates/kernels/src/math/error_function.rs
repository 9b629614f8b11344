//! The error function: odd polynomial near 0, `1 - exp(t P(t))` beyond.

#![expect(clippy::excessive_precision, reason = "the digits of the fits")]

use super::{exp, polynomial};

/// Polynomials after N. Juffa, "Fast accurate erff".
#[inline(always)]
pub(crate) fn single(x: f32) -> f32 {
    const NEAR: [f32; 6] =
        [1.283_791_7e-1, -3.761_253_4e-1, 1.128_199_25e-1, -2.676_813_5e-2, 4.991_194_2e-3, -5.967_617e-4];
    const FAR: [f32; 6] =
        [-1.287_175_1e-1, -6.348_466_9e-1, -1.067_778_8e-1, 2.425_462_2e-2, -3.883_964_4e-3, 3.831_971_3e-4];
    const FAR_LAST: f32 = -1.728_534_7e-5;
    let size = x.abs();
    let near = x.mul_add(polynomial(x * x, &NEAR), x);
    // erf(4) rounds to 1; the clamp keeps the polynomial where it was fitted.
    let t = if size > 4.0 { 4.0 } else { size };
    let series = FAR_LAST.mul_add(t, FAR[5]);
    let series = polynomial(t, &[FAR[0], FAR[1], FAR[2], FAR[3], FAR[4], series]);
    let far = (1.0 - exp(series.mul_add(t, -t))).copysign(x);
    if size > 0.927_734_4 { far } else { near }
}

/// Interpolation at Chebyshev nodes on [0, 1], weighted minimax fit of `log(erfc(t)) / t` on [1, 5.95], in 40 digits.
#[inline(always)]
pub(crate) fn double(x: f64) -> f64 {
    const NEAR: [f64; 12] = [
        0.128_379_167_095_512_56,
        -0.376_126_389_031_835_4,
        0.112_837_916_709_450_06,
        -0.026_866_170_643_237_77,
        0.005_223_977_607_116_423,
        -0.000_854_832_597_538_969_2,
        0.000_120_552_949_048_397_08,
        -0.000_014_924_736_907_419_66,
        1.644_742_470_331_736_3e-6,
        -1.620_848_380_187_170_6e-7,
        1.372_006_454_677_768_6e-8,
        -7.795_898_827_002_142e-10,
    ];
    const FAR: [f64; 17] = [
        -4.009_032_820_454_269,
        -2.285_360_847_647_3,
        -0.075_763_334_907_592_29,
        0.030_776_898_273_855_968,
        -0.012_284_989_792_308_165,
        0.004_713_445_482_553_303,
        -0.001_697_408_230_544_495_4,
        0.000_565_269_237_838_500_1,
        -0.000_117_145_207_969_404_63,
        0.000_052_742_667_030_713_896,
        -0.000_059_836_319_864_690_86,
        -0.000_283_933_254_588_061_77,
        -0.000_452_740_326_764_924_9,
        -0.000_463_871_498_417_480_6,
        -0.000_285_275_487_667_167_65,
        -0.000_104_552_274_944_036_95,
        -0.000_016_808_220_239_486_756,
    ];
    let size = x.abs();
    let near = x.mul_add(polynomial(x * x, &NEAR), x);
    // erf(5.95) rounds to 1.
    let t = if size > 5.95 { 5.95 } else { size };
    let centred = (t - 3.475) * (1.0 / 2.475);
    let far = (1.0 - exp(t * polynomial(centred, &FAR))).copysign(x);
    if size > 1.0 { far } else { near }
}
