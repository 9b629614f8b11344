//! Which values get a name of their own: what is needed more than once, what the program named, what would make an
//! expression too long to read, and, for loops, what cannot be computed element by element.

use super::form::{Arena, Form, Ref};
use super::program::Layout;

/// Longest expression, in operations, of whole arrays and of elements.
const LONGEST: [u32; 2] = [8, 10];

/// Marks the values that get a name.
pub(super) fn select(arena: &Arena, needed: &[bool], roots: &[Ref], layout: Layout) -> Vec<bool> {
    let uses = uses(arena, needed, roots);
    let mut chosen = vec![false; arena.len()];
    for root in roots {
        chosen[root.index()] = !is_leaf(arena, *root);
    }
    let mut weights = vec![0u32; arena.len()];
    for at in arena.refs().filter(|at| needed[at.index()]) {
        let node = arena.get(at);
        for &arg in &node.args {
            // A product reads a transposed matrix in place.
            let in_place = layout == Layout::Loops && node.form == Form::Matmul;
            let arg = if in_place { arena.inside(arg, &Form::Transpose).unwrap_or(arg) } else { arg };
            if !is_plain(arena, arg) && must_be_named(arena, at, arg, layout, &chosen) {
                chosen[arg.index()] = true;
                weights[arg.index()] = 0;
            }
        }
        let own = u32::from(!is_free(&node.form) || layout == Layout::Loops);
        let longest = LONGEST[layout as usize];
        while let Some(heaviest) = too_heavy(arena, at, own, longest, &weights) {
            // A sign or a transpose gets no name; what is behind it does.
            let behind = if is_free(&arena.get(heaviest).form) { arena.get(heaviest).args[0] } else { heaviest };
            chosen[behind.index()] = true;
            weights[heaviest.index()] = 0;
        }
        let inside = node.args.iter().map(|arg| weights[arg.index()]).sum::<u32>();
        weights[at.index()] = if node.args.is_empty() { 0 } else { own + inside };
        let again = uses[at.index()] > 1 && !(is_free(&node.form) || node.args.is_empty());
        if chosen[at.index()] || again || has_own_name(arena, at) || weights[at.index()] > longest {
            chosen[at.index()] = !matches!(node.form, Form::Argument(_) | Form::Named(..));
            weights[at.index()] = 0;
        }
    }
    chosen
}

/// The heaviest argument, if the expression is too long with it and it is more than an operation itself.
fn too_heavy(arena: &Arena, at: Ref, own: u32, longest: u32, weights: &[u32]) -> Option<Ref> {
    let args = &arena.get(at).args;
    let whole = own + args.iter().map(|arg| weights[arg.index()]).sum::<u32>();
    let heaviest = args.iter().copied().max_by_key(|arg| weights[arg.index()])?;
    (whole > longest && weights[heaviest.index()] > 1).then_some(heaviest)
}

fn has_own_name(arena: &Arena, at: Ref) -> bool {
    arena.get(at).name.is_some()
}

/// How often the text of each node would be written. What is written wherever it is used passes its uses on.
fn uses(arena: &Arena, needed: &[bool], roots: &[Ref]) -> Vec<u32> {
    let mut uses = vec![0u32; arena.len()];
    for root in roots {
        uses[root.index()] += 1;
    }
    for at in arena.refs().rev().filter(|at| needed[at.index()]) {
        let node = arena.get(at);
        let repeated = is_free(&node.form) && node.name.is_none();
        let times = if repeated { uses[at.index()] } else { 1 };
        for arg in &node.args {
            uses[arg.index()] = uses[arg.index()].saturating_add(times);
        }
    }
    uses
}

/// Costs nothing, or next to it: written again wherever it is used.
fn is_free(form: &Form) -> bool {
    matches!(form, Form::Negative | Form::Transpose)
}

/// Has a name from the start, or is a number: may stand anywhere.
fn is_plain(arena: &Arena, at: Ref) -> bool {
    matches!(arena.get(at).form, Form::Argument(_) | Form::Named(..) | Form::Number(_) | Form::Size(_))
}

fn is_leaf(arena: &Arena, at: Ref) -> bool {
    arena.get(at).args.is_empty()
}

/// A leaf, or one seen otherwise: cheap to write into every step of a loop.
fn is_simple(arena: &Arena, at: Ref, chosen: &[bool]) -> bool {
    let node = arena.get(at);
    is_leaf(arena, at)
        || chosen[at.index()]
        || is_free(&node.form) && (is_leaf(arena, node.args[0]) || chosen[node.args[0].index()])
}

/// Must this argument of this node have a name?
fn must_be_named(arena: &Arena, user: Ref, arg: Ref, layout: Layout, chosen: &[bool]) -> bool {
    let node = arena.get(user);
    match layout {
        // Its elements are written out with indices.
        Layout::Arrays => matches!(node.form, Form::Contract(_)),
        Layout::Loops => match element_wise(&node.form) {
            Reads::Arrays => true,
            Reads::Elements { same_loop } => {
                let other = same_loop && arena.get(arg).shape != node.shape && !is_simple(arena, arg, chosen);
                !is_element_wise(&arena.get(arg).form) || other
            }
        },
    }
}

/// How a form reads its arguments in a program of loops.
enum Reads {
    /// An element at a time; in the same loop as its result is written?
    Elements { same_loop: bool },
    /// Whole arrays.
    Arrays,
}

fn element_wise(form: &Form) -> Reads {
    match form {
        Form::Argument(_) | Form::Named(..) | Form::Number(_) | Form::Size(_) | Form::Eye(_) => {
            Reads::Elements { same_loop: true }
        }
        Form::Unary(_) | Form::Binary(_) | Form::Terms(_) | Form::Product { .. } | Form::Negative | Form::Positive => {
            Reads::Elements { same_loop: true }
        }
        Form::Power(_) | Form::Broadcast => Reads::Elements { same_loop: true },
        Form::Transpose | Form::Permute(_) | Form::Diagonal | Form::DiagonalMatrix => {
            Reads::Elements { same_loop: false }
        }
        // Loops over the elements of the argument, which may be an expression.
        Form::Sum(_) | Form::Max(_) | Form::Reshape | Form::Trace => Reads::Elements { same_loop: false },
        Form::Matmul | Form::Solve | Form::SolveRight | Form::Kron | Form::Contract(_) => Reads::Arrays,
        Form::FirstMax(_) | Form::Softmax | Form::LogSumExp => Reads::Arrays,
        Form::Factor | Form::Inverse | Form::Det | Form::LogDet => Reads::Arrays,
    }
}

/// Can an element of the result be written as an expression of elements of the arguments?
pub(super) fn is_element_wise(form: &Form) -> bool {
    matches!(element_wise(form), Reads::Elements { .. })
        && !matches!(form, Form::Sum(_) | Form::Max(_) | Form::Reshape | Form::Trace)
}
