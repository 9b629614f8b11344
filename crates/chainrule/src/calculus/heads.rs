//! A loss as second-order methods see it: outputs, and a convex function of each example's outputs.
//!
//! A sum of squares `c*sum(R.^2)` is half the squared length of the residuals `sqrt(2c)*R`, whose Jacobian is all that
//! Gauss-Newton needs. Any other loss is a function of outputs Z, the last node through which all parameters act and
//! above which the loss is not straight (logits, for a cross-entropy): the generalised Gauss-Newton matrix is `J'*H*J`
//! with J the Jacobian of Z and H the Hessian of the loss in Z, an K x K block for each example (Schraudolph 2002). What
//! depends on no example is a penalty, which has a gradient and a diagonal Hessian.

use rustc_hash::FxHashSet;

use super::differentiate::{gradients, linearize, transpose};
use super::examples::{Along, Examples};
use crate::lang::ops::arithmetic::Power;
use crate::lang::ops::contract::Contract;
use crate::lang::{Class, Dim, Graph, Id, Op, Role, Shape};

/// One group of outputs and what the loss is of them.
#[derive(Clone, Debug)]
pub struct Head {
    /// The outputs, N x K; for squares the residuals, scaled so that the loss is half the sum of their squares.
    pub outputs: Id,
    /// The gradient of the loss in the outputs, N x K; for squares the residuals themselves.
    pub slope: Id,
    /// Is the loss half the sum of the squares of the outputs?
    pub squares: bool,
    /// For each column k of the outputs: the cotangent that picks it, and column k of the Hessian of each example (`None`
    /// for squares, where it is the cotangent itself).
    pub columns: Vec<(Id, Option<Id>)>,
}

/// A loss in parts.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// What depends on the examples.
    pub heads: Vec<Head>,
    /// The sum of their losses, 1 x 1.
    pub data: Option<Id>,
    /// What depends on parameters alone, 1 x 1.
    pub penalty: Option<Id>,
    /// The number of all examples, 1 x 1; blocks of rows are smaller.
    pub examples: Option<Id>,
    /// Variables that stand for what depends on all examples and on no parameter, such as the sum of their weights.
    pub constants: Vec<(Id, Id)>,
    /// The rows of the identity matrix that pick columns, 1 x K, with K and k.
    pub picks: Vec<(Id, usize, usize)>,
}

/// Why a loss has no such form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// Examples are mixed, as by batch normalisation.
    Mixed(Id),
    /// Some part of the loss is not a sum over examples of a function of its outputs.
    NotSeparable(Id),
    /// The loss is straight in its outputs: it has no curvature.
    Straight(Id),
}

struct Dissection<'a> {
    graph: &'a mut Graph,
    examples: &'a mut Examples,
    /// Nodes that depend on a parameter.
    moving: FxHashSet<Id>,
    columns: &'a dyn Fn(&Graph, Dim) -> Option<usize>,
    heads: Heads,
}

/// Takes a loss apart. `leaves` have an example in each of their `count` rows; `columns` knows the extents of outputs.
///
/// # Errors
/// The loss mixes examples, or has no curvature.
pub fn dissect(
    graph: &mut Graph,
    loss: Id,
    wrt: &[Id],
    (examples, count): (&mut Examples, Dim),
    columns: &dyn Fn(&Graph, Dim) -> Option<usize>,
) -> Result<Heads, HeadError> {
    let mut heads = Heads::default();
    // In a block of rows the number of all examples stays what it is.
    let mut loss = loss;
    if matches!(graph.dims.resolve(count), Dim::Symbol(_)) {
        let size = graph.size(count);
        if graph.reachable(&[loss]).contains(&size) {
            let all = graph.variable("examples", Role::Input, Shape::SCALAR);
            loss = graph.substitute(&[loss], &[(size, all)])[0];
            heads.examples = Some(all);
        }
    }
    let (loss, constants) = fixed_totals(graph, loss, wrt, (examples, count));
    heads.constants = constants;
    let moving = moving(graph, loss, wrt);
    let mut work = Dissection { graph, examples, moving, columns, heads };
    let mut terms = Vec::new();
    work.terms(loss, &mut Vec::new(), &mut terms);
    work.sort(terms)?;
    Ok(work.heads)
}

/// Replaces totals over all examples that no parameter changes by variables: in a block of rows they stay what they are.
fn fixed_totals(
    graph: &mut Graph,
    loss: Id,
    wrt: &[Id],
    (examples, count): (&mut Examples, Dim),
) -> (Id, Vec<(Id, Id)>) {
    let moving = moving(graph, loss, wrt);
    let mut totals: Vec<Id> = Vec::new();
    for id in graph.reachable(&[loss]) {
        for &arg in graph.args(id) {
            let rows = graph.shape(arg).dims().iter().any(|&dim| graph.dims.resolve(dim) == count);
            let is_total =
                |examples: &mut Examples, id: Id| examples.along(graph, id) == Along::Mixed && !moving.contains(&id);
            let user =
                moving.contains(&id) || graph.shape(id).dims().iter().any(|&dim| graph.dims.resolve(dim) == count);
            if user && !rows && is_total(examples, arg) && !totals.contains(&arg) {
                totals.push(arg);
            }
        }
    }
    let mut pairs = Vec::new();
    for &total in &totals {
        pairs.push((graph.variable("total", Role::Input, graph.shape(total)), total));
    }
    let replaced: Vec<(Id, Id)> = pairs.iter().map(|&(variable, total)| (total, variable)).collect();
    (graph.substitute(&[loss], &replaced)[0], pairs)
}

fn moving(graph: &Graph, root: Id, wrt: &[Id]) -> FxHashSet<Id> {
    let mut moving: FxHashSet<Id> = wrt.iter().copied().collect();
    for id in graph.reachable(&[root]) {
        if graph.args(id).iter().any(|arg| moving.contains(arg)) {
            moving.insert(id);
        }
    }
    moving
}

/// A part of the loss: a product of numbers and one expression.
struct Term {
    factors: Vec<Id>,
    inner: Id,
}

impl Dissection<'_> {
    fn terms(&mut self, id: Id, factors: &mut Vec<Id>, list: &mut Vec<Term>) {
        let args = self.graph.args(id).to_vec();
        let moving: Vec<Id> = args.iter().copied().filter(|arg| self.moving.contains(arg)).collect();
        match self.graph.op(id) {
            Op::Add(_) => args.iter().for_each(|&arg| self.terms(arg, factors, list)),
            Op::Mul(_) if moving.len() == 1 && self.graph.shape(id).is_scalar() => {
                let depth = factors.len();
                factors.extend(args.iter().filter(|arg| !moving.contains(arg)));
                self.terms(moving[0], factors, list);
                factors.truncate(depth);
            }
            _ => list.push(Term { factors: factors.clone(), inner: id }),
        }
    }

    fn value(&mut self, term: &Term) -> Id {
        let factors: Vec<Id> = term.factors.iter().copied().chain([term.inner]).collect();
        self.graph.mul(&factors)
    }

    fn sort(&mut self, terms: Vec<Term>) -> Result<(), HeadError> {
        let (mut data, mut penalty, mut convex) = (Vec::new(), Vec::new(), Vec::new());
        for term in terms {
            let value = self.value(&term);
            if self.examples.along(self.graph, term.inner) == Along::Nothing {
                penalty.push(value);
                continue;
            }
            data.push(value);
            if !self.moving.contains(&term.inner) {
                continue;
            }
            match self.residual(&term) {
                Some(residual) => self.squares(residual)?,
                None => convex.push((value, self.narrow(term.inner))),
            }
        }
        self.convex(&convex)?;
        let sum = |graph: &mut Graph, list: &[Id]| if list.is_empty() { None } else { Some(graph.add(list)) };
        self.heads.data = sum(self.graph, &data);
        self.heads.penalty = sum(self.graph, &penalty);
        Ok(())
    }

    /// The residuals whose half sum of squares the term is: `c*sum(w.*R.^2)` is that of `sqrt(2*c*w).*R`.
    fn residual(&mut self, term: &Term) -> Option<Id> {
        let args = self.graph.args(term.inner).to_vec();
        let (base, mut weights) = match self.graph.op(term.inner) {
            Op::Sum(_) if self.graph.shape(term.inner).is_scalar() => self.square_root(args[0])?,
            Op::Contract(Contract::MATMUL) if self.graph.transpose(args[1]) == args[0] => (args[1], Vec::new()),
            _ => return None,
        };
        weights.extend(&term.factors);
        if weights.iter().any(|&w| self.graph.constant_value(w).is_some_and(|w| w < 0.0)) {
            return None;
        }
        weights.push(self.graph.constant(2.0));
        let shape = self.graph.shape(base);
        let weights: Vec<Id> = weights.into_iter().map(|w| self.graph.power(w, 0.5)).collect();
        let mut factors: Vec<Id> = weights.into_iter().map(|w| self.graph.broadcast(w, shape)).collect();
        factors.push(base);
        Some(self.graph.mul(&factors))
    }

    /// R and w of `w.*R.^2`.
    fn square_root(&self, id: Id) -> Option<(Id, Vec<Id>)> {
        let is_square = |id: Id| self.graph.op(id) == Op::Power(Power::new(2.0));
        if is_square(id) {
            return Some((self.graph.args(id)[0], Vec::new()));
        }
        let Op::Mul(_) = self.graph.op(id) else { return None };
        let (moving, weights): (Vec<Id>, Vec<Id>) =
            self.graph.args(id).iter().partition(|arg| self.moving.contains(arg));
        match moving[..] {
            [square] if is_square(square) => Some((self.graph.args(square)[0], weights)),
            _ => None,
        }
    }

    fn columns(&self, outputs: Id) -> Result<usize, HeadError> {
        let shape = self.graph.shape(outputs);
        if shape.rank() != 2 {
            return Err(HeadError::NotSeparable(outputs));
        }
        (self.columns)(self.graph, shape.cols()).ok_or(HeadError::NotSeparable(outputs))
    }

    fn check_rows(&mut self, id: Id) -> Result<(), HeadError> {
        match self.examples.along(self.graph, id) {
            Along::Axis(0) => Ok(()),
            _ => Err(HeadError::Mixed(id)),
        }
    }

    fn squares(&mut self, outputs: Id) -> Result<(), HeadError> {
        self.check_rows(outputs)?;
        let count = self.columns(outputs)?;
        let columns = (0..count).map(|k| (self.pick(outputs, k, count), None)).collect();
        self.heads.heads.push(Head { outputs, slope: outputs, squares: true, columns });
        Ok(())
    }

    /// A cotangent of the outputs that is 1 in column k.
    fn pick(&mut self, outputs: Id, k: usize, count: usize) -> Id {
        let shape = self.graph.shape(outputs);
        if count == 1 {
            return self.graph.filled(1.0, shape);
        }
        let known = self.heads.picks.iter().find(|p| (p.1, p.2) == (count, k)).map(|p| p.0);
        let row = known.unwrap_or_else(|| {
            let row = self.graph.variable(&format!("pick{k}"), Role::Input, Shape::matrix(Dim::Known(1), shape.cols()));
            self.heads.picks.push((row, count, k));
            row
        });
        self.graph.broadcast(row, shape)
    }

    /// The nodes through which all parameters act on `root`, from the root down: each with whether `root` is straight in
    /// it.
    fn narrow(&self, root: Id) -> Vec<(Id, bool)> {
        let mut list = Vec::new();
        let mut open: std::collections::BTreeSet<Id> = [root].into_iter().collect();
        let mut straight = true;
        // Arguments have smaller ids than their users, so that the largest open node is used by nothing that is left.
        while let Some(id) = open.pop_last() {
            if open.is_empty() {
                list.push((id, straight));
            }
            let moving: Vec<Id> = self.graph.args(id).iter().copied().filter(|arg| self.moving.contains(arg)).collect();
            if moving.is_empty() {
                break;
            }
            straight &= match self.graph.op(id) {
                Op::Mul(_) | Op::Contract(_) => moving.len() == 1,
                Op::Add(_) | Op::Sum(_) => true,
                op => op.def().class() == Class::View,
            };
            open.extend(moving);
        }
        list
    }

    /// Terms that are no squares: those that bend have outputs of their own; those that are straight in these go along.
    fn convex(&mut self, terms: &[(Id, Vec<(Id, bool)>)]) -> Result<(), HeadError> {
        let bend = |chain: &[(Id, bool)]| chain.iter().find(|(_, straight)| !straight).map(|&(id, _)| id);
        let matrix = |id: &Id| self.graph.shape(*id).rank() == 2;
        let mut outputs: Vec<Id> = Vec::new();
        for (_, chain) in terms {
            let straight_in = |z: &Id| chain.iter().any(|&(id, straight)| id == *z && straight);
            if let Some(z) = bend(chain).filter(matrix)
                && !outputs.contains(&z)
                && !outputs.iter().any(straight_in)
            {
                outputs.push(z);
            }
        }
        // A straight term before the term that bends may have found an output of its own, further down: drop it.
        let members = |z: Id| -> Vec<Id> {
            terms.iter().filter(|(_, chain)| chain.iter().any(|&(id, _)| id == z)).map(|(value, _)| *value).collect()
        };
        let mut taken: FxHashSet<Id> = FxHashSet::default();
        outputs.sort_unstable_by(|a, b| b.cmp(a));
        for z in outputs {
            let own: Vec<Id> = members(z).into_iter().filter(|&value| taken.insert(value)).collect();
            if !own.is_empty() {
                self.head(z, &own)?;
            }
        }
        match terms.iter().find(|(value, _)| !taken.contains(value)) {
            Some((value, _)) => Err(HeadError::Straight(*value)),
            None => Ok(()),
        }
    }

    fn head(&mut self, outputs: Id, terms: &[Id]) -> Result<(), HeadError> {
        self.check_rows(outputs)?;
        let count = self.columns(outputs)?;
        let loss = self.graph.add(terms);
        let shape = self.graph.shape(outputs);
        let direction = self.graph.differential("dZ", outputs);
        let Some(tangent) = linearize(self.graph, loss, &[(outputs, direction)]).tangent else {
            return Err(HeadError::Straight(loss));
        };
        let one = self.graph.filled(1.0, self.graph.shape(loss));
        let slope = transpose(self.graph, tangent, one, &[direction])[0].ok_or(HeadError::Straight(loss))?;
        if self.examples.along(self.graph, slope) != Along::Axis(0) || self.graph.shape(slope) != shape {
            return Err(HeadError::NotSeparable(outputs));
        }
        let mut columns = Vec::new();
        for k in 0..count {
            let pick = self.pick(outputs, k, count);
            let column = linearize(self.graph, slope, &[(outputs, pick)]).tangent;
            let column = column.ok_or(HeadError::Straight(loss))?;
            columns.push((pick, Some(column)));
        }
        self.heads.heads.push(Head { outputs, slope, squares: false, columns });
        Ok(())
    }
}

/// The value, gradients and diagonal Hessian of a penalty, for each parameter. The diagonal is exact where the penalty is
/// a sum of functions of single elements; elsewhere it is the row sums of the Hessian.
pub fn penalty(graph: &mut Graph, penalty: Id, wrt: &[Id]) -> Vec<(Id, Id)> {
    let slopes = gradients(graph, penalty, wrt);
    let mut list = Vec::with_capacity(wrt.len());
    for (&variable, &slope) in wrt.iter().zip(&slopes) {
        let total = graph.sum_all(slope);
        list.push((slope, gradients(graph, total, &[variable])[0]));
    }
    list
}

/// For each parameter, what each example contributes to the gradient when the outputs have this cotangent: a node with an
/// axis of examples before the parameter's own, or `None` where the outputs do not depend on it.
///
/// # Errors
/// The examples are mixed on the way back.
pub fn example_gradients(
    graph: &mut Graph,
    (outputs, cotangent): (Id, Id),
    wrt: &[Id],
    examples: &mut Examples,
) -> Result<Vec<Option<Id>>, HeadError> {
    let found = pullback(graph, outputs, cotangent, wrt);
    let unsum = |gradient: Option<Id>| match gradient {
        Some(gradient) => examples.unsum(graph, gradient).map(Some).ok_or(HeadError::Mixed(gradient)),
        None => Ok(None),
    };
    found.into_iter().map(unsum).collect()
}

/// The cotangents of parameters from that of a node.
pub fn pullback(graph: &mut Graph, root: Id, cotangent: Id, wrt: &[Id]) -> Vec<Option<Id>> {
    let free = super::differentiate::differentials(graph, wrt);
    let seeds: Vec<(Id, Id)> = wrt.iter().copied().zip(free.iter().copied()).collect();
    match linearize(graph, root, &seeds).tangent {
        Some(tangent) => transpose(graph, tangent, cotangent, &free),
        None => vec![None; wrt.len()],
    }
}
