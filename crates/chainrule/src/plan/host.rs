//! Scalars that depend on clocks alone (step number, epoch): the host computes them in `f64` before each run, so that
//! `1 - beta^t` keeps its digits in single precision too.

use kernels::MapOp;

use super::steps::At;
use crate::lang::Op;
use crate::lang::ops::arithmetic::power;
use crate::lang::ops::elementwise::Binary;

/// One scalar operation on slots.
#[derive(Clone, Debug, PartialEq)]
pub struct HostStep {
    /// The operation, applied from left to right for sums and products.
    pub op: HostOp,
    /// Slots of the arguments.
    pub args: Vec<usize>,
}

/// What the host can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HostOp {
    /// A number.
    Number(f64),
    /// A clock, by its place in [`HostProgram::clocks`].
    Clock(usize),
    /// A sum of the arguments.
    Add,
    /// A product of the arguments.
    Mul,
    /// A constant power.
    Power(f64),
    /// A function of one or two numbers.
    Function(MapOp),
}

/// The host's program: slot `i` is the result of step `i`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostProgram {
    /// Names of the clocks.
    pub clocks: Vec<String>,
    /// The operations.
    pub steps: Vec<HostStep>,
    /// Which slots are written to the arena, and where.
    pub outputs: Vec<(usize, At)>,
}

impl HostProgram {
    /// Adds an operation and returns its slot.
    pub fn push(&mut self, op: HostOp, args: Vec<usize>) -> usize {
        self.steps.push(HostStep { op, args });
        self.steps.len() - 1
    }

    /// The slot of a clock.
    pub fn clock(&mut self, name: &str) -> usize {
        let at = self.clocks.iter().position(|c| c == name).unwrap_or_else(|| {
            self.clocks.push(name.to_owned());
            self.clocks.len() - 1
        });
        let known = self.steps.iter().position(|s| s.op == HostOp::Clock(at));
        known.unwrap_or_else(|| self.push(HostOp::Clock(at), Vec::new()))
    }

    /// Computes all slots; `slots` has the length of `steps`.
    pub fn run(&self, clocks: &[f64], slots: &mut [f64]) {
        for (index, step) in self.steps.iter().enumerate() {
            let arg = |i: usize| slots[step.args[i]];
            slots[index] = match step.op {
                HostOp::Number(value) => value,
                HostOp::Clock(at) => clocks[at],
                HostOp::Add => step.args.iter().fold(0.0, |sum, &a| sum + slots[a]),
                HostOp::Mul => step.args.iter().fold(1.0, |product, &a| product * slots[a]),
                HostOp::Power(p) => power(arg(0), p),
                HostOp::Function(op) => {
                    let second = if step.args.len() > 1 { arg(1) } else { 0.0 };
                    op.apply(arg(0), second, 0.0)
                }
            };
        }
    }
}

/// The host's operation for an element-wise operation.
#[must_use]
pub fn operation(op: Op) -> HostOp {
    match op {
        Op::Add(_) => HostOp::Add,
        Op::Mul(_) => HostOp::Mul,
        Op::Power(p) => HostOp::Power(p.exponent()),
        Op::Unary(unary) => HostOp::Function(unary.row().kernel),
        Op::Binary(Binary::Pow) => HostOp::Function(MapOp::Pow),
        Op::Binary(Binary::Max) => HostOp::Function(MapOp::Max),
        Op::Binary(Binary::Min) => HostOp::Function(MapOp::Min),
        _ => unreachable!("only element-wise operations are host scalars"),
    }
}

/// The value of an element-wise operation on numbers.
#[must_use]
pub fn number(op: Op, args: &[f64]) -> f64 {
    let mut program = HostProgram::default();
    let slots: Vec<usize> = args.iter().map(|&a| program.push(HostOp::Number(a), Vec::new())).collect();
    program.push(operation(op), slots);
    let mut values = vec![0.0; program.steps.len()];
    program.run(&[], &mut values);
    values[values.len() - 1]
}
