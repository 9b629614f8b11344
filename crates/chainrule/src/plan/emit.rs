//! Emission: groups become kernel calls over symbolic buffers. Views cost nothing where strides can say them.

use rustc_hash::FxHashMap;

use super::fuse::{Group, Groups};
use super::host::{HostOp, operation};
use super::layout::{Layout, row_major};
use super::steps::{At, FactorKernel, Label, PlanError, Region, RowKernel, Step};
use super::take::{Kind, Taken};
use super::{Lowering, Planner};
use crate::lang::{Id, Op};

pub(super) struct Emitter<'a> {
    pub(super) planner: &'a mut Planner,
    pub(super) lowering: &'a Lowering<'a>,
    pub(super) taken: &'a Taken,
    pub(super) groups: &'a Groups,
    /// Where computed values lie.
    layouts: FxHashMap<Id, Layout>,
    /// Host slots of scalars, and where the arena keeps them.
    slots: FxHashMap<Id, usize>,
    host_places: FxHashMap<Id, At>,
    /// Outputs that their step writes where they belong.
    direct: FxHashMap<Id, At>,
}

/// Emits the steps of a graph.
///
/// # Errors
/// A loop has too many terms.
pub fn emit(planner: &mut Planner, lowering: &Lowering, taken: &Taken, groups: &Groups) -> Result<(), PlanError> {
    let mut emitter = Emitter {
        planner,
        lowering,
        taken,
        groups,
        layouts: FxHashMap::default(),
        slots: FxHashMap::default(),
        host_places: FxHashMap::default(),
        direct: FxHashMap::default(),
    };
    emitter.choose_direct();
    for (index, group) in groups.list.iter().enumerate() {
        emitter.group(index, group)?;
        emitter.label(group.members.last().copied());
    }
    emitter.copy_outputs();
    emitter.label(None);
    Ok(())
}

impl Emitter<'_> {
    /// Labels the steps that were emitted since the last call.
    fn label(&mut self, node: Option<Id>) {
        let graph = self.lowering.graph;
        let label = node.map_or_else(Label::default, |id| Label {
            text: graph.name(id).map_or_else(|| crate::text::print::text(graph, id), str::to_owned),
            origin: graph.origin(id),
        });
        self.planner.labels.resize(self.planner.steps.len(), label);
    }

    /// An output is written in place when nothing reads the old content of that place afterwards.
    fn choose_direct(&mut self) {
        for output in self.lowering.outputs {
            let computed = self.taken.kinds.get(&output.node) == Some(&Kind::Compute);
            if computed && !self.direct.contains_key(&output.node) && self.nobody_reads_later(output.at, output.node) {
                self.direct.insert(output.node, output.at);
            }
        }
    }

    fn nobody_reads_later(&self, at: At, node: Id) -> bool {
        let own = self.groups.of[&node];
        let elementwise = self.groups.list[own].space.is_some();
        self.lowering.variables.iter().filter(|(_, place)| place.buffer == at.buffer).all(|(variable, place)| {
            let users = self.groups.users.get(variable).map_or(&[][..], Vec::as_slice);
            // Inside the loop that writes, a reader of the same elements is served before they are overwritten.
            users.iter().all(|user| match self.groups.of.get(user) {
                Some(&group) if group == own => {
                    elementwise && *place == at && self.taken.sizes[variable] == self.taken.sizes[&node]
                }
                Some(&group) => group < own,
                None => false,
            })
        })
    }

    fn copy_outputs(&mut self) {
        for output in self.lowering.outputs {
            let layout = self.layout(output.node);
            if layout.at == output.at && layout.is_dense() {
                continue;
            }
            let out = (output.at, row_major(&layout.sizes));
            self.planner.steps.push(Step::Copy {
                out,
                source: (layout.at, layout.strides.clone()),
                sizes: layout.sizes,
            });
        }
    }

    /// A new temporary for a value.
    pub(super) fn temporary(&mut self, id: Id, sizes: &[usize]) -> Layout {
        let name = self
            .lowering
            .graph
            .name(id)
            .map_or_else(|| self.lowering.graph.op(id).def().name().to_owned(), str::to_owned);
        let buffer = self.planner.buffer(&name, sizes.iter().product(), Region::Temporary);
        Layout::dense(At { buffer, offset: 0 }, sizes)
    }

    /// Where the result of a computed node goes.
    pub(super) fn result(&mut self, id: Id) -> Layout {
        let sizes = self.taken.sizes[&id].clone();
        let layout = match self.direct.get(&id) {
            Some(&at) => Layout::dense(at, &sizes),
            None => self.temporary(id, &sizes),
        };
        self.layouts.insert(id, layout.clone());
        layout
    }

    /// Where a value lies; views and numbers are placed when they are asked for.
    pub(super) fn layout(&mut self, id: Id) -> Layout {
        if let Some(known) = self.layouts.get(&id) {
            return known.clone();
        }
        let sizes = self.taken.sizes[&id].clone();
        let layout = match self.taken.kinds[&id] {
            Kind::Variable => Layout::dense(self.lowering.variables[&id], &sizes),
            Kind::Number(_) | Kind::Host => Layout::dense(self.host_scalar(id), &sizes),
            Kind::View => self.view(id),
            Kind::Compute => unreachable!("groups run in the order of their needs"),
        };
        self.layouts.insert(id, layout.clone());
        layout
    }

    fn view(&mut self, id: Id) -> Layout {
        let arg = self.taken.args(self.lowering, id)[0];
        let (op, sizes) = (self.lowering.graph.op(id), self.taken.sizes[&id].clone());
        let source = self.layout(arg);
        match op {
            Op::Permute(permute) => source.permuted(permute.order()),
            Op::Broadcast(_) => source.stretched(&sizes),
            Op::Diagonal(_) => source.diagonal(),
            Op::Reshape(_) => {
                let dense = self.dense(id, source);
                Layout::dense(dense.at, &sizes)
            }
            Op::DiagonalMatrix(_) => {
                let out = self.temporary(id, &sizes);
                self.planner.steps.push(Step::Fill { at: out.at, len: out.len(), value: 0.0 });
                let strides = (out.at, vec![sizes[0] + 1, 1]);
                self.planner.steps.push(Step::Copy {
                    out: strides,
                    source: (source.at, source.strides),
                    sizes: vec![sizes[0], 1],
                });
                out
            }
            _ => unreachable!("the class View has these members"),
        }
    }

    /// The value row by row: as it lies, or copied.
    pub(super) fn dense(&mut self, id: Id, layout: Layout) -> Layout {
        if layout.is_dense() {
            return layout;
        }
        let out = self.temporary(id, &layout.sizes);
        let step =
            Step::Copy { out: (out.at, out.strides.clone()), source: (layout.at, layout.strides), sizes: layout.sizes };
        self.planner.steps.push(step);
        out
    }

    /// A number or host scalar in the arena.
    fn host_scalar(&mut self, id: Id) -> At {
        if let Some(&at) = self.host_places.get(&id) {
            return at;
        }
        let slot = self.slot(id);
        let buffer = self.planner.fixed("scalar", 1);
        let at = At { buffer, offset: 0 };
        self.planner.host.outputs.push((slot, at));
        self.host_places.insert(id, at);
        at
    }

    /// The host slot of a scalar: its arguments have smaller ids, so a loop over them in order is enough.
    fn slot(&mut self, id: Id) -> usize {
        let graph = self.lowering.graph;
        for node in graph.reachable(&[id]) {
            let needed = matches!(self.taken.kinds.get(&node), Some(Kind::Number(_) | Kind::Host));
            if !needed || self.slots.contains_key(&node) {
                continue;
            }
            let slot = match self.taken.kinds[&node] {
                Kind::Number(value) => self.planner.host.push(HostOp::Number(value), Vec::new()),
                _ => match graph.as_variable(node) {
                    Some(clock) => self.planner.host.clock(&clock.name),
                    None => {
                        let args = graph.args(node).iter().map(|arg| self.slots[arg]).collect();
                        self.planner.host.push(operation(graph.op(node)), args)
                    }
                },
            };
            self.slots.insert(node, slot);
        }
        self.slots[&id]
    }

    fn group(&mut self, index: usize, group: &Group) -> Result<(), PlanError> {
        if group.space.is_some() {
            return self.elementwise(index, group);
        }
        let id = group.members[0];
        match self.taken.op(self.lowering, id) {
            Op::Contract(spec) => self.contraction(id, spec),
            Op::Softmax(_) => self.rows(id, RowKernel::Softmax),
            Op::LogSumExp(_) => self.rows(id, RowKernel::LogSumExp),
            Op::FirstMax(_) => self.first_max(id),
            Op::Inverse(_) => self.factor(id, FactorKernel::Inverse),
            Op::Det(_) => self.factor(id, FactorKernel::Det),
            Op::LogDet(_) => self.factor(id, FactorKernel::LogDet),
            Op::Eye(_) => {
                let out = self.result(id);
                let n = out.sizes[0];
                self.planner.steps.push(Step::Fill { at: out.at, len: n * n, value: 0.0 });
                let one = self.constant(1.0);
                self.planner.steps.push(Step::Copy {
                    out: (out.at, vec![n + 1, 1]),
                    source: (one, vec![0, 0]),
                    sizes: vec![n, 1],
                });
            }
            Op::Sum(_) | Op::Max(_) => self.strided_reduction(id)?,
            op => unreachable!("{} is element-wise or a view", op.def().name()),
        }
        Ok(())
    }

    fn constant(&mut self, value: f64) -> At {
        let slot = self.planner.host.push(HostOp::Number(value), Vec::new());
        let buffer = self.planner.fixed("constant", 1);
        let at = At { buffer, offset: 0 };
        self.planner.host.outputs.push((slot, at));
        at
    }

    fn dense_argument(&mut self, id: Id) -> Layout {
        let arg = self.taken.args(self.lowering, id)[0];
        let layout = self.layout(arg);
        self.dense(arg, layout)
    }

    fn rows(&mut self, id: Id, kernel: RowKernel) {
        let source = self.dense_argument(id);
        let out = self.result(id);
        let cols = source.sizes.last().copied().unwrap_or(1);
        let rows = source.len() / cols.max(1);
        self.planner.steps.push(Step::Rows { kernel, rows, cols, source: source.at, out: out.at });
    }

    fn factor(&mut self, id: Id, kernel: FactorKernel) {
        let source = self.dense_argument(id);
        let out = self.result(id);
        self.planner.steps.push(Step::Factor { kernel, n: source.sizes[0], source: source.at, out: out.at });
    }

    /// The folded axes last, one row for each result.
    fn folded_last(&mut self, id: Id) -> (Layout, Vec<u8>, usize) {
        let axes = match self.taken.op(self.lowering, id) {
            Op::Sum(sum) => sum.0,
            Op::Max(max) => max.0,
            Op::FirstMax(first) => first.0,
            _ => unreachable!("called for folds"),
        };
        let arg = self.taken.args(self.lowering, id)[0];
        let layout = self.layout(arg);
        let rank = layout.sizes.len();
        let order: Vec<u8> = (0..rank)
            .filter(|&a| !axes.contains(a))
            .chain((0..rank).filter(|&a| axes.contains(a)))
            .map(|a| a as u8)
            .collect();
        let folded: usize = (0..rank).filter(|&a| axes.contains(a)).map(|a| layout.sizes[a]).product();
        let permuted = layout.permuted(&order);
        (self.dense(arg, permuted), order, folded)
    }

    fn strided_reduction(&mut self, id: Id) -> Result<(), PlanError> {
        let (source, _, cols) = self.folded_last(id);
        let out = self.result(id);
        let rows = source.len() / cols.max(1);
        let fold = if matches!(self.taken.op(self.lowering, id), Op::Max(_)) {
            kernels::Fold::Max
        } else {
            kernels::Fold::Sum
        };
        self.push_reduction((rows, cols), source.at, (fold, self.taken.scale(id)), out.at);
        Ok(())
    }

    /// The mask is computed with the folded axes last and seen in their own order.
    fn first_max(&mut self, id: Id) {
        let (source, order, cols) = self.folded_last(id);
        let rows = source.len() / cols.max(1);
        let out = self.temporary(id, &source.sizes);
        self.planner.steps.push(Step::Rows { kernel: RowKernel::FirstMax, rows, cols, source: source.at, out: out.at });
        let mut back = vec![0u8; order.len()];
        for (to, &from) in order.iter().enumerate() {
            back[from as usize] = to as u8;
        }
        self.layouts.insert(id, out.permuted(&back));
    }
}
