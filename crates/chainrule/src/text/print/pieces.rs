//! Printed parts with their precedence, so that brackets stand exactly where they are needed.

use rustc_hash::FxHashMap;

use super::PrintError;
use crate::lang::Id;

/// How tightly a piece binds; higher binds tighter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Precedence {
    /// `a + b`
    Sum,
    /// `a*b`, `-a`
    Product,
    /// `a^b`
    Power,
    /// `a'`
    Postfix,
    /// A name, a number, a call.
    Atom,
}

/// A text without its sign.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) negative: bool,
    pub(super) text: String,
    pub(super) precedence: Precedence,
    /// A product of matrices alone: inside another such product it needs no brackets.
    pub(super) chain: bool,
}

impl Piece {
    /// A product, a quotient or another piece of this precedence.
    pub(super) fn new(negative: bool, text: String, precedence: Precedence) -> Piece {
        Piece { negative, text, precedence, chain: false }
    }

    pub(super) fn atom(text: String) -> Piece {
        Piece::new(false, text, Precedence::Atom)
    }

    pub(super) fn postfix(text: String) -> Piece {
        Piece::new(false, text, Precedence::Postfix)
    }

    pub(super) fn number(value: f64) -> Piece {
        Piece::new(value < 0.0, number(value.abs()), Precedence::Atom)
    }

    /// With its sign, as it stands alone.
    pub(super) fn whole(&self) -> String {
        if self.negative { format!("-{}", self.unsigned(Precedence::Product)) } else { self.text.clone() }
    }

    /// Without its sign, in brackets if it binds less tightly than `needed`.
    pub(super) fn unsigned(&self, needed: Precedence) -> String {
        if self.precedence < needed { format!("({})", self.text) } else { self.text.clone() }
    }

    /// With its sign, in brackets if it binds less tightly than `needed` or has a sign.
    pub(super) fn at(&self, needed: Precedence) -> String {
        if self.negative { format!("({})", self.whole()) } else { self.unsigned(needed) }
    }
}

/// A number, shortest form that reads back as itself.
pub(in crate::text) fn number(value: f64) -> String {
    if value != 0.0 && value.is_finite() && !(1e-5..1e16).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        format!("{value}")
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

    pub(super) fn get(&self, id: Id) -> Result<&Piece, PrintError> {
        self.map.get(&id).expect("arguments are printed before the nodes that use them").as_ref().map_err(Clone::clone)
    }
}
