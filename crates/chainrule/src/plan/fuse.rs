//! Fusion by class: element-wise nodes and the sums over them share a loop.
//!
//! Nodes are visited from the results backwards. A node joins the loop of one of its users when that loop runs over the
//! same space and nothing outside the loop stands between them; otherwise it starts a loop of its own.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Lowering;
use super::take::{Kind, Taken};
use crate::lang::{Class, Id, Op};

/// Most nodes in one loop: registers and operands are numbered with small integers.
pub const MAX_MEMBERS: usize = 96;

/// Nodes that one kernel call computes.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Members, arguments first.
    pub members: Vec<Id>,
    /// rows x cols of the loop, when it is element-wise.
    pub space: Option<Vec<usize>>,
}

/// All groups in the order of execution.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The groups.
    pub list: Vec<Group>,
    /// The group of each computed node.
    pub of: FxHashMap<Id, usize>,
    /// The nodes that use each node: through views, too.
    pub users: FxHashMap<Id, Vec<Id>>,
}

struct Fuser<'a> {
    lowering: &'a Lowering<'a>,
    taken: &'a Taken,
    groups: Vec<Group>,
    of: FxHashMap<Id, usize>,
    users: FxHashMap<Id, Vec<Id>>,
}

/// The space a node's loop runs over: of its argument for a sum.
fn space(lowering: &Lowering, taken: &Taken, id: Id) -> Option<Vec<usize>> {
    match taken.op(lowering, id).def().class() {
        Class::Map => Some(taken.sizes[&id].clone()),
        Class::Reduce if reduction(lowering, taken, id).is_some() => {
            Some(taken.sizes[&taken.args(lowering, id)[0]].clone())
        }
        _ => None,
    }
}

/// How a sum or maximum runs in a loop over its argument; `None` when its axes need another order of elements.
pub fn reduction(lowering: &Lowering, taken: &Taken, id: Id) -> Option<kernels::Over> {
    let axes = match taken.op(lowering, id) {
        Op::Sum(sum) => sum.0,
        Op::Max(max) => max.0,
        _ => return None,
    };
    let sizes = &taken.sizes[&taken.args(lowering, id)[0]];
    let last = sizes.len() - 1;
    let folded = |axis: usize| axes.contains(axis) || sizes[axis] == 1;
    let (all_outer, none_outer) = ((0..last).all(folded), (0..last).all(|a| !axes.contains(a) || sizes[a] == 1));
    match (all_outer, none_outer, folded(last)) {
        (true, _, true) => Some(kernels::Over::All),
        (false, true, true) => Some(kernels::Over::Rows),
        (true, _, false) => Some(kernels::Over::Columns),
        _ => None,
    }
}

/// Groups the computed nodes.
pub fn fuse(lowering: &Lowering, taken: &Taken) -> Groups {
    let mut fuser =
        Fuser { lowering, taken, groups: Vec::new(), of: FxHashMap::default(), users: users(lowering, taken) };
    for &id in taken.order.iter().rev() {
        if taken.kinds[&id] == Kind::Compute {
            fuser.visit(id);
        }
    }
    fuser.ordered()
}

/// Who uses each node; a view hands its users on, so only computed nodes and variables appear as keys that matter.
fn users(lowering: &Lowering, taken: &Taken) -> FxHashMap<Id, Vec<Id>> {
    let mut users: FxHashMap<Id, Vec<Id>> = FxHashMap::default();
    for &id in &taken.order {
        if !matches!(taken.kinds[&id], Kind::Number(_)) {
            for arg in taken.args(lowering, id) {
                users.entry(arg).or_default().push(id);
            }
        }
    }
    users
}

impl Fuser<'_> {
    fn visit(&mut self, id: Id) {
        let space = space(self.lowering, self.taken, id);
        if let Some(space) = &space {
            let users = self.users.get(&id).cloned().unwrap_or_default();
            let mut candidates: Vec<usize> = Vec::new();
            for user in self.neighbours(id, &users) {
                let Some(&group) = self.of.get(&user) else { continue };
                let fits =
                    self.groups[group].space.as_ref() == Some(space) && self.groups[group].members.len() < MAX_MEMBERS;
                if fits && !candidates.contains(&group) {
                    candidates.push(group);
                }
            }
            // The group that runs first keeps values in registers for the shortest time.
            candidates.sort_unstable_by(|a, b| b.cmp(a));
            for group in candidates {
                if self.can_join(id, group) {
                    self.groups[group].members.push(id);
                    self.of.insert(id, group);
                    return;
                }
            }
        }
        self.groups.push(Group { members: vec![id], space });
        self.of.insert(id, self.groups.len() - 1);
    }

    /// Loops that might take the node: those of its direct users, and those that read the same argument as a sum.
    fn neighbours(&self, id: Id, users: &[Id]) -> Vec<Id> {
        let mut list: Vec<Id> = users.iter().copied().filter(|&user| self.reads_in_place(user)).collect();
        if matches!(self.taken.op(self.lowering, id), Op::Sum(_) | Op::Max(_)) {
            let x = self.taken.args(self.lowering, id)[0];
            let siblings = self.users.get(&x).cloned().unwrap_or_default();
            list.extend(siblings.into_iter().filter(|&s| s != id && self.reads_in_place(s)));
        }
        list
    }

    /// Does the user read its arguments element by element?
    fn reads_in_place(&self, user: Id) -> bool {
        self.taken.kinds[&user] == Kind::Compute
            && matches!(self.taken.op(self.lowering, user).def().class(), Class::Map | Class::Reduce)
    }

    /// A node may join a group unless another of its users has to run before that group does, or a member of the group
    /// needs the node through something outside the group.
    fn can_join(&self, id: Id, group: usize) -> bool {
        let members: FxHashSet<Id> = self.groups[group].members.iter().copied().collect();
        // A result of the loop's own sums cannot be read inside the loop.
        let is_reduction = self.taken.op(self.lowering, id).def().class() == Class::Reduce;
        let users = self.users.get(&id).cloned().unwrap_or_default();
        if is_reduction && users.iter().any(|user| members.contains(user)) {
            return false;
        }
        let mut seen: FxHashSet<Id> = FxHashSet::default();
        let mut stack: Vec<Id> = users.into_iter().filter(|user| !members.contains(user)).collect();
        while let Some(next) = stack.pop() {
            if !seen.insert(next) {
                continue;
            }
            if members.contains(&next) {
                return false;
            }
            if let Some(&other) = self.of.get(&next) {
                // All members of that group run together.
                for &member in &self.groups[other].members {
                    if member != next && !seen.contains(&member) {
                        stack.push(member);
                    }
                }
            }
            stack.extend(self.users.get(&next).into_iter().flatten().copied());
        }
        true
    }

    /// Groups in an order in which arguments come first; from the results, what is needed soonest first.
    fn ordered(mut self) -> Groups {
        for group in &mut self.groups {
            group.members.reverse();
        }
        let mut needs: Vec<Vec<usize>> = vec![Vec::new(); self.groups.len()];
        for (index, group) in self.groups.iter().enumerate() {
            for &member in &group.members {
                for arg in self.taken.args(self.lowering, member) {
                    for producer in self.producers(arg) {
                        if producer != index && !needs[index].contains(&producer) {
                            needs[index].push(producer);
                        }
                    }
                }
            }
        }
        let order = topological(&needs, &self.wanted_first());
        let mut place = vec![0; order.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from] = to;
        }
        let list = order.iter().map(|&index| self.groups[index].clone()).collect();
        let of = self.taken.order.iter().filter_map(|id| self.of.get(id).map(|&g| (*id, place[g]))).collect();
        Groups { list, of, users: self.users }
    }

    /// The groups of the outputs, in the order in which they were asked for.
    fn wanted_first(&self) -> Vec<usize> {
        let outputs = self.lowering.outputs.iter();
        let mut wanted: Vec<usize> = outputs.flat_map(|o| self.producers(o.node)).collect();
        wanted.extend(0..self.groups.len());
        wanted
    }

    /// The group that computes what a node shows.
    fn producers(&self, mut id: Id) -> Vec<usize> {
        loop {
            match self.taken.kinds[&id] {
                Kind::Compute => return vec![self.of[&id]],
                Kind::View => match self.taken.args(self.lowering, id).first() {
                    Some(&arg) => id = arg,
                    None => return Vec::new(),
                },
                Kind::Number(_) | Kind::Host | Kind::Variable => return Vec::new(),
            }
        }
    }
}

/// Post-order over the needs, without recursion.
fn topological(needs: &[Vec<usize>], roots: &[usize]) -> Vec<usize> {
    let mut done = vec![0u8; needs.len()];
    let mut order = Vec::with_capacity(needs.len());
    for &root in roots {
        let mut stack = vec![(root, false)];
        while let Some((index, leave)) = stack.pop() {
            if leave {
                if done[index] == 1 {
                    done[index] = 2;
                    order.push(index);
                }
            } else if done[index] == 0 {
                done[index] = 1;
                stack.push((index, true));
                stack.extend(needs[index].iter().rev().filter(|&&n| done[n] == 0).map(|&n| (n, false)));
            }
        }
    }
    order
}
