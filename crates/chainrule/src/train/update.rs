//! The second half of a training step: what happens with the gradients of all parameters. Each stage is a formula of the
//! prelude over the flat vectors: accumulate, clip, update by the rules, bound the weights, average.

use rustc_hash::FxHashMap;

use super::compile::{Extents, elements};
use super::event::TrainError;
use crate::lang::{Dim, Graph, Id};
use crate::model::Program;
use crate::optim::Rule;
use crate::optim::around::Formula;
use crate::plan::{At, BufferId, Lowering, Output, Planner};

/// The flat vectors that an update reads and writes.
pub(super) struct Vectors<'a> {
    pub(super) program: &'a Program,
    pub(super) extents: &'a Extents,
    pub(super) parameters: BufferId,
    pub(super) gradients: BufferId,
    pub(super) total: usize,
}

/// What the stages need from step to step.
pub(super) struct Memory {
    /// Memories and the values they start with.
    pub(super) moments: Vec<(BufferId, f64)>,
    /// Batches of a step.
    pub(super) batches: u32,
    /// The step of the plan with which the update begins: before it, gradients are accumulated.
    pub(super) update: usize,
    /// The parameters of a trained model: the parameters, or their average.
    pub(super) result: BufferId,
}

/// A parameter in the flat vector.
struct Part {
    offset: usize,
    sizes: Vec<usize>,
}

fn at(buffer: BufferId, offset: usize) -> At {
    At { buffer, offset }
}

fn parts(vectors: &Vectors) -> Result<Vec<Part>, TrainError> {
    let mut offset = 0;
    let mut list = Vec::new();
    for declared in &vectors.program.parameters {
        let sizes = elements(&vectors.program.graph, declared.id, vectors.extents)?;
        let len: usize = sizes.iter().product();
        list.push(Part { offset, sizes });
        offset += len;
    }
    Ok(list)
}

/// Appends the stages.
pub(super) fn update(planner: &mut Planner, rule: &Rule, vectors: &Vectors) -> Result<Memory, TrainError> {
    let around = &rule.around;
    let (parameters, total) = (vectors.parameters, vectors.total);
    let mut memory = Memory { moments: Vec::new(), batches: 1, update: planner.steps.len(), result: parameters };
    let mut gradients = vectors.gradients;
    if let Some((batches, formula)) = &around.accumulate {
        let sum = planner.fixed("accumulated", total);
        stage(planner, formula, &[at(sum, 0), at(gradients, 0)], at(sum, 0), (1, total))?;
        memory.moments.push((sum, 0.0));
        (memory.batches, memory.update, gradients) = (*batches, planner.steps.len(), sum);
    }
    for formula in &around.clips {
        // The clipped gradient has the place of the gradient; what was accumulated is begun anew in the next step.
        stage(planner, formula, &[at(gradients, 0)], at(gradients, 0), (1, total))?;
    }
    for (rule, start, size) in ranges(rule, &parts(vectors)?, total) {
        let place = (at(parameters, start), at(gradients, start), size);
        memory.moments.extend(by_rule(planner, rule, place)?);
    }
    if let Some(formula) = &around.max_norm {
        for part in parts(vectors)?.iter().filter(|part| part.sizes.len() == 2 && part.sizes[0] > 1) {
            let place = at(parameters, part.offset);
            stage(planner, formula, &[place], place, (part.sizes[0], part.sizes[1]))?;
        }
    }
    if let Some(formula) = &around.average {
        let average = planner.fixed("average", total);
        stage(planner, formula, &[at(average, 0), at(parameters, 0)], at(average, 0), (1, total))?;
        memory.moments.push((average, 0.0));
        memory.result = average;
    }
    Ok(memory)
}

/// A rule, where its parameters start, and their rows and columns.
type Range<'r> = (&'r Rule, usize, (usize, usize));

/// The flat vector cut where the rule changes. A rule of elements takes its range as one row, any other each matrix alone.
fn ranges<'r>(rule: &'r Rule, parts: &[Part], total: usize) -> Vec<Range<'r>> {
    let group = |index: usize| (0..rule.groups.len()).rev().find(|&g| rule.groups[g].members.contains(&index));
    let mut list: Vec<(Option<usize>, usize, usize)> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let (own, end) = (group(index), parts.get(index + 1).map_or(total, |next| next.offset));
        match list.last_mut() {
            Some((last, _, stop)) if *last == own => *stop = end,
            _ => list.push((own, part.offset, end)),
        }
    }
    if list.is_empty() {
        list.push((None, 0, total));
    }
    let mut ranges = Vec::new();
    for (own, start, end) in list {
        let rule = own.map_or(rule, |g| &rule.groups[g].rule);
        if rule.is_elementwise() {
            ranges.push((rule, start, (1, end - start)));
            continue;
        }
        for part in parts.iter().filter(|part| (start..end).contains(&part.offset)) {
            let rows = part.sizes[0];
            ranges.push((rule, part.offset, (rows, part.sizes[1..].iter().product())));
        }
    }
    ranges
}

fn lower(
    planner: &mut Planner,
    graph: &Graph,
    places: &FxHashMap<Id, At>,
    outputs: &[Output],
    (rows, cols): (usize, usize),
) -> Result<(), TrainError> {
    let sized = [("M", rows), ("P", cols)].into_iter();
    let extents: Extents = sized.filter_map(|(name, n)| Some((graph.dims.find(name)?, n))).collect();
    debug_assert!(extents.keys().all(|dim| matches!(dim, Dim::Symbol(_))));
    Ok(planner.lower(&Lowering { graph, extents: &extents, variables: places, outputs })?)
}

/// A formula with its variables at `given` and its value at `out`.
fn stage(
    planner: &mut Planner,
    formula: &Formula,
    given: &[At],
    out: At,
    size: (usize, usize),
) -> Result<(), TrainError> {
    let places: FxHashMap<Id, At> = formula.variables.iter().copied().zip(given.iter().copied()).collect();
    lower(planner, &formula.graph, &places, &[Output { node: formula.value, at: out }], size)
}

/// The update of `rows` x `cols` parameters; its memories.
fn by_rule(
    planner: &mut Planner,
    rule: &Rule,
    (w, g, (rows, cols)): (At, At, (usize, usize)),
) -> Result<Vec<(BufferId, f64)>, TrainError> {
    let mut places: FxHashMap<Id, At> = [(rule.w, w), (rule.g, g)].into_iter().collect();
    let mut outputs = vec![Output { node: rule.new_w, at: w }];
    let mut moments = Vec::new();
    for moment in &rule.moments {
        let size = if rule.graph.shape(moment.id).is_scalar() { 1 } else { rows * cols };
        let buffer = planner.fixed(&moment.name, size);
        places.insert(moment.id, at(buffer, 0));
        if moment.update != moment.id {
            outputs.push(Output { node: moment.update, at: at(buffer, 0) });
        }
        moments.push((buffer, moment.start));
    }
    lower(planner, &rule.graph, &places, &outputs, (rows, cols))?;
    Ok(moments)
}
