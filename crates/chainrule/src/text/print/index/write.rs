//! From the tree of a formula to its text in a style, innermost parts first.

use super::IndexForm;
use super::expand::{Expansion, Place, Symbol, Term};
use super::letters::Letters;
use super::places::Index;
use crate::lang::Dim;
use crate::text::print::pieces::{Form, Piece, Precedence};
use crate::text::print::products::Factors;
use crate::text::print::style::{Notation, Over};
use crate::text::print::{NameOf, PrintError, Style, extent, pieces, sum_of};

/// Writes the formula.
pub(super) fn write(
    expansion: &Expansion,
    letters: &Letters,
    style: Style,
    name_of: NameOf,
) -> Result<IndexForm, PrintError> {
    let count = expansion.terms.len();
    let mut writer = Writer { expansion, letters, style, notation: style.notation(), name_of, done: Vec::new() };
    writer.done.resize_with(count, Factors::default);
    for at in (0..count).rev() {
        let factors = writer.term(&expansion.terms[at])?;
        let length = factors.elements.iter().chain(&factors.element_denominators).map(|piece| piece.text.len());
        if length.sum::<usize>() > style.limit() {
            return Err(PrintError::TooLong);
        }
        writer.done[at] = factors;
    }
    let text = writer.piece(0).whole(writer.notation);
    let left = expansion.free.iter().filter(|index| **index != Index::One).map(|index| writer.index(index)).collect();
    Ok(IndexForm { style, left, text, ranges: letters.ranges.clone() })
}

struct Writer<'a> {
    expansion: &'a Expansion<'a>,
    letters: &'a Letters,
    style: Style,
    notation: &'static dyn Notation,
    name_of: NameOf<'a>,
    /// The terms that are written, each as the factors of a product.
    done: Vec<Factors>,
}

fn single(piece: Piece) -> Factors {
    let mut factors = Factors::default();
    factors.push(piece, false, false);
    factors
}

impl Writer<'_> {
    fn piece(&self, term: usize) -> Piece {
        self.product(self.done[term].clone())
    }

    /// The product; sums reach to its end, so they come last.
    fn product(&self, mut factors: Factors) -> Piece {
        factors.elements = self.powers(factors.elements);
        factors.elements.sort_by_key(|piece| piece.form == Form::Trailing);
        self.notation.product(factors, true)
    }

    /// Equal factors as a power.
    fn powers(&self, factors: Vec<Piece>) -> Vec<Piece> {
        let mut counted: Vec<(Piece, u32)> = Vec::with_capacity(factors.len());
        for piece in factors {
            match counted.iter_mut().find(|(known, _)| known.text == piece.text) {
                Some((_, count)) => *count += 1,
                None => counted.push((piece, 1)),
            }
        }
        let style = self.notation;
        let power = |(piece, count): (Piece, u32)| match count {
            1 => piece,
            _ => style.power(&piece, &style.number(f64::from(count)), true),
        };
        counted.into_iter().map(power).collect()
    }

    fn whole(&self, term: usize) -> String {
        self.piece(term).whole(self.notation)
    }

    fn term(&self, term: &Term) -> Result<Factors, PrintError> {
        let style = self.notation;
        Ok(match term {
            Term::Empty => Factors::default(),
            Term::Number(value) => Factors { coefficient: *value, ..Factors::default() },
            Term::Size(dim) => single(extent(self.expansion.graph, *dim, style)),
            Term::Element(symbol, indices) => single(self.element(symbol, indices)?),
            Term::Sum(list) => single(sum_of(list.iter().map(|&part| self.piece(part)).collect(), style)),
            Term::Product(list) => self.factors(list),
            Term::Power(base, exponent) => self.power(*base, *exponent),
            Term::Raised(base, exponent) => single(style.power(&self.piece(*base), &self.piece(*exponent), true)),
            Term::Call(name, tex, list) => {
                let args: Vec<String> = list.iter().map(|&part| self.whole(part)).collect();
                single(Piece::atom(style.call(name, *tex, &args)))
            }
            Term::Over(operator, letters, body) => self.over(*operator, letters, *body),
            Term::Delta(left, right) => {
                let left: Vec<String> = left.iter().map(|index| self.index(index)).collect();
                let right = match right {
                    Place::At(index) => self.index(index),
                    Place::Of(part) => self.whole(*part),
                };
                single(Piece::atom(style.delta(&left, &right)))
            }
        })
    }

    fn factors(&self, list: &[usize]) -> Factors {
        let mut product = Factors::default();
        for &part in list {
            let factors = self.done[part].clone();
            product.coefficient *= factors.coefficient;
            product.elements.extend(factors.elements);
            product.element_denominators.extend(factors.element_denominators);
        }
        product
    }

    fn power(&self, base: usize, exponent: f64) -> Factors {
        let style = self.notation;
        let piece = self.piece(base);
        let piece = match exponent.abs() {
            1.0 if piece.negative => Piece::atom(style.brackets(&piece.whole(style))),
            1.0 => piece,
            0.5 => Piece::atom(style.call("sqrt", Some(r"\sqrt"), &[piece.whole(style)])),
            p => style.power(&piece, &Piece::number(p, style), true),
        };
        let mut factors = Factors::default();
        factors.push(piece, false, exponent < 0.0);
        factors
    }

    fn over(&self, operator: Over, letters: &[usize], body: usize) -> Factors {
        let style = self.notation;
        let mut inner = self.done[body].clone();
        // Numbers stand in front of a sum.
        let coefficient = match operator {
            Over::Sum => std::mem::replace(&mut inner.coefficient, 1.0),
            Over::Max | Over::ArgMax => 1.0,
        };
        let body = self.product(inner).at(Precedence::Product, style);
        let letters: Vec<String> = letters.iter().flat_map(|&letter| self.names(&Index::Letter(letter))).collect();
        let piece = Piece::new(false, style.over(operator, &letters, &body), Precedence::Product);
        Factors { coefficient, ..single(Piece { form: Form::Trailing, ..piece }) }
    }

    fn element(&self, symbol: &Symbol, indices: &[Index]) -> Result<Piece, PrintError> {
        let symbol = match symbol {
            Symbol::Name(name) => Piece::simple(self.notation.name(name)),
            Symbol::Node(id) => pieces(self.expansion.graph, *id, self.style, self.name_of).get(*id)?.clone(),
        };
        if indices.is_empty() {
            return Ok(symbol);
        }
        let indices: Vec<String> = indices.iter().map(|index| self.index(index)).collect();
        Ok(Piece::simple(self.notation.element(&symbol, &indices)))
    }

    fn index(&self, index: &Index) -> String {
        self.place(&self.expansion.resolved(index)).whole(self.notation)
    }

    fn place(&self, index: &Index) -> Piece {
        let style = self.notation;
        let one = || Piece { negative: true, ..style.number(1.0) };
        let size = |dim| extent(self.expansion.graph, dim, style);
        let times = |a: Piece, dim: Dim| match dim {
            Dim::Known(n) => self.product(Factors { coefficient: f64::from(n), ..single(a) }),
            Dim::Symbol(_) => self.product(Factors { elements: vec![a, size(dim)], ..Factors::default() }),
        };
        match index {
            Index::One => style.number(1.0),
            Index::Letter(letter) => Piece::simple(style.name(&self.letters.names[*letter])),
            Index::Mixed(row, dim, column) => {
                let before = sum_of(vec![self.place(row), one()], style);
                sum_of(vec![times(before, *dim), self.place(column)], style)
            }
            Index::Quotient(place, dim) => {
                let before = sum_of(vec![self.place(place), one()], style);
                let quotient =
                    Factors { elements: vec![before], element_denominators: vec![size(*dim)], ..Factors::default() };
                let floor = style.call("floor", None, &[self.product(quotient).text]);
                sum_of(vec![Piece::atom(floor), Piece { negative: false, ..one() }], style)
            }
            Index::Remainder(place, dim) => {
                let before = sum_of(vec![self.place(place), one()], style);
                let rest = style.call("mod", None, &[before.text, size(*dim).text]);
                sum_of(vec![Piece::atom(rest), Piece { negative: false, ..one() }], style)
            }
        }
    }

    /// The letters of an index, in order.
    fn names(&self, index: &Index) -> Vec<String> {
        match self.expansion.resolved(index) {
            Index::Letter(letter) => vec![self.notation.name(&self.letters.names[letter])],
            Index::Mixed(a, _, b) => [self.names(&a), self.names(&b)].concat(),
            Index::Quotient(x, _) | Index::Remainder(x, _) => self.names(&x),
            Index::One => Vec::new(),
        }
    }
}
