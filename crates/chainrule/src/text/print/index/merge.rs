//! Sums of sums become one sum, and conditions that choose one term of a sum take its place.

use super::expand::{Expansion, Place, Term};
use super::places::{Index, leaves};
use crate::text::print::style::Over;

/// Merges from the innermost part outwards.
pub(super) fn merge(expansion: &mut Expansion) {
    for at in (0..expansion.terms.len()).rev() {
        match std::mem::replace(&mut expansion.terms[at], Term::Empty) {
            Term::Product(list) => {
                let flat = flattened(expansion, list);
                expansion.terms[at] = Term::Product(flat);
            }
            Term::Over(Over::Sum, letters, body) => {
                let (letters, body) = joined(expansion, letters, body);
                let letters = chosen(expansion, letters, body);
                expansion.terms[at] =
                    if letters.is_empty() { Term::Product(vec![body]) } else { Term::Over(Over::Sum, letters, body) };
            }
            other => expansion.terms[at] = other,
        }
    }
    for at in 0..expansion.terms.len() {
        if let Term::Over(operator, letters, body) = expansion.terms[at].clone()
            && letters.len() > 1
        {
            expansion.terms[at] = Term::Over(operator, in_order(expansion, letters, body), body);
        }
    }
}

/// Letters in the order in which the formula uses them, so that they are named in that order.
fn in_order(expansion: &Expansion, mut letters: Vec<usize>, body: usize) -> Vec<usize> {
    let mut seen = Vec::new();
    let mut stack = vec![body];
    while let Some(term) = stack.pop() {
        if let Term::Element(_, indices) = &expansion.terms[term] {
            indices.iter().for_each(|index| leaves(&expansion.resolved(index), &mut seen));
        }
        stack.extend(expansion.terms[term].parts().into_iter().rev());
    }
    let first = |letter: &usize| {
        let mut own = Vec::new();
        leaves(&expansion.resolved(&Index::Letter(*letter)), &mut own);
        seen.iter().position(|used| own.contains(used)).unwrap_or(seen.len())
    };
    letters.sort_by_cached_key(first);
    letters
}

/// The factors, those of products in it included.
fn flattened(expansion: &mut Expansion, list: Vec<usize>) -> Vec<usize> {
    let mut flat = Vec::with_capacity(list.len());
    for part in list {
        match &mut expansion.terms[part] {
            Term::Product(inner) => flat.append(inner),
            _ => flat.push(part),
        }
    }
    flat
}

/// A sum over a product with sums in it is a sum over all of their letters. What was moved is left empty.
fn joined(expansion: &mut Expansion, mut letters: Vec<usize>, body: usize) -> (Vec<usize>, usize) {
    let factors = match std::mem::replace(&mut expansion.terms[body], Term::Empty) {
        Term::Product(factors) => factors,
        Term::Over(Over::Sum, inner, part) => {
            letters.extend(inner);
            vec![part]
        }
        other => {
            expansion.terms[body] = other;
            return (letters, body);
        }
    };
    let mut opened = Vec::new();
    for factor in factors {
        match std::mem::replace(&mut expansion.terms[factor], Term::Empty) {
            Term::Over(Over::Sum, inner, part) => {
                letters.extend(inner);
                opened.push(part);
            }
            other => {
                expansion.terms[factor] = other;
                opened.push(factor);
            }
        }
    }
    let flat = flattened(expansion, opened);
    expansion.terms[body] = Term::Product(flat);
    (letters, body)
}

/// `sum_j [i=j]*x[j]` is `x[i]`: a condition on a letter of the sum says what the letter is.
fn chosen(expansion: &mut Expansion, mut letters: Vec<usize>, body: usize) -> Vec<usize> {
    let Term::Product(factors) = expansion.terms[body].clone() else { return letters };
    let mut kept = Vec::with_capacity(factors.len());
    for factor in factors {
        let pair = match &expansion.terms[factor] {
            Term::Delta(left, Place::At(right)) => (expansion.resolved(&left[0]), expansion.resolved(right)),
            _ => {
                kept.push(factor);
                continue;
            }
        };
        match pair {
            (left, right) if left == right => {}
            (other, Index::Letter(letter)) | (Index::Letter(letter), other)
                if letters.contains(&letter) && matches!(other, Index::Letter(_)) =>
            {
                expansion.letters[letter].instead = Some(other);
                letters.retain(|&kept| kept != letter);
            }
            _ => kept.push(factor),
        }
    }
    expansion.terms[body] = Term::Product(kept);
    letters
}
