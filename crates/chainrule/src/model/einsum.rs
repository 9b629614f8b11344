//! `einsum("bij,bjk->bik", A, B)`: sums of products of tensors, in the subscript notation of NumPy. Each letter is an
//! index, letters that are not behind the arrow are summed; `1` is an axis of extent 1, which NumPy does not have.
//!
//! The call becomes products of two operands at a time: matrix products where they are, contractions elsewhere.

use super::builder::Builder;
use crate::lang::ops::arithmetic::Mul;
use crate::lang::ops::contract::{Contract, Labels};
use crate::lang::ops::diagonal::Diagonal;
use crate::lang::ops::view::Permute;
use crate::lang::shape::{Axes, MAX_RANK, Shape};
use crate::lang::{Dim, Graph, Id, Op};
use crate::text::diagnostic::{Diagnostic, Span};

/// A tensor and the letters of its axes, none twice; `None` is an axis of extent 1.
#[derive(Clone, Debug)]
struct Operand {
    id: Id,
    letters: Vec<Option<char>>,
}

impl Operand {
    fn has(&self, letter: char) -> bool {
        self.letters.contains(&Some(letter))
    }

    fn named(&self) -> Vec<char> {
        self.letters.iter().copied().flatten().collect()
    }
}

/// Where the call stands, for messages.
struct Call {
    subscripts: Span,
    at: Span,
}

impl Call {
    fn wrong(&self, message: String, help: &str) -> Diagnostic {
        Diagnostic::new("E220", self.subscripts, message).label("these subscripts").help(help)
    }
}

const EXAMPLE: &str =
    "write as in `einsum(\"bij,bjk->bik\", A, B)`: letters for the axes of each operand, and of the result";

/// Builds a call.
///
/// # Errors
/// The subscripts are malformed, or do not fit the operands.
pub(super) fn build(b: &mut Builder, subscripts: (&str, Span), operands: &[Id], at: Span) -> Result<Id, Diagnostic> {
    let call = Call { subscripts: subscripts.1, at };
    let (terms, result) = parse(subscripts.0, &call)?;
    if terms.len() != operands.len() {
        let message = format!("the subscripts name {} operands, the call has {}", terms.len(), operands.len());
        return Err(call.wrong(message, EXAMPLE));
    }
    let mut extents: Vec<(char, Dim)> = Vec::new();
    let mut list = Vec::with_capacity(operands.len());
    for (term, &id) in terms.iter().zip(operands) {
        let letters = axes(b, &call, term, id, &mut extents)?;
        list.push(without_repeats(b, id, letters, at)?);
    }
    if let Some(letter) = result.chars().find(|&c| c != '1' && !extents.iter().any(|(known, _)| *known == c)) {
        return Err(call.wrong(format!("no operand has the index `{letter}` of the result"), EXAMPLE));
    }
    let product = contract_all(&mut b.graph, list, result, &call)?;
    Ok(arranged(&mut b.graph, &product, result))
}

/// The subscripts of the operands, and those of the result.
fn parse<'s>(text: &'s str, call: &Call) -> Result<(Vec<&'s str>, &'s str), Diagnostic> {
    let Some((left, result)) = text.split_once("->") else {
        return Err(call.wrong("the subscripts have no `->` before those of the result".to_owned(), EXAMPLE));
    };
    let terms: Vec<&str> = left.split(',').map(str::trim).collect();
    let result = result.trim();
    for term in terms.iter().chain([&result]) {
        if let Some(strange) = term.chars().find(|c| !c.is_ascii_alphabetic() && *c != '1') {
            return Err(
                call.wrong(format!("`{strange}` is no index"), "indices are letters; `1` is an axis of extent 1")
            );
        }
        if term.len() > MAX_RANK {
            return Err(call.wrong(format!("`{term}` has more than {MAX_RANK} indices"), EXAMPLE));
        }
    }
    let mut seen = Vec::new();
    for letter in result.chars().filter(|c| *c != '1') {
        if seen.contains(&letter) {
            return Err(call.wrong(
                format!("`{letter}` stands twice in the result"),
                "write a diagonal matrix with `diag`, or multiply by `eye(n)`",
            ));
        }
        seen.push(letter);
    }
    Ok((terms, result))
}

/// The letters of the axes of one operand; a row or a column may be written with one letter, a number with none.
fn axes(
    b: &mut Builder,
    call: &Call,
    term: &str,
    id: Id,
    extents: &mut Vec<(char, Dim)>,
) -> Result<Vec<Option<char>>, Diagnostic> {
    let shape = b.graph.shape(id);
    let mut letters: Vec<char> = term.chars().collect();
    if shape.rank() == 2 && letters.len() < 2 {
        let row = shape.rows() == Dim::Known(1) && shape.cols() != Dim::Known(1);
        letters.resize(1, '1');
        letters.insert(usize::from(!row), '1');
    }
    if letters.len() != shape.rank() {
        let message = format!("`{term}` has {} indices, this operand is {}", letters.len(), b.shape_text(id));
        return Err(call.wrong(message, EXAMPLE));
    }
    for (&letter, &dim) in letters.iter().zip(shape.dims()) {
        let known = if letter == '1' { Some(Dim::Known(1)) } else { find(extents, letter) };
        let Some(known) = known else {
            extents.push((letter, dim));
            continue;
        };
        if !b.graph.dims.unify(known, dim) {
            let (a, b) = (b.graph.dims.text(known), b.graph.dims.text(dim));
            let message = format!("the index `{letter}` runs over {a} and over {b} elements");
            return Err(Diagnostic::new("E220", call.at, message).label("in this call").help(EXAMPLE));
        }
    }
    Ok(letters.into_iter().map(|letter| (letter != '1').then_some(letter)).collect())
}

fn find(extents: &[(char, Dim)], letter: char) -> Option<Dim> {
    extents.iter().find(|(known, _)| *known == letter).map(|(_, dim)| *dim)
}

/// Takes the diagonal over letters that an operand has twice.
fn without_repeats(b: &mut Builder, id: Id, letters: Vec<Option<char>>, at: Span) -> Result<Operand, Diagnostic> {
    let mut operand = Operand { id, letters };
    while let Some((first, second)) = repeated(&operand.letters) {
        let letter = operand.letters[first];
        if operand.letters.len() == 2 {
            operand.id = b.op(Op::Diagonal(Diagonal), &[operand.id], at)?;
            operand.letters = vec![letter, None];
            continue;
        }
        // Against the identity: sum over j of a[i, j]*eye[i, j] is a[i, i].
        let dim = b.graph.shape(operand.id).dims()[first];
        let eye = b.graph.eye(dim);
        let names: Vec<u8> = (0..operand.letters.len() as u8).collect();
        let out: Vec<u8> = names.iter().copied().filter(|&name| name as usize != second).collect();
        let pair = [first as u8, second as u8];
        let spec = Contract { a: Labels::new(&names), b: Labels::new(&pair), out: Labels::new(&out) };
        operand.id = b.graph.contract(spec, operand.id, eye);
        operand.letters.remove(second);
    }
    Ok(operand)
}

fn repeated(letters: &[Option<char>]) -> Option<(usize, usize)> {
    for (second, letter) in letters.iter().enumerate() {
        if letter.is_some()
            && let Some(first) = letters[..second].iter().position(|other| other == letter)
        {
            return Some((first, second));
        }
    }
    None
}

/// Multiplies two operands at a time, those with the smallest result first; an index that nothing else needs is summed.
fn contract_all(graph: &mut Graph, mut list: Vec<Operand>, result: &str, call: &Call) -> Result<Operand, Diagnostic> {
    loop {
        for at in 0..list.len() {
            let alone = |letter: char| {
                !result.contains(letter) && !list.iter().enumerate().any(|(other, o)| other != at && o.has(letter))
            };
            let summed: Vec<char> = list[at].named().into_iter().filter(|&letter| alone(letter)).collect();
            list[at] = summed_over(graph, &list[at], &summed);
        }
        if list.len() == 1 {
            return Ok(list.remove(0));
        }
        let kept = |p: usize, q: usize| -> Vec<char> {
            let needed = |letter: &char| {
                let elsewhere = list.iter().enumerate().any(|(at, o)| at != p && at != q && o.has(*letter));
                result.contains(*letter) || elsewhere
            };
            let mut letters = list[p].named();
            letters.extend(list[q].named().into_iter().filter(|&letter| !list[p].has(letter)));
            letters.into_iter().filter(needed).collect()
        };
        let pairs = (0..list.len()).flat_map(|p| (p + 1..list.len()).map(move |q| (p, q)));
        let (p, q) = pairs.min_by_key(|&(p, q)| kept(p, q).len()).expect("two operands are left");
        let kept = kept(p, q);
        if kept.len() > MAX_RANK {
            let message = format!("a product on the way has {} indices, the most are {MAX_RANK}", kept.len());
            return Err(call.wrong(message, "sum over some of them first, in a call of its own"));
        }
        let second = list.remove(q);
        let first = list.remove(p);
        list.insert(p, product(graph, &first, &second, &kept));
    }
}

/// Sums over letters; their axes stay with extent 1.
fn summed_over(graph: &mut Graph, operand: &Operand, letters: &[char]) -> Operand {
    let is_summed = |letter: &Option<char>| letter.is_some_and(|letter| letters.contains(&letter));
    let axes: Axes = operand.letters.iter().enumerate().filter(|(_, l)| is_summed(l)).map(|(axis, _)| axis).collect();
    let kept = operand.letters.iter().map(|letter| letter.filter(|l| !letters.contains(l))).collect();
    Operand { id: graph.sum(operand.id, axes), letters: kept }
}

/// The product of two operands, summed over all letters but `kept`.
fn product(graph: &mut Graph, a: &Operand, b: &Operand, kept: &[char]) -> Operand {
    let (in_a, in_b) = (a.named(), b.named());
    let same = in_a.len() == in_b.len() && in_a.iter().all(|letter| in_b.contains(letter));
    if in_a.is_empty() || in_b.is_empty() {
        let (scalar, other) = if in_a.is_empty() { (a, b) } else { (b, a) };
        let id = graph.mul(&[other.id, scalar.id]);
        return summed_over(graph, &Operand { id, ..other.clone() }, &missing(&other.named(), kept));
    }
    // Element by element, when all indices stay, or none.
    if same && (kept.len() == in_a.len() || kept.is_empty()) {
        let (left, right) = (ordered(graph, a, &in_a), ordered(graph, b, &in_a));
        let id = graph.build(Op::Mul(Mul), &[left.id, right.id]);
        return summed_over(graph, &Operand { id, ..left }, &missing(&in_a, kept));
    }
    if let Some(matrix) = matrix_product(graph, a, b, kept) {
        return matrix;
    }
    let (left, right) = (ordered(graph, a, &in_a), ordered(graph, b, &in_b));
    let mut names = in_a.clone();
    names.extend(in_b.iter().filter(|letter| !in_a.contains(letter)));
    let label = |letter: &char| names.iter().position(|name| name == letter).expect("it is one of them") as u8;
    let labels = |letters: &[char]| Labels::new(&letters.iter().map(label).collect::<Vec<u8>>());
    let spec = Contract { a: labels(&in_a), b: labels(&in_b), out: labels(kept) };
    let id = graph.contract(spec, left.id, right.id);
    Operand { id, letters: kept.iter().copied().map(Some).collect() }
}

fn missing(letters: &[char], kept: &[char]) -> Vec<char> {
    letters.iter().copied().filter(|letter| !kept.contains(letter)).collect()
}

/// Matrices and vectors that share one index, which is summed.
fn matrix_product(graph: &mut Graph, a: &Operand, b: &Operand, kept: &[char]) -> Option<Operand> {
    let (in_a, in_b) = (a.named(), b.named());
    let shared: Vec<char> = in_a.iter().copied().filter(|letter| in_b.contains(letter)).collect();
    let &[inner] = shared.as_slice() else { return None };
    if in_a.len() > 2 || in_b.len() > 2 || kept.contains(&inner) {
        return None;
    }
    let other = |letters: &[char]| letters.iter().copied().find(|&letter| letter != inner);
    let (row, col) = (other(&in_a), other(&in_b));
    let left = placed(graph, a, &[row, Some(inner)]);
    let right = placed(graph, b, &[Some(inner), col]);
    Some(Operand { id: graph.matmul(left, right), letters: vec![row, col] })
}

/// The operand with exactly these axes.
fn ordered(graph: &mut Graph, operand: &Operand, letters: &[char]) -> Operand {
    let letters: Vec<Option<char>> = letters.iter().copied().map(Some).collect();
    Operand { id: placed(graph, operand, &letters), letters }
}

/// The tensor with its axes in this order; those of extent 1 are added and dropped as needed.
fn placed(graph: &mut Graph, operand: &Operand, wanted: &[Option<char>]) -> Id {
    if operand.letters == wanted {
        return operand.id;
    }
    let turned = operand.letters.len() == 2 && wanted.len() == 2 && operand.letters.iter().rev().eq(wanted);
    if turned {
        return graph.transpose(operand.id);
    }
    // Axes of extent 1 do not change the order of the elements, the others may.
    let named = operand.named();
    let order: Vec<char> = wanted.iter().copied().flatten().collect();
    let shape = graph.shape(operand.id);
    let dim = |letter: &char| {
        let axis = operand.letters.iter().position(|l| *l == Some(*letter)).expect("it has this index");
        shape.dims()[axis]
    };
    let mut id = operand.id;
    if named != order {
        let own: Vec<Dim> = named.iter().map(dim).collect();
        id = graph.reshape(id, Shape::new(&own));
        let permutation: Vec<u8> =
            order.iter().map(|l| named.iter().position(|n| n == l).expect("the same letters") as u8).collect();
        id = graph.build(Op::Permute(Permute::new(&permutation)), &[id]);
    }
    let target: Vec<Dim> = wanted.iter().map(|letter| letter.as_ref().map_or(Dim::Known(1), dim)).collect();
    graph.reshape(id, Shape::new(&target))
}

/// The result as it is written; with fewer than two indices it is a number or a column.
fn arranged(graph: &mut Graph, operand: &Operand, result: &str) -> Id {
    let mut wanted: Vec<Option<char>> = result.chars().map(|c| (c != '1').then_some(c)).collect();
    while wanted.len() < 2 {
        wanted.push(None);
    }
    placed(graph, operand, &wanted)
}
