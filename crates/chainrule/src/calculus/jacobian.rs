//! From a differential to a Jacobian: `dF = L(dX)` becomes `d vec(F) = J*d vec(X)` by `vec(A*dX*B) = kron(B', A)*vec(dX)`
//! and `vec(dX') = commutation*vec(dX)` (Magnus & Neudecker, "Matrix Differential Calculus", chapters 2 and 3).
//!
//! Maps stay Kronecker products as long as they can: `A*(B*dX)` is `kron(eye, A*B)`, not a product of large matrices.

mod terms;

use rustc_hash::FxHashMap;

use super::differentiate::transpose;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::reduce::Sum;
use crate::lang::ops::view::Permute;
use crate::lang::{Axes, Dim, Graph, Id, Op, Shape, ShapeError};

/// One term of a linear map from `vec(dX)`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Term {
    /// `scale * kron(left, right)`; nothing stands for an identity, or for 1.
    Kron { scale: Option<Id>, left: Option<Id>, right: Option<Id> },
    /// A matrix.
    Dense(Id),
}

/// How a node `y` depends on `dX`: `vec(y) = (straight + commutation*crossed)*vec(dX)`.
#[derive(Clone, Debug, Default)]
struct Map {
    straight: Vec<Term>,
    /// The part that gives `vec(y')`.
    crossed: Vec<Term>,
}

/// More terms than this are added up before they are multiplied on.
const MOST_TERMS: usize = 8;

/// The matrix of a linear expression: `vec(tangent) = J*vec(direction)`; `None` when an operation has no such form.
///
/// # Errors
/// A dimension is too large.
pub fn jacobian(graph: &mut Graph, tangent: Id, direction: Id) -> Result<Option<Id>, ShapeError> {
    let mut engine = Engine { graph, direction, maps: FxHashMap::default() };
    for id in engine.graph.reachable(&[tangent]) {
        if engine.graph.shape(id).rank() != 2 && id == direction {
            return Ok(None);
        }
        if let Some(map) = engine.map(id)? {
            engine.maps.insert(id, map);
        } else if engine.graph.args(id).iter().any(|arg| engine.maps.contains_key(arg)) {
            return Ok(None);
        }
    }
    match engine.maps.remove(&tangent) {
        Some(map) => engine.total(tangent, &map).map(Some),
        None => Ok(None),
    }
}

struct Engine<'g> {
    graph: &'g mut Graph,
    direction: Id,
    maps: FxHashMap<Id, Map>,
}

fn is_one(graph: &Graph, dim: Dim) -> bool {
    graph.dims.resolve(dim) == Dim::Known(1)
}

impl Engine<'_> {
    fn shape(&self, id: Id) -> Shape {
        self.graph.shape(id)
    }

    fn is_vector(&self, id: Id) -> bool {
        let shape = self.shape(id);
        is_one(self.graph, shape.rows()) || is_one(self.graph, shape.cols())
    }

    /// The map of a node, `None` when it does not depend on the direction, or has no matrix.
    fn map(&mut self, id: Id) -> Result<Option<Map>, ShapeError> {
        if id == self.direction {
            let identity = if self.is_vector(id) {
                let n = self.graph.dims.product(self.shape(id).rows(), self.shape(id).cols());
                Term::Dense(self.graph.eye(n.ok_or(ShapeError::TooLarge)?))
            } else {
                Term::Kron { scale: None, left: None, right: None }
            };
            return Ok(Some(Map { straight: vec![identity], crossed: Vec::new() }));
        }
        let args = self.graph.args(id).to_vec();
        let Some(at) = args.iter().position(|arg| self.maps.contains_key(arg)) else { return Ok(None) };
        if self.shape(id).is_scalar() {
            return self.scalar(id).map(Some);
        }
        let mapped = self.mapped(id, &args, at)?;
        mapped.map(|map| self.uncrossed(id, map)).transpose()
    }

    /// The map of a node from that of its argument `at`.
    fn mapped(&mut self, id: Id, args: &[Id], at: usize) -> Result<Option<Map>, ShapeError> {
        let x = args[at];
        let map = self.maps[&x].clone();
        Ok(Some(match self.graph.op(id) {
            Op::Add(_) => {
                let maps: Vec<Map> = args.iter().filter_map(|arg| self.maps.get(arg)).cloned().collect();
                let mut sum = Map::default();
                for map in maps {
                    sum.straight.extend(map.straight);
                    sum.crossed.extend(map.crossed);
                }
                self.bounded(id, sum)?
            }
            Op::Mul(_) => self.product(id, args, at)?,
            Op::Contract(Contract::MATMUL) if at == 0 => self.right(x, map, args[1])?,
            Op::Contract(Contract::MATMUL) => self.left(x, map, args[0])?,
            Op::Permute(Permute::TRANSPOSE) => Map { straight: map.crossed, crossed: map.straight },
            Op::Sum(Sum(axes)) => {
                let shape = self.shape(x);
                self.sides(x, map, axes, |graph, columns| {
                    let ones = if columns { [shape.cols(), Dim::Known(1)] } else { [Dim::Known(1), shape.rows()] };
                    graph.filled(1.0, Shape::new(&ones))
                })?
            }
            Op::Broadcast(_) => {
                let (from, to) = (self.shape(x), self.shape(id));
                let axes: Axes = (0..2).filter(|&axis| from.dims()[axis] != to.dims()[axis]).collect();
                self.sides(x, map, axes, |graph, columns| {
                    let ones = if columns { [Dim::Known(1), to.cols()] } else { [to.rows(), Dim::Known(1)] };
                    graph.filled(1.0, Shape::new(&ones))
                })?
            }
            // The product of all pairs of elements; the reshape above it puts them in place.
            Op::Contract(Graph::KRONECKER) => return Ok(Some(Map::default())),
            Op::Reshape(_) if self.graph.op(x) == Op::Contract(Graph::KRONECKER) => self.kronecker(x)?,
            Op::Reshape(_) if self.shape(x).rank() == 2 => {
                // Row after row of x is column after column of x'.
                let swapped = Map { straight: map.crossed, crossed: map.straight };
                let whole = self.total_of(&swapped, self.shape(x).permuted(&[1, 0]))?;
                Map { straight: Vec::new(), crossed: vec![Term::Dense(whole)] }
            }
            Op::Diagonal(_) => {
                let select = self.selection(self.shape(x).rows())?;
                let (select, whole) = (self.graph.transpose(select), self.total(x, &map)?);
                Map { straight: vec![Term::Dense(self.graph.matmul(select, whole))], crossed: Vec::new() }
            }
            Op::DiagonalMatrix(_) => {
                let (select, whole) = (self.selection(self.shape(x).rows())?, self.total(x, &map)?);
                Map { straight: vec![Term::Dense(self.graph.matmul(select, whole))], crossed: Vec::new() }
            }
            _ => return Ok(None),
        }))
    }

    /// `vec(kron(A, B)) = kron(eye(n), kron(commutation(q, m), eye(p)))*kron(vec(A), vec(B))` for an m x n matrix A and a
    /// p x q matrix B (Magnus & Neudecker, chapter 3, theorem 10).
    fn kronecker(&mut self, outer: Id) -> Result<Map, ShapeError> {
        let (a, b) = (self.graph.args(outer)[0], self.graph.args(outer)[1]);
        let (of_a, of_b) = (self.maps.get(&a).cloned(), self.maps.get(&b).cloned());
        let (sa, sb) = (self.shape(a), self.shape(b));
        let swap = self.graph.commutation(sb.cols(), sa.rows())?;
        let (left, right) = (self.graph.eye(sa.cols()), self.graph.eye(sb.rows()));
        let inner = self.graph.kron(swap, right)?;
        let place = self.graph.kron(left, inner)?;
        let mut straight = Vec::new();
        for (map, fixed, node, first) in [(of_a, b, a, true), (of_b, a, b, false)] {
            let Some(map) = map else { continue };
            let column = self.graph.vec(fixed)?;
            let (rows, whole) = (self.shape(node), self.total(node, &map)?);
            let count = self.graph.dims.product(rows.rows(), rows.cols()).ok_or(ShapeError::TooLarge)?;
            let eye = self.graph.eye(count);
            let pairs = if first { self.graph.kron(eye, column)? } else { self.graph.kron(column, eye)? };
            let placed = self.graph.matmul(place, pairs);
            straight.push(Term::Dense(self.graph.matmul(placed, whole)));
        }
        Ok(Map { straight, crossed: Vec::new() })
    }

    /// The row that maps to a scalar is the adjoint of the scalar: `tr(G'*dX) = vec(G)'*vec(dX)`.
    fn scalar(&mut self, id: Id) -> Result<Map, ShapeError> {
        let one = self.graph.constant(1.0);
        let found = transpose(self.graph, id, one, &[self.direction]);
        let Some(gradient) = found[0] else { return Ok(Map::default()) };
        let column = self.graph.vec(gradient)?;
        let row = self.graph.transpose(column);
        Ok(Map { straight: vec![Term::Dense(row)], crossed: Vec::new() })
    }

    /// The n*n x n matrix that puts a column on a diagonal: `vec(diag(v)) = S*v`.
    fn selection(&mut self, n: Dim) -> Result<Id, ShapeError> {
        let eye = self.graph.eye(n);
        let ones = self.graph.filled(1.0, Shape::new(&[n, Dim::Known(1)]));
        let blocks = self.graph.kron(eye, ones)?;
        let mask = self.graph.vec(eye)?;
        let mask = self.graph.broadcast(mask, self.shape(blocks));
        Ok(self.graph.mul(&[mask, blocks]))
    }

    /// Products with a matrix on the right (columns) and on the left (rows).
    fn sides(
        &mut self,
        x: Id,
        map: Map,
        axes: Axes,
        factor: impl Fn(&mut Graph, bool) -> Id,
    ) -> Result<Map, ShapeError> {
        let mut shape = self.shape(x);
        let mut map = map;
        for axis in axes.iter() {
            let ones = factor(self.graph, axis == 1);
            map = if axis == 1 { self.right_of(shape, map, ones)? } else { self.left_of(shape, map, ones)? };
            let sizes = self.shape(ones);
            shape = if axis == 1 {
                Shape::matrix(shape.rows(), sizes.cols())
            } else {
                Shape::matrix(sizes.rows(), shape.cols())
            };
        }
        Ok(map)
    }

    /// An element-wise product with constant factors.
    fn product(&mut self, id: Id, args: &[Id], at: usize) -> Result<Map, ShapeError> {
        let x = args[at];
        let others: Vec<Id> = args.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, &a)| a).collect();
        let is_scalar = |graph: &Graph, f: Id| match graph.op(f) {
            Op::Broadcast(_) => Some(graph.args(f)[0]).filter(|&s| graph.shape(s).is_scalar()),
            _ => None,
        };
        let (scalars, factors): (Vec<Id>, Vec<Id>) = others.iter().partition(|&&f| is_scalar(self.graph, f).is_some());
        let scalars: Vec<Id> = scalars.iter().filter_map(|&f| is_scalar(self.graph, f)).collect();
        let mut map = self.maps[&x].clone();
        if !factors.is_empty() {
            let factor = self.graph.mul(&factors);
            map = match is_scalar(self.graph, x).and_then(|s| self.maps.get(&s)).cloned() {
                Some(row) => self.outer(factor, &row)?,
                None => self.hadamard(id, map, factor)?,
            };
        }
        if !scalars.is_empty() {
            let scale = self.graph.mul(&scalars);
            map.straight = self.each(&map.straight, |engine, term| Ok(engine.scaled(term, scale)))?;
            map.crossed = self.each(&map.crossed, |engine, term| Ok(engine.scaled(term, scale)))?;
        }
        Ok(map)
    }

    fn scaled(&mut self, term: Term, by: Id) -> Term {
        match term {
            Term::Kron { scale, left, right } => {
                let scale = scale.map_or(by, |scale| self.graph.mul(&[by, scale]));
                Term::Kron { scale: Some(scale), left, right }
            }
            Term::Dense(matrix) => Term::Dense(self.graph.mul(&[by, matrix])),
        }
    }

    /// A fixed matrix times a scalar that depends on the direction.
    fn outer(&mut self, factor: Id, row: &Map) -> Result<Map, ShapeError> {
        let row = self.total_of(row, Shape::SCALAR)?;
        let column = self.graph.vec(factor)?;
        Ok(Map { straight: vec![Term::Dense(self.graph.matmul(column, row))], crossed: Vec::new() })
    }

    /// For a row or a column, `vec(y')` is `vec(y)`: there is one part only.
    fn uncrossed(&mut self, id: Id, map: Map) -> Result<Map, ShapeError> {
        if !self.is_vector(id) || map.crossed.is_empty() {
            return Ok(map);
        }
        let mut straight = map.straight;
        for term in map.crossed {
            straight.push(Term::Dense(self.matrix(term)?));
        }
        Ok(Map { straight, crossed: Vec::new() })
    }

    fn bounded(&mut self, id: Id, map: Map) -> Result<Map, ShapeError> {
        if map.straight.len() + map.crossed.len() <= MOST_TERMS {
            return Ok(map);
        }
        Ok(Map { straight: vec![Term::Dense(self.total(id, &map)?)], crossed: Vec::new() })
    }
}

const DIAGONAL: crate::lang::ops::diagonal::DiagonalMatrix = crate::lang::ops::diagonal::DiagonalMatrix;
