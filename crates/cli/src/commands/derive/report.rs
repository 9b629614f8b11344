//! Derivations as text, LaTeX and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Derived;
use crate::answers::{Answer, Definition, Formula, StepLine, latex_word};
use crate::args::Format;
use crate::output::small;

/// Left sides up to this width have their rules in one column.
const WIDEST: usize = 72;

/// The answer in a format, with its last line end.
pub(crate) fn write(derived: &Derived, format: Format, quiet: bool) -> String {
    match format {
        Format::Text => text(derived, quiet),
        Format::Latex => latex(derived, quiet),
        Format::Json => format!("{:#}\n", document(derived)),
    }
}

fn text(derived: &Derived, quiet: bool) -> String {
    let mut out = String::new();
    if !quiet {
        let _ = writeln!(out, "{} = {}", derived.name, derived.formula.text);
        definitions(&mut out, &derived.definitions);
        if !derived.using.is_empty() {
            let _ = writeln!(out, "  using {}", derived.using.join(", "));
        }
    }
    for answer in &derived.answers {
        if !quiet {
            out.push('\n');
        }
        let _ = writeln!(out, "d{}/d{} = {}", derived.name, answer.wrt.text, answer.gradient.text);
        if !quiet {
            let _ = writeln!(out, "  shape    {}, that of {}", answer.shape, answer.wrt.text);
            steps(&mut out, &answer.steps);
            let _ = writeln!(out, "  checked  {}", checked(answer));
        }
    }
    out
}

fn definitions(out: &mut String, definitions: &[Definition]) {
    for (index, definition) in definitions.iter().enumerate() {
        let word = if index == 0 { "where" } else { "" };
        let _ = writeln!(out, "  {word:5} {} = {}", definition.name.text, definition.value.text);
    }
}

fn steps(out: &mut String, steps: &[StepLine]) {
    let widths = steps.iter().map(|step| step.formula.text.chars().count());
    let column = widths.filter(|&width| width <= WIDEST).max().unwrap_or(0);
    for (number, step) in (1..).zip(steps) {
        let formula = &step.formula.text;
        if formula.chars().count() <= WIDEST {
            let _ = writeln!(out, "  step {number:<3} {formula:column$}   {}", step.rule);
        } else {
            let _ = writeln!(out, "  step {number:<3} {formula}\n{:14}{}", "", step.rule);
        }
    }
}

fn checked(answer: &Answer) -> String {
    let agreement = &answer.agreement;
    let kinks = match agreement.redrawn {
        0 => String::new(),
        n => format!(", {n} left out at kinks"),
    };
    format!(
        "forward mode {}, central differences {} (largest relative difference; {} directions at a random point{kinks})",
        small(agreement.forward),
        small(agreement.difference),
        agreement.directions
    )
}

fn latex(derived: &Derived, quiet: bool) -> String {
    let name = latex_word(&derived.name);
    let mut out = String::new();
    if !quiet {
        out.push_str("\\begin{align*}\n");
        let _ = write!(out, "{name} &= {}", derived.formula.latex);
        for Definition { name, value } in &derived.definitions {
            let _ = write!(out, " \\\\\n{} &= {}", name.latex, value.latex);
        }
        out.push_str("\n\\end{align*}\n");
        if !derived.using.is_empty() {
            let _ = writeln!(out, "% using {}", derived.using.join(", "));
        }
    }
    for answer in &derived.answers {
        let left = format!("\\frac{{\\partial {name}}}{{\\partial {}}}", answer.wrt.latex);
        if !quiet {
            let _ = writeln!(out, "\n% the gradient by {}, {}", answer.wrt.text, answer.shape);
        }
        let _ = writeln!(out, "\\begin{{equation*}}\n{left} = {}\n\\end{{equation*}}", answer.gradient.latex);
        if quiet || answer.steps.is_empty() {
            continue;
        }
        out.push_str("\\begin{align*}\n");
        let lines: Vec<String> = answer.steps.iter().map(latex_step).collect();
        let _ = writeln!(out, "{}\n\\end{{align*}}\n% checked: {}", lines.join(" \\\\\n"), checked(answer));
    }
    out
}

fn latex_step(step: &StepLine) -> String {
    // The formula behind the name of a rule is text of the language; the name says enough here.
    let rule = step.rule.split(':').next().unwrap_or_default();
    format!("{} && \\text{{{rule}}}", step.formula.latex.replacen(" = ", " &= ", 1))
}

fn document(derived: &Derived) -> Value {
    let definitions: Vec<Value> = derived
        .definitions
        .iter()
        .map(|d| json!({"name": d.name.text, "text": d.value.text, "latex": d.value.latex}))
        .collect();
    json!({
        "schema": "chainrule.derive/1",
        "source": derived.source,
        "objective": {"name": derived.name, "text": derived.formula.text, "latex": derived.formula.latex},
        "where": definitions,
        "using": derived.using,
        "gradients": derived.answers.iter().map(gradient).collect::<Vec<Value>>(),
    })
}

fn gradient(answer: &Answer) -> Value {
    let Formula { text, latex } = &answer.gradient;
    let step = |step: &StepLine| json!({"text": step.formula.text, "latex": step.formula.latex, "rule": step.rule});
    let agreement = &answer.agreement;
    json!({
        "wrt": answer.wrt.text,
        "shape": answer.shape,
        "text": text,
        "latex": latex,
        "steps": answer.steps.iter().map(step).collect::<Vec<Value>>(),
        "check": {
            "forward": agreement.forward,
            "difference": agreement.difference,
            "directions": agreement.directions,
            "kinks": agreement.redrawn,
        },
    })
}
