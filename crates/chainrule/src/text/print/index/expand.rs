//! From a node and its indices to a tree of numbers: each operation by the definition of its element.

use super::places::Index;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::Binary;
use crate::lang::ops::reduce::{FirstMax, Max, Sum};
use crate::lang::ops::view::{Permute, Reshape};
use crate::lang::shape::Axes;
use crate::lang::{Dim, Graph, Id, Op};
use crate::text::print::style::Over;
use crate::text::print::{NameOf, PrintError};

/// Most parts of a formula that is written out.
const MOST_TERMS: usize = 4000;

/// An index that a formula uses.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// How far it runs.
    pub(super) dim: Dim,
    /// What is written in its place, where it turned out to be two indices in one, or another one.
    pub(super) instead: Option<Index>,
}

/// What has a symbol of its own.
#[derive(Clone, Debug)]
pub(super) enum Symbol {
    /// A named node.
    Name(String),
    /// A node whose matrix is printed.
    Node(Id),
}

/// The right side of a condition.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// An index.
    At(Index),
    /// A term, which says where a maximum is.
    Of(usize),
}

/// A part of a formula; parts have larger numbers than what they are parts of.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// Not yet expanded, or moved elsewhere.
    Empty,
    Number(f64),
    Size(Dim),
    Element(Symbol, Vec<Index>),
    Sum(Vec<usize>),
    Product(Vec<usize>),
    Power(usize, f64),
    Raised(usize, usize),
    Call(&'static str, Option<&'static str>, Vec<usize>),
    Over(Over, Vec<usize>, usize),
    /// 1 where all indices on the left are what stands on the right.
    Delta(Vec<Index>, Place),
}

impl Term {
    /// Its parts.
    pub(super) fn parts(&self) -> Vec<usize> {
        match self {
            Term::Sum(list) | Term::Product(list) | Term::Call(_, _, list) => list.clone(),
            Term::Power(part, _) | Term::Over(_, _, part) | Term::Delta(_, Place::Of(part)) => vec![*part],
            Term::Raised(base, exponent) => vec![*base, *exponent],
            _ => Vec::new(),
        }
    }
}

/// A formula as a tree.
pub(super) struct Expansion<'a> {
    pub(super) graph: &'a Graph,
    name_of: NameOf<'a>,
    root: Id,
    /// The indices on the left.
    pub(super) free: Vec<Index>,
    /// The parts; the whole is the first.
    pub(super) terms: Vec<Term>,
    /// The indices that are used.
    pub(super) letters: Vec<Letter>,
    /// Nodes whose element is still to be written: where, which, at which place.
    open: Vec<(usize, Id, Vec<Index>)>,
}

impl<'a> Expansion<'a> {
    /// The element of a node at indices of its own.
    pub(super) fn of(graph: &'a Graph, root: Id, name_of: NameOf<'a>) -> Result<Expansion<'a>, PrintError> {
        let mut expansion = Expansion {
            graph,
            name_of,
            root,
            free: Vec::new(),
            terms: Vec::new(),
            letters: Vec::new(),
            open: Vec::new(),
        };
        let shape = graph.shape(root);
        expansion.free = shape.dims().iter().map(|&dim| expansion.letter(dim)).collect();
        let free = expansion.free.clone();
        expansion.node(root, free);
        while let Some((slot, id, at)) = expansion.open.pop() {
            expansion.terms[slot] = expansion.term(id, &at);
            if expansion.terms.len() > MOST_TERMS {
                return Err(PrintError::TooLong);
            }
        }
        Ok(expansion)
    }

    /// The index without what is written in another way.
    pub(super) fn resolved(&self, index: &Index) -> Index {
        let inner = |index: &Index| Box::new(self.resolved(index));
        match index {
            Index::One => Index::One,
            Index::Letter(letter) => match &self.letters[*letter].instead {
                Some(index) => self.resolved(index),
                None => Index::Letter(*letter),
            },
            Index::Mixed(a, d, b) => Index::Mixed(inner(a), *d, inner(b)),
            Index::Quotient(x, d) => Index::Quotient(inner(x), *d),
            Index::Remainder(x, d) => Index::Remainder(inner(x), *d),
        }
    }

    pub(super) fn letter(&mut self, dim: Dim) -> Index {
        let dim = self.graph.dims.resolve(dim);
        if dim == Dim::Known(1) {
            return Index::One;
        }
        self.letters.push(Letter { dim, instead: None });
        Index::Letter(self.letters.len() - 1)
    }

    fn push(&mut self, term: Term) -> usize {
        self.terms.push(term);
        self.terms.len() - 1
    }

    /// A term for the element of a node, to be expanded later.
    fn node(&mut self, id: Id, at: Vec<Index>) -> usize {
        let slot = self.push(Term::Empty);
        self.open.push((slot, id, at));
        slot
    }

    fn element(&self, symbol: Symbol, at: &[Index]) -> Term {
        Term::Element(symbol, at.iter().filter(|index| **index != Index::One).cloned().collect())
    }

    fn term(&mut self, id: Id, at: &[Index]) -> Term {
        let graph = self.graph;
        let args = graph.args(id);
        if id != self.root
            && !args.is_empty()
            && let Some(name) = (self.name_of)(graph, id)
        {
            return self.element(Symbol::Name(name), at);
        }
        match graph.op(id) {
            Op::Constant(constant) => Term::Number(constant.value()),
            Op::Size(size) => Term::Size(size.0),
            Op::Eye(_) => self.delta(&at[0], &at[1]),
            Op::Unary(unary) => Term::Call(unary.row().name, Some(unary.row().tex), self.each(args, at)),
            Op::Binary(Binary::Pow) => Term::Raised(self.node(args[0], at.to_vec()), self.node(args[1], at.to_vec())),
            Op::Binary(Binary::Max) => Term::Call("max", Some(r"\max"), self.each(args, at)),
            Op::Binary(Binary::Min) => Term::Call("min", Some(r"\min"), self.each(args, at)),
            Op::Add(_) => Term::Sum(self.each(args, at)),
            Op::Mul(_) => Term::Product(self.each(args, at)),
            Op::Power(power) => Term::Power(self.node(args[0], at.to_vec()), power.exponent()),
            Op::Contract(contract) => self.contraction(id, contract, at),
            Op::Sum(Sum(axes)) => self.over(Over::Sum, args[0], axes, at),
            Op::Max(Max(axes)) => self.over(Over::Max, args[0], axes, at),
            Op::FirstMax(FirstMax(axes)) => self.first_max(args[0], axes, at),
            Op::Softmax(_) => self.softmax(args[0], at),
            Op::LogSumExp(_) => {
                let sum = self.exponentials(args[0], at);
                Term::Call("log", Some(r"\log"), vec![sum])
            }
            Op::Broadcast(_) => {
                let source = graph.shape(args[0]).resolved(&graph.dims);
                let place =
                    |(dim, index): (&Dim, &Index)| if *dim == Dim::Known(1) { Index::One } else { index.clone() };
                let at = source.dims().iter().zip(at).map(place).collect();
                self.same(args[0], at)
            }
            Op::Permute(permute) => self.same(args[0], permuted(permute, at)),
            Op::Reshape(Reshape(_)) => {
                let at = self.reshaped(id, args[0], at);
                self.same(args[0], at)
            }
            Op::Diagonal(_) => self.same(args[0], vec![at[0].clone(), at[0].clone()]),
            Op::DiagonalMatrix(_) => {
                let element = self.node(args[0], vec![at[0].clone(), Index::One]);
                let delta = self.delta(&at[0], &at[1]);
                let delta = self.push(delta);
                Term::Product(vec![element, delta])
            }
            // An element of these is no formula of elements.
            _ => self.element(Symbol::Node(id), at),
        }
    }

    /// The same element of another node, as a sum of one term: it disappears when it is written.
    fn same(&mut self, id: Id, at: Vec<Index>) -> Term {
        Term::Product(vec![self.node(id, at)])
    }

    fn each(&mut self, args: &[Id], at: &[Index]) -> Vec<usize> {
        args.iter().map(|&arg| self.node(arg, at.to_vec())).collect()
    }

    fn delta(&self, left: &Index, right: &Index) -> Term {
        if left == right { Term::Number(1.0) } else { Term::Delta(vec![left.clone()], Place::At(right.clone())) }
    }

    /// Fresh letters for the axes of a node, and the indices with them; axes of extent 1 need none.
    fn fresh(&mut self, id: Id, axes: Axes, at: &[Index]) -> (Vec<usize>, Vec<Index>) {
        let shape = self.graph.shape(id);
        let mut at = at.to_vec();
        let mut letters = Vec::new();
        for axis in axes.iter().take_while(|&axis| axis < shape.rank()) {
            at[axis] = self.letter(shape.dims()[axis]);
            if let Index::Letter(letter) = at[axis] {
                letters.push(letter);
            }
        }
        (letters, at)
    }

    fn over(&mut self, operator: Over, x: Id, axes: Axes, at: &[Index]) -> Term {
        let (letters, inner) = self.fresh(x, axes, at);
        if letters.is_empty() { self.same(x, inner) } else { Term::Over(operator, letters, self.node(x, inner)) }
    }

    fn contraction(&mut self, id: Id, contract: Contract, at: &[Index]) -> Term {
        let args = self.graph.args(id);
        let mut places: Vec<(u8, Index)> = contract.out.list().iter().copied().zip(at.iter().cloned()).collect();
        let mut letters = Vec::new();
        for (labels, arg) in [(contract.a, args[0]), (contract.b, args[1])] {
            for (&label, &dim) in labels.list().iter().zip(self.graph.shape(arg).dims()) {
                if places.iter().any(|(known, _)| *known == label) {
                    continue;
                }
                let index = self.letter(dim);
                if let Index::Letter(letter) = index {
                    letters.push(letter);
                }
                places.push((label, index));
            }
        }
        let find = |label: &u8| places.iter().find(|(known, _)| known == label).expect("just put there").1.clone();
        let [a, b] = [contract.a, contract.b].map(|labels| labels.list().iter().map(find).collect::<Vec<Index>>());
        let product = self.push(Term::Empty);
        self.terms[product] = Term::Product(vec![self.node(args[0], a), self.node(args[1], b)]);
        if letters.is_empty() { Term::Product(vec![product]) } else { Term::Over(Over::Sum, letters, product) }
    }

    fn first_max(&mut self, x: Id, axes: Axes, at: &[Index]) -> Term {
        let (letters, inner) = self.fresh(x, axes, at);
        if letters.is_empty() {
            return Term::Number(1.0);
        }
        let left = axes.iter().filter_map(|axis| at.get(axis)).filter(|index| **index != Index::One).cloned().collect();
        let place = self.push(Term::Empty);
        self.terms[place] = Term::Over(Over::ArgMax, letters, self.node(x, inner));
        Term::Delta(left, Place::Of(place))
    }

    fn softmax(&mut self, x: Id, at: &[Index]) -> Term {
        let exponential = self.push(Term::Empty);
        self.terms[exponential] = Term::Call("exp", Some(r"\exp"), vec![self.node(x, at.to_vec())]);
        let inverse = self.push(Term::Empty);
        self.terms[inverse] = Term::Power(self.exponentials(x, at), -1.0);
        Term::Product(vec![exponential, inverse])
    }

    /// The sum of the exponentials of a row.
    fn exponentials(&mut self, x: Id, at: &[Index]) -> usize {
        let last = Axes::one(self.graph.shape(x).rank() - 1);
        let (letters, inner) = self.fresh(x, last, at);
        let sum = self.push(Term::Empty);
        let body = self.push(Term::Empty);
        self.terms[body] = Term::Call("exp", Some(r"\exp"), vec![self.node(x, inner)]);
        self.terms[sum] =
            if letters.is_empty() { Term::Product(vec![body]) } else { Term::Over(Over::Sum, letters, body) };
        sum
    }
}

fn permuted(permute: Permute, at: &[Index]) -> Vec<Index> {
    permute.inverse().order().iter().map(|&to| at[to as usize].clone()).collect()
}
