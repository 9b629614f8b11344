//! Linearize, then transpose.
//!
//! [`linearize`] takes the differential of an expression: a new expression, linear in the differentials of the chosen
//! variables; this is forward mode. [`transpose`] moves those differentials free: from `df = <G, L(dX)>` to
//! `df = <L'(G), dX>`, one adjoint at a time; this is reverse mode. Nobody writes a backward pass by hand.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::lang::{Derivative, Graph, Id};

/// The differential of an expression.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The expression, linear in the differentials; `None` when it depends on none of the variables.
    pub tangent: Option<Id>,
    /// The tangent of each node that depends on a variable.
    pub tangents: FxHashMap<Id, Id>,
}

/// A differential for each variable, named `dX`.
pub fn differentials(graph: &mut Graph, wrt: &[Id]) -> Vec<Id> {
    let mut result = Vec::with_capacity(wrt.len());
    for &variable in wrt {
        let name = graph.as_variable(variable).map_or_else(|| "x".to_owned(), |v| v.name.clone());
        result.push(graph.differential(&format!("d{name}"), variable));
    }
    result
}

/// The differential of `root` in the direction of `seeds`: pairs of a node and its differential.
pub fn linearize(graph: &mut Graph, root: Id, seeds: &[(Id, Id)]) -> Linear {
    let mut tangents: FxHashMap<Id, Id> = seeds.iter().copied().collect();
    for id in graph.reachable(&[root]) {
        if tangents.contains_key(&id) {
            continue;
        }
        let of_args: Vec<Option<Id>> = graph.args(id).iter().map(|arg| tangents.get(arg).copied()).collect();
        if let Some(tangent) = local_differential(graph, id, &of_args) {
            tangents.insert(id, tangent);
        }
    }
    Linear { tangent: tangents.get(&root).copied(), tangents }
}

/// The differential of one node from those of its arguments.
pub fn local_differential(graph: &mut Graph, id: Id, of_args: &[Option<Id>]) -> Option<Id> {
    let op = graph.op(id);
    let mut terms = Vec::new();
    for (arg, dx) in of_args.iter().enumerate() {
        let Some(dx) = *dx else { continue };
        match op.def().derivative(arg) {
            Derivative::Additive => terms.push(dx),
            Derivative::Linear(_) => {
                let mut args = graph.args(id).to_vec();
                args[arg] = dx;
                terms.push(graph.build(op, &args));
            }
            Derivative::Rule(rule) => {
                let differential = rule(graph, id, arg, dx);
                terms.push(graph.given(op.def().name(), differential));
            }
            Derivative::Flat => {}
        }
    }
    if terms.is_empty() { None } else { Some(graph.add(&terms)) }
}

/// The cotangents of the differentials `free` when `tangent` has cotangent `seed`; `None` for one that `tangent` does not
/// contain.
pub fn transpose(graph: &mut Graph, tangent: Id, seed: Id, free: &[Id]) -> Vec<Option<Id>> {
    let order = graph.reachable(&[tangent]);
    let wanted: FxHashSet<Id> = free.iter().copied().collect();
    let mut linear: FxHashMap<Id, bool> = FxHashMap::default();
    for &id in &order {
        let depends = wanted.contains(&id) || graph.args(id).iter().any(|arg| linear[arg]);
        linear.insert(id, depends);
    }
    let mut contributions: FxHashMap<Id, Vec<Id>> = FxHashMap::default();
    contributions.insert(tangent, vec![seed]);
    let mut cotangents: FxHashMap<Id, Id> = FxHashMap::default();
    for &id in order.iter().rev().filter(|id| linear[id]) {
        let Some(mut parts) = contributions.remove(&id) else { continue };
        // The walk goes backwards; people write the terms in the order of the expression.
        parts.reverse();
        let y_bar = graph.add(&parts);
        cotangents.insert(id, y_bar);
        let args = graph.args(id).to_vec();
        for (arg, &x) in args.iter().enumerate().filter(|(_, x)| linear[x]) {
            let x_bar = adjoint(graph, id, arg, y_bar);
            contributions.entry(x).or_default().push(x_bar);
        }
    }
    free.iter().map(|dx| cotangents.get(dx).copied()).collect()
}

/// What the cotangent of a node that is linear in an argument contributes to the cotangent of that argument.
pub fn adjoint(graph: &mut Graph, node: Id, arg: usize, y_bar: Id) -> Id {
    match graph.op(node).def().derivative(arg) {
        Derivative::Additive => y_bar,
        Derivative::Linear(adjoint) => {
            let moved = adjoint(graph, node, arg, y_bar);
            graph.given(graph.op(node).def().name(), moved)
        }
        Derivative::Rule(_) | Derivative::Flat => unreachable!("a differential is linear in every dX"),
    }
}

/// The gradients of a 1 x 1 expression; zeros for variables on which it does not depend.
pub fn gradients(graph: &mut Graph, root: Id, wrt: &[Id]) -> Vec<Id> {
    super::derivation::derive(graph, root, wrt).gradients
}
