//! Element-wise products and powers as people write them: coefficient, scalars, factors, quotients.

use super::pieces::Piece;
use super::style::Notation;
use super::{PrintError, Printer};
use crate::lang::shape::Axes;
use crate::lang::{Id, Op};

/// The factors of a product, sorted by how they are written. The pieces have no sign.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    /// All numbers and signs.
    pub(super) coefficient: f64,
    /// 1 x 1 factors of a larger product: written with `*` and `/`.
    pub(super) scalars: Vec<Piece>,
    pub(super) scalar_denominators: Vec<Piece>,
    /// Factors of full shape, or rows and columns that are stretched by the others.
    pub(super) elements: Vec<Piece>,
    pub(super) element_denominators: Vec<Piece>,
}

impl Default for Factors {
    fn default() -> Factors {
        Factors {
            coefficient: 1.0,
            scalars: Vec::new(),
            scalar_denominators: Vec::new(),
            elements: Vec::new(),
            element_denominators: Vec::new(),
        }
    }
}

impl Factors {
    pub(super) fn is_negative(&self) -> bool {
        self.coefficient < 0.0
    }

    /// A coefficient that people write as a fraction, such as 0.5 or 1/3, is taken apart: `(1, 2)`, `(1, 3)`. Tenths stay.
    pub(super) fn split_coefficient(&mut self) -> Option<f64> {
        let magnitude = self.coefficient.abs();
        let below = [2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0]
            .into_iter()
            .find(|below| (1..*below as u32).any(|above| f64::from(above) / below == magnitude))?;
        self.coefficient = (self.coefficient * below).round();
        Some(below)
    }

    /// What stands in front: the coefficient unless it goes without saying, then the scalars.
    pub(super) fn lead(&self, style: &dyn Notation) -> Vec<Piece> {
        let magnitude = self.coefficient.abs();
        // A quotient of nothing needs its 1 on a line; fractions have their own.
        let alone = self.scalars.is_empty() && self.elements.is_empty();
        let number = (magnitude != 1.0 || alone).then(|| style.number(magnitude));
        number.into_iter().chain(self.scalars.iter().cloned()).collect()
    }

    /// Takes one more factor; a sign goes to the coefficient.
    pub(super) fn push(&mut self, piece: Piece, is_scalar: bool, below: bool) {
        if piece.negative {
            self.coefficient = -self.coefficient;
        }
        let list = match (is_scalar, below) {
            (true, false) => &mut self.scalars,
            (true, true) => &mut self.scalar_denominators,
            (false, false) => &mut self.elements,
            (false, true) => &mut self.element_denominators,
        };
        list.push(Piece { negative: false, ..piece });
    }
}

impl Printer<'_> {
    /// A product or a power.
    pub(super) fn product(&self, id: Id) -> Result<Piece, PrintError> {
        let scalar = self.graph.shape(id).is_scalar();
        let mut factors = Factors::default();
        let list = match self.graph.op(id) {
            Op::Mul(_) => self.implied(id),
            _ => vec![id],
        };
        for factor in list {
            self.sort_factor(id, factor, &mut factors)?;
        }
        Ok(self.style.product(factors, scalar))
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
        factors.push(piece, is_scalar, below);
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
                return Ok(Piece::atom(self.style.call("norm2", None, &[self.whole(vector)?])));
            }
            let root = self.style.call("sqrt", Some(r"\sqrt"), &[self.whole(base)?]);
            return Ok(Piece { form: piece.form.of_a_part(), ..Piece::atom(root) });
        }
        Ok(self.style.power(piece, &Piece::number(p, self.style), scalar))
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
}
