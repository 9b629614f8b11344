//! Printing: a graph becomes text of the language, LaTeX or MathML. What is printed as text parses in the same grammar
//! and evaluates equal. Pieces are made for every needed node in topological order, so depth costs no stack.

mod chains;
mod einsum;
pub mod index;
mod pieces;
mod products;
mod style;
mod views;

use crate::lang::ops::reduce::{FirstMax, Max, Sum};
use crate::lang::ops::view::{Broadcast, Permute};
use crate::lang::shape::Axes;
use crate::lang::{Dim, Graph, Id, Op, Role};
use rustc_hash::FxHashSet;

pub use einsum::notation;
use pieces::{Piece, Pieces, Precedence};
use style::Notation;
pub(crate) use style::escape;
pub use style::{Style, math_element};

/// Why an expression has no text in matrix notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrintError {
    /// An operation on tensors that matrix notation cannot write.
    NotAMatrix(&'static str),
    /// The text would be longer than [`MAX_LENGTH`]: shared parts are written out each time.
    TooLong,
}

/// Longest text that is printed; markup may be longer for the same formula.
pub const MAX_LENGTH: usize = 20_000;

/// The text of a node; nodes with a name of the program are written by their name, the node itself is written out.
///
/// # Errors
/// See [`PrintError`].
pub fn print(graph: &Graph, root: Id, style: Style) -> Result<String, PrintError> {
    print_with(graph, root, style, &|graph, id| graph.name(id).map(str::to_owned))
}

/// As [`print()`], with the names that `name_of` gives.
///
/// # Errors
/// See [`PrintError`].
pub fn print_with(graph: &Graph, root: Id, style: Style, name_of: NameOf) -> Result<String, PrintError> {
    pieces(graph, root, style, name_of).get(root).map(|piece| piece.whole(style.notation()))
}

/// The differential of a node as its symbol: `dH` of a node with the name `H`, `d(X*W)` of one without.
///
/// # Errors
/// See [`PrintError`].
pub fn differential(graph: &Graph, node: Id, style: Style, name_of: NameOf) -> Result<String, PrintError> {
    let name = name_of(graph, node).or_else(|| graph.as_variable(node).map(|variable| variable.name.clone()));
    Ok(match name {
        Some(name) => style.differential(&style.name(&name)),
        None => style.notation().differential_of(&print_with(graph, node, style, name_of)?),
    })
}

/// The pieces of a node and of all that it needs.
fn pieces(graph: &Graph, root: Id, style: Style, name_of: NameOf) -> Pieces {
    let notation = style.notation();
    let mut printer = Printer {
        graph,
        style: notation,
        opens_differentials: style != Style::Text,
        pieces: Pieces::default(),
        named: FxHashSet::default(),
    };
    for (id, name) in printer.named_cut(root, name_of) {
        let piece = match name {
            Some(name) => {
                printer.named.insert(id);
                Ok(Piece::simple(notation.name(&name)))
            }
            None => printer.piece(id),
        };
        let piece = match piece {
            Ok(piece) if piece.text.len() > style.limit() => Err(PrintError::TooLong),
            other => other,
        };
        printer.pieces.insert(id, piece);
    }
    printer.pieces
}

/// The name that stands for a node, if one does.
pub type NameOf<'a> = &'a dyn Fn(&Graph, Id) -> Option<String>;

/// A name alone, in a style.
#[must_use]
pub fn name(name: &str, style: Style) -> String {
    style.name(name)
}

/// The text of a node, or a mark where matrix notation has none; for messages and steps.
#[must_use]
pub fn text(graph: &Graph, id: Id) -> String {
    print(graph, id, Style::Text).unwrap_or_else(|error| match error {
        PrintError::NotAMatrix(what) => format!("<{what}>"),
        PrintError::TooLong => "<...>".to_owned(),
    })
}

struct Printer<'a> {
    graph: &'a Graph,
    style: &'static dyn Notation,
    /// Is a differential written with the formula of its node? The language has only its name.
    opens_differentials: bool,
    pieces: Pieces,
    /// Nodes that are written by a name: nothing looks into them.
    named: FxHashSet<Id>,
}

impl Printer<'_> {
    /// The nodes to print, in topological order: below a named node nothing is needed.
    fn named_cut(&self, root: Id, name_of: NameOf) -> Vec<(Id, Option<String>)> {
        let graph = self.graph;
        let mut needed = rustc_hash::FxHashMap::default();
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            if needed.contains_key(&id) {
                continue;
            }
            let leaf = graph.args(id).is_empty();
            let name = if id == root || leaf { None } else { name_of(graph, id) };
            if name.is_none() {
                stack.extend(graph.args(id).iter().copied());
            }
            // Typeset, a differential is written with the formula of the node that it belongs to, which is older.
            if self.opens_differentials {
                stack.extend(graph.as_variable(id).and_then(|variable| variable.of));
            }
            needed.insert(id, name);
        }
        #[expect(clippy::iter_over_hash_type, reason = "sorted below")]
        let mut list: Vec<(Id, Option<String>)> = {
            let mut list = Vec::with_capacity(needed.len());
            for entry in needed {
                list.push(entry);
            }
            list
        };
        list.sort_by_key(|(id, _)| *id);
        list
    }

    fn of(&self, id: Id) -> Result<&Piece, PrintError> {
        self.pieces.get(id)
    }

    fn whole(&self, id: Id) -> Result<String, PrintError> {
        self.of(id).map(|piece| piece.whole(self.style))
    }

    /// The operation of a node that is written out; `None` when a name stands for it.
    fn open(&self, id: Id) -> Option<Op> {
        (!self.named.contains(&id)).then(|| self.graph.op(id))
    }

    fn piece(&self, id: Id) -> Result<Piece, PrintError> {
        let (graph, style) = (self.graph, self.style);
        let args = graph.args(id);
        Ok(match graph.op(id) {
            Op::Variable(_) => self.variable(id),
            Op::Constant(constant) => Piece::number(constant.value(), style),
            Op::Size(size) => extent(graph, size.0, style),
            Op::Eye(eye) => style.constant_matrix("eye", &[extent(graph, eye.0, style).text]),
            Op::Add(_) => self.sum_of_terms(id)?,
            Op::Mul(_) | Op::Power(_) => self.product(id)?,
            Op::Contract(_) => self.contraction(id)?,
            Op::Sum(Sum(axes)) => self.sum_over(id, axes)?,
            Op::Max(Max(axes)) => self.folded(id, axes, ["max", "rowmax", "colmax"])?,
            Op::FirstMax(FirstMax(axes)) => self.folded(id, axes, ["firstmax", "rowfirstmax", "colfirstmax"])?,
            Op::Broadcast(Broadcast(_)) => self.stretched(id)?,
            Op::Permute(Permute::TRANSPOSE) => match self.open(args[0]) {
                Some(Op::Reshape(_)) if self.has_columns(args[0]) => self.reshaped(args[0], true)?,
                _ => self.transposed(args[0])?,
            },
            Op::Permute(_) => self.einsum(id)?,
            Op::Reshape(_) => self.reshape(id)?,
            Op::Inverse(_) => style.inverse(self.of(args[0])?),
            Op::Binary(crate::lang::ops::elementwise::Binary::Pow) => {
                style.power(self.of(args[0])?, self.of(args[1])?, graph.shape(id).is_scalar())
            }
            op => self.function(op, args)?,
        })
    }

    /// A variable by its name; typeset, a differential by what it belongs to.
    fn variable(&self, id: Id) -> Piece {
        let style = self.style;
        let variable = self.graph.as_variable(id).expect("a variable");
        let name = variable.name.as_str();
        if variable.role != Role::Differential || !self.opens_differentials {
            return Piece::simple(style.name(name));
        }
        let inner = variable.of.and_then(|of| Some((of, self.pieces.find(of)?)));
        Piece::atom(match inner {
            Some((of, piece)) if self.named.contains(&of) || self.graph.as_variable(of).is_some() => {
                style.differential_of_name(&piece.text)
            }
            Some((_, piece)) => style.differential_of(&piece.whole(style)),
            None => match (name.strip_prefix("d(").and_then(|rest| rest.strip_suffix(')')), name.strip_prefix('d')) {
                (Some(inner), _) => style.differential_of(&style.verbatim(inner)),
                (None, Some(inner)) if !inner.is_empty() => style.differential_of_name(&style.name(inner)),
                _ => style.name(name),
            },
        })
    }

    fn function(&self, op: Op, args: &[Id]) -> Result<Piece, PrintError> {
        let def = op.def();
        let tex = match def.written() {
            crate::lang::op::Written::Function { tex } => tex,
            crate::lang::op::Written::Operator => return Err(PrintError::NotAMatrix(def.name())),
        };
        let args: Result<Vec<String>, PrintError> = args.iter().map(|&a| self.whole(a)).collect();
        Ok(Piece::atom(self.style.call(def.name(), Some(tex), &args?)))
    }

    /// `a - b + c`; a broadcast is written as what it stretches when the other terms fill the shape.
    fn sum_of_terms(&self, id: Id) -> Result<Piece, PrintError> {
        let mut terms: Vec<Piece> = Vec::new();
        for term in self.implied(id) {
            terms.push(self.of(term)?.clone());
        }
        Ok(sum_of(terms, self.style))
    }

    /// The arguments of an element-wise node, broadcasts replaced by their source where that loses nothing: for every
    /// axis at least one argument must have the full extent.
    fn implied(&self, id: Id) -> Vec<Id> {
        let graph = self.graph;
        let shape = graph.shape(id);
        let args = graph.args(id);
        let source = |a: Id| match self.open(a) {
            Some(Op::Broadcast(_)) => graph.args(a)[0],
            _ => a,
        };
        let fills = |a: Id, axis: usize| graph.shape(a).dims().get(axis) == shape.dims().get(axis);
        let covered = (0..shape.rank()).all(|axis| args.iter().any(|&a| fills(source(a), axis)));
        let same_rank = args.iter().all(|&a| graph.shape(source(a)).rank() == shape.rank());
        if covered && same_rank {
            return args.iter().map(|&a| source(a)).collect();
        }
        // Writing the first broadcast out in full makes the shape; the others may stay implied.
        let first = args.iter().position(|&a| source(a) != a);
        args.iter().enumerate().map(|(i, &a)| if Some(i) == first || !same_rank { a } else { source(a) }).collect()
    }

    fn sum_over(&self, id: Id, axes: Axes) -> Result<Piece, PrintError> {
        let x = self.graph.args(id)[0];
        if let (true, Some(Op::Diagonal(_))) = (self.graph.shape(id).is_scalar(), self.open(x)) {
            return Ok(Piece::atom(self.style.call("tr", None, &[self.whole(self.graph.args(x)[0])?])));
        }
        if self.is_sum_of_products(id) {
            return self.einsum(id);
        }
        self.folded(id, axes, ["sum", "rowsum", "colsum"]).or_else(|_| self.einsum(id))
    }

    /// A function that folds all elements, those of each row, or those of each column.
    fn folded(&self, id: Id, axes: Axes, [all, rows, columns]: [&str; 3]) -> Result<Piece, PrintError> {
        let x = self.graph.args(id)[0];
        let shape = self.graph.shape(x);
        let rank = shape.rank();
        let long = |axis: &usize| shape.dims()[*axis] != Dim::Known(1);
        let folded: Axes = axes.iter().filter(|axis| *axis < rank && long(axis)).collect();
        let whole: Axes = (0..rank).filter(long).collect();
        let name = if folded == whole {
            all
        } else if folded == Axes::one(rank - 1) {
            rows
        } else if folded == Axes::one(rank - 2) {
            columns
        } else {
            return Err(PrintError::NotAMatrix(self.graph.op(id).def().name()));
        };
        Ok(Piece::atom(self.style.call(name, None, &[self.whole(x)?])))
    }

    /// A broadcast that nothing implies: `ones(m,1)*row`, `column*ones(1,n)`, `s*ones(m,n)`.
    fn stretched(&self, id: Id) -> Result<Piece, PrintError> {
        let (graph, style) = (self.graph, self.style);
        let (x, shape) = (graph.args(id)[0], graph.shape(id));
        let extents: Vec<String> = shape.dims().iter().map(|&d| extent(graph, d, style).text).collect();
        let one = style.number(1.0).text;
        let source = graph.shape(x);
        if source.is_scalar() {
            let filled = |name: &str| style.constant_matrix(name, &extents);
            return Ok(match graph.constant_value(x) {
                Some(0.0) => filled("zeros"),
                Some(1.0) => filled("ones"),
                _ => {
                    let s = self.of(x)?;
                    let text = style.scaled(&s.unsigned(Precedence::Product, style), &filled("ones").text);
                    Piece::new(s.negative, text, Precedence::Product)
                }
            });
        }
        let [rows, cols] = match <[String; 2]>::try_from(extents) {
            Ok(extents) => extents,
            Err(_) => return self.einsum(id),
        };
        let piece = self.of(x)?;
        let text = if source.rows() == shape.rows() {
            let ones = style.constant_matrix("ones", &[one, cols]);
            style.matrix_product(&piece.unsigned(Precedence::Product, style), &ones.text)
        } else {
            let ones = style.constant_matrix("ones", &[rows, one]);
            style.matrix_product(&ones.text, &piece.unsigned(Precedence::Postfix, style))
        };
        Ok(Piece::new(piece.negative, text, Precedence::Product))
    }
}

/// Terms with their signs, in order but for the first.
fn sum_of(mut terms: Vec<Piece>, style: &dyn Notation) -> Piece {
    // A positive term goes first, so that no sum starts with a minus without need.
    if terms[0].negative
        && let Some(first) = terms.iter().position(|t| !t.negative)
    {
        let moved = terms.remove(first);
        terms.insert(0, moved);
    }
    let signed = |term: &Piece| {
        // After a minus a sum needs brackets, and so does a leading one.
        let needed = if term.negative { Precedence::Elementwise } else { Precedence::Sum };
        (term.negative, term.unsigned(needed, style))
    };
    let terms: Vec<(bool, String)> = terms.iter().map(signed).collect();
    Piece::new(false, style.sum(&terms), Precedence::Sum)
}

/// An extent, by its number or its name.
fn extent(graph: &Graph, dim: Dim, style: &dyn Notation) -> Piece {
    let text = graph.dims.text(dim);
    let factors: Vec<&str> = text.split(['(', '*', ')']).filter(|factor| !factor.is_empty()).collect();
    style.size(&factors)
}
