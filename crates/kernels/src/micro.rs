//! Programs of single numbers: for networks so small that calling a kernel costs more than its work. One instruction
//! reads up to three elements of the arena and writes one; a whole run of small kernel calls becomes one list.

use crate::arena::Shared;
use crate::simd::for_each_level;
use crate::{Arena, MapOp, Real};

/// `arena[out] = op(arena[args[0]], ...)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MicroOp {
    /// What to do.
    pub op: MapOp,
    /// Element of the result.
    pub out: u32,
    /// Elements of the arguments; those the operation does not take are ignored.
    pub args: [u32; 3],
}

/// A checked list of instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicroProgram {
    ops: Vec<MicroOp>,
    /// Elements that the arena must have.
    needs: usize,
}

impl MicroProgram {
    /// A list; it remembers the largest element that it touches.
    #[must_use]
    pub fn new(ops: Vec<MicroOp>) -> MicroProgram {
        let elements = ops.iter().flat_map(|op| op.args.iter().copied().chain([op.out]));
        let needs = elements.max().map_or(0, |largest| largest as usize + 1);
        MicroProgram { ops, needs }
    }

    /// Number of instructions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Has the list no instructions?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}

/// Runs the instructions in order.
pub fn micro<T: Real>(arena: &mut Arena<T>, program: &MicroProgram) {
    assert!(program.needs <= arena.len(), "the program touches elements outside the arena");
    run(program, arena.pointer());
}

for_each_level! {
    fn run<T: Real>(program: &MicroProgram, base: Shared<T>) = body;
}

#[inline(always)]
fn body<T: Real>(program: &MicroProgram, base: Shared<T>) {
    for op in &program.ops {
        // SAFETY: every element was compared with the length of the arena.
        let read = |index: usize| unsafe { *base.at(op.args[index] as usize) };
        // Arguments that are not taken are read too: that is cheaper than a second decision.
        let value = op.op.apply(read(0), read(1), read(2));
        // SAFETY: as above.
        unsafe { *base.at(op.out as usize) = value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_run_in_order() {
        let mut arena = Arena::<f64>::new(4).expect("there is memory");
        arena.as_mut_slice().copy_from_slice(&[2.0, 3.0, 0.0, 1.0]);
        let ops = vec![
            MicroOp { op: MapOp::Mul, out: 2, args: [0, 1, 0] },
            MicroOp { op: MapOp::MulAdd, out: 2, args: [0, 1, 2] },
            MicroOp { op: MapOp::Neg, out: 3, args: [2, 0, 0] },
        ];
        micro(&mut arena, &MicroProgram::new(ops));
        assert_eq!(arena.as_slice(), [2.0, 3.0, 12.0, -12.0]);
    }

    #[test]
    #[should_panic(expected = "outside the arena")]
    fn elements_outside_the_arena_are_refused() {
        let mut arena = Arena::<f32>::new(2).expect("there is memory");
        micro(&mut arena, &MicroProgram::new(vec![MicroOp { op: MapOp::Neg, out: 1000, args: [0, 0, 0] }]));
    }
}
