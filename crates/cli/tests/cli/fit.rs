//! `chainrule fit`: formulas and tables.

use std::path::{Path, PathBuf};

use crate::support::{assert_golden, run, run_with};

fn cooling() -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cooling.csv");
    path.to_str().expect("the path is text").to_owned()
}

const COOLING: &str = "temperature ~ room + gap*exp(-rate*minutes)";

#[test]
fn a_fit_reports_parameters_errors_and_residuals() {
    let answer = run(&["fit", COOLING, &cooling(), "--start", "room=20,gap=60,rate=0.1"]).ok();
    assert_golden("fit_cooling.txt", &answer);
}

#[test]
fn a_line_is_what_the_textbook_says() {
    // y = 1.2 + 0.6*x with residuals 0.2, -0.4, 0.2: variance 0.24 with 1 degree of freedom.
    let args = ["fit", "y ~ a + b*x", "-", "--json"];
    let json = run_with(&args, "x,y\n0,1.4\n1,1.4\n2,2.6\n").ok();
    let value: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let number = |index: usize, key: &str| value["parameters"][index][key].as_f64().expect("a number");
    assert!((number(0, "estimate") - 1.2).abs() < 1e-14 && (number(1, "estimate") - 0.6).abs() < 1e-14, "{json}");
    assert!((value["residual_sum_of_squares"].as_f64().unwrap() - 0.24).abs() < 1e-14);
    // Var(b) = 0.24/2; Var(a) = 0.24*(1/3 + 1/2).
    assert!((number(1, "std_error") - 0.12f64.sqrt()).abs() < 1e-13);
    assert!((number(0, "std_error") - 0.2f64.sqrt()).abs() < 1e-13);
    // Student's t for 95 % and one degree of freedom is 12.7062.
    assert!((number(1, "high") - 0.6 - 12.706_204_736_432_1 * 0.12f64.sqrt()).abs() < 1e-9);
    // A weight of 2 is the row twice, but for the degrees of freedom.
    let weighted = run_with(&["fit", "y ~ a", "-", "--weights", "w", "--json"], "y,w\n1,2\n4,1\n").ok();
    assert!(weighted.contains("\"estimate\": 2.0"), "{weighted}");
}

#[test]
fn parameters_that_cannot_be_told_apart_have_no_errors() {
    let answer = run_with(&["fit", "y ~ a*b*x", "-"], "x,y\n1,2\n2,4.1\n3,5.9\n").ok();
    assert!(answer.contains("cannot tell the parameters apart"), "{answer}");
}

#[test]
fn rows_with_empty_cells_are_left_out_aloud() {
    let fitted = run_with(&["fit", "y ~ a*x", "-", "-o", "-"], "x,y,z\n1,2,\n2,,1\n3,6,1\n");
    assert_eq!(fitted.code, 0, "{fitted:?}");
    assert!(fitted.stderr.contains("1 of 3 rows"), "{fitted:?}");
    assert!(
        fitted.stdout.starts_with("response,fitted,residual\n2,2,") && fitted.stdout.lines().count() == 3,
        "{fitted:?}"
    );
    run_with(&["fit", "y ~ a*x", "-"], "x,y\n1,\n").fails(4);
}

#[test]
fn faults_are_explained() {
    let table = cooling();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["temprature ~ a*minutes"], 3, "did you mean `temperature`?"),
        (&["temperature = a*minutes"], 3, "`~`"),
        (&["temperature ~ minutes"], 3, "no parameters"),
        (&["temperature ~ a*exq(minutes)"], 3, "exq"),
        (&[COOLING, "--start", "rat=1"], 2, "did you mean `rate`?"),
        (&[COOLING, "--start", "rate=x"], 2, "NAME=NUMBER"),
        (&[COOLING, "--weights", "w"], 4, "no column"),
        (&["temperature ~ log(a - 5)"], 7, "--start"),
    ];
    for (args, code, part) in cases {
        let message = run(&[&["fit", args[0], &table], &args[1..]].concat()).fails(code);
        assert!(message.contains(part), "{args:?}: {message}");
    }
    let message = run_with(&["fit", "y ~ a*x", "-"], "x,y\n1,2\nlots,3\n").fails(4);
    assert!(message.contains("lots"), "{message}");
}

#[test]
fn the_text_behind_a_formula_is_a_program() {
    let text = run(&["fit", COOLING, &cooling(), "--text"]).ok();
    assert!(text.contains("param  rate : [1, 1] = 1.0") && text.contains("loss"), "{text}");
    let derived = run_with(&["derive", "-", "--wrt", "rate"], &text);
    assert_eq!(derived.code, 0, "{derived:?}");
}
