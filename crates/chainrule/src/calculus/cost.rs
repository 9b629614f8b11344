//! How much work it is to evaluate expressions with the reference interpreter, before it is begun: declared extents
//! may be anything, and memory that is not there ends a program.

use crate::lang::{Class, Graph, Id, Op};

/// Most elements of all values of one evaluation.
const MOST_ELEMENTS: f64 = 1e7;
/// Most multiplications of one evaluation.
const MOST_WORK: f64 = 2e8;
/// An upper bound of what an open dimension gets at a random point.
const OPEN: u64 = 9;

/// What is too large to evaluate, as a sentence; `None` when it is small enough.
#[must_use]
pub fn too_large(graph: &Graph, roots: &[Id]) -> Option<String> {
    let (elements, work) = cost(graph, &graph.reachable(roots));
    if elements > MOST_ELEMENTS {
        return Some(format!("its values have {elements:.1e} elements, the most are {MOST_ELEMENTS:.0e}"));
    }
    (work > MOST_WORK).then(|| format!("one evaluation takes {work:.1e} multiplications, the most are {MOST_WORK:.0e}"))
}

/// The elements of these nodes and the multiplications to evaluate them.
#[must_use]
pub fn cost(graph: &Graph, nodes: &[Id]) -> (f64, f64) {
    let (mut elements, mut work) = (0.0, 0.0);
    for &id in nodes {
        let own = count(graph, id);
        elements += own;
        let args = graph.args(id);
        work += match graph.op(id) {
            Op::Contract(contract) if contract.as_matmul().is_some() => {
                // [m, k] and [k, n]: m*k*n, whatever is transposed.
                (count(graph, args[0]) * count(graph, args[1]) * own).sqrt()
            }
            Op::Contract(_) => count(graph, args[0]) * count(graph, args[1]),
            op if op.def().class() == Class::Factor => count(graph, args[0]).powf(1.5),
            _ => own,
        };
    }
    (elements, work)
}

fn count(graph: &Graph, id: Id) -> f64 {
    let extent = |dim| graph.dims.value_with(dim, &|_| Some(OPEN)).map_or(f64::INFINITY, |n| n as f64);
    graph.shape(id).dims().iter().map(|&dim| extent(dim)).product()
}
