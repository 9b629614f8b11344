//! Folding axes away; a folded axis stays with extent 1, so that rank never changes.

use crate::lang::dim::Dims;
use crate::lang::op::{Class, Derivative, Op, OpDef, Written, exactly};
use crate::lang::shape::{Axes, Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// Sum over axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sum(pub Axes);

/// Largest element over axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Max(pub Axes);

/// 1 at the first largest element over axes, 0 elsewhere: where the differential of [`Max`] flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FirstMax(pub Axes);

impl OpDef for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        Ok(x.reduced(self.0))
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Linear(|graph, node, _, y_bar| {
            let shape = graph.shape(graph.node(node).args[0]);
            graph.broadcast(y_bar, shape)
        })
    }
    fn class(&self) -> Class {
        Class::Reduce
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        fold(args[0], sizes, 0.0, |sum, x| sum + x)
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for Max {
    fn name(&self) -> &'static str {
        "max over axes"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        Ok(x.reduced(self.0))
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Rule(|graph, node, _, dx| {
            let (op, x) = (graph.node(node).op, graph.node(node).args[0]);
            let Op::Max(max) = op else { unreachable!("called for its own node") };
            let mask = graph.build(Op::FirstMax(FirstMax(max.0)), &[x]);
            let chosen = graph.mul(&[mask, dx]);
            graph.sum(chosen, max.0)
        })
    }
    fn class(&self) -> Class {
        Class::Reduce
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        fold(args[0], sizes, f64::NEG_INFINITY, |max, x| if x > max || x.is_nan() { x } else { max })
    }
    fn branches(&self, args: &[&Tensor]) -> Vec<i8> {
        first_max(args[0], self.0).values.iter().map(|&v| v as i8).collect()
    }
}

impl OpDef for FirstMax {
    fn name(&self) -> &'static str {
        "firstmax"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        Ok(x)
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Flat
    }
    fn class(&self) -> Class {
        Class::Rowwise
    }
    fn evaluate(&self, args: &[&Tensor], _: &[usize]) -> Tensor {
        first_max(args[0], self.0)
    }
    fn branches(&self, args: &[&Tensor]) -> Vec<i8> {
        first_max(args[0], self.0).values.iter().map(|&v| v as i8).collect()
    }
}

fn fold(x: &Tensor, sizes: &[usize], start: f64, f: impl Fn(f64, f64) -> f64) -> Tensor {
    let mut out = Tensor::filled(sizes, start);
    let mut index = vec![0; sizes.len()];
    for &value in &x.values {
        let slot = offset(&index, sizes);
        out.values[slot] = f(out.values[slot], value);
        crate::lang::tensor::advance(&mut index, &x.sizes);
    }
    out
}

fn offset(index: &[usize], sizes: &[usize]) -> usize {
    index.iter().zip(sizes).fold(0, |at, (&i, &n)| at * n + if n == 1 { 0 } else { i })
}

fn first_max(x: &Tensor, axes: Axes) -> Tensor {
    let sizes: Vec<usize> =
        x.sizes.iter().enumerate().map(|(axis, &n)| if axes.contains(axis) { 1 } else { n }).collect();
    let max = fold(x, &sizes, f64::NEG_INFINITY, |max, x| if x > max { x } else { max });
    let mut taken = vec![false; max.values.len()];
    Tensor::from_fn(&x.sizes, |index| {
        let slot = offset(index, &sizes);
        let first = x.at(index) == max.values[slot] && !taken[slot];
        taken[slot] |= first;
        f64::from(u8::from(first))
    })
}
