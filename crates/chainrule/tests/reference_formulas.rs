//! Values and gradients of activations and losses against figures that PyTorch, JAX and 17-digit arithmetic agree on,
//! computed by compiled plans. The figures lie outside the project.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::path::PathBuf;

use chainrule::data::matrix::Matrix;
use chainrule::model::Program;
use chainrule::optim::Rule;
use chainrule::run::Machine;
use chainrule::train::Data;
use chainrule::train::compile::{extents, training};
use chainrule::train::predict::predict_in;
use chainrule::train::progress::Values;
use kernels::Pool;
use serde_json::Value;

fn reference(name: &str) -> Option<Value> {
    let mut at = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    while at.pop() {
        let candidate = at.join("shared/reference").join(name);
        if candidate.is_file() {
            return Some(serde_json::from_str(&std::fs::read_to_string(candidate).unwrap()).unwrap());
        }
    }
    eprintln!("skipped: the reference figures are not here");
    None
}

fn matrix(value: &Value) -> Matrix {
    // Numbers of more than 17 digits are strings.
    let number = |v: &Value| v.as_f64().or(v.as_str().and_then(|v| v.parse().ok())).unwrap_or(f64::NAN);
    let row = |row: &Value| row.as_array().unwrap().iter().map(number).collect::<Vec<f64>>();
    let rows = value.as_array().unwrap();
    let values: Vec<f64> = if rows[0].is_array() { rows.iter().flat_map(row).collect() } else { row(value) };
    let rows = if rows[0].is_array() { rows.len() } else { 1 };
    Matrix { rows, cols: values.len() / rows, values }
}

/// The loss, its gradient by the parameter `Z`, and what is predicted, of the text below at `z`.
fn computed(predicted: &str, loss: &str, z: &Matrix, y: &Matrix) -> (f64, Vec<f64>, Vec<f64>) {
    let text = format!(
        "target Y : [{}, {}]\nparam Z : [{}, {}]\npredict {predicted}\nloss {loss}\ntrain sgd(rate = 1)\n",
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
    let pool = Pool::new(1);
    machine.run_part(&pool, 0);
    let value =
        predict_in::<f64>(&program, &[Values { parameters: z.values.clone(), states: Vec::new() }], &data, &pool)
            .unwrap();
    (machine.scalar(plan.loss), machine.buffer(plan.gradients).to_vec(), value.values)
}

fn close(name: &str, got: &[f64], want: &[f64], absolute: f64, faults: &mut Vec<String>) {
    assert_eq!(got.len(), want.len(), "{name}");
    for (index, (a, b)) in got.iter().zip(want).enumerate() {
        let near = (a - b).abs() <= 1e-10 * b.abs() + absolute;
        if !near {
            faults.push(format!("{name} [{index}]: {a:e} against {b:e}"));
        }
    }
}

/// The functions of the file in the language.
fn activation(name: &str) -> Option<&'static str> {
    Some(match name {
        "sigmoid" => "sigmoid(Z)",
        "tanh" => "tanh(Z)",
        "relu" => "relu(Z)",
        "leaky_relu_0.01" => "leaky_relu(Z, 0.01)",
        "elu_1" => "elu(Z, 1)",
        "selu" => "selu(Z)",
        "gelu_erf" => "gelu(Z)",
        "gelu_tanh" => "gelu_tanh(Z)",
        "silu" => "silu(Z)",
        "softplus" => "softplus(Z)",
        "softsign" => "softsign(Z)",
        "mish" => "mish(Z)",
        "hardtanh" => "hard_tanh(Z)",
        "relu6" => "relu6(Z)",
        _ => return None,
    })
}

#[test]
fn activations_and_their_slopes() {
    let Some(file) = reference("activations.json") else { return };
    let x = matrix(&file["x"]);
    let mut faults = Vec::new();
    for (name, entry) in file["functions"].as_object().unwrap() {
        let Some(call) = activation(name) else {
            faults.push(format!("{name} does not exist"));
            continue;
        };
        let (_, slope, value) = computed(call, &format!("sum({call})"), &x, &Matrix::zeros(1, 1));
        let best = |exact: &str, other: &str| {
            let exact = entry.get(exact).map(|list| matrix(list).values).unwrap_or_default();
            let other = matrix(&entry[other]).values.into_iter().enumerate();
            let better =
                |(index, other): (usize, f64)| exact.get(index).copied().filter(|v| !v.is_nan()).unwrap_or(other);
            other.map(better).collect::<Vec<f64>>()
        };
        // Values near 0 of functions of order 1 are differences of such: their last digit is absolute.
        close(&format!("{name} value"), &value, &best("mp_value", "value"), 1e-15, &mut faults);
        close(&format!("{name} slope"), &slope, &best("mp_deriv", "deriv"), 1e-15, &mut faults);
    }
    for (key, call) in [
        ("softmax", "softmax(Z)"),
        ("softmax_extreme", "softmax(Z)"),
        ("log_softmax", "log_softmax(Z)"),
        ("log_softmax_extreme", "log_softmax(Z)"),
        ("logsumexp", "logsumexp(Z)"),
    ] {
        let entry = &file[key];
        let (z, mut upstream) = (matrix(&entry["z"]), matrix(&entry["upstream"]));
        if key == "logsumexp" {
            upstream = Matrix { rows: upstream.values.len(), cols: 1, values: upstream.values };
        }
        let (_, gradient, value) = computed(call, &format!("sum(Y .* {call})"), &z, &upstream);
        close(&format!("{key} value"), &value, &matrix(&entry["value"]).values, 1e-15, &mut faults);
        close(&format!("{key} gradient"), &gradient, &matrix(&entry["grad"]).values, 1e-15, &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The losses of the file in the language; those that sum are means times the number of terms.
fn loss(name: &str) -> Option<String> {
    let (base, reduction) = name.rsplit_once('_')?;
    let elements = |call: &str| match reduction {
        "mean" => Some(call.to_owned()),
        "sum" => Some(format!("rows(Z)*cols(Z)*{call}")),
        _ => None,
    };
    let rows = |call: &str| match reduction {
        "mean" => Some(call.to_owned()),
        "sum" => Some(format!("rows(Z)*{call}")),
        _ => None,
    };
    match base {
        "mse" if reduction == "sum" => Some("sum_of_squares(Z, Y)".to_owned()),
        "mse" => elements("mse(Z, Y)"),
        "mae" => elements("mae(Z, Y)"),
        "huber_1.0" => elements("huber(Z, Y)"),
        "huber_0.5" => elements("huber(Z, Y, 0.5)"),
        "smooth_l1_1.0" => elements("smooth_l1(Z, Y)"),
        "smooth_l1_0.5" => elements("smooth_l1(Z, Y, 0.5)"),
        "bce_prob" => elements("binary_cross_entropy_probs(Z, Y)/cols(Z)"),
        "bce_logits" | "bce_logits_soft" => elements("binary_cross_entropy(Z, Y)/cols(Z)"),
        "ce_logits" | "ce_logits_soft" => rows("cross_entropy(Z, Y)"),
        "ce_logits_smooth0.1" => rows("cross_entropy_smooth(Z, Y, 0.1)"),
        "ce_probs_onehot" | "ce_probs_soft" => rows("cross_entropy_probs(Z, Y)"),
        "hinge" => elements("hinge(Z, Y)"),
        "squared_hinge" => elements("squared_hinge(Z, Y)"),
        "multiclass_hinge" => rows("multiclass_hinge(Z, Y)"),
        "log_cosh" => elements("log_cosh(Z, Y)"),
        "poisson_nll_login" => elements("poisson(Z, Y)"),
        "half_sqnorm" => Some("half_sum_of_squares(Z, Y)".to_owned()),
        "half_sqnorm_mean" => Some("quadratic_cost(Z, Y)".to_owned()),
        "kl_div_batchmean" => Some("kl_divergence(Z, Y)".to_owned()),
        _ => None,
    }
}

#[test]
fn losses_and_their_gradients() {
    let Some(file) = reference("losses.json") else { return };
    let mut faults = Vec::new();
    let entries = file["losses"].as_object().unwrap();
    for (name, entry) in entries {
        let Some(call) = loss(name) else {
            faults.push(format!("{name} does not exist"));
            continue;
        };
        let pred = matrix(&entry["pred"]);
        let target = match entry.get("target") {
            Some(target) => matrix(target),
            None => {
                let mut one_hot = Matrix::zeros(pred.rows, pred.cols);
                for (row, label) in entry["labels"].as_array().unwrap().iter().enumerate() {
                    one_hot.values[row * pred.cols + label.as_u64().unwrap() as usize] = 1.0;
                }
                one_hot
            }
        };
        let (value, gradient, _) = computed("Z", &call, &pred, &target);
        close(name, &[value], &[entry["value"].as_f64().unwrap()], 0.0, &mut faults);
        close(&format!("{name} gradient"), &gradient, &matrix(&entry["grad"]).values, 1e-15, &mut faults);
    }
    assert!(entries.len() > 40 && faults.is_empty(), "{}", faults.join("\n"));
}
