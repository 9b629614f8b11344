//! Element-wise functions: one row each. Adding one is a row here and a word in the enum.

use kernels::map::MapOp;

use crate::lang::dim::Dims;
use crate::lang::graph::{Graph, Id};
use crate::lang::op::{Class, Derivative, OpDef, Written, exactly};
use crate::lang::shape::{Shape, ShapeError};
use crate::lang::tensor::Tensor;

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the rows of the table document them")]
pub enum Unary {
    Exp,
    Log,
    Log1p,
    Expm1,
    Sin,
    Cos,
    Atan,
    Tanh,
    Sigmoid,
    Softplus,
    Relu,
    Step,
    Abs,
    Sign,
    Erf,
    Floor,
}

/// The derivative of a function of one number.
#[derive(Clone, Copy)]
pub enum Slope {
    /// As an expression of the argument `x` and the result `y`.
    Of(fn(&mut Graph, x: Id, y: Id) -> Id),
    /// Zero wherever it exists.
    Flat,
}

/// A row of the table.
pub struct UnaryRow {
    /// Which function.
    pub op: Unary,
    /// Text form.
    pub name: &'static str,
    /// LaTeX command.
    pub tex: &'static str,
    /// Reference value.
    pub value: fn(f64) -> f64,
    /// Derivative.
    pub slope: Slope,
    /// Is there a kink or a jump at 0?
    pub kink: bool,
    /// Kernel.
    pub kernel: MapOp,
}

use Slope::{Flat, Of};

/// All functions of one number, in the order of the enum. Conventions: relu'(0) = 0, |x|'(0) = 0, step(0) = 0.
#[rustfmt::skip]
pub static UNARY: &[UnaryRow] = &[
    UnaryRow { op: Unary::Exp, name: "exp", tex: r"\exp", value: libm::exp, slope: Of(|_, _, y| y), kink: false, kernel: MapOp::Exp },
    UnaryRow { op: Unary::Log, name: "log", tex: r"\log", value: libm::log, slope: Of(|g, x, _| g.power(x, -1.0)), kink: false, kernel: MapOp::Log },
    UnaryRow { op: Unary::Log1p, name: "log1p", tex: r"\operatorname{log1p}", value: libm::log1p, slope: Of(|g, x, _| { let s = g.plus(x, 1.0); g.power(s, -1.0) }), kink: false, kernel: MapOp::Log1p },
    UnaryRow { op: Unary::Expm1, name: "expm1", tex: r"\operatorname{expm1}", value: libm::expm1, slope: Of(|g, _, y| g.plus(y, 1.0)), kink: false, kernel: MapOp::Expm1 },
    UnaryRow { op: Unary::Sin, name: "sin", tex: r"\sin", value: libm::sin, slope: Of(|g, x, _| g.unary(Unary::Cos, x)), kink: false, kernel: MapOp::Sin },
    UnaryRow { op: Unary::Cos, name: "cos", tex: r"\cos", value: libm::cos, slope: Of(|g, x, _| { let s = g.unary(Unary::Sin, x); g.times(s, -1.0) }), kink: false, kernel: MapOp::Cos },
    UnaryRow { op: Unary::Atan, name: "atan", tex: r"\arctan", value: libm::atan, slope: Of(|g, x, _| { let q = g.power(x, 2.0); let s = g.plus(q, 1.0); g.power(s, -1.0) }), kink: false, kernel: MapOp::Atan },
    UnaryRow { op: Unary::Tanh, name: "tanh", tex: r"\tanh", value: libm::tanh, slope: Of(|g, _, y| { let q = g.power(y, 2.0); g.one_minus(q) }), kink: false, kernel: MapOp::Tanh },
    UnaryRow { op: Unary::Sigmoid, name: "sigmoid", tex: r"\sigma", value: |x| if x < 0.0 { let e = libm::exp(x); e / (1.0 + e) } else { 1.0 / (1.0 + libm::exp(-x)) }, slope: Of(|g, _, y| { let c = g.one_minus(y); g.mul(&[y, c]) }), kink: false, kernel: MapOp::Sigmoid },
    UnaryRow { op: Unary::Softplus, name: "softplus", tex: r"\operatorname{softplus}", value: |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())), slope: Of(|g, x, _| g.unary(Unary::Sigmoid, x)), kink: false, kernel: MapOp::Softplus },
    UnaryRow { op: Unary::Relu, name: "relu", tex: r"\operatorname{relu}", value: |x| if x > 0.0 || x.is_nan() { x } else { 0.0 }, slope: Of(|g, x, _| g.unary(Unary::Step, x)), kink: true, kernel: MapOp::Relu },
    UnaryRow { op: Unary::Step, name: "step", tex: r"\operatorname{step}", value: |x| f64::from(u8::from(x > 0.0)), slope: Flat, kink: true, kernel: MapOp::Step },
    UnaryRow { op: Unary::Abs, name: "abs", tex: r"\operatorname{abs}", value: f64::abs, slope: Of(|g, x, _| g.unary(Unary::Sign, x)), kink: true, kernel: MapOp::Abs },
    UnaryRow { op: Unary::Sign, name: "sign", tex: r"\operatorname{sign}", value: |x| if x == 0.0 { 0.0 } else { x.signum() }, slope: Flat, kink: true, kernel: MapOp::Sign },
    UnaryRow { op: Unary::Erf, name: "erf", tex: r"\operatorname{erf}", value: libm::erf, slope: Of(|g, x, _| { let q = g.power(x, 2.0); let n = g.times(q, -1.0); let e = g.unary(Unary::Exp, n); g.times(e, std::f64::consts::FRAC_2_SQRT_PI) }), kink: false, kernel: MapOp::Erf },
    UnaryRow { op: Unary::Floor, name: "floor", tex: r"\operatorname{floor}", value: f64::floor, slope: Flat, kink: true, kernel: MapOp::Floor },
];

impl Unary {
    /// The row of this function.
    #[must_use]
    pub fn row(self) -> &'static UnaryRow {
        &UNARY[self as usize]
    }
}

impl OpDef for Unary {
    fn name(&self) -> &'static str {
        self.row().name
    }
    fn written(&self) -> Written {
        Written::Function { tex: self.row().tex }
    }
    fn shape(&self, _: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x] = exactly(args);
        Ok(x)
    }
    fn derivative(&self, _: usize) -> Derivative {
        match self.row().slope {
            Flat => Derivative::Flat,
            Of(_) => Derivative::Rule(|graph, y, _, dx| {
                let (op, x) = (graph.node(y).op, graph.node(y).args[0]);
                let crate::lang::Op::Unary(unary) = op else { unreachable!("called for its own node") };
                let Of(slope) = unary.row().slope else { unreachable!("flat functions have no rule") };
                let slope = slope(graph, x, y);
                graph.mul(&[slope, dx])
            }),
        }
    }
    fn class(&self) -> Class {
        Class::Map
    }
    fn evaluate(&self, args: &[&Tensor], _: &[usize]) -> Tensor {
        args[0].map(self.row().value)
    }
    fn branches(&self, args: &[&Tensor]) -> Vec<i8> {
        match self {
            // Each integer is a jump; neighbours differ in the last bit.
            Unary::Floor => args[0].values.iter().map(|&x| (x.floor() as i64 & 0x7f) as i8).collect(),
            _ if self.row().kink => args[0].values.iter().map(|&x| sign_of(x)).collect(),
            _ => Vec::new(),
        }
    }
}

fn sign_of(x: f64) -> i8 {
    i8::from(x > 0.0) - i8::from(x < 0.0)
}

/// Functions of two numbers; both arguments have the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `x.^y` with a variable exponent.
    Pow,
    /// The larger; a tie goes to the first.
    Max,
    /// The smaller; a tie goes to the first.
    Min,
}

impl OpDef for Binary {
    fn name(&self) -> &'static str {
        match self {
            Binary::Pow => "pow",
            Binary::Max => "max",
            Binary::Min => "min",
        }
    }
    fn written(&self) -> Written {
        match self {
            Binary::Pow => Written::Operator,
            Binary::Max => Written::Function { tex: r"\max" },
            Binary::Min => Written::Function { tex: r"\min" },
        }
    }
    fn shape(&self, dims: &mut Dims, args: &[Shape]) -> Result<Shape, ShapeError> {
        let [x, y] = exactly(args);
        x.unify(&y, dims, "the shapes")?;
        Ok(x.resolved(dims))
    }
    fn derivative(&self, _: usize) -> Derivative {
        match self {
            Binary::Pow => Derivative::Rule(power_differential),
            Binary::Max => Derivative::Rule(|g, y, arg, dx| extremum_differential(g, y, arg, dx, false)),
            Binary::Min => Derivative::Rule(|g, y, arg, dx| extremum_differential(g, y, arg, dx, true)),
        }
    }
    fn class(&self) -> Class {
        Class::Map
    }
    fn evaluate(&self, args: &[&Tensor], sizes: &[usize]) -> Tensor {
        let f: fn(f64, f64) -> f64 = match self {
            Binary::Pow => libm::pow,
            Binary::Max => |a, b| if b > a { b } else { a },
            Binary::Min => |a, b| if b < a { b } else { a },
        };
        Tensor::from_fn(sizes, |index| f(args[0].at(index), args[1].at(index)))
    }
    fn branches(&self, args: &[&Tensor]) -> Vec<i8> {
        match self {
            Binary::Pow => Vec::new(),
            Binary::Max | Binary::Min => {
                args[0].values.iter().zip(&args[1].values).map(|(a, b)| sign_of(a - b)).collect()
            }
        }
    }
}

/// d(x.^y) = y.*x.^(y-1).*dx + x.^y.*log(x).*dy.
fn power_differential(graph: &mut Graph, node: Id, arg: usize, dx: Id) -> Id {
    let (x, y) = (graph.node(node).args[0], graph.node(node).args[1]);
    if arg == 0 {
        let exponent = graph.plus(y, -1.0);
        let power = graph.binary(Binary::Pow, x, exponent);
        graph.mul(&[y, power, dx])
    } else {
        let log = graph.unary(Unary::Log, x);
        graph.mul(&[node, log, dx])
    }
}

/// The differential flows to the argument that is chosen: d max(a, b) = da + step(b - a).*(db - da).
fn extremum_differential(graph: &mut Graph, node: Id, arg: usize, dx: Id, smaller: bool) -> Id {
    let (a, b) = (graph.node(node).args[0], graph.node(node).args[1]);
    let difference = if smaller { graph.sub(a, b) } else { graph.sub(b, a) };
    let second = graph.unary(Unary::Step, difference);
    let chosen = if arg == 0 { graph.one_minus(second) } else { second };
    graph.mul(&[chosen, dx])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, row) in UNARY.iter().enumerate() {
            assert_eq!(row.op as usize, index, "{}", row.name);
        }
    }
}
