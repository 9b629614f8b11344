//! Rules that write a sum of products anew when that makes it shorter.

use super::Rule;
use super::terms::{join, split};
use super::views::{chain, is_symmetric, scalar_source};
use crate::lang::graph::{Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::contract::Contract;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "collect across brackets", statement: "(a + p*b)*c + q*b*c = a*c + (p + q)*b*c", apply: distribute },
    Rule { name: "common factors on both sides", statement: "a*b*c + a*d*c = a*(b + d)*c", apply: both_sides },
    Rule { name: "sum of transposes", statement: "a'*b' + b'*a' = (b*a + a*b)'", apply: sum_of_transposes },
];

/// Most terms and factors that are looked at: these rules are for formulas that people read.
const MOST: usize = 16;

/// A term as coefficient, scalar factors and the matrices of its product.
struct Term {
    coefficient: f64,
    scalars: Vec<Id>,
    matrices: Vec<Id>,
}

fn term(graph: &Graph, id: Id) -> Option<Term> {
    let (coefficient, rest) = split(graph, id);
    let (scalars, matrices): (Vec<Id>, Vec<Id>) = rest.iter().partition(|&&f| scalar_source(graph, f).is_some());
    let &[matrix] = matrices.as_slice() else { return None };
    let named = graph.name(matrix).is_some();
    let matrices = if named { vec![matrix] } else { chain(graph, matrix).unwrap_or_else(|| vec![matrix]) };
    Some(Term { coefficient, scalars, matrices })
}

/// The terms that a product with a sum among its factors stands for.
fn distributed(graph: &Graph, term: &Term) -> Option<Vec<Term>> {
    let is_sum =
        |f: &Id| matches!(graph.op(*f), Op::Add(_)) && graph.name(*f).is_none() && graph.args(*f).len() <= MOST;
    let at = term.matrices.iter().position(is_sum).filter(|_| term.matrices.len() > 1)?;
    let expand = |addend: &Id| {
        let inner = self::term(graph, *addend)?;
        let mut matrices = term.matrices.clone();
        matrices.splice(at..=at, inner.matrices);
        let scalars = term.scalars.iter().chain(&inner.scalars).copied().collect();
        Some(Term { coefficient: term.coefficient * inner.coefficient, scalars, matrices })
    };
    graph.args(term.matrices[at]).iter().map(expand).collect()
}

fn alike(a: &Term, b: &Term) -> bool {
    a.matrices == b.matrices && a.scalars == b.scalars
}

/// A bracket is opened when one of its terms meets its like outside.
fn distribute(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Add(_) = graph.op(id) else { return None };
    let args = graph.args(id).to_vec();
    let product = |graph: &Graph, id: Id| graph.op(id) == Op::Contract(Contract::MATMUL);
    let is_product = |&arg: &Id| product(graph, arg) || graph.args(arg).iter().any(|&f| product(graph, f));
    if args.len() > MOST || args.iter().filter(|arg| is_product(arg)).count() < 2 {
        return None;
    }
    let terms: Vec<Option<Term>> = args.iter().map(|&arg| term(graph, arg)).collect();
    for (at, opened) in terms.iter().enumerate() {
        let Some(parts) = opened.as_ref().and_then(|term| distributed(graph, term)) else { continue };
        let others = || terms.iter().enumerate().filter(|&(index, _)| index != at).filter_map(|(_, t)| t.as_ref());
        if !parts.iter().any(|part| others().any(|other| alike(part, other))) {
            continue;
        }
        let mut new: Vec<Id> = args.iter().enumerate().filter(|&(index, _)| index != at).map(|(_, &arg)| arg).collect();
        let parts: Vec<Id> = parts.iter().map(|part| built(graph, id, part)).collect();
        new.splice(at.min(new.len())..at.min(new.len()), parts);
        return Some(graph.add(&new));
    }
    None
}

/// Two products of as many matrices that differ in one place are one product.
fn both_sides(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Add(_) = graph.op(id) else { return None };
    let args = graph.args(id).to_vec();
    if args.len() > MOST {
        return None;
    }
    let terms: Vec<Option<Term>> = args.iter().map(|&arg| term(graph, arg)).collect();
    let place = |a: &Term, b: &Term| {
        let fits = a.matrices.len() > 2 && a.matrices.len() == b.matrices.len() && a.scalars == b.scalars;
        let mut different = a.matrices.iter().zip(&b.matrices).enumerate().filter(|(_, (p, q))| p != q);
        let (at, (&p, &q)) = different.next().filter(|_| fits && a.coefficient.abs() == b.coefficient.abs())?;
        let inside = at > 0 && at + 1 < a.matrices.len();
        (inside && different.next().is_none() && graph.shape(p) == graph.shape(q)).then_some(at)
    };
    for (first, a) in terms.iter().enumerate() {
        let Some(a) = a else { continue };
        for (second, b) in terms.iter().enumerate().skip(first + 1) {
            let Some((b, at)) = b.as_ref().and_then(|b| Some((b, place(a, b)?))) else { continue };
            let sign = b.coefficient / a.coefficient;
            let other = graph.times(b.matrices[at], sign);
            let sum = graph.add(&[a.matrices[at], other]);
            let mut matrices = a.matrices.clone();
            matrices[at] = sum;
            let joined = built(graph, id, &Term { coefficient: a.coefficient, scalars: a.scalars.clone(), matrices });
            let mut new = args;
            new[first] = joined;
            new.remove(second);
            return Some(graph.add(&new));
        }
    }
    None
}

fn built(graph: &mut Graph, like: Id, term: &Term) -> Id {
    let first = term.matrices[0];
    let product = term.matrices[1..].iter().fold(first, |product, &factor| graph.matmul(product, factor));
    let mut factors = term.scalars.clone();
    factors.push(product);
    join(graph, like, term.coefficient, &factors)
}

/// How many transposes a term has now, and when it is transposed.
fn transposes(graph: &Graph, id: Id) -> (usize, usize) {
    let is_transposed = |id: Id| matches!(graph.op(id), Op::Permute(_));
    let product = |factors: &[Id]| {
        let now = factors.iter().filter(|&&f| is_transposed(f)).count();
        let symmetric = factors.iter().filter(|&&f| is_symmetric(graph, f)).count();
        (now, (factors.len() - now - symmetric).min(now + 1))
    };
    let Some(term) = term(graph, id) else { return (0, 1) };
    match term.matrices.as_slice() {
        &[single] if is_transposed(single) => {
            let inner = chain(graph, graph.args(single)[0]).map_or(0, |factors| product(&factors).0);
            (inner + 1, inner)
        }
        factors => product(factors),
    }
}

/// One transpose for all terms, when that saves more than its brackets.
fn sum_of_transposes(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Add(_) = graph.op(id) else { return None };
    if graph.shape(id).rank() != 2 || graph.args(id).len() > MOST {
        return None;
    }
    let args = graph.args(id).to_vec();
    let counts = args.iter().map(|&arg| transposes(graph, arg));
    let (now, turned) = counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    if now <= turned + 3 {
        return None;
    }
    let args: Vec<Id> = args.iter().map(|&arg| graph.transpose(arg)).collect();
    let sum = graph.add(&args);
    Some(graph.transpose(sum))
}
