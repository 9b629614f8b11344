//! A derivation as one HTML file: typeset by the browser itself, without scripts, fonts or anything else from elsewhere.
//! It prints, follows light and dark, and keeps the text of each formula to be copied.
//!
//! The page is made of printed formulas ([`Formula`]); nothing here knows graphs.

use std::fmt::Write as _;

use super::print::escape;

/// A formula, printed twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formula {
    /// In MathML, as [`Style::MathMl`](super::print::Style) prints it.
    pub mathml: String,
    /// As text of the language.
    pub text: String,
}

/// A name, and what it stands for.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// The left side.
    pub name: Formula,
    /// The right side.
    pub value: Formula,
}

/// One step: two equal expressions, and why they are equal.
#[derive(Clone, Debug, Default)]
pub struct StepRow {
    /// Its number; steps that continue the one before may have none.
    pub number: Option<usize>,
    /// The left side. Where the step goes on from the one before, with its left or its right side, it is not written again.
    pub left: Formula,
    /// The equal expression.
    pub right: Formula,
    /// The names of the rules; those of [`Page::rules`] are linked.
    pub rules: Vec<String>,
    /// Names that begin here.
    pub defines: Vec<Definition>,
}

/// A rule that steps use.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Its number in the manual, if it has one.
    pub number: Option<usize>,
    /// Its name.
    pub name: String,
    /// What it says, in the language's own notation.
    pub statement: String,
}

/// A table of formulas, such as a recurrence over layers.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows, in a sentence.
    pub caption: String,
    /// The heads of its columns.
    pub head: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<Formula>>,
}

/// The gradient with respect to one variable.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The variable.
    pub variable: Formula,
    /// What is derived, such as the partial derivative of the loss with respect to the variable.
    pub left: Formula,
    /// The gradient.
    pub gradient: Formula,
    /// Its shape, such as `[N, 3]`.
    pub shape: String,
    /// Names that the gradient introduces.
    pub definitions: Vec<Definition>,
    /// The gradient element by element, a whole equation.
    pub elements: Option<Formula>,
    /// How it was found.
    pub steps: Vec<StepRow>,
    /// How it was checked, in a sentence.
    pub check: String,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its title, such as the name of the file of the model.
    pub title: String,
    /// What is derived: its name and its formula.
    pub objective: Definition,
    /// The names that formulas use.
    pub definitions: Vec<Definition>,
    /// The gradients.
    pub sections: Vec<Section>,
    /// A recurrence that the gradients follow.
    pub recurrence: Option<Table>,
    /// The rules that the steps name, in the order in which they are listed.
    pub rules: Vec<Rule>,
}

/// The style sheet of pages.
pub const STYLE: &str = include_str!("html/page.css");

/// Left sides of more letters have a line of their own.
const WIDE: usize = 34;

impl Page {
    /// The whole file.
    #[must_use]
    pub fn html(&self) -> String {
        let mut out = String::new();
        let title = escape(&self.title);
        let style = STYLE;
        let _ = writeln!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>"
        );
        self.write_head(&mut out);
        out.push_str(&self.gradients());
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }

    /// The derivations alone, as a part of another page that has [`STYLE`].
    #[must_use]
    pub fn gradients(&self) -> String {
        let mut out = String::new();
        for (number, section) in self.sections.iter().enumerate() {
            self.write_section(&mut out, number, section);
        }
        if let Some(table) = &self.recurrence {
            recurrence(&mut out, table);
        }
        self.write_rules(&mut out);
        out
    }

    fn write_head(&self, out: &mut String) {
        let _ = writeln!(out, "<header>\n<h1>{}</h1>", escape(&self.title));
        out.push_str("<div class=\"scroll\">\n<table class=\"equations\">\n");
        for definition in std::iter::once(&self.objective).chain(&self.definitions) {
            let Definition { name, value } = definition;
            let (name, value) = (math(name), math(value));
            let _ = writeln!(out, "<tr><td class=\"left\">{name}</td><td class=\"is\">=</td><td>{value}</td></tr>");
        }
        out.push_str("</table>\n</div>\n");
        if self.sections.len() > 1 {
            out.push_str("<nav aria-label=\"Gradients\">Gradients");
            for (number, section) in self.sections.iter().enumerate() {
                let _ = write!(out, " <a href=\"#gradient-{number}\">{}</a>", math(&section.variable));
            }
            out.push_str("</nav>\n");
        }
        out.push_str("</header>\n");
    }

    fn write_section(&self, out: &mut String, number: usize, section: &Section) {
        let _ = writeln!(out, "<section id=\"gradient-{number}\">");
        let _ = writeln!(out, "<h2>Gradient by {}</h2>", math(&section.variable));
        let _ = writeln!(
            out,
            "<div class=\"answer scroll\">{}<span class=\"is\">=</span>{}</div>",
            math(&section.left),
            math(&section.gradient)
        );
        for Definition { name, value } in &section.definitions {
            let (name, value) = (math(name), math(value));
            let _ = writeln!(out, "<div class=\"elements scroll\">with {name}<span class=\"is\">=</span>{value}</div>");
        }
        if let Some(elements) = &section.elements {
            let _ = writeln!(out, "<div class=\"elements scroll\">{}</div>", math(elements));
        }
        let _ = writeln!(out, "<p class=\"facts\">Shape <code>{}</code></p>", escape(&section.shape));
        if !section.steps.is_empty() {
            out.push_str("<div class=\"scroll\">\n<table class=\"steps\">\n");
            let mut before: Option<&StepRow> = None;
            for step in &section.steps {
                self.write_step(out, step, before);
                before = Some(step);
            }
            out.push_str("</table>\n</div>\n");
        }
        if !section.check.is_empty() {
            let _ = writeln!(out, "<p class=\"check\">{}</p>", escape(&section.check));
        }
        plain(out, section);
        out.push_str("</section>\n");
    }

    /// A row; a long left side has a row of its own above the sign, names that begin here have theirs below.
    fn write_step(&self, out: &mut String, step: &StepRow, before: Option<&StepRow>) {
        let continued = before.is_some_and(|before| step.left == before.right || step.left == before.left);
        let wide = !continued && step.left.text.chars().count() > WIDE;
        let rows = 1 + usize::from(wide) + step.defines.len();
        let number = step.number.map(|n| n.to_string()).unwrap_or_default();
        let rules: Vec<String> = step.rules.iter().map(|rule| self.link(rule)).collect();
        let rule = format!("<td class=\"rule\" rowspan=\"{rows}\">{}</td>", rules.join(", "));
        let _ = write!(out, "<tbody><tr><th rowspan=\"{rows}\">{number}</th>");
        let right = format!("<td class=\"is\">=</td><td class=\"right\">{}</td>", math(&step.right));
        let left = if continued { String::new() } else { math(&step.left) };
        let _ = if wide {
            write!(
                out,
                "<td class=\"wide\" colspan=\"3\">{left}</td>{rule}</tr><tr><td class=\"left\"></td>{right}</tr>"
            )
        } else {
            write!(out, "<td class=\"left\">{left}</td>{right}{rule}</tr>")
        };
        for Definition { name, value } in &step.defines {
            let (name, value) = (math(name), math(value));
            let _ = write!(
                out,
                "<tr><td class=\"left\"></td><td></td><td class=\"with\">with {name}<span class=\"is\">=</span>{value}</td></tr>"
            );
        }
        out.push_str("</tbody>\n");
    }

    fn link(&self, rule: &str) -> String {
        match self.rules.iter().position(|known| known.name == rule) {
            Some(place) => format!("<a href=\"#rule-{place}\">{}</a>", escape(rule)),
            None => escape(rule),
        }
    }

    fn write_rules(&self, out: &mut String) {
        if self.rules.is_empty() {
            return;
        }
        out.push_str("<section class=\"rules\">\n<h2>Rules</h2>\n<dl>\n");
        for (place, Rule { number, name, statement }) in self.rules.iter().enumerate() {
            let (name, statement) = (escape(name), escape(statement));
            let number = number.map(|n| format!("<span class=\"number\">{n}</span> ")).unwrap_or_default();
            let _ = writeln!(
                out,
                "<div id=\"rule-{place}\"><dt>{number}{name}</dt><dd><code>{statement}</code></dd></div>"
            );
        }
        out.push_str("</dl>\n</section>\n");
    }
}

/// The formulas of a section as text, closed until somebody wants to copy them.
fn plain(out: &mut String, section: &Section) {
    out.push_str("<details>\n<summary>As text</summary>\n<pre>");
    let _ = writeln!(out, "{} = {}", escape(&section.left.text), escape(&section.gradient.text));
    if let Some(elements) = &section.elements {
        let _ = writeln!(out, "{}", escape(&elements.text));
    }
    for step in &section.steps {
        let _ = writeln!(out, "{} = {}", escape(&step.left.text), escape(&step.right.text));
        for Definition { name, value } in &step.defines {
            let _ = writeln!(out, "    with {} = {}", escape(&name.text), escape(&value.text));
        }
    }
    out.push_str("</pre>\n</details>\n");
}

fn recurrence(out: &mut String, table: &Table) {
    out.push_str("<section>\n<h2>Recurrence</h2>\n");
    let _ =
        writeln!(out, "<p>{}</p>\n<div class=\"scroll\">\n<table class=\"grid\">\n<thead><tr>", escape(&table.caption));
    for head in &table.head {
        let _ = write!(out, "<th>{}</th>", escape(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        let cells: String = row.iter().map(|formula| format!("<td>{}</td>", math(formula))).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</tbody>\n</table>\n</div>\n</section>\n");
}

/// A formula in the flow of a line, large as on a line of its own; its text appears where the pointer rests.
fn math(formula: &Formula) -> String {
    let Formula { mathml, text } = formula;
    let text = escape(text);
    format!("<span title=\"{text}\"><math displaystyle=\"true\" alttext=\"{text}\">{mathml}</math></span>")
}
