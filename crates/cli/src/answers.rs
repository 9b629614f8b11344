//! Gradients of the loss of a model or of an expression, each checked as a graph and as the text that is shown.

use chainrule::calculus::check::{Agreement, CheckError, check_gradient, difference_of};
use chainrule::calculus::derivation::{Derivation, derive};
use chainrule::calculus::sample::Domain;
use chainrule::lang::dim::Dims;
use chainrule::lang::{Dim, Graph, Id, Role, Shape};
use chainrule::model::Program;
use chainrule::model::builder::{Builder, Place, Scope};
use chainrule::model::cases::steps_text;
use chainrule::model::facts;
use chainrule::text::ast::{Ast, ExprId};
use chainrule::text::diagnostic::{Diagnostic, Span};
use chainrule::text::parser::parse_expression;
use chainrule::text::print::{PrintError, Style, print};

use crate::commands::derive::variables::{DomainArg, FactArg, VariableArg};
use crate::guard;
use crate::samplings::GENERAL;

/// Bound on the difference between an answer and the text that is shown for it.
const TEXT_TOLERANCE: f64 = 1e-9;

/// What the command line says of the variables of an expression.
pub(crate) struct Known<'a> {
    pub(crate) variables: &'a [VariableArg],
    pub(crate) domains: &'a [DomainArg],
    /// Of those only that one does not derive by.
    pub(crate) facts: &'a [FactArg],
}

/// A scalar expression and the names it is written with.
pub(crate) struct Objective {
    /// What it is called: `loss`, or `f`.
    pub(crate) name: String,
    pub(crate) graph: Graph,
    pub(crate) scope: Scope,
    pub(crate) root: Id,
    /// The variables of a question that names none: the parameters, or the inputs where there are none.
    pub(crate) variables: Vec<Id>,
    domains: Vec<(Id, Domain)>,
}

/// A formula in both ways of writing.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    pub(crate) text: String,
    pub(crate) latex: String,
}

/// A name of the program and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Formula,
    pub(crate) value: Formula,
}

/// One step: two equal expressions, and why they are equal.
#[derive(Clone, Debug)]
pub(crate) struct StepLine {
    pub(crate) formula: Formula,
    pub(crate) rule: String,
}

/// A gradient that passed its checks.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) wrt: Formula,
    pub(crate) shape: String,
    pub(crate) gradient: Formula,
    pub(crate) steps: Vec<StepLine>,
    pub(crate) agreement: Agreement,
}

/// Why there is no gradient to show.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    Print(PrintError),
    Check(CheckError),
    /// The text that would be shown is not what was derived.
    Text,
    TooLarge(String),
}

impl Objective {
    /// The loss of a program.
    pub(crate) fn of_program(program: Program) -> Result<Objective, Diagnostic> {
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
        Ok(Objective { name: "loss".to_owned(), graph: program.graph, scope, root, variables, domains: Vec::new() })
    }

    /// An expression of declared variables.
    pub(crate) fn of_expression(text: &str, known: &Known<'_>) -> Result<Objective, Diagnostic> {
        let (ast, root) = parse_expression(text)?;
        let mut dims = Dims::default();
        let objective = loop {
            let before = dims.unifications();
            let objective = Objective::build(&ast, root, known, dims)?;
            if objective.graph.dims.unifications() == before {
                break objective;
            }
            dims = objective.graph.dims;
        };
        let graph = &objective.graph;
        if !graph.shape(objective.root).is_scalar() {
            let shape = shape_text(graph, objective.root);
            let whole = Span { start: 0, end: text.len() as u32 };
            return Err(Diagnostic::new("E205", whole, format!("a gradient needs a scalar, this is {shape}"))
                .label(format!("this is {shape}"))
                .help("sum it: `sum(...)`, or take the square of its length: `norm2(...)^2`"));
        }
        Ok(objective)
    }

    fn build(ast: &Ast, root: ExprId, known: &Known<'_>, dims: Dims) -> Result<Objective, Diagnostic> {
        let mut graph = Graph::new();
        graph.dims = dims;
        let mut scope = Scope::default();
        let mut ids = Vec::new();
        for variable in known.variables {
            let dims: Vec<Dim> = variable.extents.iter().map(|extent| extent.dim(&mut graph.dims)).collect();
            let shape = Shape::new(&dims);
            let id = graph.variable(&variable.name, Role::Input, shape);
            scope.bind(&variable.name, id);
            ids.push(id);
        }
        for (id, fact) in known.facts.iter().filter_map(|fact| Some((scope.get(&fact.name)?, fact.fact))) {
            let stated = facts::find(fact).and_then(|row| facts::state(&mut graph, id, row));
            stated.map_err(|message| Diagnostic::new("E219", Span::default(), message))?;
        }
        let mut builder = Builder::new(ast, graph);
        let root = builder.expression(Place { ast, scope: &scope }, root)?;
        let drawn = |d: &DomainArg| scope.get(&d.name).map(|id| (id, d.domain));
        let domains = known.domains.iter().filter_map(drawn).collect();
        let name = if scope.get("f").is_some() { "value" } else { "f" }.to_owned();
        Ok(Objective { name, graph: builder.graph, scope, root, variables: ids, domains })
    }

    /// The facts that were used up to now, as equations.
    pub(crate) fn used_facts(&self) -> Vec<String> {
        let name = |id: Id| self.graph.as_variable(id).map(|variable| variable.name.clone()).unwrap_or_default();
        self.graph.used_facts().iter().map(|&(id, fact)| fact.equation(&name(id))).collect()
    }

    /// Is anything stated of a variable?
    pub(crate) fn has_fact(&self, id: Id) -> bool {
        self.graph.facts().iter().any(|(known, _)| *known == id)
    }

    /// A variable by its name.
    pub(crate) fn variable(&self, name: &str) -> Option<Id> {
        self.scope.get(name).filter(|&id| {
            let role = self.graph.as_variable(id).map(|variable| variable.role);
            role.is_some_and(|role| !matches!(role, Role::Constant | Role::Clock | Role::Differential))
        })
    }

    /// The expression itself.
    pub(crate) fn formula(&self) -> Result<Formula, Trouble> {
        formula(&self.graph, self.root)
    }

    /// What the names of the program stand for, in an order in which each uses only those before it.
    pub(crate) fn definitions(&mut self) -> Result<Vec<Definition>, Trouble> {
        let named = |id: &Id| self.graph.name(*id).is_some() && !self.graph.args(*id).is_empty() && *id != self.root;
        let ids: Vec<Id> = self.graph.reachable(&[self.root]).into_iter().filter(named).collect();
        let mut list = Vec::new();
        for id in ids {
            let name = self.graph.name(id).unwrap_or_default().to_owned();
            let value = formula(&self.graph, id)?;
            self.reads_back(&value.text, id)?;
            list.push(Definition { name: name_formula(&mut self.graph, &name), value });
        }
        Ok(list)
    }

    /// The gradient with respect to a variable, checked.
    pub(crate) fn answer(&mut self, wrt: Id) -> Result<Answer, Trouble> {
        let (derivation, agreement) = self.checked(wrt)?;
        let id = derivation.gradients[0];
        let gradient = formula(&self.graph, id)?;
        self.reads_back(&gradient.text, id)?;
        let steps = self.steps(&derivation)?;
        Ok(Answer { wrt: formula(&self.graph, wrt)?, shape: shape_text(&self.graph, wrt), gradient, steps, agreement })
    }

    /// The steps; the differential of the whole is written `df` instead of `d(...)` with the formula again.
    fn steps(&self, derivation: &Derivation) -> Result<Vec<StepLine>, Trouble> {
        let whole = self.formula()?;
        let short = |line: String, whole: String, name: String| match line.strip_prefix(&whole) {
            Some(rest) => name + rest,
            None => line,
        };
        let texts = steps_text(&self.graph, derivation, Style::Text).into_iter();
        let latex = steps_text(&self.graph, derivation, Style::Latex).into_iter();
        let step = |((text, rule), (latex, _)): ((String, String), (String, String))| {
            let text = short(text, format!("d({}) = ", whole.text), format!("d{} = ", self.name));
            let name = latex_word(&self.name);
            let latex = short(
                latex,
                format!(r"\mathrm{{d}}\left({}\right) = ", whole.latex),
                format!(r"\mathrm{{d}}{name} = "),
            );
            StepLine { formula: Formula { text, latex }, rule }
        };
        Ok(texts.zip(latex).map(step).collect())
    }

    /// The derivation, and how well its result agrees with numbers.
    pub(crate) fn checked(&mut self, wrt: Id) -> Result<(Derivation, Agreement), Trouble> {
        if let Some(what) = guard::too_large(&self.graph, &[self.root, wrt]) {
            return Err(Trouble::TooLarge(what));
        }
        let derivation = derive(&mut self.graph, self.root, &[wrt]);
        let gradient = derivation.gradients[0];
        if let Some(what) = guard::too_large(&self.graph, &[gradient]) {
            return Err(Trouble::TooLarge(what));
        }
        let choose = self.choose();
        let known: Option<&dyn Fn(Id) -> Domain> = if self.domains.is_empty() { None } else { Some(&choose) };
        let agreement = check_gradient(&mut self.graph, self.root, wrt, gradient, known).map_err(Trouble::Check)?;
        Ok((derivation, agreement))
    }

    fn choose(&self) -> impl Fn(Id) -> Domain + use<> {
        let domains = self.domains.clone();
        move |id| domains.iter().find(|(other, _)| *other == id).map_or(Domain::Any, |(_, domain)| *domain)
    }

    /// What is shown must parse, and evaluate to the same numbers.
    fn reads_back(&mut self, text: &str, id: Id) -> Result<(), Trouble> {
        let (ast, root) = parse_expression(text).map_err(|_| Trouble::Text)?;
        let mut builder = Builder::new(&ast, std::mem::take(&mut self.graph));
        let read = builder.expression(Place { ast: &ast, scope: &self.scope }, root);
        self.graph = builder.graph;
        let read = read.map_err(|_| Trouble::Text)?;
        if read == id {
            return Ok(());
        }
        if self.graph.shape(read) != self.graph.shape(id) {
            return Err(Trouble::Text);
        }
        self.equal(read, id)
    }

    fn equal(&self, left: Id, right: Id) -> Result<(), Trouble> {
        let choose = self.choose();
        for sampling in &GENERAL {
            let domain = |id: Id| {
                if self.domains.is_empty() { sampling.domain(&self.graph, id) } else { choose(id) }
            };
            match difference_of(&self.graph, left, right, &domain, 31) {
                Ok((difference, _, _)) if difference <= TEXT_TOLERANCE => return Ok(()),
                Ok(_) => return Err(Trouble::Text),
                Err(CheckError::NowhereFinite) => {}
                Err(error) => return Err(Trouble::Check(error)),
            }
        }
        Err(Trouble::Check(CheckError::NowhereFinite))
    }
}

/// The name of an objective in LaTeX.
pub(crate) fn latex_word(name: &str) -> String {
    if name.len() == 1 { name.to_owned() } else { format!(r"\mathrm{{{name}}}") }
}

/// The shape of a node, such as `[N, 3]`.
pub(crate) fn shape_text(graph: &Graph, id: Id) -> String {
    graph.dims.list(graph.shape(id).resolved(&graph.dims).dims())
}

fn formula(graph: &Graph, id: Id) -> Result<Formula, Trouble> {
    let write = |style| print(graph, id, style).map_err(Trouble::Print);
    Ok(Formula { text: write(Style::Text)?, latex: write(Style::Latex)? })
}

/// A name as a formula: that of a variable of this name.
fn name_formula(graph: &mut Graph, name: &str) -> Formula {
    let id = graph.variable(name, Role::Constant, Shape::SCALAR);
    formula(graph, id).unwrap_or_else(|_| Formula { text: name.to_owned(), latex: name.to_owned() })
}
