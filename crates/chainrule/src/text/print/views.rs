//! Reshapes and the gradients of Kronecker products as people write them: `vec`, `reshape`, `kron`.

use super::pieces::{Form, Piece, Precedence};
use super::{PrintError, Printer, extent};
use crate::lang::ops::view::Permute;
use crate::lang::{Dim, Graph, Id, Op, Shape};

impl Printer<'_> {
    /// A reshape: a commutation matrix, a Kronecker product, other axes of extent 1, or the same elements in rows. The
    /// language reshapes by columns; the transposes that this brings cancel where they can.
    pub(super) fn reshape(&self, id: Id) -> Result<Piece, PrintError> {
        let graph = self.graph;
        if let Some((m, n)) = graph.as_commutation(id) {
            let sizes = [m, n].map(|dim| extent(graph, dim, self.style).text);
            return Ok(self.style.constant_matrix("commutation", &sizes));
        }
        let x = graph.args(id)[0];
        if graph.is_kronecker(id) {
            let outer = graph.args(x);
            return Ok(self.style.kronecker(self.of(outer[0])?, self.of(outer[1])?));
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
            _ if is_vector(graph.shape(x)) => self.whole(x)?,
            Some(Op::Permute(Permute::TRANSPOSE)) => self.whole(graph.args(x)[0])?,
            Some(Op::Eye(_)) => self.whole(x)?,
            _ => self.transposed(x)?.whole(style),
        };
        let turn = |piece: Piece, needed: bool| if needed { style.transposed(&piece) } else { piece };
        if shape.cols() == Dim::Known(1) {
            let column = Piece::atom(style.call("vec", None, &[argument]));
            return Ok(turn(column, transposed));
        }
        let [rows, cols] = [shape.cols(), shape.rows()].map(|dim| extent(graph, dim, style).text);
        let matrix = Piece::atom(style.call("reshape", None, &[argument, rows, cols]));
        Ok(turn(matrix, !transposed))
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
        let [m, p, n, q] = dims.map(|dim| extent(self.graph, dim, style).text);
        let one = || style.number(1.0).text;
        let ones = |rows: String, cols: String| style.constant_matrix("ones", &[rows, cols]);
        let eye = |n: String| style.constant_matrix("eye", &[n]);
        let kron = |a: &Piece, b: &Piece| style.kronecker(a, b);
        let other = self.of(other)?;
        let (weights, left, right) = if first {
            (kron(&ones(m.clone(), n.clone()), other), kron(&eye(m), &ones(one(), p)), kron(&eye(n), &ones(q, one())))
        } else {
            (kron(other, &ones(p.clone(), q.clone())), kron(&ones(one(), m), &eye(p)), kron(&ones(n, one()), &eye(q)))
        };
        let tight = |piece: &Piece| piece.unsigned(Precedence::Postfix, style);
        let blocks = style.element_product(&self.of(whole)?.at(Precedence::Power, style), &tight(&weights));
        let left = style.matrix_product(&tight(&left), &style.brackets(&blocks));
        let text = style.matrix_product(&left, &tight(&right));
        Ok(Piece { form: Form::Chain, ..Piece::new(false, text, Precedence::Product) })
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
