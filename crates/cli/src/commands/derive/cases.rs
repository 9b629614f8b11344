//! `chainrule derive --cases`: many expressions, a line of JSON for each; a bad one never stops the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use chainrule::calculus::sample::{Domain, NAMES};
use chainrule::lang::shape::MAX_RANK;
use chainrule::model::answer::question::LAYOUTS;
use chainrule::model::answer::{Answer, Declaration, Extent, Layout, Order, Question, Structure, Subject};
use chainrule::text::print::notation;
use serde_json::{Map, Value, json};

use crate::args::{DeriveArgs, Format};
use crate::errors::{BUG, DATA, Failure};
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

/// A derivative, as it is printed, with its names, and the seconds it took.
struct Derivative {
    text: String,
    definitions: Vec<(String, String)>,
    seconds: f64,
}

fn line(case: &Value, result: Result<Derivative, String>, format: Format) -> String {
    let id = case.get("id").cloned().unwrap_or(Value::Null);
    if format == Format::Json {
        let object = match result {
            Ok(Derivative { text, definitions, seconds }) => json!({
                "id": id, "status": "ok", "derivative": text, "where": definitions, "seconds": seconds,
            }),
            Err(reason) => json!({"id": id, "status": "refused", "reason": reason}),
        };
        return format!("{object}\n");
    }
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    match result {
        Ok(Derivative { text, definitions, .. }) => {
            let names = definitions.iter().map(|(name, value)| format!(" where {name} = {value}"));
            format!("{id}: {text}{}\n", names.collect::<Vec<_>>().join(","))
        }
        Err(reason) => format!("{id}: refused: {reason}\n"),
    }
}

fn answer(case: &Value) -> Result<Derivative, String> {
    let case = case.as_object().ok_or("a case is an object")?;
    let (expr, wrt) = (word(case, "expr")?, word(case, "wrt")?);
    let subscripts = einsum(expr);
    let expr = subscripts.as_deref().unwrap_or(expr);
    let declarations = declarations(case)?;
    let begun = Instant::now();
    let mut subject = Subject::of_expression(expr, &declarations, &[wrt]).map_err(|error| error.message)?;
    let Some(variable) = subject.variable(wrt) else {
        return Err(format!("`{wrt}` is not a variable of the expression"));
    };
    let question = question(case, &subject, Question::first(variable))?;
    let answer = subject.answer(question).map_err(|refusal| refusal.reason())?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(match subscripts {
        Some(_) => Derivative { text: subscript_notation(&subject, &answer)?, definitions: Vec::new(), seconds },
        None => Derivative { text: answer.text, definitions: answer.definitions, seconds },
    })
}

/// `ij,jk->ik:A,B` as a call of the language.
fn einsum(text: &str) -> Option<String> {
    let (subscripts, names) = text.split_once(':')?;
    subscripts.contains("->").then(|| format!("einsum(\"{subscripts}\", {names})"))
}

/// The answer in the notation of the question.
fn subscript_notation(subject: &Subject, answer: &Answer) -> Result<String, String> {
    let (subscripts, operands) =
        notation(&subject.work.graph, answer.id).ok_or("the result is not one einsum of variables")?;
    let names: Vec<&str> = operands.iter().map(|&id| subject.name_of(id)).collect();
    Ok(format!("{subscripts}:{}", names.join(",")))
}

/// The question that a kind of case asks.
fn question(case: &Map<String, Value>, subject: &Subject, usual: Question) -> Result<Question, String> {
    let layout = match case.get("layout").and_then(Value::as_str) {
        None => None,
        Some(word) => match LAYOUTS.iter().find(|(known, _)| *known == word) {
            Some(&(_, layout)) => Some(layout),
            None => return Err(format!("there is no layout `{word}`")),
        },
    };
    let usual = Question { layout, ..usual };
    Ok(match word(case, "kind").unwrap_or("gradient") {
        "gradient" if subject.is_scalar() => usual,
        "gradient" => return Err("a gradient needs a scalar: sum the expression, or ask for a Jacobian".to_owned()),
        "jacobian" | "derivative" => usual,
        "jacobian_vec" if layout == Some(Layout::Denominator) => usual,
        "jacobian_vec" => Question { layout: Some(Layout::Vec), ..usual },
        "hessian" => Question { order: Order::Second, ..usual },
        "gradient_sym" => Question { structure: Structure::Symmetric, ..usual },
        "gradient_diag" => Question { structure: Structure::Diagonal, ..usual },
        kind => return Err(format!("there is no kind of derivative `{kind}`")),
    })
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
        let extents: Option<Vec<Extent>> = sizes.and_then(|sizes| sizes.iter().map(extent).collect());
        let extents = extents.ok_or_else(|| format!("the shape of `{name}` is not [rows, columns]"))?;
        let domain = domains.and_then(|domains| domains.get(name)).map(domain_of).transpose()?;
        let is_square = matches!(extents.as_slice(), [rows, cols] if rows == cols);
        if !is_square && domain.is_some_and(needs_square) {
            return Err(format!("the domain of `{name}` holds square matrices, its shape is {shape}"));
        }
        list.push(Declaration { name: name.clone(), extents, domain, facts: Vec::new() });
    }
    Ok(list)
}

fn extent(value: &Value) -> Option<Extent> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0).map(Extent::Number)
}

fn domain_of(value: &Value) -> Result<Domain, String> {
    let known = value.as_str().and_then(|name| NAMES.iter().find(|(known, _)| *known == name));
    known.map(|(_, domain)| *domain).ok_or_else(|| format!("there is no domain {value}"))
}
