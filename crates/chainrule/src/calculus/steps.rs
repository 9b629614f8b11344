//! A derivation as people write it: differentials are taken, `dX` is moved free under the trace, terms are collected, the
//! gradient is read off. Each line is an equation between two expressions of the graph that anybody can evaluate.
//!
//! Long functions are taken apart at their named parts and at the arguments of functions that are not linear: such a part
//! `y` appears as the symbol `d(y)` until its own line replaces it.

mod moves;
mod parts;
pub mod rules;

use rustc_hash::{FxHashMap, FxHashSet};

use super::differentiate::{linearize, local_differential};
use crate::lang::{Graph, Id};
use rules::{StepRule, of_differential};

/// What stands on the left of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The differential of the whole.
    Whole,
    /// The differential of a part.
    Part(Id),
    /// The answer.
    Answer,
}

/// One line of a derivation.
#[derive(Clone, Debug)]
pub struct Line {
    /// The left-hand side.
    pub left: Left,
    /// The right-hand side.
    pub right: Id,
    /// The rules that lead to it.
    pub rules: Vec<&'static StepRule>,
    /// Cotangents that get a name here: a variable of that name, and the node it stands for.
    pub defines: Vec<(Id, Id)>,
}

/// The lines of a derivation and what their symbols stand for.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// The symbols `d(y)`: the part `y`, its symbol, and the true differential of `y`.
    pub symbols: Vec<(Id, Id, Id)>,
    /// Do names stand for cotangents?
    named: bool,
}

/// Names the cotangent of a part, if it deserves a name: the delta of a layer.
pub type NameCotangent<'f> = dyn FnMut(&Graph, Id, Id) -> Option<String> + 'f;

/// `<cotangent, term>`, a part of the differential of the whole.
#[derive(Clone, Copy, PartialEq)]
struct Pair {
    cotangent: Id,
    term: Id,
}

struct Engine<'g> {
    graph: &'g mut Graph,
    wrt: Id,
    /// The differential of each node in the symbols of the parts just below it.
    local: FxHashMap<Id, Id>,
    symbol_of: FxHashMap<Id, Id>,
    part_of: FxHashMap<Id, Id>,
    free: FxHashSet<Id>,
    /// Which nodes contain a symbol; nodes never change, so neither does this.
    contains: FxHashMap<Id, bool>,
    steps: Steps,
}

/// The steps from a scalar to its gradient.
pub fn gradient_steps(
    graph: &mut Graph,
    root: Id,
    (wrt, differential): (Id, Id),
    gradient: Id,
    name: &mut NameCotangent<'_>,
) -> Steps {
    let mut engine = Engine::new(graph, root, wrt, differential);
    if !engine.local.contains_key(&root) {
        engine.push(Left::Answer, gradient, vec![&rules::READING]);
        return engine.steps;
    }
    let rules = engine.rules_of(root);
    let whole = engine.local[&root];
    engine.push(Left::Whole, whole, rules);
    let one = engine.graph.constant(1.0);
    let mut pairs = engine.settle(vec![Pair { cotangent: one, term: whole }]);
    engine.name_cotangents(&mut pairs, name);
    while let Some(part) = engine.highest(&pairs) {
        let right = engine.local[&part];
        let rules = engine.rules_of(part);
        engine.push(Left::Part(part), right, rules);
        let symbol = engine.symbol_of[&part];
        for pair in &mut pairs {
            if pair.term == symbol {
                pair.term = right;
            }
        }
        engine.show(&pairs, vec![&rules::SUBSTITUTION]);
        pairs = engine.settle(pairs);
        engine.name_cotangents(&mut pairs, name);
    }
    // In the names of the lines above; a single term is the gradient itself.
    let answer = match (pairs.as_slice(), engine.steps.named) {
        ([only], true) => only.cotangent,
        _ => gradient,
    };
    engine.push(Left::Answer, answer, vec![&rules::READING]);
    engine.steps
}

/// The steps from a function to its Jacobian: its differential, part by part, and the matrix that is read off.
pub fn jacobian_steps(graph: &mut Graph, root: Id, wrt: Id, differential: Id, answer: Id) -> Steps {
    let mut engine = Engine::new(graph, root, wrt, differential);
    if !engine.local.contains_key(&root) {
        return engine.steps;
    }
    let tangent = linearize(engine.graph, root, &[(wrt, differential)]).tangent;
    let rules = engine.rules_of(root);
    engine.push(Left::Whole, engine.local[&root], rules);
    let mut open = engine.symbols_in(engine.local[&root]);
    while let Some(&part) = open.iter().max() {
        open.remove(&part);
        let right = engine.local[&part];
        let rules = engine.rules_of(part);
        engine.push(Left::Part(part), right, rules);
        open.extend(engine.symbols_in(right));
    }
    if let Some(tangent) = tangent.filter(|&tangent| engine.steps.lines.iter().all(|line| line.right != tangent)) {
        engine.push(Left::Whole, tangent, vec![&rules::SUBSTITUTION]);
    }
    let scalar = engine.graph.shape(wrt).is_scalar();
    engine.push(Left::Answer, answer, vec![if scalar { &rules::READING } else { &rules::VECTORISING }]);
    engine.steps
}

impl<'g> Engine<'g> {
    fn new(graph: &'g mut Graph, root: Id, wrt: Id, differential: Id) -> Engine<'g> {
        let tangents = linearize(graph, root, &[(wrt, differential)]).tangents;
        let mut engine = Engine {
            graph,
            wrt,
            local: FxHashMap::default(),
            symbol_of: FxHashMap::default(),
            part_of: FxHashMap::default(),
            free: [differential].into_iter().collect(),
            contains: FxHashMap::default(),
            steps: Steps::default(),
        };
        let parts = engine.parts(root, &tangents);
        let mut value: FxHashMap<Id, Id> = [(wrt, differential)].into_iter().collect();
        for id in engine.graph.reachable(&[root]) {
            if id == wrt || !tangents.contains_key(&id) {
                continue;
            }
            let of_args: Vec<Option<Id>> = engine.graph.args(id).iter().map(|arg| value.get(arg).copied()).collect();
            let Some(local) = local_differential(engine.graph, id, &of_args) else { continue };
            engine.local.insert(id, local);
            let seen = if parts.contains(&id) { engine.symbol(id, tangents[&id]) } else { local };
            value.insert(id, seen);
        }
        engine
    }

    fn symbol(&mut self, part: Id, tangent: Id) -> Id {
        let name = self.graph.name(part).map_or_else(|| "d(...)".to_owned(), |name| format!("d{name}"));
        let symbol = self.graph.differential(&name, part);
        self.symbol_of.insert(part, symbol);
        self.part_of.insert(symbol, part);
        self.free.insert(symbol);
        self.steps.symbols.push((part, symbol, tangent));
        symbol
    }

    /// The rules by which the differential of a node is taken, down to the parts below it.
    fn rules_of(&self, root: Id) -> Vec<&'static StepRule> {
        let mut rules: Vec<&'static StepRule> = Vec::new();
        let mut seen = FxHashSet::default();
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            if !seen.insert(id) || id == self.wrt || !self.local.contains_key(&id) {
                continue;
            }
            if id == root || !self.symbol_of.contains_key(&id) {
                let rule = of_differential(self.graph, id);
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
                stack.extend(self.graph.args(id).iter().copied());
            }
        }
        // That sums are linear goes without saying next to a rule that says more.
        if rules.len() > 1 {
            rules.retain(|rule| **rule != rules::SUM);
        }
        rules.sort_by_key(|rule| rule.number);
        rules
    }

    fn push(&mut self, left: Left, right: Id, rules: Vec<&'static StepRule>) {
        let same = |line: &Line| line.left == left && line.right == right;
        if !self.steps.lines.iter().rev().find(|line| line.left == left).is_some_and(same) {
            self.steps.lines.push(Line { left, right, rules, defines: Vec::new() });
        }
    }

    fn show(&mut self, pairs: &[Pair], rules: Vec<&'static StepRule>) {
        let terms: Vec<Id> = pairs.iter().map(|&pair| self.inner(pair)).collect();
        // Nothing is left of a differential that is zero.
        let sum = if terms.is_empty() { self.graph.constant(0.0) } else { self.graph.add(&terms) };
        self.push(Left::Whole, sum, rules);
    }

    /// Moves every term until it is a symbol, a line for each kind of move; then adds up what belongs to one symbol.
    fn settle(&mut self, mut pairs: Vec<Pair>) -> Vec<Pair> {
        loop {
            let mut used: Vec<&'static StepRule> = Vec::new();
            pairs = self.silent(pairs, &mut used);
            let Some(rule) = pairs.iter().find_map(|pair| self.next_rule(*pair)) else {
                self.show(&pairs, used);
                break;
            };
            let mut moved = Vec::with_capacity(pairs.len());
            for pair in pairs {
                moved.extend(self.moved(pair, rule, &mut used));
            }
            pairs = self.silent(moved, &mut used);
            used.sort_by_key(|rule| rule.number);
            used.dedup();
            self.show(&pairs, used);
        }
        let mut collected: Vec<Pair> = Vec::new();
        for pair in &pairs {
            match collected.iter_mut().find(|other| other.term == pair.term) {
                Some(other) => other.cotangent = self.graph.add(&[other.cotangent, pair.cotangent]),
                None => collected.push(*pair),
            }
        }
        if collected.len() < pairs.len() {
            self.show(&collected, vec![&rules::COLLECTION]);
        }
        collected
    }

    /// A long cotangent that more lines will use gets a name: the delta of its part.
    fn name_cotangents(&mut self, pairs: &mut [Pair], name: &mut NameCotangent<'_>) {
        for pair in pairs {
            let Some(&part) = self.part_of.get(&pair.term) else { continue };
            let known = self.graph.name(pair.cotangent).map(str::to_owned);
            let known = known.filter(|_| !self.graph.args(pair.cotangent).is_empty());
            let Some(name) = known.or_else(|| name(self.graph, pair.cotangent, part)) else { continue };
            let shape = self.graph.shape(pair.cotangent);
            let variable = self.graph.variable(&name, crate::lang::Role::Constant, shape);
            let line = self.steps.lines.last_mut().expect("a line shows the pairs");
            line.defines.push((variable, pair.cotangent));
            self.steps.named = true;
            pair.cotangent = variable;
        }
    }

    /// The part that is replaced next: the one nearest to the function.
    fn highest(&self, pairs: &[Pair]) -> Option<Id> {
        pairs.iter().filter_map(|pair| self.part_of.get(&pair.term).copied()).max()
    }

    fn symbols_in(&self, id: Id) -> FxHashSet<Id> {
        self.graph.reachable(&[id]).iter().filter_map(|node| self.part_of.get(node).copied()).collect()
    }
}
