//! Letters for indices: `n` where a dimension is called `N`, else `i`, `j`, `k`. A letter means one extent in the whole
//! formula, and is used again only where it is free.

use super::expand::{Expansion, Symbol, Term};
use super::places::{Index, leaves};
use crate::lang::Dim;

/// Letters in the order in which they are taken.
const LETTERS: &str = "ijkmnpqrstuvwlabcfghxyz";

/// The name of each letter; empty for those that nothing uses.
pub(super) fn choose(expansion: &Expansion) -> Letters {
    let parents = parents(&expansion.terms);
    let mut chooser = Chooser::new(expansion, &parents);
    let mut free = Vec::new();
    for index in &expansion.free {
        leaves(&expansion.resolved(index), &mut free);
    }
    for &letter in &free {
        chooser.name(letter, &free);
    }
    for (at, term) in expansion.terms.iter().enumerate() {
        if let Term::Over(_, letters, _) = term {
            let mut active = in_scope(expansion, &parents, at);
            active.extend(&free);
            for letter in own(expansion, letters) {
                active.push(letter);
                chooser.name(letter, &active);
            }
        }
    }
    Letters { names: chooser.names, ranges: chooser.taken }
}

/// The chosen names.
pub(super) struct Letters {
    pub(super) names: Vec<String>,
    /// Each name with how far it runs.
    pub(super) ranges: Vec<(String, Dim)>,
}

fn parents(terms: &[Term]) -> Vec<usize> {
    let mut parents = vec![0; terms.len()];
    for (at, term) in terms.iter().enumerate() {
        for part in term.parts() {
            parents[part] = at;
        }
    }
    parents
}

/// The letters that stand for a list of letters.
fn own(expansion: &Expansion, letters: &[usize]) -> Vec<usize> {
    let mut list = Vec::new();
    for &letter in letters {
        leaves(&expansion.resolved(&Index::Letter(letter)), &mut list);
    }
    list
}

/// The letters of the sums around a term.
fn in_scope(expansion: &Expansion, parents: &[usize], mut at: usize) -> Vec<usize> {
    let mut list = Vec::new();
    while at != 0 {
        at = parents[at];
        if let Term::Over(_, letters, _) = &expansion.terms[at] {
            list.extend(own(expansion, letters));
        }
    }
    list
}

struct Chooser<'e> {
    expansion: &'e Expansion<'e>,
    names: Vec<String>,
    /// Names that are used, with their extent.
    taken: Vec<(String, Dim)>,
    /// Dimensions with a letter of their own.
    own: Vec<(Dim, String)>,
    /// Letters that are names of the program.
    reserved: Vec<String>,
}

impl<'e> Chooser<'e> {
    fn new(expansion: &'e Expansion<'e>, parents: &[usize]) -> Chooser<'e> {
        let graph = expansion.graph;
        let mut reserved = Vec::new();
        for term in &expansion.terms {
            match term {
                Term::Element(Symbol::Name(name), _) => reserved.push(name.clone()),
                Term::Element(Symbol::Node(id), _) => {
                    reserved.extend(graph.as_variable(*id).map(|variable| variable.name.clone()));
                }
                _ => {}
            }
        }
        let doubled = doubled(expansion, parents);
        let mut own: Vec<(Dim, String)> = Vec::new();
        for letter in &expansion.letters {
            let name = graph.dims.text(letter.dim).to_lowercase();
            let single = name.len() == 1 && name.bytes().all(|b| b.is_ascii_lowercase());
            if single && !reserved.contains(&name) && !doubled.contains(&letter.dim) {
                own.push((letter.dim, name));
            }
        }
        Chooser { expansion, names: vec![String::new(); expansion.letters.len()], taken: Vec::new(), own, reserved }
    }

    /// Names a letter unlike those that are in scope with it.
    fn name(&mut self, letter: usize, active: &[usize]) {
        let dim = self.expansion.letters[letter].dim;
        let first = self.own.iter().find(|(other, _)| *other == dim).map(|(_, name)| name.clone());
        let singles = LETTERS.chars().map(String::from);
        let numbered = (1..).flat_map(|n| ["i", "j", "k"].map(|letter| format!("{letter}{n}")));
        let fits = |(name, wanted): &(String, bool)| {
            let in_scope = active.iter().any(|&other| other != letter && self.names[other] == *name);
            let elsewhere = self.taken.iter().any(|(known, other)| known == name && *other != dim);
            let of_another = self.own.iter().any(|(_, own)| own == name);
            !in_scope && !elsewhere && (*wanted || !of_another && !self.reserved.contains(name))
        };
        let candidates =
            first.into_iter().map(|name| (name, true)).chain(singles.chain(numbered).map(|name| (name, false)));
        let (name, _) = candidates.into_iter().find(fits).expect("there is no end of numbered letters");
        if !self.taken.iter().any(|(known, _)| *known == name) {
            self.taken.push((name.clone(), dim));
        }
        self.names[letter] = name;
    }
}

/// Dimensions that two letters run over at once: `i` and `j` say that better than `n` and something else.
fn doubled(expansion: &Expansion, parents: &[usize]) -> Vec<Dim> {
    let mut free = Vec::new();
    for index in &expansion.free {
        leaves(&expansion.resolved(index), &mut free);
    }
    let mut scopes = vec![free.clone()];
    for (at, term) in expansion.terms.iter().enumerate() {
        if let Term::Over(_, letters, _) = term {
            let mut scope = in_scope(expansion, parents, at);
            scope.extend(own(expansion, letters));
            scope.extend(&free);
            scopes.push(scope);
        }
    }
    let mut list = Vec::new();
    for scope in scopes {
        let dims: Vec<Dim> = scope.iter().map(|&letter| expansion.letters[letter].dim).collect();
        list.extend(dims.iter().enumerate().filter(|(at, dim)| dims[..*at].contains(dim)).map(|(_, dim)| *dim));
    }
    list
}
