//! Reads a claim: shapes that do not fit make it wrong, everything else that does not fit is a fault of its text.

use super::bench::Bench;
use super::formula::{Formula, Parsed};
use super::{Unverified, shape_of};
use crate::lang::{Dim, Graph, Id};
use crate::text::ast::ExprKind;
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::parser::parse_expression;

/// Builds the claim. Shapes that do not fit are a verdict, everything else is a fault of the text.
pub(super) fn read(bench: &mut Bench<'_>, claim: &Formula) -> Result<Result<Id, Diagnostic>, Unverified> {
    let before = bench.graph.clone();
    let built = bench.build(claim);
    let learnt = bench.graph.dims.unifications() != before.dims.unifications();
    let fault = match built {
        Ok(id) if !learnt => return Ok(Ok(id)),
        Ok(_) => forced(&before, &bench.graph, claim.value()),
        Err(error) => error,
    };
    bench.graph = before;
    let fault = with_own_notes(bench, claim.value(), fault);
    if matches!(fault.code, "E204" | "E214") { Ok(Err(fault)) } else { Err(Unverified::Claim(Box::new(fault))) }
}

/// The fault of a claim that needs extents to be equal that need not be.
fn forced(before: &Graph, after: &Graph, text: &str) -> Diagnostic {
    let changed = |dim: &Dim| after.dims.resolve(*dim) != before.dims.resolve(*dim);
    let name = |dim: Dim| before.dims.given_name(dim).unwrap_or("?").to_owned();
    let pairs: Vec<String> = before
        .dims
        .symbols()
        .filter(changed)
        .map(|dim| format!("`{}` to be {}", name(dim), after.dims.text(dim)))
        .collect();
    let span = Span { start: 0, end: text.len() as u32 };
    Diagnostic::new("E204", span, format!("the shapes fit only for {}", pairs.join(" and ")))
        .label("the claim")
        .help("is a transpose missing, or a factor in the wrong place?")
}

/// Nodes that the claim shares with the program know only their place there, so the operands are found anew.
fn with_own_notes(bench: &mut Bench<'_>, text: &str, mut fault: Diagnostic) -> Diagnostic {
    if !matches!(fault.code, "E204" | "E214") {
        return fault;
    }
    fault.notes.clear();
    let Ok((ast, root)) = parse_expression(text) else { return fault };
    let parsed = Parsed { text, ast: &ast, root };
    for expr in &ast.exprs {
        let ExprKind::Binary(_, at, left, right) = expr.kind else { continue };
        if at != fault.span {
            continue;
        }
        for side in [left, right] {
            if let Some(id) = bench.attempt(&Formula::of(parsed.slice(side))) {
                fault = fault.note(parsed.span(side), format!("this is {}", shape_of(&bench.graph, id)));
            }
        }
    }
    fault
}
