//! `chainrule derive`: gradients with all their steps.

mod cases;
mod report;
pub(crate) mod variables;

use std::time::Instant;

use chainrule::calculus::check::CheckError;
use chainrule::lang::Id;
use chainrule::model::Program;
use chainrule::text::diagnostic::Diagnostic;
use chainrule::text::print::PrintError;
use chainrule::text::suggest::nearest;

use crate::answers::{Answer, Definition, Formula, Known, Objective, Trouble};
use crate::args::DeriveArgs;
use crate::errors::{Failure, REQUIREMENT, TEXT};
use crate::output::{self, Context};
use crate::samplings::needs_square;
use crate::source::{SourceText, read_text};

/// Everything that is shown.
pub(crate) struct Derived {
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) formula: Formula,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) answers: Vec<Answer>,
    /// The facts that the answers rest on.
    pub(crate) using: Vec<String>,
}

pub(crate) fn run(args: &DeriveArgs, context: &Context) -> Result<(), Failure> {
    if let Some(path) = &args.cases {
        return cases::run(path, args, context);
    }
    let begun = Instant::now();
    let (source, mut objective) = match (&args.model, &args.expr) {
        (Some(path), _) => {
            let source = read_text(path)?;
            let program = Program::parse(&source.text).and_then(Objective::of_program);
            let objective = program.map_err(|diagnostic| Failure::text(&source, diagnostic))?;
            (source, objective)
        }
        (None, expr) => expression(expr.as_deref().unwrap_or_default(), args)?,
    };
    context.detail(&format!("read in {:.1?}", begun.elapsed()));
    let derived = derive(source.name, &mut objective, &args.wrt, context)?;
    context.detail(&format!("derived and checked in {:.1?}", begun.elapsed()));
    output::answer(&report::write(&derived, args.format(), context.quiet))
}

fn expression(text: &str, args: &DeriveArgs) -> Result<(SourceText, Objective), Failure> {
    for (index, variable) in args.var.iter().enumerate() {
        if args.var[..index].iter().any(|other| other.name == variable.name) {
            return Err(Failure::usage(format!("--var gives `{}` more than one shape", variable.name)));
        }
    }
    for domain in &args.domain {
        let Some(variable) = args.var.iter().find(|variable| variable.name == domain.name) else {
            let message = format!("--domain speaks of `{}`, which no --var declares", domain.name);
            return Err(Failure::usage(message).help(format!("add --var {}=5x3", domain.name)));
        };
        if needs_square(domain.domain) && !variable.is_square() {
            let message = format!("--domain wants square values of `{}`, its shape is not square", domain.name);
            return Err(Failure::usage(message));
        }
    }
    for fact in &args.fact {
        if !args.var.iter().any(|variable| variable.name == fact.name) {
            let message = format!("--fact speaks of `{}`, which no --var declares", fact.name);
            return Err(Failure::usage(message).help(format!("add --var {}=NxN", fact.name)));
        }
    }
    let source = SourceText { name: "--expr".to_owned(), text: text.to_owned() };
    // Of a variable that one derives by nothing is assumed: its elements are free.
    let facts: Vec<_> = args.fact.iter().filter(|fact| !args.wrt.contains(&fact.name)).cloned().collect();
    match Objective::of_expression(text, &Known { variables: &args.var, domains: &args.domain, facts: &facts }) {
        Ok(objective) => Ok((source, objective)),
        Err(diagnostic) if diagnostic.code == "E219" => {
            Err(Failure::new(TEXT, "E219", format!("--fact: {}", diagnostic.message)))
        }
        Err(diagnostic) => Err(Failure::text(&source, undeclared(diagnostic, &source.text))),
    }
}

/// An expression declares its variables on the command line.
fn undeclared(mut error: Diagnostic, text: &str) -> Diagnostic {
    if error.code == "E201" {
        error.label = "not declared".to_owned();
        let name = text.get(error.span.start as usize..error.span.end as usize).unwrap_or("X");
        let shape = format!("give its shape: `--var {name}=5x3`");
        error.help = Some(match error.help {
            Some(near) => format!("{near} Or {shape}"),
            None => shape,
        });
    }
    error
}

fn derive(source: String, objective: &mut Objective, wrt: &[String], context: &Context) -> Result<Derived, Failure> {
    let variables = chosen(objective, wrt)?;
    let name = objective.name.clone();
    let formula = objective.formula().map_err(|trouble| failure(&trouble, &name))?;
    let mut answers = Vec::with_capacity(variables.len());
    for id in variables {
        let what = objective.graph.as_variable(id).map(|variable| variable.name.clone()).unwrap_or_default();
        answers.push(objective.answer(id).map_err(|trouble| failure(&trouble, &format!("d{name}/d{what}")))?);
        if let Some(signal) = context.interrupt.requested() {
            return Err(Failure::interrupted(signal));
        }
    }
    let definitions = objective.definitions().map_err(|trouble| failure(&trouble, &name))?;
    let using = objective.used_facts();
    Ok(Derived { source, name, formula, definitions, answers, using })
}

/// The variables asked for, or all parameters.
fn chosen(objective: &Objective, wrt: &[String]) -> Result<Vec<Id>, Failure> {
    let mut list = Vec::new();
    for name in wrt {
        let Some(id) = objective.variable(name) else {
            let failure = Failure::usage(format!("--wrt names `{name}`, which is not a variable here"));
            let known: Vec<&str> = objective.scope.names().filter(|n| objective.variable(n).is_some()).collect();
            return Err(match nearest(name, known.iter().copied()) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None if known.is_empty() => failure,
                None => failure.help(format!("there are: {}", known.join(", "))),
            });
        };
        if !list.contains(&id) {
            list.push(id);
        }
    }
    if wrt.is_empty() {
        list.extend(objective.variables.iter().copied().filter(|&id| !objective.has_fact(id)));
    }
    if let Some(name) = wrt.iter().find(|name| objective.variable(name).is_some_and(|id| objective.has_fact(id))) {
        return Err(Failure::usage(format!("the model states a fact of `{name}`, so its elements are not free"))
            .help("leave the fact out of the text: the gradient treats every element as free"));
    }
    if list.is_empty() {
        return Err(Failure::usage("there is nothing to derive by: no parameter, no variable")
            .help("declare one with `param W : [2, 3]`, or with `--var W=2x3`"));
    }
    Ok(list)
}

/// Why there is no answer, in words that help.
pub(crate) fn failure(trouble: &Trouble, what: &str) -> Failure {
    match trouble {
        Trouble::Print(PrintError::NotAMatrix(op)) => {
            Failure::new(TEXT, "E290", format!("{what} cannot be written with matrices: it needs a {op} of tensors"))
                .help("sum over the extra axes first, so that every part is a matrix")
        }
        Trouble::Print(PrintError::TooLong) => {
            Failure::new(TEXT, "E291", format!("{what} is too long to be read by anybody"))
                .help("give names to parts of the formula in a model text, such as `H = relu(X*W)`")
        }
        Trouble::Check(CheckError::NowhereFinite) => Failure::new(
            TEXT,
            "E292",
            format!("{what} could not be checked: no random point was found where it is finite"),
        )
        .help("log, sqrt and powers need values of their domain; `--domain X=pos` draws positive ones for --expr"),
        Trouble::Check(CheckError::OnlyKinks) => {
            Failure::new(TEXT, "E293", format!("{what} could not be checked: every direction crosses a kink"))
                .help("an expression that is constant between jumps has no useful gradient")
        }
        Trouble::TooLarge(why) => Failure::new(TEXT, "E294", format!("{what} is too large to be checked: {why}"))
            .help("formulas do not depend on the extents: take small numbers, or names such as `X=NxD`"),
        Trouble::Check(CheckError::Disagrees { forward, difference }) => {
            let numbers = format!("forward mode {forward:.1e}, central differences {difference:.1e}");
            Failure::new(REQUIREMENT, "E603", format!("{what} failed its check and is not shown ({numbers})"))
                .help("this is a defect of Chainrule; please report it with the expression")
        }
        Trouble::Text => {
            Failure::new(REQUIREMENT, "E603", format!("{what} is not shown: its text does not mean what was derived"))
                .help("this is a defect of Chainrule; please report it with the expression")
        }
        Trouble::Check(other) => Failure::new(TEXT, "E295", format!("{what} cannot be evaluated ({other:?})"))
            .help("every dimension needs a number: give the shapes in full"),
    }
}
