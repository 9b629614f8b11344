//! The graph: a hash-consed DAG of operations. Ids are `Copy`; arguments always have smaller ids than the node that
//! uses them, so increasing ids are a topological order and every walk is a loop.

use rustc_hash::{FxHashMap, FxHashSet};

use super::dim::Dims;
use super::op::Op;
use super::ops::source::VariableRef;
use super::rewrite::{RULES, Rewrite, Rule};
use super::shape::{Shape, ShapeError};

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

/// An operation on earlier nodes.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// To which nodes.
    pub args: Box<[Id]>,
    /// Shape of the result.
    pub shape: Shape,
}

/// What a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Data that predictions start from.
    Input,
    /// Data that predictions are compared with.
    Target,
    /// Learnt.
    Parameter,
    /// Kept from step to step.
    State,
    /// The gradient in an optimizer's text.
    Gradient,
    /// A scalar that the training loop sets: step number, epoch.
    Clock,
    /// The differential of another variable.
    Differential,
    /// A number with a name, fixed by the program.
    Constant,
    /// Numbers that are drawn anew for every step of training: for a formula they are fixed, like data.
    Random(Distribution),
}

/// What random numbers are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Uniform in (0, 1).
    Uniform,
    /// Standard normal.
    Normal,
}

/// A named leaf.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub role: Role,
    /// Its node.
    pub id: Id,
    /// Its value, when the program fixes it.
    pub value: Option<f64>,
    /// The node that a differential belongs to: `d(X*W)` belongs to `X*W`. Where it is typeset, the formula of that node is
    /// written, not this variable's name.
    pub of: Option<Id>,
}

/// What is known of a matrix beyond its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Equal to its transpose.
    Symmetric,
    /// Zero outside of the diagonal.
    Diagonal,
    /// Its transpose is its inverse.
    Orthogonal,
    /// Symmetric, with positive eigenvalues.
    Definite,
    /// The elements of each row sum to 1, as those of one-hot rows and of probabilities.
    RowsSumToOne,
}

impl Fact {
    /// The fact as an equation about `name`, as far as rules use it.
    #[must_use]
    pub fn equation(self, name: &str) -> String {
        match self {
            Fact::Symmetric | Fact::Definite => format!("{name}' = {name}"),
            Fact::Diagonal => format!("{name} is diagonal"),
            Fact::Orthogonal => format!("inv({name}) = {name}'"),
            Fact::RowsSumToOne => format!("rowsum({name}) = 1"),
        }
    }
}

type Key = (Op, Box<[Id]>);

/// Rewrites inside rewrites stop here: an expression that is not simplified is still right, a stack without end is not.
const DEEPEST: usize = 128;

/// The rules that a graph is simplified by.
#[derive(Clone, Copy, Debug)]
struct Rules(&'static [&'static [Rule]]);

impl Default for Rules {
    fn default() -> Rules {
        Rules(RULES)
    }
}

/// Replaces a result of the calculus: the name of the rule, and what it gave.
pub type Tamper = fn(&mut Graph, &'static str, Id) -> Id;

/// A hash-consed DAG, its variables and dimensions, and the log of every rewrite.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    index: FxHashMap<Key, Id>,
    forwarded: FxHashMap<Id, Id>,
    names: FxHashMap<Id, String>,
    origins: FxHashMap<Id, (u32, u32)>,
    facts: Vec<(Id, Fact)>,
    used_facts: Vec<(Id, Fact)>,
    rules: Rules,
    tamper: Option<Tamper>,
    /// How many rewrites are being done inside each other.
    depth: usize,
    /// The variables, in order of declaration.
    pub variables: Vec<Variable>,
    /// The dimensions.
    pub dims: Dims,
    /// Every rewrite that was done, in order.
    pub rewrites: Vec<Rewrite>,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Graph {
        Graph::default()
    }

    /// An empty graph that keeps every expression as it is written: no rule is applied. Answers are checked in it.
    #[must_use]
    pub fn plain() -> Graph {
        Graph::with_rules(&[])
    }

    /// An empty graph that is simplified by these rules.
    #[must_use]
    pub fn with_rules(rules: &'static [&'static [Rule]]) -> Graph {
        Graph { rules: Rules(rules), ..Graph::default() }
    }

    /// The same with dimensions known from elsewhere.
    #[must_use]
    pub fn with_dims(self, dims: Dims) -> Graph {
        Graph { dims, ..self }
    }

    /// Lets a function replace what the rules of the calculus give. For tests of the check: a broken rule must be noticed.
    pub fn tamper_with(&mut self, tamper: Tamper) {
        self.tamper = Some(tamper);
    }

    /// What a rule of the calculus gave, unless a test replaces it.
    pub(crate) fn given(&mut self, rule: &'static str, result: Id) -> Id {
        match self.tamper {
            Some(tamper) => tamper(self, rule, result),
            None => result,
        }
    }

    /// The node with this id.
    #[must_use]
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Its operation.
    #[must_use]
    pub fn op(&self, id: Id) -> Op {
        self.node(id).op
    }

    /// Its arguments.
    #[must_use]
    pub fn args(&self, id: Id) -> &[Id] {
        &self.node(id).args
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self, id: Id) -> Shape {
        self.node(id).shape
    }

    /// Number of nodes, those that were rewritten included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// No nodes?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// States a fact of a variable, before anything is built of it. Rules may use it, so it must hold for all its values.
    pub fn assume(&mut self, id: Id, fact: Fact) {
        if !self.facts.contains(&(id, fact)) {
            self.facts.push((id, fact));
        }
    }

    /// The stated facts, in order.
    #[must_use]
    pub fn facts(&self) -> &[(Id, Fact)] {
        &self.facts
    }

    /// The facts that a rule has used so far, in order of their first use.
    #[must_use]
    pub fn used_facts(&self) -> &[(Id, Fact)] {
        &self.used_facts
    }

    /// Remembers that a rule used what is known of a variable; nothing when that was not stated.
    pub(super) fn use_fact(&mut self, id: Id, fact: Fact) {
        if self.is_known(id, fact) && !self.used_facts.contains(&(id, fact)) {
            self.used_facts.push((id, fact));
        }
    }

    /// Was this fact stated?
    #[must_use]
    pub fn is_known(&self, id: Id, fact: Fact) -> bool {
        self.facts.contains(&(id, fact))
    }

    /// Gives a node the name that the program gave it; sums with a name stay whole.
    pub fn set_name(&mut self, id: Id, name: &str) {
        self.names.entry(id).or_insert_with(|| name.to_owned());
    }

    /// The name of a node, if the program gave one.
    #[must_use]
    pub fn name(&self, id: Id) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    /// Remembers from which bytes of the source a node came; the first place wins.
    pub fn set_origin(&mut self, id: Id, origin: (u32, u32)) {
        self.origins.entry(id).or_insert(origin);
    }

    /// From which bytes of the source a node came.
    #[must_use]
    pub fn origin(&self, id: Id) -> Option<(u32, u32)> {
        self.origins.get(&id).copied()
    }

    /// The nodes that `roots` need, in an order in which arguments come first. Costs as much as there are of them.
    #[must_use]
    pub fn reachable(&self, roots: &[Id]) -> Vec<Id> {
        let mut seen: FxHashSet<Id> = FxHashSet::default();
        let mut list = Vec::new();
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                list.push(id);
                stack.extend(self.args(id).iter().copied());
            }
        }
        list.sort_unstable();
        list
    }

    /// Declares a variable.
    pub fn variable(&mut self, name: &str, role: Role, shape: Shape) -> Id {
        let reference = VariableRef { number: self.variables.len() as u32, shape };
        let id = self.build(Op::Variable(reference), &[]);
        self.variables.push(Variable { name: name.to_owned(), role, id, value: None, of: None });
        id
    }

    /// Declares numbers that are drawn anew for every step of training; every call makes others.
    pub fn random(&mut self, distribution: Distribution, shape: Shape) -> Id {
        let word = match distribution {
            Distribution::Uniform => "uniform",
            Distribution::Normal => "normal",
        };
        let number = 1 + self.variables.iter().filter(|v| matches!(v.role, Role::Random(_))).count();
        self.variable(&format!("{word}{number}"), Role::Random(distribution), shape)
    }

    /// Declares a number with a name.
    pub fn named_constant(&mut self, name: &str, value: f64) -> Id {
        let id = self.variable(name, Role::Constant, Shape::SCALAR);
        self.variables.last_mut().expect("just pushed").value = Some(value);
        id
    }

    /// The differential of a node, as a symbol.
    pub fn differential(&mut self, name: &str, of: Id) -> Id {
        let id = self.variable(name, Role::Differential, self.shape(of));
        self.variables.last_mut().expect("just pushed").of = Some(of);
        id
    }

    /// The variable behind a node.
    #[must_use]
    pub fn as_variable(&self, id: Id) -> Option<&Variable> {
        match self.op(id) {
            Op::Variable(reference) => Some(&self.variables[reference.number as usize]),
            _ => None,
        }
    }

    /// The node of an operation on these arguments, simplified by the table of rules; every rewrite is recorded.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn try_build(&mut self, op: Op, args: &[Id]) -> Result<Id, ShapeError> {
        let key = key(op, args);
        if let Some(&known) = self.index.get(&key) {
            return Ok(self.forwarded.get(&known).copied().unwrap_or(known));
        }
        let shapes: Vec<Shape> = args.iter().map(|&arg| self.shape(arg)).collect();
        let shape = op.def().shape(&mut self.dims, &shapes)?;
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(Node { op, args: args.into(), shape });
        self.index.insert(key, id);
        Ok(self.rewrite(id))
    }

    /// Applies the first rule that fits; all change of expressions goes through here.
    fn rewrite(&mut self, before: Id) -> Id {
        if self.depth >= DEEPEST {
            return before;
        }
        self.depth += 1;
        let after = self.first_that_fits(before);
        self.depth -= 1;
        after
    }

    fn first_that_fits(&mut self, before: Id) -> Id {
        for rule in self.rules.0.iter().flat_map(|family| family.iter()) {
            if let Some(after) = (rule.apply)(self, before)
                && after != before
            {
                debug_assert_eq!(self.shape(before), self.shape(after), "rule {} keeps the shape", rule.name);
                self.rewrites.push(Rewrite { rule, before, after });
                self.forwarded.insert(before, after);
                if let Some(&origin) = self.origins.get(&before) {
                    self.set_origin(after, origin);
                }
                return after;
            }
        }
        before
    }

    /// As [`Graph::try_build`], for callers that know that the shapes fit.
    pub fn build(&mut self, op: Op, args: &[Id]) -> Id {
        self.try_build(op, args).expect("the calculus builds only expressions whose shapes fit")
    }
}

/// Sums and products are found whatever the order of their arguments.
fn key(op: Op, args: &[Id]) -> Key {
    let mut sorted: Box<[Id]> = args.into();
    if matches!(op, Op::Add(_) | Op::Mul(_)) {
        sorted.sort_unstable();
    }
    (op, sorted)
}
