//! Every definition of the prelude: its slope against differences at extreme points, finite values where they exist, and
//! that networks learn with it. Differentials at random points are checked when the manual is written.

use chainrule::data::batch::Batch;
use chainrule::data::matrix::Matrix;
use chainrule::model::Program;
use chainrule::model::prelude::{self, FILES};
use chainrule::optim::{Rule, Solver};
use chainrule::run::Machine;
use chainrule::text::ast::Definition;
use chainrule::train::compile::{extents, training};
use chainrule::train::fit::{Problem, fit};
use chainrule::train::source::starting_values;
use chainrule::train::{Data, Event, Flow, Options};
use kernels::Pool;
use kernels::random::{Purpose, Stream};

fn definitions(file: &str) -> Vec<&'static Definition> {
    let index = FILES.iter().position(|(name, _)| *name == file).unwrap();
    prelude::definitions(&prelude::trees()[index]).collect()
}

/// The functions of the activations' file, and the native ones.
fn activations() -> Vec<String> {
    let native = ["sigmoid", "tanh", "relu", "softplus", "softmax"];
    let defined = definitions("activations").into_iter().map(|d| d.name.name.clone());
    native.into_iter().map(str::to_owned).chain(defined).collect()
}

/// Value and gradient of `loss` by the parameter `Z`, in a compiled plan.
fn computed(loss: &str, z: &Matrix, y: &Matrix) -> (f64, Vec<f64>) {
    let text = format!(
        "target Y : [{}, {}]\nparam Z : [{}, {}]\nloss {loss}\ntrain sgd(rate = 1)\n",
        y.rows, y.cols, z.rows, z.cols
    );
    let program = Program::parse(&text).unwrap_or_else(|error| panic!("{text}{error:?}"));
    let data = Data { matrices: vec![("Y".to_owned(), y.clone())] };
    let rule = Rule::of_program(&program).unwrap().unwrap();
    let plan = training(&program, &rule, &extents(&program, &data, None).unwrap()).unwrap();
    let mut machine = Machine::<f64>::new(&plan.plan, &[plan.model_steps]).unwrap();
    machine.buffer_mut(plan.parameters).copy_from_slice(&z.values);
    if let Some(fed) = plan.fed.first() {
        machine.set(fed.at, &y.values);
    }
    machine.run_host(&[]);
    machine.run_part(&Pool::new(1), 0);
    (machine.scalar(plan.loss), machine.buffer(plan.gradients).to_vec())
}

/// Points near kinks, where functions saturate, and far beyond.
const EXTREMES: [f64; 18] = [
    -1e4,
    -745.0,
    -88.3,
    -37.0,
    -9.0,
    -3.0 + 1e-3,
    -1.001,
    -0.3,
    -1e-3,
    1e-3,
    0.3,
    1.001,
    3.0 - 1e-3,
    5.0,
    9.0,
    40.0,
    745.0,
    1e4,
];

#[test]
fn activations_are_finite_and_have_their_slope_at_extreme_points() {
    for name in activations() {
        for x in EXTREMES {
            // Beside two other scores, for those that take a row.
            let at = |x: f64| computed(&format!("sum({name}(Z) .* Y)"), &row(x), &weights());
            let (value, slope) = at(x);
            assert!(value.is_finite() && slope.iter().all(|v| v.is_finite()), "{name}({x}) = {value}, {slope:?}");
            let h = 1e-6 * x.abs().max(0.01);
            let difference = (at(x + h).0 - at(x - h).0) / (2.0 * h);
            let scale = slope[0].abs().max(value.abs() * 1e-16 / h * 1e5).max(1e-3);
            assert!((difference - slope[0]).abs() < 1e-4 * scale, "{name}'({x}) = {}, {difference}", slope[0]);
        }
    }
}

fn row(x: f64) -> Matrix {
    Matrix { rows: 1, cols: 3, values: vec![x, 0.2, -0.4] }
}

fn weights() -> Matrix {
    Matrix { rows: 1, cols: 3, values: vec![1.0, -0.5, 0.25] }
}

/// What a loss compares: how its first argument is made of the net's output, what the targets are, and whether its value
/// is finite however large that output is.
struct Case {
    name: &'static str,
    first: &'static str,
    targets: Targets,
    bounded: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Targets {
    Numbers,
    Positive,
    OneHot,
    Soft,
    YesNo,
    Signs,
}

const LOSSES: &[Case] = &[
    Case { name: "cross_entropy", first: "Z", targets: Targets::OneHot, bounded: true },
    Case { name: "cross_entropy_probs", first: "softmax(Z)", targets: Targets::OneHot, bounded: true },
    Case { name: "cross_entropy_smooth", first: "Z", targets: Targets::OneHot, bounded: true },
    Case { name: "focal", first: "Z", targets: Targets::OneHot, bounded: true },
    Case { name: "binary_cross_entropy", first: "Z", targets: Targets::YesNo, bounded: true },
    // log(1 - sigmoid(z)) is log(sigmoid(-z)) for the rules, so even this is finite.
    Case { name: "binary_cross_entropy_probs", first: "sigmoid(Z)", targets: Targets::YesNo, bounded: false },
    Case { name: "binary_focal", first: "Z", targets: Targets::YesNo, bounded: true },
    Case { name: "kl_divergence", first: "Z", targets: Targets::Soft, bounded: true },
    Case { name: "mse", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "sum_of_squares", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "half_sum_of_squares", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "quadratic_cost", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "mae", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "huber", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "smooth_l1", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "log_cosh", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "quantile", first: "Z", targets: Targets::Numbers, bounded: true },
    Case { name: "hinge", first: "Z", targets: Targets::Signs, bounded: true },
    Case { name: "squared_hinge", first: "Z", targets: Targets::Signs, bounded: true },
    Case { name: "multiclass_hinge", first: "Z", targets: Targets::OneHot, bounded: true },
    // exp(1e4) is no number.
    Case { name: "poisson", first: "Z", targets: Targets::Positive, bounded: false },
    Case { name: "gamma", first: "Z", targets: Targets::Positive, bounded: false },
];

/// Definitions of the losses' file that are no losses.
const HELPERS: [&str; 4] = ["class_weights", "l2", "l1", "elastic_net"];

fn targets(kind: Targets, rows: usize, cols: usize) -> Matrix {
    let stream = Stream::new(9, Purpose::Data, 1, 0);
    let mut y = Matrix::zeros(rows, cols);
    for row in 0..rows {
        for col in 0..cols {
            let at = (row * cols + col) as u32;
            y.values[row * cols + col] = match kind {
                Targets::Numbers => stream.normal(at),
                Targets::Positive => 0.1 + 3.0 * stream.uniform(at),
                Targets::OneHot => f64::from(u8::from(col == row % cols)),
                Targets::Soft => {
                    if row == 0 {
                        f64::from(u8::from(col == 1))
                    } else {
                        (col + 1) as f64 / 6.0
                    }
                }
                Targets::YesNo => f64::from(u8::from((row + col) % 2 == 0)),
                Targets::Signs => {
                    if (row + col) % 2 == 0 {
                        1.0
                    } else {
                        -1.0
                    }
                }
            };
        }
    }
    y
}

#[test]
fn every_loss_has_a_case() {
    let mut known: Vec<&str> = LOSSES.iter().map(|case| case.name).chain(HELPERS).collect();
    let mut defined: Vec<&str> = definitions("losses").into_iter().map(|d| d.name.name.as_str()).collect();
    known.sort_unstable();
    defined.sort_unstable();
    assert_eq!(known, defined);
}

#[test]
fn losses_are_finite_and_have_their_slope_at_extreme_points() {
    for case in LOSSES {
        let y = targets(case.targets, 2, 3);
        let loss = format!("{}({}, Y)", case.name, case.first);
        for x in EXTREMES.into_iter().filter(|x| case.bounded || x.abs() < 30.0) {
            let z = |x: f64| Matrix { rows: 2, cols: 3, values: vec![x, 0.3, -0.73, 0.1, 1.2, -x / 2.0] };
            let (value, slope) = computed(&loss, &z(x), &y);
            assert!(value.is_finite() && slope.iter().all(|v| v.is_finite()), "{loss} at {x}: {value}, {slope:?}");
            let h = 1e-6 * x.abs().max(0.01);
            let difference = (computed(&loss, &z(x + h), &y).0 - computed(&loss, &z(x - h), &y).0) / (2.0 * h);
            let along = slope[0] - slope[5] / 2.0;
            let scale = along.abs().max(value.abs() * 1e-16 / h * 1e5).max(1e-3);
            assert!((difference - along).abs() < 1e-4 * scale, "{loss} at {x}: {along}, {difference}");
        }
    }
}

#[test]
fn weights_are_those_of_repeated_examples() {
    for case in LOSSES.iter().filter(|case| !["sum_of_squares", "half_sum_of_squares"].contains(&case.name)) {
        let rows = 4;
        let (y, z) = (targets(case.targets, rows, 3), targets(Targets::Numbers, rows, 3));
        // The third row three times, the fourth never.
        let times = [1.0, 1.0, 3.0, 0.0];
        let repeat = |m: &Matrix| m.select_rows(&[0, 1, 2, 2, 2]);
        let plain = computed(&format!("{}({}, Y)", case.name, case.first), &repeat(&z), &repeat(&y)).0;
        let text = format!(
            "target Y : [4, 3]\ntarget w : [4, 1]\nparam Z : [4, 3]\nloss {}({}, Y, weights = w)\ntrain sgd(rate = 1)\n",
            case.name, case.first
        );
        let program = Program::parse(&text).unwrap_or_else(|error| panic!("{text}{error:?}"));
        let w = Matrix { rows, cols: 1, values: times.to_vec() };
        let data = Data { matrices: vec![("Y".to_owned(), y), ("w".to_owned(), w)] };
        let mut forward =
            chainrule::train::predict::Forward::<f64>::new(&program, program.loss.unwrap(), &data).unwrap();
        forward.set(&z.values, &[]);
        forward.run(&Pool::new(1));
        assert!((forward.scalar() - plain).abs() < 1e-12 * plain.abs().max(1.0), "{}: {plain}", case.name);
    }
}

/// The loss before and after training.
fn learn(model: &str, train: &str, y: &Matrix, epochs: u32, batch: Batch) -> (f64, f64) {
    let rows = y.rows;
    let stream = Stream::new(4, Purpose::Data, 0, 0);
    let x = Matrix { rows, cols: 3, values: (0..(rows * 3) as u32).map(|i| stream.normal(i)).collect() };
    let text = format!("input X : [N, 3]\ntarget Y : [N, {}]\n{model}train {train}\n", y.cols);
    let program = Program::parse(&text).unwrap_or_else(|error| panic!("{text}{error:?}"));
    let data = Data { matrices: vec![("X".to_owned(), x), ("Y".to_owned(), y.clone())] };
    let sizes = extents(&program, &data, None).unwrap();
    let folder = std::path::Path::new(".");
    let parameters = starting_values(&program, &program.parameters, &sizes, 1, folder).unwrap();
    let states = starting_values(&program, &program.states, &sizes, 1, folder).unwrap();
    let solver = Solver::from(Rule::of_program(&program).unwrap_or_else(|e| panic!("{text}{e:?}")).unwrap());
    let problem = Problem {
        program: &program,
        data: &data,
        stream: None,
        validation: Some(&data),
        parameters: &parameters,
        states: &states,
    };
    let mut losses = Vec::new();
    let mut listen = |event: &Event| {
        if let Event::Epoch { validation, .. } = event {
            losses.push(validation.unwrap());
        }
        Flow::Continue
    };
    let options = Options { epochs, batch, ..Options::DEFAULT };
    fit(&problem, &solver, &options, &mut listen).unwrap_or_else(|error| panic!("{text}{error}"));
    (losses[0], losses[losses.len() - 1])
}

#[test]
fn every_activation_learns() {
    let y = targets(Targets::Numbers, 12, 2);
    for name in activations() {
        let model = format!("H = {name}(3*dense(X, 12))\nP = dense(H, 2)\nloss mse(P, Y)\n");
        let (first, last) = learn(&model, "adam(rate = 0.02)", &y, 500, Batch::All);
        assert!(last < 0.6 * first, "{name}: {first} to {last}");
    }
}

#[test]
fn every_layer_learns() {
    let y = targets(Targets::Numbers, 24, 2);
    for part in [
        "tanh(dense(X, 12))",
        "relu(dense_he(X, 12))",
        "tanh(dense_nw(X, 12))",
        "prelu(dense(X, 12))",
        "tanh(layer_norm(dense(X, 12)))",
        "relu(batch_norm(dense(X, 12)))",
        "dropout(tanh(dense(X, 24)), 0.1)",
        "tanh(dense(noise(X, 0.05), 12))",
    ] {
        let model = format!("H = {part}\nP = dense(H, 2)\nloss mse(P, Y)\n");
        let (first, last) = learn(&model, "adam(rate = 0.02)", &y, 300, Batch::Size(12));
        assert!(last < 0.7 * first, "{part}: {first} to {last}");
    }
}

#[test]
fn every_loss_is_lowered_by_training() {
    for case in LOSSES {
        let y = targets(case.targets, 12, 3);
        let model = format!("Z = dense(tanh(dense(X, 16)), 3)\nloss {}({}, Y)\n", case.name, case.first);
        let (first, last) = learn(&model, "adam(rate = 0.02)", &y, 200, Batch::All);
        assert!(last < first - 0.1 * first.abs(), "{}: {first} to {last}", case.name);
    }
}

#[test]
fn every_optimizer_and_every_schedule_lowers_the_loss() {
    let y = targets(Targets::Numbers, 12, 2);
    let model = "P = dense(tanh(dense(X, 12)), 2)\nloss mse(P, Y)\n";
    let optimizers = definitions("optimizers").into_iter().map(|d| match d.name.name.as_str() {
        "sgd" | "momentum" | "heavy_ball" | "nesterov" | "adagrad" => format!("{}(rate = 0.05)", d.name.name),
        "lion" => "lion(rate = 0.003)".to_owned(),
        "adadelta" | "rprop" => d.name.name.clone(),
        _ => format!("{}(rate = 0.01)", d.name.name),
    });
    let schedules = definitions("schedules").into_iter().map(|d| {
        let args: Vec<String> = d
            .formals
            .iter()
            .filter(|f| f.default.is_none())
            .map(|formal| {
                let value = match formal.name.name.as_str() {
                    "decay" if d.name.name == "exponential" => 0.99,
                    "decay" => 0.01,
                    "factor" => 0.5,
                    "every" => 100.0,
                    "low" => 0.02,
                    _ => 0.1,
                };
                format!("{} = {value}", formal.name.name)
            })
            .collect();
        if d.name.name == "range_test" {
            return "sgd(rate = range_test(high = 0.3, steps = 300))".to_owned();
        }
        format!("sgd(rate = {}({}))", d.name.name, args.join(", "))
    });
    for train in optimizers.chain(schedules) {
        let (first, last) = learn(model, &train, &y, 300, Batch::All);
        assert!(last < 0.75 * first, "{train}: {first} to {last}");
    }
}
