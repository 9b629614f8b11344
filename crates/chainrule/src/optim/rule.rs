//! First-order update rules: the text of an optimizer as a graph over all parameters at once.

use super::around::Around;
use crate::lang::{Class, Graph, Id, Op, Role, Shape};
use crate::model::Program;
use crate::model::builder::{Builder, Place, Scope};
use crate::model::functions::constant_value;
use crate::model::prelude::{self, Defined};
use crate::model::statements::{CLOCKS, StartSpec};
use crate::text::ast::{DefKind, ExprId, ExprKind, Ident, Start, Statement};
use crate::text::diagnostic::Diagnostic;
use crate::text::suggest::nearest;

/// A memory of the rule: one number for each parameter, or one in all where its shape is 1 x 1.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Its name.
    pub name: String,
    /// Its variable.
    pub id: Id,
    /// The value it starts with.
    pub start: f64,
    /// Its new value after a step.
    pub update: Id,
}

/// An update rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Name of the optimizer.
    pub name: String,
    /// The graph of the update of an M x P matrix.
    pub graph: Graph,
    /// The parameters.
    pub w: Id,
    /// Their gradient.
    pub g: Id,
    /// The new parameters.
    pub new_w: Id,
    /// The memories.
    pub moments: Vec<Moment>,
    /// What the text gives a name by `=`, for people.
    pub named: Vec<(String, Id)>,
    /// Rules of parameters that have one of their own, later ones first in rank.
    pub groups: Vec<Group>,
    /// What stands around the rule.
    pub around: Around,
}

/// Parameters with a rule of their own: `group b = sgd(rate = 0.1)`.
#[derive(Clone, Debug)]
pub struct Group {
    /// Places in the program's list of parameters.
    pub members: Vec<usize>,
    /// Their rule.
    pub rule: Rule,
}

impl Rule {
    /// The rule of a program's `train` line.
    ///
    /// # Errors
    /// The program has none, the optimizer is unknown, or its arguments do not fit.
    pub fn of_program(program: &Program) -> Result<Option<Rule>, Diagnostic> {
        let Some(train) = &program.train else { return Ok(None) };
        let mut rule = Rule::compile(program, train.optimizer)?;
        for group in &program.groups {
            let members = members(program, &group.names)?;
            rule.groups.push(Group { members, rule: Rule::compile(program, group.value)? });
        }
        rule.around = Around::of_program(program)?;
        Ok(Some(rule))
    }

    /// The rule of a call such as `adam(rate = 1e-3)` in the program's text.
    ///
    /// # Errors
    /// The optimizer is unknown, or its arguments do not fit.
    pub fn compile(program: &Program, call: ExprId) -> Result<Rule, Diagnostic> {
        compile(program, call)
    }
}

impl Rule {
    /// Does every parameter move by its own element of the gradient and the memories alone? Then one row may hold them
    /// all; else each matrix is updated by itself.
    #[must_use]
    pub fn is_elementwise(&self) -> bool {
        let mut roots: Vec<Id> = self.moments.iter().map(|moment| moment.update).collect();
        roots.push(self.new_w);
        self.graph.reachable(&roots).into_iter().all(|id| match self.graph.op(id) {
            Op::Size(_) => false,
            Op::Broadcast(_) => self.graph.shape(self.graph.args(id)[0]).is_scalar(),
            op => matches!(op.def().class(), Class::Map | Class::Source),
        })
    }
}

/// The numbers with names of a program.
pub(super) fn numbers(builder: &mut Builder, program: &Program) -> Scope {
    let mut scope = Scope::default();
    for constant in program.graph.variables.iter().filter(|v| v.role == Role::Constant) {
        if let Some(value) = constant.value {
            let id = builder.graph.named_constant(&constant.name, value);
            scope.bind(&constant.name, id);
        }
    }
    scope
}

/// The parameters that a name of a `group` line means: the one of this name, all of a call of a layer (`dense1`), or those
/// of this name in every layer (`b`).
fn members(program: &Program, names: &[Ident]) -> Result<Vec<usize>, Diagnostic> {
    let all: Vec<&str> = program.parameters.iter().map(|p| program.name_of(p.id)).collect();
    let mut members = Vec::new();
    for name in names {
        let (first, last) = (format!("{}_", name.name), format!("_{}", name.name));
        let before = members.len();
        members.extend(
            (0..all.len())
                .filter(|&at| all[at] == name.name || all[at].starts_with(&first) || all[at].ends_with(&last)),
        );
        if members.len() == before {
            let message = format!("no parameter is called `{}`, and no layer", name.name);
            let error = Diagnostic::new("E231", name.span, message).label("not a parameter");
            return Err(match nearest(&name.name, all.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("there are: {}", all.join(", "))),
            });
        }
    }
    Ok(members)
}

fn compile(program: &Program, call: ExprId) -> Result<Rule, Diagnostic> {
    let ast = &program.ast;
    let expr = ast.expr(call);
    let (callee, args) = match &expr.kind {
        ExprKind::Name(name) => (Ident { name: name.clone(), span: expr.span }, &[][..]),
        ExprKind::Call(callee, args) => (callee.clone(), args.as_slice()),
        _ => return Err(Diagnostic::new("E218", expr.span, "`train` needs an optimizer, such as `sgd(rate = 0.1)`")),
    };
    let Some(defined) = prelude::find(ast, &callee.name, &[DefKind::Optimizer]) else {
        let mut names = prelude::names(ast, &[DefKind::Optimizer]);
        names.extend(super::native::NATIVE.iter().map(|native| native.name));
        let error =
            Diagnostic::new("E218", callee.span, format!("unknown optimizer `{}`", callee.name)).label("not defined");
        return Err(match nearest(&callee.name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("there are: {}", names.join(", "))),
        });
    };
    let mut builder = Builder::new(ast, Graph::new());
    let dims = ["M", "P"].map(|name| builder.graph.dims.named(name));
    let shape = Shape::new(&dims);
    let mut outer = numbers(&mut builder, program);
    for clock in CLOCKS {
        let id = builder.clock(clock).expect("a clock of the list");
        outer.bind(clock, id);
    }
    let mut values = rustc_hash::FxHashMap::default();
    for arg in args {
        let id = builder.expression(Place { ast, scope: &outer }, arg.value)?;
        values.insert(arg.value, id);
    }
    let mut scope = builder.arguments(defined, &callee, args, &values)?;
    for clock in CLOCKS {
        let id = builder.clock(clock).expect("a clock of the list");
        scope.bind(clock, id);
    }
    let g = builder.graph.variable("G", Role::Gradient, shape);
    let w = builder.declare_state("W", shape, expr.span);
    scope.bind("G", g);
    scope.bind("W", w);
    let mut named = Vec::new();
    let moments = body(&mut builder, defined, (&mut scope, &mut named), shape)?;
    let rule = finish(builder, &callee, (w, g), &moments)?;
    Ok(Rule { named, ..rule })
}

/// The statements of the optimizer; memories are as long as the parameters.
fn body<'a>(
    builder: &mut Builder<'a>,
    defined: Defined<'a>,
    (scope, named): (&mut Scope, &mut Vec<(String, Id)>),
    shape: Shape,
) -> Result<Vec<(String, Id, f64)>, Diagnostic> {
    let mut moments = Vec::new();
    let ast = defined.ast;
    for item in &defined.definition.body {
        match &item.statement {
            Statement::State { name, start, .. } => {
                let wrong = || Diagnostic::new("E210", item.span, "a state of an optimizer starts with a number");
                let Start::Value(start) = start else { return Err(wrong()) };
                let value = builder.expression(Place { ast, scope }, *start)?;
                let start = constant_value(&builder.graph, value).ok_or_else(wrong)?;
                let id = builder.declare_state(&name.name, shape, item.span);
                scope.bind(&name.name, id);
                moments.push((name.name.clone(), id, start));
            }
            Statement::Let { name, value } => {
                let id = builder.expression(Place { ast, scope }, *value)?;
                named.push((name.name.clone(), id));
                scope.rebind(&name.name, id);
            }
            Statement::Update { name, value } => {
                let id = builder.expression(Place { ast, scope }, *value)?;
                builder.update(scope, name, id)?;
            }
            _ => unreachable!("the parser lets only these into an optimizer"),
        }
    }
    Ok(moments)
}

fn finish(
    builder: Builder,
    callee: &Ident,
    (w, g): (Id, Id),
    moments: &[(String, Id, f64)],
) -> Result<Rule, Diagnostic> {
    let update = |id: Id| builder.declared.iter().find(|d| d.id == id).and_then(|d| d.update);
    let Some(new_w) = update(w) else {
        let message = format!("the optimizer `{}` never updates W", callee.name);
        return Err(Diagnostic::new("E218", callee.span, message).help("add a line such as `W := W - rate*G`"));
    };
    let own = |id: Id| moments.iter().find(|moment| moment.1 == id).map(|moment| moment.2);
    let memories = builder.declared.iter().filter(|declared| declared.id != w && declared.role == Role::State);
    let moments = memories
        .map(|declared| Moment {
            name: builder.graph.as_variable(declared.id).map_or_else(String::new, |v| v.name.clone()),
            id: declared.id,
            // States of schedules are numbers that start where they say.
            start: own(declared.id).unwrap_or(match declared.start {
                StartSpec::Constant(start) => start,
                _ => 0.0,
            }),
            update: declared.update.unwrap_or(declared.id),
        })
        .collect();
    let (name, graph) = (callee.name.clone(), builder.graph);
    Ok(Rule { name, w, g, new_w, moments, named: Vec::new(), graph, groups: Vec::new(), around: Around::default() })
}
