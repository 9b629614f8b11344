//! Rules of reshapes, `vec` among them. A reshape moves outwards, over element-wise functions, and vanishes under sums.

use super::Rule;
use super::kronecker::kronecker;
use super::views::scalar_source;
use crate::lang::dim::Dim;
use crate::lang::graph::{Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::arithmetic::Mul;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::view::Reshape;
use crate::lang::shape::Shape;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "reshape twice", statement: "reshape(reshape(a)) = reshape(a)", apply: twice },
    Rule { name: "reshape of a vector", statement: "reshape(column', m, n) = reshape(column, m, n)", apply: of_vector },
    Rule { name: "reshape to a row", statement: "reshape(a, 1, n) = reshape(a, n, 1)'", apply: to_row },
    Rule { name: "scalars leave a reshape", statement: "vec(s*a) = s*vec(a)", apply: scalars },
    Rule { name: "function before reshape", statement: "f(vec(a)) = vec(f(a))", apply: map_before_reshape },
    Rule { name: "product before reshape", statement: "vec(a).*vec(b) = vec(a.*b)", apply: product_before_reshape },
    Rule { name: "sum of a reshape", statement: "sum(vec(a)) = sum(a)", apply: sum },
    Rule { name: "inner product of reshapes", statement: "vec(a)'*vec(b) = sum(a.*b)", apply: inner_product },
];

/// What is reshaped; a Kronecker product is not seen as one.
fn source(graph: &Graph, id: Id) -> Option<Id> {
    let Op::Reshape(_) = graph.op(id) else { return None };
    kronecker(graph, id).is_none().then(|| graph.args(id)[0])
}

fn twice(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Reshape(Reshape(shape)) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    if graph.shape(x) == graph.shape(id) {
        return Some(x);
    }
    if let Op::Reshape(_) = graph.op(x)
        && kronecker(graph, x).is_none()
    {
        let y = graph.args(x)[0];
        return Some(graph.reshape(y, shape));
    }
    // A reshaped constant is a constant.
    let value = graph.constant_value(x)?;
    (!graph.shape(id).is_scalar() || graph.shape(id) == Shape::SCALAR).then(|| graph.filled(value, graph.shape(id)))
}

/// Does a permutation move only axes of extent 1? Then it leaves the order of the elements.
fn keeps_order(graph: &Graph, id: Id) -> bool {
    let Op::Permute(permute) = graph.op(id) else { return false };
    let from = graph.shape(graph.args(id)[0]);
    let long = |&&axis: &&u8| from.dims()[axis as usize] != Dim::Known(1);
    permute.order().iter().filter(long).is_sorted()
}

fn of_vector(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Reshape(Reshape(shape)) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    keeps_order(graph, x).then(|| graph.reshape(graph.args(x)[0], shape))
}

fn to_row(graph: &mut Graph, id: Id) -> Option<Id> {
    let (x, shape) = (source(graph, id)?, graph.shape(id));
    if shape.rank() != 2 || shape.rows() != Dim::Known(1) || shape.is_scalar() {
        return None;
    }
    let column = graph.reshape(x, Shape::matrix(shape.cols(), Dim::Known(1)));
    Some(graph.transpose(column))
}

fn scalars(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Reshape(Reshape(shape)) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    let Op::Mul(_) = graph.op(x) else { return None };
    let (out, rest): (Vec<Id>, Vec<Id>) = graph.args(x).iter().partition(|&&f| scalar_source(graph, f).is_some());
    if out.is_empty() || rest.is_empty() || graph.shape(id).is_scalar() {
        return None;
    }
    let mut factors: Vec<Id> = out.iter().filter_map(|&f| scalar_source(graph, f)).collect();
    factors.iter_mut().for_each(|s| *s = graph.broadcast(*s, shape));
    let rest = graph.mul(&rest);
    factors.push(graph.reshape(rest, shape));
    Some(graph.build(Op::Mul(Mul), &factors))
}

/// What a reshape of a multiple of a matrix, `s*vec(x)`, comes from: the factors besides `x`, and `x`.
fn scaled_source(graph: &Graph, id: Id) -> Option<(Vec<Id>, Id)> {
    if !matches!(graph.op(id), Op::Mul(_)) {
        return source(graph, id).map(|x| (Vec::new(), x));
    }
    let (scalars, rest): (Vec<Id>, Vec<Id>) = graph.args(id).iter().partition(|&&f| scalar_source(graph, f).is_some());
    let &[reshaped] = rest.as_slice() else { return None };
    let scalars = scalars.iter().filter_map(|&f| scalar_source(graph, f)).collect();
    source(graph, reshaped).map(|x| (scalars, x))
}

/// The sources of reshapes of one kind, scalars stretched to their shape; `None` when another argument is among them.
fn sources(graph: &mut Graph, args: &[Id]) -> Option<Vec<Id>> {
    let shape = args.iter().find_map(|&arg| scaled_source(graph, arg)).map(|(_, x)| graph.shape(x))?;
    let fits = |graph: &Graph, arg: Id| match scaled_source(graph, arg) {
        Some((_, x)) => graph.shape(x) == shape,
        None => scalar_source(graph, arg).is_some(),
    };
    if !args.iter().all(|&arg| fits(graph, arg)) {
        return None;
    }
    let inner = |graph: &mut Graph, arg: Id| match (scaled_source(graph, arg), scalar_source(graph, arg)) {
        (Some((scalars, x)), _) => graph.mul(&[scalars.as_slice(), &[x]].concat()),
        (None, Some(s)) => graph.broadcast(s, shape),
        (None, None) => unreachable!("every argument fits"),
    };
    Some(args.iter().map(|&arg| inner(graph, arg)).collect())
}

fn map_before_reshape(graph: &mut Graph, id: Id) -> Option<Id> {
    let op = graph.op(id);
    if !matches!(op, Op::Unary(_) | Op::Power(_) | Op::Binary(_) | Op::Add(_)) {
        return None;
    }
    let args = graph.args(id).to_vec();
    // A sum that has a name stays whole.
    if args.iter().any(|&arg| matches!(op, Op::Add(_)) && graph.name(arg).is_some()) {
        return None;
    }
    let inner = sources(graph, &args)?;
    let inner = graph.build(op, &inner);
    Some(graph.reshape(inner, graph.shape(id)))
}

/// Scalars stay outside, so that like terms are found.
fn product_before_reshape(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Mul(_) = graph.op(id) else { return None };
    let (mut factors, rest): (Vec<Id>, Vec<Id>) =
        graph.args(id).iter().partition(|&&f| scalar_source(graph, f).is_some());
    if rest.len() < 2 {
        return None;
    }
    let inner = sources(graph, &rest)?;
    let inner = graph.build(Op::Mul(Mul), &inner);
    factors.push(graph.reshape(inner, graph.shape(id)));
    Some(graph.build(Op::Mul(Mul), &factors))
}

fn sum(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Sum(_) = graph.op(id) else { return None };
    let x = source(graph, graph.args(id)[0]).filter(|_| graph.shape(id).is_scalar())?;
    let total = graph.sum_all(x);
    Some(graph.reshape(total, graph.shape(id)))
}

fn inner_product(graph: &mut Graph, id: Id) -> Option<Id> {
    if graph.op(id) != Op::Contract(Contract::MATMUL) || !graph.shape(id).is_scalar() {
        return None;
    }
    let (row, column) = (graph.args(id)[0], graph.args(id)[1]);
    let Op::Permute(_) = graph.op(row) else { return None };
    let (a, b) = (source(graph, graph.args(row)[0])?, source(graph, column)?);
    if graph.shape(a) != graph.shape(b) {
        return None;
    }
    let product = graph.mul(&[a, b]);
    Some(graph.sum_all(product))
}
