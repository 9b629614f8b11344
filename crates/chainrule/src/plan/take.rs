//! The first pass: which nodes are needed, with their extents, and which of them are numbers or host scalars.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Lowering, PlanError};
use crate::lang::ops::contract::Contract;
use crate::lang::ops::elementwise::Unary;
use crate::lang::{Class, Id, Op, Role};

/// What a node is to the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number, known now.
    Number(f64),
    /// A scalar that the host computes before each run: it depends on clocks alone.
    Host,
    /// A variable with a place.
    Variable,
    /// A view of another node.
    View,
    /// Something to compute.
    Compute,
}

/// The needed nodes.
#[derive(Debug, Default)]
pub struct Taken {
    /// Needed nodes, arguments first.
    pub order: Vec<Id>,
    /// Extents of each.
    pub sizes: FxHashMap<Id, Vec<usize>>,
    /// What each is.
    pub kinds: FxHashMap<Id, Kind>,
    /// Nodes that are computed from another argument than the graph says (`step(a)` from `relu(a)`).
    pub replaced: FxHashMap<Id, Id>,
    /// Products of a number and a contraction or sum that nothing else uses: one kernel call with a factor.
    pub scaled: FxHashMap<Id, (f64, Id)>,
    /// Short products of a single row with a matrix: a few multiply-adds in the loop that uses them.
    pub expanded: FxHashSet<Id>,
}

/// Longest row that is multiplied inside a loop, and widest result.
const EXPANDED: (usize, usize) = (8, 64);

impl Taken {
    /// The arguments of a node as the plan computes it.
    #[must_use]
    pub fn args(&self, lowering: &Lowering, id: Id) -> Vec<Id> {
        match self.replaced.get(&id) {
            Some(&arg) => vec![arg],
            None => lowering.graph.args(self.inner(id)).to_vec(),
        }
    }

    /// The node whose operation is done for `id`: itself, or the contraction or sum that it scales.
    #[must_use]
    pub fn inner(&self, id: Id) -> Id {
        self.scaled.get(&id).map_or(id, |&(_, inner)| inner)
    }

    /// The operation that is done for a node.
    #[must_use]
    pub fn op(&self, lowering: &Lowering, id: Id) -> Op {
        lowering.graph.op(self.inner(id))
    }

    /// What the compiler sees of a node.
    #[must_use]
    pub fn class(&self, lowering: &Lowering, id: Id) -> Class {
        if self.expanded.contains(&id) { Class::Map } else { self.op(lowering, id).def().class() }
    }

    /// The factor of the operation's result.
    #[must_use]
    pub fn scale(&self, id: Id) -> f64 {
        self.scaled.get(&id).map_or(1.0, |&(scale, _)| scale)
    }

    /// The only element when the node has one.
    #[must_use]
    pub fn number(&self, id: Id) -> Option<f64> {
        match self.kinds[&id] {
            Kind::Number(value) => Some(value),
            _ => None,
        }
    }
}

/// Finds the needed nodes.
///
/// # Errors
/// A dimension is open or a size is too large.
pub fn take(lowering: &Lowering) -> Result<Taken, PlanError> {
    let roots: Vec<Id> = lowering.outputs.iter().map(|o| o.node).collect();
    let graph = lowering.graph;
    let mut taken = Taken { order: graph.reachable(&roots), ..Taken::default() };
    for &id in &taken.order {
        let sizes = extents(lowering, id)?;
        taken.sizes.insert(id, sizes);
    }
    // relu(a) > 0 exactly when a > 0: what the forward pass keeps anyway serves the backward pass.
    for &id in &taken.order {
        if graph.op(id) == Op::Unary(Unary::Step) {
            let x = graph.args(id)[0];
            let relu = taken.order.iter().find(|&&o| graph.op(o) == Op::Unary(Unary::Relu) && graph.args(o)[0] == x);
            if let Some(&relu) = relu {
                taken.replaced.insert(id, relu);
            }
        }
    }
    classify(lowering, &mut taken)?;
    taken.order = live(lowering, &taken, &roots);
    absorb_factors(lowering, &mut taken, &roots);
    taken.order = live(lowering, &taken, &roots);
    expand_rows(lowering, &mut taken);
    Ok(taken)
}

/// Finds products of one short row with a matrix that lies row by row.
fn expand_rows(lowering: &Lowering, taken: &mut Taken) {
    for &id in &taken.order {
        if taken.kinds[&id] != Kind::Compute || lowering.graph.op(id) != Op::Contract(Contract::MATMUL) {
            continue;
        }
        let args = taken.args(lowering, id);
        let (a, out) = (&taken.sizes[&args[0]], &taken.sizes[&id]);
        let dense = matches!(taken.kinds[&args[1]], Kind::Variable | Kind::Compute);
        if a[0] == 1 && a[1] <= EXPANDED.0 && out[1] <= EXPANDED.1 && dense {
            taken.expanded.insert(id);
        }
    }
}

/// Finds products of numbers with one contraction or sum.
fn absorb_factors(lowering: &Lowering, taken: &mut Taken, roots: &[Id]) {
    let graph = lowering.graph;
    let mut uses: FxHashMap<Id, usize> = FxHashMap::default();
    for id in roots.iter().copied().chain(taken.order.iter().flat_map(|&id| taken.args(lowering, id))) {
        *uses.entry(id).or_insert(0) += 1;
    }
    let sums = taken.order.iter().filter(|&&id| matches!(graph.op(id), Op::Add(_)));
    let is_term: FxHashSet<Id> =
        sums.flat_map(|&id| taken.args(lowering, id)).filter(|term| uses.get(term) == Some(&1)).collect();
    for &id in &taken.order {
        if taken.kinds[&id] != Kind::Compute || !matches!(graph.op(id), Op::Mul(_)) {
            continue;
        }
        let mut scale = 1.0;
        let mut others = Vec::new();
        for &factor in graph.args(id) {
            match number_behind(lowering, taken, factor) {
                Some(number) => scale *= number,
                None => others.push(factor),
            }
        }
        // A sum that the product is a term of multiplies on its own way through memory.
        let fused = matches!(others[..], [x] if matches!(graph.op(x), Op::Contract(_))) && is_term.contains(&id);
        if let [inner] = others[..]
            && !fused
            && matches!(graph.op(inner), Op::Contract(_) | Op::Sum(_))
            && taken.kinds[&inner] == Kind::Compute
            && uses.get(&inner) == Some(&1)
        {
            taken.scaled.insert(id, (scale, inner));
        }
    }
}

/// The number behind views: a stretched number is a number.
pub fn number_behind(lowering: &Lowering, taken: &Taken, mut id: Id) -> Option<f64> {
    loop {
        match taken.kinds.get(&id)? {
            Kind::Number(value) => return Some(*value),
            Kind::View if !matches!(lowering.graph.op(id), Op::DiagonalMatrix(_)) => id = lowering.graph.args(id)[0],
            _ => return None,
        }
    }
}

fn extents(lowering: &Lowering, id: Id) -> Result<Vec<usize>, PlanError> {
    let (graph, shape) = (lowering.graph, lowering.graph.shape(id));
    let open = |dim: crate::lang::Dim| lowering.extents.get(&dim).map(|&n| n as u64);
    let sizes: Option<Vec<usize>> = shape
        .dims()
        .iter()
        .map(|&dim| graph.dims.value_with(dim, &open).and_then(|n| usize::try_from(n).ok()))
        .collect();
    let sizes = sizes.ok_or_else(|| PlanError::OpenDimension(graph.dims.list(shape.dims())))?;
    let elements = sizes.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    elements.filter(|&n| n < usize::MAX / 64).map(|_| sizes).ok_or(PlanError::TooLarge)
}

fn classify(lowering: &Lowering, taken: &mut Taken) -> Result<(), PlanError> {
    let graph = lowering.graph;
    for &id in &taken.order.clone() {
        let op = graph.op(id);
        let args = taken.args(lowering, id);
        let one = taken.sizes[&id].iter().all(|&n| n == 1);
        let kind = match op {
            Op::Variable(_) => variable(lowering, id)?,
            Op::Constant(constant) => Kind::Number(constant.value()),
            Op::Size(size) => {
                let open = |dim: crate::lang::Dim| lowering.extents.get(&dim).map(|&n| n as u64);
                let n = graph.dims.value_with(size.0, &open);
                Kind::Number(n.ok_or_else(|| PlanError::OpenDimension(graph.dims.text(size.0)))? as f64)
            }
            _ => match op.def().class() {
                Class::View if one => taken.kinds[&args[0]].alias(),
                Class::View => Kind::View,
                Class::Map if one && args.iter().all(|a| matches!(taken.kinds[a], Kind::Number(_))) => {
                    let values: Vec<f64> = args.iter().filter_map(|a| taken.number(*a)).collect();
                    Kind::Number(super::host::number(op, &values))
                }
                Class::Map if one && args.iter().all(|a| matches!(taken.kinds[a], Kind::Number(_) | Kind::Host)) => {
                    Kind::Host
                }
                _ => Kind::Compute,
            },
        };
        taken.kinds.insert(id, kind);
    }
    Ok(())
}

impl Kind {
    /// A view of one element: a number or host scalar stays one.
    fn alias(self) -> Kind {
        match self {
            Kind::Number(_) => self,
            Kind::Host | Kind::Variable | Kind::View | Kind::Compute => Kind::View,
        }
    }
}

fn variable(lowering: &Lowering, id: Id) -> Result<Kind, PlanError> {
    let variable = lowering.graph.as_variable(id).expect("a variable node has a variable");
    match (variable.value, variable.role, lowering.variables.contains_key(&id)) {
        (Some(value), _, _) => Ok(Kind::Number(value)),
        (None, _, true) => Ok(Kind::Variable),
        (None, Role::Clock, false) => Ok(Kind::Host),
        (None, _, false) => Err(PlanError::Unplaced(variable.name.clone())),
    }
}

/// The nodes that are still needed when replaced arguments are followed; nothing below a number is.
fn live(lowering: &Lowering, taken: &Taken, roots: &[Id]) -> Vec<Id> {
    let mut needed: FxHashMap<Id, bool> = roots.iter().map(|&r| (r, true)).collect();
    // A replaced argument may have a larger id than its user: repeat until nothing changes (at most twice).
    loop {
        let before = needed.len();
        for &id in taken.order.iter().rev() {
            if needed.contains_key(&id) && !matches!(taken.kinds[&id], Kind::Number(_)) {
                for arg in taken.args(lowering, id) {
                    needed.insert(arg, true);
                }
            }
        }
        if needed.len() == before {
            break;
        }
    }
    let mut order: Vec<Id> = taken.order.iter().copied().filter(|id| needed.contains_key(id)).collect();
    sort(lowering, taken, &mut order);
    order
}

/// Arguments first, also where an argument was replaced by a later node.
fn sort(lowering: &Lowering, taken: &Taken, order: &mut Vec<Id>) {
    if taken.replaced.is_empty() {
        return;
    }
    let mut sorted = Vec::with_capacity(order.len());
    let mut state: FxHashMap<Id, bool> = FxHashMap::default();
    for &root in order.iter() {
        let mut stack = vec![(root, false)];
        while let Some((id, done)) = stack.pop() {
            if done {
                if state.insert(id, true) != Some(true) {
                    sorted.push(id);
                }
            } else if let Entry::Vacant(new) = state.entry(id) {
                new.insert(false);
                stack.push((id, true));
                if !matches!(taken.kinds[&id], Kind::Number(_)) {
                    stack.extend(taken.args(lowering, id).into_iter().rev().map(|arg| (arg, false)));
                }
            }
        }
    }
    *order = sorted;
}
