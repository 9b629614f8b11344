//! Printed parts with their precedence, so that brackets stand exactly where they are needed.

use rustc_hash::FxHashMap;

use super::PrintError;
use super::style::Notation;
use crate::lang::Id;

/// How tightly a piece binds; higher binds tighter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precedence {
    /// `a + b`
    Sum,
    /// `a ⊙ b` where it is typeset: beside a matrix product it needs brackets. Text has `a.*b` at [`Precedence::Product`].
    Elementwise,
    /// `a*b`, `-a`
    Product,
    /// `a^b`
    Power,
    /// `a'`
    Postfix,
    /// A name, a number, a call.
    Atom,
}

/// What a piece is beyond its precedence, where that decides how it stands beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing special.
    Plain,
    /// A name, a number or a power of one: fits into a fraction.
    Simple,
    /// A product of matrices alone: inside another such product it needs no brackets.
    Chain,
    /// A sum over indices, which extends as far to the right as it can: as the last factor it needs no brackets.
    Trailing,
}

impl Form {
    /// The form of a power or a root of a piece of this form.
    pub(super) fn of_a_part(self) -> Form {
        if self == Form::Simple { Form::Simple } else { Form::Plain }
    }
}

/// A text without its sign.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) negative: bool,
    pub(super) text: String,
    pub(super) precedence: Precedence,
    pub(super) form: Form,
}

impl Piece {
    /// A product, a quotient or another piece of this precedence.
    pub(super) fn new(negative: bool, text: String, precedence: Precedence) -> Piece {
        Piece { negative, text, precedence, form: Form::Plain }
    }

    pub(super) fn atom(text: String) -> Piece {
        Piece::new(false, text, Precedence::Atom)
    }

    pub(super) fn simple(text: String) -> Piece {
        Piece { form: Form::Simple, ..Piece::atom(text) }
    }

    pub(super) fn postfix(text: String) -> Piece {
        Piece::new(false, text, Precedence::Postfix)
    }

    pub(super) fn number(value: f64, style: &dyn Notation) -> Piece {
        Piece { negative: value < 0.0, ..style.number(value.abs()) }
    }

    /// With its sign, as it stands alone.
    pub(super) fn whole(&self, style: &dyn Notation) -> String {
        if self.negative {
            style.sum(&[(true, self.unsigned(Precedence::Elementwise, style))])
        } else {
            self.text.clone()
        }
    }

    /// Without its sign, in brackets if it binds less tightly than `needed`.
    pub(super) fn unsigned(&self, needed: Precedence, style: &dyn Notation) -> String {
        if self.precedence < needed { style.brackets(&self.text) } else { self.text.clone() }
    }

    /// With its sign, in brackets if it binds less tightly than `needed` or has a sign.
    pub(super) fn at(&self, needed: Precedence, style: &dyn Notation) -> String {
        if self.negative { style.brackets(&self.whole(style)) } else { self.unsigned(needed, style) }
    }
}

/// The pieces of the nodes printed so far.
#[derive(Default)]
pub(super) struct Pieces {
    map: FxHashMap<Id, Result<Piece, PrintError>>,
}

impl Pieces {
    pub(super) fn insert(&mut self, id: Id, piece: Result<Piece, PrintError>) {
        self.map.insert(id, piece);
    }

    /// The piece of a node, if it could be printed.
    pub(super) fn find(&self, id: Id) -> Option<&Piece> {
        self.map.get(&id).and_then(|piece| piece.as_ref().ok())
    }

    pub(super) fn get(&self, id: Id) -> Result<&Piece, PrintError> {
        self.map.get(&id).expect("arguments are printed before the nodes that use them").as_ref().map_err(Clone::clone)
    }
}
