#![allow(clippy::print_stdout, reason = "`--nocapture` shows the measured errors")]

use super::*;
use crate::random::{Purpose, Stream};

/// Distance in units of the last place of `expected`.
fn ulps_f32(got: f32, expected: f64) -> f64 {
    let rounded = expected as f32;
    if got == rounded || (got.is_nan() && expected.is_nan()) {
        return 0.0;
    }
    if !rounded.is_finite() {
        return f64::INFINITY;
    }
    let exponent = (rounded.abs().max(f32::MIN_POSITIVE).to_bits() >> 23) as i32 - 127 - 23;
    (f64::from(got) - expected).abs() / 2f64.powi(exponent)
}

fn ulps_f64(got: f64, expected: f64) -> f64 {
    if got == expected || (got.is_nan() && expected.is_nan()) {
        return 0.0;
    }
    if !expected.is_finite() {
        return f64::INFINITY;
    }
    let exponent = (expected.abs().max(f64::MIN_POSITIVE).to_bits() >> 52) as i32 - 1023 - 52;
    (got - expected).abs() / f64::from_bits(((exponent + 1023).max(1) as u64) << 52)
}

/// Dense samples of [low, high] and numbers of all magnitudes in it.
fn samples(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let stream = Stream::new(11, Purpose::Check, 0, 0);
    (0..400_000).map(move |index| {
        let even = low + (high - low) * stream.uniform(index);
        if index % 2 == 0 {
            return even;
        }
        let small = (stream.uniform(index + 1_000_000) * 80.0 - 78.0).exp2() * if index % 4 == 1 { 1.0 } else { -1.0 };
        if (low..=high).contains(&small) { small } else { even }
    })
}

struct Case {
    name: &'static str,
    single: fn(f32) -> f32,
    double: fn(f64) -> f64,
    /// In `f64`, one or less of its units off.
    reference: fn(f64) -> f64,
    range: [f64; 2],
    bounds: [f64; 2],
}

fn reference_sigmoid(x: f64) -> f64 {
    if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }
}

fn reference_softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

const CASES: [Case; 10] = [
    Case { name: "exp", single: exp, double: exp, reference: libm::exp, range: [-104.0, 89.0], bounds: [1.5, 2.0] },
    Case { name: "log", single: log, double: log, reference: libm::log, range: [0.0, 1e30], bounds: [1.5, 2.0] },
    Case {
        name: "log1p",
        single: log1p,
        double: log1p,
        reference: libm::log1p,
        range: [-1.0, 1e3],
        bounds: [1.5, 2.0],
    },
    Case { name: "tanh", single: tanh, double: tanh, reference: libm::tanh, range: [-12.0, 12.0], bounds: [3.0, 3.0] },
    Case {
        name: "sigmoid",
        single: sigmoid,
        double: sigmoid,
        reference: reference_sigmoid,
        range: [-100.0, 100.0],
        bounds: [3.0, 3.0],
    },
    Case {
        name: "softplus",
        single: softplus,
        double: softplus,
        reference: reference_softplus,
        range: [-100.0, 100.0],
        bounds: [3.0, 3.0],
    },
    Case { name: "sin", single: sin, double: sin, reference: libm::sin, range: [-2e5, 2e5], bounds: [1.0, 1.5] },
    Case { name: "cos", single: cos, double: cos, reference: libm::cos, range: [-2e5, 2e5], bounds: [1.0, 1.5] },
    Case { name: "atan", single: atan, double: atan, reference: libm::atan, range: [-1e3, 1e3], bounds: [1.0, 1.0] },
    Case { name: "erf", single: erf, double: erf, reference: libm::erf, range: [-7.0, 7.0], bounds: [1.5, 2.0] },
];

#[test]
fn functions_are_accurate_to_their_bounds() {
    for case in &CASES {
        let (mut single, mut double) = ((0.0, 0.0), (0.0, 0.0));
        for x in samples(case.range[0], case.range[1]) {
            let narrow = f64::from(x as f32);
            let error = ulps_f32((case.single)(x as f32), (case.reference)(narrow));
            if error > single.0 {
                single = (error, narrow);
            }
            let error = ulps_f64((case.double)(x), (case.reference)(x));
            if error > double.0 {
                double = (error, x);
            }
        }
        println!("{} {single:?} {double:?}", case.name);
        assert!(single.0 <= case.bounds[0], "{}: {} ulp in f32 at {}", case.name, single.0, single.1);
        assert!(double.0 <= case.bounds[1], "{}: {} ulp in f64 at {}", case.name, double.0, double.1);
    }
}

const SPECIAL: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.0,
    1e-310,
    -1e-310,
    1e-40,
    1e4,
    -1e4,
    f64::MAX,
    f64::MIN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

#[test]
fn special_numbers() {
    for case in &CASES {
        for x in SPECIAL {
            let (got, expected) = ((case.double)(x), (case.reference)(x));
            let exact = expected == 0.0 || !expected.is_finite();
            let error = if exact && !(got == expected || got.is_nan() && expected.is_nan()) {
                1e9
            } else {
                ulps_f64(got, expected)
            };
            assert!(error <= 3.0, "{}({x}): {got}, not {expected}", case.name);
            let (got, expected) = ((case.single)(x as f32), (case.reference)(f64::from(x as f32)));
            assert!(ulps_f32(got, expected) <= 3.0, "{}({x}f32): {got}, not {expected}", case.name);
        }
    }
    assert_eq!(log(0.0f32), f32::NEG_INFINITY);
    assert!(log(-1.0f64).is_nan());
    assert_eq!((exp(1000.0f32), exp(-1000.0f32)), (f32::INFINITY, 0.0));
    assert_eq!((softplus(1e4f32), softplus(-1e4f32), sigmoid(-1e4f64)), (1e4, 0.0, 0.0));
    assert!(tanh(-0.0f32).is_sign_negative());
}

#[test]
fn subnormal_results_and_arguments() {
    for index in 0..2000 {
        let x = -87.0 - 17.0 * f64::from(index) / 2000.0;
        assert!(ulps_f32(exp(x as f32), libm::exp(f64::from(x as f32))) <= 1.5);
        let tiny = f32::from_bits(1 + index * 4001);
        assert!(ulps_f32(log(tiny), libm::log(tiny.into())) <= 1.5);
        let x = -708.0 - 37.0 * f64::from(index) / 2000.0;
        assert!(ulps_f64(exp(x), libm::exp(x)) <= 1.5);
    }
}

#[test]
fn powers() {
    let stream = Stream::new(12, Purpose::Check, 0, 0);
    for index in 0..200_000 {
        let x = (stream.normal(index) * 3.0).exp2() as f32;
        let y = (10.0 * stream.normal(index + 500_000)) as f32;
        let error = ulps_f32(pow(x, y), libm::pow(x.into(), y.into()));
        assert!(error <= 1.0, "pow({x}, {y}): {error} ulp");
    }
    let exponents = SPECIAL.into_iter().chain([3.0, -3.0, 1e30, 0.3]);
    for y in exponents {
        for x in SPECIAL {
            let (x, y) = (x as f32, y as f32);
            let (got, expected) = (pow(x, y), libm::pow(x.into(), y.into()));
            assert!(
                ulps_f32(got, expected) <= 1.0 || got.is_nan() && expected.is_nan(),
                "pow({x}, {y}): {got}, not {expected}"
            );
        }
    }
    assert_eq!((pow(0.0f64, 0.0), pow(-2.0f64, 3.0)), (1.0, -8.0));
}

#[test]
fn extremes_and_steps() {
    let nan = f32::NAN;
    assert_eq!((max(1.0f32, 2.0), min(1.0f32, 2.0)), (2.0, 1.0));
    assert!(
        [max(nan, 1.0), max(1.0, nan), min(nan, 1.0), min(1.0, nan), relu(nan), sign(nan)].iter().all(|x| x.is_nan())
    );
    assert_eq!([relu(-1.0f64), relu(0.0), relu(2.0)], [0.0, 0.0, 2.0]);
    assert_eq!([step(-1.0f64), step(0.0), step(2.0)], [0.0, 0.0, 1.0]);
    assert_eq!([sign(-3.0f64), sign(0.0), sign(2.0)], [-1.0, 0.0, 1.0]);
}
