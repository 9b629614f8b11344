//! Rules of Kronecker products (Petersen & Pedersen, "The Matrix Cookbook", (506) to (520)).

use super::Rule;
use super::views::scalar_source;
use crate::lang::dim::Dim;
use crate::lang::graph::{Graph, Id};
use crate::lang::op::Op;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::Binary;
use crate::lang::ops::factor::{Det, Inverse, LogDet};
use crate::lang::ops::view::Reshape;
use crate::lang::shape::Shape;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "identity of extent 1", statement: "eye(1) = 1", apply: smallest_identity },
    Rule { name: "Kronecker product of identities", statement: "kron(eye(m), eye(n)) = eye(m*n)", apply: identities },
    Rule { name: "Kronecker product of scalars", statement: "kron(s*a, b) = s*kron(a, b)", apply: scalars },
    Rule { name: "transpose of a Kronecker product", statement: "kron(a, b)' = kron(a', b')", apply: transpose },
    Rule { name: "product of Kronecker products", statement: "kron(a, b)*kron(c, d) = kron(a*c, b*d)", apply: product },
    Rule { name: "Kronecker product of a vector", statement: "kron(a, b)*vec(x) = vec(b*x*a')", apply: vector },
    Rule {
        name: "inverse of a Kronecker product",
        statement: "inv(kron(a, b)) = kron(inv(a), inv(b))",
        apply: inverse,
    },
    Rule {
        name: "elements of Kronecker products",
        statement: "kron(a, b).*kron(c, d) = kron(a.*c, b.*d)",
        apply: elements,
    },
    Rule { name: "determinant of a Kronecker product", statement: "det(kron(a, b)) = det(a)^n*det(b)^m", apply: det },
];

/// The factors of a Kronecker product.
pub(super) fn kronecker(graph: &Graph, id: Id) -> Option<(Id, Id)> {
    let Op::Reshape(_) = graph.op(id) else { return None };
    let outer = graph.args(id)[0];
    let Op::Contract(spec) = graph.op(outer) else { return None };
    let &[a, b] = graph.args(outer) else { return None };
    // The same elements may lie under another shape.
    (spec == Graph::KRONECKER && graph.is_kronecker_shape(graph.shape(id), a, b)).then_some((a, b))
}

fn smallest_identity(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Eye(_) = graph.op(id) else { return None };
    graph.shape(id).is_scalar().then(|| graph.constant(1.0))
}

fn identities(graph: &mut Graph, id: Id) -> Option<Id> {
    let (a, b) = kronecker(graph, id)?;
    let (Op::Eye(_), Op::Eye(_)) = (graph.op(a), graph.op(b)) else { return None };
    Some(graph.eye(graph.shape(id).rows()))
}

/// Scalars of a factor leave the outer product; here they leave its reshape.
fn scalars(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Reshape(Reshape(shape)) = graph.op(id) else { return None };
    let x = graph.args(id)[0];
    let Op::Mul(_) = graph.op(x) else { return None };
    let mut factors = graph.args(x).to_vec();
    let at = factors.iter().position(|&f| graph.op(f) == Op::Contract(Graph::KRONECKER))?;
    let outer = factors.remove(at);
    let scalars: Option<Vec<Id>> = factors.iter().map(|&f| scalar_source(graph, f)).collect();
    let mut new: Vec<Id> = scalars?.into_iter().map(|s| graph.broadcast(s, shape)).collect();
    new.push(graph.reshape(outer, shape));
    Some(graph.mul(&new))
}

fn transpose(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Permute(_) = graph.op(id) else { return None };
    let (a, b) = kronecker(graph, graph.args(id)[0])?;
    let (a, b) = (graph.transpose(a), graph.transpose(b));
    graph.kron(a, b).ok()
}

fn product(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Contract(Contract::MATMUL) = graph.op(id) else { return None };
    let (a, b) = kronecker(graph, graph.args(id)[0])?;
    let (c, d) = kronecker(graph, graph.args(id)[1])?;
    let fits = |x: Id, y: Id| graph.shape(x).cols() == graph.shape(y).rows();
    if !fits(a, c) || !fits(b, d) {
        return None;
    }
    let (left, right) = (graph.matmul(a, c), graph.matmul(b, d));
    graph.kron(left, right).ok()
}

/// In rows: the elements of `x'` are those of `vec(x)`.
fn vector(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Contract(Contract::MATMUL) = graph.op(id) else { return None };
    let (left, right) = (graph.args(id)[0], graph.args(id)[1]);
    let matrix = |graph: &Graph, id: Id, rows: Dim, cols: Dim| {
        let Op::Reshape(_) = graph.op(id) else { return None };
        let x = graph.args(id)[0];
        (kronecker(graph, id).is_none() && graph.shape(x) == Shape::matrix(rows, cols)).then_some(x)
    };
    if let Some((a, b)) = kronecker(graph, left) {
        let x = matrix(graph, right, graph.shape(a).cols(), graph.shape(b).cols())?;
        let inner = graph.matmul(a, x);
        let b = graph.transpose(b);
        let product = graph.matmul(inner, b);
        return Some(graph.reshape(product, graph.shape(id)));
    }
    // The same from the other side: vec(x)'*kron(a, b) = vec(b'*x*a)'.
    let (a, b) = kronecker(graph, right)?;
    let Op::Permute(_) = graph.op(left) else { return None };
    let column = graph.args(left)[0];
    let x = matrix(graph, column, graph.shape(a).rows(), graph.shape(b).rows())?;
    let a = graph.transpose(a);
    let inner = graph.matmul(a, x);
    let product = graph.matmul(inner, b);
    let column = graph.reshape(product, Shape::matrix(graph.shape(id).cols(), Dim::Known(1)));
    Some(graph.transpose(column))
}

fn square(graph: &Graph, id: Id) -> bool {
    graph.shape(id).rows() == graph.shape(id).cols()
}

fn inverse(graph: &mut Graph, id: Id) -> Option<Id> {
    let Op::Inverse(_) = graph.op(id) else { return None };
    let (a, b) = kronecker(graph, graph.args(id)[0])?;
    if !square(graph, a) || !square(graph, b) {
        return None;
    }
    let a = graph.build(Op::Inverse(Inverse), &[a]);
    let b = graph.build(Op::Inverse(Inverse), &[b]);
    graph.kron(a, b).ok()
}

/// The determinant, and its logarithm `n*logdet(a) + m*logdet(b)`.
fn det(graph: &mut Graph, id: Id) -> Option<Id> {
    let (Op::Det(_) | Op::LogDet(_)) = graph.op(id) else { return None };
    let (a, b) = kronecker(graph, graph.args(id)[0])?;
    if !square(graph, a) || !square(graph, b) {
        return None;
    }
    let (m, n) = (graph.shape(a).rows(), graph.shape(b).rows());
    if let Op::LogDet(_) = graph.op(id) {
        let parts = [(a, n), (b, m)].map(|(x, count)| {
            let log = graph.build(Op::LogDet(LogDet), &[x]);
            let count = graph.size(count);
            graph.mul(&[count, log])
        });
        return Some(graph.add(&parts));
    }
    let parts = [(a, n), (b, m)].map(|(x, count)| {
        let det = graph.build(Op::Det(Det), &[x]);
        let count = graph.size(count);
        match graph.constant_value(count) {
            Some(count) => graph.power(det, count),
            None => graph.binary(Binary::Pow, det, count),
        }
    });
    Some(graph.mul(&parts))
}

/// Of two with factors of the same shapes; a whole power of one is a product, too.
fn elements(graph: &mut Graph, id: Id) -> Option<Id> {
    let args = graph.args(id).to_vec();
    if let Op::Power(power) = graph.op(id) {
        let (a, b) = kronecker(graph, args[0]).filter(|_| power.exponent().fract() == 0.0)?;
        let (a, b) = (graph.power(a, power.exponent()), graph.power(b, power.exponent()));
        return graph.kron(a, b).ok();
    }
    let Op::Mul(_) = graph.op(id) else { return None };
    let products: Vec<(usize, Id, Id)> =
        args.iter().enumerate().filter_map(|(at, &f)| kronecker(graph, f).map(|(a, b)| (at, a, b))).collect();
    let (&(first, a, b), rest) = products.split_first()?;
    let same = |x: Id, y: Id| graph.shape(x) == graph.shape(y);
    let &(second, c, d) = rest.iter().find(|&&(_, c, d)| same(a, c) && same(b, d))?;
    let (left, right) = (graph.mul(&[a, c]), graph.mul(&[b, d]));
    let product = graph.kron(left, right).ok()?;
    let mut factors = args;
    factors[first] = product;
    factors.remove(second);
    Some(graph.mul(&factors))
}
