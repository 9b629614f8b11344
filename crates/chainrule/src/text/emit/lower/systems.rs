//! Inverses that are only ever multiplied become solutions of linear systems: less work, and fewer digits lost.

use crate::lang::Shape;
use crate::text::emit::form::{Arena, Form, Ref};

/// Up to this many systems are solved one by one; from there on the inverse is worth its work.
const MOST_SYSTEMS: usize = 2;

/// What a transposed system needs, so that it stands before its users: the transpose, or its factorisation.
pub(super) fn prepare(arena: &mut Arena, matrix: Ref, factor: fn(&mut Arena, Ref) -> Ref) {
    let transposed = arena.transpose(matrix);
    factor(arena, transposed);
}

/// Turns products with inverses into systems where that is all that the inverses are for.
pub(super) fn solve(arena: &mut Arena, roots: &[Ref], factor: fn(&mut Arena, Ref) -> Ref) {
    let needed = arena.needed(roots);
    let mut users: Vec<Vec<Ref>> = vec![Vec::new(); arena.len()];
    for at in arena.refs().filter(|at| needed[at.index()]) {
        for arg in &arena.get(at).args {
            users[arg.index()].push(at);
        }
    }
    for at in arena.refs().filter(|at| needed[at.index()]) {
        if arena.get(at).form == Form::Inverse
            && let Some(products) = products(arena, at, &users, roots)
        {
            for (product, transposed) in products {
                turn(arena, product, at, transposed, factor);
            }
        }
    }
}

/// The products that use an inverse, and whether they use its transpose; nothing if it has another use, or too many.
fn products(arena: &Arena, inverse: Ref, users: &[Vec<Ref>], roots: &[Ref]) -> Option<Vec<(Ref, bool)>> {
    let mut list = Vec::new();
    let mut seen = vec![(inverse, false)];
    while let Some((at, transposed)) = seen.pop() {
        if roots.contains(&at) || arena.get(at).name.is_some() {
            return None;
        }
        for &user in &users[at.index()] {
            match arena.get(user).form {
                Form::Matmul => list.push((user, transposed)),
                Form::Transpose => seen.push((user, !transposed)),
                _ => return None,
            }
        }
    }
    (list.len() <= MOST_SYSTEMS).then_some(list)
}

/// One product as a system.
fn turn(arena: &mut Arena, product: Ref, inverse: Ref, transposed: bool, factor: fn(&mut Arena, Ref) -> Ref) {
    let matrix = matrix_of(arena, inverse);
    let of = if transposed { arena.transpose(matrix) } else { matrix };
    let first = factor(arena, of);
    let args = &arena.get(product).args;
    let is_inverse = |at: Ref| at == inverse || arena.inside(at, &Form::Transpose) == Some(inverse);
    let (form, other) = if is_inverse(args[0]) { (Form::Solve, args[1]) } else { (Form::SolveRight, args[0]) };
    debug_assert!(first < product && shape_fits(arena, first, other), "prepared before the users of the inverse");
    arena.replace(product, form, &[first, other]);
}

/// The matrix that is inverted, without its factorisation.
fn matrix_of(arena: &Arena, inverse: Ref) -> Ref {
    let of = arena.get(inverse).args[0];
    match arena.get(of).form {
        Form::Factor => arena.get(of).args[0],
        _ => of,
    }
}

fn shape_fits(arena: &Arena, matrix: Ref, other: Ref) -> bool {
    let [a, b]: [Shape; 2] = [arena.get(matrix).shape, arena.get(other).shape];
    a.rows() == b.rows() || a.rows() == b.cols()
}
