//! Constructors of a graph's nodes: what the calculus and the rules write instead of operators. Differences, negatives
//! and quotients are spelled as sums, products and powers here, and nowhere else.

use super::dim::Dim;
use super::graph::{Graph, Id};
use super::op::{Op, checked_product};
use super::ops::arithmetic::{Add, Mul, Power};
use super::ops::contract::{Contract, Labels};
use super::ops::elementwise::{Binary, Unary};
use super::ops::reduce::Sum;
use super::ops::softmax::{LogSumExp, Softmax};
use super::ops::source::{Constant, Eye, Size};
use super::ops::view::{Broadcast, Permute, Reshape};
use super::shape::{Axes, Shape, ShapeError};

impl Graph {
    /// A number.
    pub fn constant(&mut self, value: f64) -> Id {
        self.build(Op::Constant(Constant::new(value)), &[])
    }

    /// The number behind a constant or a stretched constant.
    #[must_use]
    pub fn constant_value(&self, id: Id) -> Option<f64> {
        match self.op(id) {
            Op::Constant(constant) => Some(constant.value()),
            Op::Broadcast(_) => self.constant_value(self.args(id)[0]),
            // A number under a shape of another rank.
            Op::Reshape(_) if self.shape(id).is_scalar() => self.constant_value(self.args(id)[0]),
            _ => None,
        }
    }

    /// A tensor filled with a number.
    pub fn filled(&mut self, value: f64, shape: Shape) -> Id {
        let constant = self.constant(value);
        self.broadcast(constant, shape)
    }

    /// The extent of a dimension as a number.
    pub fn size(&mut self, dim: Dim) -> Id {
        match self.dims.resolve(dim) {
            Dim::Known(n) => self.constant(f64::from(n)),
            symbol => self.build(Op::Size(Size(symbol)), &[]),
        }
    }

    /// An identity matrix; that of extent 1 is the number 1.
    pub fn eye(&mut self, dim: Dim) -> Id {
        self.build(Op::Eye(Eye(dim)), &[])
    }

    /// The commutation matrix `K` of `m x n` matrices: `K*vec(a) = vec(a')`. It is an identity whose rows are in another
    /// order.
    ///
    /// # Errors
    /// The dimension is too large.
    pub fn commutation(&mut self, m: Dim, n: Dim) -> Result<Id, ShapeError> {
        let size = checked_product(&mut self.dims, m, n)?;
        let eye = self.eye(size);
        if [m, n].iter().any(|&dim| self.dims.resolve(dim) == Dim::Known(1)) {
            return Ok(eye);
        }
        let rows = self.reshape(eye, Shape::new(&[n, m, size]));
        let swapped = self.build(Op::Permute(Permute::new(&[1, 0, 2])), &[rows]);
        Ok(self.reshape(swapped, Shape::matrix(size, size)))
    }

    /// The `m` and `n` of a commutation matrix.
    #[must_use]
    pub fn as_commutation(&self, id: Id) -> Option<(Dim, Dim)> {
        let inner = |id: Id| self.args(id).first().copied();
        let Op::Reshape(_) = self.op(id) else { return None };
        let swapped = inner(id).filter(|&x| self.op(x) == Op::Permute(Permute::new(&[1, 0, 2])))?;
        let rows = inner(swapped).filter(|&x| matches!(self.op(x), Op::Reshape(_)))?;
        let eye = inner(rows).filter(|&x| matches!(self.op(x), Op::Eye(_)))?;
        let dims = self.shape(swapped).resolved(&self.dims);
        (self.shape(id) == self.shape(eye)).then(|| (dims.dims()[0], dims.dims()[1]))
    }

    /// The elements of a matrix as one column, column after column.
    ///
    /// # Errors
    /// The dimension is too large.
    pub fn vec(&mut self, x: Id) -> Result<Id, ShapeError> {
        let shape = self.shape(x).resolved(&self.dims);
        let transposed = if shape.cols() == Dim::Known(1) { x } else { self.transpose(x) };
        if shape.rows() == Dim::Known(1) || shape.cols() == Dim::Known(1) {
            return Ok(transposed);
        }
        let count = checked_product(&mut self.dims, shape.rows(), shape.cols())?;
        Ok(self.reshape(transposed, Shape::matrix(count, Dim::Known(1))))
    }

    /// A function of one number, element by element.
    pub fn unary(&mut self, op: Unary, x: Id) -> Id {
        self.build(Op::Unary(op), &[x])
    }

    /// A function of two numbers, element by element.
    pub fn binary(&mut self, op: Binary, x: Id, y: Id) -> Id {
        self.build(Op::Binary(op), &[x, y])
    }

    /// A sum.
    pub fn add(&mut self, terms: &[Id]) -> Id {
        self.build(Op::Add(Add), terms)
    }

    /// An element-wise product; scalars are stretched to the shape of the others.
    pub fn mul(&mut self, factors: &[Id]) -> Id {
        let shapes = factors.iter().map(|&id| self.shape(id));
        // Scalars alone have the largest of their ranks.
        let shape = shapes.reduce(|a, b| if !a.is_scalar() || b.is_scalar() && a.rank() >= b.rank() { a } else { b });
        let shape = shape.expect("a product has factors");
        let stretched: Vec<Id> = factors.iter().map(|&id| self.stretch(id, shape)).collect();
        self.build(Op::Mul(Mul), &stretched)
    }

    fn stretch(&mut self, id: Id, shape: Shape) -> Id {
        if self.shape(id).is_scalar() && self.shape(id) != shape { self.broadcast(id, shape) } else { id }
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        let negative = self.times(b, -1.0);
        self.add(&[a, negative])
    }

    /// `c*x`.
    pub fn times(&mut self, x: Id, c: f64) -> Id {
        let c = self.constant(c);
        self.mul(&[c, x])
    }

    /// `x + c`.
    pub fn plus(&mut self, x: Id, c: f64) -> Id {
        let c = self.filled(c, self.shape(x));
        self.add(&[x, c])
    }

    /// `1 - x`.
    pub fn one_minus(&mut self, x: Id) -> Id {
        let one = self.filled(1.0, self.shape(x));
        self.sub(one, x)
    }

    /// `x.^p`.
    pub fn power(&mut self, x: Id, p: f64) -> Id {
        self.build(Op::Power(Power::new(p)), &[x])
    }

    /// `x` stretched to a shape.
    pub fn broadcast(&mut self, x: Id, shape: Shape) -> Id {
        if self.shape(x) == shape {
            return x;
        }
        // A scalar fits every rank.
        let x = if self.shape(x).rank() == shape.rank() {
            x
        } else {
            self.reshape(x, shape.reduced(Axes::all(shape.rank())))
        };
        self.build(Op::Broadcast(Broadcast(shape)), &[x])
    }

    /// The elements under another shape.
    pub fn reshape(&mut self, x: Id, shape: Shape) -> Id {
        self.build(Op::Reshape(Reshape(shape)), &[x])
    }

    /// The elements in column-major order under another shape: `reshape` of the language.
    ///
    /// # Errors
    /// The numbers of elements differ.
    pub fn reshape_columns(&mut self, x: Id, shape: Shape) -> Result<Id, ShapeError> {
        let reversed = self.reversed(x);
        let order: Vec<u8> = (0..shape.rank() as u8).rev().collect();
        let rows = self.try_build(Op::Reshape(Reshape(shape.permuted(&order))), &[reversed])?;
        Ok(self.reversed(rows))
    }

    /// All axes in the opposite order; the transpose of a matrix.
    fn reversed(&mut self, x: Id) -> Id {
        let order: Vec<u8> = (0..self.shape(x).rank() as u8).rev().collect();
        self.build(Op::Permute(Permute::new(&order)), &[x])
    }

    /// The sum over axes; they stay with extent 1.
    pub fn sum(&mut self, x: Id, axes: Axes) -> Id {
        if axes.is_empty() { x } else { self.build(Op::Sum(Sum(axes)), &[x]) }
    }

    /// The sum of all elements, 1 x 1.
    pub fn sum_all(&mut self, x: Id) -> Id {
        let rank = self.shape(x).rank();
        let sum = self.sum(x, Axes::all(rank));
        if rank == 2 { sum } else { self.reshape(sum, Shape::SCALAR) }
    }

    /// The transpose of a matrix.
    pub fn transpose(&mut self, x: Id) -> Id {
        self.build(Op::Permute(Permute::TRANSPOSE), &[x])
    }

    /// A contraction; those that are matrix products become one, of possibly transposed operands.
    pub fn contract(&mut self, spec: Contract, a: Id, b: Id) -> Id {
        let Some((swap, ta, tb)) = spec.as_matmul() else {
            return self.build(Op::Contract(spec), &[a, b]);
        };
        let a = if ta { self.transpose(a) } else { a };
        let b = if tb { self.transpose(b) } else { b };
        if swap { self.matmul(b, a) } else { self.matmul(a, b) }
    }

    /// A matrix product.
    pub fn matmul(&mut self, a: Id, b: Id) -> Id {
        self.build(Op::Contract(Contract::MATMUL), &[a, b])
    }

    /// Softmax of each row.
    pub fn softmax(&mut self, x: Id) -> Id {
        self.build(Op::Softmax(Softmax), &[x])
    }

    /// Log-sum-exp of each row.
    pub fn logsumexp(&mut self, x: Id) -> Id {
        self.build(Op::LogSumExp(LogSumExp), &[x])
    }

    /// Labels of the outer product behind a Kronecker product: `out[i, k, j, l] = a[i, j] * b[k, l]`.
    pub const KRONECKER: Contract =
        Contract { a: Labels::new(&[0, 1]), b: Labels::new(&[2, 3]), out: Labels::new(&[0, 2, 1, 3]) };

    /// The adjoint of [`Graph::KRONECKER`] for its first operand, as [`Contract`] makes it.
    pub const KRONECKER_FIRST: Contract =
        Contract { a: Graph::KRONECKER.out, b: Graph::KRONECKER.b, out: Graph::KRONECKER.a };

    /// The adjoint of [`Graph::KRONECKER`] for its second operand.
    pub const KRONECKER_SECOND: Contract =
        Contract { a: Graph::KRONECKER.a, b: Graph::KRONECKER.out, out: Graph::KRONECKER.b };

    /// Is this the shape of the Kronecker product of two matrices?
    #[must_use]
    pub fn is_kronecker_shape(&self, shape: Shape, a: Id, b: Id) -> bool {
        let (a, b) = (self.shape(a), self.shape(b));
        let fits = |dim, p, q| self.dims.is_product(dim, p, q);
        shape.rank() == 2 && fits(shape.rows(), a.rows(), b.rows()) && fits(shape.cols(), a.cols(), b.cols())
    }

    /// The Kronecker product of two matrices.
    ///
    /// # Errors
    /// A dimension is too large.
    pub fn kron(&mut self, a: Id, b: Id) -> Result<Id, ShapeError> {
        let (sa, sb) = (self.shape(a), self.shape(b));
        if sa == Shape::SCALAR || sb == Shape::SCALAR {
            return Ok(self.mul(&[a, b]));
        }
        let rows = checked_product(&mut self.dims, sa.rows(), sb.rows())?;
        let cols = checked_product(&mut self.dims, sa.cols(), sb.cols())?;
        let outer = self.try_build(Op::Contract(Graph::KRONECKER), &[a, b])?;
        Ok(self.reshape(outer, Shape::matrix(rows, cols)))
    }
}
