//! Systems of second-order methods: all ways to solve them give the same steps, and the matrix is that of the loss.

use chainrule::data::matrix::Matrix;
use chainrule::model::Program;
use chainrule::optim::Method;
use chainrule::optim::lbfgs::Smooth;
use chainrule::optim::levenberg::LeastSquares;
use chainrule::train::Data;
use chainrule::train::second::System;
use chainrule::train::second::gradient::Gradient;
use kernels::random::{Purpose, Stream};

fn random(rows: usize, cols: usize, number: u32) -> Matrix {
    let stream = Stream::new(3, Purpose::Data, number, 0);
    Matrix { rows, cols, values: (0..rows * cols).map(|i| stream.normal(i as u32)).collect() }
}

fn data(rows: usize, inputs: usize, outputs: usize) -> Data {
    Data { matrices: vec![("X".into(), random(rows, inputs, 1)), ("Y".into(), random(rows, outputs, 2))] }
}

fn one_hot(rows: usize, inputs: usize, classes: usize) -> Data {
    let mut y = Matrix::zeros(rows, classes);
    (0..rows).for_each(|row| y.values[row * classes + (row * 7 + row / 3) % classes] = 1.0);
    Data { matrices: vec![("X".into(), random(rows, inputs, 1)), ("Y".into(), y)] }
}

/// A net with two outputs; 3*h + h + 2*h + 2 parameters.
fn net(hidden: usize, loss: &str) -> Program {
    let text = format!(
        "input X : [N, 3]\ntarget Y : [N, 2]\nparam W1 : [3, {hidden}] ~ normal(0, 1)\nparam b1 : [1, {hidden}] = 0\n\
         param W2 : [{hidden}, 2] ~ normal(0, 1)\nparam b2 : [1, 2] = 0\nH = tanh(X*W1 + b1)\nP = H*W2 + b2\nloss {loss}\n"
    );
    Program::parse(&text).expect("the program is right")
}

/// The cost, gradient and step of a form.
fn solved(
    program: &Program,
    data: &Data,
    method: Method,
    lambda: f64,
    w: &[f64],
) -> (f64, Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut system = System::new(program, data, &[], (method, 1)).expect("the form suits the problem");
    let cost = system.cost(w);
    system.linearise(w);
    let mut step = vec![0.0; w.len()];
    assert!(system.solve(lambda, None, &mut step));
    (cost, system.gradient().to_vec(), step, system.diagonal().to_vec())
}

fn close(a: &[f64], b: &[f64], tolerance: f64, what: &str) {
    let size = b.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= tolerance * size, "{what}: {x} and {y}");
    }
}

fn point(len: usize) -> Vec<f64> {
    random(1, len, 9).values.iter().map(|v| 0.5 * v).collect()
}

#[test]
fn all_forms_give_the_same_step() {
    for (hidden, rows) in [(5, 40), (20, 12)] {
        for loss in ["mse(P, Y)", "half_sum_of_squares(P, Y)", "mse(P, Y) + 0.01*l2(W1) + 0.02*l2(W2)"] {
            let (program, data) = (net(hidden, loss), data(rows, 3, 2));
            let w = point(6 * hidden + 2);
            let normal = solved(&program, &data, Method::Normal, 0.03, &w);
            let mut others = vec![solved(&program, &data, Method::Dual, 0.03, &w)];
            if !loss.contains("l2") {
                others.push(solved(&program, &data, Method::Qr, 0.03, &w));
            }
            for other in others {
                assert!((normal.0 - other.0).abs() <= 1e-14 * normal.0);
                close(&other.1, &normal.1, 1e-12, "gradient");
                close(&other.2, &normal.2, 1e-8, "step");
                close(&other.3, &normal.3, 1e-12, "diagonal");
            }
        }
    }
}

#[test]
fn blocks_of_rows_add_up_to_the_whole() {
    // 1300 rows are several blocks and a shorter one; the gradient is that of the whole batch.
    for loss in ["mse(P, Y)", "cross_entropy(P, Y) + 0.1*l2(W1)", "poisson(P, Y)", "mse(P, Y) + 0.01*l1(W1)"] {
        let (program, data) = (net(4, loss), one_hot(1300, 3, 2));
        let w = point(26);
        let (cost, gradient, _, _) = solved(&program, &data, Method::Normal, 0.1, &w);
        let mut whole = vec![0.0; w.len()];
        let expected = Gradient::new(&program, &data, &[], 1).expect("it compiles").evaluate(&w, &mut whole);
        assert!((cost - expected).abs() <= 1e-12 * expected.abs(), "{loss}: {cost} and {expected}");
        close(&gradient, &whole, 1e-11, loss);
    }
}

#[test]
fn weights_of_examples_may_be_normalised() {
    for loss in ["mse(P, Y, S)", "cross_entropy(P, Y, S)", "sum(S/sum(S).*(P - Y).^2)", "mse(P, Y, S) + 0.01*l2(W1)"] {
        let text = net(4, "mse(P, Y)").source.replace("loss mse(P, Y)", &format!("loss {loss}"));
        let text = text.replace("target Y", "input S : [N, 1]\ntarget Y");
        let program = Program::parse(&text).expect("the program is right");
        // Several blocks of rows: the sum of the weights is that of all of them.
        let mut data = one_hot(13_000, 3, 2);
        let stream = Stream::new(5, Purpose::Data, 5, 0);
        let weights = (0..13_000).map(|i| stream.uniform(i) + 0.1).collect();
        data.matrices.push(("S".into(), Matrix { rows: 13_000, cols: 1, values: weights }));
        let w = point(26);
        let (cost, gradient, _, _) = solved(&program, &data, Method::Normal, 0.1, &w);
        let mut whole = vec![0.0; w.len()];
        let expected = Gradient::new(&program, &data, &[], 1).expect("it compiles").evaluate(&w, &mut whole);
        assert!((cost - expected).abs() <= 1e-12 * expected.abs(), "{loss}: {cost} and {expected}");
        close(&gradient, &whole, 1e-11, loss);
    }
}

/// For outputs that are linear in the parameters the generalised Gauss-Newton matrix is the Hessian.
#[test]
fn the_matrix_is_the_hessian_where_outputs_are_linear() {
    let losses = [
        "cross_entropy(P, Y)",
        "binary_cross_entropy(P, Y)",
        "poisson(P, Y)",
        "log_cosh(P, Y) + 0.3*l2(W)",
        "sum(softplus(P)) - sum(Y.*P)",
        "sum(exp(X*[1; 2; 3]).*(P - Y).^2)",
    ];
    for loss in losses {
        let loss = loss.replace("X*[1; 2; 3]", "rowsum(X)");
        let text = format!("input X : [N, 3]\ntarget Y : [N, 4]\nparam W : [3, 4] = 0\nP = X*W\nloss {loss}\n");
        let (program, data) = (Program::parse(&text).expect("the program is right"), one_hot(30, 3, 4));
        let (w, lambda) = (point(12), 0.7);
        let (_, gradient, step, _) = solved(&program, &data, Method::Normal, lambda, &w);
        let mut smooth = Gradient::new(&program, &data, &[], 1).expect("it compiles");
        let h = 1e-5;
        let mut at = |sign: f64| {
            let moved: Vec<f64> = w.iter().zip(&step).map(|(w, d)| w + sign * h * d).collect();
            let mut gradient = vec![0.0; 12];
            smooth.evaluate(&moved, &mut gradient);
            gradient
        };
        let (ahead, behind) = (at(1.0), at(-1.0));
        // (H + lambda)*step = -gradient, with H*step by central differences.
        let left: Vec<f64> =
            (0..12).map(|i| (ahead[i] - behind[i]) / (2.0 * h) + lambda * step[i] + gradient[i]).collect();
        let size = gradient.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
        assert!(left.iter().all(|v| v.abs() <= 1e-7 * size), "{loss}: {left:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (program, data) = (net(40, "mse(P, Y)"), data(3000, 3, 2));
    let w = point(242);
    let bits = |threads: usize, method: Method| {
        let mut system = System::new(&program, &data, &[], (method, threads)).expect("it compiles");
        system.linearise(&w);
        let mut step = vec![0.0; w.len()];
        assert!(system.solve(0.01, None, &mut step));
        step.iter().map(|v| v.to_bits()).collect::<Vec<u64>>()
    };
    assert_eq!(bits(1, Method::Normal), bits(3, Method::Normal));
}
