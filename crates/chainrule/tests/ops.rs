//! The laws that every operation obeys, over all of them: shape errors, differential against central differences,
//! adjoint against differential, printing and reading back, conventions at kinks.
//!
//! Adding an operation: its row or file, one line in the enum, one in `Op::def`; this file then does not compile until
//! the operation has a line in [`place`], and fails until it has a [`Sample`]. `softplus`, an element-wise function, is
//! the worked example: its row is all there is to write, and `softplus_the_worked_example` shows what the row gives.

mod evaluator;

use chainrule::calculus::differentiate::{gradients, local_differential, transpose};
use chainrule::calculus::sample::{Domain, sample};
use chainrule::lang::evaluate::{Point, evaluate};
use chainrule::lang::ops::arithmetic::{Add, Mul, Power};
use chainrule::lang::ops::contract::{Contract, Labels};
use chainrule::lang::ops::diagonal::{Diagonal, DiagonalMatrix};
use chainrule::lang::ops::elementwise::{Binary, UNARY, Unary};
use chainrule::lang::ops::factor::{Det, Inverse, LogDet};
use chainrule::lang::ops::reduce::{FirstMax, Max, Sum};
use chainrule::lang::ops::softmax::{LogSumExp, Softmax};
use chainrule::lang::ops::source::{Constant, Eye, Size};
use chainrule::lang::ops::view::{Broadcast, Permute, Reshape};
use chainrule::lang::{Axes, Derivative, Dim, Graph, Id, Op, Role, Shape, ShapeError, Tensor};
use chainrule::model::builder::Scope;
use chainrule::text::print::{PrintError, Style, print};
use evaluator::{Matrix, build, elementwise, names_of, value};

/// The place of each operation in the list of samples; no wildcard, so that a new one is not forgotten.
fn place(op: Op) -> usize {
    match op {
        Op::Variable(_) => 0,
        Op::Constant(_) => 1,
        Op::Size(_) => 2,
        Op::Eye(_) => 3,
        Op::Unary(_) => 4,
        Op::Binary(Binary::Pow) => 5,
        Op::Binary(Binary::Max) => 6,
        Op::Binary(Binary::Min) => 7,
        Op::Add(_) => 8,
        Op::Mul(_) => 9,
        Op::Power(_) => 10,
        Op::Contract(_) => 11,
        Op::Sum(_) => 12,
        Op::Max(_) => 13,
        Op::FirstMax(_) => 14,
        Op::Softmax(_) => 15,
        Op::LogSumExp(_) => 16,
        Op::Broadcast(_) => 17,
        Op::Permute(_) => 18,
        Op::Reshape(_) => 19,
        Op::Diagonal(_) => 20,
        Op::DiagonalMatrix(_) => 21,
        Op::Inverse(_) => 22,
        Op::Det(_) => 23,
        Op::LogDet(_) => 24,
    }
}
const PLACES: usize = 25;

/// An operation on variables `A`, `B`, `C` of these shapes.
struct Sample {
    op: Op,
    args: Vec<Shape>,
    domain: Domain,
    /// How it is written; `None` when matrix notation cannot write it.
    text: Option<String>,
    /// Shapes that it refuses, and how.
    wrong: Vec<(Vec<Shape>, ShapeError)>,
}

impl Sample {
    fn new(op: Op, args: &[Shape], text: &str) -> Sample {
        let text = (!text.is_empty()).then(|| text.to_owned());
        Sample { op, args: args.to_vec(), domain: Domain::Any, text, wrong: Vec::new() }
    }

    fn from(mut self, domain: Domain) -> Sample {
        self.domain = domain;
        self
    }

    fn refuses(mut self, shapes: &[Shape], error: ShapeError) -> Sample {
        self.wrong.push((shapes.to_vec(), error));
        self
    }
}

fn matrix(rows: u32, cols: u32) -> Shape {
    Shape::known(rows, cols)
}

fn cube(a: u32, b: u32, c: u32) -> Shape {
    Shape::new(&[Dim::Known(a), Dim::Known(b), Dim::Known(c)])
}

fn differ(what: &'static str, left: Shape, right: Shape) -> ShapeError {
    ShapeError::Mismatch { what, left, right }
}

/// At least one sample of every operation; shapes are never square where the operation does not need it.
fn samples() -> Vec<Sample> {
    let (m, wide, tall) = (matrix(3, 4), matrix(2, 3), matrix(3, 2));
    let needs = |what, found| ShapeError::Needs { what, found };
    let mut list = vec![
        Sample::new(Op::Constant(Constant::new(2.5)), &[], "2.5"),
        Sample::new(Op::Size(Size(Dim::Symbol(0))), &[], "N"),
        Sample::new(Op::Eye(Eye(Dim::Known(3))), &[], "eye(3)"),
    ];
    for row in UNARY {
        let domain = if ["log", "log1p"].contains(&row.name) { Domain::Positive } else { Domain::Any };
        list.push(Sample::new(Op::Unary(row.op), &[m], &format!("{}(A)", row.name)).from(domain));
    }
    for (op, text) in [(Binary::Pow, "A.^B"), (Binary::Max, "max(A, B)"), (Binary::Min, "min(A, B)")] {
        let pair = Sample::new(Op::Binary(op), &[m, m], text).from(Domain::Positive);
        list.push(pair.refuses(&[wide, tall], differ("the shapes", wide, tall)));
    }
    for (op, text) in [(Op::Add(Add), "A + B + C"), (Op::Mul(Mul), "A.*B.*C")] {
        let three = Sample::new(op, &[m, m, m], text);
        list.push(three.refuses(&[m, m, wide], differ("the shapes", m, wide)));
    }
    for (p, text) in [(2.0, "A.^2"), (0.5, "sqrt(A)"), (-1.0, "1./A"), (-0.5, "1./sqrt(A)"), (-2.5, "1./A.^2.5")] {
        list.push(Sample::new(Op::Power(Power::new(p)), &[m], text).from(Domain::Positive));
    }
    let product = Sample::new(Op::Contract(Contract::MATMUL), &[m, matrix(4, 2)], "A*B");
    let product = product.refuses(&[m, m], differ("the inner dimensions", m, m));
    list.push(product.refuses(&[cube(2, 3, 4), m], differ("the ranks", cube(2, 3, 4), m)));
    // Per example: out[n, i, j] = a[n, i] * b[n, j]; and a batch of products.
    let spec = |a: &[u8], b: &[u8], out: &[u8]| {
        Op::Contract(Contract { a: Labels::new(a), b: Labels::new(b), out: Labels::new(out) })
    };
    list.push(Sample::new(
        spec(&[0, 1], &[0, 2], &[0, 1, 2]),
        &[matrix(3, 2), matrix(3, 4)],
        "einsum(\"ij,ik->ijk\", A, B)",
    ));
    list.push(Sample::new(
        spec(&[0, 1, 2], &[0, 2, 3], &[0, 1, 3]),
        &[cube(2, 3, 4), cube(2, 4, 5)],
        "einsum(\"ijk,ikl->ijl\", A, B)",
    ));
    for (axes, text) in [(Axes::all(2), "sum(A)"), (Axes::COLUMNS, "rowsum(A)"), (Axes::ROWS, "colsum(A)")] {
        list.push(Sample::new(Op::Sum(Sum(axes)), &[m], text));
    }
    for (axes, name) in [(Axes::all(2), ""), (Axes::COLUMNS, "row"), (Axes::ROWS, "col")] {
        list.push(Sample::new(Op::Max(Max(axes)), &[m], &format!("{name}max(A)")));
        list.push(Sample::new(Op::FirstMax(FirstMax(axes)), &[m], &format!("{name}firstmax(A)")));
    }
    let both: Axes = [0, 1].into_iter().collect();
    list.push(Sample::new(Op::Sum(Sum(both)), &[cube(2, 3, 4)], "einsum(\"ijk->11k\", A)"));
    list.push(Sample::new(Op::Max(Max(both)), &[cube(2, 3, 4)], ""));
    list.push(Sample::new(Op::Sum(Sum(Axes::one(2))), &[cube(2, 3, 4)], "rowsum(A)"));
    list.push(Sample::new(Op::Max(Max(Axes::one(2))), &[cube(2, 3, 4)], "rowmax(A)"));
    list.push(Sample::new(Op::Sum(Sum(Axes::one(1))), &[cube(2, 3, 4)], "colsum(A)"));
    list.push(Sample::new(Op::Softmax(Softmax), &[m], "softmax(A)"));
    list.push(Sample::new(Op::LogSumExp(LogSumExp), &[m], "logsumexp(A)"));
    for (from, text) in [(matrix(3, 1), "A*ones(1, 4)"), (matrix(1, 4), "ones(3, 1)*A"), (matrix(1, 1), "A*ones(3, 4)")]
    {
        let stretch = Sample::new(Op::Broadcast(Broadcast(m)), &[from], text);
        list.push(stretch.refuses(&[wide], differ("the shapes", wide, m)));
    }
    let transpose = Sample::new(Op::Permute(Permute::TRANSPOSE), &[m], "A'");
    list.push(transpose.refuses(&[cube(2, 3, 4)], needs("a matrix", cube(2, 3, 4))));
    list.push(Sample::new(Op::Permute(Permute::new(&[2, 0, 1])), &[cube(2, 3, 4)], "einsum(\"ijk->kij\", A)"));
    let reshape = Sample::new(Op::Reshape(Reshape(matrix(2, 6))), &[m], "reshape(A', 6, 2)'");
    list.push(reshape.refuses(&[matrix(3, 5)], differ("the numbers of elements", matrix(3, 5), matrix(2, 6))));
    list.push(
        Sample::new(Op::Diagonal(Diagonal), &[matrix(3, 3)], "diag(A)").refuses(&[m], needs("a square matrix", m)),
    );
    let diagonal = Sample::new(Op::DiagonalMatrix(DiagonalMatrix), &[matrix(3, 1)], "diag(A)");
    list.push(diagonal.refuses(&[m], needs("a column", m)));
    for (op, text) in [(Op::Inverse(Inverse), "inv(A)"), (Op::Det(Det), "det(A)"), (Op::LogDet(LogDet), "logdet(A)")] {
        let square = Sample::new(op, &[matrix(3, 3)], text).from(Domain::Invertible);
        list.push(
            square
                .refuses(&[m], needs("a square matrix", m))
                .refuses(&[cube(2, 2, 2)], needs("a square matrix", cube(2, 2, 2))),
        );
    }
    list
}

/// A sample as a graph: the node and its variables, at a point.
struct Built {
    graph: Graph,
    node: Id,
    args: Vec<Id>,
    point: Point,
}

fn built(sample: &Sample, seed: u64) -> Built {
    let mut graph = Graph::new();
    let n = graph.dims.named("N");
    let args: Vec<Id> = ["A", "B", "C"]
        .iter()
        .zip(&sample.args)
        .map(|(name, shape)| graph.variable(name, Role::Input, *shape))
        .collect();
    let node = graph.build(sample.op, &args);
    let mut point = Point::default();
    point.extents.insert(n, 5);
    for &arg in &args {
        draw(&graph, &mut point, arg, sample.domain, seed);
    }
    Built { graph, node, args, point }
}

fn draw(graph: &Graph, point: &mut Point, variable: Id, domain: Domain, seed: u64) {
    let sizes = point.sizes(graph, &graph.shape(variable)).expect("all extents are known");
    point.values.insert(variable, sample(domain, &sizes, seed, variable.0, 3));
}

fn variable(built: &mut Built, name: &str, like: Id, seed: u64) -> Id {
    let shape = built.graph.shape(like);
    let id = built.graph.variable(name, Role::Differential, shape);
    draw(&built.graph, &mut built.point, id, Domain::Any, seed);
    id
}

fn inner(a: &Tensor, b: &Tensor) -> f64 {
    a.values.iter().zip(&b.values).map(|(a, b)| a * b).sum()
}

fn length(a: &Tensor) -> f64 {
    inner(a, a).sqrt()
}

fn at(built: &Built, id: Id) -> Tensor {
    evaluate(&built.graph, &[id], &built.point).expect("everything has a value").get(id).clone()
}

#[test]
fn every_operation_has_a_sample() {
    let mut seen = [false; PLACES];
    seen[0] = true; // Every sample is made of variables.
    for sample in samples() {
        seen[place(sample.op)] = true;
    }
    let missing: Vec<usize> = (0..PLACES).filter(|&place| !seen[place]).collect();
    assert!(missing.is_empty(), "no sample of the operations at the places {missing:?}");
}

#[test]
fn element_wise_functions_have_names_of_their_own() {
    let mut names: Vec<&str> = UNARY.iter().map(|row| row.name).collect();
    names.extend(chainrule::model::functions::NATIVE.iter().map(|native| native.name));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn wrong_shapes_are_refused_exactly() {
    for sample in samples() {
        for (shapes, error) in &sample.wrong {
            let mut graph = Graph::new();
            let args: Vec<Id> = shapes.iter().map(|shape| graph.variable("x", Role::Input, *shape)).collect();
            assert_eq!(graph.try_build(sample.op, &args), Err(error.clone()), "{:?}", sample.op);
        }
    }
}

#[test]
fn open_dimensions_are_learnt() {
    let mut graph = Graph::new();
    let [n, d, k] = ["N", "D", "K"].map(|name| graph.dims.named(name));
    let a = graph.variable("A", Role::Input, Shape::matrix(n, d));
    let b = graph.variable("B", Role::Input, Shape::matrix(k, Dim::Known(3)));
    let product = graph.matmul(a, b);
    assert_eq!(graph.dims.resolve(k), graph.dims.resolve(d));
    assert_eq!(graph.shape(product), Shape::matrix(n, Dim::Known(3)));
    let c = graph.variable("C", Role::Input, Shape::matrix(n, n));
    graph.build(Op::Inverse(Inverse), &[c]);
    graph.build(Op::Add(Add), &[a, a]);
    let fixed = graph.variable("F", Role::Input, matrix(7, 7));
    graph.add(&[c, fixed]);
    assert_eq!(graph.dims.value(n), Some(7));
}

#[test]
fn differentials_agree_with_central_differences() {
    const H: f64 = 6e-6;
    for sample in samples() {
        for arg in 0..sample.args.len() {
            let redrawn = (0..20).find(|&seed| {
                let mut built = built(&sample, 40 + seed);
                let x = built.args[arg];
                let dx = variable(&mut built, "dx", x, 50 + seed);
                let mut seeds = vec![None; sample.args.len()];
                seeds[arg] = Some(dx);
                let differential = local_differential(&mut built.graph, built.node, &seeds);
                let exact = differential.map(|id| at(&built, id));
                let (start, direction) = (built.point.values[&x].clone(), built.point.values[&dx].clone());
                let mut sides = Vec::new();
                for sign in [1.0, -1.0] {
                    let values = start.values.iter().zip(&direction.values).map(|(x, u)| x + sign * H * u).collect();
                    built.point.values.insert(x, Tensor { sizes: start.sizes.clone(), values });
                    let values = evaluate(&built.graph, &[built.node], &built.point).expect("a value");
                    sides.push((values.get(built.node).clone(), values.branches));
                }
                if sides[0].1 != sides[1].1 {
                    return false;
                }
                let numeric = sides[0].0.values.iter().zip(&sides[1].0.values).map(|(a, b)| (a - b) / (2.0 * H));
                let zero = Tensor::filled(&sides[0].0.sizes, 0.0);
                let exact = exact.unwrap_or(zero);
                let scale = exact.max_abs().max(1.0);
                for (numeric, exact) in numeric.zip(&exact.values) {
                    let error = (numeric - exact).abs() / scale;
                    assert!(error <= 1e-7, "{:?}, argument {arg}: {numeric} against {exact}", sample.op);
                }
                true
            });
            assert!(redrawn.is_some(), "{:?}: always on a kink", sample.op);
        }
    }
}

#[test]
fn adjoints_and_differentials_have_equal_inner_products() {
    for sample in samples() {
        for arg in 0..sample.args.len() {
            let mut built = built(&sample, 60);
            let (x, y) = (built.args[arg], built.node);
            let dx = variable(&mut built, "dx", x, 61);
            let y_bar = variable(&mut built, "y_bar", y, 62);
            let mut seeds = vec![None; sample.args.len()];
            seeds[arg] = Some(dx);
            let Some(forward) = local_differential(&mut built.graph, built.node, &seeds) else {
                assert!(matches!(sample.op.def().derivative(arg), Derivative::Flat), "{:?}", sample.op);
                continue;
            };
            let x_bar = match sample.op.def().derivative(arg) {
                Derivative::Linear(adjoint) => adjoint(&mut built.graph, built.node, arg, y_bar),
                Derivative::Additive => y_bar,
                // What is not linear has a differential that is; its adjoint is derived.
                Derivative::Rule(_) => {
                    let cotangents = transpose(&mut built.graph, forward, y_bar, &[dx]);
                    cotangents[0].expect("the differential contains dx")
                }
                Derivative::Flat => unreachable!("it has a differential"),
            };
            assert_eq!(built.graph.shape(x_bar), built.graph.shape(dx), "{:?}", sample.op);
            let [forward, y_bar, dx, x_bar] = [forward, y_bar, dx, x_bar].map(|id| at(&built, id));
            let (left, right) = (inner(&forward, &y_bar), inner(&dx, &x_bar));
            let scale = length(&forward) * length(&y_bar) + length(&dx) * length(&x_bar);
            let error = (left - right).abs() / scale.max(1e-300);
            assert!(error <= 1e-12, "{:?}, argument {arg}: {left} against {right}", sample.op);
        }
    }
}

#[test]
fn printed_text_reads_back_equal() {
    for sample in samples() {
        let built = built(&sample, 70);
        let written = print(&built.graph, built.node, Style::Text);
        let Some(text) = &sample.text else {
            assert!(matches!(written, Err(PrintError::NotAMatrix(_))), "{:?} is written {written:?}", sample.op);
            continue;
        };
        assert_eq!(written.as_ref(), Ok(text), "{:?}", sample.op);
        let mut scope = Scope::default();
        for (name, &arg) in ["A", "B", "C"].iter().zip(&built.args) {
            scope.bind(name, arg);
        }
        let mut graph = built.graph.clone();
        let parsed = build(&mut graph, &scope, text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(graph.shape(parsed), built.graph.shape(built.node), "{text}");
        let values = evaluate(&graph, &[parsed, built.node], &built.point).expect("a value");
        let [parsed, node] = [parsed, built.node].map(|id| values.get(id));
        let pairs = node.values.iter().zip(&parsed.values);
        assert!(
            node.sizes == parsed.sizes && pairs.fold(0.0, |m: f64, (a, b)| m.max((a - b).abs())) <= 1e-14,
            "{text}"
        );
        // The reference knows matrices only.
        if node.sizes.len() != 2 || sample.args.iter().any(|shape| shape.rank() != 2) {
            continue;
        }
        let node = Matrix::from_tensor(node);
        let independent = value(text, &names_of(&graph, &built.point));
        assert!(node.difference(&independent, 1.0) <= 1e-12, "{text}: {node:?} {independent:?}");
    }
}

/// Braces that are not escaped, and `\left` with `\right`, close in order.
fn balanced(latex: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = latex;
    while let Some(c) = rest.chars().next() {
        let word = [r"\left", r"\right", r"\{", r"\}", r"\\"].into_iter().find(|word| rest.starts_with(word));
        let arrow = rest.starts_with(r"\leftarrow") || rest.starts_with(r"\rightarrow");
        match (word, c) {
            (Some(r"\left"), _) if !arrow => open.push('('),
            (Some(r"\right"), _) if !arrow && open.pop() != Some('(') => return false,
            (None, '{') => open.push('{'),
            (None, '}') if open.pop() != Some('{') => return false,
            _ => {}
        }
        rest = &rest[word.map_or(c.len_utf8(), str::len)..];
    }
    open.is_empty()
}

#[test]
fn latex_is_balanced() {
    assert!(balanced(r"\left(\{x_{1}\right)") && !balanced(r"\left(x_{1}") && !balanced(r"\left({\right)}"));
    for sample in samples() {
        let mut built = built(&sample, 80);
        let total = built.graph.sum_all(built.node);
        let args = built.args.clone();
        let mut shown = gradients(&mut built.graph, total, &args);
        shown.extend([built.node, total]);
        for id in shown {
            if let Ok(latex) = print(&built.graph, id, Style::Latex) {
                assert!(balanced(&latex) && !latex.is_empty(), "{latex}");
            }
        }
    }
}

/// The derivative of a scalar expression of one variable, row or column.
fn slope(text: &str, names: &[(&str, &[f64])], wrt: &str) -> Vec<f64> {
    let mut graph = Graph::new();
    let mut scope = Scope::default();
    let mut point = Point::default();
    for (name, values) in names {
        let id = graph.variable(name, Role::Input, matrix(1, values.len() as u32));
        point.values.insert(id, Tensor { sizes: vec![1, values.len()], values: values.to_vec() });
        scope.bind(name, id);
    }
    let root = build(&mut graph, &scope, text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let variable = scope.get(wrt).expect("declared");
    let gradient = gradients(&mut graph, root, &[variable])[0];
    evaluate(&graph, &[gradient], &point).expect("a value").get(gradient).values.clone()
}

#[test]
fn conventions_at_kinks() {
    let zero: &[(&str, &[f64])] = &[("x", &[0.0])];
    let minus: &[(&str, &[f64])] = &[("x", &[-0.0])];
    for names in [zero, minus] {
        for text in ["relu(x)", "abs(x)", "step(x)", "sign(x)", "floor(x)", "abs(x)^3", "relu(x)^2"] {
            assert_eq!(slope(text, names, "x"), [0.0], "{text} at 0");
        }
    }
    // A tie goes to the first argument, of max and of min, whichever way round.
    let tie: &[(&str, &[f64])] = &[("x", &[2.0]), ("y", &[2.0])];
    for text in ["max(x, y)", "min(x, y)"] {
        assert_eq!(slope(text, tie, "x"), [1.0], "{text}");
        assert_eq!(slope(text, tie, "y"), [0.0], "{text}");
    }
    assert_eq!(slope("max(y, x)", tie, "x"), [0.0]);
    assert_eq!(slope("max(x, 2)", tie, "x"), [1.0]);
    assert_eq!(slope("max(2, x)", tie, "x"), [0.0]);
    // A tie of elements goes to the first one, by rows.
    let row: &[(&str, &[f64])] = &[("x", &[1.0, 3.0, 3.0, 2.0, 3.0])];
    for text in ["max(x)", "rowmax(x)", "colmax(x')"] {
        assert_eq!(slope(text, row, "x"), [0.0, 1.0, 0.0, 0.0, 0.0], "{text}");
    }
    let equal: &[(&str, &[f64])] = &[("x", &[4.0, 4.0])];
    assert_eq!(slope("max(diag(x))", equal, "x"), [1.0, 0.0]);
    // Both sides of a kink.
    for (x, relu, abs) in [(1e-300, 1.0, 1.0), (-1e-300, 0.0, -1.0)] {
        assert_eq!(slope("relu(x)", &[("x", &[x])], "x"), [relu]);
        assert_eq!(slope("abs(x)", &[("x", &[x])], "x"), [abs]);
    }
}

#[test]
fn values_at_special_points() {
    let specials = [0.0, -0.0, 1.0, -1.0, 5e-324, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    for row in UNARY {
        let independent = elementwise(row.name).unwrap_or_else(|| panic!("{} is in the reference", row.name));
        for x in specials {
            let (found, want) = ((row.value)(x), independent(x));
            // max(x, 0) of nothing is nothing; the comparison of the reference says 0, and so says a sign.
            if x.is_nan() {
                assert!(found.is_nan() || ["step", "sign"].contains(&row.name), "{}(nan) = {found}", row.name);
                continue;
            }
            let same = found == want || (found.is_nan() && want.is_nan()) || (found - want).abs() <= 1e-15 * want.abs();
            assert!(same, "{}({x}) = {found}, not {want}", row.name);
        }
    }
}

/// What one row gives: a value without overflow, a derivative, the text, LaTeX, and the spelled-out formula, all
/// without another line of code.
#[test]
fn softplus_the_worked_example() {
    let row = Unary::Softplus.row();
    assert_eq!((row.name, row.kink), ("softplus", false));
    // Its value is stable where log(1 + exp(x)) overflows or loses its digits.
    for (x, y) in [(0.0, std::f64::consts::LN_2), (1e4, 1e4), (-1e4, 0.0), (-40.0, 4.248354255291589e-18)] {
        let value = (row.value)(x);
        assert!((value - y).abs() <= 1e-15 * y, "softplus({x}) = {value}");
    }
    // Its derivative is the sigmoid, at 0 one half.
    assert_eq!(slope("softplus(x)", &[("x", &[0.0])], "x"), [0.5]);
    let mut graph = Graph::new();
    let z = graph.variable("Z", Role::Input, matrix(3, 4));
    let mut scope = Scope::default();
    scope.bind("Z", z);
    let total = build(&mut graph, &scope, "sum(softplus(Z))").expect("it is a function of the language");
    let gradient = gradients(&mut graph, total, &[z])[0];
    assert_eq!(print(&graph, gradient, Style::Text).as_deref(), Ok("sigmoid(Z)"));
    assert_eq!(print(&graph, total, Style::Latex).as_deref().map(balanced), Ok(true));
    // The formula of the books becomes it.
    let spelled = build(&mut graph, &scope, "sum(log(1 + exp(Z)))").expect("good text");
    assert_eq!(spelled, total);
}
