//! `chainrule verify`: is a formula that somebody derived right? If not: where, by how much, and which slip explains it.

use std::fmt::Write as _;

use chainrule::model::answer::question::LAYOUTS;
use chainrule::model::answer::{Order, Question, Subject};
use chainrule::model::verify::{Claim, Slip, Unverified, Verdict, Verification, Worst};
use chainrule::text::ast::Ast;
use chainrule::text::parser::parse_program;
use serde_json::{Value, json};

use crate::args::VerifyArgs;
use crate::errors::{Failure, REQUIREMENT};
use crate::output::{self, Context, small};
use crate::source::SourceText;
use crate::subject::{failure, read, variable};

pub(crate) fn run(args: &VerifyArgs, context: &Context) -> Result<(), Failure> {
    let free: Vec<String> = args.wrt.iter().cloned().collect();
    let (source, mut subject) = read(&args.subject, &free)?;
    let program = args.subject.expr.is_none().then(|| parse_program(&source.text).ok()).flatten();
    let claim = SourceText { name: "--claim".to_owned(), text: args.claim.clone() };
    let verification = verify(args, &mut subject, program.as_ref(), &claim)?;
    let text = if args.json {
        format!("{:#}\n", document(&source.name, &verification))
    } else {
        text(&verification, context.quiet)
    };
    output::answer(&text)?;
    verdict(&verification, &claim)
}

fn verify(
    args: &VerifyArgs,
    subject: &mut Subject,
    program: Option<&Ast>,
    source: &SourceText,
) -> Result<Verification, Failure> {
    let question = args.wrt.as_deref().map(|name| question(subject, args, name)).transpose()?;
    let what = args.wrt.as_ref().map_or_else(|| subject.name.clone(), |wrt| format!("d{}/d{wrt}", subject.name));
    let claim = Claim { text: &args.claim, question, program };
    subject.verify(&claim).map_err(|error| match error {
        Unverified::Claim(diagnostic) => Failure::text(source, *diagnostic),
        Unverified::Answer(refusal) => failure(&refusal, &what),
        other => Failure::usage(format!("the claim cannot be tried ({other:?})")),
    })
}

fn question(subject: &Subject, args: &VerifyArgs, name: &str) -> Result<Question, Failure> {
    let layout = args.layout.as_deref().and_then(|word| LAYOUTS.iter().find(|(known, _)| *known == word));
    let order = if args.hessian { Order::Second } else { Order::First };
    let wrt = variable(subject, "--wrt", name)?;
    Ok(Question { order, layout: layout.map(|(_, layout)| *layout), ..Question::first(wrt) })
}

/// Exit code 8 for a claim that is wrong; one whose shapes do not fit is shown with a caret.
fn verdict(found: &Verification, claim: &SourceText) -> Result<(), Failure> {
    let slip = |slip: &Option<Slip>| slip.as_ref().map(|slip| slip.message.clone());
    let plain = |message: String| Failure::new(REQUIREMENT, "E605", message);
    match &found.verdict {
        Verdict::Right { .. } => Ok(()),
        Verdict::Broken { fault, .. } => Err(Failure::at(REQUIREMENT, claim, (**fault).clone())),
        Verdict::Shape { claimed, .. } => {
            let message = format!("the claim is {claimed}, but the {} is {}", found.noun, found.shape);
            Err(plain(message))
        }
        Verdict::Wrong { slip: why, .. } => {
            let failure = plain(format!("the claim is not the {}", found.noun));
            Err(match slip(why) {
                Some(why) => failure.help(why),
                None => failure,
            })
        }
        other => Err(plain(format!("the claim was not confirmed ({other:?})"))),
    }
}

fn text(found: &Verification, quiet: bool) -> String {
    let mut out = String::new();
    let right = matches!(found.verdict, Verdict::Right { .. });
    let word = if right { "RIGHT" } else { "WRONG" };
    let equals = if right { "=" } else { "is not" };
    let _ = writeln!(out, "{word}  {} {equals} {}", found.label, found.claim);
    if quiet {
        return out;
    }
    let slip = match &found.verdict {
        Verdict::Right { points, difference } => {
            let sampling = found.sampling;
            let _ = writeln!(
                out,
                "  holds    at {points} random points ({sampling}), largest relative difference {}",
                small(*difference)
            );
            &None
        }
        Verdict::Wrong { worst, slip } => {
            differs(&mut out, worst, found.sampling);
            slip
        }
        Verdict::Shape { claimed, slip } => {
            let _ = writeln!(out, "  differs  in shape: the claim is {claimed}, the {} {}", found.noun, found.shape);
            slip
        }
        Verdict::Broken { fault, slip } => {
            let _ = writeln!(out, "  differs  in shape: {}", fault.message);
            slip
        }
        _ => &None,
    };
    if let Some(slip) = slip {
        let _ = writeln!(out, "  slip     {}", slip.message);
        if let Some(fixed) = &slip.fixed {
            let _ = writeln!(out, "  mended   {} = {fixed}", found.label);
        }
    }
    formula(&mut out, found, right);
    out
}

fn differs(out: &mut String, worst: &Worst, sampling: &str) {
    let Worst { element, claimed, right, difference, differing, elements } = worst;
    let place: Vec<String> = element.iter().map(usize::to_string).collect();
    let _ = writeln!(out, "  differs  in {differing} of {elements} elements at a random point ({sampling})");
    let _ = writeln!(
        out,
        "  worst    [{}]: claimed {}, right {}, relative difference {difference:.1e}",
        place.join(", "),
        number(*claimed),
        number(*right)
    );
}

/// Six digits, which are the same on every machine.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) { format!("{value:.6}") } else { format!("{value:.5e}") }
}

/// The right formula, unless it is the claim to the letter.
fn formula(out: &mut String, found: &Verification, right: bool) {
    let Some(formula) = &found.right else { return };
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    if right && letters(&formula.text) == letters(&found.claim) {
        return;
    }
    let head = if right { "also" } else { "right" };
    let _ = writeln!(out, "  {head:7}  {} = {}", found.label, formula.text);
    for (index, (name, text)) in formula.definitions.iter().enumerate() {
        let word = if index == 0 { "where" } else { "" };
        let _ = writeln!(out, "  {word:7}  {name} = {text}");
    }
    if let (false, Some(layout)) = (right, &found.layout) {
        let _ = writeln!(out, "  shape    {}, {layout}", found.shape);
    }
}

fn document(source: &str, found: &Verification) -> Value {
    let formula = found.right.as_ref().map(|right| {
        let pairs: Vec<Value> =
            right.definitions.iter().map(|(name, text)| json!({"name": name, "text": text})).collect();
        json!({"text": right.text, "where": pairs})
    });
    let mut document = json!({
        "schema": "chainrule.verify/1",
        "source": source,
        "name": found.label,
        "kind": found.noun,
        "claim": found.claim,
        "holds": matches!(found.verdict, Verdict::Right { .. }),
        "sampling": found.sampling,
        "right": formula,
        "shape": found.shape,
        "layout": found.layout,
    });
    let slip = match &found.verdict {
        Verdict::Right { points, difference } => {
            document["points"] = json!(points);
            document["difference"] = json!(difference);
            return document;
        }
        Verdict::Wrong { worst, slip } => {
            document["worst"] = json!({
                "element": worst.element, "claimed": worst.claimed, "right": worst.right,
                "difference": worst.difference, "differing": worst.differing, "elements": worst.elements,
            });
            slip
        }
        Verdict::Shape { claimed, slip } => {
            document["claimed_shape"] = json!(claimed);
            slip
        }
        Verdict::Broken { fault, slip } => {
            document["fault"] = json!({
                "code": fault.code, "message": fault.message, "start": fault.span.start, "end": fault.span.end,
            });
            slip
        }
        _ => &None,
    };
    document["slip"] = json!(slip.as_ref().map(|slip| {
        json!({"kind": slip.kind.word(), "message": slip.message, "factor": slip.factor, "mended": slip.fixed})
    }));
    document
}
