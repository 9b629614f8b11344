//! Functions of a square matrix through its factorisation. Differentials: Petersen & Pedersen, "The Matrix Cookbook",
//! (41) det, (43) log det, (40) inverse.

use crate::lang::dim::Dims;
use crate::lang::graph::{Graph, Id};
use crate::lang::op::{Class, Derivative, Op, OpDef, Written, exactly};
use crate::lang::shape::{Axes, Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// Inverse of a square matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inverse;

/// Determinant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Det;

/// Logarithm of the absolute value of the determinant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogDet;

fn square(dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
    let [x] = exactly(args);
    if x.rank() != 2 || !dims.unify(x.rows(), x.cols()) {
        return Err(ShapeError::Needs { what: "a square matrix", found: x });
    }
    Ok(x.resolved(dims))
}

/// tr(inv(X)*dX), written as sum(inv(X)'.*dX).
fn trace_inverse(graph: &mut Graph, x: Id, dx: Id) -> Id {
    let inverse = graph.build(Op::Inverse(Inverse), &[x]);
    let transposed = graph.transpose(inverse);
    let product = graph.mul(&[transposed, dx]);
    graph.sum(product, Axes::all(2))
}

impl OpDef for Inverse {
    fn name(&self) -> &'static str {
        "inv"
    }
    fn written(&self) -> Written {
        Written::Function { tex: r"\operatorname{inv}" }
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        square(dims, args)
    }
    fn derivative(&self, _: usize) -> Derivative {
        // d inv(X) = -inv(X)*dX*inv(X).
        Derivative::Rule(|graph, y, _, dx| {
            let left = graph.matmul(y, dx);
            let product = graph.matmul(left, y);
            graph.times(product, -1.0)
        })
    }
    fn class(&self) -> Class {
        Class::Factor
    }
    fn evaluate(&self, args: &[&Tensor], _: &[usize]) -> Tensor {
        let n = args[0].sizes[0];
        let mut inverse = Tensor::from_fn(&[n, n], |index| f64::from(u8::from(index[0] == index[1])));
        eliminate(args[0], Some(&mut inverse));
        inverse
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for Det {
    fn name(&self) -> &'static str {
        "det"
    }
    fn written(&self) -> Written {
        Written::Function { tex: r"\det" }
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        square(dims, args).map(|_| Shape::SCALAR)
    }
    fn derivative(&self, _: usize) -> Derivative {
        // d det(X) = det(X)*tr(inv(X)*dX).
        Derivative::Rule(|graph, y, _, dx| {
            let x = graph.node(y).args[0];
            let trace = trace_inverse(graph, x, dx);
            graph.mul(&[y, trace])
        })
    }
    fn class(&self) -> Class {
        Class::Factor
    }
    fn evaluate(&self, args: &[&Tensor], _: &[usize]) -> Tensor {
        let (sign, log) = eliminate(args[0], None);
        Tensor::scalar(sign * libm::exp(log))
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for LogDet {
    fn name(&self) -> &'static str {
        "logdet"
    }
    fn written(&self) -> Written {
        Written::Function { tex: r"\log\det" }
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        square(dims, args).map(|_| Shape::SCALAR)
    }
    fn derivative(&self, _: usize) -> Derivative {
        // d log det(X) = tr(inv(X)*dX).
        Derivative::Rule(|graph, y, _, dx| {
            let x = graph.node(y).args[0];
            trace_inverse(graph, x, dx)
        })
    }
    fn class(&self) -> Class {
        Class::Factor
    }
    fn evaluate(&self, args: &[&Tensor], _: &[usize]) -> Tensor {
        Tensor::scalar(eliminate(args[0], None).1)
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

/// Gauss-Jordan elimination with partial pivoting, the obvious reference: sign and logarithm of the determinant; turns
/// `right` (an identity) into the inverse. A singular matrix gives log = -inf and an inverse that is not finite.
fn eliminate(matrix: &Tensor, mut right: Option<&mut Tensor>) -> (f64, f64) {
    let n = matrix.sizes[0];
    let mut a = matrix.values.clone();
    let (mut sign, mut log) = (1.0, 0.0);
    for col in 0..n {
        let pivot = (col..n).max_by(|&i, &j| a[i * n + col].abs().total_cmp(&a[j * n + col].abs())).unwrap_or(col);
        if pivot != col {
            sign = -sign;
            (0..n).for_each(|k| a.swap(pivot * n + k, col * n + k));
            if let Some(r) = right.as_deref_mut() {
                (0..n).for_each(|k| r.values.swap(pivot * n + k, col * n + k));
            }
        }
        let p = a[col * n + col];
        sign *= p.signum();
        log += libm::log(p.abs());
        for row in 0..n {
            if row == col {
                continue;
            }
            let factor = a[row * n + col] / p;
            (0..n).for_each(|k| a[row * n + k] -= factor * a[col * n + k]);
            if let Some(r) = right.as_deref_mut() {
                (0..n).for_each(|k| r.values[row * n + k] -= factor * r.values[col * n + k]);
            }
        }
    }
    if let Some(r) = right {
        for row in 0..n {
            let p = a[row * n + row];
            r.values[row * n..(row + 1) * n].iter_mut().for_each(|v| *v /= p);
        }
    }
    (sign, log)
}
