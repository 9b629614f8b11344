//! Reshapes and the gradients of Kronecker products as people write them: `vec`, `reshape`, `kron`.

use super::pieces::{Piece, Precedence};
use super::{PrintError, Printer};
use crate::lang::ops::contract::Contract;
use crate::lang::ops::view::Permute;
use crate::lang::{Dim, Graph, Id, Op, Shape};

impl Printer<'_> {
    /// A reshape: a Kronecker product, other axes of extent 1, or the same elements in rows. The language reshapes by
    /// columns; the transposes that this brings cancel where they can.
    pub(super) fn reshape(&self, id: Id) -> Result<Piece, PrintError> {
        let graph = self.graph;
        let x = graph.args(id)[0];
        if graph.is_kronecker(id) {
            let outer = graph.args(x);
            let (a, b) = (self.of(outer[0])?.whole(), self.of(outer[1])?.whole());
            return Ok(Piece::atom(self.style.call("kron", None, &[a, b])));
        }
        if graph.shape(id).is_scalar() && graph.shape(x).is_scalar() && graph.shape(x).rank() >= 2 {
            return self.of(x).cloned();
        }
        if self.moves_units(id) {
            return self.einsum(id);
        }
        if self.has_columns(id) {
            return self.reshaped(id, false);
        }
        self.einsum(id)
    }

    /// Are both sides matrices, so that one `reshape` writes it?
    pub(super) fn has_columns(&self, id: Id) -> bool {
        let ranks = [id, self.graph.args(id)[0]].map(|id| self.graph.shape(id).rank());
        ranks == [2, 2] && !self.graph.is_kronecker(id)
    }

    /// A reshape of a matrix to a matrix by columns, or the transpose of that.
    pub(super) fn reshaped(&self, id: Id, transposed: bool) -> Result<Piece, PrintError> {
        let (graph, style) = (self.graph, self.style);
        let (x, shape) = (graph.args(id)[0], graph.shape(id));
        let is_vector = |shape: Shape| shape.dims().contains(&Dim::Known(1));
        // The rows of x are the columns of its transpose.
        let argument = match self.open(x) {
            _ if is_vector(graph.shape(x)) => self.of(x)?.whole(),
            _ => self.turned(x)?.whole(),
        };
        if shape.cols() == Dim::Known(1) {
            let column = style.call("vec", None, &[argument]);
            return Ok(if transposed { Piece::postfix(style.transposed(&column)) } else { Piece::atom(column) });
        }
        let extents = [shape.cols(), shape.rows()].map(|dim| graph.dims.text(dim));
        let [rows, cols] = extents;
        let text = style.call("reshape", None, &[argument, rows, cols]);
        Ok(if transposed { Piece::atom(text) } else { Piece::postfix(style.transposed(&text)) })
    }

    /// The transpose of a node: without its own, or a product turned around where that takes fewer transposes.
    fn turned(&self, id: Id) -> Result<Piece, PrintError> {
        let args = self.graph.args(id);
        match self.open(id) {
            Some(Op::Permute(Permute::TRANSPOSE)) => self.of(args[0]).cloned(),
            Some(Op::Contract(Contract::MATMUL)) => {
                let is_transposed = |&arg: &Id| self.open(arg) == Some(Op::Permute(Permute::TRANSPOSE));
                if !args.iter().any(is_transposed) {
                    return Ok(Piece::postfix(self.style.transposed(&self.of(id)?.at(Precedence::Atom))));
                }
                let factor = |arg: Id| -> Result<String, PrintError> {
                    Ok(match self.open(arg) {
                        Some(Op::Permute(Permute::TRANSPOSE)) => {
                            self.of(self.graph.args(arg)[0])?.at(Precedence::Postfix)
                        }
                        _ => self.style.transposed(&self.of(arg)?.at(Precedence::Atom)),
                    })
                };
                let factors = [factor(args[1])?, factor(args[0])?];
                let text = self.style.matrix_product(&factors[0], &factors[1]);
                Ok(Piece::new(false, text, Precedence::Product))
            }
            _ => Ok(Piece::postfix(self.style.transposed(&self.of(id)?.at(Precedence::Atom)))),
        }
    }

    /// The adjoint of a Kronecker product: the blocks of C, each weighted by its element of the other factor, are summed;
    /// for the first factor, the elements of each block are. With identities and ones both are products of matrices.
    pub(super) fn blocks(&self, id: Id) -> Option<Result<Piece, PrintError>> {
        let graph = self.graph;
        let &[a, b] = graph.args(id) else { return None };
        let (first, split, other) = match graph.op(id) {
            Op::Contract(Graph::KRONECKER_FIRST) => (true, a, b),
            Op::Contract(Graph::KRONECKER_SECOND) => (false, b, a),
            _ => return None,
        };
        let Some(Op::Reshape(_)) = self.open(split) else { return None };
        let whole = graph.args(split)[0];
        let (outer, shape) = (graph.shape(split), graph.shape(whole));
        let fits = |dim: Dim, p: Dim, q: Dim| graph.dims.is_product(dim, p, q);
        let dims = outer.dims();
        let is_split = shape.rank() == 2
            && fits(shape.rows(), dims[0], dims[1])
            && fits(shape.cols(), dims[2], dims[3])
            && !graph.is_kronecker(whole);
        is_split.then(|| self.block_sum(first, [whole, other], [dims[0], dims[1], dims[2], dims[3]]))
    }

    fn block_sum(&self, first: bool, [whole, other]: [Id; 2], dims: [Dim; 4]) -> Result<Piece, PrintError> {
        let style = self.style;
        let [m, p, n, q] = dims.map(|dim| self.graph.dims.text(dim));
        let one = || "1".to_owned();
        let call = |name: &str, args: &[String]| style.call(name, None, args);
        let other = self.of(other)?.whole();
        let (weights, left, right) = if first {
            (
                call("kron", &[call("ones", &[m.clone(), n.clone()]), other]),
                call("kron", &[call("eye", &[m]), call("ones", &[one(), p])]),
                call("kron", &[call("eye", &[n]), call("ones", &[q, one()])]),
            )
        } else {
            (
                call("kron", &[other, call("ones", &[p.clone(), q.clone()])]),
                call("kron", &[call("ones", &[one(), m]), call("eye", &[p])]),
                call("kron", &[call("ones", &[n, one()]), call("eye", &[q])]),
            )
        };
        let blocks = style.element_product(&self.of(whole)?.at(Precedence::Power), &weights);
        let text = style.matrix_product(&style.matrix_product(&left, &format!("({blocks})")), &right);
        Ok(Piece { chain: true, ..Piece::new(false, text, Precedence::Product) })
    }

    /// Does a reshape only add or drop axes of extent 1?
    pub(super) fn moves_units(&self, id: Id) -> bool {
        let long = |shape: Shape| -> Vec<Dim> {
            shape.dims().iter().map(|&d| self.graph.dims.resolve(d)).filter(|&d| d != Dim::Known(1)).collect()
        };
        let x = self.graph.args(id)[0];
        long(self.graph.shape(id)) == long(self.graph.shape(x))
    }
}

impl Graph {
    /// Is this a Kronecker product?
    pub(super) fn is_kronecker(&self, id: Id) -> bool {
        let (Op::Reshape(_), Some(&outer)) = (self.op(id), self.args(id).first()) else { return false };
        self.op(outer) == Op::Contract(Graph::KRONECKER)
            && self.is_kronecker_shape(self.shape(id), self.args(outer)[0], self.args(outer)[1])
    }
}
