//! LaTeX mathematics: commands of `amsmath` and `amssymb`, brackets that grow.

use super::names::{Name, Part};
use super::{Notation, Over, typeset};
use crate::text::print::pieces::{Piece, Precedence};
use crate::text::print::products::Factors;

pub(super) struct Latex;

impl Notation for Latex {
    fn number(&self, magnitude: f64) -> Piece {
        if !magnitude.is_finite() {
            let sign = if magnitude.is_nan() { r"\mathrm{NaN}" } else { r"\infty" };
            return Piece::simple(sign.to_owned());
        }
        if magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
            return Piece::simple(format!("{magnitude}"));
        }
        let scientific = format!("{magnitude:e}");
        let (mantissa, exponent) = scientific.split_once('e').expect("the format has an exponent");
        let power = format!("10^{{{exponent}}}");
        let (text, precedence) = match mantissa {
            "1" => (power, Precedence::Power),
            _ => (format!(r"{mantissa} \cdot {power}"), Precedence::Product),
        };
        Piece { precedence, ..Piece::simple(text) }
    }
    fn name(&self, name: &str) -> String {
        let Name { base, below } = Name::of(name);
        let base = part(base, "mathit");
        if below.is_empty() {
            return base;
        }
        let below: Vec<String> = below.into_iter().map(|p| part(p, "mathrm")).collect();
        format!("{base}_{{{}}}", below.join(","))
    }
    fn verbatim(&self, text: &str) -> String {
        if text == "..." { r"\ldots".to_owned() } else { format!(r"\mathtt{{{}}}", escape(text)) }
    }
    fn size(&self, factors: &[&str]) -> Piece {
        let names: Vec<String> = factors.iter().map(|factor| self.name(factor)).collect();
        let text = names.into_iter().reduce(|a, b| self.scaled(&a, &b)).unwrap_or_default();
        let precedence = if factors.len() == 1 { Precedence::Atom } else { Precedence::Product };
        Piece { precedence, ..Piece::simple(text) }
    }
    fn brackets(&self, inner: &str) -> String {
        format!(r"\left({inner}\right)")
    }
    fn sum(&self, terms: &[(bool, String)]) -> String {
        super::text::Text.sum(terms)
    }
    fn call(&self, name: &str, tex: Option<&str>, args: &[String]) -> String {
        let list = args.join(", ");
        match (tex, name) {
            (_, "sqrt") => format!(r"\sqrt{{{list}}}"),
            (_, "norm2") => format!(r"\left\lVert {list} \right\rVert"),
            (_, "abs") => format!(r"\left\lvert {list} \right\rvert"),
            (_, "floor") => format!(r"\left\lfloor {list} \right\rfloor"),
            (Some(tex), _) => format!(r"{tex}\left({list}\right)"),
            (None, "max") => format!(r"\max\left({list}\right)"),
            (None, _) => format!(r"\operatorname{{{}}}\left({list}\right)", escape(name)),
        }
    }
    fn constant_matrix(&self, name: &str, extents: &[String]) -> Piece {
        let symbol = match name {
            "eye" => "I",
            "ones" => r"\mathbf{1}",
            "zeros" => r"\mathbf{0}",
            "commutation" => "K",
            other => return Piece::atom(self.call(other, None, extents)),
        };
        Piece::atom(format!("{symbol}_{{{}}}", extents.join(r" \times ")))
    }
    fn inverse(&self, x: &Piece) -> Piece {
        Piece::postfix(format!("{}^{{-1}}", x.at(Precedence::Atom, self)))
    }
    fn transposed(&self, x: &Piece) -> Piece {
        Piece::postfix(format!(r"{}^{{\top}}", x.at(Precedence::Atom, self)))
    }
    fn inverse_transposed(&self, x: &Piece) -> Piece {
        Piece::postfix(format!(r"{}^{{-\top}}", x.at(Precedence::Atom, self)))
    }
    fn power(&self, base: &Piece, exponent: &Piece, scalar: bool) -> Piece {
        let (below, above) = (base.at(Precedence::Atom, self), exponent.whole(self));
        let text = if scalar { format!("{below}^{{{above}}}") } else { format!(r"{below}^{{\circ {above}}}") };
        Piece { form: base.form.of_a_part(), ..Piece::new(false, text, Precedence::Power) }
    }
    fn kronecker(&self, a: &Piece, b: &Piece) -> Piece {
        let (a, b) = (a.at(Precedence::Power, self), b.at(Precedence::Power, self));
        Piece::new(false, format!(r"{a} \otimes {b}"), Precedence::Elementwise)
    }
    fn matrix_product(&self, a: &str, b: &str) -> String {
        self.scaled(a, b)
    }

    /// Side by side; words and differentials get some space, numbers a point.
    fn scaled(&self, a: &str, b: &str) -> String {
        let spaced = |text: &str| [r"\mathit{", r"\mathrm{d}"].iter().any(|word| text.contains(word));
        // What is in brackets needs no more space.
        let (end, start) = (a.rsplit(r"\right").next().unwrap_or(a), b.split(r"\left").next().unwrap_or(b));
        if b.starts_with(|c: char| c.is_ascii_digit()) {
            format!(r"{a} \cdot {b}")
        } else if spaced(end) || spaced(start) {
            format!(r"{a} \, {b}")
        } else {
            format!("{a} {b}")
        }
    }
    fn element_product(&self, a: &str, b: &str) -> String {
        format!(r"{a} \odot {b}")
    }
    fn fraction(&self, above: &str, below: &str) -> String {
        format!(r"\frac{{{above}}}{{{below}}}")
    }
    fn product(&self, factors: Factors, scalar: bool) -> Piece {
        typeset::product(self, factors, scalar)
    }
    fn differential_of_name(&self, name: &str) -> String {
        format!(r"\mathrm{{d}}{name}")
    }
    fn differential_of(&self, inner: &str) -> String {
        format!(r"\mathrm{{d}}\left({inner}\right)")
    }
    fn partial(&self, of: &str, by: &str) -> String {
        format!(r"\frac{{\partial {of}}}{{\partial {by}}}")
    }
    fn element(&self, symbol: &Piece, indices: &[String]) -> String {
        let plain = symbol.precedence == Precedence::Atom && !symbol.negative && !symbol.text.contains(['_', '^', '(']);
        let symbol = if plain { symbol.text.clone() } else { format!(r"\left[{}\right]", symbol.whole(self)) };
        format!("{symbol}_{{{}}}", beside(indices))
    }
    fn over(&self, operator: Over, indices: &[String], body: &str) -> String {
        let word = match operator {
            Over::Sum => r"\sum",
            Over::Max => r"\max",
            Over::ArgMax => r"\operatorname*{arg\,max}",
        };
        format!("{word}_{{{}}} {body}", indices.join(","))
    }
    fn delta(&self, left: &[String], right: &str) -> String {
        match left {
            [single] => format!(r"\left[{single} = {right}\right]"),
            _ => format!(r"\left[\left({}\right) = {right}\right]", left.join(", ")),
        }
    }
    fn equation(&self, left: &str, right: &str) -> String {
        format!("{left} = {right}")
    }
}

/// Letters stand side by side, anything longer is a list.
fn beside(indices: &[String]) -> String {
    let letters = indices.iter().all(|index| index.chars().count() == 1);
    indices.join(if letters { "" } else { ", " })
}

fn part(part: Part, font: &str) -> String {
    match part {
        Part::Letter(text) | Part::Digits(text) => escape(text),
        Part::Greek(_, command) => command.to_owned(),
        Part::Word(text) => format!(r"\{font}{{{}}}", escape(text)),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '^' => out.push_str(r"\hat{}"),
            '\\' => out.push_str(r"\backslash{}"),
            _ => out.push(c),
        }
    }
    out
}
