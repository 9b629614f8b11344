//! Inverses meet what they invert: `b*inv(a*b) = inv(a)`, across transposes and the grouping of products.

use super::Rule;
use super::views::{is_symmetric, use_symmetry};
use crate::lang::graph::{Fact, Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::arithmetic::Mul;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::factor::Inverse;
use crate::lang::ops::view::Permute;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "product with the inverse", statement: "b*inv(a*b) = inv(a)", apply: cancel },
    Rule { name: "trace with the inverse", statement: "sum(inv(a)'.*a) = n", apply: trace },
];

/// Products of more factors are left alone: no formula that people read is as long.
const LONGEST: usize = 16;

/// A factor of a product, possibly transposed and inverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Atom {
    base: Id,
    transposed: bool,
    inverted: bool,
    /// The inverse that it stems from: what is left of one inverse is written as one.
    origin: Option<Id>,
}

impl Atom {
    fn opposite(&self, other: &Atom) -> bool {
        self.base == other.base && self.transposed == other.transposed && self.inverted != other.inverted
    }
}

fn is_product(graph: &Graph, id: Id) -> bool {
    graph.op(id) == Op::Contract(Contract::MATMUL)
}

fn is_square(graph: &Graph, id: Id) -> bool {
    graph.shape(id).rows() == graph.shape(id).cols()
}

/// The factors of a product, through transposes and inverses of products of square matrices; what has a name stays
/// whole. `None` when there are too many, or no inverse among them.
fn atoms(graph: &Graph, root: Id) -> Option<Vec<Atom>> {
    let mut list = Vec::new();
    let mut stack = vec![Atom { base: root, transposed: false, inverted: false, origin: None }];
    while let Some(atom) = stack.pop() {
        let Atom { base, transposed, inverted, origin } = atom;
        let open = base == root || graph.name(base).is_none();
        let args = graph.args(base);
        match graph.op(base) {
            Op::Permute(Permute::TRANSPOSE) if open => {
                stack.push(Atom { base: args[0], transposed: !transposed, ..atom });
            }
            Op::Inverse(_) if open => {
                stack.push(Atom { base: args[0], transposed, inverted: !inverted, origin: origin.or(Some(base)) });
            }
            Op::Contract(Contract::MATMUL) if open && (!inverted || args.iter().all(|&arg| is_square(graph, arg))) => {
                let (left, right) = (Atom { base: args[0], ..atom }, Atom { base: args[1], ..atom });
                // Both turn a product around; together they leave it.
                stack.extend(if transposed == inverted { [right, left] } else { [left, right] });
            }
            _ => list.push(normal(graph, atom)),
        }
        if list.len() + stack.len() > LONGEST {
            return None;
        }
    }
    Some(list)
}

/// A symmetric matrix has no transpose; the transpose of an orthogonal one is its inverse.
fn normal(graph: &Graph, atom: Atom) -> Atom {
    if !atom.transposed {
        return atom;
    }
    if graph.is_known(atom.base, Fact::Orthogonal) {
        return Atom { transposed: false, inverted: !atom.inverted, ..atom };
    }
    Atom { transposed: !is_symmetric(graph, atom.base), ..atom }
}

fn may_cancel(graph: &Graph, id: Id) -> bool {
    let stack = [id];
    let mut open: Vec<Id> = stack.to_vec();
    let mut count = 0;
    while let Some(next) = open.pop() {
        count += 1;
        match graph.op(next) {
            Op::Inverse(_) => return true,
            Op::Variable(_) if graph.is_known(next, Fact::Orthogonal) => return true,
            Op::Permute(_) | Op::Contract(Contract::MATMUL) if count <= LONGEST => {
                open.extend(graph.args(next).iter().copied());
            }
            _ => {}
        }
    }
    false
}

fn cancel(graph: &mut Graph, id: Id) -> Option<Id> {
    if !is_product(graph, id) || !may_cancel(graph, id) {
        return None;
    }
    let mut list = atoms(graph, id)?;
    let before = list.len();
    while let Some((from, to)) = meeting(graph, &list) {
        for atom in list.drain(from..to) {
            graph.use_fact(atom.base, Fact::Orthogonal);
            use_symmetry(graph, atom.base);
        }
    }
    if list.len() == before {
        return None;
    }
    if list.is_empty() {
        return Some(graph.eye(graph.shape(id).rows()));
    }
    Some(rebuild(graph, &list))
}

/// Neighbours whose product is the identity.
fn meeting(graph: &Graph, list: &[Atom]) -> Option<(usize, usize)> {
    if let Some(at) = list.windows(2).position(|pair| pair[0].opposite(&pair[1])) {
        return Some((at, at + 2));
    }
    // The inverse of a product of matrices that are not square meets that product as a whole.
    for (at, atom) in list.iter().enumerate().filter(|(_, atom)| atom.inverted && is_product(graph, atom.base)) {
        let Some(mut inner) = atoms(graph, atom.base) else { continue };
        if atom.transposed {
            inner.reverse();
            inner = inner.iter().map(|a| normal(graph, Atom { transposed: !a.transposed, ..*a })).collect();
        }
        let same = |part: &[Atom]| part.iter().zip(&inner).all(|(a, b)| Atom { origin: b.origin, ..*a } == *b);
        let n = inner.len();
        if at + 1 + n <= list.len() && same(&list[at + 1..at + 1 + n]) {
            return Some((at, at + 1 + n));
        }
        if at >= n && same(&list[at - n..at]) {
            return Some((at - n, at + 1));
        }
    }
    None
}

fn rebuild(graph: &mut Graph, list: &[Atom]) -> Id {
    let mut product: Option<Id> = None;
    let together = |a: &Atom, b: &Atom| a.inverted && b.inverted && a.origin == b.origin && a.origin.is_some();
    for part in list.chunk_by(together) {
        let next = if part[0].inverted { inverse_of(graph, part) } else { matrix(graph, &part[0], false) };
        product = Some(match product {
            Some(product) => graph.matmul(product, next),
            None => next,
        });
    }
    product.expect("something is left")
}

fn matrix(graph: &mut Graph, atom: &Atom, turned: bool) -> Id {
    if atom.transposed == turned { atom.base } else { graph.transpose(atom.base) }
}

/// `inv(p)*inv(q)` as `inv(q*p)`, transposed as a whole when that leaves fewer transposes.
fn inverse_of(graph: &mut Graph, part: &[Atom]) -> Id {
    let turned = 2 * part.iter().filter(|atom| atom.transposed).count() > part.len();
    let mut factors: Vec<Id> = part.iter().map(|atom| matrix(graph, atom, turned)).collect();
    if !turned {
        factors.reverse();
    }
    let product = factors[1..].iter().fold(factors[0], |product, &factor| graph.matmul(product, factor));
    let inverse = graph.build(Op::Inverse(Inverse), &[product]);
    if turned { graph.transpose(inverse) } else { inverse }
}

/// The trace of the identity, in the form that the differential of a determinant has.
fn trace(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Sum(_) = graph.op(id) else { return None };
    let product = graph.args(id)[0];
    let &[a, b] = graph.args(product) else { return None };
    if graph.op(product) != Op::Mul(Mul) || !graph.shape(id).is_scalar() {
        return None;
    }
    let source = |x: Id| match graph.op(x) {
        Op::Permute(_) => (graph.args(x)[0], true),
        _ => (x, false),
    };
    let inverse_of = |x: Id| matches!(graph.op(x), Op::Inverse(_)).then(|| graph.args(x)[0]);
    let (p, q) = (source(a), source(b));
    let meets = inverse_of(p.0) == Some(q.0) || inverse_of(q.0) == Some(p.0);
    let transposed = p.1 != q.1 || is_symmetric(graph, p.0);
    let size = graph.shape(p.0).rows();
    (meets && transposed).then(|| graph.size(size))
}
