//! Terms of a differential: how they are written, and how `dX` moves free.

use super::rules::{self, StepRule, of_move};
use super::{Engine, Pair};
use crate::calculus::differentiate::adjoint;
use crate::lang::{Axes, Graph, Id, Op};

impl Engine<'_> {
    /// `<g, t>` as people write it: a product of scalars, `sum(t)`, `tr(t)`, `g'*t`, or `tr(g'*t)`.
    pub(super) fn inner(&mut self, pair: Pair) -> Id {
        let (scalars, g) = self.scalars(pair.cotangent);
        let product = self.product(g, pair.term);
        if scalars.is_empty() { product } else { self.graph.mul(&[scalars, vec![product]].concat()) }
    }

    /// The scalar factors of a cotangent, and the rest.
    fn scalars(&mut self, g: Id) -> (Vec<Id>, Id) {
        let Op::Mul(_) = self.graph.op(g) else { return (Vec::new(), g) };
        let source = |graph: &Graph, f: Id| match graph.op(f) {
            Op::Broadcast(_) => Some(graph.args(f)[0]).filter(|&s| graph.shape(s).is_scalar()),
            _ => None,
        };
        let args = self.graph.args(g).to_vec();
        let (scalars, rest): (Vec<Id>, Vec<Id>) = args.iter().partition(|&&f| source(self.graph, f).is_some());
        if scalars.is_empty() || rest.is_empty() {
            return (Vec::new(), g);
        }
        let scalars = scalars.iter().filter_map(|&f| source(self.graph, f)).collect();
        (scalars, self.graph.mul(&rest))
    }

    fn product(&mut self, g: Id, t: Id) -> Id {
        let shape = self.graph.shape(t);
        if shape.rank() != 2 {
            let product = self.graph.mul(&[g, t]);
            return self.graph.sum_all(product);
        }
        if shape.is_scalar() {
            return self.graph.mul(&[g, t]);
        }
        if let Op::Broadcast(_) = self.graph.op(g)
            && self.graph.shape(self.graph.args(g)[0]).is_scalar()
        {
            let (scale, sum) = (self.graph.args(g)[0], self.graph.sum_all(t));
            return self.graph.mul(&[scale, sum]);
        }
        let one = crate::lang::Dim::Known(1);
        if shape.rows() == one {
            let turned = self.graph.transpose(g);
            return self.graph.matmul(t, turned);
        }
        let turned = self.graph.transpose(g);
        let product = self.graph.matmul(turned, t);
        if shape.cols() == one {
            return product;
        }
        let diagonal = self.graph.build(Op::Diagonal(crate::lang::ops::diagonal::Diagonal), &[product]);
        self.graph.sum(diagonal, Axes::all(2))
    }

    /// Moves that need no line: sums split, scalars leave, sums of everything become ones.
    pub(super) fn silent(&mut self, pairs: Vec<Pair>, used: &mut Vec<&'static StepRule>) -> Vec<Pair> {
        let mut done = Vec::new();
        let mut open: Vec<Pair> = pairs.into_iter().rev().collect();
        while let Some(pair) = open.pop() {
            if self.free.contains(&pair.term) {
                done.push(pair);
                continue;
            }
            // A differential that has become zero, such as that of a shift before a mean is taken away.
            if !self.depends(pair.term) {
                continue;
            }
            match self.graph.op(pair.term) {
                Op::Add(_) => {
                    let args = self.linear_args(pair.term);
                    if args.len() > 1 && !used.contains(&&rules::DISTRIBUTION) {
                        used.push(&rules::DISTRIBUTION);
                    }
                    for (_, arg) in args.into_iter().rev() {
                        open.push(Pair { cotangent: pair.cotangent, term: arg });
                    }
                }
                Op::Mul(_) if self.is_scaling(pair.term) => open.push(self.step(pair)),
                Op::Sum(_) if self.graph.shape(pair.term).is_scalar() => open.push(self.step(pair)),
                // A trace is a sum: <1, tr(a)> = <eye, a>.
                Op::Diagonal(_) if self.graph.constant_value(pair.cotangent).is_some() => open.push(self.step(pair)),
                Op::Sum(_) | Op::Broadcast(_) => {
                    if !used.contains(&&rules::STRETCH) {
                        used.push(&rules::STRETCH);
                    }
                    open.push(self.step(pair));
                }
                _ => done.push(pair),
            }
        }
        done
    }

    /// Is every other factor a stretched scalar?
    pub(super) fn is_scaling(&mut self, id: Id) -> bool {
        if self.graph.shape(id).is_scalar() {
            return true;
        }
        let linear = self.linear_args(id)[0].0;
        let stretched = |f: Id| match self.graph.op(f) {
            Op::Broadcast(_) => self.graph.shape(self.graph.args(f)[0]).is_scalar(),
            _ => false,
        };
        let mut others = self.graph.args(id).iter().enumerate().filter(|(at, _)| *at != linear);
        others.all(|(_, &f)| stretched(f))
    }

    pub(super) fn linear_args(&mut self, id: Id) -> Vec<(usize, Id)> {
        let args: Vec<(usize, Id)> = self.graph.args(id).iter().copied().enumerate().collect();
        args.into_iter().filter(|(_, arg)| self.depends(*arg)).collect()
    }

    pub(super) fn depends(&mut self, id: Id) -> bool {
        let mut stack = vec![id];
        while let Some(&top) = stack.last() {
            if self.contains.contains_key(&top) {
                stack.pop();
                continue;
            }
            let args = self.graph.args(top);
            let unknown: Vec<Id> = args.iter().copied().filter(|arg| !self.contains.contains_key(arg)).collect();
            if unknown.is_empty() {
                let found = self.free.contains(&top) || args.iter().any(|arg| self.contains[arg]);
                self.contains.insert(top, found);
            }
            stack.extend(unknown);
        }
        self.contains[&id]
    }

    /// One adjoint.
    pub(super) fn step(&mut self, pair: Pair) -> Pair {
        let (at, arg) = self.linear_args(pair.term)[0];
        let term = pair.term;
        let shape = self.graph.shape(term);
        let y_bar = self.graph.broadcast(pair.cotangent, shape);
        Pair { cotangent: adjoint(self.graph, term, at, y_bar), term: arg }
    }

    pub(super) fn next_rule(&self, pair: Pair) -> Option<&'static StepRule> {
        (!self.free.contains(&pair.term)).then(|| of_move(self.graph.op(pair.term)))
    }

    /// Moves one term as far as one rule goes; a transpose at the end is undone in the same line.
    pub(super) fn moved(
        &mut self,
        pair: Pair,
        rule: &'static StepRule,
        used: &mut Vec<&'static StepRule>,
    ) -> Vec<Pair> {
        let mut done = Vec::new();
        let mut open = vec![(pair, false)];
        while let Some((pair, began)) = open.pop() {
            let next = self.next_rule(pair).filter(|next| **next == *rule || began && **next == rules::TRANSPOSE);
            let Some(next) = next else {
                done.push(pair);
                continue;
            };
            if !used.contains(&next) {
                used.push(next);
            }
            let stepped = self.step(pair);
            let split = self.silent(vec![stepped], used);
            open.extend(split.into_iter().rev().map(|pair| (pair, true)));
        }
        done
    }
}
