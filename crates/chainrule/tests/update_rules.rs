//! Losses and gradients of every update rule against figures that PyTorch, JAX and NumPy agree on. The figures lie
//! outside the project; a few of them are repeated in `training.rs`.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::fmt::Write as _;
use std::path::PathBuf;

use chainrule::data::matrix::Matrix;
use chainrule::data::npy::read_npz;
use chainrule::model::Program;
use chainrule::optim::{Rule, Solver};
use chainrule::run::Machine;
use chainrule::train::compile::{extents, training};
use chainrule::train::fit::{Problem, fit};
use chainrule::train::{Data, Event, Flow, Options};
use serde_json::Value;

fn folder() -> Option<PathBuf> {
    let mut at = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    while at.pop() {
        let candidate = at.join("shared/reference");
        if candidate.is_dir() {
            return Some(candidate);
        }
    }
    eprintln!("skipped: the reference figures are not here");
    None
}

fn matrix(value: &Value) -> Matrix {
    let rows = value.as_array().expect("an array");
    match rows[0].as_array() {
        Some(first) => Matrix { rows: rows.len(), cols: first.len(), values: rows.iter().flat_map(numbers).collect() },
        None => Matrix { rows: 1, cols: rows.len(), values: numbers(value) },
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// The program of a reference file: its sizes, activations and loss.
fn program_text(reference: &Value) -> String {
    let sizes: Vec<u64> = reference["sizes"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    let outputs = sizes[sizes.len() - 1];
    let mut text = format!("input X : [N, {}]\ntarget Y : [N, {outputs}]\n", sizes[0]);
    let mut previous = "X".to_owned();
    for (layer, pair) in sizes.windows(2).enumerate() {
        let k = layer + 1;
        let _ = writeln!(text, "param W{k} : [{}, {}]\nparam b{k} : [1, {}]", pair[0], pair[1], pair[1]);
        let z = format!("{previous}*W{k} + b{k}");
        let a = match reference["activations"][layer].as_str() {
            Some(name) => format!("{name}({z})"),
            None => z,
        };
        let _ = writeln!(text, "A{k} = {a}");
        previous = format!("A{k}");
    }
    let loss = match reference["loss"].as_str().unwrap() {
        "half_mean" => format!("sum(({previous} - Y).^2)/(2*rows(Y))"),
        "sumsq" => format!("sum(({previous} - Y).^2)"),
        "ce" => format!("cross_entropy({previous}, Y)"),
        other => panic!("unknown loss {other}"),
    };
    let _ = writeln!(text, "predict {previous}\nloss {loss}");
    text
}

/// The rules of the files in the language: those of the prelude by name, the others written out.
fn optimizer(name: &str, rate: f64) -> Option<(String, String)> {
    let own = |body: &str| Some((format!("optimizer own(rate = 0.1):\n{body}\n"), format!("own(rate = {rate})")));
    let prelude = |call: String| Some((String::new(), call));
    let decay = "    H = G + 0.01*W\n";
    let adam = |g: &str, v: &str| {
        format!("    state V = 0\n    state S = 0\n    V := 0.9*V + 0.1*{g}\n    S := 0.999*S + 0.001*{g}.^2\n{v}")
    };
    match name {
        "sgd" => prelude(format!("sgd(rate = {rate})")),
        "sgd_l2" => own(&format!("{decay}    W := W - rate*H")),
        "sgd_l2_weights_only" => Some(("#weights".to_owned(), format!("sgd(rate = {rate})"))),
        "momentum_ng" => prelude(format!("momentum(rate = {rate}, beta = 0.9)")),
        "momentum_ng_bc" => prelude(format!("momentum(rate = {rate}, beta = 0.9, bias_correction = 1)")),
        "momentum_torch" => prelude(format!("heavy_ball(rate = {rate}, beta = 0.9)")),
        "momentum_torch_dampening" => {
            own("    state V = 0\n    V := 0.9*V + (1 - 0.1*step(t - 1.5))*G\n    W := W - rate*V")
        }
        "momentum_torch_l2" => own(&format!("    state V = 0\n{decay}    V := 0.9*V + H\n    W := W - rate*V")),
        "nesterov_torch" => prelude(format!("nesterov(rate = {rate}, beta = 0.9)")),
        "rmsprop_torch" => prelude(format!("rmsprop(rate = {rate}, beta = 0.99, epsilon = 1e-8)")),
        "rmsprop_torch_centered" => own(
            "    state S = 0\n    state M = 0\n    S := 0.99*S + 0.01*G.^2\n    M := 0.99*M + 0.01*G\n    W := W - rate*G./(sqrt(S - M.^2) + 1e-8)",
        ),
        "rmsprop_torch_momentum" => own(
            "    state S = 0\n    state B = 0\n    S := 0.99*S + 0.01*G.^2\n    B := 0.9*B + G./(sqrt(S) + 1e-8)\n    W := W - rate*B",
        ),
        "rmsprop_ng" => prelude(format!("rmsprop(rate = {rate}, beta = 0.9, epsilon = 1e-8)")),
        "rmsprop_ng_bc" => {
            own("    state S = 0\n    S := 0.9*S + 0.1*G.^2\n    W := W - rate*G./(sqrt(S/(1 - 0.9^t)) + 1e-8)")
        }
        "rmsprop_eps_inside" => own("    state S = 0\n    S := 0.9*S + 0.1*G.^2\n    W := W - rate*G./sqrt(S + 1e-7)"),
        "adagrad_torch" => prelude(format!("adagrad(rate = {rate}, epsilon = 1e-10)")),
        "adam" => prelude(format!("adam(rate = {rate})")),
        "adam_l2" => {
            own(&format!("{decay}{}", adam("H", "    W := W - rate*(V/(1 - 0.9^t))./(sqrt(S/(1 - 0.999^t)) + 1e-8)")))
        }
        "amsgrad" => own(&adam(
            "G",
            "    state M = 0\n    M := max(M, S)\n    W := W - rate*(V/(1 - 0.9^t))./(sqrt(M/(1 - 0.999^t)) + 1e-8)",
        )),
        "adamw" => prelude(format!("adamw(rate = {rate}, decay = 0.01)")),
        "adamw_wd0.1" => prelude(format!("adamw(rate = {rate}, decay = 0.1)")),
        "nadam_torch" => prelude(format!("nadam(rate = {rate})")),
        // The gradient is taken elsewhere than at the parameters: see `check_lookahead`.
        "nesterov_lookahead" => None,
        other => panic!("unknown rule {other}"),
    }
}

fn rate_of(rule: &str) -> f64 {
    rule.rsplit("lr=").next().unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

fn check_file(name: &str) {
    let Some(folder) = folder() else { return };
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap();
    let x = matrix(&reference["X"]);
    let y = match reference["loss"].as_str() {
        Some("ce") => {
            let labels = numbers(&reference["Y"]);
            let classes = reference["sizes"].as_array().unwrap().last().unwrap().as_u64().unwrap() as usize;
            let mut y = Matrix::zeros(labels.len(), classes);
            for (row, label) in labels.iter().enumerate() {
                y.values[row * classes + *label as usize] = 1.0;
            }
            y
        }
        _ => matrix(&reference["Y"]),
    };
    let data = Data { matrices: vec![("X".into(), x), ("Y".into(), y)] };
    let names: Vec<&str> = reference["param_names"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    let start: Vec<f64> = names.iter().flat_map(|n| matrix(&reference["init"][n]).values).collect();
    let base = program_text(&reference);
    for (rule_name, entry) in reference["optimizers"].as_object().unwrap() {
        let rate = rate_of(entry["rule"].as_str().unwrap());
        let Some((definition, call)) = optimizer(rule_name, rate) else {
            check_lookahead(name, entry, &base, &data, &start, rate);
            continue;
        };
        let mut text = base.clone();
        if definition.starts_with("#weights") {
            let penalty: Vec<String> =
                names.iter().filter(|n| n.starts_with('W')).map(|n| format!("sum({n}.^2)")).collect();
            text = text.replace("\nloss ", &format!("\nloss 0.01/2*({}) + ", penalty.join(" + ")));
        } else {
            text = format!("{definition}{text}");
        }
        text.push_str(&format!("train {call}, batch = all, epochs = 100\n"));
        let penalised = definition.starts_with("#weights");
        check_rule(name, rule_name, entry, &text, &base, &data, &start, penalised);
        check_parameters(name, rule_name, entry, &text, &data, (&start, &names));
    }
    check_gradient(name, &base, &data, (&start, &names));
}

/// The arrays `first_P_last` of every parameter P, one after the other.
fn arrays(file: &str, first: &str, names: &[&str], last: &str) -> Vec<f64> {
    let path = folder().unwrap().join(file.replace(".json", ".npz"));
    let arrays = read_npz(&path).unwrap_or_else(|error| panic!("{error}"));
    names.iter().flat_map(|name| arrays[&format!("{first}{name}_{last}")].clone().into_matrix().values).collect()
}

/// The length of the difference as a share of that of what is wanted.
fn distance(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    length(&mut got.iter().zip(want).map(|(a, b)| a - b)) / length(&mut want.iter().copied())
}

/// The gradient at the start, in the plan of a training step.
fn check_gradient(file: &str, base: &str, data: &Data, (start, names): (&[f64], &[&str])) {
    let program = Program::parse(&format!("{base}train sgd(rate = 1)\n")).unwrap();
    let rule = Rule::of_program(&program).unwrap().unwrap();
    let plan = training(&program, &rule, &extents(&program, data, None).unwrap()).unwrap();
    let mut machine = Machine::<f64>::new(&plan.plan, &[plan.model_steps]).unwrap();
    machine.buffer_mut(plan.parameters).copy_from_slice(start);
    for fed in &plan.fed {
        machine.set(fed.at, &data.get(&fed.name).unwrap().values);
    }
    machine.run_host(&[]);
    machine.run_part(&kernels::Pool::new(1), 0);
    let found = distance(machine.buffer(plan.gradients), &arrays(file, "", names, "grad0"));
    assert!(found < 1e-13, "{file}: the gradient at the start differs by {found:.1e}");
}

/// All parameters after 1 step and after 100.
fn check_parameters(
    file: &str,
    rule_name: &str,
    entry: &Value,
    text: &str,
    data: &Data,
    (start, names): (&[f64], &[&str]),
) {
    let program = Program::parse(text).unwrap();
    let solver = Solver::from(Rule::of_program(&program).unwrap().unwrap());
    let problem = Problem { program: &program, data, stream: None, validation: None, parameters: start, states: &[] };
    for steps in [1, 100] {
        let options = Options { epochs: steps, ..Options::default() };
        let report = fit(&problem, &solver, &options, &mut |_| Flow::Continue).unwrap();
        let want = arrays(file, &format!("{rule_name}_"), names, &format!("step{steps}"));
        let found = distance(&report.parameters, &want);
        // Near a stationary point implementations differ less in the loss than in the parameters.
        let cross = entry["xcheck_loss100_rel"].as_f64().unwrap_or(0.0);
        let tolerance = if steps == 1 { 1e-10 } else { (1000.0 * cross).max(1e-10) };
        assert!(found <= tolerance, "{file} {rule_name} after {steps}: parameters differ by {found:.1e}");
    }
}

#[expect(clippy::too_many_arguments, reason = "one call in one test")]
fn check_rule(
    file: &str,
    rule_name: &str,
    entry: &Value,
    text: &str,
    base: &str,
    data: &Data,
    start: &[f64],
    penalised: bool,
) {
    let program = Program::parse(text).unwrap_or_else(|e| panic!("{rule_name}: {e:?}\n{text}"));
    let rule = Rule::of_program(&program).unwrap_or_else(|e| panic!("{rule_name}: {e:?}")).unwrap();
    let solver = Solver::from(rule);
    let mut losses = Vec::new();
    let problem = Problem { program: &program, data, stream: None, validation: None, parameters: start, states: &[] };
    let mut listen = |event: &Event| {
        if let Event::Epoch { loss, .. } = event {
            losses.push(*loss);
        }
        Flow::Continue
    };
    let options = Options { epochs: 100, ..Options::default() };
    fit(&problem, &solver, &options, &mut listen).unwrap_or_else(|e| panic!("{file} {rule_name}: {e}"));
    for steps in [1usize, 2, 3, 10, 100] {
        let want = entry["loss_after"][steps.to_string()].as_f64().unwrap();
        let got = if penalised { unpenalised(base, &program, &solver, data, start, steps) } else { losses[steps - 1] };
        let cross = |key: &str| entry[key].as_f64().unwrap_or(0.0);
        let tolerance = (100.0 * cross("xcheck_loss100_rel").max(cross("xcheck_loss10_rel"))).max(1e-10);
        assert!(((got - want) / want).abs() <= tolerance, "{file} {rule_name} after {steps}: {got} against {want}");
    }
}

/// Nesterov's look-ahead with `W` in the place of w + 0.9*V, where the gradient is taken; the last step ends at w itself.
fn check_lookahead(file: &str, entry: &Value, base: &str, data: &Data, start: &[f64], rate: f64) {
    for steps in [1usize, 2, 3, 10, 100] {
        let body = "    state V = 0\n    old = V\n    V := 0.9*V - rate*G\n    W := W - 0.9*old + 1.9*V - 0.9*V*step(t - last)";
        let text = format!(
            "optimizer own(rate = 0.1, last = 1):\n{body}\n{base}train own(rate = {rate}, last = {}), batch = all\n",
            steps as f64 - 0.5
        );
        let program = Program::parse(&text).unwrap_or_else(|e| panic!("{e:?}"));
        let solver = Solver::from(Rule::of_program(&program).unwrap().unwrap());
        let got = unpenalised(base, &program, &solver, data, start, steps);
        let want = entry["loss_after"][steps.to_string()].as_f64().unwrap();
        assert!(((got - want) / want).abs() <= 1e-10, "{file} look-ahead after {steps}: {got} against {want}");
    }
}

/// The files report the loss without the penalty: evaluated at the parameters after so many steps.
fn unpenalised(base: &str, program: &Program, solver: &Solver, data: &Data, start: &[f64], steps: usize) -> f64 {
    let problem = Problem { program, data, stream: None, validation: None, parameters: start, states: &[] };
    let options = Options { epochs: steps as u32, ..Options::default() };
    let report = fit(&problem, solver, &options, &mut |_| Flow::Continue).unwrap();
    let plain = Program::parse(base).unwrap();
    let mut forward = chainrule::train::predict::Forward::<f64>::new(&plain, plain.loss.unwrap(), data).unwrap();
    forward.set(&report.parameters, &[]);
    forward.run(&kernels::Pool::new(1));
    forward.scalar()
}

#[test]
fn higham_network() {
    check_file("w1_hh.json");
}

#[test]
fn two_layer_network() {
    check_file("w2_small.json");
}

#[test]
fn spiral_network() {
    check_file("w3_spiral.json");
}
