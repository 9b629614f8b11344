//! Products of matrices, and their transposes.

use super::pieces::{Form, Piece, Precedence};
use super::{PrintError, Printer};
use crate::lang::ops::contract::Contract;
use crate::lang::{Id, Op};

impl Printer<'_> {
    /// A matrix product; brackets on the right are dropped where associativity allows it.
    pub(super) fn contraction(&self, id: Id) -> Result<Piece, PrintError> {
        let (graph, style) = (self.graph, self.style);
        if graph.op(id) != Op::Contract(Contract::MATMUL) {
            return self.blocks(id).unwrap_or_else(|| self.einsum(id));
        }
        let (a, b) = (graph.args(id)[0], graph.args(id)[1]);
        let (left, right) = (self.of(a)?, self.of(b)?);
        let negative = left.negative != right.negative;
        let chain = left.form == Form::Chain || left.precedence > Precedence::Product;
        let right = match right.form {
            Form::Chain => right.text.clone(),
            _ => right.unsigned(Precedence::Postfix, style),
        };
        let text = style.matrix_product(&left.unsigned(Precedence::Product, style), &right);
        let form = if chain { Form::Chain } else { Form::Plain };
        Ok(Piece { form, ..Piece::new(negative, text, Precedence::Product) })
    }

    /// `(a*b)'` as `b'*a'` when that is not longer: the graph keeps the product whole, so that it is computed once.
    fn transposed_product(&self, product: Id) -> Result<Option<Piece>, PrintError> {
        let (graph, style) = (self.graph, self.style);
        if self.open(product) != Some(Op::Contract(Contract::MATMUL)) {
            return Ok(None);
        }
        let mut factors = Vec::new();
        let mut stack = vec![product];
        while let Some(next) = stack.pop() {
            match self.open(next) {
                Some(Op::Contract(spec)) if spec == Contract::MATMUL => {
                    stack.extend([graph.args(next)[1], graph.args(next)[0]]);
                }
                _ => factors.push(next),
            }
        }
        let turned = |id: Id| match self.open(id) {
            Some(Op::Permute(_)) => Some(graph.args(id)[0]),
            _ => None,
        };
        let marks = factors.iter().filter(|&&factor| turned(factor).is_none()).count();
        // Each transpose is a sign; the whole costs one, and brackets.
        if marks > 3 + (factors.len() - marks) {
            return Ok(None);
        }
        let mut text = String::new();
        let mut negative = false;
        for &factor in factors.iter().rev() {
            let piece = match turned(factor) {
                Some(inner) => self.of(inner)?.clone(),
                None => self.transposed(factor)?,
            };
            negative ^= piece.negative;
            let own = piece.unsigned(Precedence::Postfix, style);
            text = if text.is_empty() { own } else { style.matrix_product(&text, &own) };
        }
        Ok(Some(Piece { form: Form::Chain, ..Piece::new(negative, text, Precedence::Product) }))
    }

    /// The transpose of a matrix; that of an inverse has a sign of its own.
    pub(super) fn transposed(&self, x: Id) -> Result<Piece, PrintError> {
        if let Some(piece) = self.transposed_product(x)? {
            return Ok(piece);
        }
        Ok(match self.open(x) {
            Some(Op::Inverse(_)) => self.style.inverse_transposed(self.of(self.graph.args(x)[0])?),
            _ => self.style.transposed(self.of(x)?),
        })
    }
}
