//! The language's own text. What is written here parses back, except elements and sums over indices, for which the
//! language has no words.

use super::{Notation, Over};
use crate::text::print::pieces::{Form, Piece, Precedence};
use crate::text::print::products::Factors;

pub(super) struct Text;

impl Notation for Text {
    /// The shortest form that reads back as itself. The language has no word for infinity, but it has quotients.
    fn number(&self, magnitude: f64) -> Piece {
        if !magnitude.is_finite() {
            let quotient = if magnitude.is_nan() { "0/0" } else { "1/0" };
            return Piece::new(false, quotient.to_owned(), Precedence::Product);
        }
        let plain = magnitude == 0.0 || (1e-5..1e16).contains(&magnitude);
        Piece::simple(if plain { format!("{magnitude}") } else { format!("{magnitude:e}") })
    }
    fn name(&self, name: &str) -> String {
        name.to_owned()
    }
    fn verbatim(&self, text: &str) -> String {
        text.to_owned()
    }
    fn size(&self, factors: &[&str]) -> Piece {
        match factors {
            [single] => Piece::simple((*single).to_owned()),
            _ => Piece::atom(format!("({})", factors.join("*"))),
        }
    }
    fn brackets(&self, inner: &str) -> String {
        format!("({inner})")
    }
    fn sum(&self, terms: &[(bool, String)]) -> String {
        let mut out = String::new();
        for (index, (negative, term)) in terms.iter().enumerate() {
            out.push_str(match (index, negative) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            });
            out.push_str(term);
        }
        out
    }
    fn call(&self, name: &str, _: Option<&str>, args: &[String]) -> String {
        format!("{name}({})", args.join(", "))
    }
    fn constant_matrix(&self, name: &str, extents: &[String]) -> Piece {
        Piece::atom(self.call(name, None, extents))
    }
    fn inverse(&self, x: &Piece) -> Piece {
        Piece::atom(self.call("inv", None, &[x.whole(self)]))
    }
    fn transposed(&self, x: &Piece) -> Piece {
        Piece::postfix(format!("{}'", x.at(Precedence::Atom, self)))
    }
    fn inverse_transposed(&self, x: &Piece) -> Piece {
        self.transposed(&self.inverse(x))
    }
    fn power(&self, base: &Piece, exponent: &Piece, scalar: bool) -> Piece {
        let operator = if scalar { "^" } else { ".^" };
        let (base, exponent) = (base.at(Precedence::Postfix, self), exponent.at(Precedence::Postfix, self));
        Piece::new(false, format!("{base}{operator}{exponent}"), Precedence::Power)
    }
    fn kronecker(&self, a: &Piece, b: &Piece) -> Piece {
        Piece::atom(self.call("kron", None, &[a.whole(self), b.whole(self)]))
    }
    fn matrix_product(&self, a: &str, b: &str) -> String {
        format!("{a}*{b}")
    }
    fn scaled(&self, a: &str, b: &str) -> String {
        format!("{a}*{b}")
    }
    fn element_product(&self, a: &str, b: &str) -> String {
        format!("{a}.*{b}")
    }
    fn fraction(&self, above: &str, below: &str) -> String {
        format!("({above})/({below})")
    }

    /// On one line: `2*s*A.*B./C/N`.
    fn product(&self, factors: Factors, scalar: bool) -> Piece {
        let negative = factors.is_negative();
        let lead = factors.lead(self);
        let Factors { elements, element_denominators, scalar_denominators, .. } = factors;
        if lead.len() + elements.len() == 1 && scalar_denominators.is_empty() && element_denominators.is_empty() {
            let only = lead.into_iter().chain(elements).next().expect("one factor");
            return Piece { negative, ..only };
        }
        let mut text = String::new();
        for piece in lead {
            text = if text.is_empty() {
                piece.unsigned(Precedence::Product, self)
            } else {
                self.scaled(&text, &piece.unsigned(Precedence::Power, self))
            };
        }
        let undivided = scalar_denominators.is_empty() && element_denominators.is_empty();
        for (index, piece) in elements.iter().enumerate() {
            let last = undivided && index + 1 == elements.len();
            // Only the first factor may be an open product, a.*(b*c) is not (a.*b)*c; a sum over indices only the last.
            let open = match piece.form {
                Form::Trailing => last,
                _ => index == 0,
            };
            let inner = piece.unsigned(if open { Precedence::Product } else { Precedence::Power }, self);
            text = match (text.is_empty(), index == 0 || scalar) {
                (true, _) => inner,
                (false, true) => self.scaled(&text, &inner),
                (false, false) => self.element_product(&text, &inner),
            };
        }
        let operator = if scalar { "/" } else { "./" };
        for (operator, below) in [(operator, element_denominators), ("/", scalar_denominators)] {
            for piece in below {
                text = format!("{text}{operator}{}", piece.unsigned(Precedence::Power, self));
            }
        }
        Piece::new(negative, text, Precedence::Product)
    }

    fn differential_of_name(&self, name: &str) -> String {
        format!("d{name}")
    }
    fn differential_of(&self, inner: &str) -> String {
        format!("d({inner})")
    }
    fn partial(&self, of: &str, by: &str) -> String {
        format!("d{of}/d{by}")
    }
    fn element(&self, symbol: &Piece, indices: &[String]) -> String {
        format!("{}[{}]", symbol.at(Precedence::Atom, self), indices.join(",").replace(' ', ""))
    }
    fn over(&self, operator: Over, indices: &[String], body: &str) -> String {
        let word = match operator {
            Over::Sum => "sum",
            Over::Max => "max",
            Over::ArgMax => "argmax",
        };
        match indices {
            [single] => format!("{word}_{single} {body}"),
            _ => format!("{word}_{{{}}} {body}", indices.join(",")),
        }
    }
    fn delta(&self, left: &[String], right: &str) -> String {
        match left {
            [single] => format!("[{single}={right}]"),
            _ => format!("[({})={right}]", left.join(",")),
        }
    }
    fn equation(&self, left: &str, right: &str) -> String {
        format!("{left} = {right}")
    }
}
