//! An evaluator of expressions that shares nothing with the graph: it walks the syntax tree, and every value is a plain
//! matrix. It is what the language means, written as shortly as possible; the tests compare the graph with it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;

use chainrule::lang::evaluate::Point;
use chainrule::lang::{Graph, Id, Tensor};
use chainrule::model::builder::{Builder, Place, Scope};
use chainrule::text::ast::{Ast, BinaryOp, ExprId, ExprKind};
use chainrule::text::diagnostic::Diagnostic;
use chainrule::text::parser::parse_expression;

/// A matrix in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) values: Vec<f64>,
}

impl Matrix {
    pub(crate) fn from_fn(rows: usize, cols: usize, mut value: impl FnMut(usize, usize) -> f64) -> Matrix {
        let mut values = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            for col in 0..cols {
                values.push(value(row, col));
            }
        }
        Matrix { rows, cols, values }
    }

    pub(crate) fn scalar(value: f64) -> Matrix {
        Matrix { rows: 1, cols: 1, values: vec![value] }
    }

    pub(crate) fn from_tensor(tensor: &Tensor) -> Matrix {
        Matrix { rows: tensor.sizes[0], cols: tensor.sizes[1], values: tensor.values.clone() }
    }

    /// The element; a row, column or scalar answers for every position.
    fn at(&self, row: usize, col: usize) -> f64 {
        let row = if self.rows == 1 { 0 } else { row };
        let col = if self.cols == 1 { 0 } else { col };
        self.values[row * self.cols + col]
    }

    fn number(&self) -> f64 {
        assert_eq!((self.rows, self.cols), (1, 1), "a scalar is needed");
        self.values[0]
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Matrix {
        Matrix { values: self.values.iter().map(|&x| f(x)).collect(), ..*self }
    }

    fn transposed(&self) -> Matrix {
        Matrix::from_fn(self.cols, self.rows, |i, j| self.at(j, i))
    }

    fn times(&self, other: &Matrix) -> Matrix {
        assert_eq!(self.cols, other.rows, "the inner dimensions agree");
        Matrix::from_fn(self.rows, other.cols, |i, j| (0..self.cols).map(|k| self.at(i, k) * other.at(k, j)).sum())
    }

    fn sum(&self) -> f64 {
        self.values.iter().sum()
    }

    fn row(&self, row: usize) -> Vec<f64> {
        (0..self.cols).map(|col| self.at(row, col)).collect()
    }

    fn rowwise(&self, f: impl Fn(&[f64]) -> f64) -> Matrix {
        Matrix::from_fn(self.rows, 1, |i, _| f(&self.row(i)))
    }

    fn without(&self, row: usize, col: usize) -> Matrix {
        let skip = |at: usize, hole: usize| at + usize::from(at >= hole);
        Matrix::from_fn(self.rows - 1, self.cols - 1, |i, j| self.at(skip(i, row), skip(j, col)))
    }

    /// Laplace's expansion along the first row.
    fn det(&self) -> f64 {
        assert_eq!(self.rows, self.cols, "a determinant needs a square matrix");
        if self.rows > 6 {
            return self.det_by_elimination();
        }
        if self.rows == 0 {
            return 1.0;
        }
        let sign = |j: usize| if j.is_multiple_of(2) { 1.0 } else { -1.0 };
        (0..self.cols).map(|j| sign(j) * self.at(0, j) * self.without(0, j).det()).sum()
    }

    /// The product of the pivots: the expansion has too many terms.
    fn det_by_elimination(&self) -> f64 {
        let (mut a, mut det) = (self.clone(), 1.0);
        for k in 0..a.rows {
            let pivot = (k..a.rows).max_by(|&i, &j| a.at(i, k).abs().total_cmp(&a.at(j, k).abs())).expect("a row");
            if pivot != k {
                det = -det;
                (0..a.cols).for_each(|j| a.values.swap(pivot * a.cols + j, k * a.cols + j));
            }
            det *= a.at(k, k);
            for i in k + 1..a.rows {
                let factor = a.at(i, k) / a.at(k, k);
                (k..a.cols).for_each(|j| a.values[i * a.cols + j] -= factor * a.at(k, j));
            }
        }
        det
    }

    /// Cramer's rule.
    fn inverse(&self) -> Matrix {
        let det = self.det();
        let sign = |i: usize, j: usize| if (i + j).is_multiple_of(2) { 1.0 } else { -1.0 };
        Matrix::from_fn(self.rows, self.cols, |i, j| sign(i, j) * self.without(j, i).det() / det)
    }

    pub(crate) fn max_abs(&self) -> f64 {
        self.values.iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.values.iter().all(|v| v.is_finite())
    }

    /// The largest difference where `self` is finite, relative to the largest finite element or `least`; infinite when
    /// the shapes differ or the other is not finite there.
    pub(crate) fn difference(&self, other: &Matrix, least: f64) -> f64 {
        if (self.rows, self.cols) != (other.rows, other.cols) {
            return f64::INFINITY;
        }
        let finite = |m: f64, v: &f64| if v.is_finite() { m.max(v.abs()) } else { m };
        let scale = self.values.iter().fold(least, finite);
        let pairs = self.values.iter().zip(&other.values).filter(|(a, _)| a.is_finite());
        pairs.fold(0.0, |m, (a, b)| if b.is_finite() { m.max((a - b).abs() / scale) } else { f64::INFINITY })
    }
}

fn softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().map(|v| (v - max).exp()).sum();
    row.iter().map(|v| (v - max).exp() / sum).collect()
}

fn logsumexp(row: &[f64]) -> f64 {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + row.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

/// Functions of one number.
pub(crate) fn elementwise(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "exp" => f64::exp,
        "log" => f64::ln,
        "log1p" => f64::ln_1p,
        "expm1" => f64::exp_m1,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tanh" => f64::tanh,
        "sigmoid" => |x| 1.0 / (1.0 + (-x).exp()),
        "softplus" => |x| if x > 30.0 { x + (-x).exp() } else { x.exp().ln_1p() },
        "relu" => |x| if x > 0.0 { x } else { 0.0 },
        "step" => |x| if x > 0.0 { 1.0 } else { 0.0 },
        "abs" => f64::abs,
        "sign" => |x| {
            if x > 0.0 {
                1.0
            } else if x < 0.0 {
                -1.0
            } else {
                0.0
            }
        },
        "erf" => libm::erf,
        "atan" => libm::atan,
        "floor" => f64::floor,
        "sqrt" => f64::sqrt,
        _ => return None,
    })
}

/// Evaluates a text; `names` are variables and dimensions.
pub(crate) struct Evaluator<'a> {
    pub(crate) names: &'a HashMap<String, Matrix>,
    /// The largest absolute value on the way.
    pub(crate) largest: f64,
    /// The smallest distance of an argument to a jump of the function it is put into.
    pub(crate) nearest_jump: f64,
}

impl Evaluator<'_> {
    pub(crate) fn new(names: &HashMap<String, Matrix>) -> Evaluator<'_> {
        Evaluator { names, largest: 0.0, nearest_jump: f64::INFINITY }
    }

    pub(crate) fn tree(&mut self, ast: &Ast, root: ExprId) -> Matrix {
        let mut values: Vec<Matrix> = Vec::new();
        for index in 0..=root.0 {
            let value = self.one(ast, ExprId(index), &values);
            self.largest = value.values.iter().filter(|v| v.is_finite()).fold(self.largest, |m, v| m.max(v.abs()));
            values.push(value);
        }
        values.pop().expect("the root has a value")
    }

    fn one(&mut self, ast: &Ast, id: ExprId, values: &[Matrix]) -> Matrix {
        let of = |id: &ExprId| &values[id.0 as usize];
        match &ast.expr(id).kind {
            ExprKind::Number(value) => Matrix::scalar(*value),
            ExprKind::Name(name) if name == "pi" => Matrix::scalar(std::f64::consts::PI),
            ExprKind::Name(name) => self.names.get(name).unwrap_or_else(|| panic!("`{name}` has a value")).clone(),
            ExprKind::Neg(x) => of(x).map(|v| -v),
            ExprKind::Transpose(x) => of(x).transposed(),
            ExprKind::Binary(op, _, a, b) => binary(*op, of(a), of(b)),
            // The subscripts of einsum; their value is never looked at.
            ExprKind::Text(_) => Matrix::scalar(0.0),
            ExprKind::Call(callee, args) if callee.name == "einsum" => {
                let ExprKind::Text(subscripts) = &ast.expr(args[0].value).kind else { panic!("subscripts come first") };
                let operands: Vec<&Matrix> = args[1..].iter().map(|arg| of(&arg.value)).collect();
                einsum(subscripts, &operands)
            }
            ExprKind::Call(callee, args) => {
                let args: Vec<&Matrix> = args.iter().map(|arg| of(&arg.value)).collect();
                self.call(&callee.name, &args)
            }
            other => panic!("not part of an expression: {other:?}"),
        }
    }

    fn call(&mut self, name: &str, args: &[&Matrix]) -> Matrix {
        let x = args[0];
        let size = |m: &Matrix| m.number() as usize;
        if let Some(f) = elementwise(name) {
            let jump = |v: f64| match name {
                "step" | "sign" => v.abs(),
                "floor" => (v - v.round()).abs(),
                // The logarithm of what is left of a difference: the digits are lost before.
                "log" => v.abs() * 1e-4,
                _ => f64::INFINITY,
            };
            self.nearest_jump = x.values.iter().fold(self.nearest_jump, |m, &v| m.min(jump(v)));
            return x.map(f);
        }
        let max = |row: &[f64]| row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match (name, args.len()) {
            ("sum", 1) => Matrix::scalar(x.sum()),
            ("rowsum", 1) => x.rowwise(|row| row.iter().sum()),
            ("colsum", 1) => x.transposed().rowwise(|row| row.iter().sum()).transposed(),
            ("rowmax", 1) => x.rowwise(max),
            ("colmax", 1) => x.transposed().rowwise(max).transposed(),
            ("max", 1) => Matrix::scalar(max(&x.values)),
            ("firstmax", 1) => first_max(&Matrix { rows: 1, cols: x.values.len(), ..x.clone() }, x.rows, x.cols),
            ("rowfirstmax", 1) => first_max(x, x.rows, x.cols),
            ("colfirstmax", 1) => first_max(&x.transposed(), x.cols, x.rows).transposed(),
            ("max", 2) => zip(x, args[1], |a, b| if b > a { b } else { a }),
            ("min", 2) => zip(x, args[1], |a, b| if b < a { b } else { a }),
            ("softmax", 1) => {
                let rows: Vec<Vec<f64>> = (0..x.rows).map(|row| softmax(&x.row(row))).collect();
                Matrix::from_fn(x.rows, x.cols, |i, j| rows[i][j])
            }
            ("logsumexp", 1) => x.rowwise(logsumexp),
            ("inv", 1) => x.inverse(),
            ("det", 1) => Matrix::scalar(x.det()),
            ("logdet", 1) => Matrix::scalar(x.det().abs().ln()),
            ("tr", 1) => Matrix::scalar((0..x.rows).map(|i| x.at(i, i)).sum()),
            ("kron", 2) => {
                let b = args[1];
                Matrix::from_fn(x.rows * b.rows, x.cols * b.cols, |i, j| {
                    x.at(i / b.rows, j / b.cols) * b.at(i % b.rows, j % b.cols)
                })
            }
            ("diag", 1) if x.cols == 1 => Matrix::from_fn(x.rows, x.rows, |i, j| if i == j { x.at(i, 0) } else { 0.0 }),
            ("diag", 1) if x.rows == 1 => Matrix::from_fn(x.cols, x.cols, |i, j| if i == j { x.at(0, i) } else { 0.0 }),
            ("diag", 1) => Matrix::from_fn(x.rows, 1, |i, _| x.at(i, i)),
            ("vec", 1) => Matrix { rows: x.rows * x.cols, cols: 1, values: x.transposed().values },
            ("commutation", 2) => {
                let (m, n) = (size(x), size(args[1]));
                Matrix::from_fn(m * n, m * n, |row, col| if row == col % m * n + col / m { 1.0 } else { 0.0 })
            }
            ("reshape", 3) => {
                let (rows, cols) = (size(args[1]), size(args[2]));
                assert_eq!(rows * cols, x.values.len(), "the numbers of elements agree");
                let columns = x.transposed().values;
                Matrix::from_fn(rows, cols, |i, j| columns[j * rows + i])
            }
            ("eye", 1) => Matrix::from_fn(size(x), size(x), |i, j| if i == j { 1.0 } else { 0.0 }),
            ("ones", 2) => Matrix::from_fn(size(x), size(args[1]), |_, _| 1.0),
            ("zeros", 2) => Matrix::from_fn(size(x), size(args[1]), |_, _| 0.0),
            ("rows", 1) => Matrix::scalar(x.rows as f64),
            ("cols", 1) => Matrix::scalar(x.cols as f64),
            ("norm2", 1) => Matrix::scalar(x.values.iter().map(|v| v * v).sum::<f64>().sqrt()),
            ("norm1", 1) => Matrix::scalar(x.values.iter().map(|v| v.abs()).sum()),
            _ => panic!("no function {name} of {} arguments", args.len()),
        }
    }
}

/// Every combination of the values of all letters adds its product to the result. Matrices only.
fn einsum(subscripts: &str, operands: &[&Matrix]) -> Matrix {
    let (left, result) = subscripts.split_once("->").expect("an arrow");
    let terms: Vec<&str> = left.split(',').collect();
    assert_eq!(terms.len(), operands.len(), "as many subscripts as operands");
    let mut extents: Vec<(char, usize)> = Vec::new();
    let at = |matrix: &Matrix, term: &str, index: &dyn Fn(char) -> usize| -> f64 {
        let positions: Vec<usize> = term.chars().map(|c| if c == '1' { 0 } else { index(c) }).collect();
        match *positions.as_slice() {
            [] => matrix.number(),
            [i] => matrix.values[i],
            [i, j] => matrix.at(i, j),
            _ => panic!("the reference knows matrices only: {subscripts}"),
        }
    };
    for (term, matrix) in terms.iter().zip(operands) {
        let sizes = if term.len() == 1 { vec![matrix.values.len()] } else { vec![matrix.rows, matrix.cols] };
        for (letter, size) in term.chars().zip(sizes) {
            let known = extents.iter().find(|(known, _)| *known == letter).map_or(size, |(_, known)| *known);
            assert!(known == size, "the extents agree");
            extents.push((letter, size));
        }
    }
    extents.retain(|(letter, _)| *letter != '1');
    extents.sort_unstable();
    extents.dedup();
    let extent = |letter: Option<char>| extents.iter().find(|(l, _)| Some(*l) == letter).map_or(1, |(_, n)| *n);
    let mut letters = result.chars();
    let mut out = Matrix::from_fn(extent(letters.next()), extent(letters.next()), |_, _| 0.0);
    let count: usize = extents.iter().map(|(_, n)| n).product();
    for combination in 0..count {
        let index = |letter: char| {
            let before = extents.iter().take_while(|(l, _)| *l != letter).map(|(_, n)| n).product::<usize>();
            combination / before % extent(Some(letter))
        };
        let product: f64 = terms.iter().zip(operands).map(|(term, matrix)| at(matrix, term, &index)).product();
        let place: Vec<usize> = result.chars().map(|c| if c == '1' { 0 } else { index(c) }).collect();
        let (row, col) = (place.first().copied().unwrap_or(0), place.get(1).copied().unwrap_or(0));
        out.values[row * out.cols + col] += product;
    }
    out
}

/// 1 at the first largest element of each row, under a shape of as many elements.
fn first_max(x: &Matrix, rows: usize, cols: usize) -> Matrix {
    let mut mask = Matrix::from_fn(x.rows, x.cols, |_, _| 0.0);
    for row in 0..x.rows {
        let values = x.row(row);
        let first = (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best });
        mask.values[row * x.cols + first] = 1.0;
    }
    Matrix { rows, cols, ..mask }
}

fn zip(a: &Matrix, b: &Matrix, f: impl Fn(f64, f64) -> f64) -> Matrix {
    let fits = |m: usize, n: usize| m == n || m == 1 || n == 1;
    assert!(fits(a.rows, b.rows) && fits(a.cols, b.cols), "the shapes fit");
    Matrix::from_fn(a.rows.max(b.rows), a.cols.max(b.cols), |i, j| f(a.at(i, j), b.at(i, j)))
}

fn binary(op: BinaryOp, a: &Matrix, b: &Matrix) -> Matrix {
    let scalar = |m: &Matrix| (m.rows, m.cols) == (1, 1);
    match op {
        BinaryOp::Add => zip(a, b, |a, b| a + b),
        BinaryOp::Sub => zip(a, b, |a, b| a - b),
        BinaryOp::Mul => zip(a, b, |a, b| a * b),
        BinaryOp::ElementDiv => zip(a, b, |a, b| a / b),
        BinaryOp::ElementPow => zip(a, b, f64::powf),
        BinaryOp::MatMul if scalar(a) || scalar(b) => zip(a, b, |a, b| a * b),
        BinaryOp::MatMul => a.times(b),
        BinaryOp::Div => a.map(|v| v / b.number()),
        BinaryOp::Pow => Matrix::scalar(a.number().powf(b.number())),
    }
}

/// Evaluates a text by the syntax tree alone.
pub(crate) fn value(text: &str, names: &HashMap<String, Matrix>) -> Matrix {
    let (ast, root) = parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    Evaluator::new(names).tree(&ast, root)
}

/// Builds a text as a graph, with rewriting.
pub(crate) fn build(graph: &mut Graph, scope: &Scope, text: &str) -> Result<Id, Diagnostic> {
    let (ast, root) = parse_expression(text)?;
    let mut builder = Builder::new(&ast, std::mem::take(graph));
    let result = builder.expression(Place { ast: &ast, scope }, root);
    *graph = builder.graph;
    result
}

/// A point as names with values, dimensions included.
pub(crate) fn names_of(graph: &Graph, point: &Point) -> HashMap<String, Matrix> {
    let mut names = HashMap::new();
    for variable in &graph.variables {
        if let Some(value) = point.values.get(&variable.id).filter(|value| value.sizes.len() == 2) {
            names.insert(variable.name.clone(), Matrix::from_tensor(value));
        }
    }
    for name in graph.dims.names() {
        let dim = graph.dims.find(name).expect("it has a name");
        let extent = point.extents.get(&dim).copied().or_else(|| graph.dims.value(dim).map(|n| n as usize));
        if let Some(extent) = extent {
            names.entry(name.to_owned()).or_insert(Matrix::scalar(extent as f64));
        }
    }
    names
}
