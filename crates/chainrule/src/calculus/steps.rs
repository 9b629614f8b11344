//! A derivation as people write it: differentials are taken, `dX` is moved free under the trace, terms are collected, the
//! gradient is read off. Each line is an equation between two expressions of the graph that anybody can evaluate.
//!
//! Long functions are taken apart at their named parts and at the arguments of functions that are not linear: such a part
//! `y` appears as the symbol `d(y)` until its own line replaces it.

pub mod rules;

use rustc_hash::{FxHashMap, FxHashSet};

use super::differentiate::{adjoint, linearize, local_differential};
use crate::lang::{Axes, Class, Derivative, Graph, Id, Op};
use rules::{StepRule, of_differential, of_move};

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
    /// Cotangents that get a name here: the node and the part they belong to.
    pub defines: Vec<(Id, Id)>,
}

/// The lines of a derivation and what their symbols stand for.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// The symbols `d(y)`: the part `y`, its symbol, and the true differential of `y`.
    pub symbols: Vec<(Id, Id, Id)>,
}

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
    /// Is the part a name that the reader knows from the formula?
    names_cotangents: bool,
}

/// The steps from a scalar to its gradient.
pub fn gradient_steps(graph: &mut Graph, root: Id, wrt: Id, differential: Id, gradient: Id) -> Steps {
    let mut engine = Engine::new(graph, root, wrt, differential);
    if !engine.local.contains_key(&root) {
        return engine.steps;
    }
    let rules = engine.rules_of(root);
    let whole = engine.local[&root];
    engine.push(Left::Whole, whole, rules);
    let one = engine.graph.constant(1.0);
    let mut pairs = engine.settle(vec![Pair { cotangent: one, term: whole }]);
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
    }
    engine.push(Left::Answer, gradient, vec![&rules::READING]);
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
            names_cotangents: false,
        };
        let parts = engine.parts(root, &tangents);
        engine.names_cotangents = parts.iter().any(|&part| engine.graph.name(part).is_some());
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

    /// Where the function is taken apart: named parts, and what functions that are not linear are applied to.
    fn parts(&self, root: Id, tangents: &FxHashMap<Id, Id>) -> FxHashSet<Id> {
        let mut parts = FxHashSet::default();
        for id in self.graph.reachable(&[root]) {
            if !tangents.contains_key(&id) {
                continue;
            }
            if self.graph.name(id).is_some() {
                parts.insert(id);
            }
            for (at, &arg) in self.graph.args(id).iter().enumerate() {
                if matches!(self.graph.op(id).def().derivative(at), Derivative::Rule(_)) {
                    parts.insert(self.below_views(arg));
                }
            }
        }
        parts.retain(|&id| id != root && id != self.wrt && tangents.contains_key(&id));
        parts
    }

    /// What is seen through transposes, broadcasts and multiples.
    fn below_views(&self, mut id: Id) -> Id {
        loop {
            let args = self.graph.args(id);
            let open = self.graph.name(id).is_none();
            match self.graph.op(id) {
                op if open && op.def().class() == Class::View && !args.is_empty() => id = args[0],
                Op::Mul(_) if open => {
                    let mut rest = args.iter().filter(|&&a| self.graph.constant_value(a).is_none());
                    match (rest.next(), rest.next()) {
                        (Some(&only), None) => id = only,
                        _ => return id,
                    }
                }
                _ => return id,
            }
        }
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
        let sum = self.graph.add(&terms);
        self.push(Left::Whole, sum, rules);
    }

    /// `<g, t>` as people write it: a product of scalars, `sum(t)`, `tr(t)`, `g'*t`, or `tr(g'*t)`.
    fn inner(&mut self, Pair { cotangent: g, term: t }: Pair) -> Id {
        let shape = self.graph.shape(t);
        if shape.rank() != 2 {
            let product = self.graph.mul(&[g, t]);
            return self.graph.sum_all(product);
        }
        if shape.is_scalar() {
            return self.graph.mul(&[g, t]);
        }
        if let Op::Broadcast(_) = self.graph.op(g)
            && self.graph.shape(self.graph.args(g)[0]).is_scalar()
        {
            let (scale, sum) = (self.graph.args(g)[0], self.graph.sum_all(t));
            return self.graph.mul(&[scale, sum]);
        }
        let one = crate::lang::Dim::Known(1);
        if shape.rows() == one {
            let turned = self.graph.transpose(g);
            return self.graph.matmul(t, turned);
        }
        let turned = self.graph.transpose(g);
        let product = self.graph.matmul(turned, t);
        if shape.cols() == one {
            return product;
        }
        let diagonal = self.graph.build(Op::Diagonal(crate::lang::ops::diagonal::Diagonal), &[product]);
        self.graph.sum(diagonal, Axes::all(2))
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
        self.name_cotangents(&collected);
        collected
    }

    /// A long cotangent that more lines will use gets a name: the delta of its part.
    fn name_cotangents(&mut self, pairs: &[Pair]) {
        let Some(line) = self.steps.lines.len().checked_sub(1).filter(|_| self.names_cotangents) else { return };
        for pair in pairs {
            let Some(&part) = self.part_of.get(&pair.term) else { continue };
            let cotangent = pair.cotangent;
            if !self.graph.args(cotangent).is_empty() && !matches!(self.graph.op(cotangent), Op::Broadcast(_)) {
                self.steps.lines[line].defines.push((cotangent, part));
            }
        }
    }

    /// Moves that need no line: sums split, scalars leave, sums of everything become ones.
    fn silent(&mut self, pairs: Vec<Pair>, used: &mut Vec<&'static StepRule>) -> Vec<Pair> {
        let mut done = Vec::new();
        let mut open: Vec<Pair> = pairs.into_iter().rev().collect();
        while let Some(pair) = open.pop() {
            if self.free.contains(&pair.term) {
                done.push(pair);
                continue;
            }
            match self.graph.op(pair.term) {
                Op::Add(_) => {
                    let args = self.linear_args(pair.term);
                    if args.len() > 1 && !used.contains(&&rules::DISTRIBUTION) {
                        used.push(&rules::DISTRIBUTION);
                    }
                    for (_, arg) in args.into_iter().rev() {
                        open.push(Pair { cotangent: pair.cotangent, term: arg });
                    }
                }
                Op::Mul(_) if self.is_scaling(pair.term) => open.push(self.step(pair)),
                Op::Sum(_) if self.graph.shape(pair.term).is_scalar() => open.push(self.step(pair)),
                _ => done.push(pair),
            }
        }
        done
    }

    /// Is every other factor a stretched scalar?
    fn is_scaling(&mut self, id: Id) -> bool {
        if self.graph.shape(id).is_scalar() {
            return true;
        }
        let linear = self.linear_args(id)[0].0;
        let stretched = |f: Id| match self.graph.op(f) {
            Op::Broadcast(_) => self.graph.shape(self.graph.args(f)[0]).is_scalar(),
            _ => false,
        };
        let mut others = self.graph.args(id).iter().enumerate().filter(|(at, _)| *at != linear);
        others.all(|(_, &f)| stretched(f))
    }

    fn linear_args(&mut self, id: Id) -> Vec<(usize, Id)> {
        let args: Vec<(usize, Id)> = self.graph.args(id).iter().copied().enumerate().collect();
        args.into_iter().filter(|(_, arg)| self.depends(*arg)).collect()
    }

    fn depends(&mut self, id: Id) -> bool {
        let mut stack = vec![id];
        while let Some(&top) = stack.last() {
            if self.contains.contains_key(&top) {
                stack.pop();
                continue;
            }
            let args = self.graph.args(top);
            let unknown: Vec<Id> = args.iter().copied().filter(|arg| !self.contains.contains_key(arg)).collect();
            if unknown.is_empty() {
                let found = self.free.contains(&top) || args.iter().any(|arg| self.contains[arg]);
                self.contains.insert(top, found);
            }
            stack.extend(unknown);
        }
        self.contains[&id]
    }

    /// One adjoint.
    fn step(&mut self, pair: Pair) -> Pair {
        let (at, arg) = self.linear_args(pair.term)[0];
        let term = pair.term;
        let shape = self.graph.shape(term);
        let y_bar = self.graph.broadcast(pair.cotangent, shape);
        Pair { cotangent: adjoint(self.graph, term, at, y_bar), term: arg }
    }

    fn next_rule(&self, pair: Pair) -> Option<&'static StepRule> {
        (!self.free.contains(&pair.term)).then(|| of_move(self.graph.op(pair.term)))
    }

    /// Moves one term as far as one rule goes; a transpose at the end is undone in the same line.
    fn moved(&mut self, pair: Pair, rule: &'static StepRule, used: &mut Vec<&'static StepRule>) -> Vec<Pair> {
        let mut pair = pair;
        let mut any = false;
        while let Some(next) = self.next_rule(pair) {
            let transpose = *next == rules::TRANSPOSE && any;
            if *next != *rule && !transpose {
                break;
            }
            any = true;
            if !used.contains(&next) {
                used.push(next);
            }
            pair = self.step(pair);
            let mut inner = Vec::new();
            let split = self.silent(vec![pair], &mut inner);
            match split.as_slice() {
                [only] => pair = *only,
                _ => return split,
            }
        }
        vec![pair]
    }

    /// The part that is replaced next: the one nearest to the function.
    fn highest(&self, pairs: &[Pair]) -> Option<Id> {
        pairs.iter().filter_map(|pair| self.part_of.get(&pair.term).copied()).max()
    }

    fn symbols_in(&self, id: Id) -> FxHashSet<Id> {
        self.graph.reachable(&[id]).iter().filter_map(|node| self.part_of.get(node).copied()).collect()
    }
}
