//! Lowering of the one contraction: a matrix product inside loops over what is left.

use super::emit::Emitter;
use super::layout::Layout;
use super::steps::{Loop, Step};
use crate::lang::Id;
use crate::lang::ops::contract::{Contract, Labels};

/// Where one label stands in result, first and second operand.
#[derive(Clone, Copy)]
struct Index {
    axes: [Option<usize>; 3],
    size: usize,
}

impl Emitter<'_> {
    pub(super) fn contraction(&mut self, id: Id, spec: Contract) {
        let args = self.taken.args(self.lowering, id);
        let (a, b) = (self.layout(args[0]), self.layout(args[1]));
        let out = self.result(id);
        let indices = indices(&spec, &out, &a, &b);
        let pick = |wanted: [bool; 3]| {
            let fits = |index: &&Index| index.axes.map(|axis| axis.is_some()) == wanted;
            indices.iter().filter(fits).max_by_key(|index| index.size).copied()
        };
        // Rows, columns and the summed index of the inner product: the longest of each kind.
        let (m, n, k) = (pick([true, true, false]), pick([true, false, true]), pick([false, true, true]));
        let axis = |index: Option<Index>, operand: usize| index.and_then(|i| i.axes[operand]);
        let inner = [m, n, k];
        let loops = indices.iter().filter(|index| !inner.iter().flatten().any(|i| i.axes == index.axes));
        let strides = |index: &Index| {
            let of = |operand: usize, layout: &Layout| index.axes[operand].map_or(0, |axis| layout.strides[axis]);
            Loop { count: index.size, strides: [of(0, &out), of(1, &a), of(2, &b)] }
        };
        let loops: Vec<Loop> = loops.filter(|index| index.size != 1).map(strides).collect();
        let step = Step::MatMul {
            out: out.matrix(axis(m, 0), axis(n, 0)),
            a: a.matrix(axis(m, 1), axis(k, 1)),
            b: b.matrix(axis(k, 2), axis(n, 2)),
            loops,
        };
        self.planner.steps.push(step);
        self.scale_in_place(&out, self.taken.scale(id));
    }
}

fn indices(spec: &Contract, out: &Layout, a: &Layout, b: &Layout) -> Vec<Index> {
    let position = |labels: &Labels, label: u8| labels.list().iter().position(|&l| l == label);
    let mut list: Vec<Index> = Vec::new();
    let mut seen: Vec<u8> = Vec::new();
    for labels in [&spec.out, &spec.a, &spec.b] {
        for &label in labels.list() {
            if seen.contains(&label) {
                continue;
            }
            seen.push(label);
            let axes = [position(&spec.out, label), position(&spec.a, label), position(&spec.b, label)];
            let size = match axes {
                [Some(axis), _, _] => out.sizes[axis],
                [_, Some(axis), _] => a.sizes[axis],
                [_, _, Some(axis)] => b.sizes[axis],
                _ => 1,
            };
            list.push(Index { axes, size });
        }
    }
    list
}
