//! Nests of contractions, permutations, sums and products of tensors as one `einsum("ij,jk->ik", A, B)`.
//!
//! Every axis gets a label from the result downwards; an axis of extent 1 is written `1`.

use super::pieces::{Piece, Precedence};
use super::{PrintError, Printer, extent};
use crate::lang::ops::contract::Contract;
use crate::lang::ops::reduce::Sum;
use crate::lang::{Dim, Graph, Id, Op, Shape};

/// The label of an axis; `None` where its extent is 1.
type Label = Option<usize>;

/// What is multiplied: a tensor and the labels of its axes.
#[derive(Clone, Debug, PartialEq)]
struct Operand {
    id: Id,
    labels: Vec<Label>,
}

/// The letters of labels, those of matrices first.
const LETTERS: &[u8; 52] = b"ijklmnopqrstuvwxyzabcdefghIJKLMNOPQRSTUVWXYZABCDEFGH";
/// Most operands of one call.
const MOST: usize = 64;

/// How deep a nest is opened.
#[derive(Clone, Copy, PartialEq)]
enum Opened {
    /// Matrices keep their own notation.
    Tensors,
    /// Down to variables.
    Everything,
}

/// A nest as a sum over the labels that are not in the result, of products.
struct Nest<'a> {
    graph: &'a Graph,
    is_open: &'a dyn Fn(Id) -> bool,
    opened: Opened,
    /// The extent of each label.
    extents: Vec<Dim>,
    operands: Vec<Operand>,
}

impl Nest<'_> {
    fn fresh(&mut self, dim: Dim) -> Label {
        (self.graph.dims.resolve(dim) != Dim::Known(1)).then(|| {
            self.extents.push(dim);
            self.extents.len() - 1
        })
    }

    fn fresh_labels(&mut self, shape: Shape) -> Vec<Label> {
        shape.dims().iter().map(|&dim| self.fresh(dim)).collect()
    }

    /// Opens the nest under a node whose axes have these labels; `false` when it has more operands than people read.
    fn collect(&mut self, root: Id, labels: Vec<Label>) -> bool {
        let mut stack = vec![Operand { id: root, labels }];
        while let Some(operand) = stack.pop() {
            if stack.len() + self.operands.len() > MOST || self.extents.len() > LETTERS.len() {
                return false;
            }
            let Operand { id, labels } = operand;
            let inner = if id == root || (self.is_open)(id) { self.inside(id, &labels) } else { None };
            match inner {
                Some(mut inner) => {
                    inner.reverse();
                    stack.extend(inner);
                }
                None => self.operands.push(Operand { id, labels }),
            }
        }
        true
    }

    /// The arguments of a node that is part of the nest, with the labels of their axes.
    fn inside(&mut self, id: Id, labels: &[Label]) -> Option<Vec<Operand>> {
        let graph = self.graph;
        let args = graph.args(id);
        let rank = graph.shape(id).rank();
        let tensors = rank > 2 || self.opened == Opened::Everything;
        match graph.op(id) {
            Op::Contract(Contract::MATMUL) if !tensors => None,
            Op::Contract(spec) => Some(self.contracted(spec, args, labels)),
            Op::Permute(permute) if tensors => {
                let inverse = permute.inverse();
                let labels = inverse.order().iter().map(|&axis| labels[axis as usize]).collect();
                Some(vec![Operand { id: args[0], labels }])
            }
            Op::Mul(_) if tensors => Some(args.iter().map(|&id| Operand { id, labels: labels.to_vec() }).collect()),
            Op::Sum(Sum(axes)) if graph.shape(args[0]).rank() > 2 || self.opened == Opened::Everything => {
                let shape = graph.shape(args[0]);
                let label =
                    |axis: usize| if axes.contains(axis) { self.fresh(shape.dims()[axis]) } else { labels[axis] };
                let labels = (0..shape.rank()).map(label).collect();
                Some(vec![Operand { id: args[0], labels }])
            }
            Op::Broadcast(_) if tensors => {
                let long = |(axis, &dim): (usize, &Dim)| if dim == Dim::Known(1) { None } else { labels[axis] };
                let labels = graph.shape(args[0]).dims().iter().enumerate().map(long).collect();
                Some(vec![Operand { id: args[0], labels }])
            }
            Op::Reshape(_) => self.regrouped(id, labels).map(|operand| vec![operand]),
            _ => None,
        }
    }

    fn contracted(&mut self, spec: Contract, args: &[Id], labels: &[Label]) -> Vec<Operand> {
        let mut known: [Option<Label>; 256] = [None; 256];
        for (&name, &label) in spec.out.list().iter().zip(labels) {
            known[name as usize] = Some(label);
        }
        let mut operands = Vec::with_capacity(2);
        for (names, &id) in [spec.a, spec.b].iter().zip(args) {
            let dims = self.graph.shape(id);
            let mut labels = Vec::new();
            for (&name, &dim) in names.list().iter().zip(dims.dims()) {
                let label = known[name as usize].unwrap_or_else(|| self.fresh(dim));
                known[name as usize] = Some(label);
                labels.push(label);
            }
            operands.push(Operand { id, labels });
        }
        operands
    }

    /// The argument of a reshape that adds or drops axes of extent 1.
    fn regrouped(&mut self, id: Id, labels: &[Label]) -> Option<Operand> {
        let graph = self.graph;
        let x = graph.args(id)[0];
        let is_long = |d: &Dim| *d != Dim::Known(1);
        let dims = |shape: Shape| -> Vec<Dim> { shape.dims().iter().map(|&d| graph.dims.resolve(d)).collect() };
        let (from, to) = (dims(graph.shape(x)), dims(graph.shape(id)));
        if !from.iter().filter(|d| is_long(d)).eq(to.iter().filter(|d| is_long(d))) {
            return None;
        }
        let mut long = to.iter().zip(labels).filter(|(d, _)| is_long(d)).map(|(_, &label)| label);
        let labels = from.iter().map(|d| if is_long(d) { long.next().flatten() } else { None }).collect();
        Some(Operand { id: x, labels })
    }
}

/// The subscripts of a call, with letters in the order in which they are met.
fn subscripts(operands: &[Vec<Label>], result: &[Label]) -> String {
    let mut met: Vec<usize> = Vec::new();
    let mut write = |labels: &[Label]| -> String {
        let labels = vector(labels);
        let letter = |label: &Label| match label {
            None => '1',
            Some(label) => {
                let at = met.iter().position(|known| known == label).unwrap_or_else(|| {
                    met.push(*label);
                    met.len() - 1
                });
                LETTERS[at] as char
            }
        };
        labels.iter().map(letter).collect()
    };
    let list: Vec<String> = operands.iter().map(|labels| write(labels)).collect();
    let result = match result {
        // A number fits tensors of every rank.
        _ if result.iter().all(Option::is_none) => String::new(),
        [None, Some(_)] => format!("1{}", write(&result[1..])),
        _ => write(result),
    };
    format!("{}->{result}", list.join(","))
}

/// A row, a column or a number is written without its axes of extent 1.
fn vector(labels: &[Label]) -> Vec<Label> {
    if labels.len() == 2 { labels.iter().copied().filter(Option::is_some).collect() } else { labels.to_vec() }
}

/// The expression as `einsum` of variables: subscripts and operands. `None` when it is more than sums of products.
#[must_use]
pub fn notation(graph: &Graph, root: Id) -> Option<(String, Vec<Id>)> {
    let mut nest =
        Nest { graph, is_open: &|_| true, opened: Opened::Everything, extents: Vec::new(), operands: Vec::new() };
    let labels = nest.fresh_labels(graph.shape(root));
    if !nest.collect(root, labels.clone()) {
        return None;
    }
    nest.operands.retain(|operand| graph.constant_value(operand.id) != Some(1.0));
    let given = |label: &Label| label.is_none() || nest.operands.iter().any(|o| o.labels.contains(label));
    let leaves = nest.operands.iter().all(|operand| graph.as_variable(operand.id).is_some());
    if !leaves || nest.operands.is_empty() || !labels.iter().all(given) {
        return None;
    }
    let list: Vec<Vec<Label>> = nest.operands.iter().map(|operand| operand.labels.clone()).collect();
    Some((subscripts(&list, &labels), nest.operands.iter().map(|operand| operand.id).collect()))
}

impl Printer<'_> {
    fn nest<'a>(&'a self, is_open: &'a dyn Fn(Id) -> bool) -> Nest<'a> {
        Nest { graph: self.graph, is_open, opened: Opened::Tensors, extents: Vec::new(), operands: Vec::new() }
    }

    /// Is a sum over tensors one of products, so that one call says it all?
    pub(super) fn is_sum_of_products(&self, id: Id) -> bool {
        let x = self.graph.args(id)[0];
        let (Some(op), true) = (self.open(x), self.graph.shape(x).rank() > 2) else { return false };
        match op {
            Op::Contract(_) | Op::Permute(_) => true,
            Op::Mul(_) => self.graph.args(x).iter().any(|&f| {
                matches!(self.open(f), Some(Op::Contract(_) | Op::Permute(_)))
                    || matches!(self.open(f), Some(Op::Broadcast(_)))
                        && !self.graph.shape(self.graph.args(f)[0]).is_scalar()
            }),
            _ => false,
        }
    }

    /// The nest below a node as one call.
    pub(super) fn einsum(&self, id: Id) -> Result<Piece, PrintError> {
        let graph = self.graph;
        let is_open = |id: Id| self.open(id).is_some();
        let mut nest = self.nest(&is_open);
        let result = nest.fresh_labels(graph.shape(id));
        if !nest.collect(id, result.clone()) || nest.operands == [Operand { id, labels: result.clone() }] {
            return Err(PrintError::NotAMatrix(graph.op(id).def().name()));
        }
        let (mut texts, mut labels) = (Vec::new(), Vec::new());
        let mut scalars: Vec<Piece> = Vec::new();
        for Operand { id, labels: own } in &nest.operands {
            if graph.constant_value(*id) == Some(1.0) {
                continue;
            }
            // A number stands before the call, whatever the rank under which it is seen.
            if graph.shape(*id).is_scalar() && nest.operands.len() > 1 {
                scalars.push(self.of(*id)?.clone());
                continue;
            }
            let (text, own) = self.operand(*id, own)?;
            texts.push(text);
            labels.push(own);
        }
        for label in result.iter().flatten() {
            if !labels.iter().flatten().any(|known| *known == Some(*label)) {
                let extents = [extent(graph, nest.extents[*label], self.style), self.style.number(1.0)];
                texts.push(self.style.constant_matrix("ones", &extents.map(|extent| extent.text)).text);
                labels.push(vec![Some(*label), None]);
            }
        }
        let subscripts = subscripts(&labels, &result);
        texts.insert(0, self.style.verbatim(&format!("\"{subscripts}\"")));
        let call = self.style.call("einsum", None, &texts);
        if scalars.is_empty() {
            return Ok(Piece::atom(call));
        }
        let negative = scalars.iter().filter(|scalar| scalar.negative).count() % 2 == 1;
        let text = scalars
            .iter()
            .rev()
            .fold(call, |text, scalar| self.style.scaled(&scalar.unsigned(Precedence::Elementwise, self.style), &text));
        Ok(Piece::new(negative, text, Precedence::Product))
    }

    /// An operand as text. A matrix under the shape of a tensor is reshaped by columns, in the language's way: the axes
    /// that rows and columns are split into come in the opposite order.
    fn operand(&self, id: Id, labels: &[Label]) -> Result<(String, Vec<Label>), PrintError> {
        let graph = self.graph;
        let Some(Op::Reshape(_)) = self.open(id) else { return Ok((self.whole(id)?, labels.to_vec())) };
        let x = graph.args(id)[0];
        let (from, to) = (graph.shape(x), graph.shape(id));
        if from.rank() != 2 || to.rank() <= 2 {
            return Ok((self.whole(id)?, labels.to_vec()));
        }
        let fits = |at: &usize| {
            graph.dims.same_count(&[from.rows()], &to.dims()[..*at])
                && graph.dims.same_count(&[from.cols()], &to.dims()[*at..])
        };
        let at = (0..=to.rank()).find(fits).ok_or(PrintError::NotAMatrix("reshape"))?;
        let order: Vec<usize> = (0..at).rev().chain((at..to.rank()).rev()).collect();
        let mut args = vec![self.whole(x)?];
        args.extend(order.iter().map(|&axis| extent(graph, to.dims()[axis], self.style).text));
        Ok((self.style.call("reshape", None, &args), order.iter().map(|&axis| labels[axis]).collect()))
    }
}
