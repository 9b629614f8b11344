//! The numeric check of a derivative, independent of how it was found: against forward mode (no step size, so the
//! bound is tight) and against central differences (no calculus at all).

use rustc_hash::FxHashMap;

use super::differentiate::linearize;
use super::sample::{Domain, sample};
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
                _ => sample(domains(id), &sizes, seed, reference.number, 0),
            };
            point.values.insert(id, value);
        }
    }
    point
}

/// How an answer acts on a direction `u` of the variable: what must be the differential of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// `sum(answer.*u)`: the gradient of a scalar.
    Inner,
    /// `sum(answer'.*u)`: its transpose.
    InnerTransposed,
    /// `answer*vec(u)`: a Jacobian.
    Product,
    /// `answer'*vec(u)`: its transpose.
    ProductTransposed,
    /// `u*answer`: the derivative by a scalar.
    Scaled,
    /// `u*answer'`: its transpose.
    ScaledTransposed,
    /// `sum` of `answer.*u` on and above the diagonal, for symmetric `u`.
    Symmetric,
    /// `sum(answer.*u)` for diagonal `u`; off the diagonal the answer is zero.
    Diagonal,
    /// The differential itself, in the direction of this variable.
    Along(Id),
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
    let Claimed { function, wrt, answer, .. } = claimed;
    let direction = graph.variable("direction", Role::Differential, graph.shape(wrt));
    let tangent = linearize(graph, function, &[(wrt, direction)]).tangent;
    let tangent = tangent.unwrap_or_else(|| graph.filled(0.0, graph.shape(function)));
    let mut last = CheckError::NowhereFinite;
    let mut roots = vec![function, answer, wrt, direction, tangent];
    if let Reading::Along(variable) = claimed.reading {
        roots.push(variable);
    }
    for mut point in points(graph, &roots, domains) {
        match check_at(graph, claimed, (direction, tangent), &mut point) {
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

/// What one point says.
enum Verdict {
    Agrees(Agreement),
    /// The two numeric differentials agree with each other and not with the answer.
    Wrong(CheckError),
    /// The point is too near to a singularity for the numbers to tell.
    Unclear(CheckError),
}

/// Numeric differentials that differ by more say nothing.
const CLEAR: f64 = 1e-5;

fn check_at(
    graph: &Graph,
    claimed: Claimed,
    (direction, tangent): (Id, Id),
    point: &mut Point,
) -> Result<Verdict, CheckError> {
    let Claimed { function, wrt, answer, reading } = claimed;
    let centre = evaluate(graph, &[function, answer], point).map_err(CheckError::Evaluate)?;
    let g = centre.get(answer).clone();
    if !centre.get(function).is_finite() || !g.is_finite() {
        return Err(CheckError::NowhereFinite);
    }
    let x = point.values[&wrt].clone();
    let mut agreement = Agreement::default();
    let mut between = 0.0f64;
    let scale = g.max_abs().max(1.0);
    let directions = match reading {
        Reading::Along(direction) => vec![point.values[&direction].clone()],
        _ => directions(&x, reading),
    };
    let sizes = centre.get(function).sizes.clone();
    for u in &directions {
        point.values.insert(direction, u.clone());
        let along = evaluate(graph, &[tangent], point).map_err(CheckError::Evaluate)?.get(tangent).clone();
        if !along.is_finite() {
            return Err(CheckError::NowhereFinite);
        }
        let inner = reading.act(&g, u, &sizes);
        let length = u.values.iter().map(|v| v * v).sum::<f64>().sqrt().max(1.0);
        let relative = |a: &[f64], b: &[f64]| furthest(a, b) / (scale * length);
        agreement.forward = agreement.forward.max(relative(&along.values, &inner));
        let quotient = |step: f64, point: &mut Point| central_difference(graph, function, wrt, (&x, u), step, point);
        let Some(numeric) = quotient(STEP, point)? else {
            agreement.redrawn += 1;
            continue;
        };
        let mut error = relative(&numeric, &inner);
        let mut apart = relative(&numeric, &along.values);
        // Where the third derivative is large the error falls as the square of the step, and is taken out; that of a
        // wrong answer stays, whatever the step.
        for step in [STEP, STEP / 16.0, STEP / 256.0] {
            if error <= DIFFERENCE_TOLERANCE {
                break;
            }
            if let (Some(wide), Some(near)) = (quotient(step, point)?, quotient(step / 2.0, point)?) {
                let extrapolated: Vec<f64> = near.iter().zip(&wide).map(|(n, w)| n + (n - w) / 3.0).collect();
                error = error.min(relative(&extrapolated, &inner));
                apart = apart.min(relative(&extrapolated, &along.values));
            }
        }
        agreement.directions += 1;
        agreement.difference = agreement.difference.max(error);
        between = between.max(apart);
    }
    if agreement.directions == 0 && !directions.is_empty() {
        return Err(CheckError::OnlyKinks);
    }
    // The value itself is only known to a few units of its own rounding, divided by the step.
    let floor = centre.get(function).max_abs() * f64::EPSILON * 8.0 / STEP / scale;
    if agreement.forward <= FORWARD_TOLERANCE.max(floor * STEP)
        && agreement.difference <= DIFFERENCE_TOLERANCE.max(floor)
    {
        return Ok(Verdict::Agrees(agreement));
    }
    let error = CheckError::Disagrees { forward: agreement.forward, difference: agreement.difference };
    let clear = between <= CLEAR.max(floor) && agreement.forward > DIFFERENCE_TOLERANCE.max(floor);
    Ok(if clear { Verdict::Wrong(error) } else { Verdict::Unclear(error) })
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    let pairs = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    if a.len() == b.len() {
        pairs.fold(0.0, |m: f64, d| if d > m || d.is_nan() { d } else { m })
    } else {
        f64::INFINITY
    }
}

impl Reading {
    /// The differential of a function of these extents along `u`, row after row, if `answer` is its derivative.
    #[must_use]
    pub fn act(self, answer: &Tensor, u: &Tensor, sizes: &[usize]) -> Vec<f64> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let turned = |t: &Tensor| Tensor::from_fn(&[t.sizes[1], t.sizes[0]], |i| t.at(&[i[1], i[0]]));
        match self {
            Reading::Inner | Reading::Diagonal => vec![dot(&answer.values, &u.values)],
            Reading::InnerTransposed => vec![dot(&turned(answer).values, &u.values)],
            Reading::Along(_) => answer.values.clone(),
            Reading::Scaled => answer.values.iter().map(|v| v * u.values[0]).collect(),
            Reading::ScaledTransposed => turned(answer).values.iter().map(|v| v * u.values[0]).collect(),
            Reading::ProductTransposed => Reading::Product.act(&turned(answer), u, sizes),
            Reading::Product => {
                let column = turned(u);
                let (m, n) = (sizes[0], sizes[1]);
                // Row i + j*m of the answer gives element (i, j).
                let cols = answer.sizes[1];
                let row = |i: usize, j: usize| &answer.values[(i + j * m) * cols..(i + j * m + 1) * cols];
                (0..m).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| dot(row(i, j), &column.values)).collect()
            }
            Reading::Symmetric => {
                let n = answer.sizes[1];
                let upper = |k: &usize| k / n <= k % n;
                vec![(0..n * n).filter(upper).map(|k| answer.values[k] * u.values[k]).sum()]
            }
        }
    }
}

/// Every coordinate when there are few, and random directions; only those that the structure of the variable allows.
fn directions(x: &Tensor, reading: Reading) -> Vec<Tensor> {
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
    let keep = |u: Tensor| match reading {
        Reading::Symmetric => Tensor::from_fn(&u.sizes, |i| u.at(i) + u.at(&[i[1], i[0]])),
        Reading::Diagonal => Tensor::from_fn(&u.sizes, |i| if i[0] == i[1] { u.at(i) } else { 0.0 }),
        _ => u,
    };
    list.into_iter().map(keep).collect()
}

/// (f(x + h u) - f(x - h u)) / 2h, element by element, or `None` when a kink lies between the points.
fn central_difference(
    graph: &Graph,
    function: Id,
    wrt: Id,
    (x, u): (&Tensor, &Tensor),
    step: f64,
    point: &mut Point,
) -> Result<Option<Vec<f64>>, CheckError> {
    let h = step * x.max_abs().max(1.0) / u.max_abs().max(1.0);
    let mut values = Vec::with_capacity(2);
    let mut branches = Vec::with_capacity(2);
    for sign in [1.0, -1.0] {
        let moved = x.values.iter().zip(&u.values).map(|(x, u)| x + sign * h * u).collect();
        point.values.insert(wrt, Tensor { sizes: x.sizes.clone(), values: moved });
        let evaluated = evaluate(graph, &[function], point).map_err(CheckError::Evaluate)?;
        values.push(evaluated.get(function).values.clone());
        branches.push(evaluated.branches);
    }
    point.values.insert(wrt, x.clone());
    if branches[0] != branches[1] {
        return Ok(None);
    }
    Ok(Some(values[0].iter().zip(&values[1]).map(|(up, down)| (up - down) / (2.0 * h)).collect()))
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
