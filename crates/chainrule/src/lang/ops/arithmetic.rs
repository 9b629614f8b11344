//! Sums, element-wise products and constant powers. Differences, negatives, quotients and roots are these three:
//! `a - b` is `a + (-1).*b`, `a ./ b` is `a .* b.^-1`, `sqrt(x)` is `x.^0.5`; printers and kernels write them as usual.

use crate::lang::dim::Dims;
use crate::lang::graph::{Graph, Id};
use crate::lang::op::{Class, Derivative, OpDef, Written, exactly};
use crate::lang::shape::{Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// The sum of two or more tensors of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Add;

/// The element-wise product of two or more tensors of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mul;

/// `x.^p` with a number `p`, kept as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Power(u64);

impl Power {
    /// The power with this exponent.
    #[must_use]
    pub fn new(exponent: f64) -> Power {
        Power(exponent.to_bits())
    }

    /// The exponent.
    #[must_use]
    pub fn exponent(self) -> f64 {
        f64::from_bits(self.0)
    }
}

fn same_shape(dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
    let first = *args.first().expect("a sum or product has arguments");
    for other in &args[1..] {
        first.unify(other, dims, "the shapes")?;
    }
    Ok(first.resolved(dims))
}

impl OpDef for Add {
    fn name(&self) -> &'static str {
        "add"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        same_shape(dims, args)
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Additive
    }
    fn class(&self) -> Class {
        Class::Map
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        Tensor::from_fn(sizes, |index| args[1..].iter().fold(args[0].at(index), |sum, arg| sum + arg.at(index)))
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        same_shape(dims, args)
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Linear(|graph, node, arg, y_bar| {
            let mut factors = graph.node(node).args.to_vec();
            factors[arg] = y_bar;
            graph.mul(&factors)
        })
    }
    fn class(&self) -> Class {
        Class::Map
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        Tensor::from_fn(sizes, |index| args[1..].iter().fold(args[0].at(index), |product, arg| product * arg.at(index)))
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

impl OpDef for Power {
    fn name(&self) -> &'static str {
        "power"
    }
    fn written(&self) -> Written {
        Written::Operator
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        Ok(x)
    }
    fn derivative(&self, _: usize) -> Derivative {
        Derivative::Rule(power_rule)
    }
    fn class(&self) -> Class {
        Class::Map
    }
    fn evaluate(&self, args: &[&Tensor], _: &[usize]) -> Tensor {
        let p = self.exponent();
        args[0].map(|x| power(x, p))
    }
    fn branches(&self, _: &[&Tensor]) -> Vec<i8> {
        Vec::new()
    }
}

/// d(x.^p) = p*x.^(p-1).*dx.
fn power_rule(graph: &mut Graph, node: Id, _: usize, dx: Id) -> Id {
    let (op, x) = (graph.node(node).op, graph.node(node).args[0]);
    let crate::lang::Op::Power(power) = op else { unreachable!("called for its own node") };
    let p = power.exponent();
    let lowered = graph.power(x, p - 1.0);
    let slope = graph.times(lowered, p);
    graph.mul(&[slope, dx])
}

/// The reference value of a constant power; the common ones are exact operations.
#[must_use]
pub fn power(x: f64, p: f64) -> f64 {
    match p {
        1.0 => x,
        2.0 => x * x,
        0.5 => x.sqrt(),
        -0.5 => 1.0 / x.sqrt(),
        -1.0 => 1.0 / x,
        -2.0 => 1.0 / (x * x),
        3.0 => x * x * x,
        _ => libm::pow(x, p),
    }
}
