//! The ways of writing: text of the language, LaTeX, MathML; one file each, with everything that it writes.

mod latex;
mod mathml;
mod names;
mod text;
mod typeset;

pub(crate) use mathml::escape;
pub use mathml::math_element;

use super::pieces::Piece;
use super::products::Factors;

/// How expressions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The language's own text, which parses back.
    Text,
    /// LaTeX mathematics.
    Latex,
    /// MathML, presentation elements of MathML Core: what browsers draw without scripts. [`math_element`] makes it a
    /// formula of a page.
    MathMl,
}

impl Style {
    pub(super) fn notation(self) -> &'static dyn Notation {
        match self {
            Style::Text => &text::Text,
            Style::Latex => &latex::Latex,
            Style::MathMl => &mathml::MathMl,
        }
    }

    /// How long a printed expression may be: markup costs more letters for the same formula.
    pub(super) fn limit(self) -> usize {
        match self {
            Style::Text | Style::Latex => super::MAX_LENGTH,
            Style::MathMl => 8 * super::MAX_LENGTH,
        }
    }

    /// A name as this style writes it: `Y_pred` is `Y_{\mathrm{pred}}` in LaTeX.
    #[must_use]
    pub fn name(self, name: &str) -> String {
        self.notation().name(name)
    }

    /// The differential of a printed name.
    #[must_use]
    pub fn differential(self, name: &str) -> String {
        self.notation().differential_of_name(name)
    }

    /// Text that is no formula of the language, as it is.
    #[must_use]
    pub fn verbatim(self, text: &str) -> String {
        self.notation().verbatim(text)
    }

    /// An equation of two printed sides.
    #[must_use]
    pub fn equation(self, left: &str, right: &str) -> String {
        self.notation().equation(left, right)
    }

    /// The partial derivative of one printed name by another, as it stands on the left of a gradient.
    #[must_use]
    pub fn partial(self, of: &str, by: &str) -> String {
        self.notation().partial(of, by)
    }
}

/// What runs over indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Sum,
    Max,
    ArgMax,
}

/// Everything that is written. No default bodies: a way of writing that misses something does not compile.
/// Arguments of type `&str` are printed already, with brackets where they need them.
pub(super) trait Notation {
    /// A number that is not negative.
    fn number(&self, magnitude: f64) -> Piece;
    /// A name of the program.
    fn name(&self, name: &str) -> String;
    /// Text of the language inside of this one.
    fn verbatim(&self, text: &str) -> String;
    /// An extent, the product of these names and numbers.
    fn size(&self, factors: &[&str]) -> Piece;
    /// `(x)`
    fn brackets(&self, inner: &str) -> String;
    /// Terms with `true` for those that are subtracted.
    fn sum(&self, terms: &[(bool, String)]) -> String;
    /// `name(arguments)`; `tex` is the command of functions that have one.
    fn call(&self, name: &str, tex: Option<&str>, args: &[String]) -> String;
    /// `eye(n)`, `ones(m, n)` and other matrices that extents make; the extents are printed.
    fn constant_matrix(&self, name: &str, extents: &[String]) -> Piece;
    /// The inverse of a matrix.
    fn inverse(&self, x: &Piece) -> Piece;
    /// The transpose of a matrix.
    fn transposed(&self, x: &Piece) -> Piece;
    /// The transpose of the inverse of `x`.
    fn inverse_transposed(&self, x: &Piece) -> Piece;
    /// A power, element by element unless it is `scalar`.
    fn power(&self, base: &Piece, exponent: &Piece, scalar: bool) -> Piece;
    /// The Kronecker product.
    fn kronecker(&self, a: &Piece, b: &Piece) -> Piece;
    /// A product of matrices.
    fn matrix_product(&self, a: &str, b: &str) -> String;
    /// A number times something.
    fn scaled(&self, a: &str, b: &str) -> String;
    /// An element-wise product.
    fn element_product(&self, a: &str, b: &str) -> String;
    /// A numerator over a denominator, neither in brackets.
    fn fraction(&self, above: &str, below: &str) -> String;
    /// An element-wise product with its coefficient and its denominators.
    fn product(&self, factors: Factors, scalar: bool) -> Piece;
    /// The differential of a name.
    fn differential_of_name(&self, name: &str) -> String;
    /// The differential of an expression.
    fn differential_of(&self, inner: &str) -> String;
    /// The partial derivative of one name by another.
    fn partial(&self, of: &str, by: &str) -> String;
    /// An element of a matrix.
    fn element(&self, symbol: &Piece, indices: &[String]) -> String;
    /// A sum, a maximum, or where the maximum is, over indices.
    fn over(&self, operator: Over, indices: &[String], body: &str) -> String;
    /// 1 where two lists of indices are equal.
    fn delta(&self, left: &[String], right: &str) -> String;
    /// `left = right`
    fn equation(&self, left: &str, right: &str) -> String;
}
