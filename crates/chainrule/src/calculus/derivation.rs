//! A derivation: the gradient together with every step that leads to it. Each step is a pair of equal expressions of
//! the same graph, so each can be printed, and checked with numbers, on its own.

use rustc_hash::{FxHashMap, FxHashSet};

use super::differentiate::{differentials, linearize, local_differential, transpose};
use crate::lang::op::Written;
use crate::lang::{Class, Graph, Id, Op, Role};

/// The two halves of a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Taking differentials: `before` is a node, `after` its differential in those of its arguments.
    Differential,
    /// Moving differentials free: `before` and `after` are equal inner products with a differential.
    Transpose,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// The rule that was used.
    pub rule: String,
    /// Which half it belongs to.
    pub phase: Phase,
    /// The node of the program it is about.
    pub node: Id,
    /// The expression before.
    pub before: Id,
    /// The equal expression after.
    pub after: Id,
}

/// The gradients of a scalar expression and how they were found.
#[derive(Clone, Debug)]
pub struct Derivation {
    /// The expression, 1 x 1.
    pub root: Id,
    /// The variables.
    pub wrt: Vec<Id>,
    /// Their differentials.
    pub differentials: Vec<Id>,
    /// The whole differential, linear in them; `None` when the expression depends on none.
    pub tangent: Option<Id>,
    /// The gradients, each of the shape of its variable.
    pub gradients: Vec<Id>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// Derives the gradients of `root` (1 x 1) with all steps.
pub fn derive(graph: &mut Graph, root: Id, wrt: &[Id]) -> Derivation {
    let free = differentials(graph, wrt);
    let seeds: Vec<(Id, Id)> = wrt.iter().copied().zip(free.iter().copied()).collect();
    let linear = linearize(graph, root, &seeds);
    let mut steps = differential_steps(graph, root, &seeds, &linear.tangents);
    let mut gradients: Vec<Option<Id>> = vec![None; wrt.len()];
    if let Some(tangent) = linear.tangent {
        let one = graph.filled(1.0, graph.shape(root));
        let (found, moves) = transpose(graph, tangent, one, &free);
        gradients = found;
        for step in moves {
            push_move(graph, step, &mut steps);
        }
    }
    let gradients = gradients.into_iter().zip(wrt);
    let gradients = gradients.map(|(g, &x)| g.unwrap_or_else(|| graph.filled(0.0, graph.shape(x)))).collect();
    Derivation { root, wrt: wrt.to_vec(), differentials: free, tangent: linear.tangent, gradients, steps }
}

/// Moves through sums and broadcasts of nothing change no factor; the reader does not need them.
fn push_move(graph: &mut Graph, step: super::differentiate::Move, steps: &mut Vec<Step>) {
    let op = graph.op(step.node);
    if matches!(op, Op::Add(_)) {
        return;
    }
    let left = graph.mul(&[step.before, step.node]);
    let before = graph.sum_all(left);
    let right = graph.mul(&[step.after, step.arg]);
    let after = graph.sum_all(right);
    if before != after {
        steps.push(Step { rule: adjoint_name(op), phase: Phase::Transpose, node: step.node, before, after });
    }
}

/// The differential of every node in those of its arguments: local differentials carry the text of what they belong to.
fn differential_steps(graph: &mut Graph, root: Id, seeds: &[(Id, Id)], tangents: &FxHashMap<Id, Id>) -> Vec<Step> {
    let mut steps = Vec::new();
    let is_seed: FxHashSet<Id> = seeds.iter().map(|(variable, _)| *variable).collect();
    let mut symbols: FxHashMap<Id, Id> = seeds.iter().copied().collect();
    for id in graph.reachable(&[root]).into_iter().rev() {
        if is_seed.contains(&id) || !tangents.contains_key(&id) || graph.op(id).def().class() == Class::View {
            continue;
        }
        let args = graph.args(id).to_vec();
        let locals: Vec<Option<Id>> = args
            .iter()
            .map(|&arg| tangents.contains_key(&arg).then(|| local(graph, arg, &mut symbols, tangents)).flatten())
            .collect();
        if let Some(after) = local_differential(graph, id, &locals) {
            let rule = differential_name(graph, id);
            steps.push(Step { rule, phase: Phase::Differential, node: id, before: id, after });
        }
    }
    steps
}

/// The differential of an argument as a symbol; views are looked through, down a chain of them in a loop.
fn local(graph: &mut Graph, arg: Id, symbols: &mut FxHashMap<Id, Id>, tangents: &FxHashMap<Id, Id>) -> Option<Id> {
    let mut views = Vec::new();
    let mut source = arg;
    while !symbols.contains_key(&source) && graph.op(source).def().class() == Class::View {
        views.push(source);
        source = graph.args(source)[0];
    }
    if !tangents.contains_key(&source) {
        return None;
    }
    let mut differential = symbol(graph, source, symbols);
    for &view in views.iter().rev() {
        differential = local_differential(graph, view, &[Some(differential)])?;
    }
    Some(differential)
}

/// The symbol `d(...)` of a node, its own even where another node has the same text.
fn symbol(graph: &mut Graph, node: Id, symbols: &mut FxHashMap<Id, Id>) -> Id {
    *symbols.entry(node).or_insert_with(|| {
        let text = match graph.name(node) {
            Some(name) => format!("d{name}"),
            None if is_short(graph, node) => format!("d({})", crate::text::print::text(graph, node)),
            // It does not know what it belongs to, so that no printer writes that out.
            None => return graph.variable("d(...)", Role::Differential, graph.shape(node)),
        };
        graph.differential(&text, node)
    })
}

/// Would people read it? Longer parts are not written out: each would cost its whole length.
fn is_short(graph: &Graph, node: Id) -> bool {
    const MOST: usize = 400;
    let mut seen: FxHashSet<Id> = FxHashSet::default();
    let mut stack = vec![node];
    while let Some(id) = stack.pop() {
        if seen.insert(id) && graph.name(id).is_none() {
            stack.extend(graph.args(id).iter().copied());
        }
        if seen.len() + stack.len() > MOST {
            return false;
        }
    }
    true
}

fn differential_name(graph: &Graph, id: Id) -> String {
    match graph.op(id) {
        Op::Add(_) => "differential of a sum".into(),
        Op::Mul(_) => "product rule".into(),
        Op::Power(_) => "power rule".into(),
        Op::Contract(_) => "differential of a matrix product".into(),
        Op::Sum(_) => "differential of a sum over elements".into(),
        op => match op.def().written() {
            Written::Function { .. } => format!("differential of {}", op.def().name()),
            Written::Operator => format!("differential ({})", op.def().name()),
        },
    }
}

fn adjoint_name(op: Op) -> String {
    match op {
        Op::Mul(_) => "Hadamard rule: <g, a.*dx> = <a.*g, dx>".into(),
        Op::Contract(_) => "cyclic rule: <g, a*dx> = <a'*g, dx>".into(),
        Op::Sum(_) => "adjoint of a sum: <g, sum(dx)> = <ones*g, dx>".into(),
        Op::Broadcast(_) => "adjoint of a broadcast: <g, ones*dx> = <sum(g), dx>".into(),
        Op::Permute(_) => "transpose rule: <g, dx'> = <g', dx>".into(),
        op => format!("adjoint of {}", op.def().name()),
    }
}
