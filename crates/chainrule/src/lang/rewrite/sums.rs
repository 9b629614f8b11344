//! Rules of sums over axes.

use super::Rule;
use super::kronecker::kronecker;
use super::views::{broadcast_source, stretched_axes};
use crate::lang::dim::Dim;
use crate::lang::graph::{Fact, Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::arithmetic::Mul;
use crate::lang::ops::diagonal::Diagonal;
use crate::lang::shape::{Axes, Shape};

pub(super) static RULES: &[Rule] = &[
    Rule { name: "sum over nothing", statement: "rowsum(column) = column", apply: trivial },
    Rule { name: "sum of a sum", statement: "colsum(rowsum(a)) = sum(a)", apply: merge },
    Rule { name: "sum of a broadcast", statement: "rowsum(ones*a) = n*a", apply: broadcast },
    Rule { name: "constant factors leave the sum", statement: "sum(s*a) = s*sum(a)", apply: constant_factors },
    Rule { name: "sum of a transpose", statement: "sum(a') = sum(a)", apply: transpose },
    Rule { name: "sum of a diagonal matrix", statement: "sum(diag(a)) = sum(a)", apply: diagonal },
    Rule { name: "trace", statement: "sum(eye.*a) = tr(a)", apply: trace },
    Rule { name: "rows that sum to one", statement: "rowsum(softmax(a)) = ones", apply: probabilities },
    Rule { name: "sum of a Kronecker product", statement: "sum(kron(a, b)) = sum(a)*sum(b)", apply: kron },
];

fn sum(graph: &Graph, id: Id) -> Option<(Axes, Id)> {
    match graph.op(id) {
        Op::Sum(sum) => Some((sum.0, graph.args(id)[0])),
        _ => None,
    }
}

fn trivial(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    let shape = graph.shape(x);
    let needed: Axes = axes.iter().filter(|&axis| axis < shape.rank() && shape.dims()[axis] != Dim::Known(1)).collect();
    (needed != axes).then(|| graph.sum(x, needed))
}

fn merge(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    let (inner, y) = sum(graph, x)?;
    Some(graph.sum(y, axes.union(inner)))
}

/// The product of the extents of `axes`, as a list of scalar factors.
fn extents(graph: &mut Graph, shape: Shape, axes: Axes) -> Vec<Id> {
    axes.iter().map(|axis| graph.size(shape.dims()[axis])).collect()
}

fn broadcast(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    let source = broadcast_source(graph, x)?;
    let stretched = stretched_axes(graph, x);
    let constant: Axes = axes.iter().filter(|&axis| stretched.contains(axis)).collect();
    if constant.is_empty() {
        return None;
    }
    let mut factors = extents(graph, graph.shape(x), constant);
    // What is left: the source stretched only along the axes that are not summed away.
    let kept = graph.broadcast(source, graph.shape(x).reduced(constant));
    let others: Axes = axes.iter().filter(|&axis| !constant.contains(axis)).collect();
    factors.push(graph.sum(kept, others));
    Some(graph.mul(&factors))
}

/// Factors that do not change along the summed axes are taken out.
fn constant_factors(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    if !matches!(graph.op(x), Op::Mul(_)) {
        return None;
    }
    let shape = graph.shape(x);
    let factors = graph.args(x).to_vec();
    let leaves = |graph: &Graph, f: Id| {
        let stretched = stretched_axes(graph, f);
        axes.iter().all(|axis| stretched.contains(axis) || shape.dims()[axis] == Dim::Known(1))
    };
    let (out, rest): (Vec<Id>, Vec<Id>) = factors.iter().partition(|&&f| leaves(graph, f));
    if out.is_empty() {
        return None;
    }
    let result = graph.shape(id);
    let mut new = Vec::new();
    for factor in out {
        let source = broadcast_source(graph, factor).unwrap_or(factor);
        new.push(graph.broadcast(source, result));
    }
    let rest = if rest.is_empty() { graph.filled(1.0, shape) } else { graph.build(Op::Mul(Mul), &rest) };
    new.push(graph.sum(rest, axes));
    Some(graph.build(Op::Mul(Mul), &new))
}

fn transpose(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    let Op::Permute(permute) = graph.op(x) else { return None };
    let y = graph.args(x)[0];
    let source: Axes = axes.iter().map(|axis| permute.order()[axis] as usize).collect();
    let sum = graph.sum(y, source);
    Some(graph.build(Op::Permute(permute), &[sum]))
}

fn diagonal(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    match graph.op(x) {
        Op::DiagonalMatrix(_) => {
            let column = graph.args(x)[0];
            if axes == Axes::COLUMNS {
                return Some(column);
            }
            if axes == Axes::ROWS {
                return Some(graph.transpose(column));
            }
            Some(graph.sum(column, axes))
        }
        Op::Eye(dim) => {
            let ones = graph.filled(1.0, graph.shape(x).reduced(Axes::COLUMNS));
            let _ = dim;
            if axes == Axes::COLUMNS {
                return Some(ones);
            }
            if axes == Axes::ROWS {
                return Some(graph.transpose(ones));
            }
            Some(graph.sum(ones, axes))
        }
        _ => None,
    }
}

fn trace(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    let Op::Mul(_) = graph.op(x) else { return None };
    let factors = graph.args(x).to_vec();
    let at = factors.iter().position(|&f| matches!(graph.op(f), Op::Eye(_)))?;
    if !graph.shape(id).is_scalar() || factors.len() < 2 {
        return None;
    }
    let rest: Vec<Id> = factors.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, &f)| f).collect();
    let rest = graph.build(Op::Mul(Mul), &rest);
    let diagonal = graph.build(Op::Diagonal(Diagonal), &[rest]);
    Some(graph.sum(diagonal, axes))
}

fn probabilities(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    let last = Axes::one(graph.shape(x).rank() - 1);
    let sums_to_one = matches!(graph.op(x), Op::Softmax(_)) || graph.is_known(x, Fact::RowsSumToOne);
    if !sums_to_one || !axes.contains(graph.shape(x).rank() - 1) {
        return None;
    }
    graph.use_fact(x, Fact::RowsSumToOne);
    let ones = graph.filled(1.0, graph.shape(x).reduced(last));
    let others: Axes = axes.iter().filter(|&axis| !last.contains(axis)).collect();
    Some(graph.sum(ones, others))
}

fn kron(graph: &mut Graph, id: Id) -> Option<Id> {
    let (axes, x) = sum(graph, id)?;
    let (a, b) = kronecker(graph, x)?;
    let (sa, sb) = (graph.sum(a, axes), graph.sum(b, axes));
    graph.kron(sa, sb).ok()
}
