//! A plan with memory: kernel calls with resolved offsets.

use kernels::{Arena, MapProgram, MicroProgram, OutOfMemory, Pool, Real, View, Write};

use super::micro::Unroller;
use crate::plan::elementwise_program;
use crate::plan::host::HostProgram;
use crate::plan::steps::{FactorKernel, Loop, RowKernel, Strided};
use crate::plan::{At, BufferId, Plan, Step};

/// A kernel call, ready to run.
enum Call<T> {
    /// A run of tiny steps.
    Micro(MicroProgram),
    Map(MapProgram<T>),
    MatMul {
        out: View,
        a: View,
        b: View,
    },
    Looped {
        out: View,
        a: View,
        b: View,
        loops: Vec<Loop>,
    },
    Copy {
        out: (usize, Vec<usize>),
        source: (usize, Vec<usize>),
        sizes: Vec<usize>,
    },
    Fill {
        view: View,
        value: T,
    },
    Rows {
        kernel: RowKernel,
        rows: usize,
        cols: usize,
        source: usize,
        out: usize,
    },
    Factor {
        kernel: FactorKernel,
        n: usize,
        source: usize,
        out: usize,
    },
}

/// A plan with memory.
pub struct Machine<T: Real> {
    calls: Vec<Call<T>>,
    /// Where each part of the plan ends in `calls`.
    ends: Vec<usize>,
    /// Offset and length of each buffer.
    places: Vec<(usize, usize)>,
    arena: Arena<T>,
    host: HostProgram,
    slots: Vec<f64>,
    host_ran: bool,
    host_outputs: Vec<(usize, usize)>,
}

fn view(plan: &Plan, matrix: &Strided) -> View {
    View {
        offset: plan.offset(matrix.at),
        rows: matrix.rows,
        cols: matrix.cols,
        row_stride: matrix.row_stride,
        col_stride: matrix.col_stride,
    }
}

impl<T: Real> Machine<T> {
    /// Allocates the arena and resolves all offsets. `parts` are the numbers of steps at which [`Machine::run_part`] may
    /// pause; runs of tiny steps between them become one call.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn new(plan: &Plan, parts: &[usize]) -> Result<Machine<T>, OutOfMemory> {
        let mut unroller = Unroller::new(plan);
        let (mut calls, mut ends) = (Vec::new(), Vec::new());
        let flush = |unroller: &mut Unroller, calls: &mut Vec<Call<T>>| {
            let ops = unroller.take();
            if !ops.is_empty() {
                calls.push(Call::Micro(MicroProgram::new(ops)));
            }
        };
        for (index, step) in plan.steps.iter().enumerate() {
            for _ in parts.iter().filter(|&&part| part == index) {
                flush(&mut unroller, &mut calls);
                ends.push(calls.len());
            }
            if !unroller.append(step) {
                flush(&mut unroller, &mut calls);
                calls.push(call(plan, step));
            }
        }
        flush(&mut unroller, &mut calls);
        // Parts may have no steps: a rate of 0 leaves nothing to update.
        ends.resize(parts.len() + 1, calls.len());
        let (extra, constants) = unroller.extra();
        let mut machine = Machine::with_calls(plan, calls, plan.arena_len + extra)?;
        machine.ends = ends;
        let start = plan.arena_len + extra - constants.len();
        for (slot, &value) in machine.arena.as_mut_slice()[start..].iter_mut().zip(constants) {
            *slot = T::from_f64(value);
        }
        Ok(machine)
    }

    /// A machine with one call for each step of the plan, to look at what each of them does.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn stepwise(plan: &Plan) -> Result<Machine<T>, OutOfMemory> {
        let calls = plan.steps.iter().map(|step| call(plan, step)).collect();
        Machine::with_calls(plan, calls, plan.arena_len)
    }

    fn with_calls(plan: &Plan, calls: Vec<Call<T>>, len: usize) -> Result<Machine<T>, OutOfMemory> {
        let arena = Arena::new(len)?;
        let ends = vec![calls.len()];
        let places = plan.buffers.iter().map(|b| (b.offset, b.len)).collect();
        let host_outputs = plan.host.outputs.iter().map(|&(slot, at)| (slot, plan.offset(at))).collect();
        let slots = vec![0.0; plan.host.steps.len()];
        Ok(Machine { calls, ends, places, arena, host: plan.host.clone(), slots, host_ran: false, host_outputs })
    }

    /// Takes over the numbers of a machine of the same plan.
    pub fn copy_from(&mut self, other: &Machine<T>) {
        let len = self.arena.len().min(other.arena.len());
        self.arena.as_mut_slice()[..len].copy_from_slice(&other.arena.as_slice()[..len]);
    }

    /// Names of the clocks that [`Machine::run`] takes, in order.
    #[must_use]
    pub fn clocks(&self) -> &[String] {
        &self.host.clocks
    }

    /// The elements of a buffer. Temporaries hold whatever was computed last in their memory.
    #[must_use]
    pub fn buffer(&self, id: BufferId) -> &[T] {
        let (offset, len) = self.places[id.0 as usize];
        &self.arena.as_slice()[offset..offset + len]
    }

    /// The elements of a buffer, to be written.
    pub fn buffer_mut(&mut self, id: BufferId) -> &mut [T] {
        let (offset, len) = self.places[id.0 as usize];
        &mut self.arena.as_mut_slice()[offset..offset + len]
    }

    /// Sets elements of a buffer from `f64`.
    pub fn set(&mut self, at: At, values: &[f64]) {
        let target = &mut self.buffer_mut(at.buffer)[at.offset..at.offset + values.len()];
        for (slot, &value) in target.iter_mut().zip(values) {
            *slot = T::from_f64(value);
        }
    }

    /// Elements of a buffer as `f64`.
    #[must_use]
    pub fn get(&self, at: At, len: usize) -> Vec<f64> {
        self.buffer(at.buffer)[at.offset..at.offset + len].iter().map(|v| v.to_f64()).collect()
    }

    /// One element as `f64`.
    #[must_use]
    pub fn scalar(&self, at: At) -> f64 {
        self.buffer(at.buffer)[at.offset].to_f64()
    }

    /// Runs one part of the plan, as cut at construction; the host's scalars are as [`Machine::run_host`] left them.
    #[inline]
    pub fn run_part(&mut self, pool: &Pool, part: usize) {
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        for index in start..self.ends[part] {
            self.run_call(pool, index);
        }
    }

    /// Runs the whole plan. Allocates nothing.
    pub fn run(&mut self, pool: &Pool, clocks: &[f64]) {
        self.run_host(clocks);
        for index in 0..self.calls.len() {
            self.run_call(pool, index);
        }
    }

    /// Number of kernel calls.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Has the plan no kernel calls?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Computes the host's scalars.
    pub fn run_host(&mut self, clocks: &[f64]) {
        // Without clocks the numbers are the same in every run.
        if self.host_ran && self.host.clocks.is_empty() {
            return;
        }
        self.host_ran = true;
        self.host.run(clocks, &mut self.slots);
        let arena = self.arena.as_mut_slice();
        for &(slot, offset) in &self.host_outputs {
            arena[offset] = T::from_f64(self.slots[slot]);
        }
    }

    /// Runs one kernel call; all calls in order are a run. In a stepwise machine a call is a step of the plan.
    #[inline]
    pub fn run_call(&mut self, pool: &Pool, index: usize) {
        let arena = &mut self.arena;
        match &self.calls[index] {
            Call::Micro(program) => kernels::micro(arena, program),
            Call::Map(program) => kernels::map(arena, pool, program),
            Call::MatMul { out, a, b } => kernels::matmul(arena, pool, *out, *a, *b, Write::Set),
            Call::Looped { out, a, b, loops } => looped(arena, pool, (*out, *a, *b), loops, false),
            Call::Copy { out, source, sizes } => copy(arena, out, source, sizes),
            Call::Fill { view, value } => kernels::fill(arena, *view, *value),
            Call::Rows { kernel, rows, cols, source, out } => match kernel {
                RowKernel::Softmax => kernels::softmax(arena, pool, *rows, *cols, *source, *out),
                RowKernel::LogSumExp => kernels::logsumexp(arena, pool, *rows, *cols, *source, *out),
                RowKernel::FirstMax => first_max(arena, *rows, *cols, *source, *out),
            },
            Call::Factor { kernel, n, source, out } => match kernel {
                FactorKernel::Inverse => kernels::inverse(arena, *n, *source, *out),
                FactorKernel::Det => kernels::det(arena, *n, *source, *out),
                FactorKernel::LogDet => kernels::log_abs_det(arena, *n, *source, *out),
            },
        }
    }
}

fn call<T: Real>(plan: &Plan, step: &Step) -> Call<T> {
    match step {
        Step::Map(map) => Call::Map(converted(&elementwise_program(map, |at| plan.offset(at)))),
        Step::MatMul { out, a, b, loops } if loops.is_empty() => {
            Call::MatMul { out: view(plan, out), a: view(plan, a), b: view(plan, b) }
        }
        Step::MatMul { out, a, b, loops } => {
            Call::Looped { out: view(plan, out), a: view(plan, a), b: view(plan, b), loops: loops.clone() }
        }
        Step::Copy { out, source, sizes } => Call::Copy {
            out: (plan.offset(out.0), out.1.clone()),
            source: (plan.offset(source.0), source.1.clone()),
            sizes: sizes.clone(),
        },
        Step::Fill { at, len, value } => {
            Call::Fill { view: View::dense(plan.offset(*at), 1, *len), value: T::from_f64(*value) }
        }
        Step::Rows { kernel, rows, cols, source, out } => Call::Rows {
            kernel: *kernel,
            rows: *rows,
            cols: *cols,
            source: plan.offset(*source),
            out: plan.offset(*out),
        },
        Step::Factor { kernel, n, source, out } => {
            Call::Factor { kernel: *kernel, n: *n, source: plan.offset(*source), out: plan.offset(*out) }
        }
    }
}

fn converted<T: Real>(program: &MapProgram<f64>) -> MapProgram<T> {
    MapProgram {
        rows: program.rows,
        cols: program.cols,
        operands: program.operands.clone(),
        constants: program.constants.iter().map(|&c| T::from_f64(c)).collect(),
        instructions: program.instructions.clone(),
        registers: program.registers,
        stores: program.stores.clone(),
        reductions: program
            .reductions
            .iter()
            .map(|r| kernels::Reduction {
                source: r.source,
                over: r.over,
                fold: r.fold,
                scale: T::from_f64(r.scale),
                write: r.write,
                offset: r.offset,
            })
            .collect(),
        scratch: program.scratch,
    }
}

/// The loops around a matrix product; a turn of a summed index after the first adds to the result. As deep as loops.
fn looped<T: Real>(arena: &mut Arena<T>, pool: &Pool, (out, a, b): (View, View, View), loops: &[Loop], add: bool) {
    let Some((outer, inner)) = loops.split_first() else {
        kernels::matmul(arena, pool, out, a, b, if add { Write::Add } else { Write::Set });
        return;
    };
    for turn in 0..outer.count {
        let at = |view: View, operand: usize| View { offset: view.offset + turn * outer.strides[operand], ..view };
        let summed = outer.strides[0] == 0 && turn > 0;
        looped(arena, pool, (at(out, 0), at(a, 1), at(b, 2)), inner, add || summed);
    }
}

/// Strided copy: matrices of the last two axes, in loops over the others.
fn copy<T: Real>(arena: &mut Arena<T>, out: &(usize, Vec<usize>), source: &(usize, Vec<usize>), sizes: &[usize]) {
    let outer = sizes.len().saturating_sub(2);
    let matrix = |side: &(usize, Vec<usize>), shift: usize| View {
        offset: side.0 + shift,
        rows: if sizes.len() > 1 { sizes[outer] } else { 1 },
        cols: sizes.last().copied().unwrap_or(1),
        row_stride: if sizes.len() > 1 { side.1[outer] } else { 1 },
        col_stride: side.1.last().copied().unwrap_or(1),
    };
    let turns: usize = sizes[..outer].iter().product();
    for turn in 0..turns {
        let (mut rest, mut shifts) = (turn, (0, 0));
        for axis in (0..outer).rev() {
            let position = rest % sizes[axis];
            rest /= sizes[axis];
            shifts = (shifts.0 + position * out.1[axis], shifts.1 + position * source.1[axis]);
        }
        kernels::copy(arena, matrix(out, shifts.0), matrix(source, shifts.1));
    }
}

/// 1 at the first maximum of each row, 0 elsewhere.
fn first_max<T: Real>(arena: &mut Arena<T>, rows: usize, cols: usize, source: usize, out: usize) {
    let memory = arena.as_mut_slice();
    for row in 0..rows {
        let at = source + row * cols;
        let mut best = 0;
        for col in 1..cols {
            if memory[at + col] > memory[at + best] {
                best = col;
            }
        }
        let target = &mut memory[out + row * cols..out + (row + 1) * cols];
        target.fill(T::ZERO);
        if let Some(slot) = target.get_mut(best) {
            *slot = T::ONE;
        }
    }
}
