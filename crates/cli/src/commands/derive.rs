//! `chainrule derive`: derivatives of every kind, each checked before it is shown.

mod cases;
mod page;
mod report;
pub(crate) mod variables;

use std::time::Instant;

use chainrule::calculus::steps::Left;
use chainrule::lang::{Graph, Id};
use chainrule::model::answer::question::LAYOUTS;
use chainrule::model::answer::steps::Explained;
use chainrule::model::answer::{Answer, Order, Question, Refusal, Structure, Subject};
use chainrule::text::print::index::index_form;

use crate::args::{DeriveArgs, Format, NotationArg, StructureArg, SubjectArgs};
use crate::errors::Failure;
use crate::output::{self, Context};
use crate::source::SourceText;
use crate::subject::{Formula, chosen, failure, formula, read, variable};

/// Everything that is shown.
pub(crate) struct Derived {
    pub(crate) source: String,
    pub(crate) name: Formula,
    pub(crate) formula: Formula,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) answers: Vec<Shown>,
    /// The facts that the answers rest on.
    pub(crate) using: Vec<String>,
}

/// A name and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Formula,
    pub(crate) value: Formula,
}

/// One answer, written.
pub(crate) struct Shown {
    pub(crate) answer: Answer,
    pub(crate) wrt: Formula,
    /// The left-hand side, typeset; the label is its text.
    pub(crate) left: Formula,
    pub(crate) shape: String,
    pub(crate) value: Formula,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) steps: Vec<ShownStep>,
    /// The same with indices, a whole equation.
    pub(crate) elements: Option<Formula>,
}

/// One line of a derivation, written.
pub(crate) struct ShownStep {
    pub(crate) left: Formula,
    pub(crate) right: Formula,
    pub(crate) rules: Vec<&'static chainrule::calculus::steps::rules::StepRule>,
    pub(crate) defines: Vec<Definition>,
}

pub(crate) fn run(args: &DeriveArgs, context: &Context) -> Result<(), Failure> {
    if let Some(path) = &args.cases {
        return cases::run(path, args, context);
    }
    let begun = Instant::now();
    let (source, mut subject) = read(&args.subject, &args.wrt)?;
    context.detail(&format!("read in {:.1?}", begun.elapsed()));
    let derived = derive(source.name, &mut subject, args, context)?;
    context.detail(&format!("derived and checked in {:.1?}", begun.elapsed()));
    let written = match args.format() {
        Format::Html => page::page(&derived).html(),
        format => report::write(&derived, format, context.quiet),
    };
    output::write(args.out.as_deref(), &written)
}

/// The gradients of a model text by all its parameters, with their steps, as a part of a page.
pub(crate) fn typeset(text: &str, context: &Context) -> Result<String, Failure> {
    let source = SourceText { name: "the network".to_owned(), text: text.to_owned() };
    let mut subject = Subject::of_program(text).map_err(|diagnostic| Failure::text(&source, diagnostic))?;
    let subject_args = SubjectArgs { model: None, expr: None, var: Vec::new(), domain: Vec::new(), fact: Vec::new() };
    let args = DeriveArgs {
        subject: subject_args,
        cases: None,
        wrt: Vec::new(),
        steps: true,
        layout: None,
        hessian: false,
        along: None,
        structure: None,
        notation: NotationArg::Matrix,
        format: Format::Html,
        json: false,
        html: true,
        out: None,
    };
    Ok(page::page(&derive(source.name, &mut subject, &args, context)?).gradients())
}

fn derive(source: String, subject: &mut Subject, args: &DeriveArgs, context: &Context) -> Result<Derived, Failure> {
    let variables = chosen(subject, &args.wrt)?;
    let name = subject.name.clone();
    let root = subject.work.root;
    let whole = formula(subject, root, &[]).map_err(|refusal| failure(&refusal, &name))?;
    let questions: Vec<Question> = variables.iter().map(|&id| question(subject, args, id)).collect::<Result<_, _>>()?;
    let label = |subject: &Subject, question: Question| format!("d{name}/d{}", subject.name_of(question.wrt));
    let found = subject.answers(&questions);
    let found = found.map_err(|(question, refusal)| failure(&refusal, &label(subject, question)))?;
    let mut answers = Vec::with_capacity(found.len());
    for answer in found {
        let what = label(subject, answer.question);
        answers.push(shown(subject, answer, args).map_err(|refusal| failure(&refusal, &what))?);
        if let Some(signal) = context.interrupt.requested() {
            return Err(Failure::interrupted(signal));
        }
    }
    let definitions = definitions(subject, &answers).map_err(|refusal| failure(&refusal, &name))?;
    Ok(Derived {
        source,
        name: Formula::name(&name),
        formula: whole,
        definitions,
        answers,
        using: subject.used_facts(),
    })
}

/// The question that the flags ask about a variable.
fn question(subject: &Subject, args: &DeriveArgs, wrt: Id) -> Result<Question, Failure> {
    let layout = args.layout.as_deref().and_then(|word| LAYOUTS.iter().find(|(known, _)| *known == word));
    let along = args.along.as_deref().map(|name| variable(subject, "--along", name)).transpose()?;
    Ok(Question {
        wrt,
        order: if args.hessian { Order::Second } else { Order::First },
        layout: layout.map(|(_, layout)| *layout),
        structure: match args.structure {
            None => Structure::Free,
            Some(StructureArg::Symmetric) => Structure::Symmetric,
            Some(StructureArg::Diagonal) => Structure::Diagonal,
        },
        along,
    })
}

fn shown(subject: &mut Subject, answer: Answer, args: &DeriveArgs) -> Result<Shown, Refusal> {
    let with_steps = args.steps || args.format() == Format::Html;
    let steps = if with_steps { Some(subject.explain(&answer)?) } else { None };
    let steps = steps.map_or_else(|| Ok(Vec::new()), |explained| written(subject, &answer, &explained))?;
    let definition = |(id, name): &(Id, String)| {
        Ok(Definition { name: Formula::name(name), value: formula(subject, *id, &answer.names)? })
    };
    let elements = match args.notation {
        NotationArg::Index => Some(elements(subject, &answer)?),
        NotationArg::Matrix => None,
    };
    Ok(Shown {
        wrt: formula(subject, answer.question.wrt, &[])?,
        left: Formula::of(|style| subject.write_left(Left::Answer, &answer, style).map_err(Refusal::Print))?,
        shape: crate::subject::shape_text(&subject.work.graph, answer.id),
        value: formula(subject, answer.id, &answer.names)?,
        definitions: answer.names.iter().map(definition).collect::<Result<_, Refusal>>()?,
        steps,
        elements,
        answer,
    })
}

/// The answer index by index; the names that it introduces are written out.
fn elements(subject: &Subject, answer: &Answer) -> Result<Formula, Refusal> {
    let graph = &subject.work.graph;
    let names = |graph: &Graph, id: Id| graph.name(id).map(str::to_owned);
    let gradient = answer.question == Question::first(answer.question.wrt) && subject.is_scalar();
    Formula::of(|style| {
        let form = index_form(graph, answer.id, style, &names).map_err(Refusal::Print)?;
        let left = if gradient {
            let variable = style.name(subject.name_of(answer.question.wrt));
            style.partial(&style.name(&subject.name), &form.element(&variable))
        } else {
            form.element(&style.name("J"))
        };
        Ok(style.equation(&left, &form.text))
    })
}

fn written(subject: &Subject, answer: &Answer, explained: &Explained) -> Result<Vec<ShownStep>, Refusal> {
    let names = &explained.names;
    let mut list = Vec::with_capacity(explained.lines.len());
    for line in &explained.lines {
        let right = formula(subject, line.right, names)?;
        let define = |(name, id, text): &(String, Id, String)| {
            let value = formula(subject, *id, names)?;
            Ok(Definition { name: Formula::name(name), value: Formula { text: text.clone(), ..value } })
        };
        let left = Formula::of(|style| subject.write_left(line.left, answer, style).map_err(Refusal::Print))?;
        list.push(ShownStep {
            left: Formula { text: line.text.0.clone(), ..left },
            right: Formula { text: line.text.1.clone(), ..right },
            rules: line.rules.clone(),
            defines: line.defines.iter().map(define).collect::<Result<_, Refusal>>()?,
        });
    }
    Ok(list)
}

/// What the names of the program stand for, in an order in which each uses only those before it.
fn definitions(subject: &Subject, answers: &[Shown]) -> Result<Vec<Definition>, Refusal> {
    let graph = &subject.work.graph;
    let root = subject.work.root;
    let mut roots: Vec<Id> = answers.iter().map(|shown| shown.answer.id).collect();
    roots.push(root);
    let named = |id: &Id| graph.name(*id).is_some() && !graph.args(*id).is_empty() && *id != root;
    let mut list = Vec::new();
    for id in graph.reachable(&roots).into_iter().filter(named) {
        let name = Formula::name(graph.name(id).unwrap_or_default());
        list.push(Definition { name, value: formula(subject, id, &[])? });
    }
    Ok(list)
}
