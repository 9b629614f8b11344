//! Facts about matrices: how programs state them, what simplification makes of them, from where values are drawn, and
//! which facts cannot be.

use chainrule::calculus::check::random_point;
use chainrule::calculus::sample::{Domain, sample};
use chainrule::lang::{Fact, Graph, Role, Shape, Tensor};
use chainrule::model::Program;
use chainrule::model::facts::{FACTS, find, state};
use chainrule::text::print::text;

/// The printed expression `F` of a program, and the facts it rests on.
fn shown(facts: &str, expression: &str) -> (String, Vec<String>) {
    let source = format!(
        "input X : [3, 3]\ninput Z : [3, 3]\ninput Y : [4, 3]\ninput x : [3, 1]\n{facts}\nF = {expression}\nloss sum(F)\n"
    );
    let program = Program::parse(&source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
    let id = program.scope.get("F").expect("it has a value");
    let name = |id| program.graph.as_variable(id).map_or_else(String::new, |variable| variable.name.clone());
    let used = program.graph.used_facts().iter().map(|&(id, fact)| fact.equation(&name(id))).collect();
    (text(&program.graph, id), used)
}

#[test]
fn facts_simplify() {
    for (facts, expression, want, used) in [
        ("", "X'*x", "X'*x", ""),
        ("fact X symmetric", "X'*x", "X*x", "X' = X"),
        ("fact X spd", "(Z'*X)'*x", "X*Z*x", "X' = X"),
        ("fact X diagonal", "X' + Z", "X + Z", "X is diagonal"),
        ("fact X orthogonal", "X'*X*x", "x", "inv(X) = X'"),
        ("fact X orthogonal", "X*X'", "eye(3)", "inv(X) = X'"),
        ("fact X orthogonal", "inv(X)*x", "X'*x", "inv(X) = X'"),
        ("fact X orthogonal", "logdet(X) + sum(x)", "sum(x)", "inv(X) = X'"),
        ("fact Y rows_sum_to 1", "rowsum(Y)", "ones(4, 1)", "rowsum(Y) = 1"),
        ("fact X symmetric", "Z*x", "Z*x", ""),
    ] {
        let (text, using) = shown(facts, expression);
        assert_eq!((text.as_str(), using.join(", ").as_str()), (want, used), "{facts}: {expression}");
    }
}

#[test]
fn facts_that_cannot_be_are_errors() {
    for (lines, part) in [
        ("input X : [3, 4]\nfact X symmetric", "needs a square matrix"),
        ("input X : [3, 3]\nfact X symetric", "did you mean `symmetric`"),
        ("input X : [3, 3]\nfact X rows_sum_to 2", "did you mean `rows_sum_to 1`"),
        ("input X : [3, 3]\nfact Z symmetric", "unknown name `Z`"),
        ("param W : [3, 3]\nfact W symmetric", "is learnt"),
        ("const c = 2\nfact c symmetric", "neither an input nor a target"),
        ("input X : [3, 3]\nfact X orthogonal\nfact X spd", "cannot be both"),
        ("input X : [3, 3]\nfact X diagonal\nfact X rows_sum_to 1", "cannot be both"),
        ("input X : [3, 3]\nH = X'\nfact X symmetric", "is used before this line"),
        ("input X : [2, 3, 3]\nfact X rows_sum_to 1", "needs a matrix"),
        ("input X : [3, 3]\nfact X symmetric\nG = grad(sum(X), X)", "of which a fact is stated"),
    ] {
        let error = Program::parse(&format!("{lines}\n")).expect_err(lines);
        assert_eq!(error.code, "E219", "{lines}: {error:?}");
        assert!(error.message.contains(part), "{lines}: {}", error.message);
        assert!(error.span.end > error.span.start, "{lines}: the error has a place");
    }
    let error = Program::parse("input X : [3, 3]\nfact X\n").expect_err("a word is missing");
    assert_eq!(error.code, "E112");
}

#[test]
fn facts_that_go_together_may_be_stated_in_either_order() {
    for lines in ["fact X symmetric\nfact X spd", "fact X spd\nfact X symmetric", "fact X diagonal\nfact X spd"] {
        Program::parse(&format!("input X : [N, M]\n{lines}\n")).unwrap_or_else(|error| panic!("{lines}: {error:?}"));
    }
}

fn largest(n: usize, f: impl Fn(usize, usize) -> f64) -> f64 {
    (0..n * n).fold(0.0, |m: f64, at| m.max(f(at / n, at % n).abs()))
}

/// Does a matrix have what is known of it?
fn holds(fact: Fact, x: &Tensor) -> bool {
    let n = x.sizes[0];
    let at = |i: usize, j: usize| x.at(&[i, j]);
    let symmetric = largest(n, |i, j| at(i, j) - at(j, i)) < 1e-14;
    match fact {
        Fact::Symmetric => symmetric,
        Fact::Diagonal => largest(n, |i, j| if i == j { 0.0 } else { at(i, j) }) == 0.0,
        Fact::Orthogonal => {
            let product = |i: usize, j: usize| (0..n).map(|k| at(i, k) * at(j, k)).sum::<f64>();
            largest(n, |i, j| product(i, j) - f64::from(u8::from(i == j))) < 1e-12
        }
        // Positive pivots.
        Fact::Definite => {
            let mut a = x.clone();
            symmetric
                && (0..n).all(|k| {
                    for i in k + 1..n {
                        let factor = a.values[i * n + k] / a.values[k * n + k];
                        (k..n).for_each(|j| a.values[i * n + j] -= factor * a.values[k * n + j]);
                    }
                    a.values[k * n + k] > 0.0
                })
        }
        Fact::RowsSumToOne => (0..n).all(|i| ((0..x.sizes[1]).map(|j| at(i, j)).sum::<f64>() - 1.0).abs() < 1e-12),
    }
}

#[test]
fn values_are_drawn_that_have_the_facts() {
    for row in FACTS {
        for asked in [Domain::Any, Domain::Positive, Domain::Unit, Domain::Definite] {
            let mut graph = Graph::new();
            let id = graph.variable("X", Role::Input, Shape::known(4, 4));
            state(&mut graph, id, row).expect("a square matrix of which nothing else is known");
            let point = random_point(&graph, &[id], &|_| asked, 3);
            assert!(holds(row.fact, &point.values[&id]), "{} {asked:?}", row.written);
        }
    }
    assert!(holds(Fact::Orthogonal, &sample(Domain::Orthogonal, &[6, 6], 1, 2, 3)));
    assert!(find("rows_sum_to 1").is_ok() && find("triangular").is_err());
}
