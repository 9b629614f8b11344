//! Names for parts that an answer repeats: `P = softmax(Z)`. A part gets a name when the answer and its `where` lines
//! together become shorter.

use rustc_hash::FxHashMap;

use crate::lang::ops::elementwise::Unary;
use crate::lang::{Graph, Id, Op};
use crate::text::print::{Style, print_with};

/// Most names of one answer.
const MOST: usize = 8;
/// A name must save this many tokens.
const LEAST_SAVED: usize = 4;
/// Answers with more nodes are not searched for names.
const LARGEST: usize = 4000;

/// A part of an answer and its name.
pub type Named = (Id, String);

/// The name of a node: one of these, or that of the program.
pub fn name_of(graph: &Graph, names: &[Named], id: Id) -> Option<String> {
    let own = names.iter().find(|(named, _)| *named == id).map(|(_, name)| name.clone());
    own.or_else(|| graph.name(id).map(str::to_owned))
}

/// Chooses names, in an order in which each uses only those before it.
pub fn choose(graph: &Graph, root: Id, is_taken: &dyn Fn(&str) -> bool) -> Vec<Named> {
    let mut names: Vec<Named> = Vec::new();
    while names.len() < MOST {
        let Some(id) = best(graph, root, &names) else { break };
        let name = fresh(letter(graph, id), &|name| is_taken(name) || names.iter().any(|(_, other)| other == name));
        names.push((id, name));
    }
    names.sort_unstable_by_key(|(id, _)| *id);
    names
}

/// The part whose name would save most.
fn best(graph: &Graph, root: Id, names: &[Named]) -> Option<Id> {
    let named = |id: Id| id != root && name_of(graph, names, id).is_some();
    let mut seen = rustc_hash::FxHashSet::default();
    let mut list = Vec::new();
    let mut stack: Vec<Id> = vec![root];
    stack.extend(names.iter().map(|(id, _)| *id));
    let roots = stack.clone();
    while let Some(id) = stack.pop() {
        if seen.insert(id) {
            list.push(id);
            if !named(id) || roots.contains(&id) {
                stack.extend(graph.args(id).iter().copied());
            }
        }
        if list.len() > LARGEST {
            return None;
        }
    }
    list.sort_unstable();
    let mut uses: FxHashMap<Id, usize> = roots.iter().map(|&id| (id, 1)).collect();
    for &id in list.iter().rev() {
        let count = if roots.contains(&id) { 1 } else { uses.get(&id).copied().unwrap_or(0) };
        if !named(id) || roots.contains(&id) {
            for &arg in graph.args(id) {
                let entry = uses.entry(arg).or_insert(0);
                *entry = entry.saturating_add(count);
            }
        }
    }
    let candidate = |id: &Id| uses[id] > 1 && !roots.contains(id) && !named(*id) && is_part(graph, *id);
    let saved = |id: Id| {
        let text = print_with(graph, id, Style::Text, &|graph, id| name_of(graph, names, id)).ok()?;
        let (uses, length) = (uses[&id], tokens(&text));
        (uses * length).checked_sub(uses + length + 2)
    };
    let all = list.iter().copied().filter(candidate).filter_map(|id| Some((saved(id)?, id)));
    all.filter(|(saved, _)| *saved >= LEAST_SAVED).max_by_key(|&(saved, id)| (saved, std::cmp::Reverse(id))).map(|p| p.1)
}

/// Is it something that readers think of as one thing? Views and numbers are not.
fn is_part(graph: &Graph, id: Id) -> bool {
    let shape = graph.shape(id);
    let written = !matches!(graph.op(id), Op::Permute(_) | Op::Broadcast(_) | Op::Size(_) | Op::Constant(_));
    written && !graph.args(id).is_empty() && shape.rank() == 2 && graph.constant_value(id).is_none()
}

/// Names, numbers and signs of a text.
#[must_use]
pub fn tokens(text: &str) -> usize {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut count = 0;
    let mut before = ' ';
    for c in text.chars() {
        let joined = (word(before) && word(c)) || (before == '.' && "*/^".contains(c));
        count += usize::from(!c.is_whitespace() && !joined);
        before = c;
    }
    count
}

/// The letter that people use for such a thing.
fn letter(graph: &Graph, id: Id) -> &'static str {
    if graph.shape(id).is_scalar() {
        return "s";
    }
    match graph.op(id) {
        Op::Softmax(_) => "P",
        Op::Inverse(_) => "V",
        Op::Unary(Unary::Exp) => "E",
        Op::Unary(Unary::Tanh) => "T",
        Op::Unary(Unary::Sigmoid) => "S",
        Op::Unary(_) => "H",
        Op::Contract(_) => "Z",
        Op::Add(_) => "R",
        _ => "M",
    }
}

/// The letter, or the letter and the first free number.
pub(super) fn fresh(letter: &str, is_taken: &dyn Fn(&str) -> bool) -> String {
    if !is_taken(letter) {
        return letter.to_owned();
    }
    (2..).map(|number| format!("{letter}{number}")).find(|name| !is_taken(name)).expect("numbers do not end")
}
