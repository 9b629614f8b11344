//! Derivatives example by example: the sum over the examples is taken out of a gradient.
//!
//! The gradient of a parameter is a sum over the examples of a batch, and the last operations of the backward pass are
//! what sums: a product `X'*D` contracts the axis of the examples, a `colsum(D)` folds it. [`Examples::unsum`] keeps
//! that axis instead, so that one backward pass for the whole batch gives the rows of the Jacobian. It asks first which
//! axis of each node counts examples ([`Along`]); what mixes examples has no such rows and is refused.

use rustc_hash::FxHashMap;

use crate::lang::ops::contract::{Contract, Labels};
use crate::lang::ops::reduce::Sum;
use crate::lang::ops::view::{Broadcast, Permute};
use crate::lang::shape::MAX_RANK;
use crate::lang::{Class, Dim, Graph, Id, Op, Shape};

/// How a node depends on the examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// Not at all.
    Nothing,
    /// Each position of this axis depends on its own example alone.
    Axis(usize),
    /// In another way, such as a sum over the examples.
    Mixed,
}

/// Which axis counts examples, for each node asked about.
pub struct Examples {
    along: FxHashMap<Id, Along>,
    /// The number of examples.
    count: Dim,
}

impl Examples {
    /// `leaves` are the variables that have an example in each row; `count` is the number of their rows.
    #[must_use]
    pub fn new(leaves: &[Id], count: Dim) -> Examples {
        Examples { along: leaves.iter().map(|&id| (id, Along::Axis(0))).collect(), count }
    }

    /// How a node depends on the examples.
    pub fn along(&mut self, graph: &Graph, root: Id) -> Along {
        if !self.along.contains_key(&root) {
            for id in graph.reachable(&[root]) {
                if !self.along.contains_key(&id) {
                    let found = self.of_node(graph, id);
                    self.along.insert(id, found);
                }
            }
        }
        self.along[&root]
    }

    fn of_node(&self, graph: &Graph, id: Id) -> Along {
        let args: Vec<Along> = graph.args(id).iter().map(|arg| self.along[arg]).collect();
        if args.contains(&Along::Mixed) {
            return Along::Mixed;
        }
        let axes: Vec<Option<usize>> =
            args.iter().map(|a| if let Along::Axis(axis) = a { Some(*axis) } else { None }).collect();
        if axes.iter().all(Option::is_none) {
            return Along::Nothing;
        }
        let kept = match graph.op(id) {
            Op::Contract(spec) => kept_label(&spec, &axes),
            Op::Permute(permute) => permute.order().iter().position(|&from| Some(usize::from(from)) == axes[0]),
            Op::Reshape(_) => {
                let (from, to) = (graph.shape(graph.args(id)[0]), graph.shape(id));
                let first = |shape: Shape| shape.dims().first().map(|&dim| graph.dims.resolve(dim));
                (axes[0] == Some(0) && first(from) == first(to)).then_some(0)
            }
            Op::Sum(Sum(folded)) => axes[0].filter(|&axis| !folded.contains(axis)),
            Op::Max(max) => axes[0].filter(|&axis| !max.0.contains(axis)),
            Op::FirstMax(max) => axes[0].filter(|&axis| !max.0.contains(axis)),
            Op::Broadcast(_) => axes[0],
            op if op.def().class() == Class::Rowwise => axes[0].filter(|&axis| axis + 1 < graph.shape(id).rank()),
            op if op.def().class() == Class::Map => {
                let mut found = axes.iter().flatten();
                let first = found.next().copied();
                first.filter(|first| found.all(|axis| axis == first))
            }
            _ => None,
        };
        kept.map_or(Along::Mixed, Along::Axis)
    }

    /// The terms of a sum over the examples: a node with the shape of `sum` behind an axis of examples, whose sum over
    /// that axis is `sum`. `None` when the examples are not summed at its end.
    pub fn unsum(&mut self, graph: &mut Graph, sum: Id) -> Option<Id> {
        if self.along(graph, sum) == Along::Nothing {
            return Some(self.share(graph, sum));
        }
        let mut parts: FxHashMap<Id, Option<Id>> = FxHashMap::default();
        // Only what is mixed holds the sum; arguments have smaller ids than their users.
        let order: Vec<Id> = graph.reachable(&[sum]).into_iter().filter(|id| self.along[id] == Along::Mixed).collect();
        for id in order {
            let part = self.unsum_node(graph, id, &parts);
            parts.insert(id, part);
        }
        parts.get(&sum).copied().flatten()
    }

    /// What each example adds to a sum that does not depend on what they are: all the same.
    fn share(&self, graph: &mut Graph, sum: Id) -> Id {
        let count = graph.dims.resolve(self.count);
        let size = graph.size(count);
        let one = graph.power(size, -1.0);
        let share = graph.mul(&[one, sum]);
        stretched(graph, share, count)
    }

    fn unsum_node(&self, graph: &mut Graph, id: Id, parts: &FxHashMap<Id, Option<Id>>) -> Option<Id> {
        let args = graph.args(id).to_vec();
        let shape = graph.shape(id);
        if shape.rank() + 1 > MAX_RANK {
            return None;
        }
        let known: Vec<Option<Id>> = args.iter().map(|arg| parts.get(arg).copied().flatten()).collect();
        let behind = lifted(shape, graph.dims.resolve(self.count));
        match graph.op(id) {
            Op::Sum(Sum(folded)) => match self.axis(args[0]) {
                Some(axis) => Some(unfolded(graph, (args[0], axis), folded, behind)),
                None => {
                    let moved = folded.iter().map(|a| a + 1).filter(|&a| a <= shape.rank()).collect();
                    Some(graph.sum(known[0]?, moved))
                }
            },
            Op::Contract(spec) => self.unsum_contraction(graph, spec, &args, &known),
            Op::Add(_) => {
                let mut terms = Vec::with_capacity(args.len());
                for (&arg, &part) in args.iter().zip(&known) {
                    terms.push(match part {
                        Some(part) => part,
                        None if self.along[&arg] == Along::Nothing => self.share(graph, arg),
                        None => return None,
                    });
                }
                Some(graph.add(&terms))
            }
            Op::Mul(_) => self.unsum_product(graph, &args, &known),
            Op::Permute(permute) => {
                let order: Vec<u8> = std::iter::once(0).chain(permute.order().iter().map(|&a| a + 1)).collect();
                Some(graph.build(Op::Permute(Permute::new(&order)), &[known[0]?]))
            }
            Op::Reshape(_) => Some(graph.reshape(known[0]?, behind)),
            Op::Broadcast(_) => Some(graph.build(Op::Broadcast(Broadcast(behind)), &[known[0]?])),
            _ => None,
        }
    }

    fn axis(&self, id: Id) -> Option<usize> {
        if let Along::Axis(axis) = self.along[&id] { Some(axis) } else { None }
    }

    /// The axis of the examples is summed here and is kept, or was summed in one operand and goes through.
    fn unsum_contraction(&self, graph: &mut Graph, spec: Contract, args: &[Id], known: &[Option<Id>]) -> Option<Id> {
        let of = |side: usize, labels: &Labels| self.axis(args[side]).map(|axis| labels.list()[axis]);
        let constant = |side: usize| self.along[&args[side]] == Along::Nothing;
        match (known[0], known[1]) {
            (None, None) => {
                let (a, b) = (of(0, &spec.a), of(1, &spec.b));
                let label = a.or(b)?;
                let same = [a, b].into_iter().flatten().all(|l| l == label);
                (same && !spec.out.list().contains(&label)).then(|| {
                    let kept = Contract { out: with_label(&spec.out, label), ..spec };
                    graph.contract(kept, args[0], args[1])
                })
            }
            (Some(a), None) if constant(1) => {
                let new = fresh(&spec);
                let kept = Contract { a: with_label(&spec.a, new), out: with_label(&spec.out, new), ..spec };
                Some(graph.contract(kept, a, args[1]))
            }
            (None, Some(b)) if constant(0) => {
                let new = fresh(&spec);
                let kept = Contract { b: with_label(&spec.b, new), out: with_label(&spec.out, new), ..spec };
                Some(graph.contract(kept, args[0], b))
            }
            _ => None,
        }
    }

    /// One factor is a sum over the examples, the others are the same for all.
    fn unsum_product(&self, graph: &mut Graph, args: &[Id], known: &[Option<Id>]) -> Option<Id> {
        let count = graph.dims.resolve(self.count);
        let mut factors = Vec::with_capacity(args.len());
        for (&arg, &part) in args.iter().zip(known) {
            factors.push(match part {
                Some(part) => part,
                None if self.along[&arg] == Along::Nothing => stretched(graph, arg, count),
                None => return None,
            });
        }
        (known.iter().flatten().count() == 1).then(|| graph.mul(&factors))
    }
}

/// The terms of a sum over axes of which one counts examples: that one stays, in front.
fn unfolded(graph: &mut Graph, (x, axis): (Id, usize), folded: crate::lang::Axes, behind: Shape) -> Id {
    let rank = graph.shape(x).rank();
    let others = folded.iter().filter(|&a| a != axis && a < rank).collect();
    let kept = graph.sum(x, others);
    let order = std::iter::once(axis).chain((0..rank).filter(|&a| a != axis)).map(|a| a as u8);
    let first = graph.build(Op::Permute(Permute::new(&order.collect::<Vec<u8>>())), &[kept]);
    graph.reshape(first, behind)
}

/// Where the examples are in the result of a contraction, if no examples are summed or mixed.
fn kept_label(spec: &Contract, axes: &[Option<usize>]) -> Option<usize> {
    let label = |side: usize, labels: &Labels| axes[side].map(|axis| labels.list()[axis]);
    let (a, b) = (label(0, &spec.a), label(1, &spec.b));
    let label = match (a, b) {
        (Some(a), Some(b)) if a != b => return None,
        (a, b) => a.or(b)?,
    };
    spec.out.list().iter().position(|&l| l == label)
}

fn with_label(labels: &Labels, label: u8) -> Labels {
    let list: Vec<u8> = std::iter::once(label).chain(labels.list().iter().copied()).collect();
    Labels::new(&list)
}

/// A label that the contraction does not use.
fn fresh(spec: &Contract) -> u8 {
    (0..)
        .find(|l| ![&spec.a, &spec.b, &spec.out].iter().any(|labels| labels.list().contains(l)))
        .expect("labels are few")
}

/// The shape behind an axis of examples.
fn lifted(shape: Shape, count: Dim) -> Shape {
    let dims: Vec<Dim> = std::iter::once(count).chain(shape.dims().iter().copied()).collect();
    Shape::new(&dims)
}

/// The same for each example.
fn stretched(graph: &mut Graph, id: Id, count: Dim) -> Id {
    let shape = graph.shape(id);
    let one = graph.reshape(id, lifted(shape, Dim::Known(1)));
    graph.build(Op::Broadcast(Broadcast(lifted(shape, count))), &[one])
}
