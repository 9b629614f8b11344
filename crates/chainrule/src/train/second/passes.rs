//! Passes over blocks of rows: a plan for blocks of a fixed size, and one for the shorter block at the end.

use kernels::Pool;
use rustc_hash::FxHashMap;

use crate::lang::{Graph, Id};
use crate::model::Program;
use crate::plan::{At, BufferId, Lowering, Output, Planner};
use crate::run::Machine;
use crate::train::compile::{Extents, Fed, extents, place_variables};
use crate::train::event::TrainError;
use crate::train::predict::{find, out_of_memory};
use crate::train::source::Data;

/// A program's graph with the variables that second-order methods add to it.
pub(super) struct Setting<'a> {
    pub(super) program: &'a Program,
    pub(super) data: &'a Data,
    pub(super) states: &'a [f64],
    pub(super) graph: Graph,
    /// The variable of the number of all examples.
    pub(super) examples: Option<Id>,
    /// Variables that stand for numbers of all examples, with their values.
    pub(super) constants: Vec<(Id, Vec<f64>)>,
    /// Rows of identity matrices: the variable, its length, the place of the one.
    pub(super) picks: Vec<(Id, usize, usize)>,
    /// A direction in the space of the parameters: a variable for each.
    pub(super) direction: Vec<Id>,
    /// Cotangents of outputs that the solver gives, with their columns.
    pub(super) cotangents: Vec<(Id, usize)>,
}

impl<'a> Setting<'a> {
    /// A program as it is.
    pub(super) fn plain(program: &'a Program, data: &'a Data, states: &'a [f64]) -> Setting<'a> {
        let graph = program.graph.clone();
        let (constants, picks, direction, cotangents) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Setting { program, data, states, graph, examples: None, constants, picks, direction, cotangents }
    }
}

/// What a pass computes: asks the planner for buffers and says which nodes go there.
pub(super) type Ask<'a, T> = &'a mut dyn FnMut(&mut Planner, &Extents) -> Result<(T, Vec<Output>), TrainError>;

/// A machine for blocks of some rows, with the places of what it computes.
pub(super) struct Pass<T> {
    constants: Vec<BufferId>,
    pub(super) machine: Machine<f64>,
    pub(super) parameters: BufferId,
    pub(super) direction: Option<BufferId>,
    pub(super) cotangents: Vec<BufferId>,
    fed: Vec<Fed>,
    pub(super) rows: usize,
    /// First row of the block whose data is loaded.
    loaded: Option<usize>,
    clocks: Vec<f64>,
    pub(super) places: T,
}

impl<T> Pass<T> {
    pub(super) fn new(setting: &Setting, rows: usize, ask: Ask<T>) -> Result<Pass<T>, TrainError> {
        let (program, data) = (setting.program, setting.data);
        let extents = extents(program, data, (data.rows() != rows).then_some(rows))?;
        let mut planner = Planner::new();
        let mut variables = place_variables(&mut planner, program, &extents)?;
        let mut given: Vec<(At, Vec<f64>)> = Vec::new();
        let number = setting.examples.map(|id| (id, vec![data.rows() as f64]));
        let row = |&(id, len, k): &(Id, usize, usize)| (id, (0..len).map(|c| f64::from(u8::from(c == k))).collect());
        let constants = setting.constants.iter().cloned();
        for (id, values) in constants.chain(number).chain(setting.picks.iter().map(row)) {
            let at = At { buffer: planner.fixed("given", values.len()), offset: 0 };
            variables.places.insert(id, at);
            given.push((at, values));
        }
        let direction = place_direction(setting, &mut planner, variables.parameters, &mut variables.places);
        let cotangents = place_cotangents(setting, &mut planner, rows, &mut variables.places);
        let (places, outputs) = ask(&mut planner, &extents)?;
        let graph = &setting.graph;
        planner.lower(&Lowering { graph, extents: &extents, variables: &variables.places, outputs: &outputs })?;
        let plan = planner.finish()?;
        let mut machine = Machine::new(&plan, &[]).map_err(|_| out_of_memory::<f64>(plan.arena_len))?;
        given.iter().for_each(|(at, values)| machine.set(*at, values));
        machine.buffer_mut(variables.states).copy_from_slice(setting.states);
        for fed in &variables.fed {
            let matrix = find(data, fed)?;
            if !fed.per_example {
                machine.set(fed.at, &matrix.values);
            }
        }
        let clocks = vec![0.0; machine.clocks().len()];
        let constants = given.iter().take(setting.constants.len()).map(|(at, _)| at.buffer).collect();
        let (parameters, fed) = (variables.parameters, variables.fed);
        Ok(Pass { constants, machine, parameters, direction, cotangents, fed, rows, loaded: None, clocks, places })
    }

    /// The data is other data of the same size, with these constants.
    pub(super) fn forget(&mut self, constants: &[Vec<f64>]) {
        self.loaded = None;
        for (&buffer, values) in self.constants.iter().zip(constants) {
            self.machine.buffer_mut(buffer).copy_from_slice(values);
        }
    }

    fn load(&mut self, data: &Data, start: usize) {
        if self.loaded == Some(start) {
            return;
        }
        for fed in self.fed.iter().filter(|fed| fed.per_example) {
            let matrix = data.get(&fed.name).expect("its presence was checked");
            let rows = &matrix.values[start * fed.cols..(start + self.rows) * fed.cols];
            self.machine.buffer_mut(fed.at.buffer).copy_from_slice(rows);
        }
        self.loaded = Some(start);
    }

    pub(super) fn run(&mut self, data: &Data, start: usize, pool: &Pool) {
        self.load(data, start);
        self.machine.run(pool, &self.clocks);
    }

    pub(super) fn set(&mut self, w: &[f64]) {
        self.machine.buffer_mut(self.parameters).copy_from_slice(w);
    }

    /// Sets the direction.
    pub(super) fn aim(&mut self, direction: &[f64]) {
        if let Some(buffer) = self.direction {
            self.machine.buffer_mut(buffer).copy_from_slice(direction);
        }
    }

    pub(super) fn values(&self, buffer: BufferId) -> &[f64] {
        self.machine.buffer(buffer)
    }
}

fn place_direction(
    setting: &Setting,
    planner: &mut Planner,
    parameters: BufferId,
    places: &mut FxHashMap<Id, At>,
) -> Option<BufferId> {
    if setting.direction.is_empty() {
        return None;
    }
    let total = planner.buffers[parameters.0 as usize].len;
    let buffer = planner.fixed("direction", total);
    for (&id, parameter) in setting.direction.iter().zip(&setting.program.parameters) {
        let offset = places[&parameter.id].offset;
        places.insert(id, At { buffer, offset });
    }
    Some(buffer)
}

fn place_cotangents(
    setting: &Setting,
    planner: &mut Planner,
    rows: usize,
    places: &mut FxHashMap<Id, At>,
) -> Vec<BufferId> {
    let mut list = Vec::new();
    for &(id, columns) in &setting.cotangents {
        let buffer = planner.fixed("cotangent", rows * columns);
        places.insert(id, At { buffer, offset: 0 });
        list.push(buffer);
    }
    list
}

/// Passes over all rows, block by block, always in the same blocks.
pub(super) struct Passes<T> {
    full: Option<Pass<T>>,
    rest: Option<Pass<T>>,
    block: usize,
    rows: usize,
    /// The parameters at which every block was run, while each has a machine of its own.
    held: Option<Vec<f64>>,
}

impl<T> Passes<T> {
    /// Plans for all rows in blocks of `block` rows.
    pub(super) fn new(setting: &Setting, block: usize, ask: Ask<T>) -> Result<Passes<T>, TrainError> {
        let rows = setting.data.rows();
        let block = block.clamp(1, rows.max(1));
        let full = if rows >= block { Some(Pass::new(setting, block, ask)?) } else { None };
        let left = rows % block;
        let rest = if left > 0 { Some(Pass::new(setting, left, ask)?) } else { None };
        Ok(Passes { full, rest, block, rows, held: None })
    }

    /// Sets the parameters of all passes.
    pub(super) fn set(&mut self, w: &[f64]) {
        self.full.iter_mut().chain(&mut self.rest).for_each(|pass| pass.set(w));
    }

    /// Takes values that other passes over the same blocks have computed, where each block has a machine of its own.
    pub(super) fn take_from<U>(&mut self, other: &Passes<U>, shared: impl Fn(&U) -> &[BufferId]) {
        let mine = [&mut self.full, &mut self.rest];
        for (pass, source) in mine.into_iter().zip([&other.full, &other.rest]) {
            let (Some(pass), Some(source)) = (pass, source) else { continue };
            for (&to, &from) in pass.cotangents.iter().zip(shared(&source.places)) {
                pass.machine.buffer_mut(to).copy_from_slice(source.machine.buffer(from));
            }
        }
    }

    /// Has each block a machine of its own, which keeps what it computed?
    pub(super) fn is_resident(&self) -> bool {
        self.rows < 2 * self.block
    }

    /// Runs all blocks at `w`, unless that is where they were run last; `each` is told the pass of every block, in order.
    pub(super) fn run_at(&mut self, w: &[f64], data: &Data, pool: &Pool, mut each: impl FnMut(&mut Pass<T>)) {
        if self.held.as_deref() == Some(w) {
            return self.full.iter_mut().chain(&mut self.rest).for_each(each);
        }
        self.set(w);
        self.run(data, pool, |pass, _| each(pass));
        if self.is_resident() {
            let held = self.held.get_or_insert_with(Vec::new);
            held.clear();
            held.extend_from_slice(w);
        }
    }

    /// The data is other data of the same size, with these constants.
    pub(super) fn forget(&mut self, constants: &[Vec<f64>]) {
        self.held = None;
        self.full.iter_mut().chain(&mut self.rest).for_each(|pass| pass.forget(constants));
    }

    /// Sets the direction of all passes.
    pub(super) fn aim(&mut self, direction: &[f64]) {
        self.full.iter_mut().chain(&mut self.rest).for_each(|pass| pass.aim(direction));
    }

    /// Runs all blocks in order; `each` is told the pass and its first row.
    pub(super) fn run(&mut self, data: &Data, pool: &Pool, mut each: impl FnMut(&mut Pass<T>, usize)) {
        for start in (0..self.rows).step_by(self.block.max(1)) {
            let pass = if self.rows - start >= self.block { &mut self.full } else { &mut self.rest };
            if let Some(pass) = pass {
                pass.run(data, start, pool);
                each(pass, start);
            }
        }
    }
}
