//! Rules of sums: flattening, like terms, common factors.

use rustc_hash::FxHashMap;

use super::{LONGEST_FLAT, Rule};
use crate::lang::graph::{Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::arithmetic::{Add, Mul};
use crate::lang::ops::contract::Contract;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "sum of one term", statement: "+(a) = a", apply: single },
    Rule { name: "flatten sum", statement: "(a + b) + c = a + b + c", apply: flatten },
    Rule { name: "collect like terms", statement: "p*a + q*a = (p + q)*a", apply: collect },
    Rule { name: "common factor", statement: "a.*b + a.*c = a.*(b + c)", apply: factor },
    Rule { name: "common matrix factor", statement: "a*c + b*c = (a + b)*c", apply: matrix_factor },
    Rule { name: "sum before broadcast", statement: "ones*a + ones*b = ones*(a + b)", apply: before_broadcast },
];

fn terms(graph: &Graph, id: Id) -> Option<Vec<Id>> {
    matches!(graph.op(id), Op::Add(_)).then(|| graph.args(id).to_vec())
}

fn single(graph: &mut Graph, id: Id) -> Option<Id> {
    let terms = terms(graph, id)?;
    (terms.len() == 1).then(|| terms[0])
}

/// A sum with a name of its own stays whole: the reader knows it by that name. So does a long one: a sum that grows term
/// by term would be copied each time.
fn flatten(graph: &mut Graph, id: Id) -> Option<Id> {
    let terms = terms(graph, id)?;
    let short = |graph: &Graph, t: Id| graph.args(t).len() + terms.len() <= LONGEST_FLAT;
    let inner = |graph: &Graph, t: Id| matches!(graph.op(t), Op::Add(_)) && graph.name(t).is_none() && short(graph, t);
    if !terms.iter().any(|&t| inner(graph, t)) {
        return None;
    }
    let flat: Vec<Id> =
        terms.iter().flat_map(|&t| if inner(graph, t) { graph.args(t).to_vec() } else { vec![t] }).collect();
    Some(graph.add(&flat))
}

/// A term as coefficient and remaining factors.
pub(super) fn split(graph: &Graph, id: Id) -> (f64, Vec<Id>) {
    if let Some(value) = graph.constant_value(id) {
        return (value, Vec::new());
    }
    if !matches!(graph.op(id), Op::Mul(_)) {
        return (1.0, vec![id]);
    }
    let mut coefficient = 1.0;
    let mut rest = Vec::new();
    for &factor in graph.args(id) {
        match graph.constant_value(factor) {
            Some(value) => coefficient *= value,
            None => rest.push(factor),
        }
    }
    (coefficient, rest)
}

/// The opposite of [`split`].
pub(super) fn join(graph: &mut Graph, like: Id, coefficient: f64, rest: &[Id]) -> Id {
    let shape = graph.shape(like);
    if coefficient == 0.0 || rest.is_empty() {
        return graph.filled(coefficient, shape);
    }
    let mut factors = rest.to_vec();
    if coefficient != 1.0 {
        factors.insert(0, graph.filled(coefficient, shape));
    }
    graph.build(Op::Mul(Mul), &factors)
}

fn collect(graph: &mut Graph, id: Id) -> Option<Id> {
    let terms = terms(graph, id)?;
    let mut collected: Vec<(f64, Vec<Id>)> = Vec::new();
    let mut places: FxHashMap<Vec<Id>, usize> = FxHashMap::default();
    let mut chains: FxHashMap<Vec<Id>, Id> = FxHashMap::default();
    for &term in &terms {
        let (coefficient, rest) = split(graph, term);
        // Products of the same matrices are the same, however they are grouped.
        let ungrouped = rest.iter().map(|&f| match super::views::chain(graph, f) {
            Some(chain) => *chains.entry(chain).or_insert(f),
            None => f,
        });
        let mut sorted: Vec<Id> = ungrouped.collect();
        sorted.sort_unstable();
        let place = *places.entry(sorted).or_insert(collected.len());
        if place == collected.len() {
            collected.push((coefficient, rest));
        } else {
            collected[place].0 += coefficient;
        }
    }
    let before = collected.len();
    collected.retain(|(coefficient, _)| *coefficient != 0.0);
    if before == terms.len() && collected.len() == before {
        return None;
    }
    if collected.is_empty() {
        return Some(graph.filled(0.0, graph.shape(id)));
    }
    let new: Vec<Id> = collected.iter().map(|(c, rest)| join(graph, id, *c, rest)).collect();
    Some(graph.add(&new))
}

/// Takes out the factors that all terms share, and a coefficient that all share up to sign.
fn factor(graph: &mut Graph, id: Id) -> Option<Id> {
    let terms = terms(graph, id)?;
    let parts: Vec<(f64, Vec<Id>)> = terms.iter().map(|&t| split(graph, t)).collect();
    let mut common = parts.first()?.1.clone();
    for (_, rest) in &parts[1..] {
        let mut left = rest.clone();
        common.retain(|factor| left.iter().position(|other| other == factor).map(|at| left.remove(at)).is_some());
    }
    // A term that would become 1 is left alone: x + x.*y reads better than x.*(1 + y).
    if parts.iter().any(|(_, rest)| rest.len() == common.len()) {
        common.clear();
    }
    let first = parts[0].0;
    let shared = parts.iter().all(|(c, rest)| c.abs() == first.abs() && !rest.is_empty());
    let all_negative = parts.iter().all(|(c, _)| *c < 0.0);
    let coefficient = if shared && (first.abs() != 1.0 || all_negative) {
        if all_negative { -first.abs() } else { first.abs() }
    } else {
        1.0
    };
    if (common.is_empty() && coefficient == 1.0) || parts.len() < 2 {
        return None;
    }
    let inner: Vec<Id> = parts
        .iter()
        .map(|(c, rest)| {
            let mut rest = rest.clone();
            for factor in &common {
                let at = rest.iter().position(|other| other == factor).expect("a common factor is in every term");
                rest.remove(at);
            }
            join(graph, id, c / coefficient, &rest)
        })
        .collect();
    let sum = graph.build(Op::Add(Add), &inner);
    let mut factors = common;
    factors.push(sum);
    Some(join(graph, id, coefficient, &factors))
}

/// Coefficient, scalar factors, and the two matrices of a product.
type MatrixTerm = (f64, Vec<Id>, [Id; 2]);

/// A term as scalars times one product of two matrices; a product with a name stays whole.
fn matrix_term(graph: &Graph, id: Id) -> Option<MatrixTerm> {
    let (coefficient, mut rest) = split(graph, id);
    let is_product = |f: Id| graph.op(f) == Op::Contract(Contract::MATMUL) && graph.name(f).is_none();
    let at = rest.iter().position(|&f| is_product(f))?;
    let product = rest.remove(at);
    let scalar = |f: Id| super::views::broadcast_source(graph, f).filter(|&s| graph.shape(s).is_scalar());
    let scalars: Option<Vec<Id>> = rest.iter().map(|&f| scalar(f)).collect();
    Some((coefficient, scalars?, [graph.args(product)[0], graph.args(product)[1]]))
}

/// Two products that end, or begin, with the same matrix are one product of a sum: one product less to compute. Products
/// are not regrouped for it, which could cost more.
fn matrix_factor(graph: &mut Graph, id: Id) -> Option<Id> {
    let terms = terms(graph, id)?;
    let parts: Vec<Option<MatrixTerm>> = terms.iter().map(|&t| matrix_term(graph, t)).collect();
    for side in [1, 0] {
        let mut places: FxHashMap<Id, usize> = FxHashMap::default();
        let mut group: Vec<usize> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let Some((_, _, args)) = part else { continue };
            let first = *places.entry(args[side]).or_insert(index);
            if first != index && group.first().is_none_or(|&known| known == first) {
                if group.is_empty() {
                    group.push(first);
                }
                group.push(index);
            }
        }
        if group.is_empty() {
            continue;
        }
        let shared = parts[group[0]].as_ref()?.2[side];
        let mut inner = Vec::new();
        for &index in &group {
            let (coefficient, scalars, args) = parts[index].as_ref()?;
            let other = args[1 - side];
            let mut factors: Vec<Id> = scalars.iter().map(|&s| graph.broadcast(s, graph.shape(other))).collect();
            factors.push(other);
            inner.push(join(graph, other, *coefficient, &factors));
        }
        // A sum with its own transpose is written as people do, the transpose last.
        inner.sort_by_key(|&term| matches!(graph.op(term), Op::Permute(_)));
        let sum = graph.add(&inner);
        let product = if side == 1 { graph.matmul(sum, shared) } else { graph.matmul(shared, sum) };
        let kept = terms.iter().enumerate().filter(|(index, _)| !group.contains(index)).map(|(_, &t)| t);
        let mut new: Vec<Id> = kept.collect();
        new.insert(group[0].min(new.len()), product);
        return Some(graph.add(&new));
    }
    None
}

/// When every term is stretched from the same smaller shape, the small sum is stretched once.
fn before_broadcast(graph: &mut Graph, id: Id) -> Option<Id> {
    let terms = terms(graph, id)?;
    let inner: Option<Vec<Id>> = terms.iter().map(|&t| super::views::broadcast_source(graph, t)).collect();
    let inner = inner?;
    let shape = graph.shape(inner[0]);
    if inner.iter().any(|&t| graph.shape(t) != shape) {
        return None;
    }
    let sum = graph.add(&inner);
    Some(graph.broadcast(sum, graph.shape(id)))
}
