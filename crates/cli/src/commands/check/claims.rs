//! A claim is tried at random points; one point at which the two sides differ is a counterexample.

use std::fmt::Write as _;

use chainrule::calculus::check::{CheckError, difference_of};
use chainrule::lang::evaluate::Point;
use chainrule::lang::{Graph, Id, Role, Tensor};
use chainrule::model::Program;
use chainrule::model::answer::Refusal;
use chainrule::model::program::Claim;
use chainrule::model::verify::slip_of_claim;
use serde_json::{Value, json};

use super::{line_of, reason, variables};
use crate::output::small;
use crate::samplings::{GENERAL, ONE_HOT, Sampling, is_row_target};

/// Points at which a claim is tried.
const POINTS: u64 = 5;
/// Largest relative difference of two sides that count as equal.
const TOLERANCE: f64 = 1e-9;
/// Values with more elements are not written out.
const MOST_SHOWN: usize = 24;

/// A claim and what came of it.
pub(super) struct Tried {
    text: String,
    pub(super) line: usize,
    pub(super) outcome: Outcome,
}

/// What came of a claim.
pub(super) enum Outcome {
    /// The sides are equal at every point.
    True { difference: f64, sampling: &'static str },
    /// They differ at this one.
    False { difference: f64, sampling: &'static str, counterexample: Box<Counterexample>, slip: Option<String> },
    /// It could not be tried.
    Unknown(String),
}

/// A point, and the values at the element that differs most.
pub(super) struct Counterexample {
    point: Vec<(String, Tensor)>,
    element: Vec<usize>,
    left: f64,
    right: f64,
}

/// Tries a claim: at points of any kind first; a claim that needs classes as targets holds at one-hot rows only.
pub(super) fn try_claim(program: &Program, claim: &Claim, seed: u64) -> Tried {
    let span = claim.span.start as usize..claim.span.end as usize;
    let line = line_of(&program.source, span.start);
    let text = program.source.get(span).unwrap_or_default();
    let text = text.strip_prefix("claim").unwrap_or(text).split_whitespace().collect::<Vec<_>>().join(" ");
    Tried { text, line, outcome: explained(outcome(program, claim, seed), program, claim) }
}

/// A claim that is false, with the slip that explains it.
fn explained(outcome: Outcome, program: &Program, claim: &Claim) -> Outcome {
    match outcome {
        Outcome::False { difference, sampling, counterexample, .. } => {
            let number = program.claims.iter().position(|other| other.span == claim.span);
            let slip = number.and_then(|number| slip_of_claim(&program.source, number)).map(|slip| slip.message);
            Outcome::False { difference, sampling, counterexample, slip }
        }
        other => other,
    }
}

fn outcome(program: &Program, claim: &Claim, seed: u64) -> Outcome {
    let graph = &program.graph;
    if let Some(what) = chainrule::calculus::cost::too_large(graph, &[claim.left, claim.right]) {
        return Outcome::Unknown(reason(&Refusal::TooLarge(what)));
    }
    let general = sampled(graph, claim, &GENERAL, seed);
    let has_classes = variables(graph, &[claim.left, claim.right]).iter().any(|(_, id)| is_row_target(graph, *id));
    if !has_classes || matches!(general, Outcome::True { .. }) {
        return general;
    }
    match sampled(graph, claim, &ONE_HOT, seed) {
        Outcome::Unknown(_) => general,
        one_hot => one_hot,
    }
}

/// The outcome at the first kind of points at which both sides are finite.
fn sampled(graph: &Graph, claim: &Claim, samplings: &[Sampling], seed: u64) -> Outcome {
    let mut last = Outcome::Unknown(reason(&Refusal::Check(CheckError::NowhereFinite)));
    for sampling in samplings {
        match at_points(graph, claim, sampling, seed) {
            Ok(outcome) => return outcome,
            Err(error) => last = Outcome::Unknown(reason(&Refusal::Check(error))),
        }
    }
    last
}

fn at_points(graph: &Graph, claim: &Claim, sampling: &Sampling, seed: u64) -> Result<Outcome, CheckError> {
    let domain = |id: Id| sampling.domain(graph, id);
    let mut largest = 0.0f64;
    for number in 0..POINTS {
        let seed = seed.wrapping_mul(POINTS).wrapping_add(number);
        let (difference, point, sides) = difference_of(graph, claim.left, claim.right, &domain, seed)?;
        if difference > TOLERANCE {
            let sides = (&sides[&claim.left], &sides[&claim.right]);
            let counterexample = Box::new(counterexample(graph, claim, &point, sides));
            return Ok(Outcome::False { difference, sampling: sampling.name, counterexample, slip: None });
        }
        largest = largest.max(difference);
    }
    Ok(Outcome::True { difference: largest, sampling: sampling.name })
}

fn counterexample(graph: &Graph, claim: &Claim, point: &Point, (left, right): (&Tensor, &Tensor)) -> Counterexample {
    let gaps = left.values.iter().zip(&right.values).map(|(a, b)| (a - b).abs());
    let worst = gaps.enumerate().fold((0, -1.0), |best, (at, gap)| if gap > best.1 { (at, gap) } else { best }).0;
    let mut element = Vec::new();
    let mut rest = worst;
    for &size in left.sizes.iter().rev() {
        element.push(rest % size.max(1) + 1);
        rest /= size.max(1);
    }
    element.reverse();
    let fixed = |id: Id| graph.as_variable(id).is_some_and(|variable| variable.role == Role::Constant);
    let values = variables(graph, &[claim.left, claim.right]);
    let values = values.into_iter().filter(|(_, id)| !fixed(*id));
    let point = values.filter_map(|(name, id)| Some((name, point.values.get(&id)?.clone()))).collect();
    Counterexample { point, element, left: left.values[worst], right: right.values[worst] }
}

impl Tried {
    pub(super) fn holds(&self) -> bool {
        matches!(self.outcome, Outcome::True { .. })
    }

    /// A line for a claim that holds; the counterexample below one that does not.
    pub(super) fn text(&self) -> String {
        let mut out = format!("claim (line {})  {}\n", self.line, self.text);
        let _ = match &self.outcome {
            Outcome::True { difference, sampling } => {
                writeln!(
                    out,
                    "  holds at {POINTS} random points ({sampling}), largest difference {}",
                    small(*difference)
                )
            }
            Outcome::False { difference, sampling, counterexample, slip } => {
                let _ = writeln!(out, "  FALSE: relative difference {difference:.1e} at a random point ({sampling})");
                if let Some(slip) = slip {
                    let _ = writeln!(out, "    slip: {slip}");
                }
                out.write_str(&counterexample.text())
            }
            Outcome::Unknown(why) => writeln!(out, "  FAIL {why}"),
        };
        out
    }

    pub(super) fn document(&self) -> Value {
        let mut document = json!({"text": self.text, "line": self.line, "holds": self.holds()});
        match &self.outcome {
            Outcome::True { difference, sampling } => {
                document["points"] = json!(POINTS);
                document["difference"] = json!(difference);
                document["sampling"] = json!(sampling);
            }
            Outcome::False { difference, sampling, counterexample, slip } => {
                document["slip"] = json!(slip);
                document["difference"] = json!(difference);
                document["sampling"] = json!(sampling);
                document["counterexample"] = counterexample.document();
            }
            Outcome::Unknown(why) => document["reason"] = json!(why),
        }
        document
    }
}

impl Counterexample {
    fn text(&self) -> String {
        let mut out = String::new();
        let element: Vec<String> = self.element.iter().map(usize::to_string).collect();
        let _ = writeln!(
            out,
            "    element [{}]: left side {:.6}, right side {:.6}",
            element.join(", "),
            self.left,
            self.right
        );
        for (name, value) in &self.point {
            let _ = writeln!(out, "    {name} = {}", written(value));
        }
        out
    }

    fn document(&self) -> Value {
        let point: Vec<Value> =
            self.point.iter().map(|(name, t)| json!({"name": name, "sizes": t.sizes, "values": t.values})).collect();
        json!({"element": self.element, "left": self.left, "right": self.right, "point": point})
    }
}

/// A small matrix in the language's own form, so that it can be copied; the shape of a large one.
fn written(value: &Tensor) -> String {
    let cols = value.sizes.last().copied().unwrap_or(1).max(1);
    if value.values.len() > MOST_SHOWN || value.sizes.len() > 2 {
        let sizes: Vec<String> = value.sizes.iter().map(usize::to_string).collect();
        return format!("{} random values", sizes.join(" x "));
    }
    let row = |row: &[f64]| row.iter().map(|x| format!("{x:.4}")).collect::<Vec<String>>().join(", ");
    let rows: Vec<String> = value.values.chunks(cols).map(row).collect();
    format!("[{}]", rows.join("; "))
}
