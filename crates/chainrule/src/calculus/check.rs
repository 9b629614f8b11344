//! The numeric check of a gradient, independent of how it was derived: against forward mode (no step size, so the
//! bound is tight) and against central differences (no calculus at all).

use rustc_hash::FxHashMap;

use super::differentiate::linearize;
use super::sample::{Domain, sample, within_facts};
use crate::lang::evaluate::{EvaluateError, Point, evaluate};
use crate::lang::{Graph, Id, Op, Role, Tensor};

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
                _ => sample(within_facts(graph, id, domains(id)), &sizes, seed, reference.number, 0),
            };
            point.values.insert(id, value);
        }
    }
    point
}

/// Checks `gradient` of the 1 x 1 expression `root` with respect to the variable `wrt` at random points.
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
    let direction = graph.variable("direction", Role::Differential, graph.shape(wrt));
    let tangent = linearize(graph, root, &[(wrt, direction)]).tangent;
    let tangent = tangent.unwrap_or_else(|| graph.constant(0.0));
    let fallback = [Domain::Any, Domain::Positive, Domain::Unit, Domain::Invertible, Domain::Definite];
    let tries: usize = if domains.is_some() { 3 } else { fallback.len() };
    let mut last = CheckError::NowhereFinite;
    for (attempt, &usual) in fallback.iter().enumerate().take(tries) {
        let square = |graph: &Graph, id: Id| graph.shape(id).rows() == graph.shape(id).cols();
        let choose = |id: Id| match domains {
            Some(domains) => domains(id),
            None => match usual {
                Domain::Invertible | Domain::Definite if !square(graph, id) => Domain::Positive,
                domain => domain,
            },
        };
        let mut point = random_point(graph, &[root, gradient, wrt, direction], &choose, 17 + attempt as u64);
        match check_at(graph, root, wrt, gradient, (direction, tangent), &mut point) {
            Err(error @ (CheckError::NowhereFinite | CheckError::OnlyKinks)) => last = error,
            other => return other,
        }
    }
    Err(last)
}

fn check_at(
    graph: &Graph,
    root: Id,
    wrt: Id,
    gradient: Id,
    (direction, tangent): (Id, Id),
    point: &mut Point,
) -> Result<Agreement, CheckError> {
    let centre = evaluate(graph, &[root, gradient], point).map_err(CheckError::Evaluate)?;
    let g = centre.get(gradient).clone();
    if !centre.get(root).is_finite() || !g.is_finite() {
        return Err(CheckError::NowhereFinite);
    }
    let x = point.values[&wrt].clone();
    let mut agreement = Agreement::default();
    let scale = g.max_abs().max(1.0);
    let directions = directions(&x);
    for u in &directions {
        point.values.insert(direction, u.clone());
        let along = evaluate(graph, &[tangent], point).map_err(CheckError::Evaluate)?.get(tangent).values[0];
        let inner: f64 = g.values.iter().zip(&u.values).map(|(a, b)| a * b).sum();
        let length = u.values.iter().map(|v| v * v).sum::<f64>().sqrt().max(1.0);
        agreement.forward = agreement.forward.max((along - inner).abs() / (scale * length));
        let Some(numeric) = central_difference(graph, root, wrt, (&x, u), STEP, point)? else {
            agreement.redrawn += 1;
            continue;
        };
        let mut error = (numeric - inner).abs() / (scale * length);
        // Where the third derivative is large the error falls as the square of the step, and is taken out; that of a
        // wrong gradient stays, whatever the step.
        for step in [STEP, STEP / 16.0, STEP / 256.0] {
            if error <= DIFFERENCE_TOLERANCE {
                break;
            }
            let wide = central_difference(graph, root, wrt, (&x, u), step, point)?;
            let near = central_difference(graph, root, wrt, (&x, u), step / 2.0, point)?;
            if let (Some(wide), Some(near)) = (wide, near) {
                let extrapolated = near + (near - wide) / 3.0;
                error = error.min((extrapolated - inner).abs() / (scale * length));
            }
        }
        agreement.directions += 1;
        agreement.difference = agreement.difference.max(error);
    }
    if agreement.directions == 0 && !directions.is_empty() {
        return Err(CheckError::OnlyKinks);
    }
    // The value itself is only known to a few units of its own rounding, divided by the step.
    let floor = centre.get(root).max_abs() * f64::EPSILON * 8.0 / STEP / scale;
    if agreement.forward <= FORWARD_TOLERANCE.max(floor * STEP)
        && agreement.difference <= DIFFERENCE_TOLERANCE.max(floor)
    {
        Ok(agreement)
    } else {
        Err(CheckError::Disagrees { forward: agreement.forward, difference: agreement.difference })
    }
}

/// Every coordinate when there are few, and random directions.
fn directions(x: &Tensor) -> Vec<Tensor> {
    let n = x.values.len();
    let mut list = Vec::new();
    if n <= 32 {
        for at in 0..n {
            let mut u = Tensor::filled(&x.sizes, 0.0);
            u.values[at] = 1.0;
            list.push(u);
        }
    }
    if n > 0 {
        let count = if n <= 32 { 2 } else { 8 };
        list.extend((0..count).map(|k| sample(Domain::Any, &x.sizes, 23, 1000 + k, 1)));
    }
    list
}

/// (f(x + h u) - f(x - h u)) / 2h, or `None` when a kink lies between the points.
fn central_difference(
    graph: &Graph,
    root: Id,
    wrt: Id,
    (x, u): (&Tensor, &Tensor),
    step: f64,
    point: &mut Point,
) -> Result<Option<f64>, CheckError> {
    let h = step * x.max_abs().max(1.0) / u.max_abs().max(1.0);
    let mut values = [0.0; 2];
    let mut branches = Vec::new();
    for (value, sign) in values.iter_mut().zip([1.0, -1.0]) {
        let moved = x.values.iter().zip(&u.values).map(|(x, u)| x + sign * h * u).collect();
        point.values.insert(wrt, Tensor { sizes: x.sizes.clone(), values: moved });
        let evaluated = evaluate(graph, &[root], point).map_err(CheckError::Evaluate)?;
        *value = evaluated.get(root).values[0];
        branches.push(evaluated.branches);
    }
    point.values.insert(wrt, x.clone());
    if branches[0] != branches[1] {
        return Ok(None);
    }
    Ok(Some((values[0] - values[1]) / (2.0 * h)))
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
