//! How formulas look: each expression as text, as LaTeX and as MathML, in a file of expected output.
//! `UPDATE_GOLDEN=1` writes the file; look at the difference.

mod formulas;

use std::fmt::Write as _;
use std::path::PathBuf;

use chainrule::calculus::differentiate::gradients;
use chainrule::lang::{Graph, Role, Shape};
use chainrule::model::answer::Question;
use chainrule::text::print::{Style, math_element, print};
use formulas::{Formula, elements};

/// Variables with their shapes, and an expression of them.
const CASES: &[(&str, &str)] = &[
    ("X=NxD W=DxK Y=NxK", "sum((X*W - Y).^2)"),
    ("X=NxD W=DxK Y=NxK", "2/N*X'*(X*W - Y)"),
    ("X=NxD W=DxK b=1xK", "softmax(X*W + b)"),
    ("A=NxN", "inv(A)'*A"),
    ("A=NxN B=NxN", "inv(A*B) - 3*eye(N)"),
    ("A=NxN", "log(abs(det(A))) + logdet(A) + tr(A'*A)"),
    ("x=Nx1", "norm2(x)/N"),
    ("x=Nx1", "sqrt(sum(x) + 1)"),
    ("A=NxK B=NxK C=NxK", "A.*B./C"),
    ("A=NxK B=NxK C=KxM", "(A.*B)*C"),
    ("A=NxK B=NxK C=KxM", "-2*(A.*B)*C"),
    ("A=NxK B=NxK", "1 ./ A - 2 ./ (A + B)"),
    ("A=NxK lambda=1x1", "lambda*A.^2 + A.^-1.5"),
    ("alpha=1x1 beta_1=1x1 epsilon=1x1", "alpha*beta_1^2/(epsilon + sqrt(beta_1))"),
    ("Y_pred=NxK Y=NxK", "mse(Y_pred, Y)"),
    ("hidden=NxK W_out=KxM", "hidden*W_out"),
    ("scores=NxK Y=NxK", "cross_entropy(scores, Y)"),
    ("X=NxK", "ones(N, 1)*colsum(X) + rowsum(X)*ones(1, K)"),
    ("X=NxK", "max(X) - sum(rowmax(X)) + sum(colmax(X))"),
    ("A=2x3 B=2x2", "kron(A, B)"),
    ("A=NxN B=NxN C=NxN", "A - (B - C) - A.*(B + C)"),
    ("A=NxN x=Nx1", "x'*A*x/(x'*x)"),
    ("x=Nx1", "exp(-x.^2/2) + 1e-7*x + 1.5e20"),
    ("x=Nx1 y=Nx1", "max(x, y) + min(x, 0) + floor(x) + abs(y)"),
    ("x=Nx1 y=Nx1", "x.^y + sigmoid(x) + log1p(y)"),
    ("W1=DxK W2=KxM X=NxD", "relu(X*W1)*W2"),
    ("a=1x1 b=1x1 c=1x1", "-(a + b)^2*c/(2*a)"),
    ("a=1x1 b=1x1", "2*a^2*b^3/(a*b + 1)"),
    ("A=NxK a=1x1", "(1 - a)*A + a*A.^2"),
    ("Q=NxD K=NxD V=NxD", "softmax(Q*K'/sqrt(D))*V"),
    ("X=NxK", "diag(rowsum(X)) - X*X'"),
    ("X=NxK", "-X.*1e-6 + 3*zeros(N, K) - 0.5*ones(N, K)"),
    ("w_1_2=1x1 theta_t=1x1 x_=1x1", "w_1_2 + theta_t + x_"),
];

/// Expressions whose steps are shown.
const DERIVED: &[(&str, &str, &str)] = &[
    ("X=NxD W1=DxK Y=NxK", "sum((X*W1 - Y).^2)", "W1"),
    ("A=NxN", "logdet(A) + tr(inv(A))", "A"),
    ("Q=NxD K=NxD V=NxD", "sum(softmax(Q*K'/sqrt(D))*V)", "Q"),
];

fn shown() -> String {
    let mut out = String::new();
    for (variables, text) in CASES {
        let Formula { graph, root, .. } = Formula::new(variables, text);
        let written = |style| print(&graph, root, style).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let _ = writeln!(out, "{text}");
        for style in [Style::Text, Style::Latex, Style::MathMl] {
            let _ = writeln!(out, "  {}", written(style));
        }
    }
    for (variables, text, wrt) in DERIVED {
        let mut subject = formulas::subject(variables, text);
        let wrt = subject.variable(wrt).expect("declared");
        let answer = subject.answer(Question::first(wrt)).unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
        let explained = subject.explain(&answer).unwrap_or_else(|refusal| panic!("{}", refusal.reason()));
        let _ = writeln!(out, "{}", answer.label);
        for line in &explained.lines {
            for style in [Style::Latex, Style::MathMl] {
                let left = subject.write_left(line.left, &answer, style).expect("as the text");
                let right = subject.write(line.right, &explained.names, style).expect("as the text");
                let _ = writeln!(out, "  {}", style.equation(&left, &right));
            }
        }
    }
    out
}

#[test]
fn formulas_look_as_expected() {
    let found = shown();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/notation.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).expect("the file of expected output can be written");
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.lines().count(), wanted.lines().count());
}

#[test]
fn mathml_is_well_formed() {
    for line in shown().lines().filter(|line| line.starts_with("  <")) {
        elements(line).unwrap_or_else(|error| panic!("{error}\n{line}"));
    }
    for (variables, text) in CASES {
        let Formula { mut graph, root, variables, .. } = Formula::new(variables, text);
        let total = graph.sum_all(root);
        let wrt: Vec<_> = variables.iter().map(|(_, id)| *id).collect();
        for gradient in gradients(&mut graph, total, &wrt) {
            if let Ok(mathml) = print(&graph, gradient, Style::MathMl) {
                let whole = math_element(&mathml, &print(&graph, gradient, Style::Text).expect("as text, too"));
                elements(&whole).unwrap_or_else(|error| panic!("{error}\n{whole}"));
            }
        }
    }
}

#[test]
fn the_checker_of_elements_finds_faults() {
    assert!(elements("<mi>x</mi><msup><mi>x</mi><mn>2</mn></msup>").is_ok());
    for fault in [
        "<mi>x</mo>",
        "<mi>x",
        "<mi>x</mi></mi>",
        "<mfrac><mi>x</mi></mfrac>",
        "<msub><mi>x</mi><mi>y</mi><mi>z</mi></msub>",
        "<mrow>x</mrow>",
        "<blink>x</blink>",
        "<mi a=b>x</mi>",
        "<mi>a & b</mi>",
    ] {
        assert!(elements(fault).is_err(), "{fault}");
    }
}

#[test]
fn infinite_numbers_read_back() {
    let mut graph = Graph::new();
    let x = graph.variable("x", Role::Input, Shape::SCALAR);
    for (value, text) in [(f64::INFINITY, "1/0 + x"), (f64::NEG_INFINITY, "x - 1/0")] {
        let constant = graph.constant(value);
        let sum = graph.add(&[constant, x]);
        let written = print(&graph, sum, Style::Text).expect("it has a text");
        assert_eq!(written, text);
        let Formula { graph: read, root, .. } = Formula::new("x=1x1", &written);
        assert_eq!(print(&read, root, Style::Text).as_deref(), Ok(text));
    }
}
