//! The functions that exist natively: one row each. Everything else is in the prelude.

use super::builder::Builder;
use super::mode::Mode;
use crate::lang::op::OpDef;
use crate::lang::ops::diagonal::{Diagonal, DiagonalMatrix};
use crate::lang::ops::elementwise::{Binary, UNARY};
use crate::lang::ops::factor::{Det, Inverse, LogDet};
use crate::lang::ops::reduce::{FirstMax, Max};
use crate::lang::shape::{Axes, MAX_RANK};
use crate::lang::{Dim, Distribution, Graph, Id, Op, Shape, ShapeError};
use crate::text::ast::{Argument, Ast, ExprKind, Ident};
use crate::text::diagnostic::{Diagnostic, Span};

/// How a native function is called and built.
pub struct Native {
    /// Its name.
    pub name: &'static str,
    /// How many arguments it takes: at least, at most.
    pub arity: (usize, usize),
    /// Builds it; the place is that of the call.
    pub build: fn(&mut Builder, &[Id], Span) -> Result<Id, Diagnostic>,
}

/// The native functions besides the element-wise table.
#[rustfmt::skip]
pub static NATIVE: &[Native] = &[
    Native { name: "sqrt", arity: (1, 1), build: |b, x, _| Ok(b.graph.power(x[0], 0.5)) },
    Native { name: "sum", arity: (1, 1), build: |b, x, _| Ok(b.graph.sum_all(x[0])) },
    Native { name: "rowsum", arity: (1, 1), build: |b, x, _| { let axes = b.along(x[0], Along::Rows); Ok(b.graph.sum(x[0], axes)) } },
    Native { name: "colsum", arity: (1, 1), build: |b, x, _| { let axes = b.along(x[0], Along::Columns); Ok(b.graph.sum(x[0], axes)) } },
    Native { name: "rowmax", arity: (1, 1), build: |b, x, at| { let axes = b.along(x[0], Along::Rows); b.op(Op::Max(Max(axes)), x, at) } },
    Native { name: "colmax", arity: (1, 1), build: |b, x, at| { let axes = b.along(x[0], Along::Columns); b.op(Op::Max(Max(axes)), x, at) } },
    Native { name: "firstmax", arity: (1, 1), build: |b, x, at| { let rank = b.graph.shape(x[0]).rank(); b.op(Op::FirstMax(FirstMax(Axes::all(rank))), x, at) } },
    Native { name: "rowfirstmax", arity: (1, 1), build: |b, x, at| { let axes = b.along(x[0], Along::Rows); b.op(Op::FirstMax(FirstMax(axes)), x, at) } },
    Native { name: "colfirstmax", arity: (1, 1), build: |b, x, at| { let axes = b.along(x[0], Along::Columns); b.op(Op::FirstMax(FirstMax(axes)), x, at) } },
    Native { name: "max", arity: (1, 2), build: |b, x, at| extremum(b, Binary::Max, x, at) },
    Native { name: "min", arity: (2, 2), build: |b, x, at| extremum(b, Binary::Min, x, at) },
    Native { name: "softmax", arity: (1, 1), build: |b, x, _| Ok(b.graph.softmax(x[0])) },
    Native { name: "logsumexp", arity: (1, 1), build: |b, x, _| Ok(b.graph.logsumexp(x[0])) },
    Native { name: "inv", arity: (1, 1), build: |b, x, at| b.op(Op::Inverse(Inverse), x, at) },
    Native { name: "det", arity: (1, 1), build: |b, x, at| b.op(Op::Det(Det), x, at) },
    Native { name: "logdet", arity: (1, 1), build: |b, x, at| b.op(Op::LogDet(LogDet), x, at) },
    Native { name: "kron", arity: (2, 2), build: |b, x, at| b.graph.kron(x[0], x[1]).map_err(|e| b.shape_error(&e, at, x)) },
    Native { name: "diag", arity: (1, 1), build: diag },
    Native { name: "vec", arity: (1, 1), build: vec },
    Native { name: "commutation", arity: (2, 2), build: commutation },
    Native { name: "reshape", arity: (3, 1 + MAX_RANK), build: reshape },
    Native { name: "eye", arity: (1, 1), build: |b, x, at| { let n = b.dim(x[0], at)?; Ok(b.graph.eye(n)) } },
    Native { name: "ones", arity: (2, MAX_RANK), build: |b, x, at| filled(b, x, at, 1.0) },
    Native { name: "zeros", arity: (2, MAX_RANK), build: |b, x, at| filled(b, x, at, 0.0) },
    Native { name: "rows", arity: (1, 1), build: |b, x, _| { let dim = b.graph.shape(x[0]).rows(); Ok(b.graph.size(dim)) } },
    Native { name: "cols", arity: (1, 1), build: |b, x, _| { let dim = b.graph.shape(x[0]).cols(); Ok(b.graph.size(dim)) } },
    Native { name: "einsum", arity: (2, usize::MAX), build: |_, _, at| Err(no_subscripts(at)) },
    Native { name: "training", arity: (2, 2), build: training },
    Native { name: "uniform_like", arity: (1, 1), build: |b, x, _| Ok(random(b, Distribution::Uniform, x[0])) },
    Native { name: "normal_like", arity: (1, 1), build: |b, x, _| Ok(random(b, Distribution::Normal, x[0])) },
    Native { name: "grad", arity: (2, 2), build: grad },
];

/// The subscripts and the operands of a call of `einsum`: the one function whose first argument is a string.
pub(super) fn subscripts<'a>(ast: &'a Ast, callee: &Ident, args: &'a [Argument]) -> Option<(&'a str, &'a [Argument])> {
    let (first, operands) = args.split_first()?;
    let ExprKind::Text(text) = &ast.expr(first.value).kind else { return None };
    (callee.name == "einsum" && !operands.is_empty()).then_some((text, operands))
}

fn no_subscripts(at: Span) -> Diagnostic {
    Diagnostic::new("E220", at, "`einsum` begins with its subscripts, a string")
        .label("this call")
        .help("write as in `einsum(\"bij,bjk->bik\", A, B)`")
}

/// A native function by name: from the element-wise table or from [`NATIVE`].
pub(super) fn call(builder: &mut Builder, name: &str, args: &[Id], at: Span) -> Option<Result<Id, Diagnostic>> {
    if let Some(row) = UNARY.iter().find(|row| row.name == name) {
        return Some(check_arity(name, args, (1, 1), at).map(|()| builder.graph.unary(row.op, args[0])));
    }
    let native = NATIVE.iter().find(|native| native.name == name)?;
    Some(check_arity(name, args, native.arity, at).and_then(|()| (native.build)(builder, args, at)))
}

/// The names of all native functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    UNARY.iter().map(|row| row.op.name()).chain(NATIVE.iter().map(|native| native.name))
}

fn check_arity(name: &str, args: &[Id], (least, most): (usize, usize), at: Span) -> Result<(), Diagnostic> {
    if (least..=most).contains(&args.len()) {
        return Ok(());
    }
    let wanted = if most == usize::MAX {
        format!("at least {least}")
    } else if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    };
    let plural = if most == 1 { "" } else { "s" };
    let message = format!("`{name}` takes {wanted} argument{plural}, got {}", args.len());
    Err(Diagnostic::new("E203", at, message).label("this call"))
}

fn extremum(b: &mut Builder, op: Binary, x: &[Id], at: Span) -> Result<Id, Diagnostic> {
    match *x {
        [single] => {
            let rank = b.graph.shape(single).rank();
            b.op(Op::Max(Max(Axes::all(rank))), &[single], at)
        }
        _ => {
            let (p, q) = b.stretched_pair(op.name(), x[0], x[1], at)?;
            b.op(Op::Binary(op), &[p, q], at)
        }
    }
}

/// A column or row makes a diagonal matrix; a square matrix gives its diagonal, as a column.
fn diag(b: &mut Builder, x: &[Id], at: Span) -> Result<Id, Diagnostic> {
    let shape = b.graph.shape(x[0]);
    if shape.rank() == 2 && shape.cols() == Dim::Known(1) {
        return b.op(Op::DiagonalMatrix(DiagonalMatrix), x, at);
    }
    if shape.rank() == 2 && shape.rows() == Dim::Known(1) {
        let column = b.graph.transpose(x[0]);
        return b.op(Op::DiagonalMatrix(DiagonalMatrix), &[column], at);
    }
    b.op(Op::Diagonal(Diagonal), x, at)
}

fn commutation(b: &mut Builder, x: &[Id], at: Span) -> Result<Id, Diagnostic> {
    let (m, n) = (b.dim(x[0], at)?, b.dim(x[1], at)?);
    b.graph.commutation(m, n).map_err(|error| b.shape_error(&error, at, x))
}

/// Column-major: the first index runs fastest.
fn vec(b: &mut Builder, x: &[Id], at: Span) -> Result<Id, Diagnostic> {
    let shape = b.graph.shape(x[0]);
    let too_large = |b: &Builder| b.shape_error(&ShapeError::TooLarge, at, x);
    let mut count = Dim::Known(1);
    for &dim in shape.dims() {
        count = b.graph.dims.product(count, dim).ok_or_else(|| too_large(b))?;
    }
    b.graph.reshape_columns(x[0], Shape::matrix(count, Dim::Known(1))).map_err(|e| b.shape_error(&e, at, x))
}

/// Column-major, like `vec`.
fn reshape(b: &mut Builder, x: &[Id], at: Span) -> Result<Id, Diagnostic> {
    let shape = shape_of(b, &x[1..], at)?;
    let found = b.graph.shape(x[0]);
    if !b.graph.dims.same_count(found.dims(), shape.dims()) {
        let wrong = ShapeError::Mismatch { what: "the numbers of elements", left: found, right: shape };
        return Err(b.shape_error(&wrong, at, &x[..1]));
    }
    b.graph.reshape_columns(x[0], shape).map_err(|e| b.shape_error(&e, at, x))
}

fn shape_of(b: &mut Builder, extents: &[Id], at: Span) -> Result<Shape, Diagnostic> {
    let dims: Result<Vec<Dim>, Diagnostic> = extents.iter().map(|&extent| b.dim(extent, at)).collect();
    Ok(Shape::new(&dims?))
}

fn filled(b: &mut Builder, x: &[Id], at: Span, value: f64) -> Result<Id, Diagnostic> {
    let shape = shape_of(b, x, at)?;
    Ok(b.graph.filled(value, shape))
}

/// Which elements a function of rows or columns folds into one.
#[derive(Clone, Copy)]
enum Along {
    Rows,
    Columns,
}

impl Builder<'_> {
    /// The last axis holds the elements of a row, the one before it those of a column, whatever the rank.
    fn along(&self, id: Id, along: Along) -> Axes {
        let rank = self.graph.shape(id).rank();
        Axes::one(match along {
            Along::Rows => rank - 1,
            Along::Columns => rank - 2,
        })
    }
}

/// The first argument in training, the second in a prediction. Both are built, so that both modes know the same variables.
fn training(b: &mut Builder, x: &[Id], at: Span) -> Result<Id, Diagnostic> {
    b.differs = true;
    let (train, predict) = b.stretched_pair("training", x[0], x[1], at)?;
    Ok(match b.mode {
        Mode::Training => train,
        Mode::Prediction => predict,
    })
}

/// Numbers of the shape of `like`, others in every step.
fn random(b: &mut Builder, distribution: Distribution, like: Id) -> Id {
    b.differs = true;
    let shape = b.graph.shape(like);
    b.graph.random(distribution, shape)
}

/// The gradient of a scalar with respect to a variable.
fn grad(b: &mut Builder, x: &[Id], at: Span) -> Result<Id, Diagnostic> {
    if !b.graph.shape(x[0]).is_scalar() {
        let shape = b.shape_text(x[0]);
        return Err(Diagnostic::new("E205", at, format!("the gradient needs a scalar, got {shape}"))
            .label("only a 1 x 1 expression has a gradient"));
    }
    if b.graph.as_variable(x[1]).is_none() {
        return Err(Diagnostic::new("E207", at, "the gradient is taken with respect to a variable")
            .label("the second argument is an expression")
            .help("name a `param`, an `input` or a `target`"));
    }
    if b.graph.facts().iter().any(|(id, _)| *id == x[1]) {
        return Err(Diagnostic::new("E219", at, "a gradient by a variable of which a fact is stated")
            .label("its elements are not free")
            .help("leave out the fact: the gradient treats every element as free"));
    }
    let gradients = crate::calculus::differentiate::gradients(&mut b.graph, x[0], &[x[1]]);
    Ok(gradients[0])
}

/// The value of an expression of numbers, if it is one.
#[must_use]
pub fn constant_value(graph: &Graph, id: Id) -> Option<f64> {
    use crate::lang::evaluate::{Point, evaluate};
    if !graph.shape(id).is_scalar() {
        return None;
    }
    let mut point = Point::default();
    for node in graph.reachable(&[id]) {
        // A number may be the sum of a large tensor of ones: that is not worked out while a text is read.
        let elements = graph.shape(node).sizes(&graph.dims)?.iter().product::<usize>();
        if elements > LARGEST_CONSTANT {
            return None;
        }
        if let Op::Variable(_) = graph.op(node) {
            let value = graph.as_variable(node)?.value?;
            point.values.insert(node, crate::lang::Tensor::scalar(value));
        }
    }
    let values = evaluate(graph, &[id], &point).ok()?;
    Some(values.get(id).values[0])
}

/// Most elements of a tensor on the way to a number that is worked out while a text is read.
const LARGEST_CONSTANT: usize = 10_000;
