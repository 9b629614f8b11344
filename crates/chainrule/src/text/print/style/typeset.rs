//! What LaTeX and MathML have in common: products with fractions.

use super::Notation;
use crate::text::print::pieces::{Form, Piece, Precedence};
use crate::text::print::products::Factors;

/// A product of scalars, or of matrices element by element: numbers and what divides all in a fraction of their own.
pub(super) fn product(style: &dyn Notation, mut factors: Factors, scalar: bool) -> Piece {
    let negative = factors.is_negative();
    if let Some(below) = factors.split_coefficient() {
        factors.scalar_denominators.insert(0, style.number(below));
    }
    let lead = factors.lead(style);
    let Factors { elements, element_denominators, scalar_denominators, .. } = factors;
    let product = if scalar {
        let above = lead.into_iter().chain(elements).collect();
        let below: Vec<Piece> = scalar_denominators.into_iter().chain(element_denominators).collect();
        of_scalars(style, above, &below)
    } else {
        of_matrices(style, lead, &scalar_denominators, &elements, &element_denominators)
    };
    Piece { negative, ..product }
}

/// `(2a/N) sum(...)`: what is large does not go into a fraction of small things.
fn of_scalars(style: &dyn Notation, above: Vec<Piece>, below: &[Piece]) -> Piece {
    if below.is_empty() {
        return row(style, &above);
    }
    let small = below.iter().all(|piece| piece.form == Form::Simple);
    let (inside, outside): (Vec<Piece>, Vec<Piece>) =
        above.into_iter().partition(|piece| !small || piece.form == Form::Simple);
    let fraction = over(style, &inside, below, scaled);
    match outside.as_slice() {
        [] => fraction,
        _ => row(style, &[vec![fraction], outside].concat()),
    }
}

/// `(2a/N) A ⊙ B`, `(A ⊙ B)/C`.
fn of_matrices(
    style: &dyn Notation,
    lead: Vec<Piece>,
    scalars_below: &[Piece],
    elements: &[Piece],
    below: &[Piece],
) -> Piece {
    if !below.is_empty() && elements.is_empty() && scalars_below.is_empty() {
        return over(style, &lead, below, element_product);
    }
    let body = if below.is_empty() {
        element_products(style, elements)
    } else {
        Some(over(style, elements, below, element_product))
    };
    let lead = if scalars_below.is_empty() { lead } else { vec![over(style, &lead, scalars_below, scaled)] };
    match (lead.as_slice(), body) {
        ([], Some(body)) => body,
        (_, None) => row(style, &lead),
        (_, Some(body)) => {
            let text = style.scaled(
                &row(style, &lead).unsigned(Precedence::Product, style),
                &body.unsigned(Precedence::Elementwise, style),
            );
            let open = body.precedence == Precedence::Elementwise;
            Piece::new(false, text, if open { Precedence::Elementwise } else { Precedence::Product })
        }
    }
}

fn element_products(style: &dyn Notation, elements: &[Piece]) -> Option<Piece> {
    let [first, rest @ ..] = elements else { return None };
    if rest.is_empty() {
        return Some(first.clone());
    }
    Some(Piece::new(false, joined(style, elements, element_product), Precedence::Elementwise))
}

fn row(style: &dyn Notation, pieces: &[Piece]) -> Piece {
    match pieces {
        [single] => single.clone(),
        _ => Piece::new(false, joined(style, pieces, scaled), Precedence::Product),
    }
}

fn over(style: &dyn Notation, above: &[Piece], below: &[Piece], join: Join) -> Piece {
    let above = if above.is_empty() { style.number(1.0).text } else { joined(style, above, join) };
    Piece::new(false, style.fraction(&above, &joined(style, below, join)), Precedence::Power)
}

fn scaled(style: &dyn Notation, a: &str, b: &str) -> String {
    style.scaled(a, b)
}

fn element_product(style: &dyn Notation, a: &str, b: &str) -> String {
    style.element_product(a, b)
}

type Join = fn(&dyn Notation, &str, &str) -> String;

/// The pieces beside each other; one alone needs no brackets, whatever it is.
fn joined(style: &dyn Notation, pieces: &[Piece], join: Join) -> String {
    if let [single] = pieces {
        return single.text.clone();
    }
    let mut text = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let open = piece.form == Form::Trailing && index + 1 == pieces.len();
        let inner = piece.unsigned(if open { Precedence::Product } else { Precedence::Power }, style);
        text = if text.is_empty() { inner } else { join(style, &text, &inner) };
    }
    text
}
