//! Printing: a graph becomes text of the language, or LaTeX. What is printed parses in the same grammar and evaluates
//! equal. Pieces are made for every needed node in topological order, so depth costs no stack.

mod pieces;
mod products;
mod style;

use crate::lang::ops::reduce::Sum;
use crate::lang::ops::view::{Broadcast, Permute};
use crate::lang::shape::Axes;
use crate::lang::{Graph, Id, Op};
use rustc_hash::FxHashSet;

pub(in crate::text) use pieces::number;
use pieces::{Piece, Pieces, Precedence};
pub use style::Style;

/// Why an expression has no text in matrix notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrintError {
    /// An operation on tensors that matrix notation cannot write.
    NotAMatrix(&'static str),
    /// The text would be longer than [`MAX_LENGTH`]: shared parts are written out each time.
    TooLong,
}

/// Longest text that is printed.
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
pub fn print_with(
    graph: &Graph,
    root: Id,
    style: Style,
    name_of: &dyn Fn(&Graph, Id) -> Option<String>,
) -> Result<String, PrintError> {
    let mut printer = Printer { graph, style, pieces: Pieces::default(), named: FxHashSet::default() };
    for (id, name) in named_cut(graph, root, name_of) {
        let piece = match name {
            Some(name) => {
                printer.named.insert(id);
                Ok(Piece::atom(style.name(&name)))
            }
            None => printer.piece(id),
        };
        let piece = match piece {
            Ok(piece) if piece.text.len() > MAX_LENGTH => Err(PrintError::TooLong),
            other => other,
        };
        printer.pieces.insert(id, piece);
    }
    printer.pieces.get(root).map(Piece::whole)
}

/// The nodes to print, in topological order: below a named node nothing is needed.
fn named_cut(graph: &Graph, root: Id, name_of: &dyn Fn(&Graph, Id) -> Option<String>) -> Vec<(Id, Option<String>)> {
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
    style: Style,
    pieces: Pieces,
    /// Nodes that are written by a name: nothing looks into them.
    named: FxHashSet<Id>,
}

impl Printer<'_> {
    fn of(&self, id: Id) -> Result<&Piece, PrintError> {
        self.pieces.get(id)
    }

    /// The operation of a node that is written out; `None` when a name stands for it.
    fn open(&self, id: Id) -> Option<Op> {
        (!self.named.contains(&id)).then(|| self.graph.op(id))
    }

    fn piece(&self, id: Id) -> Result<Piece, PrintError> {
        let (graph, style) = (self.graph, self.style);
        let args = graph.args(id);
        Ok(match graph.op(id) {
            Op::Variable(reference) => Piece::atom(style.name(&graph.variables[reference.number as usize].name)),
            Op::Constant(constant) => Piece::number(constant.value()),
            Op::Size(size) => Piece::atom(style.name(&graph.dims.text(size.0))),
            Op::Eye(eye) => Piece::atom(style.call("eye", None, &[graph.dims.text(eye.0)])),
            Op::Add(_) => self.sum_of_terms(id)?,
            Op::Mul(_) | Op::Power(_) => self.product(id)?,
            Op::Contract(_) => self.contraction(id)?,
            Op::Sum(Sum(axes)) => self.sum_over(id, axes)?,
            Op::Max(_) if graph.shape(args[0]).rank() != 2 => return Err(PrintError::NotAMatrix("max over axes")),
            Op::Max(max) => {
                let name = if graph.shape(id).is_scalar() {
                    "max"
                } else if max.0 == Axes::COLUMNS {
                    "rowmax"
                } else {
                    "colmax"
                };
                Piece::atom(style.call(name, None, &[self.of(args[0])?.whole()]))
            }
            Op::Broadcast(Broadcast(_)) => self.stretched(id)?,
            Op::Permute(permute) if permute == Permute::TRANSPOSE => {
                Piece::postfix(style.transposed(&self.of(args[0])?.at(Precedence::Atom)))
            }
            Op::Permute(_) | Op::FirstMax(_) => return Err(PrintError::NotAMatrix(graph.op(id).def().name())),
            Op::Reshape(_) => self.kronecker(id)?,
            Op::Binary(crate::lang::ops::elementwise::Binary::Pow) => {
                let (base, exponent) =
                    (self.of(args[0])?.at(Precedence::Postfix), self.of(args[1])?.at(Precedence::Postfix));
                Piece::new(false, style.power(&base, &exponent, graph.shape(id).is_scalar()), Precedence::Power)
            }
            op => self.function(op, args)?,
        })
    }

    fn function(&self, op: Op, args: &[Id]) -> Result<Piece, PrintError> {
        let def = op.def();
        let tex = match def.written() {
            crate::lang::op::Written::Function { tex } => tex,
            crate::lang::op::Written::Operator => return Err(PrintError::NotAMatrix(def.name())),
        };
        let args: Result<Vec<String>, PrintError> = args.iter().map(|&a| self.of(a).map(Piece::whole)).collect();
        Ok(Piece::atom(self.style.call(def.name(), Some(tex), &args?)))
    }

    /// `a - b + c`; a broadcast is written as what it stretches when the other terms fill the shape.
    fn sum_of_terms(&self, id: Id) -> Result<Piece, PrintError> {
        let mut terms: Vec<Piece> = Vec::new();
        for term in self.implied(id) {
            terms.push(self.of(term)?.clone());
        }
        // A positive term goes first, so that no sum starts with a minus without need.
        if terms[0].negative
            && let Some(first) = terms.iter().position(|t| !t.negative)
        {
            let moved = terms.remove(first);
            terms.insert(0, moved);
        }
        let mut text = String::new();
        for (index, term) in terms.iter().enumerate() {
            match (index, term.negative) {
                (0, false) => {}
                (0, true) => text.push('-'),
                (_, false) => text.push_str(" + "),
                (_, true) => text.push_str(" - "),
            }
            // After a minus a sum needs brackets, and so does a leading one.
            let inner = term.unsigned(if term.negative { Precedence::Product } else { Precedence::Sum });
            text.push_str(&inner);
        }
        Ok(Piece::new(false, text, Precedence::Sum))
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
        if self.graph.shape(x).rank() != 2 {
            return Err(PrintError::NotAMatrix("sum over axes"));
        }
        let (name, argument) = if self.graph.shape(id).is_scalar() {
            match self.open(x) {
                Some(Op::Diagonal(_)) => ("tr", self.graph.args(x)[0]),
                _ => ("sum", x),
            }
        } else if axes == Axes::COLUMNS {
            ("rowsum", x)
        } else {
            ("colsum", x)
        };
        Ok(Piece::atom(self.style.call(name, None, &[self.of(argument)?.whole()])))
    }

    /// A broadcast that nothing implies: `ones(m,1)*row`, `column*ones(1,n)`, `s*ones(m,n)`.
    fn stretched(&self, id: Id) -> Result<Piece, PrintError> {
        let graph = self.graph;
        let (x, shape) = (graph.args(id)[0], graph.shape(id));
        if shape.rank() != 2 {
            return Err(PrintError::NotAMatrix("broadcast"));
        }
        let [rows, cols] = [shape.rows(), shape.cols()].map(|d| graph.dims.text(d));
        let source = graph.shape(x);
        if source.is_scalar() {
            let filled = |name: &str| Piece::atom(self.style.call(name, None, &[rows.clone(), cols.clone()]));
            return Ok(match graph.constant_value(x) {
                Some(0.0) => filled("zeros"),
                Some(1.0) => filled("ones"),
                _ => {
                    let s = self.of(x)?;
                    let text = self.style.scaled(&s.unsigned(Precedence::Product), &filled("ones").text);
                    Piece::new(s.negative, text, Precedence::Product)
                }
            });
        }
        let piece = self.of(x)?;
        let text = if source.rows() == shape.rows() {
            let ones = self.style.call("ones", None, &["1".into(), cols]);
            self.style.matrix_product(&piece.unsigned(Precedence::Product), &ones)
        } else {
            let ones = self.style.call("ones", None, &[rows, "1".into()]);
            self.style.matrix_product(&ones, &piece.unsigned(Precedence::Postfix))
        };
        Ok(Piece::new(piece.negative, text, Precedence::Product))
    }

    /// A matrix product; brackets on the right are dropped where associativity allows it.
    fn contraction(&self, id: Id) -> Result<Piece, PrintError> {
        let graph = self.graph;
        if graph.op(id) != Op::Contract(crate::lang::ops::contract::Contract::MATMUL) {
            return Err(PrintError::NotAMatrix("contraction"));
        }
        let (a, b) = (graph.args(id)[0], graph.args(id)[1]);
        let (left, right) = (self.of(a)?, self.of(b)?);
        let negative = left.negative != right.negative;
        let chain = left.chain || left.precedence > Precedence::Product;
        let right = if right.chain { right.text.clone() } else { right.unsigned(Precedence::Postfix) };
        let text = self.style.matrix_product(&left.unsigned(Precedence::Product), &right);
        Ok(Piece { chain, ..Piece::new(negative, text, Precedence::Product) })
    }

    fn kronecker(&self, id: Id) -> Result<Piece, PrintError> {
        let outer = self.graph.args(id)[0];
        if self.graph.op(outer) != Op::Contract(Graph::KRONECKER) {
            return Err(PrintError::NotAMatrix("reshape"));
        }
        let args = self.graph.args(outer);
        let (a, b) = (self.of(args[0])?.whole(), self.of(args[1])?.whole());
        Ok(Piece::atom(self.style.call("kron", None, &[a, b])))
    }
}

#[cfg(test)]
mod tests;
