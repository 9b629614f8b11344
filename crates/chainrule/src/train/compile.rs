//! A program with numbers for its dimensions becomes plans: a training step (forward, backward, update), or a forward
//! pass for a loss or a prediction.

use rustc_hash::FxHashMap;

use super::event::TrainError;
use super::randomness::{Drawn, place};
use super::source::Data;
use super::update::{Memory, Vectors, update};
use crate::calculus::differentiate::gradients;
use crate::lang::{Dim, Graph, Id, Role};
use crate::model::Program;
use crate::optim::Rule;
use crate::plan::{At, BufferId, Lowering, Output, Plan, Planner};

/// Numbers of the open dimensions.
pub type Extents = FxHashMap<Dim, usize>;

/// Where a variable of the data goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fed {
    /// Its name.
    pub name: String,
    /// Its place.
    pub at: At,
    /// Elements of a row.
    pub cols: usize,
    /// Rows in the plan.
    pub rows: usize,
    /// Does each row belong to an example?
    pub per_example: bool,
}

/// A training step.
#[derive(Clone, Debug)]
pub struct TrainingPlan {
    /// The plan.
    pub plan: Plan,
    /// Calls of the forward and backward pass.
    pub model_steps: usize,
    /// The call with which the update begins; those between accumulate gradients.
    pub update: usize,
    /// Batches whose gradients make one update.
    pub batches: u32,
    /// The parameters of a trained model: all parameters, or their average.
    pub result: BufferId,
    /// All parameters.
    pub parameters: BufferId,
    /// Their gradients, in the same order.
    pub gradients: BufferId,
    /// Memories of the optimizer and the values they start with.
    pub moments: Vec<(BufferId, f64)>,
    /// States of the program.
    pub states: BufferId,
    /// Where data goes.
    pub fed: Vec<Fed>,
    /// Random numbers that are drawn for every step.
    pub random: Vec<Drawn>,
    /// The loss.
    pub loss: At,
}

impl TrainingPlan {
    /// An update needs all its batches within an epoch.
    ///
    /// # Errors
    /// An epoch has too few.
    pub fn check_batches(&self, of_epoch: u32) -> Result<(), TrainError> {
        if self.batches <= of_epoch {
            return Ok(());
        }
        let message = format!("`accumulate` asks for {} batches, an epoch has {of_epoch}", self.batches);
        Err(TrainError::Option(message))
    }
}

/// A forward pass.
#[derive(Clone, Debug)]
pub struct ForwardPlan {
    /// The plan.
    pub plan: Plan,
    /// All parameters.
    pub parameters: BufferId,
    /// States of the program.
    pub states: BufferId,
    /// Where data goes.
    pub fed: Vec<Fed>,
    /// The result.
    pub out: At,
    /// Its rows and columns.
    pub size: (usize, usize),
    /// Where another result goes, and its rows and columns.
    pub beside: Option<(At, (usize, usize))>,
}

/// The dimension that counts examples: the rows of the first input.
#[must_use]
pub fn example_dim(program: &Program) -> Option<Dim> {
    let first = program.inputs.first().or(program.targets.first())?;
    Some(program.graph.dims.resolve(program.graph.shape(*first).rows()))
}

/// Numbers of dimensions from the data, with `batch` rows in place of all examples.
///
/// # Errors
/// A matrix does not have the declared shape, or the examples cannot be divided.
pub fn extents(program: &Program, data: &Data, batch: Option<usize>) -> Result<Extents, TrainError> {
    let mut extents = Extents::default();
    let examples = example_dim(program);
    let graph = &program.graph;
    for (name, matrix) in &data.matrices {
        let Some(id) = program.scope.get(name).filter(|&id| graph.as_variable(id).is_some()) else { continue };
        let shape = graph.shape(id);
        for (dim, size) in [(shape.rows(), matrix.rows), (shape.cols(), matrix.cols)] {
            let dim = graph.dims.resolve(dim);
            let size = match batch {
                Some(rows) if Some(dim) == examples && matches!(dim, Dim::Symbol(_)) => rows,
                _ => size,
            };
            let known = match dim {
                Dim::Known(n) => n as usize,
                symbol => *extents.entry(symbol).or_insert(size),
            };
            if known != size {
                let declared = graph.dims.list(shape.dims());
                let message = format!("`{name}` is declared {declared}, its data is {} x {}", matrix.rows, matrix.cols);
                return Err(TrainError::Data(message));
            }
        }
    }
    Ok(extents)
}

/// Elements of a variable.
pub(super) fn elements(graph: &Graph, id: Id, extents: &Extents) -> Result<Vec<usize>, TrainError> {
    let open = |dim: Dim| extents.get(&dim).map(|&n| n as u64);
    let shape = graph.shape(id);
    let sizes: Option<Vec<usize>> =
        shape.dims().iter().map(|&d| graph.dims.value_with(d, &open).map(|n| n as usize)).collect();
    sizes.ok_or_else(|| {
        let name = graph.as_variable(id).map_or("?", |v| v.name.as_str());
        TrainError::Data(format!("`{name}` is {}, but no data says how large that is", graph.dims.list(shape.dims())))
    })
}

/// Buffers of the variables of a program.
pub(super) struct Variables {
    pub(super) places: FxHashMap<Id, At>,
    pub(super) parameters: BufferId,
    pub(super) states: BufferId,
    pub(super) fed: Vec<Fed>,
}

pub(super) fn place_variables(
    planner: &mut Planner,
    program: &Program,
    extents: &Extents,
) -> Result<Variables, TrainError> {
    let graph = &program.graph;
    let mut places = FxHashMap::default();
    let mut flat = |planner: &mut Planner, name: &str, ids: &[Id]| -> Result<BufferId, TrainError> {
        let mut total = 0;
        let mut offsets = Vec::new();
        for &id in ids {
            offsets.push((id, total));
            total += elements(graph, id, extents)?.iter().product::<usize>();
        }
        let buffer = planner.fixed(name, total);
        places.extend(offsets.into_iter().map(|(id, offset)| (id, At { buffer, offset })));
        Ok(buffer)
    };
    let ids = |list: &[crate::model::statements::Declared]| list.iter().map(|d| d.id).collect::<Vec<Id>>();
    let parameters = flat(planner, "parameters", &ids(&program.parameters))?;
    let states = flat(planner, "states", &ids(&program.states))?;
    let mut fed = Vec::new();
    let examples = example_dim(program);
    for &id in program.inputs.iter().chain(&program.targets) {
        let sizes = elements(graph, id, extents)?;
        let name = program.name_of(id).to_owned();
        let at = At { buffer: planner.fixed(&name, sizes.iter().product()), offset: 0 };
        places.insert(id, at);
        let per_example = Some(graph.dims.resolve(graph.shape(id).rows())) == examples;
        fed.push(Fed { name, at, cols: sizes[1..].iter().product(), rows: sizes[0], per_example });
    }
    Ok(Variables { places, parameters, states, fed })
}

/// Compiles a training step.
///
/// # Errors
/// See [`TrainError`].
pub fn training(program: &Program, rule: &Rule, extents: &Extents) -> Result<TrainingPlan, TrainError> {
    let loss = program.loss.ok_or_else(|| TrainError::Data("the program has no `loss`".to_owned()))?;
    let mut graph = program.graph.clone();
    let wrt: Vec<Id> = program.parameters.iter().map(|p| p.id).collect();
    let gradients = gradients(&mut graph, loss, &wrt);
    let mut planner = Planner::new();
    let mut variables = place_variables(&mut planner, program, extents)?;
    let total = planner.buffers[variables.parameters.0 as usize].len;
    let gradient_buffer = planner.fixed("gradients", total);
    let loss_at = At { buffer: planner.fixed("loss", 1), offset: 0 };
    let mut outputs = vec![Output { node: loss, at: loss_at }];
    // The last parameters first: the backward pass meets them in this order and frees what they need.
    for (&id, &gradient) in wrt.iter().zip(&gradients).rev() {
        let offset = variables.places[&id].offset;
        outputs.push(Output { node: gradient, at: At { buffer: gradient_buffer, offset } });
    }
    for state in &program.states {
        if let Some(update) = state.update {
            outputs.push(Output { node: update, at: variables.places[&state.id] });
        }
    }
    let roots: Vec<Id> = outputs.iter().map(|output| output.node).collect();
    let random = place(&mut planner, program, extents, &graph.reachable(&roots))?;
    variables.places.extend(random.iter().map(Drawn::placed));
    planner.lower(&Lowering { graph: &graph, extents, variables: &variables.places, outputs: &outputs })?;
    let model_steps = planner.steps.len();
    let Variables { parameters, states, fed, .. } = variables;
    let vectors = Vectors { program, extents, parameters, gradients: gradient_buffer, total };
    let Memory { moments, batches, update, result } = update(&mut planner, rule, &vectors)?;
    let plan = planner.finish()?;
    Ok(TrainingPlan {
        plan,
        model_steps,
        parameters,
        gradients: gradient_buffer,
        moments,
        batches,
        update,
        result,
        states,
        fed,
        random,
        loss: loss_at,
    })
}

/// Compiles a forward pass to a node of the program, and perhaps to another one on the way.
///
/// # Errors
/// See [`TrainError`].
pub fn forward(program: &Program, node: Id, other: Option<Id>, extents: &Extents) -> Result<ForwardPlan, TrainError> {
    let mut planner = Planner::new();
    let roots: Vec<Id> = [node].into_iter().chain(other).collect();
    let needed = program.graph.reachable(&roots);
    let variables = place_needed(&mut planner, program, extents, &needed)?;
    let mut outputs = Vec::with_capacity(roots.len());
    let mut sizes = Vec::with_capacity(roots.len());
    for (name, node) in ["result", "beside"].into_iter().zip(roots) {
        let extent = elements(&program.graph, node, extents)?;
        let len: usize = extent.iter().product();
        outputs.push(Output { node, at: At { buffer: planner.fixed(name, len), offset: 0 } });
        sizes.push((extent[0], len / extent[0].max(1)));
    }
    planner.lower(&Lowering { graph: &program.graph, extents, variables: &variables.places, outputs: &outputs })?;
    let beside = outputs.get(1).map(|output| (output.at, sizes[1]));
    let Variables { parameters, states, fed, .. } = variables;
    Ok(ForwardPlan { plan: planner.finish()?, parameters, states, fed, out: outputs[0].at, size: sizes[0], beside })
}

/// As [`place_variables`]; targets that the result does not need have no place, and need no data.
fn place_needed(
    planner: &mut Planner,
    program: &Program,
    extents: &Extents,
    needed: &[Id],
) -> Result<Variables, TrainError> {
    let uses = |id: &Id| needed.binary_search(id).is_ok();
    let mut kept = program.clone();
    kept.inputs.retain(uses);
    kept.targets.retain(uses);
    let mut variables = place_variables(planner, &kept, extents)?;
    let examples = example_dim(program);
    for fed in &mut variables.fed {
        let id = program.scope.get(&fed.name).expect("fed variables are in the scope");
        fed.per_example = Some(program.graph.dims.resolve(program.graph.shape(id).rows())) == examples;
    }
    Ok(variables)
}

/// Is the variable one that data must give?
#[must_use]
pub fn is_data(role: Role) -> bool {
    matches!(role, Role::Input | Role::Target)
}
