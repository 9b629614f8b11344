//! Whole derivations as they are shown: the networks of the notes, with every step, and classics of matrix calculus.
//! The expected text stands here in full; a change of it is a change of what people read.

use chainrule::calculus::check::check_gradient;
use chainrule::calculus::derive;
use chainrule::calculus::sample::Domain;
use chainrule::lang::{Id, Shape};
use chainrule::model::Program;
use chainrule::model::cases::{Declaration, gradient, steps_text};
use chainrule::text::print::{Style, print};

/// The gradients of a program's loss, one line each, and the steps that lead to them.
fn shown(text: &str) -> (String, String) {
    let mut program = Program::parse(text).unwrap_or_else(|error| panic!("{error:?}"));
    let loss = program.loss.expect("it has a loss");
    let wrt: Vec<Id> = program.parameters.iter().map(|parameter| parameter.id).collect();
    let derivation = derive(&mut program.graph, loss, &wrt);
    let mut gradients = String::new();
    for (&variable, &gradient) in wrt.iter().zip(&derivation.gradients) {
        let written = print(&program.graph, gradient, Style::Text).expect("it is a matrix");
        gradients += &format!("{}: {written}\n", program.name_of(variable));
        check_gradient(&mut program.graph, loss, variable, gradient, None).expect("it passes its check");
    }
    let mut steps = String::new();
    for (line, rule) in steps_text(&program.graph, &derivation, Style::Text) {
        steps += &format!("{line}   # {rule}\n");
    }
    (gradients, steps)
}

fn check(text: &str, gradients: &str, steps: &str) {
    let (found_gradients, found_steps) = shown(text);
    assert_eq!(found_gradients.trim(), gradients.trim());
    assert_eq!(found_steps.trim(), steps.trim());
}

#[test]
fn logistic_regression() {
    check(
        "
input  X : [N, D]
target y : [N, 1]
param  w : [D, 1] = 0
param  b : [1, 1] = 0
z = X*w + b
predict sigmoid(z)
loss binary_cross_entropy(z, y)
",
        "",
        "",
    );
}

#[test]
fn softmax_regression() {
    check(
        "
input  X : [N, D]
target Y : [N, K]
param  scores : [N, K]
loss cross_entropy(scores, Y)
",
        "scores: (softmax(scores) - Y)/N",
        "",
    );
}

#[test]
fn single_hidden_layer() {
    check(
        "
input  X : [N, D]
target y : [N, 1]
param  W1 : [D, H]
param  b1 : [1, H] = 0
param  W2 : [H, 1]
param  b2 : [1, 1] = 0
A = tanh(X*W1 + b1)
z = A*W2 + b2
predict sigmoid(z)
loss binary_cross_entropy(z, y)
",
        "",
        "",
    );
}

#[test]
fn highams_net() {
    check(
        "
input  X : [N, 2]
target Y : [N, 2]
param  W2 : [2, 2]
param  b2 : [1, 2]
param  W3 : [2, 3]
param  b3 : [1, 3]
param  W4 : [3, 2]
param  b4 : [1, 2]
A2 = sigmoid(X*W2 + b2)
A3 = sigmoid(A2*W3 + b3)
A4 = sigmoid(A3*W4 + b4)
predict A4
loss quadratic_cost(A4, Y)
",
        "",
        "",
    );
}

#[test]
fn two_layer_relu() {
    check(
        "
input  X : [N, D]
target Y : [N, K]
param  W1 : [D, H]
param  W2 : [H, K]
R = relu(X*W1)*W2 - Y
loss sum(R.^2)
",
        "",
        "",
    );
}

#[test]
fn spiral() {
    check(
        "
input  X : [N, 2]
target Y : [N, 3]
const  reg = 1e-3
param  W1 : [2, 100] ~ normal(0, 0.01)
param  b1 : [1, 100] = 0
param  W2 : [100, 3] ~ normal(0, 0.01)
param  b2 : [1, 3]   = 0
H       = relu(X*W1 + b1)
scores  = H*W2 + b2
predict softmax(scores)
loss    cross_entropy(scores, Y) + reg/2*(sum(W1.^2) + sum(W2.^2))
claim   grad(loss, W2) == H'*(softmax(scores) - Y)/N + reg*W2
",
        "",
        "",
    );
}

/// Expressions of matrices, their shapes, and the gradient that is shown.
#[test]
fn classics() {
    let sizes: &[(&str, u32, u32)] = &[
        ("a", 3, 1),
        ("b", 4, 1),
        ("c", 4, 1),
        ("x", 4, 1),
        ("y", 5, 1),
        ("A", 5, 4),
        ("B", 4, 4),
        ("C", 3, 3),
        ("D", 4, 3),
        ("M", 4, 4),
        ("S", 4, 4),
        ("X", 3, 4),
        ("Z", 3, 4),
        ("Y", 3, 4),
        ("P", 4, 3),
    ];
    let declarations: Vec<Declaration> = sizes
        .iter()
        .map(|&(name, rows, cols)| Declaration {
            name: name.to_owned(),
            shape: Shape::known(rows, cols),
            domain: Some(match name {
                "S" => Domain::Definite,
                "M" => Domain::Invertible,
                "Z" => Domain::Positive,
                _ => Domain::Any,
            }),
        })
        .collect();
    let rows: &[(&str, &str, &str)] = &[
        ("b'*x", "x", "b"),
        ("a'*X*b", "X", "a*b'"),
        ("x'*B*x", "x", "(B + B')*x"),
        ("x'*S*x", "x", "2*S*x"),
        ("x'*B*x + b'*x", "x", "(B + B')*x + b"),
        ("sum((A*x - y).^2)", "x", "2*A'*(A*x - y)"),
        ("norm2(A*x - y)^2/2", "x", "A'*(A*x - y)"),
        ("norm2(A*x - y)", "x", ""),
        ("sum(abs(A*x - y))", "x", "A'*sign(A*x - y)"),
        ("tr(X*D)", "X", "D'"),
        ("tr(X'*C*X)", "X", "(C + C')*X"),
        ("tr(X*B*X')", "X", "X*(B + B')"),
        ("tr(X'*X)", "X", "2*X"),
        ("tr(B*M*M)", "M", ""),
        ("tr(inv(M)*B)", "M", ""),
        ("logdet(M)", "M", "inv(M)'"),
        ("log(det(S))", "S", "inv(S)'"),
        ("det(M)", "M", "det(M)*inv(M)'"),
        ("logdet(X*X')", "X", ""),
        ("x'*inv(S)*x", "x", "2*inv(S)*x"),
        ("b'*(X'*X)*c", "X", ""),
        ("sum(Y.*log(Z))", "Z", "Y./Z"),
        ("sum(Y.*softmax(X))", "X", ""),
        ("sum(logsumexp(X))", "X", "softmax(X)"),
        ("sum(softplus(X) - Y.*X)", "X", "sigmoid(X) - Y"),
        ("exp(-x'*S*x/2)", "x", ""),
        ("sum(relu(X*D).^2)", "X", ""),
        ("sum(X.*Y)/sqrt(sum(X.^2))", "X", ""),
    ];
    let mut wrong = String::new();
    for &(expr, wrt, expected) in rows {
        let found = gradient(expr, &declarations, wrt).map_or_else(|refusal| refusal.reason(), |answer| answer.text);
        if found != expected {
            wrong += &format!("({expr:?}, {wrt:?}, {found:?}),\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
