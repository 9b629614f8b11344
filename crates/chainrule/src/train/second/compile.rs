//! What the forms of a system compute in blocks: a program's loss taken apart, and the plans for its parts.

use kernels::Pool;

use super::dual::Columns;
use super::panel::{Asked, RowNodes, Rows, factors};
use super::passes::{Pass, Passes, Setting};
use crate::calculus::examples::{Along, Examples};
use crate::calculus::heads::{HeadError, Heads, dissect, example_gradients, penalty, pullback};
use crate::calculus::linearize;
use crate::lang::{Dim, Graph, Id, Op, Role};
use crate::model::Program;
use crate::plan::{At, BufferId, Output};
use crate::train::compile::{elements, example_dim, extents};
use crate::train::event::TrainError;
use crate::train::source::Data;

/// Memory for one panel, in numbers.
const PANEL: usize = 1 << 16;
/// The derivative of one column of outputs: for each parameter its first element, and its rows.
pub(super) type Jacobian = Vec<(usize, Rows)>;

/// What a block gives.
pub(super) struct BlockPlaces {
    /// The loss of its rows.
    pub(super) loss: At,
    pub(super) heads: Vec<HeadPlaces>,
    /// Values that another pass takes from here.
    pub(super) shared: Vec<BufferId>,
}

/// What a block gives for one head.
pub(super) struct HeadPlaces {
    /// J and H*J for each column of the outputs.
    pub(super) columns: Vec<(Jacobian, Option<Jacobian>)>,
    /// The slopes, column by column.
    pub(super) slope: BufferId,
}

pub(super) struct PenaltyPlaces {
    pub(super) value: At,
    pub(super) slope: BufferId,
    pub(super) bend: BufferId,
}

/// A program taken apart, ready to be compiled.
pub(super) struct Taken<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) heads: Heads,
    pub(super) wrt: Vec<Id>,
    pub(super) examples: Examples,
    pub(super) totals: Option<Totals>,
    /// Rows that are one block: all of them where the text fixes their number.
    pub(super) fixed_rows: bool,
    /// Columns of all outputs.
    pub(super) width: usize,
}

fn refused(graph: &Graph, error: &HeadError) -> TrainError {
    let place = |id: &Id| graph.name(*id).map_or_else(String::new, |name| format!(" (at `{name}`)"));
    TrainError::Option(match error {
        HeadError::Mixed(id) => format!(
            "the loss mixes examples{}: second-order solvers need a loss that is a sum over examples",
            place(id)
        ),
        HeadError::NotSeparable(id) => {
            format!("the loss is no sum over examples of a function of their outputs{}", place(id))
        }
        HeadError::Straight(id) => format!(
            "the loss has no curvature in its outputs{}: Gauss-Newton needs one; use squares, a cross-entropy, or a first-order optimizer",
            place(id)
        ),
    })
}

/// Takes a program's loss apart.
pub(super) fn take<'a>(program: &'a Program, data: &'a Data, states: &'a [f64]) -> Result<Taken<'a>, TrainError> {
    let loss = program.loss.ok_or_else(|| TrainError::Data("the program has no `loss`".to_owned()))?;
    let count = example_dim(program).ok_or_else(|| TrainError::Data("the program has no inputs".to_owned()))?;
    let known = extents(program, data, None)?;
    let mut graph = program.graph.clone();
    let leaf = |id: &Id| graph.dims.resolve(graph.shape(*id).rows()) == count;
    let leaves: Vec<Id> = program.inputs.iter().chain(&program.targets).copied().filter(leaf).collect();
    let wrt: Vec<Id> = program.parameters.iter().map(|p| p.id).collect();
    let mut examples = Examples::new(&leaves, count);
    let columns = |graph: &Graph, dim: Dim| {
        let open = |dim: Dim| known.get(&dim).map(|&n| n as u64);
        graph.dims.value_with(dim, &open).map(|n| n as usize)
    };
    let heads = dissect(&mut graph, loss, &wrt, (&mut examples, count), &columns).map_err(|e| refused(&graph, &e))?;
    let plain = Setting::plain(program, data, states);
    let mut setting = Setting { graph, examples: heads.examples, picks: heads.picks.clone(), ..plain };
    let mut totals = compile_totals(&setting, &heads)?;
    let values = totals.as_mut().map(|pass| values(pass, data, &Pool::new(1))).unwrap_or_default();
    setting.constants = heads.constants.iter().map(|pair| pair.0).zip(values).collect();
    let width = heads.heads.iter().map(|head| head.columns.len()).sum();
    let fixed_rows = !matches!(count, Dim::Symbol(_));
    Ok(Taken { setting, heads, wrt, examples, totals, fixed_rows, width })
}

/// What depends on all examples and on no parameter.
pub(super) type Totals = Pass<Vec<BufferId>>;

fn compile_totals(setting: &Setting, heads: &Heads) -> Result<Option<Totals>, TrainError> {
    if heads.constants.is_empty() {
        return Ok(None);
    }
    let graph = &setting.graph;
    let pass = Pass::new(setting, setting.data.rows(), &mut |planner, extents| {
        let mut asked = Asked { graph, planner, extents, outputs: Vec::new() };
        let mut buffers = Vec::new();
        for &(_, node) in &heads.constants {
            buffers.push(asked.buffer(node)?.0);
        }
        Ok((buffers, asked.outputs))
    })?;
    Ok(Some(pass))
}

/// The totals of these examples.
pub(super) fn values(totals: &mut Totals, data: &Data, pool: &Pool) -> Vec<Vec<f64>> {
    totals.run(data, 0, pool);
    totals.places.iter().map(|&buffer| totals.machine.buffer(buffer).to_vec()).collect()
}

impl Taken<'_> {
    /// Offsets of the parameters in the flat vector, and its length.
    pub(super) fn offsets(&self) -> Result<(Vec<usize>, usize), TrainError> {
        let known = extents(self.setting.program, self.setting.data, None)?;
        let mut offsets = Vec::new();
        let mut total = 0;
        for &id in &self.wrt {
            offsets.push(total);
            total += elements(&self.setting.graph, id, &known)?.iter().product::<usize>();
        }
        Ok((offsets, total))
    }

    pub(super) fn block(&self, n: usize) -> usize {
        let rows = self.setting.data.rows();
        if self.fixed_rows { rows } else { (PANEL / (n * self.width).max(1)).clamp(64, 4096).min(rows) }
    }

    /// Nodes of the rows of the Jacobian for a cotangent.
    fn jacobian(&mut self, outputs: Id, cotangent: Id) -> Result<Vec<Option<RowNodes>>, TrainError> {
        let graph = &mut self.setting.graph;
        let rows = example_gradients(graph, (outputs, cotangent), &self.wrt, &mut self.examples);
        let rows = rows.map_err(|e| refused(graph, &e))?;
        Ok(rows.into_iter().map(|node| node.map(|node| factors(graph, node))).collect())
    }
}

/// The second derivatives of the penalty, where they are the same number for all elements of a parameter, everywhere.
pub(super) fn uniform_bends(
    penalty: &mut Option<Pass<PenaltyPlaces>>,
    (data, offsets, n): (&Data, &[usize], usize),
) -> Option<Vec<f64>> {
    let Some(pass) = penalty else { return Some(vec![0.0; offsets.len()]) };
    let pool = Pool::new(1);
    let mut at = |value: f64| {
        pass.set(&vec![value; n]);
        pass.run(data, 0, &pool);
        pass.values(pass.places.bend).to_vec()
    };
    let (here, there) = (at(0.5), at(-2.0));
    let ends = offsets.iter().skip(1).copied().chain([n]);
    let each = offsets.iter().zip(ends).map(|(&start, end)| {
        let bend = here.get(start).copied().unwrap_or(0.0);
        let same = here[start..end].iter().chain(&there[start..end]).all(|&b| b == bend);
        (same && bend >= 0.0).then_some(bend)
    });
    each.collect()
}

/// The Jacobians of all columns of all heads, and their products with the Hessian where the loss is no sum of squares.
pub(super) fn columns(taken: &mut Taken) -> Result<Columns, TrainError> {
    let heads = taken.heads.heads.clone();
    let mut list = Vec::new();
    for head in &heads {
        for &(pick, bend) in &head.columns {
            let slopes = taken.jacobian(head.outputs, pick)?;
            let bent = bend.map(|bend| taken.jacobian(head.outputs, bend)).transpose()?;
            list.push((slopes, bent));
        }
    }
    Ok(list)
}

fn data_loss(taken: &Taken) -> Result<Id, TrainError> {
    taken.heads.data.ok_or_else(|| TrainError::Data("the loss does not depend on the data".to_owned()))
}

pub(super) fn compile_value(taken: &Taken, block: usize) -> Result<Passes<At>, TrainError> {
    let data = data_loss(taken)?;
    Passes::new(&taken.setting, block, &mut |planner, _| {
        let at = At { buffer: planner.fixed("loss", 1), offset: 0 };
        Ok((at, vec![Output { node: data, at }]))
    })
}

pub(super) fn compile_blocks(
    taken: &mut Taken,
    (columns, shared): (&Columns, &[Id]),
    (offsets, n): (&[usize], usize),
    block: usize,
) -> Result<Passes<BlockPlaces>, TrainError> {
    let mut nodes = Vec::new();
    let mut rest = &columns[..];
    for head in &taken.heads.heads {
        let (own, others) = rest.split_at(head.columns.len());
        nodes.push((own, taken.setting.graph.transpose(head.slope)));
        rest = others;
    }
    let data = data_loss(taken)?;
    let graph = taken.setting.graph.clone();
    let count = example_dim(taken.setting.program).expect("it was found before");
    Passes::new(&taken.setting, block, &mut |planner, extents| {
        let rows = graph.dims.value_with(count, &|dim| extents.get(&dim).map(|&n| n as u64)).unwrap_or(0) as usize;
        let mut asked = Asked { graph: &graph, planner, extents, outputs: Vec::new() };
        let mut places = Vec::new();
        for (columns, slope) in &nodes {
            let mut list = Vec::new();
            for (slopes, bent) in *columns {
                let mut jacobian = |nodes: &Vec<Option<RowNodes>>| -> Result<Jacobian, TrainError> {
                    let ends = offsets.iter().skip(1).copied().chain([n]);
                    let list = offsets.iter().zip(ends).zip(nodes);
                    let rows = |((&at, end), nodes): ((&usize, usize), &Option<RowNodes>)| match nodes {
                        Some(nodes) => Ok((at, asked.rows(*nodes, rows)?)),
                        None => Ok((at, Rows::Zero(end - at))),
                    };
                    list.map(rows).collect()
                };
                list.push((jacobian(slopes)?, bent.as_ref().map(&mut jacobian).transpose()?));
            }
            places.push(HeadPlaces { columns: list, slope: asked.buffer(*slope)?.0 });
        }
        let (buffer, _) = asked.buffer(data)?;
        let shared: Result<Vec<BufferId>, TrainError> = shared.iter().map(|&id| Ok(asked.buffer(id)?.0)).collect();
        Ok((BlockPlaces { loss: At { buffer, offset: 0 }, heads: places, shared: shared? }, asked.outputs))
    })
}

pub(super) fn compile_penalty(taken: &mut Taken) -> Result<Option<Pass<PenaltyPlaces>>, TrainError> {
    let Some(node) = taken.heads.penalty else { return Ok(None) };
    let (offsets, n) = taken.offsets()?;
    let slopes = penalty(&mut taken.setting.graph, node, &taken.wrt);
    let rows = if taken.fixed_rows { taken.setting.data.rows() } else { 1 };
    let pass = Pass::new(&taken.setting, rows, &mut |planner, _| {
        let value = At { buffer: planner.fixed("penalty", 1), offset: 0 };
        let (slope, bend) = (planner.fixed("penalty slope", n), planner.fixed("penalty bend", n));
        let mut outputs = vec![Output { node, at: value }];
        for (&(of, twice), &offset) in slopes.iter().zip(&offsets) {
            outputs.push(Output { node: of, at: At { buffer: slope, offset } });
            outputs.push(Output { node: twice, at: At { buffer: bend, offset } });
        }
        Ok((PenaltyPlaces { value, slope, bend }, outputs))
    })?;
    Ok(Some(pass))
}

/// `J'*r''` with r'' the second derivative of the residuals along a direction.
pub(super) struct Second {
    direction: Vec<Id>,
    sums: Vec<Option<Id>>,
    /// What the blocks compute, too, and is dear: the tanh of a layer. It is taken from there.
    pub(super) shared: Vec<Id>,
}

/// The expressions of [`Second`]; `None` when the residuals are linear.
pub(super) fn second_order(taken: &mut Taken, block: usize) -> Option<Second> {
    let graph = &mut taken.setting.graph;
    let direction: Vec<Id> = taken.wrt.iter().map(|&w| graph.differential("direction", w)).collect();
    let seeds: Vec<(Id, Id)> = taken.wrt.iter().copied().zip(direction.iter().copied()).collect();
    let mut parts: Vec<Vec<Id>> = vec![Vec::new(); taken.wrt.len()];
    for head in &taken.heads.heads {
        let first = linearize(graph, head.outputs, &seeds).tangent;
        let second = first.and_then(|first| linearize(graph, first, &seeds).tangent);
        let Some(second) = second else { continue };
        for (list, part) in parts.iter_mut().zip(pullback(graph, head.outputs, second, &taken.wrt)) {
            list.extend(part);
        }
    }
    if parts.iter().all(Vec::is_empty) {
        return None;
    }
    let sums: Vec<Option<Id>> =
        parts.iter().map(|list| if list.is_empty() { None } else { Some(graph.add(list)) }).collect();
    let mut shared = Vec::new();
    // Only where each block has a machine of its own are its values still there.
    if taken.setting.data.rows() < 2 * block {
        let outputs: Vec<Id> = taken.heads.heads.iter().map(|head| head.outputs).collect();
        let known = graph.reachable(&outputs);
        let roots: Vec<Id> = sums.iter().flatten().copied().collect();
        for id in graph.reachable(&roots) {
            let function = matches!(graph.op(id), Op::Unary(_)) && graph.shape(id).rank() == 2;
            if function && known.binary_search(&id).is_ok() && taken.examples.along(graph, id) == Along::Axis(0) {
                shared.push(id);
            }
        }
    }
    Some(Second { direction, sums, shared })
}

/// The passes of [`Second`]; the values that are shared are given like cotangents.
pub(super) fn compile_second(
    taken: &mut Taken,
    second: &Second,
    (offsets, n): (&[usize], usize),
    block: usize,
) -> Result<Passes<BufferId>, TrainError> {
    let known = extents(taken.setting.program, taken.setting.data, None)?;
    let graph = &mut taken.setting.graph;
    let mut given = Vec::new();
    let mut replaced = Vec::new();
    for &id in &second.shared {
        let columns = elements(graph, id, &known)?[1];
        let variable = graph.variable("shared", Role::Input, graph.shape(id));
        given.push((variable, columns));
        replaced.push((id, variable));
    }
    let mut sums = Vec::new();
    for sum in &second.sums {
        sums.push(sum.map(|sum| graph.substitute(&[sum], &replaced)[0]));
    }
    taken.setting.direction.clone_from(&second.direction);
    taken.setting.cotangents = given;
    let passes = Passes::new(&taken.setting, block, &mut |planner, _| {
        let buffer = planner.fixed("second", n);
        let known = sums.iter().zip(offsets).filter_map(|(node, &offset)| node.map(|node| (node, offset)));
        Ok((buffer, known.map(|(node, offset)| Output { node, at: At { buffer, offset } }).collect()))
    });
    taken.setting.direction.clear();
    taken.setting.cotangents.clear();
    passes
}
