//! What emitted programs are made of: the operations of the graph as people write them. Differences, quotients and
//! solutions of linear systems are back, and 1 x 1 values are numbers. Equal expressions are one node.

use rustc_hash::FxHashMap;

use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::{Binary, Unary};
use crate::lang::ops::view::Permute;
use crate::lang::{Axes, Dim, Shape};

/// What a node does with its arguments. Every target writes every form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// A variable of the graph, by number.
    Argument(u32),
    /// A number with a name in the program: number of the variable, bits of the value.
    Named(u32, u64),
    /// A number, by its bits.
    Number(u64),
    /// The extent of a dimension as a number.
    Size(Dim),
    /// The identity matrix.
    Eye(Dim),
    /// A function of one number.
    Unary(Unary),
    /// A function of two numbers.
    Binary(Binary),
    /// A sum; the terms that are marked are subtracted. Smaller terms are stretched.
    Terms(Box<[bool]>),
    /// An element-wise product, of which the last `below` arguments are divisors. Smaller factors are stretched.
    Product {
        /// Number of divisors.
        below: usize,
    },
    /// The opposite.
    Negative,
    /// 1 where the argument is positive, else 0: a factor beside numbers, so that a comparison will do.
    Positive,
    /// A power with a positive exponent that is not 1, by its bits.
    Power(u64),
    /// A matrix product.
    Matmul,
    /// `inv(a)*b` of a (or its factorisation) and b.
    Solve,
    /// `b*inv(a)` of a (or its factorisation) and b.
    SolveRight,
    /// The Kronecker product of two matrices.
    Kron,
    /// Any other sum of products.
    Contract(Contract),
    /// The sum over axes, which stay with extent 1.
    Sum(Axes),
    /// The sum of the diagonal.
    Trace,
    /// The largest element over axes.
    Max(Axes),
    /// 1 at the first largest element over axes.
    FirstMax(Axes),
    /// Softmax along the last axis.
    Softmax,
    /// log-sum-exp along the last axis.
    LogSumExp,
    /// The argument stretched to the shape.
    Broadcast,
    /// The transpose of a matrix.
    Transpose,
    /// Axes in another order.
    Permute(Permute),
    /// The elements in row-major order under another shape.
    Reshape,
    /// The diagonal as a column.
    Diagonal,
    /// The matrix of a diagonal.
    DiagonalMatrix,
    /// The factorisation behind inverses, solutions and determinants, for targets that keep it.
    Factor,
    /// The inverse of a matrix or of its factorisation.
    Inverse,
    /// The determinant.
    Det,
    /// The logarithm of the absolute value of the determinant.
    LogDet,
}

/// A node of an [`Arena`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ref(u32);

impl Ref {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A form on earlier nodes.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) form: Form,
    pub(super) args: Box<[Ref]>,
    /// All dimensions resolved.
    pub(super) shape: Shape,
    /// The name that the program gave it.
    pub(super) name: Option<String>,
}

impl Node {
    /// A number, not a matrix.
    pub(super) fn is_scalar(&self) -> bool {
        self.shape.is_scalar()
    }
}

/// Nodes, each once; arguments stand before the nodes that use them.
#[derive(Default)]
pub(super) struct Arena {
    nodes: Vec<Node>,
    index: FxHashMap<(Form, Box<[Ref]>, Shape), Ref>,
}

impl Arena {
    pub(super) fn get(&self, at: Ref) -> &Node {
        &self.nodes[at.index()]
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes in order.
    pub(super) fn refs(&self) -> impl DoubleEndedIterator<Item = Ref> + use<> {
        (0..self.nodes.len() as u32).map(Ref)
    }

    pub(super) fn push(&mut self, form: Form, args: &[Ref], shape: Shape) -> Ref {
        let key = (form, args.into(), shape);
        if let Some(&known) = self.index.get(&key) {
            return known;
        }
        let at = Ref(self.nodes.len() as u32);
        self.nodes.push(Node { form: key.0.clone(), args: args.into(), shape, name: None });
        self.index.insert(key, at);
        at
    }

    /// Gives a node the name of the program; leaves have their own, the first name stays.
    pub(super) fn set_name(&mut self, at: Ref, name: &str) {
        let node = &mut self.nodes[at.index()];
        if !node.args.is_empty() && node.name.is_none() {
            node.name = Some(name.to_owned());
        }
    }

    fn find(&self, form: Form, args: &[Ref], shape: Shape) -> Option<Ref> {
        self.index.get(&(form, args.into(), shape)).copied()
    }

    pub(super) fn number(&mut self, value: f64) -> Ref {
        self.push(Form::Number(value.to_bits()), &[], Shape::SCALAR)
    }

    /// The number behind a node.
    pub(super) fn as_number(&self, at: Ref) -> Option<f64> {
        match self.get(at).form {
            Form::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The argument of a node of this form that has no name of its own.
    pub(super) fn inside(&self, at: Ref, form: &Form) -> Option<Ref> {
        let node = self.get(at);
        (node.form == *form && node.name.is_none()).then(|| node.args[0])
    }

    pub(super) fn negative(&mut self, x: Ref) -> Ref {
        if let Some(value) = self.as_number(x) {
            return self.number(-value);
        }
        match self.inside(x, &Form::Negative) {
            Some(inner) => inner,
            None => self.push(Form::Negative, &[x], self.get(x).shape),
        }
    }

    pub(super) fn transpose(&mut self, x: Ref) -> Ref {
        if self.get(x).is_scalar() {
            return x;
        }
        match self.get(x).form {
            Form::Transpose => self.get(x).args[0],
            _ => self.push(Form::Transpose, &[x], self.get(x).shape.permuted(&[1, 0])),
        }
    }

    /// A number as a 1 x 1 matrix, for operations that need one.
    pub(super) fn as_matrix(&mut self, x: Ref) -> Ref {
        let shape = self.get(x).shape;
        if shape.is_scalar() { self.push(Form::Reshape, &[x], shape) } else { x }
    }

    /// `a*b`; where `b'*a'` is known already, its transpose.
    pub(super) fn matmul(&mut self, a: Ref, b: Ref) -> Ref {
        let (a, b) = (self.as_matrix(a), self.as_matrix(b));
        let shape = Shape::matrix(self.get(a).shape.rows(), self.get(b).shape.cols());
        match self.known_matmul(a, b) {
            Some(known) if self.get(known).args[..] == [a, b] => known,
            Some(known) => self.transpose(known),
            None => self.push(Form::Matmul, &[a, b], shape),
        }
    }

    /// The product of two matrices or, if that is what is known, of their transposes in reverse order.
    pub(super) fn known_matmul(&mut self, a: Ref, b: Ref) -> Option<Ref> {
        let shape = Shape::matrix(self.get(a).shape.rows(), self.get(b).shape.cols());
        if let Some(known) = self.find(Form::Matmul, &[a, b], shape) {
            return Some(known);
        }
        let (p, q) = (self.transpose(b), self.transpose(a));
        self.find(Form::Matmul, &[p, q], shape.permuted(&[1, 0]))
    }

    /// Another form of the same value.
    pub(super) fn replace(&mut self, at: Ref, form: Form, args: &[Ref]) {
        let node = &mut self.nodes[at.index()];
        node.form = form;
        node.args = args.into();
    }

    /// The nodes that `roots` need, marked.
    pub(super) fn needed(&self, roots: &[Ref]) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        for root in roots {
            needed[root.index()] = true;
        }
        for at in self.refs().rev() {
            if needed[at.index()] {
                for arg in &self.get(at).args {
                    needed[arg.index()] = true;
                }
            }
        }
        needed
    }
}
