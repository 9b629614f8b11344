//! What one point says of an answer.

use super::reading::directions;
use super::{Agreement, CheckError, DIFFERENCE_TOLERANCE, FORWARD_TOLERANCE, Part, Reading, STEP};
use crate::calculus::sample::{Domain, sample};
use crate::lang::evaluate::{Point, evaluate};
use crate::lang::{Graph, Id, Tensor};

/// What one point says.
pub(super) enum Verdict {
    /// The answers are the derivatives.
    Agrees(Agreement),
    /// The two numeric differentials agree with each other and not with the answer.
    Wrong(CheckError),
    /// The point is too near to a singularity for the numbers to tell.
    Unclear(CheckError),
}

/// Numeric differentials that differ by more say nothing.
const CLEAR: f64 = 1e-5;

/// Directions for all variables: each coordinate of a single one, random ones for several.
fn all_directions(parts: &[Part], values: &[Tensor], gradients: &[Tensor], point: &Point) -> Vec<Vec<Tensor>> {
    // An error counts relative to the largest element of its own derivative.
    let scaled = |u: &Tensor, g: &Tensor| {
        let scale = g.max_abs().max(1.0);
        u.map(|v| v / scale)
    };
    if let [part] = parts {
        let list = match part.reading {
            Reading::Along(direction) => vec![point.values[&direction].clone()],
            reading => directions(&values[0], reading),
        };
        return match part.reading {
            Reading::Along(_) => list.into_iter().map(|u| vec![u]).collect(),
            _ => list.iter().map(|u| vec![scaled(u, &gradients[0])]).collect(),
        };
    }
    let draw = |number: u32| {
        let of = |(index, (x, g)): (usize, (&Tensor, &Tensor))| {
            scaled(&sample(Domain::Any, &x.sizes, 23, 1000 + number, 1 + index as u32), g)
        };
        values.iter().zip(gradients).enumerate().map(of).collect()
    };
    (0..TOGETHER).map(draw).collect()
}

/// Directions for several variables together.
const TOGETHER: u32 = 16;

pub(super) fn check_at(
    graph: &Graph,
    (function, tangent): (Id, Id),
    parts: &[Part],
    seeds: &[(Id, Id)],
    point: &mut Point,
) -> Result<Verdict, CheckError> {
    let mut wanted: Vec<Id> = parts.iter().map(|part| part.answer).collect();
    wanted.push(function);
    let centre = evaluate(graph, &wanted, point).map_err(CheckError::Evaluate)?;
    let gradients: Vec<Tensor> = parts.iter().map(|part| centre.get(part.answer).clone()).collect();
    if !centre.get(function).is_finite() || !gradients.iter().all(Tensor::is_finite) {
        return Err(CheckError::NowhereFinite);
    }
    let values: Vec<Tensor> = parts.iter().map(|part| point.values[&part.wrt].clone()).collect();
    let directions = all_directions(parts, &values, &gradients, point);
    let sizes = centre.get(function).sizes.clone();
    let mut agreement = Agreement::default();
    let mut between = 0.0f64;
    for u in &directions {
        for (seed, u) in seeds.iter().zip(u) {
            point.values.insert(seed.1, u.clone());
        }
        let along = evaluate(graph, &[tangent], point).map_err(CheckError::Evaluate)?.get(tangent).clone();
        if !along.is_finite() {
            return Err(CheckError::NowhereFinite);
        }
        let inner = acted(parts, &gradients, u, &sizes);
        let squares = u.iter().zip(&gradients).map(|(u, g)| {
            let own: f64 = u.values.iter().map(|v| v * v).sum();
            own * g.max_abs().max(1.0).powi(2)
        });
        let length = squares.sum::<f64>().sqrt().max(1.0);
        let relative = |a: &[f64], b: &[f64]| furthest(a, b) / length;
        agreement.forward = agreement.forward.max(relative(&along.values, &inner));
        let line = Line { wrt: seeds, at: &values, along: u };
        let Some((error, apart)) = differences(graph, function, &line, (&inner, &along.values), &relative, point)?
        else {
            agreement.redrawn += 1;
            continue;
        };
        agreement.directions += 1;
        agreement.difference = agreement.difference.max(error);
        between = between.max(apart);
    }
    if agreement.directions == 0 && !directions.is_empty() {
        return Err(CheckError::OnlyKinks);
    }
    // The value itself is only known to a few units of its own rounding, divided by the step.
    let scale = gradients.iter().fold(1.0f64, |m, g| m.max(g.max_abs()));
    let floor = centre.get(function).max_abs() * f64::EPSILON * 8.0 / STEP / scale;
    Ok(verdict(agreement, between, floor))
}

/// How far central differences are from the answer, and from forward mode; `None` at a kink.
fn differences(
    graph: &Graph,
    function: Id,
    line: &Line,
    (inner, along): (&[f64], &[f64]),
    relative: &dyn Fn(&[f64], &[f64]) -> f64,
    point: &mut Point,
) -> Result<Option<(f64, f64)>, CheckError> {
    let quotient = |step: f64, point: &mut Point| central_difference(graph, function, line, step, point);
    let Some(numeric) = quotient(STEP, point)? else { return Ok(None) };
    let mut error = relative(&numeric, inner);
    let mut apart = relative(&numeric, along);
    // Where the third derivative is large the error falls as the square of the step, and is taken out; that of a wrong
    // answer stays, whatever the step.
    for step in [STEP, STEP / 16.0, STEP / 256.0] {
        if error <= DIFFERENCE_TOLERANCE {
            break;
        }
        if let (Some(wide), Some(near)) = (quotient(step, point)?, quotient(step / 2.0, point)?) {
            let extrapolated: Vec<f64> = near.iter().zip(&wide).map(|(n, w)| n + (n - w) / 3.0).collect();
            error = error.min(relative(&extrapolated, inner));
            apart = apart.min(relative(&extrapolated, along));
        }
    }
    Ok(Some((error, apart)))
}

/// The differential that the answers give along a direction.
fn acted(parts: &[Part], gradients: &[Tensor], u: &[Tensor], sizes: &[usize]) -> Vec<f64> {
    let mut sum: Vec<f64> = Vec::new();
    for ((part, g), u) in parts.iter().zip(gradients).zip(u) {
        let own = part.reading.act(g, u, sizes);
        if sum.is_empty() {
            sum = own;
        } else {
            sum.iter_mut().zip(own).for_each(|(s, o)| *s += o);
        }
    }
    sum
}

fn verdict(agreement: Agreement, between: f64, floor: f64) -> Verdict {
    if agreement.forward <= FORWARD_TOLERANCE.max(floor * STEP)
        && agreement.difference <= DIFFERENCE_TOLERANCE.max(floor)
    {
        return Verdict::Agrees(agreement);
    }
    let error = CheckError::Disagrees { forward: agreement.forward, difference: agreement.difference };
    let clear = between <= CLEAR.max(floor) && agreement.forward > DIFFERENCE_TOLERANCE.max(floor);
    if clear { Verdict::Wrong(error) } else { Verdict::Unclear(error) }
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    let pairs = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    if a.len() == b.len() {
        pairs.fold(0.0, |m: f64, d| if d > m || d.is_nan() { d } else { m })
    } else {
        f64::INFINITY
    }
}

/// A line through a point: the variables, their values there, and the direction of each.
struct Line<'l> {
    wrt: &'l [(Id, Id)],
    at: &'l [Tensor],
    along: &'l [Tensor],
}

impl Line<'_> {
    /// Moves the point along the line.
    fn place(&self, distance: f64, point: &mut Point) {
        for ((wrt, x), u) in self.wrt.iter().zip(self.at).zip(self.along) {
            let moved = x.values.iter().zip(&u.values).map(|(x, u)| x + distance * u).collect();
            point.values.insert(wrt.0, Tensor { sizes: x.sizes.clone(), values: moved });
        }
    }
}

/// (f(x + h u) - f(x - h u)) / 2h, element by element, or `None` when a kink lies between the points.
fn central_difference(
    graph: &Graph,
    function: Id,
    line: &Line,
    step: f64,
    point: &mut Point,
) -> Result<Option<Vec<f64>>, CheckError> {
    let largest = |list: &[Tensor]| list.iter().fold(0.0f64, |m, t| m.max(t.max_abs()));
    let h = step * largest(line.at).max(1.0) / largest(line.along).max(f64::MIN_POSITIVE);
    let mut values = Vec::with_capacity(2);
    let mut branches = Vec::with_capacity(2);
    for sign in [1.0, -1.0] {
        line.place(sign * h, point);
        let evaluated = evaluate(graph, &[function], point).map_err(CheckError::Evaluate)?;
        values.push(evaluated.get(function).values.clone());
        branches.push(evaluated.branches);
    }
    line.place(0.0, point);
    if branches[0] != branches[1] {
        return Ok(None);
    }
    Ok(Some(values[0].iter().zip(&values[1]).map(|(up, down)| (up - down) / (2.0 * h)).collect()))
}
