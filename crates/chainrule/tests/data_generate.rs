//! Generated data: shapes, ranges, formulas and arguments.

use chainrule::data::generate::{GENERATORS, generate};

#[test]
fn every_generator_makes_finite_data_that_follows_the_seed() {
    for generator in GENERATORS {
        let name = generator.name;
        let needed: Vec<(Option<&str>, f64)> =
            generator.parameters.iter().filter(|p| p.default.is_none()).map(|p| (Some(p.name), 6.0)).collect();
        let data = generate(name, &needed).unwrap();
        assert_eq!(data.x.values.len(), data.x.rows * data.x.cols, "{name}");
        assert!(data.x.values.iter().all(|value| value.is_finite()), "{name}");
        if let Some(y) = &data.y {
            assert_eq!(y.rows, data.x.rows, "{name}");
            assert!(y.cols == 1 || (0..y.rows).all(|row| y.row(row).iter().sum::<f64>() == 1.0), "{name}");
        }
        assert_eq!(generate(name, &needed).unwrap(), data, "{name}");
        let noisy = |seed: f64| {
            let mut arguments = needed.clone();
            arguments.push((Some("seed"), seed));
            if generator.parameters.iter().any(|p| p.name == "noise") {
                arguments.push((Some("noise"), 0.5));
            }
            generate(name, &arguments).unwrap()
        };
        assert_ne!(noisy(1.0), noisy(2.0), "{name}");
    }
}

#[test]
fn the_spiral_is_that_of_the_notes() {
    let data = generate("spiral", &[(None, 5.0), (None, 2.0), (Some("noise"), 0.0)]).unwrap();
    assert_eq!((data.x.rows, data.x.cols), (10, 2));
    for (row, radius, angle) in
        [(0, 0.0, 0.0), (2, 0.5, 2.0), (4, 1.0, 4.0), (5, 0.0, 4.0), (6, 0.25, 5.0), (9, 1.0, 8.0)]
    {
        let expected = [radius * f64::sin(angle), radius * f64::cos(angle)];
        for (value, expected) in data.x.row(row).iter().zip(expected) {
            assert!((value - expected).abs() < 1e-15, "row {row}");
        }
    }
    let y = data.y.unwrap();
    assert_eq!((y.row(4), y.row(5)), (&[1.0, 0.0][..], &[0.0, 1.0][..]));
}

#[test]
fn the_bits_of_the_spiral_do_not_change() {
    let data = generate("spiral", &[]).unwrap();
    let bits = data.x.values.iter().fold(0_u64, |hash, value| hash.rotate_left(5) ^ value.to_bits());
    assert_eq!(bits, SPIRAL_BITS, "{bits:#x}");
}

/// Rotated exclusive or of the default spiral's bits.
const SPIRAL_BITS: u64 = 0x3458_7254_9611_928c;

#[test]
fn xor_is_the_truth_table() {
    let data = generate("xor", &[]).unwrap();
    assert_eq!(data.x.values, [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(data.y.unwrap().values, [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn wrong_arguments_are_named() {
    type Arguments<'a> = &'a [(Option<&'a str>, f64)];
    let cases: &[(&str, Arguments<'_>, &str, &str)] = &[
        ("sprial", &[], "E321", "sprial"),
        ("spiral", &[(Some("point"), 3.0)], "E322", "points"),
        ("spiral", &[(Some("points"), 2.5)], "E322", "whole number"),
        ("spiral", &[(Some("points"), f64::NAN)], "E322", "whole number"),
        ("spiral", &[(Some("noise"), -1.0)], "E322", "negative"),
        ("spiral", &[(Some("seed"), 1e300)], "E322", "2^53"),
        ("spiral", &[(None, 5.0), (Some("points"), 5.0)], "E322", "twice"),
        ("sinc", &[(None, 5.0), (None, 5.0), (None, 5.0), (None, 5.0)], "E322", "one more"),
        ("normal", &[(Some("rows"), 5.0)], "E322", "missing"),
        ("normal", &[(None, 1e8), (None, 1e8)], "E303", "generated data"),
        ("spiral", &[(None, 1e8), (None, 1e8)], "E303", "generated data"),
    ];
    for (name, arguments, code, text) in cases {
        let error = generate(name, arguments).unwrap_err();
        assert_eq!(error.code(), *code, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(generate("sprial", &[]).unwrap_err().help().unwrap(), "did you mean `spiral`?");
}
