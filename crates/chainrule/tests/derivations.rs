//! Whole derivations as they are shown: the networks of the notes, with every line, and classics of matrix calculus. The
//! expected text stands in `tests/derivations/`; a change of it is a change of what people read. `UPDATE_GOLDEN=1` writes
//! it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use chainrule::calculus::sample::Domain;
use chainrule::model::answer::{Declaration, Order, Question, Subject};

/// An answer and its lines, with everything that was checked.
fn shown(subject: &mut Subject, questions: &[Question]) -> String {
    let answers = subject.answers(questions).unwrap_or_else(|(_, refusal)| panic!("{}", refusal.reason()));
    let mut out = String::new();
    for answer in answers {
        let explained = subject.explain(&answer).unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
        let _ = writeln!(out, "{} = {}", answer.label, answer.text);
        for (name, value) in &answer.definitions {
            let _ = writeln!(out, "  where {name} = {value}");
        }
        for line in &explained.lines {
            let rules: Vec<&str> = line.rules.iter().map(|rule| rule.name).collect();
            let _ = writeln!(out, "    {} = {}   # {}", line.text.0, line.text.1, rules.join(", "));
            for (name, _, value) in &line.defines {
                let _ = writeln!(out, "        with {name} = {value}");
            }
        }
    }
    out
}

fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/derivations").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(&path, text).expect("it can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(text, expected, "tests/derivations/{name}.txt");
}

fn program(name: &str, text: &str) {
    let mut subject = Subject::of_program(text).unwrap_or_else(|error| panic!("{error:?}"));
    let questions: Vec<Question> = subject.variables.iter().map(|&id| Question::first(id)).collect();
    golden(name, &shown(&mut subject, &questions));
}

#[test]
fn logistic_regression() {
    program(
        "logistic_regression",
        "
input  X : [N, D]
target y : [N, 1]
param  w : [D, 1] = 0
param  b : [1, 1] = 0
z = X*w + b
predict sigmoid(z)
loss binary_cross_entropy(z, y)
",
    );
}

#[test]
fn softmax_regression() {
    program(
        "softmax_regression",
        "
input  X : [N, D]
target Y : [N, K]
param  scores : [N, K]
loss cross_entropy(scores, Y)
",
    );
}

#[test]
fn single_hidden_layer() {
    program(
        "single_hidden_layer",
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
    );
}

#[test]
fn highams_net() {
    program(
        "highams_net",
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
    );
}

#[test]
fn two_layer_relu() {
    program(
        "two_layer_relu",
        "
input  X : [N, D]
target Y : [N, K]
param  W1 : [D, H]
param  W2 : [H, K]
R = relu(X*W1)*W2 - Y
loss sum(R.^2)
",
    );
}

#[test]
fn spiral() {
    program(
        "spiral",
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
    );
}

/// Name, expression, variables with their extents, and the one to derive by.
type Block = (&'static str, &'static str, &'static [(&'static str, u32, u32)], &'static str);

/// Attention and its relatives: parts that are used more than once have names.
#[test]
fn building_blocks() {
    let matrix = Declaration::matrix;
    let blocks: &[Block] = &[
        ("attention", "sum(C.*(softmax(Q*K'/sqrt(4))*V))", &[("Q", 3, 4), ("K", 5, 4), ("V", 5, 2), ("C", 3, 2)], "Q"),
        (
            "layer_norm",
            "sum(C.*((X - rowsum(X)/4)./sqrt(rowsum((X - rowsum(X)/4).^2)/4)))",
            &[("X", 3, 4), ("C", 3, 4)],
            "X",
        ),
        (
            "lstm_gate",
            "sum(C.*(sigmoid(X*W + H*U).*tanh(X*V)))",
            &[("X", 3, 4), ("W", 4, 2), ("H", 3, 2), ("U", 2, 2), ("V", 4, 2), ("C", 3, 2)],
            "X",
        ),
    ];
    for (name, expr, variables, wrt) in blocks {
        let declarations: Vec<Declaration> = variables.iter().map(|&(name, m, n)| matrix(name, m, n)).collect();
        let mut subject = Subject::of_expression(expr, &declarations, &[wrt]).unwrap_or_else(|e| panic!("{e:?}"));
        let question = Question::first(subject.variable(wrt).expect("it is declared"));
        golden(name, &shown(&mut subject, &[question]));
    }
}

/// Derivatives that are not gradients.
#[test]
fn other_kinds() {
    let variables = [("A", 3, 5), ("W", 5, 4), ("x", 4, 1), ("X", 3, 2), ("B", 3, 3), ("t", 1, 1), ("S", 2, 2)];
    let declarations: Vec<Declaration> =
        variables.iter().map(|&(name, m, n)| Declaration::matrix(name, m, n)).collect();
    let mut out = String::new();
    for (expr, wrt, order) in [
        ("A*tanh(W*x)", "x", Order::First),
        ("x*x'*x", "x", Order::First),
        ("X'*B*X", "X", Order::First),
        ("exp(t*S)", "t", Order::First),
        ("norm2(W*x)^2", "x", Order::Second),
        ("logsumexp(x')", "x", Order::Second),
        ("tr(S*X'*B*X)", "X", Order::Second),
    ] {
        let mut subject = Subject::of_expression(expr, &declarations, &[wrt]).unwrap_or_else(|e| panic!("{e:?}"));
        let question = Question { order, ..Question::first(subject.variable(wrt).expect("it is declared")) };
        let _ = writeln!(out, "{expr}");
        out += &shown(&mut subject, &[question]);
    }
    golden("other_kinds", &out);
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
        .map(|&(name, rows, cols)| {
            Declaration::matrix(name, rows, cols).in_domain(Some(match name {
                "S" => Domain::Definite,
                "M" => Domain::Invertible,
                "Z" => Domain::Positive,
                _ => Domain::Any,
            }))
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
        ("norm2(A*x - y)", "x", "A'*(A*x - y)/norm2(A*x - y)"),
        ("sum(abs(A*x - y))", "x", "A'*sign(A*x - y)"),
        ("tr(X*D)", "X", "D'"),
        ("tr(X'*C*X)", "X", "(C + C')*X"),
        ("tr(X*B*X')", "X", "X*(B + B')"),
        ("tr(X'*X)", "X", "2*X"),
        ("tr(B*M*M)", "M", "B'*M' + M'*B'"),
        ("tr(inv(M)*B)", "M", "-inv(M)'*B'*inv(M)'"),
        ("logdet(M)", "M", "inv(M)'"),
        ("log(det(S))", "S", "inv(S)'"),
        ("det(M)", "M", "det(M)*inv(M)'"),
        ("logdet(X*X')", "X", "2*inv(X*X')*X"),
        ("x'*inv(S)*x", "x", "2*inv(S)*x"),
        ("b'*(X'*X)*c", "X", "X*c*b' + X*b*c'"),
        ("sum(Y.*log(Z))", "Z", "Y./Z"),
        ("sum(Y.*softmax(X))", "X", "softmax(X).*(Y - rowsum(Y.*softmax(X)))"),
        ("sum(logsumexp(X))", "X", "softmax(X)"),
        ("sum(softplus(X) - Y.*X)", "X", "sigmoid(X) - Y"),
        ("exp(-x'*S*x/2)", "x", "-exp(-0.5*x'*S*x)*S*x"),
        ("sum(relu(X*D).^2)", "X", "2*relu(X*D)*D'"),
        ("sum(X.*Y)/sqrt(sum(X.^2))", "X", "Y/norm2(X) - sum(X.*Y)/sum(X.^2)^1.5*X"),
    ];
    let mut wrong = String::new();
    for &(expr, wrt, expected) in rows {
        let mut subject = Subject::of_expression(expr, &declarations, &[wrt]).unwrap_or_else(|e| panic!("{e:?}"));
        let question = Question::first(subject.variable(wrt).expect("it is declared"));
        let found = subject.answer(question).map_or_else(|refusal| refusal.reason(), |answer| answer.text);
        if found != expected {
            wrong += &format!("({expr:?}, {wrt:?}, {found:?}),\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What is added before the mean of a column is taken away cannot matter.
#[test]
fn a_differential_that_vanishes_leaves_a_gradient_of_zero() {
    let text = "input X : [N, 6]\ntarget Y : [N, 8]\nP = tanh(batch_norm(dense(X, 8)))\nloss mse(P, Y)\n";
    let mut subject = Subject::of_program(text).unwrap_or_else(|error| panic!("{error:?}"));
    let shift = subject.variables.iter().copied().find(|&id| subject.name_of(id) == "dense1_b").expect("it is there");
    let shown = shown(&mut subject, &[Question::first(shift)]);
    assert!(shown.contains("dloss/ddense1_b = zeros(1, 8)") && shown.contains(" = 0   #"), "{shown}");
}
