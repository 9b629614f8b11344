//! Loading, storing and reducing: one small space at once, or a chunk of a large one unit by unit.

use super::execute::{execute, resolve};
use super::fold::{fold_argument, fold_into, join as join_two};
use super::geometry::{Space, Unit, neutral};
use super::slots::{self, Argument, Workspace};
use super::{Access, MapProgram, Over, Reduction, Source};
use crate::arena::Shared;
use crate::simd::for_each_level;
use crate::{Real, Write, view};

/// A space of at most one block, on the calling thread.
#[inline(always)]
pub(super) fn single<T: Real>(program: &MapProgram<T>, base: Shared<T>) {
    let (rows, cols) = (program.rows, program.cols);
    let len = rows * cols;
    let work = Workspace::new(super::geometry::block_len::<T>(slots::count(program)));
    let unit = Unit { row: 0, col: 0, rows, len, start: 0 };
    for (index, operand) in program.operands.iter().enumerate() {
        let slot = work.slot(program.registers as usize + index);
        // SAFETY: the operand lies in the arena; the slot holds the whole space.
        let source = unsafe { base.at(operand.offset) };
        let argument = match operand.access {
            // Whole vectors may be read in place: the caller holds the arena, which has room behind its end.
            Access::Dense => Argument { pointer: source.cast_const(), step: T::LANES },
            Access::Row => tile(slot, source, rows, cols),
            Access::Column => stretch(slot, source, rows, cols),
            Access::Scalar => spread(slot, source),
        };
        // SAFETY: the table has room for every operand.
        unsafe { *work.argument(index) = argument }
    }
    execute(program, &work, len);
    for reduction in &program.reductions {
        let mut constant = [T::ZERO; 16];
        let source = resolve(program, &work, reduction.source, &mut constant);
        reduce_single(reduction, source, [rows, cols], base);
    }
    store(program, &work, &unit, base);
}

for_each_level! {
    /// One chunk of a space of several blocks.
    pub(super) fn run_chunk<T: Real>(program: &MapProgram<T>, space: &Space, base: Shared<T>, chunk: usize) = chunk_body;
}

/// Joins the partial results of the chunks in their order.
pub(super) fn join<T: Real>(program: &MapProgram<T>, space: &Space, base: Shared<T>) {
    let mut first = program.scratch;
    for reduction in &program.reductions {
        let len = space.partial_len(reduction);
        // SAFETY: chunks have written their partial results there.
        let partial = |chunk: usize, index: usize| unsafe { *base.at(first + chunk * space.partials + index) };
        match space.over(reduction) {
            Over::All => {
                let numbers = (0..space.chunks).map(|chunk| partial(chunk, 0).to_f64() + partial(chunk, 1).to_f64());
                finish(
                    reduction,
                    base,
                    0,
                    numbers.fold(neutral(reduction.fold), |x, y| join_two(reduction.fold, x, y)),
                );
            }
            Over::Rows => {}
            Over::Columns => {
                for col in 0..len {
                    let numbers = (0..space.chunks).map(|chunk| partial(chunk, col));
                    let value = numbers.fold(neutral(reduction.fold), |x: T, y| join_two(reduction.fold, x, y));
                    finish(reduction, base, col, value.to_f64());
                }
            }
        }
        first += len;
    }
}

#[inline(always)]
fn chunk_body<T: Real>(program: &MapProgram<T>, space: &Space, base: Shared<T>, chunk: usize) {
    let work = Workspace::new(space.block);
    prepare(program, space, &work, base, chunk);
    let first = chunk * space.units_per_chunk;
    for index in first..space.units.min(first + space.units_per_chunk) {
        let unit = space.unit(index);
        for (index, operand) in program.operands.iter().enumerate() {
            let slot = work.slot(program.registers as usize + index);
            // SAFETY: the operand lies in the arena.
            let source = unsafe { base.at(operand.offset) };
            if let Some(argument) = load(space.access(operand), space, &unit, slot, source) {
                // SAFETY: the table has room for every operand.
                unsafe { *work.argument(index) = argument }
            }
        }
        execute(program, &work, unit.len);
        reduce(program, space, &work, &unit, base, chunk);
        store(program, &work, &unit, base);
    }
    close(program, space, &work, base, chunk);
}

/// What stays the same for all units of a chunk: single numbers, repeated rows, empty accumulators.
#[inline(always)]
fn prepare<T: Real>(program: &MapProgram<T>, space: &Space, work: &Workspace<T>, base: Shared<T>, chunk: usize) {
    for (index, operand) in program.operands.iter().enumerate() {
        let slot = work.slot(program.registers as usize + index);
        // SAFETY: the operand lies in the arena; the table has room for it; the slot holds `group` rows.
        unsafe {
            let source = base.at(operand.offset);
            match space.access(operand) {
                Access::Scalar => *work.argument(index) = spread(slot, source),
                Access::Row if space.group > 0 => *work.argument(index) = tile(slot, source, space.group, space.cols),
                _ => {}
            }
        }
    }
    for (index, reduction) in program.reductions.iter().enumerate() {
        let accumulator = accumulator(program, space, work, base, chunk, index);
        let len = match space.over(reduction) {
            Over::Columns if space.group > 0 => space.group * space.cols,
            Over::Columns => space.cols,
            _ => 0,
        };
        for offset in 0..len {
            // SAFETY: the accumulator has this length.
            unsafe { *accumulator.add(offset) = neutral(reduction.fold) }
        }
        if len == 0 {
            // SAFETY: a slot has 64 bytes or more.
            unsafe { *accumulator.cast::<f64>() = neutral(reduction.fold) }
        }
    }
}

/// Where a reduction gathers: a slot (one `f64`, or a block of columns side by side), or the chunk's scratch row.
#[inline(always)]
fn accumulator<T: Real>(
    program: &MapProgram<T>,
    space: &Space,
    work: &Workspace<T>,
    base: Shared<T>,
    chunk: usize,
    index: usize,
) -> *mut T {
    if space.over(&program.reductions[index]) == Over::Columns && space.group == 0 {
        return partial(program, space, base, chunk, index);
    }
    work.slot(program.registers as usize + program.operands.len() + index)
}

/// Where the partial result of a reduction over a chunk goes.
#[inline(always)]
fn partial<T: Real>(program: &MapProgram<T>, space: &Space, base: Shared<T>, chunk: usize, index: usize) -> *mut T {
    let before: usize = program.reductions[..index].iter().map(|reduction| space.partial_len(reduction)).sum();
    // SAFETY: the scratch memory has `partials` elements for every chunk.
    unsafe { base.at(program.scratch + chunk * space.partials + before) }
}

/// Numbers of an operand that change from unit to unit.
#[inline(always)]
fn load<T: Real>(access: Access, space: &Space, unit: &Unit, slot: *mut T, source: *mut T) -> Option<Argument<T>> {
    // SAFETY: the unit lies in the space and the operand in the arena; the slot holds a unit.
    unsafe {
        match access {
            Access::Dense => Some(in_place_or_copy(slot, source.add(unit.start), unit.len)),
            Access::Row if space.group == 0 => Some(in_place_or_copy(slot, source.add(unit.col), unit.len)),
            Access::Column if space.group == 0 => Some(spread(slot, source.add(unit.row))),
            Access::Column => Some(stretch(slot, source.add(unit.row), unit.rows, space.cols)),
            Access::Row | Access::Scalar => None,
        }
    }
}

/// Full vectors are read where they are; a broken last one would reach into memory another thread may write.
#[inline(always)]
unsafe fn in_place_or_copy<T: Real>(slot: *mut T, source: *const T, len: usize) -> Argument<T> {
    if len.is_multiple_of(T::LANES) {
        return Argument { pointer: source, step: T::LANES };
    }
    // SAFETY: the caller's ranges have `len` elements.
    unsafe { view::copy_short(slot, source, len) }
    Argument { pointer: slot, step: T::LANES }
}

/// One number, as many times as a vector has lanes.
#[inline(always)]
fn spread<T: Real>(slot: *mut T, source: *const T) -> Argument<T> {
    for lane in 0..T::LANES {
        // SAFETY: the slot holds a vector.
        unsafe { *slot.add(lane) = *source }
    }
    Argument { pointer: slot, step: 0 }
}

/// A row, `rows` times.
#[inline(always)]
fn tile<T: Real>(slot: *mut T, source: *const T, rows: usize, cols: usize) -> Argument<T> {
    for row in 0..rows {
        // SAFETY: the slot holds rows x cols elements.
        unsafe { view::copy_short(slot.add(row * cols), source, cols) }
    }
    Argument { pointer: slot, step: T::LANES }
}

/// A column, each element `cols` times.
#[inline(always)]
fn stretch<T: Real>(slot: *mut T, source: *const T, rows: usize, cols: usize) -> Argument<T> {
    for row in 0..rows {
        for col in 0..cols {
            // SAFETY: the slot holds rows x cols elements.
            unsafe { *slot.add(row * cols + col) = *source.add(row) }
        }
    }
    Argument { pointer: slot, step: T::LANES }
}

/// Writes a block's results; sources in the arena first, as another store may overwrite them.
#[inline(always)]
fn store<T: Real>(program: &MapProgram<T>, work: &Workspace<T>, unit: &Unit, base: Shared<T>) {
    for from_arena in [true, false] {
        for store in &program.stores {
            if matches!(store.source, Source::Operand(_)) != from_arena {
                continue;
            }
            let mut constant = [T::ZERO; 16];
            let source = resolve(program, work, store.source, &mut constant);
            // SAFETY: the unit lies in the space and the target in the arena; nobody else writes this unit.
            unsafe {
                let out = base.at(store.offset + unit.start);
                if source.step > 0 {
                    view::copy_short(out, source.pointer, unit.len);
                } else {
                    (0..unit.len).for_each(|index| *out.add(index) = *source.pointer);
                }
            }
        }
    }
}

/// Reductions of a whole small space.
#[inline(always)]
fn reduce_single<T: Real>(reduction: &Reduction<T>, source: Argument<T>, shape: [usize; 2], base: Shared<T>) {
    let [rows, cols] = shape;
    match reduction.over {
        Over::All => finish(reduction, base, 0, fold_argument(reduction.fold, source, 0, rows * cols).to_f64()),
        Over::Rows => {
            for row in 0..rows {
                finish(reduction, base, row, fold_argument(reduction.fold, source, row * cols, cols).to_f64());
            }
        }
        Over::Columns => {
            let stride = usize::from(source.step > 0);
            for col in 0..cols {
                let mut value = neutral(reduction.fold);
                for row in 0..rows {
                    // SAFETY: the source holds rows x cols elements, or one that stands for all.
                    value =
                        join_two(reduction.fold, value, unsafe { *source.pointer.add((row * cols + col) * stride) });
                }
                finish(reduction, base, col, T::to_f64(value));
            }
        }
    }
}

/// Adds a unit to the accumulators; a row that ends here is finished.
#[inline(always)]
fn reduce<T: Real>(
    program: &MapProgram<T>,
    space: &Space,
    work: &Workspace<T>,
    unit: &Unit,
    base: Shared<T>,
    chunk: usize,
) {
    for (index, reduction) in program.reductions.iter().enumerate() {
        let mut constant = [T::ZERO; 16];
        let source = resolve(program, work, reduction.source, &mut constant);
        let accumulator = accumulator(program, space, work, base, chunk, index);
        match space.over(reduction) {
            Over::Columns if space.group > 0 => fold_into(reduction.fold, accumulator, source, unit.len),
            // SAFETY: the scratch row has as many elements as the space has columns.
            Over::Columns => unsafe { fold_into(reduction.fold, accumulator.add(unit.col), source, unit.len) },
            Over::Rows if space.group > 0 => {
                for row in 0..unit.rows {
                    let value = fold_argument(reduction.fold, source, row * space.cols, space.cols);
                    finish(reduction, base, unit.row + row, value.to_f64());
                }
            }
            over => {
                let value = fold_argument(reduction.fold, source, 0, unit.len).to_f64();
                // SAFETY: the slot holds one `f64`.
                unsafe {
                    let sum = accumulator.cast::<f64>();
                    *sum = join_two(reduction.fold, *sum, value);
                    if over == Over::Rows && unit.col + unit.len == space.cols {
                        finish(reduction, base, unit.row, *sum);
                        *sum = neutral(reduction.fold);
                    }
                }
            }
        }
    }
}

/// Brings the accumulators of a chunk to its scratch row.
#[inline(always)]
fn close<T: Real>(program: &MapProgram<T>, space: &Space, work: &Workspace<T>, base: Shared<T>, chunk: usize) {
    for (index, reduction) in program.reductions.iter().enumerate() {
        let source = accumulator(program, space, work, base, chunk, index);
        let target = partial(program, space, base, chunk, index);
        match space.over(reduction) {
            // SAFETY: the slot holds one `f64`, the scratch row two numbers for it.
            Over::All => unsafe {
                let sum = *source.cast::<f64>();
                let head = T::from_f64(sum);
                let tail = T::from_f64(sum - head.to_f64());
                *target = head;
                *target.add(1) = if head.is_finite() { tail } else { T::ZERO };
            },
            Over::Columns if space.group > 0 => {
                for col in 0..space.cols {
                    let mut value = neutral(reduction.fold);
                    for row in 0..space.group {
                        // SAFETY: the slot holds group x cols elements.
                        value = join_two(reduction.fold, value, unsafe { *source.add(row * space.cols + col) });
                    }
                    // SAFETY: the scratch row has as many elements as the space has columns.
                    unsafe { *target.add(col) = value }
                }
            }
            Over::Rows | Over::Columns => {}
        }
    }
}

/// Writes element `index` of a result.
#[inline(always)]
fn finish<T: Real>(reduction: &Reduction<T>, base: Shared<T>, index: usize, value: f64) {
    let value = T::from_f64(value) * reduction.scale;
    // SAFETY: the result lies in the arena and this element belongs to the caller.
    unsafe {
        let out = base.at(reduction.offset + index);
        *out = match reduction.write {
            Write::Set => value,
            Write::Add => *out + value,
        };
    }
}
