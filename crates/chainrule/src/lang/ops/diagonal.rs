//! The diagonal of a matrix, and the matrix of a diagonal: linear, each the adjoint of the other.

use crate::lang::dim::{Dim, Dims};
use crate::lang::op::{Class, Derivative, Op, OpDef, Written, exactly};
use crate::lang::shape::{Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// The diagonal of a square matrix, as a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Diagonal;

/// The matrix whose diagonal is a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DiagonalMatrix;

impl OpDef for Diagonal {
    fn name(&self) -> &'static str {
        "diag"
    }
    fn written(&self) -> Written {
        Written::Function { tex: r"\operatorname{diag}" }
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        if x.rank() != 2 || !dims.unify(x.rows(), x.cols()) {
            return Err(ShapeError::Needs { what: "a square matrix", found: x });
        }
        Ok(Shape::matrix(dims.resolve(x.rows()), Dim::Known(1)))
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Linear(|graph, _, _, y_bar| graph.build(Op::DiagonalMatrix(DiagonalMatrix), &[y_bar]))
    }
    fn class(&self) -> Class {
        Class::View
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        Tensor::from_fn(sizes, |index| args[0].at(&[index[0], index[0]]))
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for DiagonalMatrix {
    fn name(&self) -> &'static str {
        "diag"
    }
    fn written(&self) -> Written {
        Written::Function { tex: r"\operatorname{diag}" }
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        if x.rank() != 2 || dims.resolve(x.cols()) != Dim::Known(1) {
            return Err(ShapeError::Needs { what: "a column", found: x });
        }
        Ok(Shape::matrix(x.rows(), x.rows()))
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Linear(|graph, _, _, y_bar| graph.build(Op::Diagonal(Diagonal), &[y_bar]))
    }
    fn class(&self) -> Class {
        Class::View
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        Tensor::from_fn(sizes, |index| if index[0] == index[1] { args[0].at(&[index[0], 0]) } else { 0.0 })
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}
