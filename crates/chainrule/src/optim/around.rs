//! What stands around an update rule: clipping, accumulation, averages. Each is a definition of the prelude with the name
//! of an option of `train`, and becomes a formula over the flat vectors of the parameters.

use super::rule::numbers;
use crate::lang::{Dim, Graph, Id, Role, Shape};
use crate::model::Program;
use crate::model::builder::{Builder, Place, Scope};
use crate::model::functions::constant_value;
use crate::model::prelude;
use crate::text::ast::{Argument, Ast, DefKind};
use crate::text::diagnostic::{Diagnostic, Span};

/// The options, and what they take.
pub static AROUND: &[(&str, &str)] = &[
    ("clip_norm", "a positive number"),
    ("clip_value", "a positive number"),
    ("accumulate", "a number of batches"),
    ("average", "a number between 0 and 1"),
    ("max_norm", "a positive number"),
];

/// A formula of the prelude over vectors or a matrix.
#[derive(Clone, Debug)]
pub struct Formula {
    /// Its graph; the shape of its variables has the dimensions `M` and `P`.
    pub graph: Graph,
    /// The variables, in the order of the definition's arguments; clocks and numbers are not among them.
    pub variables: Vec<Id>,
    /// The value.
    pub value: Id,
}

/// What stands around an update rule.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// New gradients from gradients, in order.
    pub clips: Vec<Formula>,
    /// How many batches make a step, and the new sum from the sum and a gradient.
    pub accumulate: Option<(u32, Formula)>,
    /// The new average from the average and the new parameters.
    pub average: Option<Formula>,
    /// New weights from the weights of one matrix.
    pub max_norm: Option<Formula>,
}

/// An argument of a formula.
#[derive(Clone, Copy)]
enum Given {
    Vector(&'static str),
    Clock(&'static str),
    Number(f64),
}

impl Around {
    /// What the options of the program's `train` line say.
    ///
    /// # Errors
    /// A value makes no sense.
    pub fn of_program(program: &Program) -> Result<Around, Diagnostic> {
        use Given::{Clock, Number, Vector};
        let mut around = Around::default();
        let Some(train) = &program.train else { return Ok(around) };
        let ast = &program.ast;
        let value = |name: &str| {
            let option = train.options.iter().find(|option| option.name.as_ref().is_some_and(|n| n.name == name));
            option.map(|option| number(program, option)).transpose()
        };
        let (row, matrix) = (Dim::Known(1), None);
        for name in ["clip_value", "clip_norm"] {
            if let Some((limit, span)) = value(name)? {
                positive(name, limit, span)?;
                around.clips.push(formula(ast, name, Some(row), &[Vector("G"), Number(limit)], span)?);
            }
        }
        if let Some((batches, span)) = value("accumulate")? {
            if batches.fract() != 0.0 || !(1.0..=1e6).contains(&batches) {
                return Err(wrong("accumulate", span));
            }
            let given = [Vector("A"), Vector("G"), Clock("part"), Number(batches)];
            around.accumulate = Some((batches as u32, formula(ast, "accumulate", Some(row), &given, span)?));
        }
        if let Some((beta, span)) = value("average")? {
            if !(0.0..1.0).contains(&beta) {
                return Err(wrong("average", span));
            }
            let given = [Vector("A"), Vector("W"), Clock("t"), Number(beta)];
            around.average = Some(formula(ast, "average", Some(row), &given, span)?);
        }
        if let Some((limit, span)) = value("max_norm")? {
            positive("max_norm", limit, span)?;
            around.max_norm = Some(formula(ast, "max_norm", matrix, &[Vector("W"), Number(limit)], span)?);
        }
        Ok(around)
    }
}

/// A solver with a loop of its own has no update that these could stand around.
///
/// # Errors
/// The program asks for one, or for groups of parameters.
pub(super) fn refuse(program: &Program) -> Result<(), Diagnostic> {
    let help = "take an update rule such as `adam`, or leave this out";
    let options = program.train.iter().flat_map(|train| &train.options).filter_map(|option| option.name.as_ref());
    if let Some(option) = options.into_iter().find(|option| AROUND.iter().any(|row| row.0 == option.name)) {
        let message = format!("`{}` belongs to update rules, and this solver is none", option.name);
        return Err(Diagnostic::new("E215", option.span, message).label("this option").help(help));
    }
    match program.groups.first() {
        Some(group) => {
            let at = group.names[0].span;
            Err(Diagnostic::new("E231", at, "this solver moves all parameters together").label("a group").help(help))
        }
        None => Ok(()),
    }
}

fn wrong(name: &str, span: Span) -> Diagnostic {
    let takes = AROUND.iter().find(|row| row.0 == name).map_or("another value", |row| row.1);
    Diagnostic::new("E215", span, format!("`{name}` takes {takes}")).label("this value")
}

fn positive(name: &str, value: f64, span: Span) -> Result<(), Diagnostic> {
    if value > 0.0 && value.is_finite() { Ok(()) } else { Err(wrong(name, span)) }
}

/// The number of an option: an expression of the program's constants.
fn number(program: &Program, option: &Argument) -> Result<(f64, Span), Diagnostic> {
    let span = program.ast.expr(option.value).span;
    let name = option.name.as_ref().map_or("", |name| name.name.as_str());
    let mut builder = Builder::new(&program.ast, Graph::new());
    let scope = numbers(&mut builder, program);
    let id = builder.expression(Place { ast: &program.ast, scope: &scope }, option.value)?;
    Ok((constant_value(&builder.graph, id).ok_or_else(|| wrong(name, span))?, span))
}

/// The definition of this name, the program's own or that of the prelude, applied to vectors of `rows` rows.
fn formula(ast: &Ast, name: &str, rows: Option<Dim>, given: &[Given], span: Span) -> Result<Formula, Diagnostic> {
    let mut builder = Builder::new(ast, Graph::new());
    let rows = rows.unwrap_or_else(|| builder.graph.dims.named("M"));
    let shape = Shape::matrix(rows, builder.graph.dims.named("P"));
    let defined =
        prelude::find(ast, name, &[DefKind::Function]).expect("the prelude defines every option of the table");
    let mut scope = Scope::default();
    let mut variables = Vec::new();
    for (formal, given) in defined.definition.formals.iter().zip(given) {
        let id = match given {
            Given::Vector(name) => {
                let id = builder.graph.variable(name, Role::State, shape);
                variables.push(id);
                id
            }
            Given::Clock(name) => builder.graph.variable(name, Role::Clock, Shape::SCALAR),
            Given::Number(value) => builder.graph.constant(*value),
        };
        scope.bind(&formal.name.name, id);
    }
    let value = builder.apply(defined, scope, span)?;
    if builder.graph.shape(value) == shape {
        return Ok(Formula { graph: builder.graph, variables, value });
    }
    let message = format!("`{name}` must have the shape of its first argument, as the option of `train` it is");
    Err(Diagnostic::new("E204", defined.definition.name.span, message).label("another shape"))
}
