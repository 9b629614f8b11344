//! MathML: the presentation elements of MathML Core, which browsers draw without scripts. Every piece is a sequence of
//! elements; [`single`] makes one element of it where MathML counts children.

use std::fmt::Write as _;

use super::names::{Name, Part, greek_letter};
use super::{Notation, Over, typeset};
use crate::text::print::pieces::{Piece, Precedence};
use crate::text::print::products::Factors;

pub(super) struct MathMl;

/// A formula of a page: printed MathML in its `math` element, on a line of its own, with its text for those who
/// cannot see it.
#[must_use]
pub fn math_element(printed: &str, text: &str) -> String {
    let alternative = escape(text);
    format!(
        "<math xmlns=\"http://www.w3.org/1998/Math/MathML\" display=\"block\" alttext=\"{alternative}\">{printed}</math>"
    )
}

/// Application of a function, invisible.
const APPLY: &str = "<mo>&#x2061;</mo>";
/// A product, invisible.
const TIMES: &str = "<mo>&#x2062;</mo>";
/// A product beside a word or a differential.
const SPACED_TIMES: &str = "<mspace width=\"0.17em\"/>";
/// What brackets have and nothing else.
const FENCE: &str = "fence=\"true\"";
const UPRIGHT_D: &str = "<mi mathvariant=\"normal\">d</mi>";
const TOP: &str = "<mi mathvariant=\"normal\">⊤</mi>";

impl Notation for MathMl {
    fn number(&self, magnitude: f64) -> Piece {
        if !magnitude.is_finite() {
            let sign = if magnitude.is_nan() { "<mtext>NaN</mtext>" } else { "<mi mathvariant=\"normal\">∞</mi>" };
            return Piece::simple(sign.to_owned());
        }
        if magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
            return Piece::simple(format!("<mn>{magnitude}</mn>"));
        }
        let scientific = format!("{magnitude:e}");
        let (mantissa, exponent) = scientific.split_once('e').expect("the format has an exponent");
        let exponent = match exponent.strip_prefix('-') {
            Some(digits) => format!("<mrow><mo form=\"prefix\">−</mo><mn>{digits}</mn></mrow>"),
            None => format!("<mn>{exponent}</mn>"),
        };
        let power = format!("<msup><mn>10</mn>{exponent}</msup>");
        let (text, precedence) = match mantissa {
            "1" => (power, Precedence::Power),
            _ => (format!("<mn>{mantissa}</mn><mo>·</mo>{power}"), Precedence::Product),
        };
        Piece { precedence, ..Piece::simple(text) }
    }
    fn name(&self, name: &str) -> String {
        let Name { base, below } = Name::of(name);
        let base = part(base);
        match below.as_slice() {
            [] => base,
            [one] => format!("<msub>{base}{}</msub>", part(*one)),
            _ => {
                let below: Vec<String> = below.into_iter().map(part).collect();
                format!("<msub>{base}<mrow>{}</mrow></msub>", below.join("<mo>,</mo>"))
            }
        }
    }
    fn verbatim(&self, text: &str) -> String {
        if text == "..." { "<mi>…</mi>".to_owned() } else { format!("<mtext>{}</mtext>", escape(text)) }
    }
    fn size(&self, factors: &[&str]) -> Piece {
        let names: Vec<String> = factors.iter().map(|factor| self.name(factor)).collect();
        let text = names.into_iter().reduce(|a, b| self.scaled(&a, &b)).unwrap_or_default();
        let precedence = if factors.len() == 1 { Precedence::Atom } else { Precedence::Product };
        Piece { precedence, ..Piece::simple(text) }
    }
    fn brackets(&self, inner: &str) -> String {
        fenced("(", inner, ")")
    }
    fn sum(&self, terms: &[(bool, String)]) -> String {
        let mut out = String::new();
        for (index, (negative, term)) in terms.iter().enumerate() {
            out.push_str(match (index, negative) {
                (0, false) => "",
                (0, true) => "<mo form=\"prefix\">−</mo>",
                (_, false) => "<mo>+</mo>",
                (_, true) => "<mo>−</mo>",
            });
            out.push_str(term);
        }
        out
    }
    fn call(&self, name: &str, tex: Option<&str>, args: &[String]) -> String {
        let list = args.join("<mo>,</mo>");
        match name {
            "sqrt" => format!("<msqrt>{list}</msqrt>"),
            "norm2" => fenced("‖", &list, "‖"),
            "abs" => fenced("|", &list, "|"),
            "floor" => fenced("⌊", &list, "⌋"),
            _ => format!("{}{APPLY}{}", function_name(name, tex), fenced("(", &list, ")")),
        }
    }
    fn constant_matrix(&self, name: &str, extents: &[String]) -> Piece {
        let symbol = match name {
            "eye" => "<mi>I</mi>",
            "ones" => "<mn style=\"font-weight:bold\">1</mn>",
            "zeros" => "<mn style=\"font-weight:bold\">0</mn>",
            "commutation" => "<mi>K</mi>",
            other => return Piece::atom(self.call(other, None, extents)),
        };
        Piece::atom(format!("<msub>{symbol}{}</msub>", single(&extents.join("<mo>×</mo>"))))
    }
    fn inverse(&self, x: &Piece) -> Piece {
        raised(&x.at(Precedence::Atom, self), "<mrow><mo form=\"prefix\">−</mo><mn>1</mn></mrow>")
    }
    fn transposed(&self, x: &Piece) -> Piece {
        raised(&x.at(Precedence::Atom, self), TOP)
    }
    fn inverse_transposed(&self, x: &Piece) -> Piece {
        raised(&x.at(Precedence::Atom, self), &format!("<mrow><mo form=\"prefix\">−</mo>{TOP}</mrow>"))
    }
    fn power(&self, base: &Piece, exponent: &Piece, scalar: bool) -> Piece {
        let above = exponent.whole(self);
        let above = if scalar { single(&above) } else { format!("<mrow><mo>∘</mo>{above}</mrow>") };
        Piece {
            precedence: Precedence::Power,
            form: base.form.of_a_part(),
            ..raised(&base.at(Precedence::Atom, self), &above)
        }
    }
    fn kronecker(&self, a: &Piece, b: &Piece) -> Piece {
        let (a, b) = (a.at(Precedence::Power, self), b.at(Precedence::Power, self));
        Piece::new(false, format!("{a}<mo>⊗</mo>{b}"), Precedence::Elementwise)
    }
    fn matrix_product(&self, a: &str, b: &str) -> String {
        self.scaled(a, b)
    }

    /// Side by side; words and differentials get some space, numbers a point.
    fn scaled(&self, a: &str, b: &str) -> String {
        let digit = |c: char| c.is_ascii_digit();
        let starts_with_number = b.split('>').find(|part| !part.starts_with('<')).is_some_and(|p| p.starts_with(digit));
        let sign = if starts_with_number && !b.starts_with("<mfrac>") && !b.starts_with("<msub") {
            "<mo>·</mo>"
        } else if is_wide(a.rsplit(FENCE).next().unwrap_or(a)) || is_wide(b.split(FENCE).next().unwrap_or(b)) {
            SPACED_TIMES
        } else {
            TIMES
        };
        format!("{a}{sign}{b}")
    }
    fn element_product(&self, a: &str, b: &str) -> String {
        format!("{a}<mo>⊙</mo>{b}")
    }
    fn fraction(&self, above: &str, below: &str) -> String {
        format!("<mfrac>{}{}</mfrac>", single(above), single(below))
    }
    fn product(&self, factors: Factors, scalar: bool) -> Piece {
        typeset::product(self, factors, scalar)
    }
    fn differential_of_name(&self, name: &str) -> String {
        format!("{UPRIGHT_D}{}{name}", gap(name))
    }
    fn differential_of(&self, inner: &str) -> String {
        format!("{UPRIGHT_D}{}", fenced("(", inner, ")"))
    }
    fn partial(&self, of: &str, by: &str) -> String {
        format!("<mfrac><mrow><mo>∂</mo>{}{of}</mrow><mrow><mo>∂</mo>{}{by}</mrow></mfrac>", gap(of), gap(by))
    }
    fn element(&self, symbol: &Piece, indices: &[String]) -> String {
        let letter = symbol.text.starts_with("<mi>") && symbol.text.matches('<').count() == 2 && !symbol.negative;
        let symbol = if letter { symbol.text.clone() } else { fenced("[", &symbol.whole(self), "]") };
        format!("<msub>{symbol}{}</msub>", single(&beside(indices)))
    }
    fn over(&self, operator: Over, indices: &[String], body: &str) -> String {
        let word = match operator {
            Over::Sum => "<mo>∑</mo>",
            Over::Max => "<mo movablelimits=\"true\">max</mo>",
            Over::ArgMax => "<mo movablelimits=\"true\">arg max</mo>",
        };
        format!("<munder>{word}{}</munder>{body}", single(&indices.join("<mo>,</mo>")))
    }
    fn delta(&self, left: &[String], right: &str) -> String {
        let left = match left {
            [only] => only.clone(),
            _ => fenced("(", &left.join("<mo>,</mo>"), ")"),
        };
        fenced("[", &format!("{left}<mo>=</mo>{right}"), "]")
    }
    fn equation(&self, left: &str, right: &str) -> String {
        format!("{left}<mo>=</mo>{right}")
    }
}

fn part(part: Part) -> String {
    match part {
        Part::Letter(text) | Part::Word(text) => format!("<mi>{}</mi>", escape(text)),
        Part::Digits(text) => format!("<mn>{text}</mn>"),
        Part::Greek(letter, _) => format!("<mi>{letter}</mi>"),
    }
}

/// `softmax` from `\operatorname{softmax}`, `σ` from `\sigma`, `log det` from `\log\det`.
fn function_name(name: &str, tex: Option<&str>) -> String {
    match tex.and_then(greek_letter) {
        Some(letter) => format!("<mi>{letter}</mi>"),
        None => match tex {
            Some(tex) if !tex.contains('{') => {
                let words: Vec<&str> = tex.split('\\').filter(|word| !word.is_empty()).collect();
                format!("<mi>{}</mi>", escape(&words.join("\u{a0}")))
            }
            _ => format!("<mi>{}</mi>", escape(name)),
        },
    }
}

/// Brackets as high as what is in them. Around a single line they are told not to grow: fonts draw the grown ones wider.
fn fenced(open: &str, inner: &str, close: &str) -> String {
    let stretchy = ["<mfrac", "<msqrt", "<munder"].iter().any(|tall| inner.contains(tall));
    let mut out = String::with_capacity(inner.len() + 96);
    for (form, sign) in [("prefix", open), ("postfix", close)] {
        if form == "postfix" {
            out.push_str(inner);
        }
        let _ = write!(out, "<mo form=\"{form}\" {FENCE} stretchy=\"{stretchy}\">{sign}</mo>");
    }
    format!("<mrow>{out}</mrow>")
}

/// Above what has something below already, it stands over that.
fn raised(base: &str, above: &str) -> Piece {
    let below = base.strip_prefix("<msub>").and_then(|rest| rest.strip_suffix("</msub>")).filter(|_| is_single(base));
    Piece::postfix(match below {
        Some(parts) => format!("<msubsup>{parts}{above}</msubsup>"),
        None => format!("<msup>{}{above}</msup>", single(base)),
    })
}

/// Some space before a word: `d loss` is not `dloss`.
fn gap(name: &str) -> &'static str {
    let base = name.trim_start_matches("<msub>").strip_prefix("<mi>").unwrap_or_default();
    if is_word(base) { SPACED_TIMES } else { "" }
}

/// Does it contain a word or a differential, which need space around them?
fn is_wide(text: &str) -> bool {
    text.contains(UPRIGHT_D) || text.split("<mi>").skip(1).any(is_word)
}

/// Does the text up to the next element have more than one letter?
fn is_word(text: &str) -> bool {
    text.split('<').next().is_some_and(|name| name.chars().count() > 1)
}

/// Letters stand side by side, anything longer is a list.
fn beside(indices: &[String]) -> String {
    let letters = indices.iter().all(|index| index.matches('<').count() == 2);
    indices.join(if letters { "" } else { "<mo>,</mo>" })
}

/// The sequence as one element.
fn single(sequence: &str) -> String {
    if is_single(sequence) { sequence.to_owned() } else { format!("<mrow>{sequence}</mrow>") }
}

fn is_single(sequence: &str) -> bool {
    let (mut depth, mut roots) = (0usize, 0usize);
    for tag in sequence.split('<').skip(1) {
        if tag.starts_with('/') {
            depth -= 1;
            continue;
        }
        roots += usize::from(depth == 0);
        let closed = tag.split('>').next().is_some_and(|inside| inside.ends_with('/'));
        depth += usize::from(!closed);
    }
    roots == 1
}

/// Text that is safe between tags and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
