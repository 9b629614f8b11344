//! Chains of matrix products in the order that costs least. Where extents are open a guess will do: what matters is
//! whether a product is of vectors or of matrices, and whether it is worked out anyway.

use rustc_hash::FxHashMap;

use super::Lowering;
use crate::lang::ops::contract::Contract;
use crate::lang::{Dim, Graph, Id, Op};
use crate::text::emit::form::Ref;

/// Longer chains keep the order of the text.
const LONGEST: usize = 10;
/// What an open extent counts for.
const OPEN: f64 = 100.0;

/// How often each node is used.
pub(super) fn uses(graph: &Graph, list: &[Id]) -> FxHashMap<Id, usize> {
    let mut uses = FxHashMap::default();
    for &id in list {
        for &arg in graph.args(id) {
            *uses.entry(arg).or_insert(0) += 1;
        }
    }
    uses
}

impl Lowering<'_> {
    /// The product of matrices at a node: the factors of products that nothing else needs, in the best order. Products
    /// that are worked out anyway cost nothing.
    pub(super) fn chain(&mut self, id: Id) -> Ref {
        let graph = self.graph;
        let factors = self.factors(id);
        let refs: Vec<Ref> = factors.iter().map(|factor| self.refs[factor]).collect();
        let mut extents = vec![extent(graph, graph.shape(factors[0]).rows())];
        extents.extend(factors.iter().map(|&factor| extent(graph, graph.shape(factor).cols())));
        let splits = match refs.len() {
            n if n == 2 || n > LONGEST => Vec::new(),
            _ => {
                let known: Vec<bool> = refs.windows(2).map(|pair| self.is_known(pair[0], pair[1])).collect();
                cheapest(&extents, &known)
            }
        };
        let product = match splits.first() {
            Some(whole) if whole.cost < 0.9 * self.order_of_text(id) => self.multiply(&refs, &splits, 0, refs.len()),
            _ => {
                let args: Vec<Ref> = graph.args(id).iter().map(|arg| self.refs[arg]).collect();
                self.arena.matmul(args[0], args[1])
            }
        };
        if !self.is_link(id) {
            self.products.insert(product);
        }
        product
    }

    /// Is the product of two factors, or its transpose, worked out already?
    fn is_known(&mut self, a: Ref, b: Ref) -> bool {
        let known = self.arena.known_matmul(a, b);
        known.is_some_and(|known| self.products.contains(&known))
    }

    /// The factors of a chain, from left to right.
    fn factors(&self, id: Id) -> Vec<Id> {
        let mut list = Vec::new();
        let mut stack = vec![id];
        while let Some(at) = stack.pop() {
            if at == id || self.is_link(at) {
                stack.extend(self.graph.args(at).iter().rev());
            } else {
                list.push(at);
            }
        }
        list
    }

    /// A product that only the chain needs, without a name.
    fn is_link(&self, id: Id) -> bool {
        let is_product = self.graph.op(id) == Op::Contract(Contract::MATMUL);
        is_product && self.graph.name(id).is_none() && self.uses.get(&id) == Some(&1)
    }

    /// The multiplications in the order of the text, of a short chain.
    fn order_of_text(&self, id: Id) -> f64 {
        let graph = self.graph;
        let mut cost = 0.0;
        let mut stack = vec![id];
        while let Some(at) = stack.pop() {
            let [a, b] = [0, 1].map(|side: usize| graph.args(at)[side]);
            let of = |dim: Dim| extent(graph, dim);
            cost += of(graph.shape(a).rows()) * of(graph.shape(a).cols()) * of(graph.shape(b).cols());
            stack.extend([a, b].into_iter().filter(|&arg| self.is_link(arg)));
        }
        cost
    }

    /// The product of some factors of a short chain.
    fn multiply(&mut self, refs: &[Ref], splits: &[Split], from: usize, to: usize) -> Ref {
        if to - from == 1 {
            return refs[from];
        }
        let split = splits.iter().find(|split| (split.from, split.to) == (from, to)).expect("every part has its split");
        let left = self.multiply(refs, splits, from, split.at);
        let right = self.multiply(refs, splits, split.at, to);
        let product = self.arena.matmul(left, right);
        self.products.insert(product);
        product
    }
}

fn extent(graph: &Graph, dim: Dim) -> f64 {
    graph.dims.value_with(dim, &|_| Some(OPEN as u64)).map_or(OPEN, |n| n as f64)
}

/// Where the product of the factors `from..to` is cut, and what it costs.
#[derive(Clone, Copy)]
struct Split {
    from: usize,
    to: usize,
    at: usize,
    cost: f64,
}

/// The cheapest cuts, the whole chain first; products of neighbours that are known cost nothing (Cormen et al.,
/// "Introduction to Algorithms", matrix-chain multiplication).
fn cheapest(extents: &[f64], known: &[bool]) -> Vec<Split> {
    let count = extents.len() - 1;
    let mut splits: Vec<Split> = Vec::new();
    for length in 2..=count {
        for from in 0..=count - length {
            let to = from + length;
            let cost = |splits: &[Split], a: usize, b: usize| {
                splits.iter().find(|split| (split.from, split.to) == (a, b)).map_or(0.0, |split| split.cost)
            };
            let of = |at: usize| match length == 2 && known[from] {
                true => 0.0,
                false => cost(&splits, from, at) + cost(&splits, at, to) + extents[from] * extents[at] * extents[to],
            };
            let best = (from + 1..to).map(|at| Split { from, to, at, cost: of(at) });
            let best = best.reduce(|best, other| if other.cost < best.cost { other } else { best });
            splits.extend(best);
        }
    }
    splits.reverse();
    splits
}
