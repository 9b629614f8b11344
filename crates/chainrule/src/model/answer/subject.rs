//! What is differentiated: a function twice, once simplified by the rules and once exactly as it is written. The first is
//! for derivations; answers are checked in the second, which no rule has touched.

use crate::calculus::sample::{Domain, facts_of};
use crate::lang::dim::Dims;
use crate::lang::{Dim, Graph, Id, Op, Role, Shape};
use crate::model::builder::{Builder, Place, Scope};
use crate::model::{Program, facts};
use crate::text::ast::{Ast, ExprId};
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::parser::parse_expression;

/// An extent of a declared variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A number.
    Number(u32),
    /// A name for any number.
    Name(String),
}

impl Extent {
    /// The dimension in a table.
    pub fn dim(&self, dims: &mut Dims) -> Dim {
        match self {
            Extent::Number(n) => Dim::Known(*n),
            Extent::Name(name) => dims.named(name),
        }
    }
}

/// A variable of an expression.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Its extents: rows and columns.
    pub extents: Vec<Extent>,
    /// Where its values are drawn from in the check, if that is known.
    pub domain: Option<Domain>,
    /// What is known of it, by the words of [`FACTS`](crate::model::facts::FACTS).
    pub facts: Vec<String>,
}

impl Declaration {
    /// A matrix of which nothing else is known.
    #[must_use]
    pub fn matrix(name: &str, rows: u32, cols: u32) -> Declaration {
        let extents = vec![Extent::Number(rows), Extent::Number(cols)];
        Declaration { name: name.to_owned(), extents, domain: None, facts: Vec::new() }
    }

    /// The same with a domain.
    #[must_use]
    pub fn in_domain(self, domain: Option<Domain>) -> Declaration {
        Declaration { domain, ..self }
    }
}

/// A function and its names in one graph.
#[derive(Clone, Debug)]
pub struct Written {
    /// The graph.
    pub graph: Graph,
    /// What names stand for.
    pub scope: Scope,
    /// The function.
    pub root: Id,
}

impl Written {
    /// Random numbers that the function draws get their names, which formulas contain.
    fn new(graph: Graph, mut scope: Scope, root: Id) -> Written {
        for variable in graph.variables.iter().filter(|variable| matches!(variable.role, Role::Random(_))) {
            scope.bind(&variable.name, variable.id);
        }
        Written { graph, scope, root }
    }
}

/// A function to be differentiated.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it is called: `loss`, or `f`.
    pub name: String,
    /// Simplified, for derivations.
    pub work: Written,
    /// As it is written, for checks.
    pub plain: Written,
    /// The variables of a question that names none: the parameters, or the inputs where there are none.
    pub variables: Vec<Id>,
    /// From where variables are drawn, when it was said.
    pub(in crate::model) domains: Vec<(Id, Domain)>,
}

impl Subject {
    /// The loss of a program.
    ///
    /// # Errors
    /// The text is wrong, or has no loss.
    pub fn of_program(source: &str) -> Result<Subject, Diagnostic> {
        let (work, variables) = of_program(Program::parse(source)?)?;
        let (plain, _) = of_program(Program::parse_plain(source)?)?;
        Ok(Subject { name: "loss".to_owned(), work, plain, variables, domains: Vec::new() })
    }

    /// An expression in the names of a program, which needs no loss.
    ///
    /// # Errors
    /// A text is wrong.
    pub fn of_part(source: &str, text: &str) -> Result<Subject, Diagnostic> {
        let (ast, root) = parse_expression(text)?;
        let part = |program: Program| {
            let mut builder = Builder::new(&program.ast, program.graph);
            let root = builder.expression(Place { ast: &ast, scope: &program.scope }, root)?;
            Ok(Written::new(builder.graph, program.scope, root))
        };
        let (work, plain) = (part(Program::parse(source)?)?, part(Program::parse_plain(source)?)?);
        Ok(Subject { name: "f".to_owned(), work, plain, variables: Vec::new(), domains: Vec::new() })
    }

    /// An expression of declared variables. What is known of the variables named in `free` is used where values are drawn
    /// and not for simplification: their elements are differentiated one by one.
    ///
    /// # Errors
    /// The text is wrong.
    pub fn of_expression(text: &str, declarations: &[Declaration], free: &[&str]) -> Result<Subject, Diagnostic> {
        Subject::of_expression_in(text, declarations, free, &Graph::new())
    }

    /// As [`Subject::of_expression`], derived in a copy of this empty graph: one with other rules.
    ///
    /// # Errors
    /// The text is wrong.
    pub fn of_expression_in(
        text: &str,
        declarations: &[Declaration],
        free: &[&str],
        empty: &Graph,
    ) -> Result<Subject, Diagnostic> {
        let (ast, root) = parse_expression(text)?;
        let mut dims = Dims::default();
        let (work, plain) = loop {
            let before = dims.unifications();
            let work = build(&ast, root, declarations, free, empty.clone().with_dims(dims.clone()))?;
            let plain = build(&ast, root, declarations, free, Graph::plain().with_dims(dims))?;
            if work.graph.dims.unifications() == before && plain.graph.dims.unifications() == before {
                break (work, plain);
            }
            dims = work.graph.dims;
        };
        let ids = |d: &Declaration| work.scope.get(&d.name);
        let variables = declarations.iter().filter_map(ids).collect();
        let domains = declarations.iter().filter_map(|d| Some((ids(d)?, d.domain?))).collect();
        let name = if work.scope.get("f").is_some() { "value" } else { "f" }.to_owned();
        Ok(Subject { name, work, plain, variables, domains })
    }

    /// Is the function 1 x 1?
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.work.graph.shape(self.work.root).is_scalar()
    }

    /// A variable by its name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Id> {
        self.work.scope.get(name).filter(|&id| {
            let role = self.work.graph.as_variable(id).map(|variable| variable.role);
            role.is_some_and(|role| !matches!(role, Role::Constant | Role::Clock | Role::Differential))
        })
    }

    /// The facts that were used up to now, as equations.
    #[must_use]
    pub fn used_facts(&self) -> Vec<String> {
        let used = self.work.graph.used_facts().iter();
        used.map(|&(id, fact)| fact.equation(self.name_of(id))).collect()
    }

    /// Is anything stated of a variable?
    #[must_use]
    pub fn has_fact(&self, id: Id) -> bool {
        self.work.graph.facts().iter().any(|(known, _)| *known == id)
    }

    /// The name of a variable.
    #[must_use]
    pub fn name_of(&self, id: Id) -> &str {
        self.work.graph.as_variable(id).map_or("?", |variable| variable.name.as_str())
    }

    /// The same variable where nothing is simplified.
    pub(in crate::model) fn plain_variable(&self, id: Id) -> Id {
        let Op::Variable(reference) = self.work.graph.op(id) else { unreachable!("asked for variables") };
        self.plain.graph.variables[reference.number as usize].id
    }

    /// From where the variables of the plain graph are drawn; `None` when nothing is known.
    pub(in crate::model) fn chooser(&self) -> Option<impl Fn(Id) -> Domain + use<>> {
        let domains: Vec<(Id, Domain)> = self.domains.iter().map(|&(id, d)| (self.plain_variable(id), d)).collect();
        if domains.is_empty() {
            return None;
        }
        Some(move |id| domains.iter().find(|(other, _)| *other == id).map_or(Domain::Any, |(_, domain)| *domain))
    }
}

fn of_program(program: Program) -> Result<(Written, Vec<Id>), Diagnostic> {
    let root = program.need_loss()?;
    let mut scope = program.scope;
    // Parameters of layers have names that only the graph knows.
    for declared in program.parameters.iter().chain(&program.states) {
        if let Some(variable) = program.graph.as_variable(declared.id) {
            scope.bind(&variable.name.clone(), declared.id);
        }
    }
    let mut variables: Vec<Id> = program.parameters.iter().map(|declared| declared.id).collect();
    if variables.is_empty() {
        variables = program.inputs;
    }
    Ok((Written { graph: program.graph, scope, root }, variables))
}

fn build(
    ast: &Ast,
    root: ExprId,
    declarations: &[Declaration],
    free: &[&str],
    mut graph: Graph,
) -> Result<Written, Diagnostic> {
    let mut scope = Scope::default();
    for declaration in declarations {
        let extents: Vec<Dim> = declaration.extents.iter().map(|extent| extent.dim(&mut graph.dims)).collect();
        let id = graph.variable(&declaration.name, Role::Input, Shape::new(&extents));
        scope.bind(&declaration.name, id);
        // Of a variable that one derives by nothing is assumed: its elements are free.
        if free.contains(&declaration.name.as_str()) {
            continue;
        }
        for &fact in declaration.domain.map_or(&[][..], facts_of) {
            graph.assume(id, fact);
        }
        for words in &declaration.facts {
            let stated = facts::find(words).and_then(|row| facts::state(&mut graph, id, row));
            stated.map_err(|message| Diagnostic::new("E219", Span::default(), message))?;
        }
    }
    let mut builder = Builder::new(ast, graph);
    let root = builder.expression(Place { ast, scope: &scope }, root)?;
    Ok(Written::new(builder.graph, scope, root))
}
