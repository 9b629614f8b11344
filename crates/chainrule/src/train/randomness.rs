//! The random numbers of a step: masks of dropout, noise.

use kernels::Real;
use kernels::random::{Purpose, Stream};

use super::compile::elements;
use super::compile::{Extents, example_dim};
use super::event::TrainError;
use crate::lang::{Distribution, Id, Role};
use crate::model::Program;
use crate::plan::{At, BufferId, Planner};
use crate::run::Machine;

/// Random numbers that a plan needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The variable.
    id: Id,
    /// Where they go.
    buffer: BufferId,
    /// What they are drawn from.
    distribution: Distribution,
    /// The how many-th random variable of the program.
    number: u32,
    /// Rows and elements of a row, when each row belongs to an example; else one row with all elements.
    rows: usize,
    cols: usize,
    per_example: bool,
}

/// Where in a run numbers are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The run's seed.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u32,
    /// The step within the epoch, from 0.
    pub step: u32,
}

/// Places for the random variables among `needed` nodes.
///
/// # Errors
/// A dimension has no number.
pub(super) fn place(
    planner: &mut Planner,
    program: &Program,
    extents: &Extents,
    needed: &[Id],
) -> Result<Vec<Drawn>, TrainError> {
    let graph = &program.graph;
    let examples = example_dim(program);
    let random = graph.variables.iter().filter_map(|variable| match variable.role {
        Role::Random(distribution) => Some((variable, distribution)),
        _ => None,
    });
    let mut list = Vec::new();
    for (number, (variable, distribution)) in (0..).zip(random) {
        if needed.binary_search(&variable.id).is_err() {
            continue;
        }
        let sizes = elements(graph, variable.id, extents)?;
        let len: usize = sizes.iter().product();
        let per_example = Some(graph.dims.resolve(graph.shape(variable.id).rows())) == examples;
        let rows = if per_example { sizes[0] } else { 1 };
        let buffer = planner.fixed(&variable.name, len);
        let cols = len / rows.max(1);
        list.push(Drawn { id: variable.id, buffer, distribution, number, rows, cols, per_example });
    }
    Ok(list)
}

impl Drawn {
    /// The variable and its place.
    pub(super) fn placed(&self) -> (Id, At) {
        (self.id, At { buffer: self.buffer, offset: 0 })
    }
}

/// Draws the numbers of a step. A row that belongs to an example is keyed by the example's place in the epoch: an epoch
/// that is cut into other batches has the same numbers. Allocates nothing.
pub fn draw<T: Real>(machine: &mut Machine<T>, list: &[Drawn], moment: Moment) {
    for drawn in list {
        let out = machine.buffer_mut(drawn.buffer);
        let first = if drawn.per_example { moment.step * drawn.rows as u32 } else { moment.step };
        for (row, out) in (first..).zip(out.chunks_exact_mut(drawn.cols.max(1))) {
            let stream = Stream::numbered(moment.seed, Purpose::Mask, drawn.number, moment.epoch, row);
            match drawn.distribution {
                Distribution::Uniform => stream.fill_uniform(out),
                Distribution::Normal => stream.fill_normal(out),
            }
        }
    }
}
