//! Leaves: variables, numbers, sizes of dimensions, identity matrices.

use crate::lang::dim::{Dim, Dims};
use crate::lang::op::{Class, Derivative, OpDef, Written};
use crate::lang::shape::{Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// A variable of the graph, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VariableRef {
    /// Place in `Graph::variables`.
    pub number: u32,
    /// Its shape.
    pub shape: Shape,
}

/// A number as its bits, so that it can be compared and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Constant(u64);

/// The extent of a dimension as a number: the `N` of `/ N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size(pub Dim);

/// The identity matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Eye(pub Dim);

impl Constant {
    /// The number; `-0` becomes `0`, so that equal numbers are equal nodes.
    #[must_use]
    pub fn new(value: f64) -> Constant {
        Constant(if value == 0.0 { 0 } else { value.to_bits() })
    }

    /// The number.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

macro_rules! leaf {
    ($op:ty, $name:literal, $shape:expr, $evaluate:expr) => {
        impl OpDef for $op {
            fn name(&self) -> &'static str {
                $name
            }
            fn written(&self) -> Written {
                Written::Operator
            }
            fn shape(&self, dims: &mut Dims, _: &[Shape]) -> Result<Shape, ShapeError> {
                let shape: fn(&$op) -> Shape = $shape;
                Ok(shape(self).resolved(dims))
            }
            fn derivative(&self, _: usize) -> Derivative {
                Derivative::Flat
            }
            fn class(&self) -> Class {
                Class::Source
            }
            fn evaluate(&self, _: &[&Tensor], sizes: &[usize]) -> Tensor {
                let evaluate: fn(&$op, &[usize]) -> Tensor = $evaluate;
                evaluate(self, sizes)
            }
            fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
                Vec::new()
            }
        }
    };
}

leaf!(VariableRef, "variable", |op| op.shape, |_, _| unreachable!("the evaluator answers for variables"));
leaf!(Constant, "constant", |_| Shape::SCALAR, |op, _| Tensor::scalar(op.value()));
leaf!(Size, "size", |_| Shape::SCALAR, |_, _| unreachable!("the evaluator answers for sizes"));
leaf!(Eye, "eye", |op| Shape::matrix(op.0, op.0), |_, sizes| Tensor::from_fn(sizes, |index| f64::from(u8::from(
    index[0] == index[1]
))));
