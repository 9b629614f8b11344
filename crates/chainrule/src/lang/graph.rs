//! The graph: a hash-consed DAG of operations. Ids are `Copy`; arguments always have smaller ids than the node that
//! uses them, so increasing ids are a topological order and every walk is a loop.

use rustc_hash::{FxHashMap, FxHashSet};

use super::dim::{Dim, Dims};
use super::op::Op;
use super::ops::arithmetic::{Add, Mul, Power};
use super::ops::contract::Contract;
use super::ops::elementwise::{Binary, Unary};
use super::ops::reduce::Sum;
use super::ops::softmax::{LogSumExp, Softmax};
use super::ops::source::{Constant, Eye, Size, VariableRef};
use super::ops::view::{Broadcast, Permute};
use super::rewrite::{RULES, Rewrite};
use super::shape::{Axes, Shape, ShapeError};

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
}

/// What is known of a matrix beyond its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Equal to its transpose.
    Symmetric,
    /// The elements of each row sum to 1, as those of one-hot rows and of probabilities.
    RowsSumToOne,
}

type Key = (Op, Box<[Id]>);

/// A hash-consed DAG, its variables and dimensions, and the log of every rewrite.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    index: FxHashMap<Key, Id>,
    forwarded: FxHashMap<Id, Id>,
    names: FxHashMap<Id, String>,
    origins: FxHashMap<Id, (u32, u32)>,
    facts: FxHashSet<(Id, Fact)>,
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
        self.facts.insert((id, fact));
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
        self.variables.push(Variable { name: name.to_owned(), role, id, value: None });
        id
    }

    /// Declares a number with a name.
    pub fn named_constant(&mut self, name: &str, value: f64) -> Id {
        let id = self.variable(name, Role::Constant, Shape::SCALAR);
        self.variables.last_mut().expect("just pushed").value = Some(value);
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
        for rule in RULES.iter().flat_map(|family| family.iter()) {
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

    /// A number.
    pub fn constant(&mut self, value: f64) -> Id {
        self.build(Op::Constant(Constant::new(value)), &[])
    }

    /// The number behind a constant or a stretched constant.
    #[must_use]
    pub fn constant_value(&self, id: Id) -> Option<f64> {
        match self.op(id) {
            Op::Constant(constant) => Some(constant.value()),
            Op::Broadcast(_) => self.constant_value(self.args(id)[0]),
            _ => None,
        }
    }

    /// A tensor filled with a number.
    pub fn filled(&mut self, value: f64, shape: Shape) -> Id {
        let constant = self.constant(value);
        self.broadcast(constant, shape)
    }

    /// The extent of a dimension as a number.
    pub fn size(&mut self, dim: Dim) -> Id {
        match self.dims.resolve(dim) {
            Dim::Known(n) => self.constant(f64::from(n)),
            symbol => self.build(Op::Size(Size(symbol)), &[]),
        }
    }

    /// An identity matrix.
    pub fn eye(&mut self, dim: Dim) -> Id {
        self.build(Op::Eye(Eye(dim)), &[])
    }

    /// A function of one number, element by element.
    pub fn unary(&mut self, op: Unary, x: Id) -> Id {
        self.build(Op::Unary(op), &[x])
    }

    /// A function of two numbers, element by element.
    pub fn binary(&mut self, op: Binary, x: Id, y: Id) -> Id {
        self.build(Op::Binary(op), &[x, y])
    }

    /// A sum.
    pub fn add(&mut self, terms: &[Id]) -> Id {
        self.build(Op::Add(Add), terms)
    }

    /// An element-wise product; scalars are stretched to the shape of the others.
    pub fn mul(&mut self, factors: &[Id]) -> Id {
        let shapes = factors.iter().map(|&id| self.shape(id));
        let shape = shapes.into_iter().find(|shape| !shape.is_scalar()).unwrap_or_else(|| self.shape(factors[0]));
        let stretched: Vec<Id> = factors.iter().map(|&id| self.stretch(id, shape)).collect();
        self.build(Op::Mul(Mul), &stretched)
    }

    fn stretch(&mut self, id: Id, shape: Shape) -> Id {
        if self.shape(id).is_scalar() && self.shape(id) != shape { self.broadcast(id, shape) } else { id }
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        let negative = self.times(b, -1.0);
        self.add(&[a, negative])
    }

    /// `c*x`.
    pub fn times(&mut self, x: Id, c: f64) -> Id {
        let c = self.constant(c);
        self.mul(&[c, x])
    }

    /// `x + c`.
    pub fn plus(&mut self, x: Id, c: f64) -> Id {
        let c = self.filled(c, self.shape(x));
        self.add(&[x, c])
    }

    /// `1 - x`.
    pub fn one_minus(&mut self, x: Id) -> Id {
        let one = self.filled(1.0, self.shape(x));
        self.sub(one, x)
    }

    /// `x.^p`.
    pub fn power(&mut self, x: Id, p: f64) -> Id {
        self.build(Op::Power(Power::new(p)), &[x])
    }

    /// `x` stretched to a shape.
    pub fn broadcast(&mut self, x: Id, shape: Shape) -> Id {
        if self.shape(x) == shape {
            return x;
        }
        // A scalar fits every rank.
        let x = if self.shape(x).rank() == shape.rank() {
            x
        } else {
            self.reshape(x, shape.reduced(Axes::all(shape.rank())))
        };
        self.build(Op::Broadcast(Broadcast(shape)), &[x])
    }

    /// The elements under another shape.
    pub fn reshape(&mut self, x: Id, shape: Shape) -> Id {
        self.build(Op::Reshape(super::ops::view::Reshape(shape)), &[x])
    }

    /// The sum over axes; they stay with extent 1.
    pub fn sum(&mut self, x: Id, axes: Axes) -> Id {
        if axes.is_empty() { x } else { self.build(Op::Sum(Sum(axes)), &[x]) }
    }

    /// The sum of all elements, 1 x 1.
    pub fn sum_all(&mut self, x: Id) -> Id {
        let rank = self.shape(x).rank();
        let sum = self.sum(x, Axes::all(rank));
        if rank == 2 { sum } else { self.reshape(sum, Shape::SCALAR) }
    }

    /// The transpose of a matrix.
    pub fn transpose(&mut self, x: Id) -> Id {
        self.build(Op::Permute(Permute::TRANSPOSE), &[x])
    }

    /// A contraction; those that are matrix products become one, of possibly transposed operands.
    pub fn contract(&mut self, spec: Contract, a: Id, b: Id) -> Id {
        let Some((swap, ta, tb)) = spec.as_matmul() else {
            return self.build(Op::Contract(spec), &[a, b]);
        };
        let a = if ta { self.transpose(a) } else { a };
        let b = if tb { self.transpose(b) } else { b };
        if swap { self.matmul(b, a) } else { self.matmul(a, b) }
    }

    /// A matrix product.
    pub fn matmul(&mut self, a: Id, b: Id) -> Id {
        self.build(Op::Contract(Contract::MATMUL), &[a, b])
    }

    /// Softmax of each row.
    pub fn softmax(&mut self, x: Id) -> Id {
        self.build(Op::Softmax(Softmax), &[x])
    }

    /// Log-sum-exp of each row.
    pub fn logsumexp(&mut self, x: Id) -> Id {
        self.build(Op::LogSumExp(LogSumExp), &[x])
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

impl Graph {
    /// Labels of the outer product behind a Kronecker product: `out[i, k, j, l] = a[i, j] * b[k, l]`.
    pub const KRONECKER: Contract = Contract {
        a: super::ops::contract::Labels::new(&[0, 1]),
        b: super::ops::contract::Labels::new(&[2, 3]),
        out: super::ops::contract::Labels::new(&[0, 2, 1, 3]),
    };

    /// The Kronecker product of two matrices.
    ///
    /// # Errors
    /// A dimension is too large.
    pub fn kron(&mut self, a: Id, b: Id) -> Result<Id, ShapeError> {
        let (sa, sb) = (self.shape(a), self.shape(b));
        if sa == Shape::SCALAR || sb == Shape::SCALAR {
            return Ok(self.mul(&[a, b]));
        }
        let rows = super::op::checked_product(&mut self.dims, sa.rows(), sb.rows())?;
        let cols = super::op::checked_product(&mut self.dims, sa.cols(), sb.cols())?;
        let outer = self.try_build(Op::Contract(Graph::KRONECKER), &[a, b])?;
        Ok(self.reshape(outer, Shape::matrix(rows, cols)))
    }
}
