//! Expressions index by index: `G[d,k] = sum_n X[n,d]*D[n,k]`. Every operation has an element, so tensors that matrix
//! notation cannot write are written here.
//!
//! Indices count from 1. Axes of extent 1 have none: an element of a row is `b[j]`, a number has no indices. A sum
//! reaches as far to the right as a product does.

mod expand;
mod letters;
mod merge;
mod places;
mod write;

use super::{NameOf, PrintError, Style};
use crate::lang::{Dim, Graph, Id};
use expand::Expansion;

/// An element of a node, written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexForm {
    style: Style,
    /// The indices of the element, printed; none for a number.
    pub left: Vec<String>,
    /// Its formula, printed.
    pub text: String,
    /// The letters in the formula and how far each runs, in order of appearance.
    pub ranges: Vec<(String, Dim)>,
}

impl IndexForm {
    /// The element on the left, of a matrix with this printed symbol.
    #[must_use]
    pub fn element(&self, symbol: &str) -> String {
        match self.left.as_slice() {
            [] => symbol.to_owned(),
            left => self.style.notation().element(&super::Piece::simple(symbol.to_owned()), left),
        }
    }

    /// The whole equation, of a matrix with this printed symbol.
    #[must_use]
    pub fn equation(&self, symbol: &str) -> String {
        self.style.equation(&self.element(symbol), &self.text)
    }
}

/// The node, element by element. Nodes below it that `name_of` gives a name are written by it, as `H[n,k]`.
///
/// # Errors
/// The formula would be too long: what is used twice is written twice. See [`PrintError`].
pub fn index_form(graph: &Graph, id: Id, style: Style, name_of: NameOf) -> Result<IndexForm, PrintError> {
    let mut expansion = Expansion::of(graph, id, name_of)?;
    merge::merge(&mut expansion);
    let letters = letters::choose(&expansion);
    write::write(&expansion, &letters, style, name_of)
}
