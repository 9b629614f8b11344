//! What is differentiated, as the command line says it: a model, or an expression with its variables.

use chainrule::calculus::check::CheckError;
use chainrule::lang::{Graph, Id};
use chainrule::model::answer::{Declaration, Refusal, Subject};
use chainrule::text::diagnostic::Diagnostic;
use chainrule::text::print::{PrintError, Style};
use chainrule::text::suggest::nearest;

use crate::args::SubjectArgs;
use crate::commands::derive::variables::VariableArg;
use crate::errors::{Failure, REQUIREMENT, TEXT};
use crate::samplings::needs_square;
use crate::source::{SourceText, read_text};

/// A formula in all ways of writing.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    pub(crate) text: String,
    pub(crate) latex: String,
    pub(crate) mathml: String,
}

impl Formula {
    /// What each style writes.
    pub(crate) fn of<E>(write: impl Fn(Style) -> Result<String, E>) -> Result<Formula, E> {
        Ok(Formula { text: write(Style::Text)?, latex: write(Style::Latex)?, mathml: write(Style::MathMl)? })
    }

    /// A name alone.
    pub(crate) fn name(name: &str) -> Formula {
        Formula { text: name.to_owned(), latex: Style::Latex.name(name), mathml: Style::MathMl.name(name) }
    }
}

/// Reads the model or the expression. Facts of the variables named in `free` are not used for simplification.
pub(crate) fn read(args: &SubjectArgs, free: &[String]) -> Result<(SourceText, Subject), Failure> {
    let Some(text) = &args.expr else {
        let path = args.model.as_deref().unwrap_or_else(|| std::path::Path::new("-"));
        let source = read_text(path)?;
        let subject = Subject::of_program(&source.text).map_err(|diagnostic| Failure::text(&source, diagnostic))?;
        return Ok((source, subject));
    };
    let declarations = declarations(args)?;
    let source = SourceText { name: "--expr".to_owned(), text: text.clone() };
    let mut free: Vec<&str> = free.iter().map(String::as_str).collect();
    // Without --wrt one derives by every variable of which no fact is stated.
    if free.is_empty() {
        let stated = |name: &str| args.fact.iter().any(|fact| fact.name == name);
        free = args.var.iter().map(|variable| variable.name.as_str()).filter(|name| !stated(name)).collect();
    }
    match Subject::of_expression(text, &declarations, &free) {
        Ok(subject) => Ok((source, subject)),
        Err(diagnostic) if diagnostic.code == "E219" => {
            Err(Failure::new(TEXT, "E219", format!("--fact: {}", diagnostic.message)))
        }
        Err(diagnostic) => Err(Failure::text(&source, undeclared(diagnostic, &source.text))),
    }
}

fn declarations(args: &SubjectArgs) -> Result<Vec<Declaration>, Failure> {
    let SubjectArgs { var: variables, domain: domains, fact: facts, .. } = args;
    for (index, variable) in variables.iter().enumerate() {
        if variables[..index].iter().any(|other| other.name == variable.name) {
            return Err(Failure::usage(format!("--var gives `{}` more than one shape", variable.name)));
        }
    }
    let undeclared = |flag: &str, name: &str, shape: &str| {
        Failure::usage(format!("{flag} speaks of `{name}`, which no --var declares"))
            .help(format!("add --var {name}={shape}"))
    };
    for domain in domains {
        let Some(variable) = variables.iter().find(|variable| variable.name == domain.name) else {
            return Err(undeclared("--domain", &domain.name, "5x3"));
        };
        if needs_square(domain.domain) && !variable.is_square() {
            let message = format!("--domain wants square values of `{}`, its shape is not square", domain.name);
            return Err(Failure::usage(message));
        }
    }
    if let Some(fact) = facts.iter().find(|fact| !variables.iter().any(|variable| variable.name == fact.name)) {
        return Err(undeclared("--fact", &fact.name, "NxN"));
    }
    let domain = |name: &str| domains.iter().find(|domain| domain.name == name).map(|domain| domain.domain);
    let facts = |name: &str| facts.iter().filter(|f| f.name == name).map(|f| f.fact.to_owned()).collect();
    let declare = |variable: &VariableArg| Declaration {
        name: variable.name.clone(),
        extents: variable.extents.clone(),
        domain: domain(&variable.name),
        facts: facts(&variable.name),
    };
    Ok(variables.iter().map(declare).collect())
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

/// A variable by the name that a flag gave.
pub(crate) fn variable(subject: &Subject, flag: &str, name: &str) -> Result<Id, Failure> {
    subject.variable(name).ok_or_else(|| {
        let failure = Failure::usage(format!("{flag} names `{name}`, which is not a variable here"));
        let known: Vec<&str> = subject.work.scope.names().filter(|n| subject.variable(n).is_some()).collect();
        match nearest(name, known.iter().copied()) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => failure,
            None => failure.help(format!("there are: {}", known.join(", "))),
        }
    })
}

/// The variables asked for, or all parameters.
pub(crate) fn chosen(subject: &Subject, wrt: &[String]) -> Result<Vec<Id>, Failure> {
    let mut list = Vec::new();
    for name in wrt {
        let id = variable(subject, "--wrt", name)?;
        if !list.contains(&id) {
            list.push(id);
        }
    }
    if wrt.is_empty() {
        list.extend(subject.variables.iter().copied().filter(|&id| !subject.has_fact(id)));
    }
    if let Some(name) = wrt.iter().find(|name| subject.variable(name).is_some_and(|id| subject.has_fact(id))) {
        return Err(Failure::usage(format!("the model states a fact of `{name}`, so its elements are not free"))
            .help("leave the fact out of the text: the gradient treats every element as free"));
    }
    if list.is_empty() {
        return Err(Failure::usage("there is nothing to derive by: no parameter, no variable")
            .help("declare one with `param W : [2, 3]`, or with `--var W=2x3`"));
    }
    Ok(list)
}

/// A node in all ways of writing, with the names of an answer.
pub(crate) fn formula(subject: &Subject, id: Id, names: &[(Id, String)]) -> Result<Formula, Refusal> {
    Formula::of(|style| subject.write(id, names, style).map_err(Refusal::Print))
}

/// The shape of a node, such as `[N, 3]`.
pub(crate) fn shape_text(graph: &Graph, id: Id) -> String {
    graph.dims.list(graph.shape(id).resolved(&graph.dims).dims())
}

/// Why there is no answer, in words that help.
pub(crate) fn failure(refusal: &Refusal, what: &str) -> Failure {
    match refusal {
        Refusal::Text(error) => Failure::new(TEXT, error.code, error.message.clone()),
        Refusal::Question(why) => Failure::new(TEXT, "E205", why.clone())
            .help("sum it: `sum(...)`, or ask for the Jacobian: leave --hessian and --structure out"),
        Refusal::NoMatrix { differential } => {
            Failure::new(TEXT, "E290", format!("no matrix expresses {what}; its differential is {differential}"))
                .help("the differential is the answer: it is linear in each d..., element by element")
        }
        Refusal::Print(PrintError::NotAMatrix(op)) => {
            Failure::new(TEXT, "E290", format!("{what} cannot be written with matrices: it needs a {op}"))
                .help("sum over the extra axes first, so that every part is a matrix")
        }
        Refusal::Print(PrintError::TooLong) => {
            Failure::new(TEXT, "E291", format!("{what} is too long to be read by anybody"))
                .help("give names to parts of the formula in a model text, such as `H = relu(X*W)`")
        }
        Refusal::Check(error) => unchecked(error, what),
        Refusal::TooLarge(why) => Failure::new(TEXT, "E294", format!("{what} is too large to be checked: {why}"))
            .help("formulas do not depend on the extents: take small numbers, or names such as `X=NxD`"),
        _ => Failure::new(REQUIREMENT, "E603", format!("{what} is not shown: its text does not mean what was derived"))
            .help("this is a defect of Chainrule; please report it with the expression"),
    }
}

fn unchecked(error: &CheckError, what: &str) -> Failure {
    match error {
        CheckError::NowhereFinite => {
            let why = "no random point was found where it is finite";
            Failure::new(TEXT, "E292", format!("{what} could not be checked: {why}")).help(
                "log, sqrt and powers need values of their domain; `--domain X=pos` draws positive ones for --expr",
            )
        }
        CheckError::OnlyKinks => {
            Failure::new(TEXT, "E293", format!("{what} could not be checked: every direction crosses a kink"))
                .help("an expression that is constant between jumps has no useful gradient")
        }
        CheckError::Disagrees { forward, difference } => {
            let numbers = format!("forward mode {forward:.1e}, central differences {difference:.1e}");
            Failure::new(REQUIREMENT, "E603", format!("{what} failed its check and is not shown ({numbers})"))
                .help("this is a defect of Chainrule; please report it with the expression")
        }
        other => Failure::new(TEXT, "E295", format!("{what} cannot be evaluated ({other:?})"))
            .help("every dimension needs a number: give the shapes in full"),
    }
}
