//! Derivatives of stand-alone expressions: from text and shapes to a checked answer in text.

use std::fmt::Write as _;

use super::builder::{Builder, Place, Scope};
use crate::calculus::check::{Agreement, CheckError, check_gradient, difference_of};
use crate::calculus::derivation::{Derivation, derive};
use crate::calculus::sample::{Domain, facts_of};
use crate::lang::{Graph, Id, Op, Role, Shape};
use crate::text::ast::Ast;
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::parser::parse_expression;
use crate::text::print::{PrintError, Style, print};

/// A variable of an expression.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Where its values are drawn from in the check, if that is known.
    pub domain: Option<Domain>,
}

/// A derivative that passed its check.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The graph that everything lives in.
    pub graph: Graph,
    /// How it was found.
    pub derivation: Derivation,
    /// The gradient as text of the language.
    pub text: String,
    /// How well it agrees with numbers.
    pub agreement: Agreement,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is wrong.
    Text(Box<Diagnostic>),
    /// The result cannot be written in matrix notation.
    Print(PrintError),
    /// It did not pass the check.
    Check(CheckError),
    /// This kind of derivative is not available.
    Kind(String),
}

impl Refusal {
    /// One sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Refusal::Text(error) => error.message.clone(),
            Refusal::Print(PrintError::NotAMatrix(what)) => format!("the result has no matrix form ({what})"),
            Refusal::Print(PrintError::TooLong) => "the result is too long to print".to_owned(),
            Refusal::Check(CheckError::NowhereFinite) => {
                "no point was found at which the expression is finite".to_owned()
            }
            Refusal::Check(CheckError::OnlyKinks) => "every tried direction crosses a kink".to_owned(),
            Refusal::Check(CheckError::Disagrees { forward, difference }) => {
                format!("the answer failed its check (forward mode {forward:.1e}, differences {difference:.1e})")
            }
            Refusal::Check(CheckError::Evaluate(error)) => format!("the answer cannot be evaluated ({error:?})"),
            Refusal::Kind(kind) => format!("derivatives of kind `{kind}` are not available"),
        }
    }
}

/// Derives the gradient of `expr` with respect to `wrt`, and checks it twice: as a graph, and as the printed text.
///
/// # Errors
/// See [`Refusal`]; an answer that fails its check is never returned.
pub fn gradient(expr: &str, declarations: &[Declaration], wrt: &str) -> Result<Answer, Refusal> {
    let text_error = |error: Diagnostic| Refusal::Text(Box::new(error));
    let (ast, root) = parse_expression(expr).map_err(text_error)?;
    let own = Ast::default();
    let mut builder = Builder::new(&own, Graph::new());
    let mut scope = Scope::default();
    for declaration in declarations {
        let id = builder.graph.variable(&declaration.name, Role::Input, declaration.shape);
        scope.bind(&declaration.name, id);
        // Of the variable itself nothing is assumed: its elements are differentiated one by one.
        if let Some(domain) = declaration.domain.filter(|_| declaration.name != wrt) {
            facts_of(domain).iter().for_each(|&fact| builder.graph.assume(id, fact));
        }
    }
    let tree: &Ast = &ast;
    let root = build(&mut builder, tree, &scope, root).map_err(text_error)?;
    let whole = Span { start: 0, end: expr.len() as u32 };
    let Some(variable) = scope.get(wrt).filter(|&id| builder.graph.as_variable(id).is_some()) else {
        let error = Diagnostic::new("E201", whole, format!("`{wrt}` is not a variable of the expression"));
        return Err(text_error(match crate::text::suggest::nearest(wrt, scope.names()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        }));
    };
    if !builder.graph.shape(root).is_scalar() {
        let message = format!("a gradient needs a scalar, this expression is {}", builder.shape_text(root));
        return Err(text_error(Diagnostic::new("E205", whole, message).help("sum it, or ask for a Jacobian")));
    }
    let mut graph = builder.graph;
    let derivation = derive(&mut graph, root, &[variable]);
    let domain = domains(&graph, declarations);
    let known: Option<&dyn Fn(Id) -> Domain> =
        if declarations.iter().any(|d| d.domain.is_some()) { Some(&domain) } else { None };
    let gradient = derivation.gradients[0];
    let agreement = check_gradient(&mut graph, root, variable, gradient, known).map_err(Refusal::Check)?;
    let text = print(&graph, gradient, Style::Text).map_err(Refusal::Print)?;
    check_text(&mut graph, &scope, &text, gradient, known)?;
    Ok(Answer { graph, derivation, text, agreement })
}

fn build<'a>(
    builder: &mut Builder<'a>,
    ast: &Ast,
    scope: &Scope,
    root: crate::text::ast::ExprId,
) -> Result<Id, Diagnostic> {
    // The tree of the expression lives as long as the builder only in this call; definitions come from the prelude.
    let graph = std::mem::take(&mut builder.graph);
    let mut inner = Builder::new(ast, graph);
    let result = inner.expression(Place { ast, scope }, root);
    builder.graph = inner.graph;
    result
}

fn domains<'d>(graph: &Graph, declarations: &'d [Declaration]) -> impl Fn(Id) -> Domain + use<'d> {
    let names: Vec<(Id, String)> = graph.variables.iter().map(|v| (v.id, v.name.clone())).collect();
    move |id| {
        let name = names.iter().find(|(other, _)| *other == id).map(|(_, name)| name.as_str());
        declarations.iter().find(|d| Some(d.name.as_str()) == name).and_then(|d| d.domain).unwrap_or(Domain::Any)
    }
}

/// What is printed must parse and evaluate to the same numbers.
fn check_text(
    graph: &mut Graph,
    scope: &Scope,
    text: &str,
    gradient: Id,
    domain: Option<&dyn Fn(Id) -> Domain>,
) -> Result<(), Refusal> {
    let text_error = |error: Diagnostic| Refusal::Text(Box::new(error));
    let (ast, root) = parse_expression(text).map_err(text_error)?;
    let own = Ast::default();
    let mut builder = Builder::new(&own, std::mem::take(graph));
    let parsed = build(&mut builder, &ast, scope, root);
    *graph = builder.graph;
    let parsed = parsed.map_err(text_error)?;
    if parsed == gradient {
        return Ok(());
    }
    if graph.shape(parsed) != graph.shape(gradient) {
        return Err(Refusal::Check(CheckError::Disagrees { forward: f64::INFINITY, difference: f64::INFINITY }));
    }
    let positive = |_: Id| Domain::Positive;
    let any = |_: Id| Domain::Any;
    let choices: Vec<&dyn Fn(Id) -> Domain> = match domain {
        Some(domain) => vec![domain],
        None => vec![&any, &positive],
    };
    for choice in choices {
        match difference_of(graph, parsed, gradient, choice, 31) {
            Ok((difference, _, _)) if difference <= 1e-9 => return Ok(()),
            Ok((difference, _, _)) => {
                return Err(Refusal::Check(CheckError::Disagrees { forward: difference, difference }));
            }
            Err(CheckError::NowhereFinite) => {}
            Err(error) => return Err(Refusal::Check(error)),
        }
    }
    Err(Refusal::Check(CheckError::NowhereFinite))
}

/// The steps of a derivation as numbered lines.
#[must_use]
pub fn steps_text(graph: &Graph, derivation: &Derivation, style: Style) -> Vec<(String, String)> {
    use crate::calculus::derivation::Phase;
    let written = |id: Id| print(graph, id, style).unwrap_or_else(|_| crate::text::print::text(graph, id));
    let mut lines = Vec::new();
    for step in &derivation.steps {
        let left = match (step.phase, style) {
            (Phase::Differential, Style::Text) if graph.name(step.node).is_some() => {
                format!("d{}", graph.name(step.node).unwrap_or_default())
            }
            (Phase::Differential, Style::Text) => format!("d({})", written(step.before)),
            (Phase::Differential, Style::Latex) => format!(r"\mathrm{{d}}\left({}\right)", written(step.before)),
            (Phase::Transpose, _) => written(step.before),
        };
        let mut line = String::new();
        let _ = write!(line, "{left} = {}", written(step.after));
        lines.push((line, step.rule.clone()));
    }
    lines
}

/// Is the node free of variables other than those of the expression? (A differential left over would be a defect.)
#[must_use]
pub fn is_closed(graph: &Graph, id: Id) -> bool {
    graph.reachable(&[id]).into_iter().all(|node| match graph.op(node) {
        Op::Variable(_) => graph.as_variable(node).is_some_and(|v| v.role != Role::Differential),
        _ => true,
    })
}
