//! What stands around an update rule: clipping, accumulation, averages, bounds, and groups of parameters.

use chainrule::data::batch::{Batch, Sampling};
use chainrule::data::matrix::Matrix;
use chainrule::model::Program;
use chainrule::optim::{Rule, Solver};
use chainrule::train::fit::{Problem, fit};
use chainrule::train::{Data, Flow, Options, TrainError};
use kernels::random::{Purpose, Stream};

fn matrix(rows: usize, cols: usize, seed: u64) -> Matrix {
    let stream = Stream::new(seed, Purpose::Data, 0, 0);
    Matrix { rows, cols, values: (0..(rows * cols) as u32).map(|i| stream.normal(i)).collect() }
}

const NET: &str = "input X : [N, 3]\ntarget Y : [N, 2]\nP = dense(tanh(dense(X, 5)), 2)\npredict P\n\
                   loss mse(P, Y)\n";
/// Elements of the first matrix, the first row of biases, the second matrix, the second row.
const SIZES: [usize; 4] = [15, 5, 10, 2];

fn data() -> Data {
    Data { matrices: vec![("X".to_owned(), matrix(40, 3, 1)), ("Y".to_owned(), matrix(40, 2, 2))] }
}

fn start() -> Vec<f64> {
    matrix(1, SIZES.iter().sum(), 3).values.iter().map(|v| 0.5 * v).collect()
}

fn options(batch: Batch, epochs: u32) -> Options {
    Options { batch, epochs, sampling: Sampling::Cyclic, ..Options::DEFAULT }
}

fn try_run(lines: &str, options: &Options) -> Result<Vec<f64>, TrainError> {
    let program = Program::parse(&format!("{NET}{lines}\n")).unwrap_or_else(|error| panic!("{error:?}"));
    let rule = Rule::of_program(&program).unwrap_or_else(|error| panic!("{error:?}")).unwrap();
    let (data, start) = (data(), start());
    let problem =
        Problem { program: &program, data: &data, stream: None, validation: None, parameters: &start, states: &[] };
    fit(&problem, &Solver::from(rule), options, &mut |_| Flow::Continue).map(|report| report.parameters)
}

fn run(lines: &str, options: &Options) -> Vec<f64> {
    try_run(lines, options).unwrap()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The gradient at the start.
fn gradient() -> Vec<f64> {
    let after = run("train sgd(rate = 1)", &options(Batch::All, 1));
    start().iter().zip(after).map(|(before, after)| before - after).collect()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[test]
fn a_long_gradient_is_shortened_and_a_short_one_is_not() {
    let gradient = gradient();
    let one = options(Batch::All, 1);
    let limit = norm(&gradient) / 3.0;
    let clipped = run(&format!("train sgd(rate = 1), clip_norm = {limit}"), &one);
    let want: Vec<f64> = start().iter().zip(&gradient).map(|(w, g)| w - g / 3.0).collect();
    assert!(difference(&clipped, &want) < 1e-14);
    let free = run(&format!("train sgd(rate = 1), clip_norm = {}", 4.0 * limit), &one);
    assert!(free == run("train sgd(rate = 1)", &one));
}

#[test]
fn elements_of_the_gradient_are_cut() {
    let clipped = run("const most = 0.02\ntrain sgd(rate = 1), clip_value = most", &options(Batch::All, 1));
    let want: Vec<f64> = start().iter().zip(gradient()).map(|(w, g)| w - g.clamp(-0.02, 0.02)).collect();
    assert!(difference(&clipped, &want) < 1e-15);
}

#[test]
fn accumulated_batches_make_the_step_of_one_large_batch() {
    for rule in ["momentum(rate = 0.1)", "adam(rate = 0.01), clip_norm = 0.1"] {
        let parts = run(&format!("train {rule}, accumulate = 5"), &options(Batch::Size(8), 7));
        let whole = run(&format!("train {rule}"), &options(Batch::Size(40), 7));
        assert!(difference(&parts, &whole) < 1e-12, "{rule}");
    }
    let error = try_run("train sgd(rate = 0.1), accumulate = 6", &options(Batch::Size(8), 1)).unwrap_err();
    assert_eq!(error.to_string(), "`accumulate` asks for 6 batches, an epoch has 5");
    assert!(try_run("train sgd(rate = 0.1), accumulate = 2", &options(Batch::All, 1)).is_err());
}

#[test]
fn the_average_is_weighted_exponentially_and_corrected_for_its_start() {
    let beta: f64 = 0.7;
    let (mut sum, mut weight) = (vec![0.0; start().len()], 0.0);
    for steps in 1..=6 {
        let now = run("train sgd(rate = 0.3)", &options(Batch::All, steps));
        sum.iter_mut().zip(now).for_each(|(sum, w)| *sum = beta * *sum + (1.0 - beta) * w);
        weight = beta * weight + (1.0 - beta);
        let want: Vec<f64> = sum.iter().map(|sum| sum / weight).collect();
        let average = run("train sgd(rate = 0.3), average = 0.7", &options(Batch::All, steps));
        assert!(difference(&average, &want) < 1e-13, "after {steps}");
    }
}

#[test]
fn columns_of_weights_are_bounded_and_biases_are_not() {
    let bounded = run("train sgd(rate = 0.3), max_norm = 0.4", &options(Batch::All, 30));
    let (first, rest) = bounded.split_at(SIZES[0]);
    let mut largest = 0.0_f64;
    for col in 0..5 {
        let column: Vec<f64> = (0..3).map(|row| first[row * 5 + col]).collect();
        largest = largest.max(norm(&column));
    }
    assert!((largest - 0.4).abs() < 1e-12, "{largest}");
    assert!(norm(&rest[..SIZES[1]]) > 0.4);
}

#[test]
fn groups_of_parameters_have_rules_of_their_own() {
    let epochs = options(Batch::All, 20);
    let main = "train adamw(rate = 0.01, decay = 0.1)";
    let same = run(&format!("{main}\ngroup b = adamw(rate = 0.01, decay = 0.1)"), &epochs);
    assert!(same == run(main, &epochs), "the same rule in parts has the same bits");
    let frozen = run(&format!("{main}\ngroup dense1 = sgd(rate = 0)"), &epochs);
    let fixed = SIZES[0] + SIZES[1];
    assert_eq!(frozen[..fixed], start()[..fixed]);
    assert!(difference(&frozen[fixed..], &start()[fixed..]) > 0.01);
    // Biases without decay: the first step of adamw differs by the decay alone.
    let one = options(Batch::All, 1);
    let plain = run(main, &one);
    let grouped = run(&format!("{main}\ngroup b = adamw(rate = 0.01, decay = 0)"), &one);
    let mut at = 0;
    for (index, size) in SIZES.iter().enumerate() {
        for place in at..at + size {
            let change = if index % 2 == 1 { 0.01 * 0.1 * start()[place] } else { 0.0 };
            assert!((grouped[place] - plain[place] - change).abs() < 1e-15, "{index}");
        }
        at += size;
    }
    // The last line that names a parameter counts.
    let last = run(&format!("{main}\ngroup b = sgd(rate = 1)\ngroup dense2_b = sgd(rate = 0)"), &epochs);
    assert_eq!(last[30..], start()[30..]);
}

/// The singular values of a 2 x n matrix.
fn singular_values(rows: [&[f64]; 2]) -> [f64; 2] {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let (a, b, c) = (dot(rows[0], rows[0]), dot(rows[0], rows[1]), dot(rows[1], rows[1]));
    let root = ((a - c).powi(2) / 4.0 + b * b).sqrt();
    [((a + c) / 2.0 + root).sqrt(), ((a + c) / 2.0 - root).sqrt()]
}

#[test]
fn rules_that_are_not_of_elements_see_one_matrix_at_a_time() {
    // The step of muon has singular values near 1: looked at in the second matrix, 5 x 2, whose columns are two rows here.
    let after = run("train muon(rate = 1, beta = 0)", &options(Batch::All, 1));
    let step: Vec<f64> = start().iter().zip(&after).map(|(a, b)| a - b).collect();
    let second = &step[20..30];
    let column = |col: usize| second.iter().skip(col).step_by(2).copied().collect::<Vec<f64>>();
    for value in singular_values([&column(0), &column(1)]) {
        assert!((0.6..1.3).contains(&value), "{value}");
    }
    // The step of lamb is as long as the matrix, times the rate.
    let after = run("train lamb(rate = 0.01, decay = 0)", &options(Batch::All, 1));
    let mut at = 0;
    for size in SIZES {
        let before = &start()[at..at + size];
        let step: Vec<f64> = before.iter().zip(&after[at..at + size]).map(|(a, b)| a - b).collect();
        assert!((norm(&step) / norm(before) - 0.01).abs() < 1e-12, "{}", norm(&step) / norm(before));
        at += size;
    }
}

#[test]
fn wrong_options_and_groups_are_refused() {
    for (lines, code) in [
        ("train sgd, clip_norm = -1", "E215"),
        ("train sgd, clip_norm = loss", "E215"),
        ("train sgd, average = 1", "E215"),
        ("train sgd, accumulate = 2.5", "E215"),
        ("train sgd\ngroup dense3 = sgd", "E231"),
        ("train sgd\ngroup b = best(rate = 1)", "E218"),
    ] {
        let program = Program::parse(&format!("{NET}{lines}\n")).unwrap();
        let error = Rule::of_program(&program).map(|_| ()).expect_err(lines);
        assert!(error.code == code || lines.contains("loss"), "{lines}: {error:?}");
    }
    for (lines, code) in [("train lbfgs, clip_norm = 1", "E215"), ("train lbfgs\ngroup b = sgd", "E231")] {
        let program = Program::parse(&format!("{NET}{lines}\n")).unwrap();
        assert_eq!(Solver::of_program(&program).map(|_| ()).expect_err(lines).code, code);
    }
}
