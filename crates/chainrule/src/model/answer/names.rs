//! Names for parts that an answer repeats: `P = softmax(Z)`. A part gets a name when the answer and its `where` lines
//! together become shorter.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::lang::ops::elementwise::Unary;
use crate::lang::{Graph, Id, Op};
use crate::text::print::{Style, print_with};

/// Most names for each answer.
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
pub fn choose(graph: &Graph, answers: &[Id], is_taken: &dyn Fn(&str) -> bool) -> Vec<Named> {
    let mut names: Vec<Named> = Vec::new();
    let mut refused: FxHashSet<Id> = FxHashSet::default();
    while names.len() < MOST * answers.len() {
        let Some((id, uses)) = best(graph, answers, &names, &refused) else { break };
        // The estimate is good enough to choose; what is really saved decides.
        let text = print_with(graph, id, Style::Text, &|graph, id| name_of(graph, &names, id));
        if text.map_or(0, |text| saved(uses, tokens(&text))) < LEAST_SAVED {
            refused.insert(id);
            continue;
        }
        let taken = |name: &str| is_taken(name) || names.iter().any(|(_, other)| other == name);
        let name = fresh(&letter(graph, id, &names), &taken);
        names.push((id, name));
    }
    names.sort_unstable_by_key(|(id, _)| *id);
    names
}

/// Tokens that a name saves: each use becomes one, and its line has a name and a sign.
fn saved(uses: usize, length: usize) -> usize {
    uses.saturating_mul(length).saturating_sub(uses.saturating_add(length) + 2)
}

/// The names that a text needs: those of nodes below it, and of nodes below those.
pub fn needed(graph: &Graph, root: Id, names: &[Named]) -> Vec<Named> {
    let below: FxHashSet<Id> = graph.reachable(&[root]).into_iter().collect();
    names.iter().filter(|(id, _)| *id != root && below.contains(id)).cloned().collect()
}

/// The part whose name would save most, and how often it is used.
fn best(graph: &Graph, answers: &[Id], names: &[Named], refused: &FxHashSet<Id>) -> Option<(Id, usize)> {
    let mut roots: Vec<Id> = answers.to_vec();
    roots.extend(names.iter().map(|(id, _)| *id));
    let roots: FxHashSet<Id> = roots.into_iter().collect();
    let own: FxHashSet<Id> = names.iter().map(|(id, _)| *id).collect();
    let closed = |id: Id| !roots.contains(&id) && graph.name(id).is_some();
    let list = open_nodes(graph, &roots, &closed)?;
    let mut uses: FxHashMap<Id, usize> = FxHashMap::default();
    for &id in list.iter().rev().filter(|&&id| !closed(id)) {
        let count = if roots.contains(&id) { 1 } else { uses.get(&id).copied().unwrap_or(0) };
        for &arg in graph.args(id) {
            let entry = uses.entry(arg).or_insert(0);
            *entry = entry.saturating_add(count);
        }
    }
    let mut lengths: FxHashMap<Id, usize> = FxHashMap::default();
    let mut most: Option<(usize, Id)> = None;
    for &id in list.iter().filter(|&&id| !closed(id)) {
        let inner = |arg: &Id| if own.contains(arg) || closed(*arg) { 1 } else { lengths[arg] };
        let length = graph.args(id).iter().fold(signs(graph, id), |sum, arg| sum.saturating_add(inner(arg)));
        lengths.insert(id, length);
        let used = uses.get(&id).copied().unwrap_or(0);
        let candidate = used > 1 && !roots.contains(&id) && !closed(id) && !refused.contains(&id);
        if candidate && is_part(graph, id) {
            let saved = saved(used, length);
            if saved >= LEAST_SAVED && most.is_none_or(|(known, _)| saved > known) {
                most = Some((saved, id));
            }
        }
    }
    most.map(|(_, id)| (id, uses[&id]))
}

/// The nodes that are written out; `None` when there are too many.
fn open_nodes(graph: &Graph, roots: &FxHashSet<Id>, closed: &dyn Fn(Id) -> bool) -> Option<Vec<Id>> {
    #[expect(clippy::iter_over_hash_type, reason = "the list is sorted below")]
    let mut stack: Vec<Id> = {
        let mut stack = Vec::with_capacity(roots.len());
        for &root in roots {
            stack.push(root);
        }
        stack
    };
    let mut seen = FxHashSet::default();
    let mut list = Vec::new();
    while let Some(id) = stack.pop() {
        if seen.insert(id) {
            list.push(id);
            if !closed(id) {
                stack.extend(graph.args(id).iter().copied());
            }
        }
        if list.len() > LARGEST {
            return None;
        }
    }
    list.sort_unstable();
    Some(list)
}

/// About how many tokens a node adds to those of its arguments.
fn signs(graph: &Graph, id: Id) -> usize {
    let count = graph.args(id).len();
    let sums = graph.args(id).iter().filter(|&&arg| matches!(graph.op(arg), Op::Add(_))).count();
    match graph.op(id) {
        Op::Broadcast(_) => 0,
        Op::Add(_) => count - 1,
        Op::Mul(_) | Op::Contract(_) => count - 1 + 2 * sums,
        Op::Power(power) if power.exponent() == -1.0 => 1 + 2 * sums,
        Op::Power(_) => 2 + 2 * sums,
        Op::Permute(_) => 1 + 2 * sums,
        _ if count == 0 => 1,
        _ => 2 + count,
    }
}

/// Is it something that readers think of as one thing? Views and numbers are not.
fn is_part(graph: &Graph, id: Id) -> bool {
    let shape = graph.shape(id);
    let written = !matches!(graph.op(id), Op::Permute(_) | Op::Broadcast(_) | Op::Size(_) | Op::Constant(_));
    let of_sizes = |id: Id| graph.reachable(&[id]).iter().all(|&node| graph.as_variable(node).is_none());
    written && !graph.args(id).is_empty() && shape.rank() == 2 && !(shape.is_scalar() && of_sizes(id))
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

/// The letter that people use for such a thing; an element-wise product with a named factor `A4` is the delta `D4`.
pub(super) fn letter(graph: &Graph, id: Id, names: &[Named]) -> String {
    if graph.shape(id).is_scalar() {
        return "s".to_owned();
    }
    let letter = match graph.op(id) {
        Op::Softmax(_) => "P",
        Op::Inverse(_) => "V",
        Op::Unary(Unary::Exp) => "E",
        Op::Unary(Unary::Tanh) => "T",
        Op::Unary(Unary::Sigmoid) => "S",
        Op::Unary(_) => "H",
        Op::Contract(_) => "Z",
        Op::Add(_) => "R",
        _ => "D",
    };
    let digits = |name: String| {
        let at = name.find(|c: char| c.is_ascii_digit())?;
        name[at..].bytes().all(|b| b.is_ascii_digit()).then(|| name[at..].to_owned())
    };
    let mut number = None;
    // Factors, and the terms and bases of factors such as `1 - a3.^2`; not what they are functions of.
    let mut stack: Vec<(Id, usize)> = if letter == "D" { vec![(id, 0)] } else { Vec::new() };
    while let Some((next, depth)) = stack.pop().filter(|_| number.is_none()) {
        number = if depth > 0 { name_of(graph, names, next).and_then(digits) } else { None };
        if depth < 4 && matches!(graph.op(next), Op::Mul(_) | Op::Add(_) | Op::Power(_)) {
            stack.extend(graph.args(next).iter().rev().map(|&arg| (arg, depth + 1)));
        }
    }
    format!("{letter}{}", number.unwrap_or_default())
}

/// The letter, or the letter and the first free number.
pub(super) fn fresh(letter: &str, is_taken: &dyn Fn(&str) -> bool) -> String {
    if !is_taken(letter) {
        return letter.to_owned();
    }
    let letter = letter.trim_end_matches(|c: char| c.is_ascii_digit());
    (2..).map(|number| format!("{letter}{number}")).find(|name| !is_taken(name)).expect("numbers do not end")
}
