//! A program: what a model file declares, as one graph.
//!
//! The text is built twice when needed: the first pass learns which dimensions are equal, the second builds the graph
//! with what was learnt, so that no shape in the final graph is out of date.

use super::builder::{Builder, Place, Scope};
use super::mode::Mode;
use super::statements::{Declared, is_leaf};
use crate::lang::{Dim, Dims, Graph, Id, Role, Shape};
use crate::text::ast::{Argument, Ast, ExprId, Ident, Item, Statement};
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::parser::parse_program;

/// `claim left == right`.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Left side.
    pub left: Id,
    /// Right side.
    pub right: Id,
    /// Where it stands.
    pub span: Span,
}

/// `train optimizer, options`.
#[derive(Clone, Debug)]
pub struct Train {
    /// The optimizer: a call or a name.
    pub optimizer: ExprId,
    /// `key = value`.
    pub options: Vec<Argument>,
    /// Where it stands.
    pub span: Span,
}

/// `data names = source`.
#[derive(Clone, Debug)]
pub struct DataSource {
    /// The variables it fills.
    pub names: Vec<Ident>,
    /// The generator, file or table.
    pub value: ExprId,
    /// Where it stands.
    pub span: Span,
}

/// `group names = optimizer`.
#[derive(Clone, Debug)]
pub struct ParameterGroup {
    /// Parameters, or layers.
    pub names: Vec<Ident>,
    /// Their optimizer: a call or a name.
    pub value: ExprId,
}

/// A model: its graph, and what each part of it is for.
#[derive(Clone, Debug)]
pub struct Program {
    /// The text it was built from.
    pub source: String,
    /// Its syntax.
    pub ast: Ast,
    /// The graph.
    pub graph: Graph,
    /// Inputs, in order.
    pub inputs: Vec<Id>,
    /// Targets, in order.
    pub targets: Vec<Id>,
    /// Parameters, in order.
    pub parameters: Vec<Declared>,
    /// States that `:=` updates.
    pub states: Vec<Declared>,
    /// What is predicted.
    pub predict: Option<Id>,
    /// What is minimised, 1 x 1.
    pub loss: Option<Id>,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// How to train.
    pub train: Option<Train>,
    /// Parameters with an optimizer of their own, in order.
    pub groups: Vec<ParameterGroup>,
    /// Where the data comes from.
    pub data: Vec<DataSource>,
    /// Names of the text and what they stand for.
    pub scope: Scope,
    /// The program as a trained model computes it, where that differs from a step of training.
    pub(super) prediction: Option<Box<Program>>,
}

impl Program {
    /// Builds a program from its text.
    ///
    /// # Errors
    /// The first fault of the text.
    pub fn parse(source: &str) -> Result<Program, Diagnostic> {
        Program::parse_into(source, Graph::new)
    }

    /// As [`Program::parse`], in a graph that keeps every expression as it is written.
    ///
    /// # Errors
    /// The first fault of the text.
    pub fn parse_plain(source: &str) -> Result<Program, Diagnostic> {
        Program::parse_into(source, Graph::plain)
    }

    fn parse_into(source: &str, empty: fn() -> Graph) -> Result<Program, Diagnostic> {
        let ast = parse_program(source)?;
        let mut dims = Dims::default();
        loop {
            let before = dims.unifications();
            let (mut program, differs) = Program::build(source, &ast, empty().with_dims(dims), Mode::Training)?;
            if program.graph.dims.unifications() != before {
                dims = program.graph.dims;
                continue;
            }
            if differs {
                let graph = empty().with_dims(program.graph.dims.clone());
                let (prediction, _) = Program::build(source, &ast, graph, Mode::Prediction)?;
                prediction.refuse_randomness()?;
                program.prediction = Some(Box::new(prediction));
            }
            return Ok(program);
        }
    }

    fn build(source: &str, ast: &Ast, graph: Graph, mode: Mode) -> Result<(Program, bool), Diagnostic> {
        let mut builder = Builder::new(ast, graph);
        builder.mode = mode;
        let mut parts = Parts::default();
        for item in &ast.items {
            parts.statement(&mut builder, ast, item)?;
        }
        let (states, parameters): (Vec<Declared>, Vec<Declared>) =
            builder.declared.drain(..).partition(|declared| declared.role == Role::State);
        let (graph, differs) = (builder.graph, builder.differs);
        // Random numbers have names that only the graph knows; formulas that are printed contain them.
        for variable in graph.variables.iter().filter(|v| matches!(v.role, Role::Random(_))) {
            parts.scope.bind(&variable.name, variable.id);
        }
        let Parts { scope, inputs, targets, predict, loss, claims, train, groups, data, .. } = parts;
        let program = Program {
            source: source.to_owned(),
            ast: ast.clone(),
            graph,
            inputs,
            targets,
            parameters,
            states,
            predict,
            loss,
            claims,
            train,
            groups,
            data,
            scope,
            prediction: None,
        };
        Ok((program, differs))
    }

    /// The name of a variable.
    #[must_use]
    pub fn name_of(&self, id: Id) -> &str {
        self.graph.as_variable(id).map_or("?", |v| v.name.as_str())
    }

    /// The loss, or an error that says that there is none.
    ///
    /// # Errors
    /// The program has no `loss` line.
    pub fn need_loss(&self) -> Result<Id, Diagnostic> {
        self.loss.ok_or_else(|| {
            let end = self.source.len() as u32;
            Diagnostic::new("E212", Span { start: end, end }, "the program has no `loss`")
                .help("add a line such as `loss cross_entropy(scores, Y)`")
        })
    }
}

#[derive(Default)]
struct Parts {
    scope: Scope,
    declared_at: rustc_hash::FxHashMap<String, Span>,
    inputs: Vec<Id>,
    targets: Vec<Id>,
    predict: Option<Id>,
    loss: Option<Id>,
    claims: Vec<Claim>,
    train: Option<Train>,
    groups: Vec<ParameterGroup>,
    data: Vec<DataSource>,
}

impl Parts {
    fn statement<'a>(&mut self, builder: &mut Builder<'a>, ast: &'a Ast, item: &Item) -> Result<(), Diagnostic> {
        let place = Place { ast, scope: &self.scope };
        match &item.statement {
            Statement::Input { name, shape } => {
                self.variable(builder, ast, name, shape.as_deref(), Role::Input, item.span)
            }
            Statement::Target { name, shape } => {
                self.variable(builder, ast, name, shape.as_deref(), Role::Target, item.span)
            }
            Statement::Const { name, value } => {
                let node = builder.expression(place, *value)?;
                let span = ast.expr(*value).span;
                let number = super::functions::constant_value(&builder.graph, node).ok_or_else(|| {
                    Diagnostic::new("E210", span, "a `const` must be a number").label("this depends on variables")
                })?;
                let id = builder.graph.named_constant(&name.name, number);
                self.bind(name, id)
            }
            Statement::Param { name, shape, start } => {
                let shape = match shape {
                    Some(shape) => builder.declared_shape(place, shape, item.span)?,
                    None => Shape::SCALAR,
                };
                let start = builder.start(place, start)?;
                let id = builder.declare(&name.name, Role::Parameter, shape, start, item.span);
                self.bind(name, id)
            }
            Statement::State { name, shape, start } => {
                let id = builder.state(place, &name.name, shape.as_deref(), start, item.span)?;
                self.bind(name, id)
            }
            Statement::Let { name, value } => {
                let id = builder.expression(place, *value)?;
                if !is_leaf(builder.graph.op(id)) {
                    builder.graph.set_name(id, &name.name);
                }
                self.bind(name, id)
            }
            Statement::Update { name, value } => {
                let id = builder.expression(place, *value)?;
                builder.update(&mut self.scope, name, id)
            }
            Statement::Predict { value } => {
                let id = builder.expression(place, *value)?;
                self.once(item.span, self.predict.is_some(), "predict")?;
                self.predict = Some(id);
                Ok(())
            }
            Statement::Loss { value } => self.loss(builder, place_of(ast, *value), *value, item.span, ast),
            Statement::Claim { left, right } => self.claim(builder, ast, *left, *right, item.span),
            Statement::Fact { name, words } => builder.fact(&self.scope, name, words),
            Statement::Train { optimizer, options } => {
                self.once(item.span, self.train.is_some(), "train")?;
                self.train = Some(Train { optimizer: *optimizer, options: options.clone(), span: item.span });
                Ok(())
            }
            Statement::Data { names, value } => {
                self.data.push(DataSource { names: names.clone(), value: *value, span: item.span });
                Ok(())
            }
            Statement::Group { names, value } => {
                self.groups.push(ParameterGroup { names: names.clone(), value: *value });
                Ok(())
            }
            Statement::Define(definition) => self.define(builder, definition),
            Statement::Result { .. } => unreachable!("the parser refuses bare expressions in programs"),
        }
    }

    fn define(&mut self, builder: &Builder, definition: &crate::text::ast::Definition) -> Result<(), Diagnostic> {
        let name = &definition.name;
        let twice =
            super::prelude::definitions(builder.own).find(|d| d.name.name == name.name && d.name.span != name.span);
        match twice {
            Some(other) if other.name.span.start < name.span.start => {
                Err(Diagnostic::new("E213", name.span, format!("`{}` is defined twice", name.name))
                    .label("again here")
                    .note(other.name.span, "first here"))
            }
            _ => Ok(()),
        }
    }

    fn loss<'a>(
        &mut self,
        builder: &mut Builder<'a>,
        at: Span,
        value: ExprId,
        span: Span,
        ast: &'a Ast,
    ) -> Result<(), Diagnostic> {
        let id = builder.expression(Place { ast, scope: &self.scope }, value)?;
        self.once(span, self.loss.is_some(), "loss")?;
        if !builder.graph.shape(id).is_scalar() {
            let message = format!("the loss must be a scalar, got {}", builder.shape_text(id));
            return Err(Diagnostic::new("E205", at, message)
                .label("not 1 x 1")
                .help("sum it: `sum(...)`, or take a mean"));
        }
        self.loss = Some(id);
        self.scope.bind("loss", id);
        Ok(())
    }

    fn claim<'a>(
        &mut self,
        builder: &mut Builder<'a>,
        ast: &'a Ast,
        left: ExprId,
        right: ExprId,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let place = Place { ast, scope: &self.scope };
        let (a, b) = (builder.expression(place, left)?, builder.expression(place, right)?);
        let (a, b) = if builder.graph.shape(a) == builder.graph.shape(b) {
            (a, b)
        } else {
            let given = [a, b].map(|id| builder.given_shape(&builder.graph.shape(id)));
            let pair = builder.stretched_pair("==", a, b, span)?;
            if builder.forced_examples().is_some() {
                let message = format!("the shapes of `==` do not fit: {} and {}", given[0], given[1]);
                return Err(Diagnostic::new("E204", span, message).label("these two sides"));
            }
            pair
        };
        self.claims.push(Claim { left: a, right: b, span });
        Ok(())
    }

    fn variable<'a>(
        &mut self,
        builder: &mut Builder<'a>,
        ast: &'a Ast,
        name: &Ident,
        shape: Option<&[ExprId]>,
        role: Role,
        span: Span,
    ) -> Result<(), Diagnostic> {
        let shape = match shape {
            Some(shape) => builder.declared_shape(Place { ast, scope: &self.scope }, shape, span)?,
            None => {
                let dims: [Dim; 2] =
                    [builder.graph.dims.named("N"), builder.graph.dims.named(&format!("cols_{}", name.name))];
                Shape::new(&dims)
            }
        };
        let id = builder.graph.variable(&name.name, role, shape);
        let rows = shape.rows();
        if matches!(rows, Dim::Symbol(_)) && shape.rank() >= 2 {
            builder.examples.push((rows, name.name.clone()));
        }
        if role == Role::Input {
            self.inputs.push(id)
        } else {
            self.targets.push(id)
        }
        self.bind(name, id)
    }

    fn bind(&mut self, name: &Ident, id: Id) -> Result<(), Diagnostic> {
        if let Some(&first) = self.declared_at.get(&name.name) {
            return Err(Diagnostic::new("E213", name.span, format!("`{}` is declared twice", name.name))
                .label("again here")
                .note(first, "first here")
                .help("every name stands for one thing; `:=` updates a `state`"));
        }
        self.declared_at.insert(name.name.clone(), name.span);
        self.scope.bind(&name.name, id);
        Ok(())
    }

    fn once(&self, span: Span, again: bool, what: &str) -> Result<(), Diagnostic> {
        if again {
            Err(Diagnostic::new("E213", span, format!("there is more than one `{what}`")).label("again here"))
        } else {
            Ok(())
        }
    }
}

fn place_of(ast: &Ast, id: ExprId) -> Span {
    ast.expr(id).span
}
