//! Runs of tiny steps as one list of single-number instructions.

use kernels::{Access, Fold, MapOp, MicroOp, Over, Source};

use crate::plan::steps::{At, MapStep, Strided};
use crate::plan::{Plan, Step};

/// Most instructions of a step that is worth unrolling: beyond, vectors win.
const MOST: usize = 40;

/// Elements behind the plan's arena: registers, then constants.
const REGISTERS: usize = 64;

/// Collects instructions.
pub(super) struct Unroller<'a> {
    plan: &'a Plan,
    ops: Vec<MicroOp>,
    /// Numbers that stand behind the registers.
    constants: Vec<f64>,
}

impl<'a> Unroller<'a> {
    pub(super) fn new(plan: &'a Plan) -> Unroller<'a> {
        Unroller { plan, ops: Vec::new(), constants: Vec::new() }
    }

    /// Elements needed behind the plan's arena, and the numbers to write at their end.
    pub(super) fn extra(&self) -> (usize, &[f64]) {
        (REGISTERS + self.constants.len(), &self.constants)
    }

    pub(super) fn take(&mut self) -> Vec<MicroOp> {
        std::mem::take(&mut self.ops)
    }

    fn constant(&mut self, value: f64) -> u32 {
        let known = self.constants.iter().position(|c| c.to_bits() == value.to_bits());
        let index = known.unwrap_or_else(|| {
            self.constants.push(value);
            self.constants.len() - 1
        });
        (self.plan.arena_len + REGISTERS + index) as u32
    }

    fn push(&mut self, op: MapOp, out: u32, args: &[u32]) {
        let mut list = [args[0]; 3];
        list[..args.len()].copy_from_slice(args);
        self.ops.push(MicroOp { op, out, args: list });
    }

    /// Appends a step; `false`, with nothing appended, when it is too large or of another kind.
    pub(super) fn append(&mut self, step: &Step) -> bool {
        if self.plan.arena_len > u32::MAX as usize / 2 {
            return false;
        }
        match step {
            Step::Map(map) => self.map(map),
            Step::MatMul { out, a, b, loops } if loops.is_empty() => self.matmul(out, a, b),
            _ => false,
        }
    }

    fn matmul(&mut self, out: &Strided, a: &Strided, b: &Strided) -> bool {
        if out.rows * out.cols * a.cols > MOST || a.cols == 0 {
            return false;
        }
        let plan = self.plan;
        let at =
            |m: &Strided, row: usize, col: usize| (plan.offset(m.at) + row * m.row_stride + col * m.col_stride) as u32;
        for row in 0..out.rows {
            for col in 0..out.cols {
                let target = at(out, row, col);
                self.push(MapOp::Mul, target, &[at(a, row, 0), at(b, 0, col)]);
                for inner in 1..a.cols {
                    self.push(MapOp::MulAdd, target, &[at(a, row, inner), at(b, inner, col), target]);
                }
            }
        }
        true
    }

    fn map(&mut self, map: &MapStep) -> bool {
        let len = map.rows * map.cols;
        let work = map.instructions.len() + map.stores.len() + map.reductions.len();
        let sums_only = map.reductions.iter().all(|r| r.fold == Fold::Sum);
        if len == 0 || len * work > MOST || !sums_only || usize::from(map.registers) > REGISTERS {
            return false;
        }
        let direct = direct_stores(map);
        for row in 0..map.rows {
            for col in 0..map.cols {
                self.element(map, (row, col), &direct);
            }
        }
        for reduction in map.reductions.iter().filter(|r| r.scale != 1.0) {
            let count = match reduction.over {
                Over::All => 1,
                Over::Rows => map.rows,
                Over::Columns => map.cols,
            };
            let scale = self.constant(reduction.scale);
            for index in 0..count {
                let target = (self.plan.offset(reduction.at) + index) as u32;
                self.push(MapOp::Mul, target, &[target, scale]);
            }
        }
        true
    }

    fn element(&mut self, map: &MapStep, (row, col): (usize, usize), direct: &[Option<At>]) {
        let index = row * map.cols + col;
        for (instruction, target) in map.instructions.iter().zip(direct) {
            let count = instruction.op.arguments();
            let args: Vec<u32> = instruction.args[..count].iter().map(|&s| self.source(map, s, (row, col))).collect();
            let out = match target {
                Some(at) => (self.plan.offset(*at) + index) as u32,
                None => self.register(instruction.out),
            };
            self.push(instruction.op, out, &args);
        }
        let one = self.constant(1.0);
        for reduction in &map.reductions {
            let (slot, first) = match reduction.over {
                Over::All => (0, index == 0),
                Over::Rows => (row, col == 0),
                Over::Columns => (col, row == 0),
            };
            let target = (self.plan.offset(reduction.at) + slot) as u32;
            let value = self.source(map, reduction.source, (row, col));
            if first {
                self.push(MapOp::Mul, target, &[value, one]);
            } else {
                self.push(MapOp::Add, target, &[target, value]);
            }
        }
        for (number, (source, at)) in map.stores.iter().enumerate() {
            if written_directly(map, direct, number) {
                continue;
            }
            let value = self.source(map, *source, (row, col));
            let target = (self.plan.offset(*at) + index) as u32;
            // A product with one is an exact copy.
            self.push(MapOp::Mul, target, &[value, one]);
        }
    }

    fn register(&self, register: u8) -> u32 {
        (self.plan.arena_len + usize::from(register)) as u32
    }

    fn source(&mut self, map: &MapStep, source: Source, (row, col): (usize, usize)) -> u32 {
        match source {
            Source::Register(register) => self.register(register),
            Source::Constant(index) => self.constant(map.constants[index as usize]),
            Source::Operand(index) => {
                let (at, access) = map.operands[index as usize];
                let shift = match access {
                    Access::Dense => row * map.cols + col,
                    Access::Row => col,
                    Access::Column => row,
                    Access::Scalar => 0,
                };
                (self.plan.offset(at) + shift) as u32
            }
        }
    }
}

/// Instructions whose register is only stored: they write where the store goes. The last instruction alone, so that no
/// later one reads the register or the element that is overwritten.
fn direct_stores(map: &MapStep) -> Vec<Option<At>> {
    let mut direct = vec![None; map.instructions.len()];
    if let (Some(last), [(Source::Register(register), at)]) = (map.instructions.last(), &map.stores[..]) {
        let reduced = map.reductions.iter().any(|r| r.source == Source::Register(*register));
        if last.out == *register && !reduced {
            direct[map.instructions.len() - 1] = Some(*at);
        }
    }
    direct
}

fn written_directly(map: &MapStep, direct: &[Option<At>], store: usize) -> bool {
    direct.last().is_some_and(|last| *last == Some(map.stores[store].1))
}
