//! A derivation: the gradients of a scalar together with the differential they were read off from.

use super::differentiate::{differentials, linearize, transpose};
use crate::lang::{Graph, Id};

/// The gradients of a scalar expression.
#[derive(Clone, Debug)]
pub struct Derivation {
    /// The expression, 1 x 1.
    pub root: Id,
    /// The variables.
    pub wrt: Vec<Id>,
    /// Their differentials.
    pub differentials: Vec<Id>,
    /// The whole differential, linear in them; `None` when the expression depends on none.
    pub tangent: Option<Id>,
    /// The gradients, each of the shape of its variable.
    pub gradients: Vec<Id>,
}

/// Derives the gradients of `root` (1 x 1).
pub fn derive(graph: &mut Graph, root: Id, wrt: &[Id]) -> Derivation {
    let free = differentials(graph, wrt);
    let seeds: Vec<(Id, Id)> = wrt.iter().copied().zip(free.iter().copied()).collect();
    let tangent = linearize(graph, root, &seeds).tangent;
    let found = match tangent {
        Some(tangent) => {
            let one = graph.filled(1.0, graph.shape(root));
            transpose(graph, tangent, one, &free)
        }
        None => vec![None; free.len()],
    };
    let zero = |graph: &mut Graph, variable: Id| graph.filled(0.0, graph.shape(variable));
    let gradients = found.into_iter().zip(wrt).map(|(g, &x)| g.unwrap_or_else(|| zero(graph, x))).collect();
    Derivation { root, wrt: wrt.to_vec(), differentials: free, tangent, gradients }
}
