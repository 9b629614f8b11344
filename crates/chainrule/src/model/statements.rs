//! Statements of programs and of the bodies of definitions.

use super::builder::{Builder, Place, Scope};
use super::functions::constant_value;
use super::initialise;
use super::mode::Mode;
use super::prelude::Defined;
use crate::lang::{Dim, Dims, Id, Op, Role, Shape};
use crate::text::ast::{DefKind, ExprId, ExprKind, Ident, Start, Statement};
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::suggest::nearest;

/// An argument of an initialiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StartArgument {
    /// A number.
    Number(f64),
    /// The extent of a dimension, which the data may give.
    Extent(Dim),
}

/// How a parameter starts.
#[derive(Clone, Debug, PartialEq)]
pub enum StartSpec {
    /// Every element the same.
    Constant(f64),
    /// Drawn.
    Draw {
        /// Name of the initialiser.
        name: &'static str,
        /// Its arguments.
        args: Vec<StartArgument>,
    },
    /// From the program's own data: an expression of `data` (a matrix or a file), by its place in the tree.
    Data(ExprId),
}

impl StartSpec {
    /// How it is written.
    #[must_use]
    pub fn text(&self, dims: &Dims) -> String {
        match self {
            StartSpec::Constant(value) => format!("= {value}"),
            StartSpec::Draw { name, args } if args.is_empty() => format!("~ {name}"),
            StartSpec::Draw { name, args } => {
                let text = |arg: &StartArgument| match arg {
                    StartArgument::Number(value) => value.to_string(),
                    StartArgument::Extent(dim) => dims.text(*dim),
                };
                let args: Vec<String> = args.iter().map(text).collect();
                format!("~ {name}({})", args.join(", "))
            }
            StartSpec::Data(_) => "= data".to_owned(),
        }
    }
}

/// Something with memory that a program declares.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its variable.
    pub id: Id,
    /// Parameter or state.
    pub role: Role,
    /// How it starts.
    pub start: StartSpec,
    /// Where it is declared.
    pub span: Span,
    /// The value that `:=` gives it.
    pub update: Option<Id>,
}

impl<'a> Builder<'a> {
    /// A declared shape; names that are unknown become dimensions.
    pub(super) fn declared_shape(
        &mut self,
        place: Place<'_, 'a>,
        shape: &[ExprId],
        span: Span,
    ) -> Result<Shape, Diagnostic> {
        if shape.len() > crate::lang::shape::MAX_RANK {
            let message =
                format!("a tensor has at most {} dimensions, got {}", crate::lang::shape::MAX_RANK, shape.len());
            return Err(Diagnostic::new("E208", self.place(span), message).label("this shape"));
        }
        let mut dims: Vec<Dim> = Vec::with_capacity(shape.len());
        for &member in shape {
            let expr = place.ast.expr(member);
            let dim = match &expr.kind {
                ExprKind::Name(name) if place.scope.get(name).is_none() => self.graph.dims.named(name),
                _ => {
                    let node = self.expression(place, member)?;
                    self.dim(node, expr.span)?
                }
            };
            dims.push(dim);
        }
        if dims.len() == 1 {
            dims.insert(0, Dim::Known(1));
        }
        Ok(Shape::new(&dims))
    }

    /// The starting values of a parameter.
    pub(super) fn start(&mut self, place: Place<'_, 'a>, start: &Start) -> Result<StartSpec, Diagnostic> {
        match start {
            Start::Default => Ok(StartSpec::Draw { name: "glorot_uniform", args: Vec::new() }),
            Start::Draw(expr) => self.initialiser(place, *expr),
            Start::Value(expr) => {
                let data = matches!(&place.ast.expr(*expr).kind, ExprKind::Matrix(_))
                    || matches!(&place.ast.expr(*expr).kind, ExprKind::Transpose(x) if matches!(place.ast.expr(*x).kind, ExprKind::Matrix(_)))
                    || matches!(&place.ast.expr(*expr).kind, ExprKind::Call(f, _) if ["npy", "npz"].contains(&f.name.as_str()));
                if data {
                    return Ok(StartSpec::Data(*expr));
                }
                let span = self.place(place.ast.expr(*expr).span);
                let value = self.expression(place, *expr)?;
                constant_value(&self.graph, value).map(StartSpec::Constant).ok_or_else(|| {
                    Diagnostic::new("E210", span, "a starting value must be a number, a matrix or a file")
                        .label("this depends on variables")
                        .help("draw it with `~ normal(0, 0.01)`, or read it with npz(\"file.npz\", \"name\")")
                })
            }
        }
    }

    fn initialiser(&mut self, place: Place<'_, 'a>, expr: ExprId) -> Result<StartSpec, Diagnostic> {
        let node = place.ast.expr(expr);
        let (name, args) = match &node.kind {
            ExprKind::Name(name) => (name, &[][..]),
            ExprKind::Call(callee, args) => (&callee.name, args.as_slice()),
            _ => {
                return Err(Diagnostic::new("E210", self.place(node.span), "`~` needs the name of an initialiser")
                    .label("not a name")
                    .help("write `~ normal(0, 0.01)`, or `= 0` for a fixed start"));
            }
        };
        let Some(initialiser) = initialise::find(name) else {
            let error = Diagnostic::new("E210", self.place(node.span), format!("unknown initialiser `{name}`"))
                .label("not an initialiser");
            let near = nearest(name, initialise::INITIALISERS.iter().map(|i| i.name));
            return Err(match near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!(
                    "there are: {}",
                    initialise::INITIALISERS.iter().map(|i| i.name).collect::<Vec<_>>().join(", ")
                )),
            });
        };
        let defaults = initialiser.arguments.iter();
        let mut values: Vec<StartArgument> = defaults.map(|(_, default)| StartArgument::Number(*default)).collect();
        for (index, arg) in args.iter().enumerate() {
            let slot = match &arg.name {
                Some(keyword) => initialiser.arguments.iter().position(|(n, _)| *n == keyword.name),
                None => Some(index),
            };
            let span = self.place(place.ast.expr(arg.value).span);
            let Some(slot) = slot.filter(|&slot| slot < values.len()) else {
                let names: Vec<&str> = initialiser.arguments.iter().map(|(n, _)| *n).collect();
                return Err(Diagnostic::new("E203", span, format!("`{name}` takes ({})", names.join(", ")))
                    .label("this argument"));
            };
            let value = self.expression(place, arg.value)?;
            values[slot] = match self.graph.op(value) {
                Op::Size(size) => Some(StartArgument::Extent(self.graph.dims.resolve(size.0))),
                _ => constant_value(&self.graph, value).map(StartArgument::Number),
            }
            .ok_or_else(|| Diagnostic::new("E210", span, "an initialiser takes numbers").label("not a number"))?;
        }
        Ok(StartSpec::Draw { name: initialiser.name, args: values })
    }

    /// Declares a parameter or state under a name that is unique in the program.
    pub(super) fn declare(&mut self, name: &str, role: Role, shape: Shape, start: StartSpec, span: Span) -> Id {
        let id = self.graph.variable(name, role, shape);
        self.declared.push(Declared { id, role, start, span, update: None });
        id
    }

    /// A state of an optimizer; its starting value is the optimizer's business.
    pub fn declare_state(&mut self, name: &str, shape: Shape, span: Span) -> Id {
        self.declare(name, Role::State, shape, StartSpec::Constant(0.0), span)
    }

    /// `name := value`.
    ///
    /// # Errors
    /// The name is no state, or the shapes differ.
    pub fn update(&mut self, scope: &mut Scope, name: &Ident, value: Id) -> Result<(), Diagnostic> {
        let span = self.place(name.span);
        let state = scope.get(&format!(":{}", name.name)).or_else(|| scope.get(&name.name));
        let declared = state.and_then(|id| self.declared.iter().position(|d| d.id == id && d.role == Role::State));
        let Some(at) = declared else {
            return Err(Diagnostic::new("E211", span, format!("`{}` is not a state", name.name))
                .label("`:=` updates a state")
                .help("declare it with `state`, or write `=` for an ordinary name"));
        };
        let (want, found) = (self.graph.shape(self.declared[at].id), self.graph.shape(value));
        let value = if found.is_scalar() && want != found { self.graph.broadcast(value, want) } else { value };
        let given = self.given_shape(&self.graph.shape(value));
        let differ = want.unify(&self.graph.shape(value), &mut self.graph.dims, "the shapes").is_err();
        if differ || self.forced_examples().is_some() {
            let message = format!("`{}` is {}, its new value is {given}", name.name, self.graph.dims.list(want.dims()));
            return Err(Diagnostic::new("E204", span, message)
                .label("this state")
                .help("give both one shape, for example with `colsum` or `colmean`"));
        }
        self.differs = true;
        if self.mode == Mode::Prediction {
            return Ok(());
        }
        self.declared[at].update = Some(value);
        // Later lines see the updated value.
        let old = self.declared[at].id;
        scope.rebind(&name.name, value);
        scope.bind(&format!(":{}", name.name), old);
        Ok(())
    }

    /// The body of a function, schedule or layer: its last line is its value.
    pub(super) fn body(&mut self, defined: Defined<'a>, mut scope: Scope) -> Result<Id, Diagnostic> {
        let prefix = match defined.definition.kind {
            DefKind::Layer => {
                let name = &defined.definition.name.name;
                let count = self.layers.entry(name.clone()).or_insert(0);
                *count += 1;
                format!("{name}{count}_")
            }
            _ => String::new(),
        };
        let is_schedule = defined.definition.kind == DefKind::Schedule;
        if is_schedule {
            for clock in CLOCKS {
                if let Some(id) = self.clock(clock) {
                    scope.bind(clock, id);
                }
            }
        }
        let mut result = None;
        for item in &defined.definition.body {
            let ast = defined.ast;
            match &item.statement {
                Statement::Param { name, shape, start } => {
                    let place = Place { ast, scope: &scope };
                    let shape = match shape {
                        Some(shape) => self.declared_shape(place, shape, item.span)?,
                        None => Shape::SCALAR,
                    };
                    let start = self.start(place, start)?;
                    let span = self.place(item.span);
                    let id = self.declare(&format!("{prefix}{}", name.name), Role::Parameter, shape, start, span);
                    scope.bind(&name.name, id);
                }
                Statement::State { name, shape, start } => {
                    let id = self.state(
                        Place { ast, scope: &scope },
                        &format!("{prefix}{}", name.name),
                        shape.as_deref(),
                        start,
                        item.span,
                    )?;
                    scope.bind(&name.name, id);
                }
                Statement::Let { name, value } => {
                    let id = self.expression(Place { ast, scope: &scope }, *value)?;
                    scope.rebind(&name.name, id);
                }
                Statement::Update { name, value } => {
                    let id = self.expression(Place { ast, scope: &scope }, *value)?;
                    self.update(&mut scope, name, id)?;
                }
                Statement::Result { value } => result = Some(self.expression(Place { ast, scope: &scope }, *value)?),
                _ => unreachable!("the parser lets only these into a body"),
            }
        }
        result.ok_or_else(|| {
            let name = &defined.definition.name;
            Diagnostic::new("E117", self.place(name.span), format!("`{}` has no value", name.name))
        })
    }

    /// A state; without a shape it is a scalar.
    pub(super) fn state(
        &mut self,
        place: Place<'_, 'a>,
        name: &str,
        shape: Option<&[ExprId]>,
        start: &Start,
        span: Span,
    ) -> Result<Id, Diagnostic> {
        let shape = match shape {
            Some(shape) => self.declared_shape(place, shape, span)?,
            None => Shape::SCALAR,
        };
        let start = self.start(place, start)?;
        let span = self.place(span);
        Ok(self.declare(name, Role::State, shape, start, span))
    }

    /// A scalar that the training loop sets.
    pub fn clock(&mut self, name: &str) -> Option<Id> {
        if !CLOCKS.contains(&name) {
            return None;
        }
        let known = self.graph.variables.iter().find(|v| v.role == Role::Clock && v.name == name).map(|v| v.id);
        Some(known.unwrap_or_else(|| self.graph.variable(name, Role::Clock, Shape::SCALAR)))
    }
}

/// The scalars that the training loop sets: step from 1, epoch from 0, number of epochs, steps in an epoch, and how many
/// epochs ago the loss was lowest: that of validation, or of training where there is none.
pub const CLOCKS: [&str; 5] = ["t", "epoch", "epochs", "steps_per_epoch", "stale"];

/// Is the node a leaf that has its own name?
#[must_use]
pub(super) fn is_leaf(op: Op) -> bool {
    matches!(op, Op::Variable(_) | Op::Constant(_) | Op::Size(_))
}
