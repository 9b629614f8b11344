//! Where a function is taken apart.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Engine;
use crate::lang::{Class, Derivative, Id, Op};

impl Engine<'_> {
    /// Where the function is taken apart: named parts, and what functions that are not linear are applied to unless its
    /// differential is as plain as `A*dX`.
    pub(super) fn parts(&self, root: Id, tangents: &FxHashMap<Id, Id>) -> FxHashSet<Id> {
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
}
