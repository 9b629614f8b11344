//! Stability by shape: softmax, log-sum-exp, sigmoid, softplus and the logarithms of them become their stable form
//! however they are spelled, before anything is derived; so derivatives are in terms of them, too.

use super::Rule;
use super::terms::{join, split};
use super::views::broadcast_source;
use crate::lang::graph::{Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::arithmetic::Mul;
use crate::lang::ops::elementwise::Unary;
use crate::lang::shape::Axes;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "logarithm of an exponential", statement: "log(exp(a)) = a", apply: log_exp },
    Rule { name: "log-sum-exp", statement: "log(rowsum(exp(a))) = logsumexp(a)", apply: log_sum_exp },
    Rule { name: "logarithm of softmax", statement: "log(softmax(a)) = a - logsumexp(a)", apply: log_softmax },
    Rule { name: "softplus", statement: "log(1 + exp(a)) = softplus(a)", apply: softplus },
    Rule { name: "logarithm of sigmoid", statement: "log(sigmoid(a)) = -softplus(-a)", apply: log_sigmoid },
    Rule { name: "sigmoid", statement: "1./(1 + exp(-a)) = sigmoid(a)", apply: sigmoid },
    Rule { name: "sigmoid of the opposite", statement: "exp(a).*sigmoid(-a) = sigmoid(a)", apply: opposite_sigmoid },
    Rule {
        name: "sigmoid and its opposite",
        statement: "(1 - y).*sigmoid(a) - y.*sigmoid(-a) = sigmoid(a) - y",
        apply: both_sigmoids,
    },
    Rule { name: "softmax", statement: "exp(a)./rowsum(exp(a)) = softmax(a)", apply: softmax },
];

fn unary(graph: &Graph, id: Id, op: Unary) -> Option<Id> {
    (graph.op(id) == Op::Unary(op)).then(|| graph.args(id)[0])
}

fn log_exp(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = unary(graph, id, Unary::Log)?;
    unary(graph, x, Unary::Exp)
}

/// `sum(exp(z))` over the last axis as (z, transposed): over the first axis, the rows of `z'` are meant.
fn sum_of_exp(graph: &Graph, id: Id) -> Option<(Id, bool)> {
    let Op::Sum(sum) = graph.op(id) else { return None };
    let exp = graph.args(id)[0];
    let z = unary(graph, exp, Unary::Exp)?;
    let shape = graph.shape(z);
    let needed = |axis: usize| shape.dims()[axis] != crate::lang::Dim::Known(1);
    let rest: Axes = sum.0.iter().filter(|&axis| needed(axis)).collect();
    let last = shape.rank() - 1;
    if rest == Axes::one(last) {
        Some((z, false))
    } else if rest == Axes::ROWS && shape.rank() == 2 {
        Some((z, true))
    } else {
        None
    }
}

fn log_sum_exp(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = unary(graph, id, Unary::Log)?;
    let (z, transposed) = sum_of_exp(graph, x)?;
    if !transposed {
        return Some(graph.logsumexp(z));
    }
    let z = graph.transpose(z);
    let result = graph.logsumexp(z);
    Some(graph.transpose(result))
}

fn log_softmax(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = unary(graph, id, Unary::Log)?;
    let (softmax, transposed) = match graph.op(x) {
        Op::Permute(_) => (graph.args(x)[0], true),
        _ => (x, false),
    };
    let Op::Softmax(_) = graph.op(softmax) else { return None };
    let z = graph.args(softmax)[0];
    let normaliser = graph.logsumexp(z);
    let normaliser = graph.broadcast(normaliser, graph.shape(z));
    let result = graph.sub(z, normaliser);
    Some(if transposed { graph.transpose(result) } else { result })
}

/// `1 + exp(z)` as z.
fn one_plus_exp(graph: &Graph, id: Id) -> Option<Id> {
    let Op::Add(_) = graph.op(id) else { return None };
    let &[a, b] = graph.args(id) else { return None };
    let pick = |one: Id, exp: Id| (graph.constant_value(one) == Some(1.0)).then(|| unary(graph, exp, Unary::Exp))?;
    pick(a, b).or_else(|| pick(b, a))
}

fn softplus(graph: &mut Graph, id: Id) -> Option<Id> {
    if let Some(x) = unary(graph, id, Unary::Log1p) {
        let z = unary(graph, x, Unary::Exp)?;
        return Some(graph.unary(Unary::Softplus, z));
    }
    let x = unary(graph, id, Unary::Log)?;
    let z = one_plus_exp(graph, x)?;
    Some(graph.unary(Unary::Softplus, z))
}

/// `log(sigmoid(z)) = -softplus(-z)` and `log(1 - sigmoid(z)) = -softplus(z)`.
fn log_sigmoid(graph: &mut Graph, id: Id) -> Option<Id> {
    let x = unary(graph, id, Unary::Log)?;
    let softplus = if let Some(z) = unary(graph, x, Unary::Sigmoid) {
        let z = graph.times(z, -1.0);
        graph.unary(Unary::Softplus, z)
    } else {
        let Op::Add(_) = graph.op(x) else { return None };
        let &[a, b] = graph.args(x) else { return None };
        let opposite = |graph: &Graph, one: Id, term: Id| {
            let (coefficient, rest) = split(graph, term);
            let &[factor] = rest.as_slice() else { return None };
            (graph.constant_value(one) == Some(1.0) && coefficient == -1.0)
                .then(|| unary(graph, factor, Unary::Sigmoid))?
        };
        let z = opposite(graph, a, b).or_else(|| opposite(graph, b, a))?;
        graph.unary(Unary::Softplus, z)
    };
    Some(graph.times(softplus, -1.0))
}

fn sigmoid(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Power(power) = graph.op(id) else { return None };
    if power.exponent() != -1.0 {
        return None;
    }
    let z = one_plus_exp(graph, graph.args(id)[0])?;
    let z = graph.times(z, -1.0);
    Some(graph.unary(Unary::Sigmoid, z))
}

fn opposite_sigmoid(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Mul(_) = graph.op(id) else { return None };
    let factors = graph.args(id).to_vec();
    let exp = factors.iter().position(|&f| unary(graph, f, Unary::Exp).is_some())?;
    let z = graph.args(factors[exp])[0];
    let negative = graph.times(z, -1.0);
    let at = factors.iter().position(|&f| unary(graph, f, Unary::Sigmoid) == Some(negative))?;
    let mut new: Vec<Id> =
        factors.iter().enumerate().filter(|&(index, _)| index != exp && index != at).map(|(_, &f)| f).collect();
    new.push(graph.unary(Unary::Sigmoid, z));
    Some(graph.build(Op::Mul(Mul), &new))
}

/// The two halves of a binary cross-entropy: `y` times the slope of one, `1 - y` times that of the other.
fn both_sigmoids(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Add(_) = graph.op(id) else { return None };
    let terms = graph.args(id).to_vec();
    let parts: Vec<(f64, Vec<Id>)> = terms.iter().map(|&term| split(graph, term)).collect();
    let sigmoids = |graph: &Graph, rest: &[Id]| rest.iter().find_map(|&f| unary(graph, f, Unary::Sigmoid));
    for (first, (c, rest)) in parts.iter().enumerate() {
        let Some(z) = sigmoids(graph, rest) else { continue };
        let negative = graph.times(z, -1.0);
        let (own, opposite) = (graph.unary(Unary::Sigmoid, z), graph.unary(Unary::Sigmoid, negative));
        let rest: Vec<Id> = rest.iter().copied().filter(|&f| f != own).collect();
        for (second, (d, other)) in parts.iter().enumerate() {
            if second == first || *d != -c || !other.contains(&opposite) {
                continue;
            }
            let other: Vec<Id> = other.iter().copied().filter(|&f| f != opposite).collect();
            for &y in &other {
                let complement = graph.one_minus(y);
                let without = |list: &[Id], gone: Id| {
                    let mut left: Vec<Id> = list.iter().copied().filter(|&f| f != gone).collect();
                    left.sort_unstable();
                    left
                };
                if !rest.contains(&complement) || without(&rest, complement) != without(&other, y) {
                    continue;
                }
                let mut factors = without(&other, y);
                factors.push(graph.sub(own, y));
                let merged = join(graph, id, *c, &factors);
                let kept = terms.iter().enumerate().filter(|(at, _)| *at != first && *at != second);
                let mut new: Vec<Id> = kept.map(|(_, &term)| term).collect();
                new.insert(first.min(new.len()), merged);
                return Some(graph.add(&new));
            }
        }
    }
    None
}

/// `exp(z)` times the stretched `1/rowsum(exp(z))`.
fn softmax(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Mul(_) = graph.op(id) else { return None };
    let factors = graph.args(id).to_vec();
    for (at, &factor) in factors.iter().enumerate() {
        let Some(source) = broadcast_source(graph, factor) else { continue };
        let Op::Power(power) = graph.op(source) else { continue };
        let Some((z, transposed)) = sum_of_exp(graph, graph.args(source)[0]) else { continue };
        let Some(exp) = factors.iter().position(|&f| unary(graph, f, Unary::Exp) == Some(z)) else { continue };
        if power.exponent() != -1.0 {
            continue;
        }
        let softmax = if transposed {
            let z = graph.transpose(z);
            let softmax = graph.softmax(z);
            graph.transpose(softmax)
        } else {
            graph.softmax(z)
        };
        let mut new: Vec<Id> =
            factors.iter().enumerate().filter(|&(index, _)| index != exp && index != at).map(|(_, &f)| f).collect();
        new.push(softmax);
        return Some(join(graph, id, 1.0, &new));
    }
    None
}
