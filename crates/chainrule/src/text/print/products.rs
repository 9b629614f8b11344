//! Element-wise products and powers as people write them: coefficient, scalars, factors, quotients.

use super::pieces::{Piece, Precedence, number};
use super::{PrintError, Printer};
use crate::lang::shape::Axes;
use crate::lang::{Id, Op};

/// The factors of a product, sorted by how they are written.
#[derive(Default)]
struct Factors {
    coefficient: f64,
    /// 1 x 1 factors of a larger product: written with `*` and `/`.
    scalars: Vec<Piece>,
    scalar_denominators: Vec<Piece>,
    /// Factors of full shape, or rows and columns that are stretched by the others.
    elements: Vec<Piece>,
    element_denominators: Vec<Piece>,
}

impl Printer<'_> {
    /// A product or a power.
    pub(super) fn product(&self, id: Id) -> Result<Piece, PrintError> {
        let scalar = self.graph.shape(id).is_scalar();
        let mut factors = Factors { coefficient: 1.0, ..Factors::default() };
        let list = match self.graph.op(id) {
            Op::Mul(_) => self.implied(id),
            _ => vec![id],
        };
        for factor in list {
            self.sort_factor(id, factor, &mut factors)?;
        }
        Ok(self.assemble(factors, scalar))
    }

    fn sort_factor(&self, id: Id, factor: Id, factors: &mut Factors) -> Result<(), PrintError> {
        let graph = self.graph;
        if let (Some(value), true) = (graph.constant_value(factor), graph.shape(factor).is_scalar()) {
            factors.coefficient *= value;
            return Ok(());
        }
        let is_scalar = graph.shape(factor).is_scalar() && !graph.shape(id).is_scalar();
        let (piece, below) = match self.open(factor) {
            Some(Op::Power(power)) => {
                let p = power.exponent();
                (self.power_piece(graph.args(factor)[0], p.abs(), graph.shape(factor).is_scalar())?, p < 0.0)
            }
            _ => (self.of(factor)?.clone(), false),
        };
        if piece.negative {
            factors.coefficient = -factors.coefficient;
        }
        let piece = Piece { negative: false, ..piece };
        match (is_scalar, below) {
            (true, false) => factors.scalars.push(piece),
            (true, true) => factors.scalar_denominators.push(piece),
            (false, false) => factors.elements.push(piece),
            (false, true) => factors.element_denominators.push(piece),
        }
        Ok(())
    }

    /// `x.^p` for positive p; roots by name, a root of a sum of squares as a norm.
    fn power_piece(&self, base: Id, p: f64, scalar: bool) -> Result<Piece, PrintError> {
        let piece = self.of(base)?;
        if p == 1.0 {
            return Ok(piece.clone());
        }
        if p == 0.5 {
            if let Some(vector) = self.norm_argument(base) {
                return Ok(Piece::atom(self.style.call("norm2", None, &[self.of(vector)?.whole()])));
            }
            return Ok(Piece::atom(self.style.call("sqrt", Some(r"\sqrt"), &[piece.whole()])));
        }
        let text = self.style.power(&piece.at(Precedence::Postfix), &number(p), scalar);
        Ok(Piece::new(false, text, Precedence::Power))
    }

    /// The x of `sum(x.^2)`.
    fn norm_argument(&self, id: Id) -> Option<Id> {
        let graph = self.graph;
        let Some(Op::Sum(sum)) = self.open(id) else { return None };
        let square = graph.args(id)[0];
        let Some(Op::Power(power)) = self.open(square) else { return None };
        let whole =
            graph.shape(id).is_scalar() && sum.0.iter().count() <= 2 && sum.0.union(Axes::all(2)) == Axes::all(2);
        (power.exponent() == 2.0 && whole && graph.shape(square).rank() == 2).then(|| graph.args(square)[0])
    }

    fn assemble(&self, factors: Factors, scalar: bool) -> Piece {
        let style = self.style;
        let Factors { coefficient, scalars, scalar_denominators, elements, element_denominators } = factors;
        let negative = coefficient < 0.0;
        let magnitude = coefficient.abs();
        let mut lead: Vec<Piece> = Vec::new();
        if magnitude != 1.0 || (scalars.is_empty() && elements.is_empty()) {
            lead.push(Piece::number(magnitude));
        }
        lead.extend(scalars);
        let single =
            lead.len() + elements.len() == 1 && scalar_denominators.is_empty() && element_denominators.is_empty();
        if single {
            let only = lead.into_iter().chain(elements).next().expect("one factor");
            return Piece { negative, ..only };
        }
        let mut text = String::new();
        for piece in lead {
            text = if text.is_empty() {
                piece.unsigned(Precedence::Product)
            } else {
                style.scaled(&text, &piece.unsigned(Precedence::Power))
            };
        }
        for (index, piece) in elements.iter().enumerate() {
            // Only the first factor may be an open product: a.*(b*c) is not (a.*b)*c.
            let open = index == 0;
            let inner = piece.unsigned(if open { Precedence::Product } else { Precedence::Power });
            text = match (text.is_empty(), open, scalar) {
                (true, _, _) => inner,
                (false, true, _) | (false, _, true) => style.scaled(&text, &inner),
                (false, false, false) => style.element_product(&text, &inner),
            };
        }
        if !element_denominators.is_empty() {
            let parts: Vec<String> = element_denominators.iter().map(|p| p.unsigned(Precedence::Power)).collect();
            text = style.quotient(&text, &parts, scalar);
        }
        if !scalar_denominators.is_empty() {
            let parts: Vec<String> = scalar_denominators.iter().map(|p| p.unsigned(Precedence::Power)).collect();
            text = style.quotient(&text, &parts, true);
        }
        Piece::new(negative, text, Precedence::Product)
    }
}
