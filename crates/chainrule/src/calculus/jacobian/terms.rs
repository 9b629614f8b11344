//! Products and sums of the terms of a map.

use super::{DIAGONAL, Engine, Map, Term, is_one};
use crate::lang::{Dim, Id, Op, Shape, ShapeError};

impl Engine<'_> {
    pub(super) fn left(&mut self, x: Id, map: Map, a: Id) -> Result<Map, ShapeError> {
        self.left_of(self.shape(x), map, a)
    }

    pub(super) fn right(&mut self, x: Id, map: Map, b: Id) -> Result<Map, ShapeError> {
        self.right_of(self.shape(x), map, b)
    }

    /// `a*x`, and `x'*a'` for the crossed part.
    pub(super) fn left_of(&mut self, x: Shape, map: Map, a: Id) -> Result<Map, ShapeError> {
        let transposed = self.graph.transpose(a);
        let straight = self.each(&map.straight, |engine, term| engine.left_term(term, a, x.cols()))?;
        let crossed = self.each(&map.crossed, |engine, term| engine.right_term(term, transposed, x.cols()))?;
        Ok(Map { straight, crossed })
    }

    /// `x*b`, and `b'*x'` for the crossed part.
    pub(super) fn right_of(&mut self, x: Shape, map: Map, b: Id) -> Result<Map, ShapeError> {
        let transposed = self.graph.transpose(b);
        let straight = self.each(&map.straight, |engine, term| engine.right_term(term, b, x.rows()))?;
        let crossed = self.each(&map.crossed, |engine, term| engine.left_term(term, transposed, x.rows()))?;
        Ok(Map { straight, crossed })
    }

    pub(super) fn each(
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

    /// `diag(vec(c))` times the map: a factor that is the same in each column, or row, joins one side.
    pub(super) fn hadamard(&mut self, id: Id, map: Map, c: Id) -> Result<Map, ShapeError> {
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
    pub(super) fn matrix(&mut self, term: Term) -> Result<Id, ShapeError> {
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

    pub(super) fn sum(&mut self, terms: &[Term]) -> Result<Option<Id>, ShapeError> {
        let mut matrices = Vec::with_capacity(terms.len());
        for &term in terms {
            matrices.push(self.matrix(term)?);
        }
        Ok(if matrices.is_empty() { None } else { Some(self.graph.add(&matrices)) })
    }

    /// The whole map of a node as one matrix.
    pub(super) fn total(&mut self, id: Id, map: &Map) -> Result<Id, ShapeError> {
        self.total_of(map, self.shape(id))
    }

    pub(super) fn total_of(&mut self, map: &Map, y: Shape) -> Result<Id, ShapeError> {
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
}
