//! Places along axes, and what becomes of them where axes are joined or cut.

use super::expand::Expansion;
use crate::lang::{Dim, Graph, Id};

/// A place along an axis, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// The only place of an axis of extent 1.
    One,
    /// What a letter stands for, by its place in [`Expansion::letters`].
    Letter(usize),
    /// `(a - 1)*d + b`: the place of row `a`, column `b` in rows of `d`.
    Mixed(Box<Index>, Dim, Box<Index>),
    /// The row of a place in rows of `d`.
    Quotient(Box<Index>, Dim),
    /// The column of a place in rows of `d`.
    Remainder(Box<Index>, Dim),
}

impl Expansion<'_> {
    /// The indices of an element before its axes were joined or cut.
    pub(super) fn reshaped(&mut self, id: Id, source: Id, at: &[Index]) -> Vec<Index> {
        let graph = self.graph;
        let (to, from) = (graph.shape(id).resolved(&graph.dims), graph.shape(source).resolved(&graph.dims));
        let mut result = Vec::new();
        for (from_axes, to_axes) in groups(graph, from.dims(), to.dims()) {
            let place = joined(&to.dims()[to_axes.clone()], &at[to_axes]);
            result.extend(self.cut(place, &from.dims()[from_axes]));
        }
        result
    }

    /// The indices of axes that were joined to one.
    fn cut(&mut self, place: Index, dims: &[Dim]) -> Vec<Index> {
        let one = Dim::Known(1);
        let wide: Vec<Dim> = dims.iter().copied().filter(|dim| *dim != one).collect();
        let mut parts = self.cut_wide(place, &wide).into_iter();
        dims.iter().map(|dim| if *dim == one { Index::One } else { parts.next().unwrap_or(Index::One) }).collect()
    }

    fn cut_wide(&mut self, place: Index, dims: &[Dim]) -> Vec<Index> {
        let [front @ .., last] = dims else { return Vec::new() };
        if front.is_empty() {
            return vec![place];
        }
        let place = self.resolved(&place);
        if let Index::Letter(letter) = place {
            // The letter is known by its parts from here on, wherever it stands.
            let parts: Vec<Index> = dims.iter().map(|&dim| self.letter(dim)).collect();
            self.letters[letter].instead = Some(joined(dims, &parts));
            return parts;
        }
        let (row, column) = match place {
            Index::Mixed(row, dim, column) if dim == *last => (*row, *column),
            other => (Index::Quotient(Box::new(other.clone()), *last), Index::Remainder(Box::new(other), *last)),
        };
        let mut parts = self.cut_wide(row, front);
        parts.push(column);
        parts
    }
}

/// One index for several axes in row-major order.
fn joined(dims: &[Dim], at: &[Index]) -> Index {
    let mut all = Index::One;
    for (dim, index) in dims.iter().zip(at).filter(|(_, index)| **index != Index::One) {
        all = match all {
            Index::One => index.clone(),
            row => Index::Mixed(Box::new(row), *dim, Box::new(index.clone())),
        };
    }
    all
}

/// The letters in an index, in order.
pub(super) fn leaves(index: &Index, list: &mut Vec<usize>) {
    match index {
        Index::One => {}
        Index::Letter(letter) => list.push(*letter),
        Index::Mixed(a, _, b) => {
            leaves(a, list);
            leaves(b, list);
        }
        Index::Quotient(x, _) | Index::Remainder(x, _) => leaves(x, list),
    }
}

type Range = std::ops::Range<usize>;

/// Neighbouring axes of one shape and of the other that have as many elements.
fn groups(graph: &Graph, from: &[Dim], to: &[Dim]) -> Vec<(Range, Range)> {
    let mut list = Vec::new();
    let (mut f, mut t) = (0..0, 0..0);
    while f.end < from.len() || t.end < to.len() {
        let (a, b) = (elements(graph, &from[f.clone()]), elements(graph, &to[t.clone()]));
        if a == b && f.end > f.start && t.end > t.start {
            list.push((f.clone(), t.clone()));
            (f.start, t.start) = (f.end, t.end);
            continue;
        }
        // The side with fewer elements takes the next axis.
        let from_is_smaller = b.0.is_multiple_of(a.0) && a.1.iter().all(|name| b.1.contains(name));
        if f.end < from.len() && (from_is_smaller || t.end == to.len()) {
            f.end += 1;
        } else {
            t.end += 1;
        }
    }
    list.push((f, t));
    list
}

/// The product of dimensions: its number, and its names in order.
fn elements(graph: &Graph, dims: &[Dim]) -> (u64, Vec<String>) {
    let (mut number, mut names) = (1u64, Vec::new());
    for dim in dims {
        let text = graph.dims.text(*dim);
        for factor in text.split(['(', '*', ')']).filter(|factor| !factor.is_empty()) {
            match factor.parse::<u64>() {
                Ok(n) => number = number.saturating_mul(n),
                Err(_) => names.push(factor.to_owned()),
            }
        }
    }
    names.sort();
    (number, names)
}
