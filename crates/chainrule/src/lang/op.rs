//! What an operation is: a closed list, each member with all its faces.

use super::dim::{Dim, Dims};
use super::graph::{Graph, Id};
use super::ops::arithmetic::{Add, Mul, Power};
use super::ops::contract::Contract;
use super::ops::diagonal::{Diagonal, DiagonalMatrix};
use super::ops::elementwise::{Binary, Unary};
use super::ops::factor::{Det, Inverse, LogDet};
use super::ops::reduce::{FirstMax, Max, Sum};
use super::ops::softmax::{LogSumExp, Softmax};
use super::ops::source::{Constant, Eye, Size, VariableRef};
use super::ops::view::{Broadcast, Permute, Reshape};
use super::shape::{Shape, ShapeError};
use super::tensor::Tensor;

/// The operations. One line here, one in [`Op::def`], and a struct with all faces in `ops/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is documented at its struct")]
pub enum Op {
    Variable(VariableRef),
    Constant(Constant),
    Size(Size),
    Eye(Eye),
    Unary(Unary),
    Binary(Binary),
    Add(Add),
    Mul(Mul),
    Power(Power),
    Contract(Contract),
    Sum(Sum),
    Max(Max),
    FirstMax(FirstMax),
    Softmax(Softmax),
    LogSumExp(LogSumExp),
    Broadcast(Broadcast),
    Permute(Permute),
    Reshape(Reshape),
    Diagonal(Diagonal),
    DiagonalMatrix(DiagonalMatrix),
    Inverse(Inverse),
    Det(Det),
    LogDet(LogDet),
}

impl Op {
    /// The faces of this operation.
    #[must_use]
    pub fn def(&self) -> &dyn OpDef {
        match self {
            Op::Variable(op) => op,
            Op::Constant(op) => op,
            Op::Size(op) => op,
            Op::Eye(op) => op,
            Op::Unary(op) => op,
            Op::Binary(op) => op,
            Op::Add(op) => op,
            Op::Mul(op) => op,
            Op::Power(op) => op,
            Op::Contract(op) => op,
            Op::Sum(op) => op,
            Op::Max(op) => op,
            Op::FirstMax(op) => op,
            Op::Softmax(op) => op,
            Op::LogSumExp(op) => op,
            Op::Broadcast(op) => op,
            Op::Permute(op) => op,
            Op::Reshape(op) => op,
            Op::Diagonal(op) => op,
            Op::DiagonalMatrix(op) => op,
            Op::Inverse(op) => op,
            Op::Det(op) => op,
            Op::LogDet(op) => op,
        }
    }
}

/// What the compiler sees of an operation: passes ask the class, never the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A leaf.
    Source,
    /// Element by element.
    Map,
    /// Folds axes away.
    Reduce,
    /// Row by row, all columns needed at once.
    Rowwise,
    /// Sums products over shared indices.
    Contract,
    /// The same elements, seen otherwise.
    View,
    /// A matrix factorisation.
    Factor,
}

/// Moves a cotangent from the result to one argument: `x_bar` from `y_bar`.
pub type Adjoint = fn(&mut Graph, node: Id, arg: usize, y_bar: Id) -> Id;
/// The differential of the result as an expression linear in `dx`.
pub type Differential = fn(&mut Graph, node: Id, arg: usize, dx: Id) -> Id;

/// How an operation depends on one of its arguments. Every (operation, argument) picks exactly one.
#[derive(Clone, Copy)]
pub enum Derivative {
    /// Linear in all arguments together, with coefficient one: a sum.
    Additive,
    /// Linear in this argument when the others are fixed: the differential is the operation itself.
    Linear(Adjoint),
    /// Not linear: the differential, an expression linear in `dx`. Its adjoint is derived from it.
    Rule(Differential),
    /// Piecewise constant, or no dependence.
    Flat,
}

/// How an operation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// `name(arguments)`; in LaTeX with this command.
    Function {
        /// LaTeX command.
        tex: &'static str,
    },
    /// By an operator or a leaf; the printers know its structure.
    Operator,
}

/// All faces of an operation. No default bodies: a forgotten face does not compile.
pub trait OpDef {
    /// Text form and parser key.
    fn name(&self) -> &'static str;
    /// How it is written.
    fn written(&self) -> Written;
    /// Shape of the result; may learn equations between dimensions.
    ///
    /// # Errors
    /// The arguments do not fit.
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError>;
    /// Dependence on an argument.
    fn derivative(&self, arg: usize) -> Derivative;
    /// What the compiler sees.
    fn class(&self) -> Class;
    /// Reference value; `sizes` are the extents of the result.
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor;
    /// On which side of each kink the arguments lie; empty when smooth.
    fn branches(&self, args: &[&Tensor]) -> Vec<i8>;
}

/// Checks that there are `N` arguments; the builder guarantees it.
pub(crate) fn exactly<const N: usize>(args: &[Shape]) -> [Shape; N] {
    args.try_into().expect("the builder passes as many arguments as the operation has")
}

/// The product of two dimensions as a shape error.
pub(crate) fn checked_product(dims: &mut Dims, a: Dim, b: Dim) -> Result<Dim, ShapeError> {
    dims.product(a, b).ok_or(ShapeError::TooLarge)
}
