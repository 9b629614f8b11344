//! Rules of contractions and matrix functions.

use super::Rule;
use super::views::broadcast_source;
use crate::lang::graph::{Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::factor::LogDet;
use crate::lang::ops::view::Permute;
use crate::lang::shape::Axes;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "product with zero", statement: "a*0 = 0", apply: zero },
    Rule { name: "scalars leave the product", statement: "(s*a)*b = s*(a*b)", apply: scalars },
    Rule { name: "product with the identity", statement: "eye*a = a", apply: identity },
    Rule { name: "product with ones", statement: "column*ones = ones*column", apply: outer_ones },
    Rule { name: "diagonal times a row of rows", statement: "diag(v)*(ones*row) = v*row", apply: diagonal_rows },
    Rule {
        name: "contraction with ones",
        statement: "einsum(\"ij,ik->jk\", a, ones) = colsum(a)'*ones",
        apply: contract_ones,
    },
    Rule { name: "product with a scalar", statement: "a*s = s*a", apply: scalar_operand },
    Rule { name: "product with a column", statement: "(a*b)*column = a*(b*column)", apply: column_last },
    Rule { name: "inverse of an inverse", statement: "inv(inv(a)) = a", apply: inverse },
    Rule { name: "logarithm of a determinant", statement: "log(det(a)) = logdet(a)", apply: log_det },
];

fn operands(graph: &Graph, id: Id) -> Option<(Contract, Id, Id)> {
    match graph.op(id) {
        Op::Contract(spec) => Some((spec, graph.args(id)[0], graph.args(id)[1])),
        _ => None,
    }
}

fn zero(graph: &mut Graph, id: Id) -> Option<Id> {
    let (_, a, b) = operands(graph, id)?;
    let is_zero = |graph: &Graph, x: Id| graph.constant_value(x) == Some(0.0);
    (is_zero(graph, a) || is_zero(graph, b)).then(|| graph.filled(0.0, graph.shape(id)))
}

fn scalars(graph: &mut Graph, id: Id) -> Option<Id> {
    let (spec, a, b) = operands(graph, id)?;
    let mut out = Vec::new();
    let mut strip = |graph: &mut Graph, x: Id| {
        if !matches!(graph.op(x), Op::Mul(_)) {
            return x;
        }
        let factors = graph.args(x).to_vec();
        let is_scalar = |graph: &Graph, f: Id| broadcast_source(graph, f).filter(|&s| graph.shape(s).is_scalar());
        let rest: Vec<Id> = factors.iter().copied().filter(|&f| is_scalar(graph, f).is_none()).collect();
        if rest.len() == factors.len() || rest.is_empty() {
            return x;
        }
        out.extend(factors.iter().filter_map(|&f| is_scalar(graph, f)));
        graph.mul(&rest)
    };
    let (a, b) = (strip(graph, a), strip(graph, b));
    if out.is_empty() {
        return None;
    }
    let product = graph.build(Op::Contract(spec), &[a, b]);
    let shape = graph.shape(id);
    let mut factors: Vec<Id> = out.iter().map(|&s| graph.broadcast(s, shape)).collect();
    factors.push(product);
    Some(graph.mul(&factors))
}

fn identity(graph: &mut Graph, id: Id) -> Option<Id> {
    let (spec, a, b) = operands(graph, id)?;
    if spec != Contract::MATMUL {
        return None;
    }
    match (graph.op(a), graph.op(b)) {
        (Op::Eye(_), _) => Some(b),
        (_, Op::Eye(_)) => Some(a),
        _ => None,
    }
}

/// A column times a row of ones, or a column of ones times a row, is that column or row stretched.
fn outer_ones(graph: &mut Graph, id: Id) -> Option<Id> {
    let (spec, a, b) = operands(graph, id)?;
    if spec != Contract::MATMUL || graph.shape(a).cols() != crate::lang::Dim::Known(1) {
        return None;
    }
    let ones = |graph: &Graph, x: Id| graph.constant_value(x) == Some(1.0);
    match (ones(graph, a), ones(graph, b)) {
        (_, true) => Some(graph.broadcast(a, graph.shape(id))),
        (true, _) => Some(graph.broadcast(b, graph.shape(id))),
        _ => None,
    }
}

fn diagonal_rows(graph: &mut Graph, id: Id) -> Option<Id> {
    let (spec, a, b) = operands(graph, id)?;
    let row = broadcast_source(graph, b).filter(|_| spec == Contract::MATMUL)?;
    let Op::DiagonalMatrix(_) = graph.op(a) else { return None };
    let is_row = graph.shape(row).rows() == crate::lang::Dim::Known(1);
    (is_row && graph.shape(row).cols() == graph.shape(b).cols()).then(|| graph.matmul(graph.args(a)[0], row))
}

/// A tensor filled with one number only sums the other operand, and stretches the result.
fn contract_ones(graph: &mut Graph, id: Id) -> Option<Id> {
    let (spec, a, b) = operands(graph, id)?;
    // Both have a notation of their own.
    if spec == Contract::MATMUL || spec == Graph::KRONECKER {
        return None;
    }
    let (number, x, labels) = match (graph.constant_value(a), graph.constant_value(b)) {
        (_, Some(number)) => (number, a, spec.a),
        (Some(number), _) => (number, b, spec.b),
        _ => return None,
    };
    let shape = graph.shape(id);
    let (labels, out) = (labels.list().to_vec(), spec.out.list().to_vec());
    let summed: Axes = (0..labels.len()).filter(|&axis| !out.contains(&labels[axis])).collect();
    let sum = graph.sum(x, summed);
    // The axes that stay, in the order of the result; those of the ones have extent 1 until they are stretched.
    let kept: Vec<u8> = out.iter().copied().filter(|label| labels.contains(label)).collect();
    let axis = |label: &u8| labels.iter().position(|l| l == label).expect("it stays") as u8;
    let order: Vec<u8> = kept.iter().map(axis).chain(summed.iter().map(|axis| axis as u8)).collect();
    let permuted = graph.build(Op::Permute(Permute::new(&order)), &[sum]);
    let of_ones: Axes = (0..out.len()).filter(|&axis| !labels.contains(&out[axis])).collect();
    let small = graph.reshape(permuted, shape.reduced(of_ones));
    let stretched = graph.broadcast(small, shape);
    Some(graph.times(stretched, number))
}

fn scalar_operand(graph: &mut Graph, id: Id) -> Option<Id> {
    let (spec, a, b) = operands(graph, id)?;
    if spec != Contract::MATMUL {
        return None;
    }
    // A 1 x 1 operand scales; stretched to the other's shape it is an ordinary factor.
    let (scalar, other) = match (graph.shape(a).is_scalar(), graph.shape(b).is_scalar()) {
        (true, _) => (a, b),
        (_, true) => (b, a),
        _ => return None,
    };
    let scalar = graph.broadcast(scalar, graph.shape(other));
    Some(graph.mul(&[scalar, other]))
}

/// A column is multiplied first, a row last: no product of matrices is needed. A product with a name stays whole.
fn column_last(graph: &mut Graph, id: Id) -> Option<Id> {
    let (spec, product, column) = operands(graph, id)?;
    let one = crate::lang::Dim::Known(1);
    let (inner, a, b) = operands(graph, product)?;
    let matmuls = spec == Contract::MATMUL && inner == spec && graph.name(product).is_none();
    let shape = graph.shape(product);
    if !matmuls || graph.shape(column).cols() != one || shape.rows() == one {
        return None;
    }
    let last = graph.matmul(b, column);
    Some(graph.matmul(a, last))
}

fn inverse(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Inverse(_) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    match graph.op(x) {
        Op::Inverse(_) => Some(graph.args(x)[0]),
        Op::Eye(_) => Some(x),
        _ if graph.shape(x).is_scalar() => Some(graph.power(x, -1.0)),
        _ => None,
    }
}

fn log_det(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Unary(crate::lang::ops::elementwise::Unary::Log) = graph.op(id) else { return None };
    let det = graph.args(id)[0];
    let Op::Det(_) = graph.op(det) else { return None };
    let x = graph.args(det)[0];
    Some(graph.build(Op::LogDet(LogDet), &[x]))
}
