//! The numeric check of a derivative, independent of how it was found: against forward mode (no step size, so the
//! bound is tight) and against central differences (no calculus at all).

mod at;
mod reading;

use rustc_hash::FxHashMap;

use super::differentiate::linearize;
use super::sample::{Domain, domain_of, sample, within_facts};
use crate::lang::evaluate::{EvaluateError, Point, evaluate};
use crate::lang::{Graph, Id, Op, Role, Tensor};
use at::{Verdict, check_at};
pub use reading::Reading;

/// Bound on the difference to forward mode, relative to the largest element.
pub const FORWARD_TOLERANCE: f64 = 1e-12;
/// Bound on the difference to central differences.
pub const DIFFERENCE_TOLERANCE: f64 = 1e-6;
/// Step of central differences, relative to max(1, |x|): the cube root of the machine precision.
pub const STEP: f64 = 6e-6;

/// The outcome of a check that passed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Largest relative difference to forward mode.
    pub forward: f64,
    /// Largest relative difference to central differences.
    pub difference: f64,
    /// Directions that were redrawn because a kink lay between the points.
    pub redrawn: usize,
    /// Directions that were compared.
    pub directions: usize,
}

/// Why an answer is not shown.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CheckError {
    /// The formula disagrees with the numbers; a defect of ours.
    Disagrees {
        /// Relative difference to forward mode.
        forward: f64,
        /// Relative difference to central differences.
        difference: f64,
    },
    /// No point was found at which the expression and its differential are finite.
    NowhereFinite,
    /// Every direction crossed a kink.
    OnlyKinks,
    /// The expression cannot be evaluated.
    Evaluate(EvaluateError),
}

/// Draws a point for all variables of the expressions. Open dimensions get small numbers, different for each.
#[must_use]
pub fn random_point(graph: &Graph, roots: &[Id], domains: &dyn Fn(Id) -> Domain, seed: u64) -> Point {
    const EXTENTS: [usize; 8] = [5, 3, 4, 7, 2, 6, 9, 8];
    let mut point = Point::default();
    for (index, name) in graph.dims.names().enumerate() {
        if let Some(dim) = graph.dims.find(name)
            && matches!(dim, crate::lang::Dim::Symbol(_))
        {
            point.extents.entry(dim).or_insert(EXTENTS[index % EXTENTS.len()]);
        }
    }
    for id in graph.reachable(roots) {
        let Op::Variable(reference) = graph.op(id) else { continue };
        let variable = &graph.variables[reference.number as usize];
        if let Some(sizes) = point.sizes(graph, &reference.shape) {
            let value = match variable.role {
                Role::Clock => Tensor::scalar(1.0),
                Role::Constant => Tensor::scalar(variable.value.unwrap_or(1.0)),
                Role::Random(distribution) => sample(domain_of(distribution), &sizes, seed, reference.number, 0),
                _ => sample(within_facts(graph, id, domains(id)), &sizes, seed, reference.number, 0),
            };
            point.values.insert(id, value);
        }
    }
    point
}

/// An answer to be checked: the derivative of `function` with respect to the variable `wrt`.
#[derive(Clone, Copy, Debug)]
pub struct Claimed {
    /// What is differentiated.
    pub function: Id,
    /// The variable.
    pub wrt: Id,
    /// The derivative.
    pub answer: Id,
    /// What the derivative means.
    pub reading: Reading,
}

/// Where a random point is tried: most expressions are defined for normal values, some only for positive ones or for
/// matrices with an inverse.
const FALLBACK: [Domain; 9] = [
    Domain::Any,
    Domain::Any,
    Domain::Positive,
    Domain::Unit,
    Domain::Invertible,
    Domain::Definite,
    Domain::Any,
    Domain::Positive,
    Domain::Definite,
];

/// Checks the gradient of a 1 x 1 expression at random points.
///
/// # Errors
/// It disagrees, or there is no point to check it at.
pub fn check_gradient(
    graph: &mut Graph,
    root: Id,
    wrt: Id,
    gradient: Id,
    domains: Option<&dyn Fn(Id) -> Domain>,
) -> Result<Agreement, CheckError> {
    check(graph, Claimed { function: root, wrt, answer: gradient, reading: Reading::Inner }, domains)
}

/// Checks a derivative at random points against forward mode and central differences of the same graph. In a
/// [`Graph::plain`] no rule of simplification has touched either side.
///
/// # Errors
/// It disagrees, or there is no point to check it at.
pub fn check(
    graph: &mut Graph,
    claimed: Claimed,
    domains: Option<&dyn Fn(Id) -> Domain>,
) -> Result<Agreement, CheckError> {
    let Claimed { function, wrt, answer, reading } = claimed;
    check_together(graph, function, &[Part { wrt, answer, reading }], domains)
}

/// One of several derivatives of a function.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The variable.
    pub wrt: Id,
    /// The derivative.
    pub answer: Id,
    /// What the derivative means.
    pub reading: Reading,
}

/// As [`check`], several derivatives at once: in directions in which all variables move.
///
/// # Errors
/// They disagree, or there is no point to check them at.
pub fn check_together(
    graph: &mut Graph,
    function: Id,
    parts: &[Part],
    domains: Option<&dyn Fn(Id) -> Domain>,
) -> Result<Agreement, CheckError> {
    let mut seeds = Vec::with_capacity(parts.len());
    for part in parts {
        seeds.push((part.wrt, graph.variable("direction", Role::Differential, graph.shape(part.wrt))));
    }
    let tangent = linearize(graph, function, &seeds).tangent;
    let tangent = tangent.unwrap_or_else(|| graph.filled(0.0, graph.shape(function)));
    let mut last = CheckError::NowhereFinite;
    let mut roots = vec![function, tangent];
    for (part, seed) in parts.iter().zip(&seeds) {
        roots.extend([part.answer, part.wrt, seed.1]);
        if let Reading::Along(variable) = part.reading {
            roots.push(variable);
        }
    }
    for mut point in points(graph, &roots, domains) {
        match check_at(graph, (function, tangent), parts, &seeds, &mut point) {
            Ok(Verdict::Agrees(agreement)) => return Ok(agreement),
            Ok(Verdict::Wrong(error)) => return Err(error),
            Ok(Verdict::Unclear(error)) => last = error,
            Err(error @ (CheckError::NowhereFinite | CheckError::OnlyKinks)) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// Points to try, the most general first.
pub fn points<'g>(
    graph: &'g Graph,
    roots: &'g [Id],
    domains: Option<&'g dyn Fn(Id) -> Domain>,
) -> impl Iterator<Item = Point> + 'g {
    FALLBACK.iter().zip(17..).map(move |(&usual, seed)| {
        let choose = |id: Id| match domains {
            Some(domains) => domains(id),
            None => fitting(graph, id, usual),
        };
        random_point(graph, roots, &choose, seed)
    })
}

/// Domains of square matrices, for square matrices only.
fn fitting(graph: &Graph, id: Id, usual: Domain) -> Domain {
    let square = graph.shape(id).rank() == 2 && graph.shape(id).rows() == graph.shape(id).cols();
    match usual {
        Domain::Invertible | Domain::Definite if !square => Domain::Positive,
        domain => domain,
    }
}

/// Checks that two expressions are equal at random points: the largest difference relative to the larger side.
///
/// # Errors
/// They cannot be evaluated, or are finite nowhere.
pub fn difference_of(
    graph: &Graph,
    left: Id,
    right: Id,
    domains: &dyn Fn(Id) -> Domain,
    seed: u64,
) -> Result<(f64, Point, FxHashMap<Id, Tensor>), CheckError> {
    let point = random_point(graph, &[left, right], domains, seed);
    let values = evaluate(graph, &[left, right], &point).map_err(CheckError::Evaluate)?;
    let (a, b) = (values.get(left), values.get(right));
    if !a.is_finite() || !b.is_finite() {
        return Err(CheckError::NowhereFinite);
    }
    let scale = a.max_abs().max(b.max_abs()).max(1e-300);
    let largest = a.values.iter().zip(&b.values).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
    let both = [(left, a.clone()), (right, b.clone())].into_iter().collect();
    Ok((largest / scale, point, both))
}
