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
            Derivative::Rule(rule) => terms.push(rule(graph, id, arg, dx)),
            Derivative::Flat => {}
        }
    }
    if terms.is_empty() { None } else { Some(graph.add(&terms)) }
}

/// One adjoint: `<y_bar, y> = <x_bar, x>` for the part of `y` that is linear in its argument `x`.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// The linear node `y`.
    pub node: Id,
    /// Its argument `x`.
    pub arg: Id,
    /// Cotangent of `y`.
    pub before: Id,
    /// Its contribution to the cotangent of `x`.
    pub after: Id,
}

/// The cotangents of the differentials `free` when `tangent` has cotangent `seed`, and the moves that lead there.
/// A differential that `tangent` does not contain gets `None`.
pub fn transpose(graph: &mut Graph, tangent: Id, seed: Id, free: &[Id]) -> (Vec<Option<Id>>, Vec<Move>) {
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
    let mut moves = Vec::new();
    for &id in order.iter().rev().filter(|id| linear[id]) {
        let Some(mut parts) = contributions.remove(&id) else { continue };
        // The walk goes backwards; people write the terms in the order of the expression.
        parts.reverse();
        let y_bar = graph.add(&parts);
        cotangents.insert(id, y_bar);
        let args = graph.args(id).to_vec();
        for (arg, &x) in args.iter().enumerate().filter(|(_, x)| linear[x]) {
            let x_bar = match graph.op(id).def().derivative(arg) {
                Derivative::Additive => y_bar,
                Derivative::Linear(adjoint) => adjoint(graph, id, arg, y_bar),
                Derivative::Rule(_) | Derivative::Flat => unreachable!("a differential is linear in every dX"),
            };
            moves.push(Move { node: id, arg: x, before: y_bar, after: x_bar });
            contributions.entry(x).or_default().push(x_bar);
        }
    }
    (free.iter().map(|dx| cotangents.get(dx).copied()).collect(), moves)
}

/// The gradients of a 1 x 1 expression; zeros for variables on which it does not depend.
pub fn gradients(graph: &mut Graph, root: Id, wrt: &[Id]) -> Vec<Id> {
    let free = differentials(graph, wrt);
    let seeds: Vec<(Id, Id)> = wrt.iter().copied().zip(free.iter().copied()).collect();
    let linear = linearize(graph, root, &seeds);
    let found = match linear.tangent {
        Some(tangent) => {
            let one = graph.filled(1.0, graph.shape(root));
            transpose(graph, tangent, one, &free).0
        }
        None => vec![None; free.len()],
    };
    let zero = |graph: &mut Graph, variable: Id| graph.filled(0.0, graph.shape(variable));
    found.into_iter().zip(wrt).map(|(g, &variable)| g.unwrap_or_else(|| zero(graph, variable))).collect()
}
