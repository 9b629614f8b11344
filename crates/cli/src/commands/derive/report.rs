//! Derivations as text, LaTeX and JSON.

use std::fmt::Write as _;

use chainrule::calculus::steps::rules::StepRule;
use serde_json::{Value, json};

use super::{Definition, Derived, Shown, ShownStep};
use crate::args::Format;
use crate::output::small;

/// Lines up to this width have their rules in one column.
const WIDEST: usize = 72;

/// The answer in a format, with its last line end.
pub(crate) fn write(derived: &Derived, format: Format, quiet: bool) -> String {
    match format {
        Format::Text => text(derived, quiet),
        Format::Latex => latex(derived, quiet),
        Format::Json | Format::Html => format!("{:#}\n", document(derived)),
    }
}

fn text(derived: &Derived, quiet: bool) -> String {
    let mut out = String::new();
    if !quiet {
        let _ = writeln!(out, "{} = {}", derived.name.text, derived.formula.text);
        definitions(&mut out, &derived.definitions);
        if !derived.using.is_empty() {
            let _ = writeln!(out, "  using {}", derived.using.join(", "));
        }
    }
    let shared = shared(derived);
    if !shared.is_empty() {
        out.push_str(if quiet { "" } else { "\n" });
        for definition in &shared {
            let _ = writeln!(out, "{} = {}", definition.name.text, definition.value.text);
        }
    }
    for shown in &derived.answers {
        if !quiet {
            out.push('\n');
        }
        let _ = writeln!(out, "{} = {}", shown.answer.label, shown.value.text);
        if let Some(elements) = &shown.elements {
            let _ = writeln!(out, "{}", elements.text);
        }
        let own = |d: &&Definition| !shared.iter().any(|other| other.name.text == d.name.text);
        definitions(&mut out, &shown.definitions.iter().filter(own).cloned().collect::<Vec<_>>());
        if !quiet {
            let _ = writeln!(out, "  shape    {}, {}", shown.shape, shown.answer.layout);
            steps(&mut out, &shown.steps);
            let _ = writeln!(out, "  checked  {}", checked(shown));
        }
    }
    out
}

/// The names that several answers use: they are written once, before the answers.
pub(super) fn shared(derived: &Derived) -> Vec<Definition> {
    let mut list: Vec<Definition> = Vec::new();
    if derived.answers.len() < 2 {
        return list;
    }
    for definition in derived.answers.iter().flat_map(|shown| &shown.definitions) {
        if !list.iter().any(|other| other.name.text == definition.name.text) {
            list.push(definition.clone());
        }
    }
    list
}

fn definitions(out: &mut String, definitions: &[Definition]) {
    for (index, definition) in definitions.iter().enumerate() {
        let word = if index == 0 { "where" } else { "" };
        let _ = writeln!(out, "  {word:5} {} = {}", definition.name.text, definition.value.text);
    }
}

/// The left-hand side is written once for lines that go on from each other.
fn steps(out: &mut String, steps: &[ShownStep]) {
    let margin = steps.iter().map(|step| step.left.text.chars().count()).filter(|&width| width <= 12).max();
    let margin = margin.unwrap_or(0);
    let mut lines = Vec::with_capacity(steps.len());
    let mut before = "";
    for step in steps {
        let left = if step.left.text == before { "" } else { step.left.text.as_str() };
        before = &step.left.text;
        lines.push(format!("{left:margin$} = {}", step.right.text));
    }
    let widths = lines.iter().map(|line| line.chars().count());
    let column = widths.filter(|&width| width <= WIDEST).max().unwrap_or(0);
    for (number, (line, step)) in (1..).zip(lines.iter().zip(steps)) {
        let rules = rules(&step.rules);
        if line.chars().count() <= WIDEST {
            let _ = writeln!(out, "  step {number:<3} {line:column$}   {rules}");
        } else {
            let _ = writeln!(out, "  step {number:<3} {line}\n{:11}{:margin$}   {rules}", "", "");
        }
        for Definition { name, value } in &step.defines {
            let _ = writeln!(out, "{:11}{:margin$}   with {} = {}", "", "", name.text, value.text);
        }
    }
}

fn rules(rules: &[&StepRule]) -> String {
    rules.iter().map(|rule| format!("{} ({})", rule.name, rule.number)).collect::<Vec<_>>().join(", ")
}

pub(super) fn checked(shown: &Shown) -> String {
    let agreement = &shown.answer.agreement;
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
    let name = &derived.name.latex;
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
    for shown in &derived.answers {
        let left = &shown.left.latex;
        if !quiet {
            let _ = writeln!(out, "\n% {}, {}: {}", shown.answer.label, shown.shape, shown.answer.layout);
        }
        let _ = write!(out, "\\begin{{align*}}\n{left} &= {}", shown.value.latex);
        for Definition { name, value } in &shown.definitions {
            let _ = write!(out, " \\\\\n{} &= {}", name.latex, value.latex);
        }
        if let Some(elements) = &shown.elements {
            let _ = write!(out, " \\\\\n{}", elements.latex.replacen('=', "&=", 1));
        }
        out.push_str("\n\\end{align*}\n");
        if quiet || shown.steps.is_empty() {
            continue;
        }
        out.push_str("\\begin{align*}\n");
        let lines: Vec<String> = shown.steps.iter().map(latex_step).collect();
        let _ = writeln!(out, "{}\n\\end{{align*}}\n% checked: {}", lines.join(" \\\\\n"), checked(shown));
    }
    out
}

fn latex_step(step: &ShownStep) -> String {
    let names: Vec<String> = step.rules.iter().map(|rule| format!("{} ({})", rule.name, rule.number)).collect();
    let mut line = format!("{} &= {} && \\text{{{}}}", step.left.latex, step.right.latex, names.join(", "));
    for Definition { name, value } in &step.defines {
        let _ = write!(line, " \\\\\n&\\quad \\text{{with }} {} = {}", name.latex, value.latex);
    }
    line
}

fn pairs(definitions: &[Definition]) -> Vec<Value> {
    let pair = |d: &Definition| json!({"name": d.name.text, "text": d.value.text, "latex": d.value.latex});
    definitions.iter().map(pair).collect()
}

fn document(derived: &Derived) -> Value {
    json!({
        "schema": "chainrule.derive/2",
        "source": derived.source,
        "objective": {"name": derived.name.text, "text": derived.formula.text, "latex": derived.formula.latex},
        "where": pairs(&derived.definitions),
        "using": derived.using,
        "derivatives": derived.answers.iter().map(derivative).collect::<Vec<Value>>(),
    })
}

fn derivative(shown: &Shown) -> Value {
    let step = |step: &ShownStep| {
        let rules = step.rules.iter().map(|rule| json!({"number": rule.number, "name": rule.name}));
        json!({
            "left": step.left.text, "right": step.right.text, "latex": step.right.latex,
            "rules": rules.collect::<Vec<Value>>(), "where": pairs(&step.defines),
        })
    };
    let agreement = &shown.answer.agreement;
    json!({
        "name": shown.answer.label,
        "wrt": shown.wrt.text,
        "shape": shown.shape,
        "layout": shown.answer.layout,
        "text": shown.value.text,
        "latex": shown.value.latex,
        "where": pairs(&shown.definitions),
        "elements": shown.elements.as_ref().map(|formula| json!({"text": formula.text, "latex": formula.latex})),
        "steps": shown.steps.iter().map(step).collect::<Vec<Value>>(),
        "check": {
            "forward": agreement.forward,
            "difference": agreement.difference,
            "directions": agreement.directions,
            "kinks": agreement.redrawn,
        },
    })
}
