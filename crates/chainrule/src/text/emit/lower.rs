//! From the graph to the forms of a program: the one place that knows how the graph spells differences and quotients.

mod chains;
mod products;
mod systems;

use rustc_hash::{FxHashMap, FxHashSet};

use super::form::{Arena, Form, Ref};
use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::Unary;
use crate::lang::ops::view::Permute;
use crate::lang::{Axes, Graph, Id, Op, Shape};
use chains::Chains;

/// What kind of program the forms are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    /// Keep the factorisation of a matrix as a value of its own.
    pub(super) factors: bool,
    /// Where softmax and log-sum-exp of the same rows are needed, work out the exponentials once.
    pub(super) shares_exponentials: bool,
}

/// The forms of a graph.
pub(super) struct Lowered {
    pub(super) arena: Arena,
    /// The outputs, in order.
    pub(super) outputs: Vec<Ref>,
}

/// The forms of what `outputs` need.
pub(super) fn lower(graph: &Graph, outputs: &[Id], manner: Manner) -> Lowered {
    let list = graph.reachable(outputs);
    let mut lowering = Lowering {
        graph,
        manner,
        arena: Arena::default(),
        refs: FxHashMap::default(),
        chains: Chains::new(graph, &list),
        rows: rows_needed_twice(graph, &list),
    };
    for &id in &list {
        let at = lowering.node(id);
        if let Some(name) = graph.name(id) {
            lowering.arena.set_name(at, name);
        }
        lowering.refs.insert(id, at);
    }
    let outputs: Vec<Ref> = outputs.iter().map(|id| lowering.refs[id]).collect();
    systems::solve(&mut lowering.arena, &outputs, factor_of(manner));
    Lowered { arena: lowering.arena, outputs }
}

/// The arguments of which both the softmax and the log-sum-exp are needed.
fn rows_needed_twice(graph: &Graph, list: &[Id]) -> FxHashSet<Id> {
    let softmax = list.iter().filter(|&&id| matches!(graph.op(id), Op::Softmax(_))).map(|&id| graph.args(id)[0]);
    let softmax: FxHashSet<Id> = softmax.collect();
    let lse = list.iter().filter(|&&id| matches!(graph.op(id), Op::LogSumExp(_))).map(|&id| graph.args(id)[0]);
    lse.filter(|x| softmax.contains(x)).collect()
}

struct Lowering<'a> {
    graph: &'a Graph,
    manner: Manner,
    arena: Arena,
    refs: FxHashMap<Id, Ref>,
    chains: Chains,
    rows: FxHashSet<Id>,
}

impl Lowering<'_> {
    /// The form of a node; its arguments have theirs. A new operation is one arm here and one in each target.
    fn node(&mut self, id: Id) -> Ref {
        let shape = self.graph.shape(id).resolved(&self.graph.dims);
        let args: Vec<Ref> = self.graph.args(id).iter().map(|arg| self.refs[arg]).collect();
        match self.graph.op(id) {
            Op::Variable(variable) => match self.graph.variables[variable.number as usize].value {
                Some(value) => self.arena.push(Form::Named(variable.number, value.to_bits()), &[], Shape::SCALAR),
                None => self.arena.push(Form::Argument(variable.number), &[], shape),
            },
            Op::Constant(constant) => self.arena.number(constant.value()),
            Op::Size(size) => match self.graph.dims.value(size.0) {
                Some(n) => self.arena.number(n as f64),
                None => self.arena.push(Form::Size(self.graph.dims.resolve(size.0)), &[], Shape::SCALAR),
            },
            Op::Eye(_) if shape.is_scalar() => self.arena.number(1.0),
            Op::Eye(eye) => self.arena.push(Form::Eye(self.graph.dims.resolve(eye.0)), &[], shape),
            Op::Unary(unary) => self.arena.push(Form::Unary(unary), &args, shape),
            Op::Binary(binary) => {
                let args = self.implied(&args, shape);
                self.arena.push(Form::Binary(binary), &args, shape)
            }
            Op::Add(_) => self.terms(&args, shape),
            Op::Mul(_) => self.product(&args, shape),
            Op::Power(power) => self.power(args[0], power.exponent()),
            Op::Contract(contract) => self.contraction(id, contract, &args, shape),
            Op::Sum(sum) => self.sum(sum.0, args[0], shape),
            Op::Max(max) => self.unless_scalar(Form::Max(max.0), args[0], shape),
            Op::FirstMax(max) => self.constant_of_scalar(Form::FirstMax(max.0), args[0], shape),
            Op::Softmax(_) => self.softmax(id, args[0], shape),
            Op::LogSumExp(_) => self.log_sum_exp(id, args[0], shape),
            Op::Broadcast(_) if self.arena.get(args[0]).shape == shape => args[0],
            Op::Broadcast(_) => self.arena.push(Form::Broadcast, &args, shape),
            Op::Permute(permute) if permute == Permute::TRANSPOSE => self.arena.transpose(args[0]),
            Op::Permute(permute) => self.unless_scalar(Form::Permute(permute), args[0], shape),
            Op::Reshape(_) => self.reshape(id, args[0], shape),
            Op::Diagonal(_) => self.unless_scalar(Form::Diagonal, args[0], shape),
            Op::DiagonalMatrix(_) => self.unless_scalar(Form::DiagonalMatrix, args[0], shape),
            Op::Inverse(_) if shape.is_scalar() => self.power(args[0], -1.0),
            Op::Inverse(_) => {
                systems::prepare(&mut self.arena, args[0], factor_of(self.manner));
                self.of_factor(Form::Inverse, args[0], shape)
            }
            Op::Det(_) if self.arena.get(args[0]).is_scalar() => args[0],
            Op::Det(_) => self.of_factor(Form::Det, args[0], shape),
            Op::LogDet(_) if self.arena.get(args[0]).is_scalar() => {
                let magnitude = self.arena.push(Form::Unary(Unary::Abs), &args, shape);
                self.arena.push(Form::Unary(Unary::Log), &[magnitude], shape)
            }
            Op::LogDet(_) => self.of_factor(Form::LogDet, args[0], shape),
        }
    }

    /// Of a number, what only looks at elements otherwise gives the number.
    fn unless_scalar(&mut self, form: Form, x: Ref, shape: Shape) -> Ref {
        if self.arena.get(x).is_scalar() { x } else { self.arena.push(form, &[x], shape) }
    }

    /// Of a number, what marks one element gives 1.
    fn constant_of_scalar(&mut self, form: Form, x: Ref, shape: Shape) -> Ref {
        if self.arena.get(x).is_scalar() { self.arena.number(1.0) } else { self.arena.push(form, &[x], shape) }
    }

    fn of_factor(&mut self, form: Form, x: Ref, shape: Shape) -> Ref {
        let of = factor_of(self.manner)(&mut self.arena, x);
        self.arena.push(form, &[of], shape)
    }

    fn sum(&mut self, axes: Axes, x: Ref, shape: Shape) -> Ref {
        match self.arena.inside(x, &Form::Diagonal) {
            Some(matrix) if shape.is_scalar() => self.arena.push(Form::Trace, &[matrix], shape),
            _ => self.unless_scalar(Form::Sum(axes), x, shape),
        }
    }

    fn contraction(&mut self, id: Id, contract: Contract, args: &[Ref], shape: Shape) -> Ref {
        if contract != Contract::MATMUL {
            let args: Vec<Ref> = args.iter().map(|&arg| self.arena.as_matrix(arg)).collect();
            return self.arena.push(Form::Contract(contract), &args, shape);
        }
        self.chain(id)
    }

    fn reshape(&mut self, id: Id, x: Ref, shape: Shape) -> Ref {
        let outer = self.graph.args(id)[0];
        if self.graph.op(outer) == Op::Contract(Graph::KRONECKER) && self.graph.name(outer).is_none() {
            let args: Vec<Ref> = self.graph.args(outer).iter().map(|arg| self.refs[arg]).collect();
            let args: Vec<Ref> = args.into_iter().map(|arg| self.arena.as_matrix(arg)).collect();
            return self.arena.push(Form::Kron, &args, shape);
        }
        self.unless_scalar(Form::Reshape, x, shape)
    }

    fn softmax(&mut self, id: Id, x: Ref, shape: Shape) -> Ref {
        if !self.rows.contains(&self.graph.args(id)[0]) || !self.manner.shares_exponentials {
            return self.constant_of_scalar(Form::Softmax, x, shape);
        }
        if shape.is_scalar() {
            return self.arena.number(1.0);
        }
        let (_, exponentials, sums) = self.shifted_exponentials(x, shape);
        self.arena.push(Form::Product { below: 1 }, &[exponentials, sums], shape)
    }

    fn log_sum_exp(&mut self, id: Id, x: Ref, shape: Shape) -> Ref {
        if !self.rows.contains(&self.graph.args(id)[0]) || !self.manner.shares_exponentials {
            return self.unless_scalar(Form::LogSumExp, x, shape);
        }
        if self.arena.get(x).is_scalar() {
            return x;
        }
        let (largest, _, sums) = self.shifted_exponentials(x, self.arena.get(x).shape);
        let log = self.arena.push(Form::Unary(Unary::Log), &[sums], shape);
        self.arena.push(Form::Terms([false, false].into()), &[largest, log], shape)
    }

    /// The largest element of each row, the exponentials of what the others lack of it, and the sums of these: no
    /// exponential is larger than 1.
    fn shifted_exponentials(&mut self, x: Ref, shape: Shape) -> (Ref, Ref, Ref) {
        let last = Axes::one(shape.rank() - 1);
        let column = shape.reduced(last);
        let largest = self.unless_same(Form::Max(last), x, column);
        let shifted = self.arena.push(Form::Terms([false, true].into()), &[x, largest], shape);
        let exponentials = self.arena.push(Form::Unary(Unary::Exp), &[shifted], shape);
        let sums = self.unless_same(Form::Sum(last), exponentials, column);
        (largest, exponentials, sums)
    }

    /// A reduction, unless there is nothing to reduce.
    fn unless_same(&mut self, form: Form, x: Ref, shape: Shape) -> Ref {
        if self.arena.get(x).shape == shape { x } else { self.arena.push(form, &[x], shape) }
    }
}

/// What stands for a matrix in the forms that need its factorisation.
fn factor_of(manner: Manner) -> fn(&mut Arena, Ref) -> Ref {
    if manner.factors { |arena, x| arena.push(Form::Factor, &[x], arena.get(x).shape) } else { |_, x| x }
}
