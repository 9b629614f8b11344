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

    /// Where the function is taken apart: named parts, and what functions that are not linear are applied to unless its
    /// differential is as plain as `A*dX`.
    fn parts(&self, root: Id, tangents: &FxHashMap<Id, Id>) -> FxHashSet<Id> {
        let mut parts = FxHashSet::default();
        // Products of matrices between a node and the variable; nothing when there is more than products.
        let mut products: FxHashMap<Id, Option<usize>> = [(self.wrt, Some(0))].into_iter().collect();
        for id in self.graph.reachable(&[root]) {
            if id == self.wrt || !tangents.contains_key(&id) {
                continue;
            }
            let args = self.graph.args(id);
            let of_args: Vec<Option<usize>> = args.iter().filter_map(|arg| products.get(arg).copied()).collect();
            let linear = |at: usize| !matches!(self.graph.op(id).def().derivative(at), Derivative::Rule(_));
            let plain = of_args.len() == 1 && (0..args.len()).all(linear);
            let own = usize::from(matches!(self.graph.op(id), Op::Contract(_) | Op::Mul(_)));
            let count = of_args[0].filter(|_| plain).map(|count| count + own);
            let named = self.graph.name(id).is_some();
            products.insert(id, count.filter(|_| !named));
            if named {
                parts.insert(id);
            }
            for (at, &arg) in args.iter().enumerate() {
                let part = self.below_views(arg, tangents);
                let plain = products.get(&part).is_none_or(|count| count.is_some_and(|count| count <= 1));
                if !linear(at) && !plain {
                    parts.insert(part);
                }
            }
        }
        parts.retain(|&id| id != root && id != self.wrt && tangents.contains_key(&id));
        parts
    }

    /// What is seen through transposes, broadcasts, multiples and constant terms.
    fn below_views(&self, mut id: Id, tangents: &FxHashMap<Id, Id>) -> Id {
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
                Op::Add(_) if open => {
                    let mut rest = args.iter().filter(|a| tangents.contains_key(a));
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
    fn inner(&mut self, pair: Pair) -> Id {
        let (scalars, g) = self.scalars(pair.cotangent);
        let product = self.product(g, pair.term);
        if scalars.is_empty() { product } else { self.graph.mul(&[scalars, vec![product]].concat()) }
    }

    /// The scalar factors of a cotangent, and the rest.
    fn scalars(&mut self, g: Id) -> (Vec<Id>, Id) {
        let Op::Mul(_) = self.graph.op(g) else { return (Vec::new(), g) };
        let source = |graph: &Graph, f: Id| match graph.op(f) {
            Op::Broadcast(_) => Some(graph.args(f)[0]).filter(|&s| graph.shape(s).is_scalar()),
            _ => None,
        };
        let args = self.graph.args(g).to_vec();
        let (scalars, rest): (Vec<Id>, Vec<Id>) = args.iter().partition(|&&f| source(self.graph, f).is_some());
        if scalars.is_empty() || rest.is_empty() {
            return (Vec::new(), g);
        }
        let scalars = scalars.iter().filter_map(|&f| source(self.graph, f)).collect();
        (scalars, self.graph.mul(&rest))
    }

    fn product(&mut self, g: Id, t: Id) -> Id {
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
                // A trace is a sum: <1, tr(a)> = <eye, a>.
                Op::Diagonal(_) if self.graph.constant_value(pair.cotangent).is_some() => open.push(self.step(pair)),
                Op::Sum(_) | Op::Broadcast(_) => {
                    if !used.contains(&&rules::STRETCH) {
                        used.push(&rules::STRETCH);
                    }
                    open.push(self.step(pair));
                }
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
        let mut done = Vec::new();
        let mut open = vec![(pair, false)];
        while let Some((pair, began)) = open.pop() {
            let next = self.next_rule(pair).filter(|next| **next == *rule || began && **next == rules::TRANSPOSE);
            let Some(next) = next else {
                done.push(pair);
                continue;
            };
            if !used.contains(&next) {
                used.push(next);
            }
            let stepped = self.step(pair);
            let split = self.silent(vec![stepped], used);
            open.extend(split.into_iter().rev().map(|pair| (pair, true)));
        }
        done
    }

    /// The part that is replaced next: the one nearest to the function.
    fn highest(&self, pairs: &[Pair]) -> Option<Id> {
        pairs.iter().filter_map(|pair| self.part_of.get(&pair.term).copied()).max()
    }

    fn symbols_in(&self, id: Id) -> FxHashSet<Id> {
        self.graph.reachable(&[id]).iter().filter_map(|node| self.part_of.get(node).copied()).collect()
    }
}
