//! Rules of inverses, determinants and diagonal matrices (Petersen & Pedersen, "The Matrix Cookbook", (13) to (22)).

use super::Rule;
use super::views::{chain, scalar_source};
use crate::lang::dim::Dim;
use crate::lang::graph::{Fact, Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::arithmetic::Mul;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::diagonal::{Diagonal, DiagonalMatrix};
use crate::lang::ops::elementwise::Unary;
use crate::lang::ops::factor::{Inverse, LogDet};
use crate::lang::ops::reduce::Sum;
use crate::lang::shape::Axes;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "inverse of a transpose", statement: "inv(a') = inv(a)'", apply: inverse_of_transpose },
    Rule { name: "inverse of a multiple", statement: "inv(s*a) = inv(a)/s", apply: inverse_of_multiple },
    Rule { name: "inverse of a diagonal matrix", statement: "inv(diag(v)) = diag(1./v)", apply: inverse_of_diagonal },
    Rule { name: "inverse of an orthogonal matrix", statement: "inv(a) = a'", apply: inverse_of_orthogonal },
    Rule { name: "determinant of a transpose", statement: "det(a') = det(a)", apply: det_of_transpose },
    Rule { name: "determinant of an inverse", statement: "logdet(inv(a)) = -logdet(a)", apply: det_of_inverse },
    Rule { name: "determinant of the identity", statement: "det(eye) = 1", apply: det_of_identity },
    Rule {
        name: "determinant of a diagonal matrix",
        statement: "logdet(diag(v)) = sum(log(abs(v)))",
        apply: log_diagonal,
    },
    Rule { name: "product of diagonal matrices", statement: "diag(u)*diag(v) = diag(u.*v)", apply: diagonals },
    Rule { name: "diagonal matrix times a vector", statement: "diag(v)*x = v.*x", apply: diagonal_times_vector },
    Rule {
        name: "diagonal matrix times ones",
        statement: "diag(v)*ones(n, m) = v*ones(1, m)",
        apply: diagonal_times_ones,
    },
    Rule { name: "sum against a diagonal matrix", statement: "rowsum(a*diag(v)) = a*v", apply: sum_against_diagonal },
    Rule { name: "diagonal of an outer product", statement: "diag(a*b') = a.*b", apply: diagonal_of_outer },
    Rule { name: "factors leave a diagonal", statement: "diag(s*diag(v)*a) = s*v.*diag(a)", apply: diagonal_factors },
    Rule { name: "powers of the identity", statement: "eye.^p = eye", apply: power_of_identity },
    Rule { name: "sign over absolute value", statement: "sign(a)./abs(a) = 1./a", apply: sign_over_abs },
    Rule { name: "transpose against the identity", statement: "a'.*eye = a.*eye", apply: transpose_against_identity },
];

fn inverted(graph: &Graph, id: Id) -> Option<Id> {
    matches!(graph.op(id), Op::Inverse(_)).then(|| graph.args(id)[0])
}

fn inverse_of_transpose(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = inverted(graph, id)?;
    let Op::Permute(_) = graph.op(x) else { return None };
    let inverse = graph.build(Op::Inverse(Inverse), &[graph.args(x)[0]]);
    Some(graph.transpose(inverse))
}

fn inverse_of_multiple(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = inverted(graph, id)?;
    let Op::Mul(_) = graph.op(x) else { return None };
    let (out, rest): (Vec<Id>, Vec<Id>) = graph.args(x).iter().partition(|&&f| scalar_source(graph, f).is_some());
    if out.is_empty() || rest.is_empty() || graph.name(x).is_some() {
        return None;
    }
    let sources: Vec<Id> = out.iter().filter_map(|&f| scalar_source(graph, f)).collect();
    let mut factors: Vec<Id> = sources.into_iter().map(|s| graph.power(s, -1.0)).collect();
    let rest = graph.mul(&rest);
    factors.push(graph.build(Op::Inverse(Inverse), &[rest]));
    Some(graph.mul(&factors))
}

fn diagonal_of(graph: &Graph, id: Id) -> Option<Id> {
    matches!(graph.op(id), Op::DiagonalMatrix(_)).then(|| graph.args(id)[0])
}

fn inverse_of_diagonal(graph: &mut Graph, id: Id) -> Option<Id> {
    let v = diagonal_of(graph, inverted(graph, id)?)?;
    let v = graph.power(v, -1.0);
    Some(graph.build(Op::DiagonalMatrix(DiagonalMatrix), &[v]))
}

fn inverse_of_orthogonal(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = inverted(graph, id).filter(|&x| graph.is_known(x, Fact::Orthogonal))?;
    graph.use_fact(x, Fact::Orthogonal);
    Some(graph.transpose(x))
}

/// The argument of a determinant or of its logarithm.
fn det_argument(graph: &Graph, id: Id) -> Option<Id> {
    matches!(graph.op(id), Op::Det(_) | Op::LogDet(_)).then(|| graph.args(id)[0])
}

fn det_of_transpose(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = det_argument(graph, id)?;
    let Op::Permute(_) = graph.op(x) else { return None };
    Some(graph.build(graph.op(id), &[graph.args(x)[0]]))
}

fn det_of_inverse(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = inverted(graph, det_argument(graph, id)?)?;
    let det = graph.build(graph.op(id), &[x]);
    Some(match graph.op(id) {
        Op::LogDet(_) => graph.times(det, -1.0),
        _ => graph.power(det, -1.0),
    })
}

/// Of the identity, and of an orthogonal matrix up to its sign.
fn det_of_identity(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = det_argument(graph, id)?;
    let logarithm = matches!(graph.op(id), Op::LogDet(_));
    if logarithm && graph.is_known(x, Fact::Orthogonal) {
        graph.use_fact(x, Fact::Orthogonal);
        return Some(graph.constant(0.0));
    }
    let Op::Eye(_) = graph.op(x) else { return None };
    Some(graph.constant(if logarithm { 0.0 } else { 1.0 }))
}

fn log_diagonal(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::LogDet(LogDet) = graph.op(id) else { return None };
    let v = diagonal_of(graph, graph.args(id)[0])?;
    let size = graph.unary(Unary::Abs, v);
    let log = graph.unary(Unary::Log, size);
    Some(graph.sum_all(log))
}

fn operands(graph: &Graph, id: Id) -> Option<(Id, Id)> {
    (graph.op(id) == Op::Contract(Contract::MATMUL)).then(|| (graph.args(id)[0], graph.args(id)[1]))
}

fn diagonals(graph: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = operands(graph, id)?;
    let (u, v) = (diagonal_of(graph, a)?, diagonal_of(graph, b)?);
    let product = graph.mul(&[u, v]);
    Some(graph.build(Op::DiagonalMatrix(DiagonalMatrix), &[product]))
}

fn diagonal_times_vector(graph: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = operands(graph, id)?;
    if let Some(v) = diagonal_of(graph, a)
        && graph.shape(b).cols() == Dim::Known(1)
    {
        return Some(graph.mul(&[v, b]));
    }
    let v = diagonal_of(graph, b).filter(|_| graph.shape(a).rows() == Dim::Known(1))?;
    let row = graph.transpose(v);
    Some(graph.mul(&[a, row]))
}

/// Against a matrix filled with one number it is a vector that is stretched.
fn diagonal_times_ones(graph: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = operands(graph, id)?;
    let filled = |graph: &Graph, x: Id| scalar_source(graph, x);
    let (vector, number) = match (diagonal_of(graph, a), diagonal_of(graph, b)) {
        (Some(v), _) => (v, filled(graph, b)?),
        (_, Some(v)) => (graph.transpose(v), filled(graph, a)?),
        _ => return None,
    };
    let scaled = graph.mul(&[number, vector]);
    Some(graph.broadcast(scaled, graph.shape(id)))
}

/// The sum of the rows of `diag(v)*a` is `v'*a`, that of the columns of `a*diag(v)` is `a*v`.
fn sum_against_diagonal(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Sum(Sum(axes)) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    let factors = chain(graph, x).filter(|_| graph.name(x).is_none())?;
    let (&first, &last) = (factors.first()?, factors.last()?);
    let product = |graph: &mut Graph, factors: &[Id]| {
        factors[1..].iter().fold(factors[0], |product, &factor| graph.matmul(product, factor))
    };
    if let Some(v) = diagonal_of(graph, last)
        && axes.contains(1)
    {
        let mut factors = factors;
        *factors.last_mut()? = v;
        let vector = product(graph, &factors);
        return Some(if axes.contains(0) { graph.sum(vector, Axes::ROWS) } else { vector });
    }
    let v = diagonal_of(graph, first).filter(|_| axes.contains(0))?;
    let mut factors = factors;
    factors[0] = graph.transpose(v);
    let vector = product(graph, &factors);
    Some(if axes.contains(1) { graph.sum(vector, Axes::COLUMNS) } else { vector })
}

/// The diagonal of a column times a row is their product, element by element.
fn diagonal_of_outer(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Diagonal(_) = graph.op(id) else { return None };
    let (a, b) = operands(graph, graph.args(id)[0])?;
    if graph.shape(a).cols() != Dim::Known(1) {
        return None;
    }
    let b = graph.transpose(b);
    Some(graph.mul(&[a, b]))
}

fn transpose_against_identity(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Mul(_) = graph.op(id) else { return None };
    let mut factors = graph.args(id).to_vec();
    if !factors.iter().any(|&f| matches!(graph.op(f), Op::Eye(_))) {
        return None;
    }
    let at = factors.iter().position(|&f| matches!(graph.op(f), Op::Permute(_)))?;
    factors[at] = graph.args(factors[at])[0];
    Some(graph.build(Op::Mul(Mul), &factors))
}

/// Scalars, and diagonal matrices at the ends of a product.
fn diagonal_factors(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Diagonal(_) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    if graph.name(x).is_some() {
        return None;
    }
    if let Op::Mul(_) = graph.op(x) {
        let (out, rest): (Vec<Id>, Vec<Id>) = graph.args(x).iter().partition(|&&f| scalar_source(graph, f).is_some());
        if out.is_empty() || rest.is_empty() {
            return None;
        }
        let mut factors: Vec<Id> = out.iter().filter_map(|&f| scalar_source(graph, f)).collect();
        let rest = graph.mul(&rest);
        factors.push(graph.build(Op::Diagonal(Diagonal), &[rest]));
        return Some(graph.mul(&factors));
    }
    let mut factors = chain(graph, x)?;
    let v = match (diagonal_of(graph, *factors.first()?), diagonal_of(graph, *factors.last()?)) {
        (Some(v), _) => {
            factors.remove(0);
            v
        }
        (_, Some(v)) => {
            factors.pop();
            v
        }
        _ => return None,
    };
    let rest = factors[1..].iter().fold(factors[0], |product, &factor| graph.matmul(product, factor));
    let rest = graph.build(Op::Diagonal(Diagonal), &[rest]);
    Some(graph.mul(&[v, rest]))
}

fn power_of_identity(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Power(power) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    (matches!(graph.op(x), Op::Eye(_)) && power.exponent() > 0.0).then_some(x)
}

fn sign_over_abs(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Mul(_) = graph.op(id) else { return None };
    let mut factors = graph.args(id).to_vec();
    let argument = |f: Id, function: Unary| (graph.op(f) == Op::Unary(function)).then(|| graph.args(f)[0]);
    let inverse_abs = |f: Id| match graph.op(f) {
        Op::Power(power) if power.exponent() == -1.0 => argument(graph.args(f)[0], Unary::Abs),
        _ => None,
    };
    let (sign, x) = factors.iter().enumerate().find_map(|(at, &f)| Some((at, argument(f, Unary::Sign)?)))?;
    let abs = factors.iter().position(|&f| inverse_abs(f) == Some(x))?;
    factors[sign] = graph.power(x, -1.0);
    factors.remove(abs);
    Some(graph.mul(&factors))
}
