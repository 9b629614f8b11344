//! Chains of matrix products in the order that costs least. Where extents are open a guess will do: what matters is
//! whether a product is of vectors or of matrices, and whether it is worked out anyway.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Lowering;
use crate::lang::ops::contract::Contract;
use crate::lang::ops::view::Permute;
use crate::lang::{Dim, Graph, Id, Op};
use crate::text::emit::form::Ref;

/// Longer chains keep the order of the text.
const LONGEST: usize = 10;
/// What an open extent counts for.
const OPEN: f64 = 100.0;

/// What is known of the products of matrices before any of them is lowered.
#[derive(Default)]
pub(super) struct Chains {
    /// Products that stand in one longer product alone, and have no name.
    links: FxHashSet<Id>,
    /// The pairs of matrices whose product is worked out whatever becomes of longer chains.
    pairs: FxHashSet<(Plain, Plain)>,
}

impl Chains {
    pub(super) fn new(graph: &Graph, list: &[Id]) -> Chains {
        let mut uses: FxHashMap<Id, usize> = FxHashMap::default();
        list.iter().flat_map(|&id| graph.args(id)).for_each(|&arg| *uses.entry(arg).or_insert(0) += 1);
        let product = |id: Id| graph.op(id) == Op::Contract(Contract::MATMUL);
        let mut chains = Chains::default();
        for &id in list.iter().filter(|&&id| product(id)) {
            let alone = |arg: &&Id| product(**arg) && graph.name(**arg).is_none() && uses[*arg] == 1;
            chains.links.extend(graph.args(id).iter().filter(alone));
        }
        for &id in list.iter().filter(|&&id| product(id) && !chains.links.contains(&id)) {
            let [a, b] = [0, 1].map(|side: usize| graph.args(id)[side]);
            if !chains.links.contains(&a) && !chains.links.contains(&b) {
                chains.pairs.insert((plain(graph, a), plain(graph, b)));
            }
        }
        chains
    }
}

/// A node without its transpose, and whether it had one.
type Plain = (Id, bool);

fn plain(graph: &Graph, id: Id) -> Plain {
    match graph.op(id) {
        Op::Permute(Permute::TRANSPOSE) if graph.name(id).is_none() => (graph.args(id)[0], true),
        _ => (id, false),
    }
}

fn flipped((id, transposed): Plain) -> Plain {
    (id, !transposed)
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
            2 => Vec::new(),
            _ => {
                let known: Vec<bool> = factors.windows(2).map(|pair| self.is_known(pair[0], pair[1])).collect();
                cheapest(&extents, &known)
            }
        };
        match splits.first() {
            Some(whole) if whole.cost < 0.9 * self.order_of_text(id) => self.multiply(&refs, &splits, 0, refs.len()),
            _ => {
                let args: Vec<Ref> = graph.args(id).iter().map(|arg| self.refs[arg]).collect();
                self.arena.matmul(args[0], args[1])
            }
        }
    }

    /// Is the product of two factors, or its transpose, worked out anyway?
    fn is_known(&self, a: Id, b: Id) -> bool {
        let (a, b) = (plain(self.graph, a), plain(self.graph, b));
        self.chains.pairs.contains(&(a, b)) || self.chains.pairs.contains(&(flipped(b), flipped(a)))
    }

    /// The factors of a chain, from left to right; of a chain that is too long those of its last product.
    fn factors(&self, id: Id) -> Vec<Id> {
        let mut list = Vec::new();
        let mut stack = vec![id];
        while let Some(at) = stack.pop() {
            if list.len() + stack.len() >= LONGEST {
                return self.graph.args(id).to_vec();
            }
            if at == id || self.is_link(at) {
                stack.extend(self.graph.args(at).iter().rev());
            } else {
                list.push(at);
            }
        }
        list
    }

    fn is_link(&self, id: Id) -> bool {
        self.chains.links.contains(&id)
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
        self.arena.matmul(left, right)
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
