//! Prints GFLOP/s of matrix products (ours, the library alone) and nanoseconds of element-wise programs.
//!
//! `cargo run --release -p chainrule-kernels --example throughput [product|map|row] [threads]`
#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use chainrule_kernels::{
    Access, Arena, Fold, Instruction, MapOp, MapProgram, Operand, Over, Pool, Real, Reduction, Source, Store, View,
    Write, logsumexp, map, matmul, scratch_len, softmax,
};
use faer::{Accum, MatMut, MatRef, Par};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let wanted = |name: &str| arguments.get(1).is_none_or(|argument| argument == name);
    let pool = Pool::new(arguments.get(2).and_then(|count| count.parse().ok()).unwrap_or(1));
    if wanted("product") {
        products::<f32>(&pool);
        products::<f64>(&pool);
    }
    if wanted("map") {
        maps::<f32>(&pool);
        maps::<f64>(&pool);
    }
    if wanted("row") {
        rows::<f32>(&pool);
        rows::<f64>(&pool);
    }
}

/// Nanoseconds of one call: the best of several rounds of about two milliseconds.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    call();
    let calls = (2e-3 / start.elapsed().as_secs_f64().max(1e-8)).clamp(1.0, 1e6) as u32;
    let round = |_| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    (0..15).map(round).fold(f64::INFINITY, f64::min)
}

fn filled<T: Real>(len: usize) -> Arena<T> {
    let mut arena = Arena::new(len).expect("memory for the benchmark");
    for (index, x) in arena.as_mut_slice().iter_mut().enumerate() {
        *x = T::from_f64(((index * 7919) % 1000) as f64 / 1000.0 - 0.4);
    }
    arena
}

fn products<T: Real + faer::traits::RealField>(pool: &Pool) {
    // m, k, n, and which of a and b are transposed
    let shapes = [
        (128, 784, 512, ""),
        (128, 512, 512, ""),
        (784, 128, 512, "a"),
        (128, 512, 784, "b"),
        (64, 1000, 100, ""),
        (1000, 64, 100, "a"),
        (64, 32, 32, ""),
        (64, 32, 32, "b"),
        (32, 64, 32, "a"),
        (200, 64, 64, ""),
        (64, 200, 64, "a"),
        (300, 2, 100, ""),
        (300, 100, 3, ""),
        (300, 3, 100, "b"),
        (2, 300, 100, "a"),
        (100, 300, 3, "a"),
        (64, 100, 10, ""),
        (100, 64, 10, "a"),
        (64, 10, 100, "b"),
        (64, 8, 32, ""),
        (569, 30, 1, ""),
        (30, 569, 1, "a"),
        (1, 512, 512, ""),
        (1, 512, 512, "b"),
        (512, 1, 512, ""),
        (300, 3, 3, ""),
        (8, 8, 8, ""),
        (20, 20, 20, ""),
        (10, 4, 6, ""),
        (3, 2, 20, ""),
        (16, 3, 16, ""),
        (1, 64, 32, ""),
        (4, 5, 3, ""),
        (4, 8, 4, ""),
        (64, 32, 1, ""),
        (32, 64, 1, "a"),
        (64, 1, 32, "b"),
        (1, 2, 2, ""),
        (2, 1, 3, ""),
        (1, 3, 2, "b"),
    ];
    println!("{:<22} {:>10} {:>9} {:>9} {:>6}", format!("product {}", T::NAME), "ns", "GFLOP/s", "faer", "ratio");
    for (m, k, n, transposed) in shapes {
        let mut arena = filled::<T>(m * n + m * k + k * n);
        let out = View::dense(0, m, n);
        let side = |name, offset, rows, cols| {
            if transposed == name {
                View::dense(offset, cols, rows).transposed()
            } else {
                View::dense(offset, rows, cols)
            }
        };
        let (a, b) = (side("a", m * n, m, k), side("b", m * n + m * k, k, n));
        let ours = nanoseconds(|| matmul(black_box(&mut arena), pool, out, a, b, Write::Set));
        let (head, tail) = arena.as_mut_slice().split_at_mut(m * n);
        let library = nanoseconds(|| {
            let matrix = |view: View| {
                let base = MatRef::from_row_major_slice(
                    &tail[view.offset - m * n..][..view.rows * view.cols],
                    view.rows,
                    view.cols,
                );
                if view.col_stride == 1 {
                    base
                } else {
                    MatRef::from_column_major_slice(
                        &tail[view.offset - m * n..][..view.rows * view.cols],
                        view.rows,
                        view.cols,
                    )
                }
            };
            let out = MatMut::from_row_major_slice_mut(black_box(&mut *head), m, n);
            faer::linalg::matmul::matmul(out, Accum::Replace, matrix(a), matrix(b), T::from_f64(1.0), Par::Seq);
        });
        let operations = 2.0 * (m * n * k) as f64;
        println!(
            "{:<22} {ours:>10.1} {:>9.1} {:>9.1} {:>6.2}",
            format!("{m}x{k}x{n} {transposed}"),
            operations / ours,
            operations / library,
            library / ours
        );
    }
}

fn unary<T: Real>(op: MapOp, n: usize) -> MapProgram<T> {
    let args = [Source::Operand(0); 3];
    MapProgram {
        rows: 1,
        cols: n,
        operands: vec![Operand { offset: 0, access: Access::Dense }],
        constants: vec![],
        instructions: vec![Instruction { op, args, out: 0 }],
        registers: 1,
        stores: vec![Store { source: Source::Register(0), offset: n.next_multiple_of(16) }],
        reductions: vec![],
        scratch: 2 * n.next_multiple_of(16),
    }
}

/// Bias and sigmoid of a rows x cols layer.
fn layer<T: Real>(rows: usize, cols: usize) -> MapProgram<T> {
    let mut program = unary(MapOp::Sigmoid, rows * cols);
    (program.rows, program.cols) = (rows, cols);
    program.operands.push(Operand { offset: program.scratch, access: Access::Row });
    program.instructions = vec![
        Instruction { op: MapOp::Add, args: [Source::Operand(0), Source::Operand(1), Source::Operand(1)], out: 0 },
        Instruction { op: MapOp::Sigmoid, args: [Source::Register(0); 3], out: 0 },
    ];
    program.scratch += cols.next_multiple_of(16);
    program
}

/// Derivative of a layer with the sums over its columns (the gradient of the bias).
fn backward<T: Real>(rows: usize, cols: usize) -> MapProgram<T> {
    let mut program = layer(rows, cols);
    let offset = program.scratch;
    program.operands = [0, rows * cols].map(|offset| Operand { offset, access: Access::Dense }).to_vec();
    let (y, dy) = (Source::Operand(0), Source::Operand(1));
    program.instructions = vec![
        Instruction { op: MapOp::Mul, args: [y, y, y], out: 0 },
        Instruction { op: MapOp::Sub, args: [y, Source::Register(0), y], out: 0 },
        Instruction { op: MapOp::Mul, args: [dy, Source::Register(0), y], out: 0 },
    ];
    program.reductions = vec![Reduction {
        source: Source::Register(0),
        over: Over::Columns,
        fold: Fold::Sum,
        scale: T::ONE,
        write: Write::Set,
        offset,
    }];
    program.scratch += cols.next_multiple_of(16);
    program
}

/// Adam over n parameters: parameters, gradient, two moments, one scalar.
fn adam<T: Real>(n: usize) -> MapProgram<T> {
    use MapOp::{Add, Div, Mul, MulAdd, Sqrt, Square, Sub};
    let step = |op, a, b, c, out| Instruction { op, args: [a, b, c], out };
    let (register, operand, constant) = (Source::Register, Source::Operand, Source::Constant);
    let (w, g, m, v, rate) = (operand(0), operand(1), operand(2), operand(3), operand(4));
    let dense = |index| Operand { offset: index * n, access: Access::Dense };
    MapProgram {
        rows: 1,
        cols: n,
        operands: vec![dense(0), dense(1), dense(2), dense(3), Operand { offset: 4 * n, access: Access::Scalar }],
        constants: [0.1, 0.001, 0.9, 0.999, 1e-8].map(T::from_f64).to_vec(),
        instructions: vec![
            step(Mul, m, constant(2), m, 0),
            step(MulAdd, g, constant(0), register(0), 0),
            step(Square, g, g, g, 1),
            step(Mul, register(1), constant(1), g, 1),
            step(MulAdd, v, constant(3), register(1), 1),
            step(Sqrt, register(1), g, g, 2),
            step(Add, register(2), constant(4), g, 2),
            step(Div, register(0), register(2), g, 2),
            step(Mul, register(2), rate, g, 2),
            step(Sub, w, register(2), g, 2),
        ],
        registers: 3,
        stores: vec![
            Store { source: register(0), offset: 2 * n },
            Store { source: register(1), offset: 3 * n },
            Store { source: register(2), offset: 0 },
        ],
        reductions: vec![],
        scratch: 4 * n + 16,
    }
}

fn maps<T: Real>(pool: &Pool) {
    println!("{:<26} {:>12} {:>12}", format!("map {}", T::NAME), "ns", "ns/element");
    for op in MapOp::ALL {
        show(&format!("{op:?} 4096"), &unary::<T>(op, 4096), pool);
    }
    for n in [2, 3, 12, 100, 256, 300, 1000, 1 << 20] {
        show(&format!("sigmoid {n}"), &unary::<T>(MapOp::Sigmoid, n), pool);
        show(&format!("add {n}"), &unary::<T>(MapOp::Add, n), pool);
    }
    for (rows, cols) in [(1, 2), (1, 3), (64, 10), (64, 100), (300, 3), (300, 100), (128, 512)] {
        show(&format!("bias, sigmoid {rows}x{cols}"), &layer::<T>(rows, cols), pool);
        show(&format!("backward, sums {rows}x{cols}"), &backward::<T>(rows, cols), pool);
    }
    for n in [23, 1000, 9000, 100_000, 670_000] {
        show(&format!("Adam {n}"), &adam::<T>(n), pool);
    }
}

fn show<T: Real>(name: &str, program: &MapProgram<T>, pool: &Pool) {
    let mut arena = filled::<T>(program.scratch + scratch_len(program) + 16);
    arena.as_mut_slice().iter_mut().for_each(|x| *x = *x * *x);
    let time = nanoseconds(|| map(black_box(&mut arena), pool, program));
    println!("{name:<26} {time:>12.1} {:>12.3}", time / (program.rows * program.cols) as f64);
}

fn rows<T: Real>(pool: &Pool) {
    println!("{:<26} {:>12} {:>12}", format!("rows {}", T::NAME), "ns", "ns/element");
    for (rows, cols) in [(1, 2), (64, 10), (200, 10), (300, 3), (128, 10), (128, 1000)] {
        let n = rows * cols;
        let mut arena = filled::<T>(2 * n + rows);
        let time = nanoseconds(|| softmax(black_box(&mut arena), pool, rows, cols, 0, n));
        println!("{:<26} {time:>12.1} {:>12.3}", format!("softmax {rows}x{cols}"), time / n as f64);
        let time = nanoseconds(|| logsumexp(black_box(&mut arena), pool, rows, cols, 0, 2 * n));
        println!("{:<26} {time:>12.1} {:>12.3}", format!("logsumexp {rows}x{cols}"), time / n as f64);
    }
}
