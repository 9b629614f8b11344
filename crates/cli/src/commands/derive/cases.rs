//! `chainrule derive --cases`: many expressions, a line of JSON for each; a bad one never stops the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use chainrule::calculus::sample::{Domain, NAMES};
use chainrule::lang::shape::MAX_RANK;
use chainrule::lang::{Dim, Graph, Id, Role, Shape};
use chainrule::model::builder::{Builder, Place, Scope};
use chainrule::model::cases::{Answer, Declaration, gradient};
use chainrule::text::parser::parse_expression;
use chainrule::text::print::notation;
use serde_json::{Map, Value, json};

use crate::args::{DeriveArgs, Format};
use crate::errors::{BUG, DATA, Failure};
use crate::guard;
use crate::output::{self, Context};
use crate::samplings::needs_square;
use crate::source::read_bytes;

/// Longest file of cases.
const MOST_BYTES: u64 = 256 << 20;

pub(crate) fn run(path: &Path, args: &DeriveArgs, context: &Context) -> Result<(), Failure> {
    let bytes = read_bytes(path, MOST_BYTES)?;
    let cases: Vec<Value> = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(DATA, "E390", format!("{} is not a JSON list of cases: {error}", path.display()))
            .help("a case is {\"id\": \"a\", \"vars\": {\"X\": [5, 3]}, \"expr\": \"sum(X)\", \"wrt\": \"X\", \"kind\": \"gradient\"}")
    })?;
    let mut panics = 0;
    for case in &cases {
        let result = catch_unwind(AssertUnwindSafe(|| answer(case))).unwrap_or_else(|_| {
            panics += 1;
            Err("a bug of Chainrule, reported on standard error".to_owned())
        });
        output::answer(&line(case, result, args.format()))?;
        if let Some(signal) = context.interrupt.requested() {
            return Err(Failure::interrupted(signal));
        }
    }
    match panics {
        0 => Ok(()),
        n => Err(Failure::new(BUG, "E002", format!("{n} of {} cases met a bug of Chainrule", cases.len()))),
    }
}

/// A derivative and the seconds it took.
type Derivative = (String, f64);

fn line(case: &Value, result: Result<Derivative, String>, format: Format) -> String {
    let id = case.get("id").cloned().unwrap_or(Value::Null);
    if format == Format::Json {
        let object = match result {
            Ok((text, seconds)) => {
                json!({"id": id, "status": "ok", "derivative": text, "where": [], "seconds": seconds})
            }
            Err(reason) => json!({"id": id, "status": "refused", "reason": reason}),
        };
        return format!("{object}\n");
    }
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    match result {
        Ok((text, _)) => format!("{id}: {text}\n"),
        Err(reason) => format!("{id}: refused: {reason}\n"),
    }
}

fn answer(case: &Value) -> Result<Derivative, String> {
    let case = case.as_object().ok_or("a case is an object")?;
    let kind = word(case, "kind").unwrap_or("gradient");
    let (expr, wrt) = (word(case, "expr")?, word(case, "wrt")?);
    let subscripts = einsum(expr);
    let expr = subscripts.as_deref().unwrap_or(expr);
    let declarations = declarations(case)?;
    if kind != "gradient" {
        return Err(format!("derivatives of kind `{kind}` are not available"));
    }
    if let Some(what) = too_large(expr, &declarations) {
        return Err(format!("the answer is too large to be checked: {what}"));
    }
    let begun = Instant::now();
    let answer = gradient(expr, &declarations, wrt).map_err(|refusal| refusal.reason())?;
    let text = if subscripts.is_some() { subscript_notation(&answer)? } else { answer.text };
    Ok((text, begun.elapsed().as_secs_f64()))
}

/// `ij,jk->ik:A,B` as a call of the language.
fn einsum(text: &str) -> Option<String> {
    let (subscripts, names) = text.split_once(':')?;
    subscripts.contains("->").then(|| format!("einsum(\"{subscripts}\", {names})"))
}

/// The answer in the notation of the question.
fn subscript_notation(answer: &Answer) -> Result<String, String> {
    let gradient = answer.derivation.gradients[0];
    let (subscripts, operands) =
        notation(&answer.graph, gradient).ok_or("the result is not one einsum of variables")?;
    let name = |&id: &Id| answer.graph.as_variable(id).map(|variable| variable.name.clone()).unwrap_or_default();
    Ok(format!("{subscripts}:{}", operands.iter().map(name).collect::<Vec<String>>().join(",")))
}

fn word<'c>(case: &'c Map<String, Value>, key: &str) -> Result<&'c str, String> {
    case.get(key).and_then(Value::as_str).ok_or_else(|| format!("the case has no text `{key}`"))
}

fn declarations(case: &Map<String, Value>) -> Result<Vec<Declaration>, String> {
    let variables = case.get("vars").and_then(Value::as_object).ok_or("the case has no object `vars`")?;
    let domains = case.get("domain").and_then(Value::as_object);
    let mut list = Vec::with_capacity(variables.len());
    for (name, shape) in variables {
        let sizes = shape.as_array().filter(|sizes| (2..=MAX_RANK).contains(&sizes.len()));
        let sizes: Option<Vec<Dim>> = sizes.and_then(|sizes| sizes.iter().map(extent).collect());
        let sizes = sizes.ok_or_else(|| format!("the shape of `{name}` is not [rows, columns]"))?;
        let domain = domains.and_then(|domains| domains.get(name)).map(domain_of).transpose()?;
        let is_square = matches!(sizes.as_slice(), [rows, cols] if rows == cols);
        if !is_square && domain.is_some_and(needs_square) {
            return Err(format!("the domain of `{name}` holds square matrices, its shape is {shape}"));
        }
        list.push(Declaration { name: name.clone(), shape: Shape::new(&sizes), domain });
    }
    Ok(list)
}

fn extent(value: &Value) -> Option<Dim> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0).map(Dim::Known)
}

fn domain_of(value: &Value) -> Result<Domain, String> {
    let known = value.as_str().and_then(|name| NAMES.iter().find(|(known, _)| *known == name));
    known.map(|(_, domain)| *domain).ok_or_else(|| format!("there is no domain {value}"))
}

/// Is the expression, as far as it can be built, more than the check can evaluate?
fn too_large(expr: &str, declarations: &[Declaration]) -> Option<String> {
    let (ast, root) = parse_expression(expr).ok()?;
    let mut graph = Graph::new();
    let mut scope = Scope::default();
    let mut roots = Vec::new();
    for declaration in declarations {
        let id = graph.variable(&declaration.name, Role::Input, declaration.shape);
        scope.bind(&declaration.name, id);
        roots.push(id);
    }
    let mut builder = Builder::new(&ast, graph);
    roots.push(builder.expression(Place { ast: &ast, scope: &scope }, root).ok()?);
    guard::too_large(&builder.graph, &roots)
}
