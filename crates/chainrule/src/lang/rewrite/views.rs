//! Rules of broadcasts, transposes, reshapes and diagonals.

use super::Rule;
use super::kronecker::kronecker;
use crate::lang::graph::{Fact, Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::diagonal::{Diagonal, DiagonalMatrix};
use crate::lang::ops::view::Permute;
use crate::lang::shape::{Axes, Shape};

pub(super) static RULES: &[Rule] = &[
    Rule { name: "broadcast of a broadcast", statement: "ones*(ones*a) = ones*a", apply: merge_broadcasts },
    Rule { name: "transpose twice", statement: "a'' = a", apply: transpose_twice },
    Rule { name: "transpose of a scalar", statement: "(s*a)' = s*a'", apply: transpose_scalar },
    Rule { name: "symmetric matrix", statement: "(a'*a)' = a'*a", apply: symmetric },
    Rule { name: "transpose of a product", statement: "(a*b)' = b'*a'", apply: transpose_product },
    Rule { name: "transpose of transposes", statement: "(a' + b')' = a + b", apply: transpose_map },
    Rule { name: "transpose of a broadcast", statement: "(ones*a)' = (ones*a')", apply: transpose_broadcast },
    Rule { name: "diagonal", statement: "diag(diag(a)) = a", apply: diagonal },
    Rule { name: "diagonal matrix", statement: "diag(s*ones) = s*eye", apply: diagonal_matrix },
];

/// What is stretched by a broadcast.
pub(super) fn broadcast_source(graph: &Graph, id: Id) -> Option<Id> {
    matches!(graph.op(id), Op::Broadcast(_)).then(|| graph.args(id)[0])
}

/// The scalar that is stretched by a broadcast.
pub(super) fn scalar_source(graph: &Graph, id: Id) -> Option<Id> {
    broadcast_source(graph, id).filter(|&source| graph.shape(source).is_scalar())
}

fn merge_broadcasts(graph: &mut Graph, id: Id) -> Option<Id> {
    let inner = broadcast_source(graph, id)?;
    if graph.shape(inner) == graph.shape(id) {
        return Some(inner);
    }
    let source = broadcast_source(graph, inner)?;
    Some(graph.broadcast(source, graph.shape(id)))
}

fn permuted(graph: &Graph, id: Id) -> Option<(Permute, Id)> {
    match graph.op(id) {
        Op::Permute(permute) => Some((permute, graph.args(id)[0])),
        _ => None,
    }
}

fn transpose_twice(graph: &mut Graph, id: Id) -> Option<Id> {
    let (outer, x) = permuted(graph, id)?;
    if outer.order().iter().enumerate().all(|(to, &from)| to == from as usize) || graph.shape(x).is_scalar() {
        return Some(x);
    }
    let (inner, y) = permuted(graph, x)?;
    let order: Vec<u8> = outer.order().iter().map(|&from| inner.order()[from as usize]).collect();
    Some(graph.build(Op::Permute(Permute::new(&order)), &[y]))
}

/// Scalars leave a transpose, so that like terms are found.
fn transpose_scalar(graph: &mut Graph, id: Id) -> Option<Id> {
    let (permute, x) = permuted(graph, id)?;
    if !matches!(graph.op(x), Op::Mul(_)) {
        return None;
    }
    let factors = graph.args(x).to_vec();
    let scalar = |graph: &Graph, f: Id| broadcast_source(graph, f).filter(|&s| graph.shape(s).is_scalar());
    if !factors.iter().any(|&f| scalar(graph, f).is_some()) {
        return None;
    }
    let rest: Vec<Id> = factors.iter().copied().filter(|&f| scalar(graph, f).is_none()).collect();
    let mut new: Vec<Id> = factors.iter().filter_map(|&f| scalar(graph, f)).collect();
    if !rest.is_empty() {
        let rest = graph.mul(&rest);
        new.push(graph.build(Op::Permute(permute), &[rest]));
    }
    let shape = graph.shape(id);
    let stretched: Vec<Id> = new.iter().map(|&f| graph.broadcast(f, shape)).collect();
    Some(graph.mul(&stretched))
}

/// Only when that leaves no more transposes than there are: `(x'*B)' = B'*x`, but `(A*X)'` stays.
fn transpose_product(graph: &mut Graph, id: Id) -> Option<Id> {
    let (_, x) = permuted(graph, id)?;
    let chain = chain(graph, x)?;
    if !is_worth_reversing(graph, &chain) {
        return None;
    }
    let mut factors = chain.into_iter().rev();
    let first = factors.next()?;
    let mut product = graph.transpose(first);
    for factor in factors {
        let factor = graph.transpose(factor);
        product = graph.matmul(product, factor);
    }
    Some(product)
}

/// The factors of a product of matrices; products with a name, and what lies deeper than people read, stay whole.
pub(super) fn chain(graph: &Graph, id: Id) -> Option<Vec<Id>> {
    const LONGEST: usize = 16;
    let is_product = |id: Id| graph.op(id) == Op::Contract(Contract::MATMUL);
    if !is_product(id) {
        return None;
    }
    let mut factors = Vec::new();
    let mut stack = vec![id];
    while let Some(next) = stack.pop() {
        let open = is_product(next) && (next == id || graph.name(next).is_none());
        if open && factors.len() + stack.len() < LONGEST {
            stack.extend([graph.args(next)[1], graph.args(next)[0]]);
        } else {
            factors.push(next);
        }
    }
    Some(factors)
}

/// The facts that make a variable equal to its transpose.
const SYMMETRIC: [Fact; 3] = [Fact::Symmetric, Fact::Definite, Fact::Diagonal];

/// Is a matrix equal to its transpose by the way it is made, or by what is known of it?
pub(super) fn is_symmetric(graph: &Graph, id: Id) -> bool {
    symmetric_within(graph, id, 4)
}

fn symmetric_within(graph: &Graph, id: Id, depth: usize) -> bool {
    let shape = graph.shape(id);
    if depth == 0 || shape.rank() != 2 || shape.rows() != shape.cols() {
        return false;
    }
    let args = graph.args(id);
    let all = |args: &[Id]| args.len() <= 8 && args.iter().all(|&arg| symmetric_within(graph, arg, depth - 1));
    match graph.op(id) {
        Op::Eye(_) | Op::DiagonalMatrix(_) => true,
        Op::Variable(_) => SYMMETRIC.iter().any(|&fact| graph.is_known(id, fact)),
        Op::Broadcast(_) => graph.shape(args[0]).is_scalar(),
        Op::Inverse(_) | Op::Unary(_) | Op::Power(_) | Op::Binary(_) | Op::Add(_) | Op::Mul(_) => all(args),
        // a'*b*a with a symmetric b, or none: the same from both ends.
        Op::Contract(_) => chain(graph, id).is_some_and(|factors| {
            let opposite = |a: Id, b: Id| {
                permuted(graph, a).is_some_and(|(_, x)| x == b)
                    || permuted(graph, b).is_some_and(|(_, x)| x == a)
                    || a == b && symmetric_within(graph, a, depth - 1)
            };
            let half = factors.len() / 2;
            let pairs = factors[..half].iter().zip(factors.iter().rev()).all(|(&a, &b)| opposite(a, b));
            pairs && (factors.len() % 2 == 0 || symmetric_within(graph, factors[half], depth - 1))
        }),
        _ => false,
    }
}

fn transpose_map(graph: &mut Graph, id: Id) -> Option<Id> {
    let (permute, x) = permuted(graph, id)?;
    let op = graph.op(x);
    if !matches!(op, Op::Add(_) | Op::Mul(_)) {
        return None;
    }
    let args = graph.args(x).to_vec();
    if !args.iter().all(|&a| is_undone(graph, a, 3)) || args.iter().all(|&a| broadcast_source(graph, a).is_some()) {
        return None;
    }
    let args: Vec<Id> = args.iter().map(|&a| graph.build(Op::Permute(permute), &[a])).collect();
    Some(graph.build(op, &args))
}

/// Does its transpose have no more transposes than itself?
fn is_undone(graph: &Graph, id: Id, depth: usize) -> bool {
    if permuted(graph, id).is_some() || broadcast_source(graph, id).is_some() || is_symmetric(graph, id) {
        return true;
    }
    match graph.op(id) {
        Op::Mul(_) => depth > 0 && graph.args(id).iter().all(|&factor| is_undone(graph, factor, depth - 1)),
        _ => chain(graph, id).is_some_and(|factors| is_worth_reversing(graph, &factors)),
    }
}

fn is_worth_reversing(graph: &Graph, chain: &[Id]) -> bool {
    let transposed = chain.iter().filter(|&&f| permuted(graph, f).is_some()).count();
    let symmetric = chain.iter().filter(|&&f| is_symmetric(graph, f)).count();
    transposed + symmetric > 0 && transposed >= chain.len() - symmetric - transposed
}

fn transpose_broadcast(graph: &mut Graph, id: Id) -> Option<Id> {
    let (permute, x) = permuted(graph, id)?;
    let source = broadcast_source(graph, x)?;
    let source = graph.build(Op::Permute(permute), &[source]);
    Some(graph.broadcast(source, graph.shape(id)))
}

fn symmetric(graph: &mut Graph, id: Id) -> Option<Id> {
    let (_, x) = permuted(graph, id)?;
    if !is_symmetric(graph, x) {
        return None;
    }
    use_symmetry(graph, x);
    Some(x)
}

/// Remembers of which variables the symmetry was used; an expression that is symmetric has few.
pub(super) fn use_symmetry(graph: &mut Graph, id: Id) {
    const MOST: usize = 64;
    let mut stack = vec![id];
    let mut seen = Vec::new();
    while let Some(node) = stack.pop() {
        if seen.contains(&node) || seen.len() > MOST {
            continue;
        }
        seen.push(node);
        SYMMETRIC.iter().for_each(|&fact| graph.use_fact(node, fact));
        stack.extend(graph.args(node).iter().copied());
    }
}

fn diagonal(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Diagonal(_) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    let shape = graph.shape(id);
    match graph.op(x) {
        Op::DiagonalMatrix(_) => Some(graph.args(x)[0]),
        Op::Eye(_) => Some(graph.filled(1.0, shape)),
        Op::Permute(_) => {
            let y = graph.args(x)[0];
            Some(graph.build(Op::Diagonal(Diagonal), &[y]))
        }
        Op::Broadcast(_) => {
            let source = graph.args(x)[0];
            graph.shape(source).is_scalar().then(|| graph.broadcast(source, shape))
        }
        // The transpose of the product, when that has fewer transposes.
        Op::Contract(_) => {
            let factors = chain(graph, x)?;
            let transposed = factors.iter().filter(|&&f| permuted(graph, f).is_some()).count();
            let symmetric = factors.iter().filter(|&&f| is_symmetric(graph, f)).count();
            if 2 * transposed + symmetric <= factors.len() {
                return None;
            }
            let y = graph.transpose(x);
            Some(graph.build(Op::Diagonal(Diagonal), &[y]))
        }
        _ => {
            let (a, b) = kronecker(graph, x)?;
            let square = |shape: Shape| shape.rows() == shape.cols();
            if !square(graph.shape(a)) || !square(graph.shape(b)) {
                return None;
            }
            let a = graph.build(Op::Diagonal(Diagonal), &[a]);
            let b = graph.build(Op::Diagonal(Diagonal), &[b]);
            graph.kron(a, b).ok()
        }
    }
}

/// `diag(ones) = eye`, and scalars leave.
fn diagonal_matrix(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::DiagonalMatrix(_) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    let shape = graph.shape(id);
    if let Some(source) = broadcast_source(graph, x) {
        let eye = graph.eye(shape.rows());
        return Some(graph.mul(&[source, eye]));
    }
    if !matches!(graph.op(x), Op::Mul(_)) {
        return None;
    }
    let factors = graph.args(x).to_vec();
    let (scalars, rest): (Vec<Id>, Vec<Id>) =
        factors.iter().partition(|&&f| broadcast_source(graph, f).is_some_and(|s| graph.shape(s).is_scalar()));
    if scalars.is_empty() || rest.is_empty() {
        return None;
    }
    let rest = graph.mul(&rest);
    let matrix = graph.build(Op::DiagonalMatrix(DiagonalMatrix), &[rest]);
    let mut new: Vec<Id> = scalars.iter().filter_map(|&f| broadcast_source(graph, f)).collect();
    new.push(matrix);
    Some(graph.mul(&new))
}

/// The axes along which a broadcast stretches its argument.
pub(super) fn stretched_axes(graph: &Graph, id: Id) -> Axes {
    let Some(source) = broadcast_source(graph, id) else { return (0..0).collect() };
    let (from, to) = (graph.shape(source), graph.shape(id));
    (0..to.rank()).filter(|&axis| from.dims()[axis] != to.dims()[axis]).collect()
}
