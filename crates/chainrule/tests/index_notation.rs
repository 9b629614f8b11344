//! Formulas index by index: a small evaluator that knows nothing of graphs reads `sum_n X[n,d]*D[n,k]` and must find what
//! the reference interpreter finds, for expressions, their gradients, and tensors of any rank.

mod formulas;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use chainrule::calculus::differentiate::gradients;
use chainrule::calculus::sample::{Domain, sample};
use chainrule::lang::evaluate::{Point, evaluate};
use chainrule::lang::ops::contract::{Contract, Labels};
use chainrule::lang::ops::reduce::{FirstMax, Max};
use chainrule::lang::ops::view::Permute;
use chainrule::lang::shape::Axes;
use chainrule::lang::{Dim, Graph, Id, Op, Role, Shape, Tensor};
use chainrule::model::Program;
use chainrule::model::builder::{Builder, Place, Scope};
use chainrule::text::parser::parse_expression;
use chainrule::text::print::index::index_form;
use chainrule::text::print::{PrintError, Style};
use formulas::{Formula, elements};

/// Variables with their shapes, and an expression of them. All values are positive, so that logarithms exist.
const CASES: &[(&str, &str)] = &[
    ("X=NxD W=DxK Y=NxK", "sum((X*W - Y).^2)"),
    ("X=NxD D1=NxK", "X'*D1"),
    ("X=NxD W=DxK b=1xK", "softmax(X*W + b)"),
    ("X=NxD W=DxK b=1xK", "sigmoid(X*W + b)"),
    ("A=NxN", "inv(A)'*A + A"),
    ("A=NxN B=NxN", "inv(A*B) - 3*eye(N)"),
    ("A=NxN", "log(abs(det(A))) + logdet(A*A') + tr(A'*A)"),
    ("x=Nx1", "norm2(x)/N"),
    ("x=Nx1", "sqrt(sum(x) + 1)*x"),
    ("A=NxK B=NxK C=NxK", "A.*B./C - 2 ./ A"),
    ("A=NxK B=NxK C=KxM", "-2*(A.*B)*C"),
    ("A=NxK lambda=1x1", "lambda*A.^2 + A.^-1.5"),
    ("a=1x1 b=1x1", "a*b^2/(a + sqrt(b))"),
    ("scores=NxK Y=NxK", "cross_entropy(scores, Y)"),
    ("Z=NxK Y=NxK", "binary_cross_entropy(Z, Y)"),
    ("X=NxK", "ones(N, 1)*colsum(X) + rowsum(X)*ones(1, K)"),
    ("X=NxK", "max(X)*X - rowmax(X) + colmax(X)"),
    ("A=2x3 B=2x2", "kron(A, B)"),
    ("A=2x3 B=2x2 C=4x6", "sum(kron(A, B).*C)*A"),
    ("A=MxN B=PxQ", "kron(A, B)*vec(ones(Q, N))"),
    ("A=MxN", "vec(A)*vec(A)'"),
    ("A=NxN B=NxN C=NxN", "A - (B - C) - A.*(B + C)"),
    ("A=NxN x=Nx1", "x'*A*x/(x'*x)"),
    ("A=NxN B=NxN C=NxN", "tr(A*B*C)*A"),
    ("x=Nx1", "exp(-x.^2/2) + 1e-7*x"),
    ("x=Nx1 y=Nx1", "max(x, y) + min(x, 0.5) + floor(3*x) + abs(y)"),
    ("x=Nx1 y=Nx1", "x.^y + tanh(x) + log1p(y)"),
    ("W1=DxK W2=KxM X=NxD", "relu(X*W1 - 1)*W2"),
    ("Q=NxD K=NxD V=NxD", "softmax(Q*K'/sqrt(D))*V"),
    ("X=NxK", "diag(rowsum(X)) - X*X'"),
    ("A=NxN x=Nx1", "diag(x)*A*diag(x) + diag(diag(A))"),
    ("i=1x1 A=NxN", "i*A*A"),
    ("A=5x5 B=5x4", "A*B*B'"),
    ("x=Nx1 y=Mx1", "logsumexp(x*y')"),
];

fn no_names(_: &Graph, _: Id) -> Option<String> {
    None
}

/// A point at which all dimensions have different extents, so that mixed-up indices are seen.
fn point(graph: &Graph, roots: &[Id]) -> Point {
    let mut point = Point::default();
    for (number, dim) in graph.dims.symbols().enumerate() {
        point.extents.insert(graph.dims.resolve(dim), 2 + number);
    }
    for id in graph.reachable(roots) {
        if graph.as_variable(id).is_some() {
            let sizes = point.sizes(graph, &graph.shape(id)).expect("all extents are known");
            point.values.insert(id, sample(Domain::Positive, &sizes, 11, id.0, 0));
        }
    }
    point
}

/// Compares the index form of a node with its value.
fn check(graph: &Graph, scope: &Scope, id: Id, name_of: &dyn Fn(&Graph, Id) -> Option<String>) -> String {
    let form = index_form(graph, id, Style::Text, name_of).unwrap_or_else(|error| panic!("{error:?}"));
    let point = point(graph, &[id]);
    let mut symbols = HashMap::new();
    for node in graph.reachable(&[id]) {
        let variable = graph.as_variable(node).map(|variable| variable.name.clone());
        if let Some(name) = variable.or_else(|| name_of(graph, node)) {
            symbols.insert(name, evaluate(graph, &[node], &point).expect("a value").get(node).clone());
        }
    }
    let extent = |dim: Dim| point.sizes(graph, &Shape::new(&[dim])).expect("an extent")[0];
    let extents = form.ranges.iter().map(|(letter, dim)| (letter.clone(), extent(*dim))).collect();
    let wanted = evaluate(graph, &[id], &point).expect("a value").get(id).clone();
    let mut reader = Reader { text: &form.text, at: 0, symbols, extents, values: HashMap::new(), graph, scope, point };
    let scale = wanted.max_abs().max(1.0);
    let places: Vec<String> = form.left.clone();
    let mut count = 0;
    reader.each(&letters_of(&places), &mut |reader| {
        let place: Vec<usize> = places.iter().map(|index| reader.number_of(index) as usize - 1).collect();
        let place = full(&wanted.sizes, &place);
        reader.at = 0;
        let found = reader.expression();
        assert_eq!(reader.at, reader.text.len(), "{} is read up to {}", reader.text, reader.at);
        let error = (found - wanted.at(&place)).abs() / scale;
        assert!(error < 1e-10, "{}{places:?} = {} at {place:?}: {found}, not {}", "G", reader.text, wanted.at(&place));
        count += 1;
    });
    assert_eq!(count, wanted.values.len(), "each element once: {places:?}");
    // The other styles write the same tree.
    for style in [Style::Latex, Style::MathMl] {
        let other = index_form(graph, id, style, name_of).expect("as the text").equation("G");
        assert!(!other.is_empty());
        if style == Style::MathMl {
            elements(&other.replacen('G', "<mi>G</mi>", 1)).unwrap_or_else(|error| panic!("{error}\n{other}"));
        }
    }
    form.equation("G")
}

/// The letters in indices such as `(i-1)*3+j`, in order.
fn letters_of(places: &[String]) -> Vec<String> {
    let words = places.iter().flat_map(|place| place.split(|c: char| !c.is_ascii_alphanumeric()));
    let mut list: Vec<String> = Vec::new();
    for word in words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())) {
        if !list.contains(&word.to_owned()) {
            list.push(word.to_owned());
        }
    }
    list
}

/// A place with the axes of extent 1, which have no index.
fn full(sizes: &[usize], place: &[usize]) -> Vec<usize> {
    let wide = sizes.iter().filter(|size| **size != 1).count();
    if place.len() == sizes.len() {
        return place.to_vec();
    }
    assert_eq!(place.len(), wide, "an index for each axis that needs one");
    let mut place = place.iter();
    sizes.iter().map(|&size| if size == 1 { 0 } else { *place.next().expect("counted") }).collect()
}

/// The evaluator: values of letters, and a place in the text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    symbols: HashMap<String, Tensor>,
    extents: HashMap<String, usize>,
    values: HashMap<String, usize>,
    graph: &'a Graph,
    scope: &'a Scope,
    point: Point,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn eat(&mut self, sign: &str) -> bool {
        let space = self.rest().len() - self.rest().trim_start().len();
        let found = self.rest()[space..].starts_with(sign);
        if found {
            self.at += space + sign.len();
        }
        found
    }

    fn need(&mut self, sign: &str) {
        assert!(self.eat(sign), "{sign} is missing in {} at {}", self.text, self.rest());
    }

    /// Runs with all values of the letters.
    fn each(&mut self, letters: &[String], f: &mut dyn FnMut(&mut Self)) {
        let Some((first, others)) = letters.split_first() else { return f(self) };
        let extent = self.extents[first];
        let outer = self.values.get(first).copied();
        for value in 1..=extent {
            self.values.insert(first.clone(), value);
            self.each(others, f);
        }
        match outer {
            Some(value) => self.values.insert(first.clone(), value),
            None => self.values.remove(first),
        };
    }

    /// The value of another text at the present letters.
    fn number_of(&mut self, text: &str) -> f64 {
        let mut inner = Reader {
            text,
            at: 0,
            symbols: HashMap::new(),
            extents: self.extents.clone(),
            values: self.values.clone(),
            graph: self.graph,
            scope: self.scope,
            point: self.point.clone(),
        };
        inner.expression()
    }

    fn expression(&mut self) -> f64 {
        let mut sum = if self.eat("-") { -self.term() } else { self.term() };
        loop {
            if self.eat("+") {
                sum += self.term();
            } else if self.eat("-") {
                sum -= self.term();
            } else {
                return sum;
            }
        }
    }

    fn term(&mut self) -> f64 {
        let mut product = self.power();
        loop {
            if self.eat("*") {
                product *= self.power();
            } else if self.eat("/") {
                product /= self.power();
            } else {
                return product;
            }
        }
    }

    fn power(&mut self) -> f64 {
        let base = self.factor();
        if self.eat("^") { base.powf(self.factor()) } else { base }
    }

    fn factor(&mut self) -> f64 {
        if self.eat("(") {
            let value = self.expression();
            self.need(")");
            return value;
        }
        if self.eat("[") {
            return self.condition();
        }
        let word: String =
            self.rest().trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        for (operator, start) in [("sum_", 0.0), ("max_", f64::NEG_INFINITY)] {
            if self.eat(operator) {
                let letters = self.letters();
                return self.over(&letters, start, if operator == "sum_" { |a, b| a + b } else { f64::max });
            }
        }
        self.symbol()
    }

    fn number(&mut self) -> f64 {
        self.eat("");
        let space = self.rest().len() - self.rest().trim_start().len();
        self.at += space;
        let mut end = self.at;
        let bytes = self.text.as_bytes();
        while end < bytes.len()
            && (bytes[end].is_ascii_digit()
                || b".e".contains(&bytes[end])
                || bytes[end] == b'-' && bytes[end - 1] == b'e')
        {
            end += 1;
        }
        let value = self.text[self.at..end].parse().unwrap_or_else(|_| panic!("a number: {}", self.rest()));
        self.at = end;
        value
    }

    fn letters(&mut self) -> Vec<String> {
        if self.eat("{") {
            let end = self.rest().find('}').expect("the letters end");
            let list = self.rest()[..end].split(',').map(str::to_owned).collect();
            self.at += end + 1;
            return list;
        }
        vec![self.name()]
    }

    fn name(&mut self) -> String {
        let space = self.rest().len() - self.rest().trim_start().len();
        self.at += space;
        let end = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest().len());
        assert!(end > 0, "a name in {} at {}", self.text, self.rest());
        let name = self.rest()[..end].to_owned();
        self.at += end;
        name
    }

    fn over(&mut self, letters: &[String], start: f64, join: fn(f64, f64) -> f64) -> f64 {
        let (begin, mut end, mut value) = (self.at, self.at, start);
        self.each(letters, &mut |reader| {
            reader.at = begin;
            value = join(value, reader.term());
            end = reader.at;
        });
        self.at = end;
        value
    }

    /// `[i=j]`, `[(i,j)=argmax_{k,l} X[k,l]]`; the first bracket is read.
    fn condition(&mut self) -> f64 {
        let mut left = Vec::new();
        if self.eat("(") {
            left.push(self.expression());
            while self.eat(",") {
                left.push(self.expression());
            }
            self.need(")");
        } else {
            left.push(self.expression());
        }
        self.need("=");
        let right = if self.eat("argmax_") { self.arg_max() } else { vec![self.expression()] };
        self.need("]");
        f64::from(u8::from(left == right))
    }

    fn arg_max(&mut self) -> Vec<f64> {
        let letters = self.letters();
        let (begin, mut end) = (self.at, self.at);
        let (mut best, mut place) = (f64::NEG_INFINITY, Vec::new());
        self.each(&letters, &mut |reader| {
            reader.at = begin;
            let value = reader.term();
            end = reader.at;
            if value > best {
                best = value;
                place = letters.iter().map(|letter| reader.values[letter] as f64).collect();
            }
        });
        self.at = end;
        place
    }

    /// A letter, an extent, an element, a function, or a matrix in the language's own notation with its indices.
    fn symbol(&mut self) -> f64 {
        let begin = self.at;
        let name = self.name();
        if self.rest().starts_with('(') {
            let close = self.closing();
            let is_matrix = ["inv", "det", "logdet"].contains(&name.as_str());
            if is_matrix {
                let tensor = self.matrix(self.text[begin..=close].trim());
                self.at = close + 1;
                return self.indexed(&tensor);
            }
            self.need("(");
            let mut args = vec![self.expression()];
            while self.eat(",") {
                args.push(self.expression());
            }
            self.need(")");
            return function(&name, &args);
        }
        if let Some(tensor) = self.symbols.get(&name).cloned() {
            return self.indexed(&tensor);
        }
        if let Some(&value) = self.values.get(&name) {
            return value as f64;
        }
        let dim = self.graph.dims.find(&name).unwrap_or_else(|| panic!("{name} in {}", self.text));
        self.point.sizes(self.graph, &Shape::new(&[dim])).expect("an extent")[0] as f64
    }

    fn indexed(&mut self, tensor: &Tensor) -> f64 {
        let mut place = Vec::new();
        if self.rest().starts_with('[') {
            self.need("[");
            place.push(self.expression() as usize - 1);
            while self.eat(",") {
                place.push(self.expression() as usize - 1);
            }
            self.need("]");
        }
        let place = full(&tensor.sizes, &place);
        assert!(place.iter().zip(&tensor.sizes).all(|(index, size)| index < size), "{place:?} in {}", self.text);
        tensor.at(&place)
    }

    fn closing(&self) -> usize {
        let mut depth = 0;
        for (offset, c) in self.rest().char_indices() {
            depth += i32::from(c == '(') - i32::from(c == ')');
            if depth == 0 {
                return self.at + offset;
            }
        }
        panic!("no end of {}", self.rest())
    }

    fn matrix(&self, text: &str) -> Tensor {
        let (ast, root) = parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let mut builder = Builder::new(&ast, self.graph.clone());
        let id = builder.expression(Place { ast: &ast, scope: self.scope }, root).expect("it fits");
        evaluate(&builder.graph, &[id], &self.point).expect("a value").get(id).clone()
    }
}

fn function(name: &str, args: &[f64]) -> f64 {
    match (name, args) {
        ("exp", [x]) => x.exp(),
        ("log", [x]) => x.ln(),
        ("log1p", [x]) => x.ln_1p(),
        ("expm1", [x]) => x.exp_m1(),
        ("sqrt", [x]) => x.sqrt(),
        ("sin", [x]) => x.sin(),
        ("cos", [x]) => x.cos(),
        ("tanh", [x]) => x.tanh(),
        ("sigmoid", [x]) => 1.0 / (1.0 + (-x).exp()),
        ("softplus", [x]) => x.exp().ln_1p(),
        ("relu", [x]) => x.max(0.0),
        ("step", [x]) => f64::from(u8::from(*x > 0.0)),
        ("abs", [x]) => x.abs(),
        ("sign", [x]) => x.signum(),
        ("floor", [x]) => x.floor(),
        ("max", [x, y]) => x.max(*y),
        ("min", [x, y]) => x.min(*y),
        ("mod", [x, y]) => x.rem_euclid(*y),
        _ => panic!("{name} with {args:?}"),
    }
}

#[test]
fn expressions_and_gradients_mean_the_same() {
    for (variables, text) in CASES {
        let Formula { mut graph, scope, root, variables } = Formula::new(variables, text);
        check(&graph, &scope, root, &no_names);
        // The gradient of the sum of squares reaches every element, each with its own weight.
        let square = graph.mul(&[root, root]);
        let total = graph.sum_all(square);
        let wrt: Vec<Id> = variables.iter().map(|(_, id)| *id).collect();
        for gradient in gradients(&mut graph, total, &wrt) {
            check(&graph, &scope, gradient, &no_names);
        }
    }
}

fn known(list: &[u32]) -> Shape {
    Shape::new(&list.iter().map(|&n| Dim::Known(n)).collect::<Vec<Dim>>())
}

#[test]
fn tensors_of_any_rank_are_written() {
    let mut graph = Graph::new();
    let t = graph.variable("T", Role::Input, known(&[2, 3, 4]));
    let u = graph.variable("U", Role::Input, known(&[2, 4, 5]));
    let v = graph.variable("V", Role::Input, known(&[2, 6]));
    let w = graph.variable("w", Role::Input, known(&[1, 3, 1]));
    let batched = Contract { a: Labels::new(&[0, 1, 2]), b: Labels::new(&[0, 2, 3]), out: Labels::new(&[0, 1, 3]) };
    let product = graph.contract(batched, t, u);
    let both = Contract { a: Labels::new(&[0, 1, 2]), b: Labels::new(&[0, 2, 3]), out: Labels::new(&[3, 1]) };
    let doubly = graph.contract(both, t, u);
    let outer = Contract { a: Labels::new(&[0, 1, 2]), b: Labels::new(&[0, 3, 4]), out: Labels::new(&[4, 0, 1, 3, 2]) };
    let crossed = graph.contract(outer, t, u);
    let turned = graph.build(Op::Permute(Permute::new(&[2, 0, 1])), &[t]);
    let flat = graph.reshape(turned, known(&[8, 3]));
    let uneven = graph.reshape(v, known(&[4, 3]));
    let pieces = graph.reshape(flat, known(&[2, 4, 3]));
    let stretched = graph.broadcast(w, known(&[2, 3, 4]));
    let weighted = graph.mul(&[stretched, t]);
    let largest = graph.build(Op::Max(Max(Axes::from_iter([0, 2]))), &[weighted]);
    let first = graph.build(Op::FirstMax(FirstMax(Axes::from_iter([0, 2]))), &[t]);
    let first_of_row = graph.build(Op::FirstMax(FirstMax(Axes::one(2))), &[product]);
    let mean = graph.sum(crossed, Axes::from_iter([0, 3]));
    let probabilities = graph.softmax(product);
    let scope = Scope::default();
    let nodes =
        [product, doubly, crossed, turned, flat, uneven, pieces, largest, first, first_of_row, mean, probabilities];
    for &node in &nodes {
        check(&graph, &scope, node, &no_names);
        let square = graph.mul(&[node, node]);
        let total = graph.sum_all(square);
        for gradient in gradients(&mut graph, total, &[t, u, v, w]) {
            check(&graph, &scope, gradient, &no_names);
        }
    }
}

#[test]
fn named_nodes_keep_their_names() {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models");
    for model in ["two_layer.cr", "higham.cr", "spiral.cr"] {
        // Small extents are enough, and quicker.
        let text = std::fs::read_to_string(models.join(model)).expect("the model");
        let text = text.replace("1000", "4").replace("100]", "3]").replace("[100", "[3");
        let mut program = Program::parse(&text).unwrap_or_else(|error| panic!("{error:?}"));
        let loss = program.loss.expect("it has a loss");
        let wrt: Vec<Id> = program.parameters.iter().map(|parameter| parameter.id).collect();
        for gradient in gradients(&mut program.graph, loss, &wrt) {
            let names = |graph: &Graph, id: Id| graph.name(id).map(str::to_owned);
            let equation = check(&program.graph, &program.scope, gradient, &names);
            assert!(equation.len() < 400, "{model}: {equation}");
        }
    }
}

#[test]
fn shared_parts_do_not_run_away() {
    let mut graph = Graph::new();
    let mut x = graph.variable("X", Role::Input, known(&[3, 3]));
    for _ in 0..60 {
        x = graph.softmax(x);
    }
    assert_eq!(index_form(&graph, x, Style::Text, &no_names).err(), Some(PrintError::TooLong));
}

fn shown() -> String {
    let mut out = String::new();
    for (variables, text) in CASES {
        let Formula { mut graph, root, variables, .. } = Formula::new(variables, text);
        let total = graph.sum_all(root);
        let gradient = gradients(&mut graph, total, &[variables[0].1])[0];
        for (name, id) in [("F", root), ("G", gradient)] {
            let _ = writeln!(out, "{name} = {text}");
            for style in [Style::Text, Style::Latex, Style::MathMl] {
                let form = index_form(&graph, id, style, &no_names).expect("it can be written");
                let _ = writeln!(out, "  {}", form.equation(&style.name(name)));
            }
        }
    }
    out
}

#[test]
fn elements_look_as_expected() {
    let found = shown();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/index_notation.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).expect("the file of expected output can be written");
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(found.lines().count(), wanted.lines().count());
}
