//! `einsum` and tensors of the language: against sums written out, wrong subscripts, gradients of attention, and the cases
//! in subscript notation. The cases lie outside of the repository; without them the test says so and passes.

use std::path::{Path, PathBuf};

use chainrule::calculus::check::check_gradient;
use chainrule::calculus::differentiate::gradients;
use chainrule::calculus::sample::{Domain, sample};
use chainrule::lang::evaluate::{Point, evaluate};
use chainrule::lang::{Dim, Graph, Id, Role, Shape, Tensor};
use chainrule::model::Program;
use chainrule::model::answer::{Declaration, Extent, Question, Subject};
use chainrule::model::builder::{Builder, Place, Scope};
use chainrule::text::diagnostic::Diagnostic;
use chainrule::text::parser::parse_expression;
use chainrule::text::print::{Style, notation, print};
use serde_json::Value;

fn shape(sizes: &[u32]) -> Shape {
    Shape::new(&sizes.iter().map(|&n| Dim::Known(n)).collect::<Vec<Dim>>())
}

/// Variables `A`, `B`, `C` ... of these shapes at a random point.
struct World {
    graph: Graph,
    scope: Scope,
    point: Point,
}

impl World {
    fn new(shapes: &[&[u32]]) -> World {
        let (mut graph, mut scope, mut point) = (Graph::new(), Scope::default(), Point::default());
        for (name, &sizes) in ["A", "B", "C", "D"].iter().zip(shapes) {
            let id = graph.variable(name, Role::Input, shape(sizes));
            let sizes: Vec<usize> = sizes.iter().map(|&n| n as usize).collect();
            point.values.insert(id, sample(Domain::Any, &sizes, 5, id.0, 1));
            scope.bind(name, id);
        }
        World { graph, scope, point }
    }

    fn build(&mut self, text: &str) -> Result<Id, Diagnostic> {
        let (ast, root) = parse_expression(text)?;
        let mut builder = Builder::new(&ast, std::mem::take(&mut self.graph));
        let result = builder.expression(Place { ast: &ast, scope: &self.scope }, root);
        self.graph = builder.graph;
        result
    }

    fn value(&self, id: Id) -> Tensor {
        evaluate(&self.graph, &[id], &self.point).expect("a value").get(id).clone()
    }
}

/// The sum over all values of all letters, without any cleverness.
fn written_out(subscripts: &str, operands: &[&Tensor]) -> Vec<f64> {
    let (left, result) = subscripts.split_once("->").expect("an arrow");
    let terms: Vec<&str> = left.split(',').collect();
    let mut extents: Vec<(char, usize)> = Vec::new();
    for (term, operand) in terms.iter().zip(operands) {
        for (letter, &size) in term.chars().zip(&operand.sizes) {
            if !extents.iter().any(|(known, _)| *known == letter) {
                extents.push((letter, size));
            }
        }
    }
    let extent = |letter: char| extents.iter().find(|(known, _)| *known == letter).map_or(1, |(_, n)| *n);
    let count = |letters: &str| letters.chars().map(extent).product::<usize>();
    let mut out = vec![0.0; count(result)];
    for combination in 0..extents.iter().map(|(_, n)| n).product() {
        let position = |letter: char| {
            let before: usize = extents.iter().take_while(|(known, _)| *known != letter).map(|(_, n)| n).product();
            combination / before % extent(letter)
        };
        let offset = |letters: &str| letters.chars().fold(0, |at, letter| at * extent(letter) + position(letter));
        let product: f64 = terms.iter().zip(operands).map(|(term, operand)| operand.values[offset(term)]).product();
        out[offset(result)] += product;
    }
    out
}

/// Subscripts and the shapes of the operands; letters for every axis.
const CALLS: &[(&str, &[&[u32]])] = &[
    ("ij,jk->ik", &[&[2, 3], &[3, 4]]),
    ("ji,jk->ki", &[&[3, 2], &[3, 4]]),
    ("ij,ij->", &[&[2, 3], &[2, 3]]),
    ("ij,kl->ikjl", &[&[2, 3], &[4, 5]]),
    ("ij->ji", &[&[2, 3]]),
    ("ij->", &[&[2, 3]]),
    ("ijk->ki", &[&[2, 3, 4]]),
    ("ii->", &[&[3, 3]]),
    ("iji->ji", &[&[2, 3, 2]]),
    ("iij,jk->ik", &[&[2, 2, 3], &[3, 4]]),
    ("iii->", &[&[3, 3, 3]]),
    ("bij,bjk->bik", &[&[2, 3, 4], &[2, 4, 5]]),
    ("bij,bjk,bik->", &[&[2, 3, 4], &[2, 4, 5], &[2, 3, 5]]),
    ("bshd,bthd->bhst", &[&[2, 3, 2, 4], &[2, 5, 2, 4]]),
    ("ir,jr,kr,ijk->", &[&[3, 2], &[4, 2], &[5, 2], &[3, 4, 5]]),
    ("abc,ia,jb,kc->ijk", &[&[2, 3, 2], &[4, 2], &[5, 3], &[3, 2]]),
    ("abcdef,fedcba->abc", &[&[2, 1, 3, 2, 1, 2], &[2, 1, 2, 3, 1, 2]]),
    ("ij,k->ijk", &[&[2, 3], &[4, 1]]),
];

#[test]
fn calls_equal_the_sums_written_out() {
    for (subscripts, shapes) in CALLS {
        let mut world = World::new(shapes);
        let names = ["A", "B", "C", "D"];
        let text = format!("einsum(\"{subscripts}\", {})", names[..shapes.len()].join(", "));
        let id = world.build(&text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let tensors: Vec<Tensor> =
            names[..shapes.len()].iter().map(|name| world.value(world.scope.get(name).expect("declared"))).collect();
        let want = written_out(subscripts, &tensors.iter().collect::<Vec<&Tensor>>());
        let found = world.value(id).values;
        assert_eq!(found.len(), want.len(), "{text}");
        let difference = found.iter().zip(&want).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
        assert!(difference < 1e-12, "{text}: {difference:e}");
        // What is printed says the same.
        let printed = print(&world.graph, id, Style::Text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let again = world.build(&printed).unwrap_or_else(|error| panic!("{printed}: {error:?}"));
        assert_eq!(world.graph.shape(again), world.graph.shape(id), "{text}: {printed}");
        let again = world.value(again).values;
        assert!(found.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-12), "{text}: {printed}");
    }
}

#[test]
fn gradients_of_calls_are_right_and_readable() {
    for (subscripts, shapes) in CALLS {
        let mut world = World::new(shapes);
        let names = ["A", "B", "C", "D"];
        let text = format!("sum(tanh(einsum(\"{subscripts}\", {})))", names[..shapes.len()].join(", "));
        let root = world.build(&text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        for name in &names[..shapes.len()] {
            let wrt = world.scope.get(name).expect("declared");
            let gradient = gradients(&mut world.graph, root, &[wrt])[0];
            check_gradient(&mut world.graph, root, wrt, gradient, None).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let printed = print(&world.graph, gradient, Style::Text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let again = world.build(&printed).unwrap_or_else(|error| panic!("{printed}: {error:?}"));
            let (found, again) = (world.value(gradient), world.value(again));
            assert_eq!(found.sizes, again.sizes, "{text}: {printed}");
            assert!(found.values.iter().zip(&again.values).all(|(a, b)| (a - b).abs() < 1e-12), "{text}: {printed}");
        }
    }
}

#[test]
fn a_gradient_of_products_is_one_call() {
    let mut world = World::new(&[&[2, 3, 4], &[2, 4, 5], &[2, 3, 5]]);
    let root = world.build("einsum(\"bij,bjk,bik->\", A, B, C)").expect("good text");
    let wrt = world.scope.get("A").expect("declared");
    let gradient = gradients(&mut world.graph, root, &[wrt])[0];
    assert_eq!(print(&world.graph, gradient, Style::Text).as_deref(), Ok("einsum(\"ijk,ilk->ijl\", C, B)"));
    let (subscripts, operands) = notation(&world.graph, gradient).expect("it is a product of variables");
    assert_eq!((subscripts.as_str(), operands.len()), ("ijk,ilk->ijl", 2));
}

#[test]
fn matrices_keep_their_own_notation() {
    let mut world = World::new(&[&[2, 3], &[3, 4], &[2, 4]]);
    for (text, want) in [
        ("einsum(\"ij,jk->ik\", A, B)", "A*B"),
        ("einsum(\"ij,kj->ik\", A, B')", "A*B"),
        ("einsum(\"ij,jk,ik->\", A, B, C)", "sum(A*B.*C)"),
        ("einsum(\"ij->i\", A)", "rowsum(A)"),
        ("einsum(\"ij->ji\", A)", "A'"),
    ] {
        let id = world.build(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(print(&world.graph, id, Style::Text).as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn wrong_subscripts_are_explained() {
    for (text, part) in [
        ("einsum(\"ij,jk\", A, B)", "no `->`"),
        ("einsum(\"ij->ij\", A, B)", "1 operands, the call has 2"),
        ("einsum(\"ij,jk->il\", A, B)", "no operand has the index `l`"),
        ("einsum(\"ij,jk->ii\", A, B)", "twice in the result"),
        ("einsum(\"ijk,jk->i\", A, B)", "`ijk` has 3 indices"),
        ("einsum(\"ij,ik->jk\", A, B)", "runs over 2 and over 3"),
        ("einsum(\"i.,jk->ik\", A, B)", "`.` is no index"),
        ("einsum(\"abcdefg->a\", A)", "more than 6"),
        ("einsum(A, B)", "begins with its subscripts"),
        ("einsum(\"ij->i\")", "begins with its subscripts"),
    ] {
        let mut world = World::new(&[&[2, 3], &[3, 4]]);
        let error = world.build(text).expect_err(text);
        let whole = format!("{} {}", error.message, error.help.clone().unwrap_or_default());
        assert!(["E220", "E203", "E206"].contains(&error.code), "{text}: {error:?}");
        assert!(whole.contains(part) || error.code != "E220", "{text}: {whole}");
    }
}

/// Attention with several heads, as a program: a chain of contractions, softmax along the last axis, and a loss.
#[test]
fn attention_with_heads_has_a_gradient() {
    let text = "input Q : [2, 3, 2, 4]\ninput K : [2, 5, 2, 4]\ninput V : [2, 5, 2, 4]\ntarget G : [2, 3, 2, 4]\n\
                logits = einsum(\"bshd,bthd->bhst\", Q, K)/2\nP = softmax(logits)\n\
                out = einsum(\"bhst,bthd->bshd\", P, V)\nloss sum((out - G).^2)\n";
    let mut program = Program::parse(text).unwrap_or_else(|error| panic!("{error:?}"));
    let loss = program.loss.expect("it has a loss");
    for name in ["Q", "K", "V"] {
        let wrt = program.scope.get(name).expect("declared");
        let gradient = gradients(&mut program.graph, loss, &[wrt])[0];
        check_gradient(&mut program.graph, loss, wrt, gradient, None).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let printed = print(&program.graph, gradient, Style::Text).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert!(printed.contains("einsum("), "{printed}");
        let tree = parse_expression(&printed);
        assert!(tree.is_ok(), "{printed}");
    }
}

fn file() -> Option<PathBuf> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = start.ancestors().flat_map(|up| [up.join("shared/cases"), up.join("../shared/cases")]);
    places.map(|folder| folder.join("einsum.json")).find(|path| path.exists())
}

#[test]
fn cases_in_subscript_notation() {
    let Some(path) = file() else {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"shared/cases/einsum.json is not here: the cases are not checked\n",
        );
        return;
    };
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
    for case in json.as_array().expect("a list") {
        let text = |key: &str| case[key].as_str().expect("a text").to_owned();
        let declare = |(name, sizes): (&String, &Value)| {
            let sizes: Vec<u32> =
                sizes.as_array().expect("sizes").iter().map(|n| n.as_u64().unwrap_or(0) as u32).collect();
            let extents = sizes.into_iter().map(Extent::Number).collect();
            Declaration { name: name.clone(), extents, domain: None, facts: Vec::new() }
        };
        let declarations: Vec<Declaration> = case["vars"].as_object().expect("variables").iter().map(declare).collect();
        let (subscripts, names) =
            text("expr").split_once(':').map(|(s, n)| (s.to_owned(), n.to_owned())).expect("a colon");
        let call = format!("einsum(\"{subscripts}\", {names})");
        let mut subject = Subject::of_expression(&call, &declarations, &[&text("wrt")]).expect("it is an expression");
        let question = Question::first(subject.variable(&text("wrt")).expect("it is declared"));
        let answer = subject.answer(question);
        let answer = answer.unwrap_or_else(|refusal| panic!("{}: {}", text("id"), refusal.reason()));
        let graph = &subject.work.graph;
        let (found, operands) = notation(graph, answer.id).expect("one call");
        // Both sides at a random point, as sums written out.
        let draw = |name: &str| {
            let at = declarations.iter().position(|d| d.name == name).expect("declared");
            let number = |extent: &Extent| match extent {
                Extent::Number(n) => *n as usize,
                Extent::Name(name) => panic!("`{name}` is a number"),
            };
            let sizes: Vec<usize> = declarations[at].extents.iter().map(number).collect();
            sample(Domain::Any, &sizes, 9, at as u32, 2)
        };
        let value = |subscripts: &str, names: &[String]| {
            let tensors: Vec<Tensor> = names.iter().map(|name| draw(name)).collect();
            written_out(subscripts, &tensors.iter().collect::<Vec<&Tensor>>())
        };
        let names: Vec<String> =
            operands.iter().map(|&id| graph.as_variable(id).expect("a variable").name.clone()).collect();
        let expected = text("expected");
        let (right, right_names) = expected.split_once(':').expect("a colon");
        let right_names: Vec<String> = right_names.split(',').map(str::to_owned).collect();
        let (found, want) = (value(&found, &names), value(right, &right_names));
        assert_eq!(found.len(), want.len(), "{}", text("id"));
        assert!(found.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-12), "{}", text("id"));
    }
}
