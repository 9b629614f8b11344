//! Training and prediction differ exactly where they should: random numbers and batch statistics in the one, identity and
//! running statistics in the other.

use chainrule::data::batch::Batch;
use chainrule::data::matrix::Matrix;
use chainrule::lang::Role;
use chainrule::model::Program;
use chainrule::optim::{Rule, Solver};
use chainrule::train::compile::{extents, forward, training};
use chainrule::train::fit::{Problem, fit};
use chainrule::train::predict::predict_in;
use chainrule::train::progress::Values;
use chainrule::train::source::starting_values;
use chainrule::train::{Data, Flow, Options};
use kernels::Pool;
use kernels::random::{Purpose, Stream};

fn matrix(rows: usize, cols: usize, seed: u64) -> Matrix {
    let stream = Stream::new(seed, Purpose::Data, 0, 0);
    Matrix { rows, cols, values: (0..(rows * cols) as u32).map(|i| stream.normal(i)).collect() }
}

fn data(rows: usize) -> Data {
    Data { matrices: vec![("X".to_owned(), matrix(rows, 3, 1)), ("Y".to_owned(), matrix(rows, 2, 2))] }
}

fn program(hidden: &str) -> Program {
    let text = format!(
        "input X : [N, 3]\ntarget Y : [N, 2]\nH = {hidden}\nP = dense(H, 2)\npredict P\nloss mse(P, Y)\n\
         train sgd(rate = 0.05)\n"
    );
    Program::parse(&text).unwrap_or_else(|error| panic!("{error:?}"))
}

struct Run {
    parameters: Vec<f64>,
    states: Vec<f64>,
}

fn run(program: &Program, data: &Data, options: &Options) -> Run {
    let sizes = extents(program, data, None).unwrap();
    let folder = std::path::Path::new(".");
    let parameters = starting_values(program, &program.parameters, &sizes, options.seed, folder).unwrap();
    let states = starting_values(program, &program.states, &sizes, options.seed, folder).unwrap();
    let problem = Problem { program, data, stream: None, validation: None, parameters: &parameters, states: &states };
    let solver = Solver::from(Rule::of_program(program).unwrap().unwrap());
    let report = fit(&problem, &solver, options, &mut |_| Flow::Continue).unwrap();
    Run { parameters: report.parameters, states: report.states }
}

fn predicted(program: &Program, run: &Run, data: &Data) -> Matrix {
    let member = Values { parameters: run.parameters.clone(), states: run.states.clone() };
    predict_in::<f64>(program, &[member], data, &Pool::new(1)).unwrap()
}

const BATCHES: Options = Options { batch: Batch::Size(8), epochs: 20, ..Options { seed: 3, ..Options::DEFAULT } };

#[test]
fn a_prediction_has_no_random_numbers_and_no_work_for_them() {
    for hidden in ["dropout(tanh(dense(X, 16)), 0.4)", "noise(tanh(dense(X, 16)), 0.3)"] {
        let random = program(hidden);
        let plain = program("tanh(dense(X, 16))");
        assert!(random.differs_at_prediction() && !plain.differs_at_prediction());
        let sizes = extents(&random, &data(24), None).unwrap();
        let rule = Rule::of_program(&random).unwrap().unwrap();
        assert_eq!(training(&random, &rule, &sizes).unwrap().random.len(), 1);
        let [with, without] = [&random, &plain].map(|program| {
            let program = program.at_prediction();
            let graph = &program.graph;
            let is_random = |id| graph.as_variable(id).is_some_and(|v| matches!(v.role, Role::Random(_)));
            assert!(!graph.reachable(&[program.predict.unwrap()]).into_iter().any(is_random));
            forward(program, program.predict.unwrap(), None, &sizes).unwrap().plan
        });
        assert_eq!((with.steps, with.arena_len), (without.steps, without.arena_len));
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_for_every_number_of_threads() {
    let program = program("batch_norm(dropout(relu(dense(noise(X, 0.1), 16)), 0.4))");
    let data = data(50);
    let first = run(&program, &data, &BATCHES);
    let threads = run(&program, &data, &Options { threads: 3, ..BATCHES });
    assert!(first.parameters == threads.parameters && first.states == threads.states);
    let seed = run(&program, &data, &Options { seed: 4, ..BATCHES });
    assert_ne!(first.parameters, seed.parameters);
}

#[test]
fn two_calls_draw_different_masks() {
    let program =
        Program::parse("input X : [N, 3]\nA = dropout(X)\nB = dropout(X)\npredict A - B\nloss sum((A - B).^2)\n")
            .unwrap();
    let random = |program: &Program| {
        let roles = program.graph.variables.iter().filter(|v| matches!(v.role, Role::Random(_)));
        roles.count()
    };
    assert_eq!(random(&program), 2);
    // A trained model computes X - X: nothing is left of it.
    let graph = &program.at_prediction().graph;
    let left = graph.reachable(&[program.at_prediction().predict.unwrap()]);
    assert!(left.into_iter().all(|id| graph.as_variable(id).is_none()));
}

#[test]
fn masks_keep_the_mean_and_drop_their_share() {
    let text = "input X : [N, 100]\nparam w = 0\nstate kept = 0, total = 0\nD = dropout(X, 0.3)\n\
                kept := sum(step(D))/(rows(X)*cols(X))\ntotal := mean(D)\npredict X*w\nloss w^2 + 0*sum(D)\n\
                train sgd(rate = 0.1)\n";
    let program = Program::parse(text).unwrap();
    let ones = Data { matrices: vec![("X".to_owned(), Matrix { rows: 500, cols: 100, values: vec![1.0; 50_000] })] };
    let run = run(&program, &ones, &Options { epochs: 1, ..Options::DEFAULT });
    assert!((run.states[0] - 0.7).abs() < 0.01, "{:?}", run.states);
    assert!((run.states[1] - 1.0).abs() < 0.015, "{:?}", run.states);
}

#[test]
fn masks_do_not_depend_on_the_split_into_batches() {
    // The mask itself is learnt as a mean: one step of 40 rows and five of 8 see the same numbers in one epoch.
    let text = "input X : [N, 4]\nparam w : [1, 4] = 0\npredict X.*w\nloss sum(colsum(uniform_like(X)) .* w)\n\
                train sgd(rate = 1)\n";
    let text =
        text.replace("loss sum(colsum(uniform_like(X)) .* w)", "loss training(sum(colsum(uniform_like(X)) .* w), 0)");
    let program = Program::parse(&text).unwrap();
    let zeros = Data { matrices: vec![("X".to_owned(), Matrix::zeros(40, 4))] };
    let whole = run(&program, &zeros, &Options { epochs: 1, ..Options::DEFAULT });
    let parts = run(&program, &zeros, &Options { epochs: 1, batch: Batch::Size(8), ..Options::DEFAULT });
    for (a, b) in whole.parameters.iter().zip(&parts.parameters) {
        assert!((a - b).abs() < 1e-10 && *a < -10.0, "{a} {b}");
    }
}

#[test]
fn a_batch_normalised_prediction_depends_on_its_own_row_only() {
    let program = program("relu(batch_norm(dense(X, 8)))");
    let data = data(64);
    let run = run(&program, &data, &BATCHES);
    let all = predicted(&program, &run, &data);
    for row in [0, 7, 63] {
        let one = predicted(&program, &run, &data.select(&[row]));
        for (a, b) in one.values.iter().zip(all.row(row as usize)) {
            assert!((a - b).abs() < 1e-12, "row {row}: {a} {b}");
        }
    }
}

#[test]
fn running_statistics_are_the_exponentially_weighted_averages_of_the_batches() {
    let text = "input X : [N, 3]\nparam w = 1\npredict batch_norm(w*X, momentum = 0.8)\n\
                loss mse(batch_norm(w*X, momentum = 0.8), 0*X)\ntrain sgd(rate = 0)\n";
    let program = Program::parse(text).unwrap();
    let data = Data { matrices: vec![("X".to_owned(), matrix(30, 3, 1))] };
    let run = run(&program, &data, &Options { epochs: 4, ..Options::DEFAULT });
    let x = &data.matrices[0].1;
    // With the whole batch four epochs are five passes: the last gives the loss after the fourth update.
    let share = 1.0 - 0.8_f64.powi(5);
    for col in 0..3 {
        let column: Vec<f64> = (0..30).map(|row| x.row(row)[col]).collect();
        let mean = column.iter().sum::<f64>() / 30.0;
        let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 30.0;
        assert!((run.states[col] - share * mean).abs() < 1e-12);
        assert!((run.states[3 + col] - (1.0 - share + share * variance)).abs() < 1e-12);
    }
}

#[test]
fn randomness_in_a_prediction_is_refused() {
    for text in [
        "input X : [N, 3]\npredict X + normal_like(X)\n",
        "input X : [N, 3]\nparam w = 1\nloss sum((w*X + normal_like(X)).^2)\n",
    ] {
        let error = Program::parse(text).unwrap_err();
        assert_eq!(error.code, "E230");
        assert!(text[error.span.start as usize..].starts_with(if text.contains("loss") { "loss" } else { "predict" }));
    }
}
