//! Floor 3: from graph to plan. A plan is a flat list of kernel calls over numbered buffers; lowering is one-way.
//!
//! Passes, in order: take (which nodes are needed, `step(a)` through `relu(a)`) → fuse (which nodes share a loop) →
//! order → emit (kernel calls over symbolic buffers) → place (offsets in one arena, reusing dead ones) → verify. Passes
//! ask the class of an operation, never its name; only `emit` names kernels.

mod contraction;
mod elementwise;
pub mod emit;
pub mod explain;
pub mod fuse;
pub mod host;
pub mod layout;
pub mod place;
pub mod steps;
pub mod take;
pub mod verify;

pub use elementwise::program as elementwise_program;
pub use steps::{At, Buffer, BufferId, Plan, PlanError, Region, Step};

use crate::lang::{Dim, Graph, Id};
use rustc_hash::FxHashMap;

/// Where a value that the plan computes goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The node.
    pub node: Id,
    /// Its place; the elements are stored there row by row.
    pub at: At,
}

/// One graph to lower: several may become one plan (a model, then its optimizer).
pub struct Lowering<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// Numbers of open dimensions.
    pub extents: &'a FxHashMap<Dim, usize>,
    /// Where variables live. A clock has no place: the host computes what depends on clocks alone.
    pub variables: &'a FxHashMap<Id, At>,
    /// What to compute, in this order when nothing else decides.
    pub outputs: &'a [Output],
}

/// A plan under construction: buffers that live through it, and the steps so far.
#[derive(Default)]
pub struct Planner {
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// All steps, with symbolic buffers.
    pub steps: Vec<Step>,
    /// Scalars that the host computes before each run.
    pub host: host::HostProgram,
    /// What each step computes, for messages.
    pub labels: Vec<steps::Label>,
}

impl Planner {
    /// An empty planner.
    #[must_use]
    pub fn new() -> Planner {
        Planner::default()
    }

    /// A buffer that lives through the whole plan.
    pub fn fixed(&mut self, name: &str, len: usize) -> BufferId {
        self.buffer(name, len, Region::Fixed)
    }

    pub(crate) fn buffer(&mut self, name: &str, len: usize, region: Region) -> BufferId {
        self.buffers.push(Buffer { name: name.to_owned(), len, region, offset: 0 });
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// Appends the steps that compute the outputs of a graph.
    ///
    /// # Errors
    /// A dimension is open, a variable has no place, or a size is too large.
    pub fn lower(&mut self, lowering: &Lowering) -> Result<(), PlanError> {
        let taken = take::take(lowering)?;
        let groups = fuse::fuse(lowering, &taken);
        emit::emit(self, lowering, &taken, &groups)
    }

    /// Places the buffers and checks the result.
    ///
    /// # Errors
    /// The arena would be larger than memory can be addressed.
    pub fn finish(self) -> Result<Plan, PlanError> {
        let plan = place::place(self)?;
        if cfg!(debug_assertions) {
            verify::verify(&plan).expect("every plan that the passes make is sound");
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests;
