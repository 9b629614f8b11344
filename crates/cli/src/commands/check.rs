//! `chainrule check`: every gradient and every claim of a model against numbers.

mod claims;

use std::fmt::Write as _;

use chainrule::calculus::check::{Agreement, CheckError, DIFFERENCE_TOLERANCE, FORWARD_TOLERANCE, STEP};
use chainrule::lang::{Graph, Id};
use chainrule::model::Program;
use chainrule::model::answer::{Refusal, Subject};
use serde_json::{Value, json};

use crate::args::CheckArgs;
use crate::errors::{Failure, REQUIREMENT};
use crate::output::{self, Context, small};
use crate::source::read_text;
use crate::subject::shape_text;
use claims::{Outcome, Tried};

/// The check of one gradient.
struct Row {
    name: String,
    shape: String,
    result: Result<Agreement, String>,
}

pub(crate) fn run(args: &CheckArgs, context: &Context) -> Result<(), Failure> {
    let source = read_text(&args.model)?;
    let program = Program::parse(&source.text).map_err(|diagnostic| Failure::text(&source, diagnostic))?;
    let tried = try_claims(&program, args.seed, context)?;
    let rows = if program.loss.is_none() && !tried.is_empty() {
        Vec::new()
    } else {
        let subject = Subject::of_program(&source.text).map_err(|diagnostic| Failure::text(&source, diagnostic))?;
        check_gradients(subject, context)?
    };
    let text = if args.json { document(&source.name, &rows, &tried) } else { table(&rows, &tried, context.quiet) };
    output::answer(&text)?;
    verdict(&rows, &tried)
}

fn check_gradients(mut subject: Subject, context: &Context) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for id in subject.variables.clone() {
        rows.push(check(&mut subject, id));
        stop(context)?;
    }
    Ok(rows)
}

fn stop(context: &Context) -> Result<(), Failure> {
    context.interrupt.requested().map_or(Ok(()), |signal| Err(Failure::interrupted(signal)))
}

fn check(subject: &mut Subject, id: Id) -> Row {
    let name = subject.name_of(id).to_owned();
    let shape = shape_text(&subject.work.graph, id);
    let result = subject.check_gradient(id).map_err(|refusal| reason(&refusal));
    Row { name, shape, result }
}

fn try_claims(program: &Program, seed: u64, context: &Context) -> Result<Vec<Tried>, Failure> {
    let mut list = Vec::with_capacity(program.claims.len());
    for claim in &program.claims {
        list.push(claims::try_claim(program, claim, seed));
        stop(context)?;
    }
    Ok(list)
}

/// Why a gradient could not be confirmed, in a few words.
pub(crate) fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Check(CheckError::Disagrees { forward, difference }) => {
            format!("off by {forward:.1e} from forward mode, by {difference:.1e} from central differences")
        }
        Refusal::Check(CheckError::NowhereFinite) => "finite at no random point".to_owned(),
        Refusal::Check(CheckError::OnlyKinks) => "every direction crosses a kink".to_owned(),
        Refusal::TooLarge(why) => format!("too large to be checked: {why}"),
        Refusal::Check(other) => format!("cannot be evaluated ({other:?})"),
        other => other.reason(),
    }
}

fn table(rows: &[Row], tried: &[Tried], quiet: bool) -> String {
    let mut out = String::new();
    if !quiet && !rows.is_empty() {
        let _ = writeln!(out, "f64, forward mode and central differences, h = {STEP:e}*max(1, |w|)");
        gradients(&mut out, rows);
    }
    if !quiet {
        for outcome in tried {
            out.push_str(&outcome.text());
        }
    }
    let good = rows.iter().filter(|row| row.result.is_ok()).count();
    let held = tried.iter().filter(|tried| tried.holds()).count();
    let word = if good == rows.len() && held == tried.len() { "PASS" } else { "FAIL" };
    let mut parts = Vec::new();
    if !rows.is_empty() {
        let of = format!("{good} of {} gradients within", rows.len());
        parts.push(format!("{of} {FORWARD_TOLERANCE:e} of forward mode and {DIFFERENCE_TOLERANCE:e} of differences"));
    }
    if !tried.is_empty() {
        parts.push(format!("{held} of {} claims hold", tried.len()));
    }
    let _ = writeln!(out, "{word}  {}", parts.join(", "));
    out
}

fn gradients(out: &mut String, rows: &[Row]) {
    let width = |of: fn(&Row) -> &str, head: &str| rows.iter().map(|r| of(r).len()).max().unwrap_or(0).max(head.len());
    let name = width(|row| &row.name, "parameter");
    let shape = width(|row| &row.shape, "shape");
    let heads = ("forward mode", "differences", "directions", "kinks");
    let _ =
        writeln!(out, "{:name$}  {:shape$}  {}  {}  {}  {}", "parameter", "shape", heads.0, heads.1, heads.2, heads.3);
    for row in rows {
        let _ = write!(out, "{:name$}  {:shape$}  ", row.name, row.shape);
        let _ = match &row.result {
            Ok(a) => writeln!(
                out,
                "{:>12}  {:>11}  {:>10}  {:>5}",
                small(a.forward),
                small(a.difference),
                a.directions,
                a.redrawn
            ),
            Err(why) => writeln!(out, "FAIL {why}"),
        };
    }
}

fn document(source: &str, rows: &[Row], tried: &[Tried]) -> String {
    let gradients: Vec<Value> = rows
        .iter()
        .map(|row| match &row.result {
            Ok(a) => json!({
                "parameter": row.name, "shape": row.shape, "ok": true, "forward": a.forward,
                "difference": a.difference, "directions": a.directions, "kinks": a.redrawn,
            }),
            Err(why) => json!({"parameter": row.name, "shape": row.shape, "ok": false, "reason": why}),
        })
        .collect();
    let claims: Vec<Value> = tried.iter().map(Tried::document).collect();
    let ok = rows.iter().all(|row| row.result.is_ok()) && tried.iter().all(Tried::holds);
    let document = json!({
        "schema": "chainrule.check/1", "source": source, "ok": ok, "gradients": gradients, "claims": claims,
    });
    format!("{document:#}\n")
}

fn verdict(rows: &[Row], tried: &[Tried]) -> Result<(), Failure> {
    if let Some(row) = rows.iter().find(|row| row.result.is_err()) {
        return Err(Failure::new(REQUIREMENT, "E603", format!("the gradient by {} was not confirmed", row.name)));
    }
    let Some(first) = tried.iter().find(|tried| !tried.holds()) else { return Ok(()) };
    let message = match &first.outcome {
        Outcome::False { .. } => format!("the claim in line {} is false", first.line),
        _ => format!("the claim in line {} was not confirmed", first.line),
    };
    Err(Failure::new(REQUIREMENT, "E601", message))
}

/// The line of a byte of a text, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

/// The names of the variables that an expression needs, with their nodes.
pub(crate) fn variables(graph: &Graph, roots: &[Id]) -> Vec<(String, Id)> {
    let ids = graph.reachable(roots).into_iter();
    ids.filter_map(|id| graph.as_variable(id).map(|variable| (variable.name.clone(), id))).collect()
}
