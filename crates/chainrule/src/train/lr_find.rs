//! The search for a learning rate (Smith 2017): the rate grows exponentially from step to step, and the loss says when it
//! is too small, right, or too large.

use super::event::TrainError;
use super::probe::Probe;
use super::session::Session;
use crate::model::Program;
use crate::model::prelude;
use crate::text::ast::{DefKind, ExprKind};
use crate::text::diagnostic::Diagnostic;

/// The range of rates, and how many are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The first.
    pub low: f64,
    /// The last.
    pub high: f64,
    /// Steps.
    pub steps: u32,
}

/// What was seen at one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The rate.
    pub rate: f64,
    /// The loss of the step before its update.
    pub loss: f64,
    /// The exponentially weighted average of the losses up to here.
    pub smooth: f64,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The steps, until the loss was far above its lowest.
    pub points: Vec<Point>,
    /// Where the loss falls fastest.
    pub suggestion: Option<f64>,
    /// Where the loss was lowest.
    pub lowest: Option<f64>,
}

/// The share of the past in the average.
const MEMORY: f64 = 0.9;
/// The search ends where the average is so many times its lowest.
const TOO_MUCH: f64 = 4.0;

/// The program's text with a rate that grows over the range.
///
/// # Errors
/// The program has no `train` line, or its optimizer has no rate.
pub fn with_growing_rate(program: &Program, range: Range) -> Result<String, Diagnostic> {
    let source = &program.source;
    let Some(train) = &program.train else {
        let end = source.len() as u32;
        let at = crate::text::diagnostic::Span { start: end, end };
        return Err(Diagnostic::new("E218", at, "the program has no `train` line").help("add `train adam`"));
    };
    let expr = program.ast.expr(train.optimizer);
    let (callee, args) = match &expr.kind {
        ExprKind::Name(name) => (name, &[][..]),
        ExprKind::Call(callee, args) => (&callee.name, args.as_slice()),
        _ => return Err(Diagnostic::new("E218", expr.span, "`train` needs an optimizer")),
    };
    let formals = prelude::find(&program.ast, callee, &[DefKind::Optimizer]).map(|d| &d.definition.formals);
    let place = formals.and_then(|formals| formals.iter().position(|formal| formal.name.name == "rate"));
    let Some(place) = place else {
        return Err(Diagnostic::new("E218", expr.span, format!("the optimizer `{callee}` has no rate to look for"))
            .help("take one whose first argument is `rate`, such as `adam`"));
    };
    let grown = format!("range_test({:e}, {:e}, {})", range.low, range.high, range.steps);
    let given = args.iter().enumerate().find(|(index, arg)| match &arg.name {
        Some(name) => name.name == "rate",
        None => *index == place,
    });
    let (start, end, text) = match given {
        Some((_, arg)) => {
            let span = program.ast.expr(arg.value).span;
            (span.start, span.end, grown)
        }
        None if args.is_empty() => (expr.span.start, expr.span.end, format!("{callee}(rate = {grown})")),
        None => {
            let before = program.ast.expr(args[args.len() - 1].value).span.end;
            (before, before, format!(", rate = {grown}"))
        }
    };
    Ok([&source[..start as usize], &text, &source[end as usize..]].concat())
}

/// Runs the steps of a session whose rate grows over the range.
///
/// # Errors
/// The session cannot be compiled.
pub fn search(session: &Session, range: Range) -> Result<Found, TrainError> {
    let mut probe = Probe::new(session)?;
    let mut points: Vec<Point> = Vec::new();
    let (mut average, mut weight, mut lowest) = (0.0, 0.0, f64::INFINITY);
    for step in 0..range.steps {
        let mut loss = 0.0;
        for _ in 0..probe.batches_of_a_step() {
            loss += probe.loss() / f64::from(probe.batches_of_a_step());
            probe.advance()?;
        }
        average = MEMORY * average + (1.0 - MEMORY) * loss;
        weight = MEMORY * weight + (1.0 - MEMORY);
        let smooth = average / weight;
        if !smooth.is_finite() {
            break;
        }
        let share = f64::from(step) / f64::from((range.steps - 1).max(1));
        let rate = range.low * libm::pow(range.high / range.low, share);
        points.push(Point { rate, loss, smooth });
        // A loss that starts at 0 or below has no multiples that mean anything: then the whole range is tried.
        if lowest > 0.0 && step >= 10 && smooth > TOO_MUCH * lowest {
            break;
        }
        lowest = lowest.min(smooth);
    }
    Ok(judged(points))
}

fn judged(points: Vec<Point>) -> Found {
    // The losses of step i are those of the rates before it.
    let least = (0..points.len()).min_by(|&a, &b| points[a].smooth.total_cmp(&points[b].smooth));
    let lowest = least.map(|at| points[at].rate);
    let slope = |at: usize| points[at + 1].smooth - points[at - 1].smooth;
    let inner = 1..least.unwrap_or(0);
    let steepest = inner.min_by(|&a, &b| slope(a).total_cmp(&slope(b))).filter(|&at| slope(at) < 0.0);
    let suggestion = steepest.map(|at| points[at].rate);
    Found { points, suggestion, lowest }
}
