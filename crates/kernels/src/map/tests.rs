use super::*;
use crate::random::{Purpose, Stream};
use crate::simd::at_every_level;

/// Numbers for a random program, drawn one after the other.
struct Draw {
    stream: Stream,
    next: u32,
}

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.next += 1;
        self.stream.below(self.next, bound as u32) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

const ACCESSES: [Access; 4] = [Access::Dense, Access::Row, Access::Column, Access::Scalar];

fn size(access: Access, rows: usize, cols: usize) -> usize {
    match access {
        Access::Dense => rows * cols,
        Access::Row => cols,
        Access::Column => rows,
        Access::Scalar => 1,
    }
}

/// A random program and the arena it runs in.
fn random_program<T: Real>(case: u32, rows: usize, cols: usize, plain: bool) -> (MapProgram<T>, usize) {
    let mut draw = Draw { stream: Stream::new(3, Purpose::Check, case, 0), next: 0 };
    let mut end = draw.below(5);
    let mut place = |len: usize| {
        end += len + 1;
        end - len - 1
    };
    let operands: Vec<Operand> = (0..1 + draw.below(4))
        .map(|_| {
            let access = if plain { draw.pick(&[Access::Dense, Access::Scalar]) } else { draw.pick(&ACCESSES) };
            Operand { offset: place(size(access, rows, cols)), access }
        })
        .collect();
    let registers = 1 + draw.below(6) as u8;
    let mut written = 0;
    let source = |draw: &mut Draw, written: u8| match draw.below(4) {
        0 if written > 0 => Source::Register(draw.below(written.into()) as u8),
        1 if written > 0 => Source::Register(written - 1),
        2 => Source::Constant(draw.below(2) as u16),
        _ => Source::Operand(draw.below(operands.len()) as u16),
    };
    let mut instructions = Vec::new();
    for _ in 0..draw.below(9) {
        let args = [0; 3].map(|_| source(&mut draw, written));
        let out = if written < registers { written } else { draw.below(registers.into()) as u8 };
        written = registers.min(written + 1);
        instructions.push(Instruction { op: draw.pick(&MapOp::ALL), args, out });
    }
    let mut stores: Vec<Store> =
        (0..draw.below(3)).map(|_| Store { source: source(&mut draw, written), offset: place(rows * cols) }).collect();
    if operands[0].access == Access::Dense && written > 0 {
        stores.push(Store { source: Source::Register(0), offset: operands[0].offset });
    }
    let reductions = (0..draw.below(4))
        .map(|_| {
            let over = if plain { Over::All } else { draw.pick(&[Over::All, Over::Rows, Over::Columns]) };
            let result = [1, rows, cols][over as usize];
            Reduction {
                source: source(&mut draw, written),
                over,
                fold: draw.pick(&[Fold::Sum, Fold::Max]),
                scale: T::from_f64(draw.pick(&[1.0, -0.5])),
                write: draw.pick(&[Write::Set, Write::Add]),
                offset: place(result),
            }
        })
        .collect();
    let constants = vec![T::from_f64(0.75), T::from_f64(-2.0)];
    let mut program =
        MapProgram { rows, cols, operands, constants, instructions, registers, stores, reductions, scratch: 0 };
    program.scratch = end;
    let len = end + scratch_len(&program);
    (program, len)
}

fn filled<T: Real>(len: usize, case: u32) -> Arena<T> {
    let mut arena = Arena::new(len).unwrap();
    let stream = Stream::new(4, Purpose::Check, case, 0);
    for (index, x) in arena.as_mut_slice().iter_mut().enumerate() {
        *x = T::from_f64(stream.normal(index as u32));
    }
    arena
}

/// Value of a source at (row, col), straight from the definition.
struct Naive<'a, T> {
    program: &'a MapProgram<T>,
    arena: &'a [T],
    registers: Vec<T>,
}

impl<T: Real> Naive<'_, T> {
    fn source(&self, source: Source, row: usize, col: usize) -> T {
        match source {
            Source::Register(index) => self.registers[index as usize],
            Source::Constant(index) => self.program.constants[index as usize],
            Source::Operand(index) => {
                let operand = self.program.operands[index as usize];
                let index = match operand.access {
                    Access::Dense => row * self.program.cols + col,
                    Access::Row => col,
                    Access::Column => row,
                    Access::Scalar => 0,
                };
                self.arena[operand.offset + index]
            }
        }
    }

    fn run(&mut self, row: usize, col: usize) {
        for instruction in &self.program.instructions {
            let [x, y, z] = instruction.args.map(|arg| self.source(arg, row, col));
            self.registers[instruction.out as usize] = instruction.op.apply(x, y, z);
        }
    }
}

fn same<T: Real>(x: T, y: T) -> bool {
    x.bits() == y.bits() || (x.to_f64().is_nan() && y.to_f64().is_nan())
}

/// Runs the program both ways: stores must agree to the bit, sums to rounding.
fn check<T: Real>(program: &MapProgram<T>, len: usize, case: u32, epsilon: f64) {
    let before = filled::<T>(len, case);
    let mut arena = filled::<T>(len, case);
    map(&mut arena, &Pool::new(1), program);
    let (rows, cols) = (program.rows, program.cols);
    let mut naive = Naive { program, arena: before.as_slice(), registers: vec![T::ZERO; program.registers.into()] };
    let mut sums: Vec<Vec<(f64, f64)>> = program
        .reductions
        .iter()
        .map(|reduction| {
            let neutral = if reduction.fold == Fold::Sum { 0.0 } else { f64::NEG_INFINITY };
            vec![(neutral, 0.0); [1, rows, cols][reduction.over as usize]]
        })
        .collect();
    for row in 0..rows {
        for col in 0..cols {
            naive.run(row, col);
            for store in &program.stores {
                let (got, expected) =
                    (arena.as_slice()[store.offset + row * cols + col], naive.source(store.source, row, col));
                assert!(
                    same(got, expected),
                    "case {case}, {rows}x{cols} at ({row}, {col}): {got}, not {expected}\n{program:?}"
                );
            }
            for (reduction, sums) in program.reductions.iter().zip(&mut sums) {
                let value = naive.source(reduction.source, row, col).to_f64();
                let (sum, sizes) = &mut sums[[0, row, col][reduction.over as usize]];
                *sum = if reduction.fold == Fold::Sum { *sum + value } else { math::max(*sum, value) };
                *sizes += value.abs();
            }
        }
    }
    for (reduction, sums) in program.reductions.iter().zip(sums) {
        for (index, (sum, sizes)) in sums.into_iter().enumerate() {
            let scale = reduction.scale.to_f64();
            let old =
                if reduction.write == Write::Add { before.as_slice()[reduction.offset + index].to_f64() } else { 0.0 };
            let expected = T::from_f64(sum * scale + old).to_f64();
            let got = arena.as_slice()[reduction.offset + index].to_f64();
            let close = (got - expected).abs() <= epsilon * (sizes + old.abs() + 1e-30) || !sizes.is_finite();
            assert!(
                close || got == expected || (got.is_nan() && expected.is_nan()),
                "case {case}, {rows}x{cols}, {reduction:?} [{index}]: {got}, not {expected}"
            );
        }
    }
}

use crate::math;

const SHAPES: [[usize; 2]; 22] = [
    [0, 0],
    [0, 5],
    [5, 0],
    [1, 1],
    [1, 3],
    [3, 1],
    [2, 3],
    [7, 5],
    [16, 16],
    [1, 256],
    [1, 257],
    [1, 512],
    [513, 1],
    [3, 511],
    [64, 10],
    [57, 13],
    [100, 100],
    [5, 1000],
    [2, 1025],
    [1, 20_000],
    [200, 100],
    [20_001, 1],
];

#[test]
fn random_programs_equal_the_definition() {
    for case in 0..700 {
        let [rows, cols] = SHAPES[case as usize % SHAPES.len()];
        let plain = case % 3 == 0;
        let (program, len) = random_program::<f32>(case, rows, cols, plain);
        check(&program, len, case, 2e-6);
        let (program, len) = random_program::<f64>(case, rows, cols, plain);
        check(&program, len, case, 1e-12);
    }
}

#[test]
fn threads_and_levels_do_not_change_a_bit() {
    for (case, [rows, cols]) in [[1, 100_003], [1000, 37], [300, 100], [6, 9001], [3, 3]].into_iter().enumerate() {
        for round in 0..8 {
            let case = 1000 + case as u32 * 10 + round;
            let (program, len) = random_program::<f32>(case, rows, cols, round % 2 == 0);
            let mut first = None;
            at_every_level(|| {
                for threads in [1, 2, 4] {
                    let mut arena = filled::<f32>(len, case);
                    map(&mut arena, &Pool::new(threads), &program);
                    let result: Vec<f32> = arena.as_slice()[..program.scratch].to_vec();
                    let first: &Vec<f32> = first.get_or_insert_with(|| result.clone());
                    assert!(first.iter().zip(&result).all(|(&x, &y)| same(x, y)), "case {case}");
                }
            });
        }
    }
}

#[test]
fn every_operation_equals_its_scalar_form() {
    for op in MapOp::ALL {
        let (rows, cols) = (3, 211);
        let n = rows * cols;
        let program = MapProgram::<f64> {
            rows,
            cols,
            operands: [0, n, 2 * n].map(|offset| Operand { offset, access: Access::Dense }).to_vec(),
            constants: vec![],
            instructions: vec![Instruction { op, args: [0, 1, 2].map(Source::Operand), out: 0 }],
            registers: 1,
            stores: vec![Store { source: Source::Register(0), offset: 3 * n }],
            reductions: vec![],
            scratch: 4 * n,
        };
        check(&program, 4 * n + scratch_len(&program), 1, 0.0);
    }
}

#[test]
fn programs_with_many_registers_use_smaller_blocks() {
    let registers = 250u8;
    let instructions = (0..registers)
        .map(|out| Instruction {
            op: MapOp::Add,
            args: [
                Source::Operand(0),
                if out == 0 { Source::Constant(0) } else { Source::Register(out - 1) },
                Source::Constant(0),
            ],
            out,
        })
        .collect();
    let program = MapProgram::<f64> {
        rows: 1,
        cols: 1003,
        operands: vec![Operand { offset: 0, access: Access::Dense }],
        constants: vec![1.0],
        instructions,
        registers,
        stores: vec![Store { source: Source::Register(registers - 1), offset: 1003 }],
        reductions: vec![],
        scratch: 2006,
    };
    check(&program, 2006 + scratch_len(&program), 1, 0.0);
}

#[test]
fn sums_of_many_single_precision_numbers_stay_accurate() {
    let n = 3_000_000;
    let sum = |offset| Reduction {
        source: Source::Operand(0),
        over: Over::All,
        fold: Fold::Sum,
        scale: 1.0,
        write: Write::Set,
        offset,
    };
    let mut program = MapProgram::<f32> {
        rows: 1,
        cols: n,
        operands: vec![Operand { offset: 0, access: Access::Dense }],
        constants: vec![],
        instructions: vec![],
        registers: 0,
        stores: vec![],
        reductions: vec![sum(n)],
        scratch: n + 1,
    };
    program.scratch = n + 1;
    let mut arena = Arena::new(n + 1 + scratch_len(&program)).unwrap();
    arena.as_mut_slice()[..n].fill(0.1);
    map(&mut arena, &Pool::new(2), &program);
    let expected = f64::from(0.1f32) * n as f64;
    assert!((f64::from(arena.as_slice()[n]) / expected - 1.0).abs() < 1e-6);
}
