//! The regression problems of NIST's Statistical Reference Datasets, from both starts, without a derivative by hand.
//! The files are not part of the project; without them the test says that it skipped.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it says what it skips, and how far each problem got")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use chainrule::data::matrix::Matrix;
use chainrule::model::Program;
use chainrule::model::formula::read;
use chainrule::optim::Method;
use chainrule::optim::levenberg::minimise;
use chainrule::train::Data;
use chainrule::train::regression::SETTINGS;
use chainrule::train::second::System;

/// Name and formula, from the problems' own pages.
const PROBLEMS: [(&str, &str); 27] = [
    ("Chwirut1", "y ~ exp(-b1*x)/(b2+b3*x)"),
    ("Chwirut2", "y ~ exp(-b1*x)/(b2+b3*x)"),
    ("DanWood", "y ~ b1*x**b2"),
    ("Gauss1", GAUSS),
    ("Gauss2", GAUSS),
    ("Lanczos3", LANCZOS),
    ("Misra1a", "y ~ b1*(1-exp(-b2*x))"),
    ("Misra1b", "y ~ b1*(1-(1+b2*x/2)**(-2))"),
    (
        "ENSO",
        "y ~ b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4) + b8*cos(2*pi*x/b7) \
         + b9*sin(2*pi*x/b7)",
    ),
    ("Gauss3", GAUSS),
    ("Hahn1", CUBIC),
    ("Kirby2", "y ~ (b1+b2*x+b3*x**2)/(1+b4*x+b5*x**2)"),
    ("Lanczos1", LANCZOS),
    ("Lanczos2", LANCZOS),
    ("MGH17", "y ~ b1 + b2*exp(-x*b4) + b3*exp(-x*b5)"),
    ("Misra1c", "y ~ b1*(1-(1+2*b2*x)**(-0.5))"),
    ("Misra1d", "y ~ b1*b2*x/(1+b2*x)"),
    ("Nelson", "log(y) ~ b1 - b2*x1*exp(-b3*x2)"),
    ("Roszman1", "y ~ b1 - b2*x - atan(b3/(x-b4))/pi"),
    ("Bennett5", "y ~ b1*(b2+x)**(-1/b3)"),
    ("BoxBOD", "y ~ b1*(1-exp(-b2*x))"),
    ("Eckerle4", "y ~ (b1/b2)*exp(-0.5*((x-b3)/b2)**2)"),
    ("MGH09", "y ~ b1*(x**2+x*b2)/(x**2+x*b3+b4)"),
    ("MGH10", "y ~ b1*exp(b2/(x+b3))"),
    ("Rat42", "y ~ b1/(1+exp(b2-b3*x))"),
    ("Rat43", "y ~ b1/(1+exp(b2-b3*x))**(1/b4)"),
    ("Thurber", CUBIC),
];
const GAUSS: &str = "y ~ b1*exp(-b2*x) + b3*exp(-(x-b4)**2/b5**2) + b6*exp(-(x-b7)**2/b8**2)";
const LANCZOS: &str = "y ~ b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)";
const CUBIC: &str = "y ~ (b1+b2*x+b3*x**2+b4*x**3)/(1+b5*x+b6*x**2+b7*x**3)";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/nist")
}

/// A problem's file.
struct Problem {
    starts: Vec<[f64; 2]>,
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

fn problem(name: &str) -> Problem {
    let text = std::fs::read_to_string(folder().join(format!("{name}.dat"))).expect("the file is there");
    let numbers = |line: &str| -> Vec<f64> { line.split_whitespace().filter_map(|w| w.parse().ok()).collect() };
    let mut starts = Vec::new();
    for line in text.lines().take(60) {
        if let Some((left, right)) = line.split_once('=')
            && left.trim().starts_with('b')
            && left.trim()[1..].parse::<u32>().is_ok()
        {
            let list = numbers(right);
            starts.push([list[0], list[1]]);
        }
    }
    let (head, data) = text.rsplit_once("Data:").expect("the data follows its names");
    assert!(head.contains("Certified"), "{name}");
    let (names, data) = data.split_once('\n').expect("there are rows");
    let columns = names.split_whitespace().map(str::to_owned).collect();
    let rows = data.lines().map(numbers).filter(|row| !row.is_empty()).collect();
    Problem { starts, columns, rows }
}

/// Parameters to 20 digits.
fn truth(name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(folder().join("nist_20digits.json")).expect("the file is there");
    let json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let list = json[name]["params"].as_array().expect("a list").iter();
    list.map(|v| v.as_str().expect("digits").parse().expect("a number")).collect()
}

/// Correct digits of the worst parameter.
fn digits(found: &[f64], truth: &[f64]) -> f64 {
    let error = found.iter().zip(truth).map(|(f, t)| ((f - t) / t).abs()).fold(0.0, f64::max);
    if error > 0.0 { -error.log10() } else { 17.0 }
}

#[test]
fn every_problem_from_both_starts_to_ten_digits() {
    if !folder().exists() {
        eprintln!("skipped: the files of NIST are not here");
        return;
    }
    let (mut seconds, mut failed) = (0.0, Vec::new());
    for (name, text) in PROBLEMS {
        let problem = problem(name);
        let formula = read(text, &problem.columns).expect("the formula is right");
        // Parameters of the file are b1, b2, ...; those of the formula are in order of appearance.
        let order: Vec<usize> = formula.parameters.iter().map(|p| p[1..].parse::<usize>().unwrap() - 1).collect();
        let truth: Vec<f64> = order.iter().map(|&i| truth(name)[i]).collect();
        for start in 0..2 {
            let starts: Vec<f64> = order.iter().map(|&i| problem.starts[i][start]).collect();
            let program = Program::parse(&formula.program(&starts, None)).expect("the program is right");
            let column = |name: &str| {
                let at = problem.columns.iter().position(|c| c == name).expect("the column is there");
                let values: Vec<f64> = problem.rows.iter().map(|row| row[at]).collect();
                Matrix { rows: values.len(), cols: 1, values }
            };
            let matrices = formula.columns.iter().map(|(name, word)| (word.clone(), column(name))).collect();
            let data = Data { matrices };
            let mut system = System::new(&program, &data, &[], (Method::Auto, 1)).expect("the problem compiles");
            let (mut values, mut iterations) = (starts.clone(), 0);
            let watch = Instant::now();
            let stopped = minimise(&mut system, &SETTINGS, &mut values, &mut |iteration, _, _| {
                iterations = iteration;
                true
            });
            let time = watch.elapsed().as_secs_f64();
            seconds += time;
            let correct = digits(&values, &truth);
            println!(
                "{name:9} start {} {correct:5.1} digits {:4} iterations {:7.3} ms {:?}",
                start + 1,
                iterations,
                1e3 * time,
                stopped
            );
            if correct < 10.0 {
                failed.push(format!("{name} start {}: {correct:.1} digits", start + 1));
            }
        }
    }
    println!("{:.1} ms of solver time in all", 1e3 * seconds);
    assert!(failed.is_empty(), "{failed:#?}");
}
