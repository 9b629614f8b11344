//! From a differential to a Jacobian: `dF = L(dX)` becomes `d vec(F) = J*d vec(X)` by `vec(A*dX*B) = kron(B', A)*vec(dX)`
//! and `vec(dX') = commutation*vec(dX)` (Magnus & Neudecker, "Matrix Differential Calculus", chapters 2 and 3).
//!
//! Maps stay Kronecker products as long as they can: `A*(B*dX)` is `kron(eye, A*B)`, not a product of large matrices.

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
        let x = args[at];
        let map = self.maps[&x].clone();
        let mapped = match self.graph.op(id) {
            Op::Add(_) => {
                let maps: Vec<Map> = args.iter().filter_map(|arg| self.maps.get(arg)).cloned().collect();
                let mut sum = Map::default();
                for map in maps {
                    sum.straight.extend(map.straight);
                    sum.crossed.extend(map.crossed);
                }
                self.bounded(id, sum)?
            }
            Op::Mul(_) => self.product(id, &args, at)?,
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
        };
        self.uncrossed(id, mapped).map(Some)
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

    fn left(&mut self, x: Id, map: Map, a: Id) -> Result<Map, ShapeError> {
        self.left_of(self.shape(x), map, a)
    }

    fn right(&mut self, x: Id, map: Map, b: Id) -> Result<Map, ShapeError> {
        self.right_of(self.shape(x), map, b)
    }

    /// `a*x`, and `x'*a'` for the crossed part.
    fn left_of(&mut self, x: Shape, map: Map, a: Id) -> Result<Map, ShapeError> {
        let transposed = self.graph.transpose(a);
        let straight = self.each(&map.straight, |engine, term| engine.left_term(term, a, x.cols()))?;
        let crossed = self.each(&map.crossed, |engine, term| engine.right_term(term, transposed, x.cols()))?;
        Ok(Map { straight, crossed })
    }

    /// `x*b`, and `b'*x'` for the crossed part.
    fn right_of(&mut self, x: Shape, map: Map, b: Id) -> Result<Map, ShapeError> {
        let transposed = self.graph.transpose(b);
        let straight = self.each(&map.straight, |engine, term| engine.right_term(term, b, x.rows()))?;
        let crossed = self.each(&map.crossed, |engine, term| engine.left_term(term, transposed, x.rows()))?;
        Ok(Map { straight, crossed })
    }

    fn each(
        &mut self,
        terms: &[Term],
        change: impl Fn(&mut Self, Term) -> Result<Term, ShapeError>,
    ) -> Result<Vec<Term>, ShapeError> {
        terms.iter().map(|&term| change(self, term)).collect()
    }

    /// `kron(eye, a)` times a term of a matrix with `cols` columns.
    fn left_term(&mut self, term: Term, a: Id, cols: Dim) -> Result<Term, ShapeError> {
        Ok(match term {
            Term::Kron { scale, left, right } => {
                let right = right.map_or(a, |right| self.graph.matmul(a, right));
                Term::Kron { scale, left, right: Some(right) }
            }
            Term::Dense(matrix) => {
                let eye = self.graph.eye(cols);
                let factor = if is_one(self.graph, cols) { a } else { self.graph.kron(eye, a)? };
                Term::Dense(self.graph.matmul(factor, matrix))
            }
        })
    }

    /// `kron(b', eye)` times a term of a matrix with `rows` rows.
    fn right_term(&mut self, term: Term, b: Id, rows: Dim) -> Result<Term, ShapeError> {
        let b = self.graph.transpose(b);
        Ok(match term {
            Term::Kron { scale, left, right } => {
                let left = left.map_or(b, |left| self.graph.matmul(b, left));
                Term::Kron { scale, left: Some(left), right }
            }
            Term::Dense(matrix) => {
                let eye = self.graph.eye(rows);
                let factor = if is_one(self.graph, rows) { b } else { self.graph.kron(b, eye)? };
                Term::Dense(self.graph.matmul(factor, matrix))
            }
        })
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

    /// `diag(vec(c))` times the map: a factor that is the same in each column, or row, joins one side.
    fn hadamard(&mut self, id: Id, map: Map, c: Id) -> Result<Map, ShapeError> {
        let transposed = self.graph.transpose(c);
        let shape = self.shape(id);
        let straight = self.each(&map.straight, |engine, term| engine.hadamard_term(term, c, shape))?;
        let turned = shape.permuted(&[1, 0]);
        let crossed = self.each(&map.crossed, |engine, term| engine.hadamard_term(term, transposed, turned))?;
        Ok(Map { straight, crossed })
    }

    fn hadamard_term(&mut self, term: Term, c: Id, shape: Shape) -> Result<Term, ShapeError> {
        let diagonal = |engine: &mut Self, column: Id| engine.graph.build(Op::DiagonalMatrix(DIAGONAL), &[column]);
        if let Term::Kron { scale, left, right } = term {
            let source = match self.graph.op(c) {
                Op::Broadcast(_) => self.graph.args(c)[0],
                _ => c,
            };
            let sizes = self.shape(source);
            if is_one(self.graph, sizes.cols()) && sizes.rows() == shape.rows() {
                let d = diagonal(self, source);
                let right = right.map_or(d, |right| self.graph.matmul(d, right));
                return Ok(Term::Kron { scale, left, right: Some(right) });
            }
            if is_one(self.graph, sizes.rows()) && sizes.cols() == shape.cols() {
                let column = self.graph.transpose(source);
                let d = diagonal(self, column);
                let left = left.map_or(d, |left| self.graph.matmul(d, left));
                return Ok(Term::Kron { scale, left: Some(left), right });
            }
        }
        let column = self.graph.vec(c)?;
        let d = diagonal(self, column);
        let matrix = self.matrix(term)?;
        Ok(Term::Dense(self.graph.matmul(d, matrix)))
    }

    /// A term as one matrix.
    fn matrix(&mut self, term: Term) -> Result<Id, ShapeError> {
        match term {
            Term::Dense(matrix) => Ok(matrix),
            Term::Kron { scale, left, right } => {
                let x = self.shape(self.direction);
                let matrix = match (left, right) {
                    (None, None) => {
                        let n = self.graph.dims.product(x.rows(), x.cols()).ok_or(ShapeError::TooLarge)?;
                        self.graph.eye(n)
                    }
                    _ => {
                        let left = left.unwrap_or_else(|| self.graph.eye(x.cols()));
                        let right = right.unwrap_or_else(|| self.graph.eye(x.rows()));
                        self.graph.kron(left, right)?
                    }
                };
                Ok(scale.map_or(matrix, |scale| self.graph.mul(&[scale, matrix])))
            }
        }
    }

    fn sum(&mut self, terms: &[Term]) -> Result<Option<Id>, ShapeError> {
        let mut matrices = Vec::with_capacity(terms.len());
        for &term in terms {
            matrices.push(self.matrix(term)?);
        }
        Ok(if matrices.is_empty() { None } else { Some(self.graph.add(&matrices)) })
    }

    /// The whole map of a node as one matrix.
    fn total(&mut self, id: Id, map: &Map) -> Result<Id, ShapeError> {
        self.total_of(map, self.shape(id))
    }

    fn total_of(&mut self, map: &Map, y: Shape) -> Result<Id, ShapeError> {
        let (straight, crossed) = (self.sum(&map.straight)?, self.sum(&map.crossed)?);
        let Some(crossed) = crossed else {
            return Ok(straight.expect("a node that depends on the direction has a term"));
        };
        let swap = self.graph.commutation(y.cols(), y.rows())?;
        Ok(match straight {
            None => self.graph.matmul(swap, crossed),
            Some(straight) if straight == crossed => {
                let eye = self.graph.eye(self.shape(swap).rows());
                let both = self.graph.add(&[eye, swap]);
                self.graph.matmul(both, straight)
            }
            Some(straight) => {
                let crossed = self.graph.matmul(swap, crossed);
                self.graph.add(&[straight, crossed])
            }
        })
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
