//! Claims of programs: `claim grad(loss, W) == ...`.

use super::formula::at;
use super::{Claim, Slip, Verdict};
use crate::model::answer::{Question, Subject};
use crate::text::ast::{ExprId, ExprKind, Statement};
use crate::text::parser::parse_program;

/// The slip behind a claim of a program that is false; the claims are numbered from 0.
#[must_use]
pub fn slip_of_claim(source: &str, number: usize) -> Option<Slip> {
    let ast = parse_program(source).ok()?;
    let claims = ast.items.iter().filter_map(|item| match item.statement {
        Statement::Claim { left, right } => Some((left, right)),
        _ => None,
    });
    let (left, right) = claims.into_iter().nth(number)?;
    let slice = |id: ExprId| at(source, ast.expr(id).span);
    let gradient = |id: ExprId| match &ast.expr(id).kind {
        ExprKind::Call(callee, args) if callee.name == "grad" && args.len() == 2 => {
            Some((args[0].value, args[1].value))
        }
        _ => None,
    };
    let (found, claim) = match (gradient(left), gradient(right)) {
        (None, Some(found)) => (Some(found), left),
        (found, _) => (found, right),
    };
    let of = found.map_or(left, |(of, _)| of);
    let mut subject = Subject::of_part(source, slice(of)).ok()?;
    let question = match found {
        Some((_, wrt)) => Some(Question::first(subject.variable(slice(wrt))?)),
        None => None,
    };
    match subject.verify(&Claim { text: slice(claim), question, program: Some(&ast) }).ok()?.verdict {
        Verdict::Wrong { slip, .. } | Verdict::Shape { slip, .. } | Verdict::Broken { slip, .. } => slip,
        Verdict::Right { .. } => None,
    }
}
