//! Rows of Jacobians as the plan gives them, and how they become a panel: a matrix with a row for each parameter and a
//! column for each example.
//!
//! For a layer `X*W` the gradient of an example is the outer product of its input and its delta: the plan gives these two
//! factors, the panel is filled by products of columns. Nothing of the size of the parameters is computed in the plan.

use crate::lang::ops::contract::Contract;
use crate::lang::ops::view::Permute;
use crate::lang::{Graph, Id, Op};
use crate::plan::{At, BufferId, Output, Planner};
use crate::run::Machine;
use crate::train::compile::{Extents, elements};
use crate::train::event::TrainError;

/// The derivative of one column of the outputs in one parameter, for each example; examples last.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows {
    /// Element (i, j) is `a[i]*b[j]`.
    Outer { a: (BufferId, usize), b: (BufferId, usize) },
    /// All elements.
    Whole(BufferId),
    /// So many parameters on which the outputs do not depend.
    Zero(usize),
}

/// The nodes of [`Rows`].
#[derive(Clone, Copy, Debug)]
pub(super) enum RowNodes {
    /// Nodes with the examples as their last axis.
    Outer(Id, Id),
    /// A node with the examples as its last axis.
    Whole(Id),
}

/// The factors of a node with an axis of examples in front, when it is an outer product for each example.
pub(super) fn factors(graph: &mut Graph, node: Id) -> RowNodes {
    // What a reshape shows has the same elements in the same order: one copy of a delta serves weights and biases.
    let mut inner = node;
    while let (Op::Reshape(_), &[x]) = (graph.op(inner), graph.args(inner))
        && graph.dims.resolve(graph.shape(x).rows()) == graph.dims.resolve(graph.shape(node).rows())
    {
        inner = x;
    }
    let whole = |graph: &mut Graph| RowNodes::Whole(examples_last(graph, inner, 0));
    let Op::Contract(spec) = graph.op(node) else { return whole(graph) };
    let args = graph.args(node).to_vec();
    match outer(&spec) {
        Some((axes, false)) => {
            RowNodes::Outer(examples_last(graph, args[0], axes.0), examples_last(graph, args[1], axes.1))
        }
        Some((axes, true)) => {
            RowNodes::Outer(examples_last(graph, args[1], axes.1), examples_last(graph, args[0], axes.0))
        }
        None => whole(graph),
    }
}

/// Where the examples are in both operands, and whether the second comes first in the result.
fn outer(spec: &Contract) -> Option<((usize, usize), bool)> {
    let (a, b, out) = (spec.a.list(), spec.b.list(), spec.out.list());
    let example = *out.first()?;
    let axes = (a.iter().position(|&l| l == example)?, b.iter().position(|&l| l == example)?);
    let others = |list: &[u8]| -> Vec<u8> { list.iter().copied().filter(|&l| l != example).collect() };
    let (a, b) = (others(a), others(b));
    if a.iter().any(|l| b.contains(l)) {
        return None;
    }
    let rest = &out[1..];
    if rest == [&a[..], &b[..]].concat() {
        Some((axes, false))
    } else if rest == [&b[..], &a[..]].concat() {
        Some((axes, true))
    } else {
        None
    }
}

fn examples_last(graph: &mut Graph, node: Id, axis: usize) -> Id {
    let rank = graph.shape(node).rank();
    let order: Vec<u8> = (0..rank).filter(|&a| a != axis).chain([axis]).map(|a| a as u8).collect();
    graph.build(Op::Permute(Permute::new(&order)), &[node])
}

/// Asks for buffers, each node once.
pub(super) struct Asked<'a> {
    pub(super) graph: &'a Graph,
    pub(super) planner: &'a mut Planner,
    pub(super) extents: &'a Extents,
    pub(super) outputs: Vec<Output>,
}

impl Asked<'_> {
    /// The buffer of a node.
    pub(super) fn buffer(&mut self, node: Id) -> Result<(BufferId, usize), TrainError> {
        let len: usize = elements(self.graph, node, self.extents)?.iter().product();
        if let Some(known) = self.outputs.iter().find(|output| output.node == node) {
            return Ok((known.at.buffer, len));
        }
        let at = At { buffer: self.planner.fixed("result", len), offset: 0 };
        self.outputs.push(Output { node, at });
        Ok((at.buffer, len))
    }

    /// The buffers of the rows of one parameter, in blocks of `rows` examples.
    pub(super) fn rows(&mut self, nodes: RowNodes, rows: usize) -> Result<Rows, TrainError> {
        Ok(match nodes {
            RowNodes::Outer(a, b) => {
                let ((a, i), (b, j)) = (self.buffer(a)?, self.buffer(b)?);
                Rows::Outer { a: (a, i / rows), b: (b, j / rows) }
            }
            RowNodes::Whole(node) => Rows::Whole(self.buffer(node)?.0),
        })
    }
}

/// A panel in memory: the row of parameter p starts at `p*stride + start`.
pub(super) struct Panel<'a> {
    pub(super) values: &'a mut [f64],
    pub(super) stride: usize,
    pub(super) start: usize,
}

impl Panel<'_> {
    fn row(&mut self, parameter: usize, count: usize) -> &mut [f64] {
        let at = parameter * self.stride + self.start;
        &mut self.values[at..at + count]
    }

    /// Writes what `count` examples say of the parameters from `first` on.
    pub(super) fn fill(&mut self, first: usize, rows: &Rows, count: usize, machine: &Machine<f64>) {
        match *rows {
            Rows::Outer { a: (a, i_len), b: (b, j_len) } => {
                let (a, b) = (machine.buffer(a), machine.buffer(b));
                for i in 0..i_len {
                    let left = &a[i * count..(i + 1) * count];
                    for j in 0..j_len {
                        let right = &b[j * count..(j + 1) * count];
                        let row = self.row(first + i * j_len + j, count);
                        row.iter_mut().zip(left).zip(right).for_each(|((out, x), y)| *out = x * y);
                    }
                }
            }
            Rows::Zero(len) => (first..first + len).for_each(|parameter| self.row(parameter, count).fill(0.0)),
            Rows::Whole(buffer) => {
                for (index, values) in machine.buffer(buffer).chunks_exact(count).enumerate() {
                    self.row(first + index, count).copy_from_slice(values);
                }
            }
        }
    }
}
