//! Copies of expressions in which some nodes are replaced.

use rustc_hash::FxHashMap;

use super::graph::{Graph, Id};

impl Graph {
    /// `roots` with each node of `replaced` exchanged for its partner, which has the same shape. Costs as much as there
    /// are nodes; what contains none of them stays the same node.
    pub fn substitute(&mut self, roots: &[Id], replaced: &[(Id, Id)]) -> Vec<Id> {
        let mut now: FxHashMap<Id, Id> = replaced.iter().copied().collect();
        for id in self.reachable(roots) {
            if now.contains_key(&id) {
                continue;
            }
            let args: Vec<Id> = self.args(id).iter().map(|arg| now[arg]).collect();
            let same = args == self.args(id);
            let copy = if same { id } else { self.build(self.op(id), &args) };
            now.insert(id, copy);
        }
        roots.iter().map(|root| now[root]).collect()
    }
}
