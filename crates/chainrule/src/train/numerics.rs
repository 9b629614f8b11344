//! What the notes warn of, looked for in a model: gradients that vanish or explode from layer to layer, units of relu that
//! are 0 for every example, units of tanh and sigmoid that are saturated.

use kernels::Pool;

use super::event::TrainError;
use super::predict::Forward;
use super::probe::{Probe, ranges};
use super::session::Session;
use crate::data::matrix::Matrix;
use crate::lang::ops::elementwise::Unary;
use crate::lang::{Id, Op, Role};
use crate::model::Program;
use crate::text::print;

/// A parameter: the roots of the mean squares of its elements and of those of its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterFigures {
    /// Its name.
    pub name: String,
    /// Elements.
    pub elements: usize,
    /// Has it more than one row?
    pub is_matrix: bool,
    /// Root mean square of its elements.
    pub weight: f64,
    /// Root mean square of its gradient on the first batch.
    pub gradient: f64,
}

/// An activation: what its units do on the training examples.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationFigures {
    /// Its name in the program, or its formula.
    pub name: String,
    /// `relu`, `tanh` or `sigmoid`.
    pub function: &'static str,
    /// Units: elements of a row.
    pub units: usize,
    /// Share of the values that are 0 (relu), or within a hundredth of a bound.
    pub flat: f64,
    /// Units for which this holds for every example.
    pub dead: usize,
}

/// The report.
#[derive(Clone, Debug, PartialEq)]
pub struct Numerics {
    /// The loss of the first batch.
    pub loss: f64,
    /// Parameters, in order of declaration.
    pub parameters: Vec<ParameterFigures>,
    /// Activations, in order of computation.
    pub activations: Vec<ActivationFigures>,
    /// What is amiss, a sentence each.
    pub findings: Vec<String>,
}

/// Examples that activations are looked at with, at most.
const EXAMPLES: usize = 2048;
/// Gradients of weights that differ by more than this factor from layer to layer are named.
const FACTOR: f64 = 1e3;
/// So near to a bound a unit is saturated: its slope is below 0.02 (tanh) or 0.01 (sigmoid).
const NEAR: f64 = 0.01;

/// Looks at a session with these parameters and states.
///
/// # Errors
/// The session cannot be compiled.
pub fn numerics(session: &Session, parameters: &[f64], states: &[f64]) -> Result<Numerics, TrainError> {
    let mut probe = Probe::new(session)?;
    probe.set(parameters, states);
    let loss = probe.loss();
    let gradients = probe.gradients();
    let mut list = Vec::new();
    for ((name, range), declared) in ranges(session)?.into_iter().zip(&session.program.parameters) {
        let rows = session.program.graph.shape(declared.id).resolved(&session.program.graph.dims).rows();
        list.push(ParameterFigures {
            name,
            elements: range.len(),
            is_matrix: rows != crate::lang::Dim::Known(1),
            weight: root_mean_square(&parameters[range.clone()]),
            gradient: root_mean_square(&gradients[range]),
        });
    }
    let activations = activations(session, parameters, states)?;
    let findings = findings(loss, &list, &activations);
    Ok(Numerics { loss, parameters: list, activations, findings })
}

fn root_mean_square(values: &[f64]) -> f64 {
    libm::sqrt(values.iter().map(|v| v * v).sum::<f64>() / values.len().max(1) as f64)
}

/// The nodes of the trained model that bound their values and depend on parameters.
fn bounded(program: &Program) -> Vec<(Id, &'static str)> {
    let Some(root) = program.predict.or(program.loss) else { return Vec::new() };
    let graph = &program.graph;
    let mut learnt = rustc_hash::FxHashSet::default();
    let mut list = Vec::new();
    for id in graph.reachable(&[root]) {
        let is_parameter = graph.as_variable(id).is_some_and(|v| v.role == Role::Parameter);
        if !is_parameter && !graph.args(id).iter().any(|arg| learnt.contains(arg)) {
            continue;
        }
        learnt.insert(id);
        let name = match graph.op(id) {
            Op::Unary(Unary::Relu) => "relu",
            Op::Unary(Unary::Tanh) => "tanh",
            Op::Unary(Unary::Sigmoid) if Some(id) != program.predict => "sigmoid",
            _ => continue,
        };
        if !graph.shape(id).is_scalar() {
            list.push((id, name));
        }
    }
    list
}

fn activations(session: &Session, parameters: &[f64], states: &[f64]) -> Result<Vec<ActivationFigures>, TrainError> {
    let program = session.program.at_prediction();
    let rows: Vec<u32> = (0..session.data.rows().min(EXAMPLES) as u32).collect();
    let data = session.data.select(&rows);
    let pool = Pool::new(1);
    let mut list = Vec::new();
    for (id, function) in bounded(program) {
        let mut forward = Forward::<f64>::new(program, id, &data)?;
        forward.set(parameters, states);
        forward.run(&pool);
        let (flat, dead) = flat(&forward.result(), function);
        let name = program.graph.name(id).map_or_else(|| print::text(&program.graph, id), str::to_owned);
        let units = forward.result().cols;
        list.push(ActivationFigures { name, function, units, flat, dead });
    }
    Ok(list)
}

/// The share of flat values, and the units that are flat for every example.
fn flat(values: &Matrix, function: &str) -> (f64, usize) {
    let is_flat = |v: f64| match function {
        "relu" => v == 0.0,
        "tanh" => v.abs() > 1.0 - NEAR,
        _ => !(NEAR..=1.0 - NEAR).contains(&v),
    };
    let count = values.values.iter().filter(|&&v| is_flat(v)).count();
    let dead = (0..values.cols).filter(|&col| (0..values.rows).all(|row| is_flat(values.row(row)[col]))).count();
    (count as f64 / values.values.len().max(1) as f64, if values.rows == 0 { 0 } else { dead })
}

fn findings(loss: f64, parameters: &[ParameterFigures], activations: &[ActivationFigures]) -> Vec<String> {
    let mut list = Vec::new();
    if !loss.is_finite() {
        list.push("the loss is not finite".to_owned());
    }
    for figures in parameters.iter().filter(|figures| !figures.gradient.is_finite()) {
        list.push(format!("the gradient of {} is not finite", figures.name));
    }
    for figures in parameters.iter().filter(|figures| figures.gradient == 0.0) {
        list.push(format!("the gradient of {} is 0: it does not learn", figures.name));
    }
    let matrices: Vec<&ParameterFigures> =
        parameters.iter().filter(|p| p.is_matrix && p.gradient > 0.0 && p.gradient.is_finite()).collect();
    if let (Some(first), Some(last)) = (matrices.first(), matrices.last()) {
        let ratio = first.gradient / last.gradient;
        let what = match ratio {
            r if r < 1.0 / FACTOR => "gradients vanish on their way back",
            r if r > FACTOR => "gradients explode on their way back",
            _ => "",
        };
        if !what.is_empty() {
            list.push(format!("{what}: that of {} is {ratio:.1e} times that of {}", first.name, last.name));
        }
    }
    for figures in activations {
        let (dead, units, name) = (figures.dead, figures.units, &figures.name);
        match figures.function {
            "relu" if dead > 0 => list.push(format!("{dead} of {units} units of {name} are 0 for every example")),
            "tanh" | "sigmoid" if dead > 0 => {
                list.push(format!("{dead} of {units} units of {name} are saturated for every example"));
            }
            "tanh" | "sigmoid" if figures.flat > 0.5 => {
                list.push(format!("{:.0} % of {name} is saturated", 100.0 * figures.flat));
            }
            _ => {}
        }
    }
    list
}
