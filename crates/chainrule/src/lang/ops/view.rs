//! The same elements seen otherwise: stretched, with axes in another order, in another shape. All linear.

use crate::lang::dim::Dims;
use crate::lang::op::{Class, Derivative, Op, OpDef, Written, exactly};
use crate::lang::shape::{Axes, MAX_RANK, Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// Stretches axes of extent 1. The builder inserts it; no rule handles broadcasting otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast(pub Shape);

/// Axes in another order: axis `i` of the result is axis `order[i]` of the argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permute {
    order: [u8; MAX_RANK],
    rank: u8,
}

/// The elements in row-major order under another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reshape(pub Shape);

impl Permute {
    /// The transpose of a matrix.
    pub const TRANSPOSE: Permute = Permute { order: [1, 0, 2, 3, 4, 5], rank: 2 };

    /// This order of axes.
    #[must_use]
    pub fn new(list: &[u8]) -> Permute {
        let mut order = [0, 1, 2, 3, 4, 5];
        order[..list.len()].copy_from_slice(list);
        Permute { order, rank: list.len() as u8 }
    }

    /// The order.
    #[must_use]
    pub fn order(&self) -> &[u8] {
        &self.order[..self.rank as usize]
    }

    /// The order that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Permute {
        let mut inverse = *self;
        for (to, &from) in self.order().iter().enumerate() {
            inverse.order[from as usize] = to as u8;
        }
        inverse
    }
}

impl OpDef for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        let target = self.0.resolved(dims);
        let fits = x.rank() == target.rank()
            && x.dims()
                .iter()
                .zip(target.dims())
                .all(|(&from, &to)| dims.resolve(from) == crate::lang::Dim::Known(1) || dims.unify(from, to));
        if fits {
            Ok(target.resolved(dims))
        } else {
            Err(ShapeError::Mismatch { what: "the shapes", left: x, right: target })
        }
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Linear(|graph, node, _, y_bar| {
            let (from, to) = (graph.shape(graph.node(node).args[0]), graph.shape(node));
            let stretched: Axes = (0..to.rank()).filter(|&axis| from.dims()[axis] != to.dims()[axis]).collect();
            graph.sum(y_bar, stretched)
        })
    }
    fn class(&self) -> Class {
        Class::View
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        Tensor::from_fn(sizes, |index| args[0].at(index))
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        if x.rank() == self.rank as usize {
            Ok(x.permuted(self.order()))
        } else {
            Err(ShapeError::Needs { what: "a matrix", found: x })
        }
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Linear(|graph, node, _, y_bar| {
            let Op::Permute(permute) = graph.node(node).op else { unreachable!("called for its own node") };
            graph.build(Op::Permute(permute.inverse()), &[y_bar])
        })
    }
    fn class(&self) -> Class {
        Class::View
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        let mut source = vec![0; sizes.len()];
        Tensor::from_fn(sizes, |index| {
            for (to, &from) in self.order().iter().enumerate() {
                source[from as usize] = index[to];
            }
            args[0].at(&source)
        })
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        let target = self.0.resolved(dims);
        let (from, to) = (count(dims, &x), count(dims, &target));
        if from.is_some() && to.is_some() && from != to {
            return Err(ShapeError::Mismatch { what: "the numbers of elements", left: x, right: target });
        }
        Ok(target)
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Linear(|graph, node, _, y_bar| {
            let shape = graph.shape(graph.node(node).args[0]);
            graph.build(Op::Reshape(Reshape(shape)), &[y_bar])
        })
    }
    fn class(&self) -> Class {
        Class::View
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        Tensor { sizes: sizes.to_vec(), values: args[0].values.clone() }
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

fn count(dims: &Dims, shape: &Shape) -> Option<u64> {
    shape.dims().iter().try_fold(1u64, |product, &d| product.checked_mul(dims.value(d)?))
}
