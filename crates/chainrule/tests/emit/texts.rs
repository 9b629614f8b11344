//! Texts of emitted programs: one golden program for each language, and what is promised of all: the products of the
//! notes and no more, exponentials once, systems instead of inverses, names that every language accepts.

use std::path::{Path, PathBuf};

use crate::cases::{Case, expression, model};
use chainrule::lang::ops::elementwise::Unary;
use chainrule::lang::{Graph, Id, Role, Shape};
use chainrule::text::emit::{Request, Target, emit};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emit/golden").join(name)
}

/// Compares with a file of expected output; `UPDATE_GOLDEN=1` writes it.
#[track_caller]
fn assert_golden(name: &str, found: &str) {
    let path = golden(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).expect("the file of expected output can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(found, expected, "differs from tests/emit/golden/{name}");
}

fn of_model(name: &str) -> Case {
    model(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name))
}

fn numpy(text: &str, variables: &str) -> String {
    let mut case = expression(text, variables);
    case.function = "f".to_owned();
    case.emit(Target::Numpy).text
}

#[test]
fn the_programs_of_the_notes_are_golden_in_every_language() {
    for model in ["two_layer", "spiral"] {
        let case = of_model(&format!("{model}.cr"));
        for (name, target) in Target::ALL {
            assert_golden(&format!("{model}.{name}"), &case.emit(target).text);
        }
    }
}

/// Note 004 multiplies matrices five times in each of its two programs, and takes one exponential in the second.
#[test]
fn the_programs_do_the_work_of_the_notes() {
    for (model, exponentials) in [("two_layer.cr", 0), ("spiral.cr", 1)] {
        let case = of_model(model);
        let text = case.emit(Target::Numpy).text;
        assert_eq!(text.matches(" @ ").count(), 5, "{text}");
        assert_eq!(text.matches("np.exp(").count(), exponentials, "{text}");
        assert_eq!(text.matches("np.maximum(").count(), 1, "{text}");
        assert_eq!(text.matches(" > 0)").count(), 1, "{text}");
        let text = case.emit(Target::C).text;
        assert_eq!(text.matches("    matmul").count(), 5, "{text}");
        assert_eq!(text.matches(" exp(").count(), exponentials, "{text}");
    }
}

#[test]
fn one_of_softmax_and_log_sum_exp_is_a_call_and_both_share_their_exponentials() {
    assert!(numpy("sum(softmax(X).*Y)", "X=NxK Y=NxK").contains("P1 = softmax(X)"));
    let both = numpy("sum(logsumexp(X)) - sum(Y.*X)", "X=NxK Y=NxK");
    assert_eq!(both.matches("np.exp(").count(), 1, "{both}");
    assert!(both.contains("np.exp(X - "), "shifted by the largest element: {both}");
}

#[test]
fn inverses_that_are_only_multiplied_are_systems() {
    let text = numpy("x'*inv(A)*y", "A=NxN:bigI x=Nx1 y=Nx1");
    assert!(!text.contains("linalg.inv("), "{text}");
    assert_eq!(text.matches("np.linalg.solve(").count(), 2, "{text}");
    let text = numpy("logdet(A) + tr(inv(A)*B)", "A=NxN:bigI B=NxN");
    assert_eq!(text.matches("np.linalg.inv(A)").count(), 1, "{text}");
    let mut case = expression("logdet(A) + det(A)", "A=NxN:spd");
    case.function = "f".to_owned();
    let text = case.emit(Target::C).text;
    assert_eq!(text.matches("    lu(").count(), 1, "one factorisation: {text}");
}

#[test]
fn differences_quotients_and_masks_are_written_as_people_do() {
    let text = numpy("sum(relu(X - Y)./P)", "X=NxD Y=NxD P=NxD:pos");
    assert!(text.contains("D1 = X - Y\n"), "{text}");
    assert!(text.contains("grad_X = (D1 > 0) / P\n"), "{text}");
    assert!(text.contains("grad_Y = -grad_X\n"), "{text}");
}

/// Words of the languages are no names; what is told by no argument is an argument.
#[test]
fn names_and_sizes_are_what_the_language_allows() {
    let mut case = expression("sum(lambda*X) + sum(fn.*X)", "lambda=1x1 X=NxD fn=NxD");
    case.function = "f".to_owned();
    assert!(case.emit(Target::Numpy).text.contains("def f(lambda_2, X, fn):"));
    assert!(
        case.emit(Target::Rust).text.contains("pub fn f(N: usize, D: usize, lambda: f64, X: &[f64], fn_2: &[f64])")
    );
    assert!(case.emit(Target::C).text.contains("double f(size_t N, size_t D, double lambda, const double *X"));

    let mut graph = Graph::new();
    let n = graph.dims.named("N");
    let t = graph.variable("t", Role::Input, Shape::SCALAR);
    let size = graph.size(n);
    let root = graph.mul(&[t, size]);
    let outputs = [("value".to_owned(), root), ("grad_t".to_owned(), size)];
    let text = emit(&graph, &Request { function: "f", outputs: &outputs }, Target::Numpy).text;
    assert!(text.contains("def f(t, N):"), "{text}");
}

#[test]
fn lines_of_python_are_readable() {
    for model in ["deep.cr", "higham.cr", "logistic.cr", "single_hidden.cr", "spiral.cr", "two_layer.cr"] {
        for target in [Target::Numpy, Target::Torch, Target::Jax, Target::Julia, Target::Matlab] {
            let text = of_model(model).emit(target).text;
            let longest = text.lines().max_by_key(|line| line.len()).unwrap_or_default();
            assert!(longest.len() <= 120, "{model}: {longest}");
        }
    }
}

/// Depth costs no stack, and length no squares.
#[test]
fn deep_and_long_expressions_are_emitted() {
    let mut graph = Graph::new();
    let dims = [graph.dims.named("N"), graph.dims.named("D")];
    let x = graph.variable("X", Role::Input, Shape::new(&dims));
    let w = graph.variable("W", Role::Parameter, Shape::matrix(dims[1], dims[1]));
    let (mut sines, mut products) = (x, x);
    for step in 0..20_000 {
        sines = if step % 2 == 0 { graph.unary(Unary::Sin, sines) } else { graph.add(&[sines, x]) };
        products = if step < 2_000 { graph.matmul(products, w) } else { products };
    }
    let sum = graph.add(&[sines, products]);
    let root: Id = graph.sum_all(sum);
    let outputs = [("loss".to_owned(), root)];
    for (name, target) in Target::ALL {
        let text = emit(&graph, &Request { function: "f", outputs: &outputs }, target).text;
        assert!(text.lines().count() > 1_000, "{name}");
    }
}
