//! One block through all instructions.

use super::slots::{Argument, Workspace};
use super::{Instruction, MapOp, MapProgram, Source};
use crate::{Real, math};

/// Runs all instructions on `len` elements; registers are filled up to the next full vector.
#[inline(always)]
pub(super) fn execute<T: Real>(program: &MapProgram<T>, work: &Workspace<T>, len: usize) {
    // The same code for both types, with arrays of a constant length.
    if T::LANES == 16 {
        execute_lanes::<T, 16>(program, work, len);
    } else {
        execute_lanes::<T, 8>(program, work, len);
    }
}

/// The numbers of a source; a constant is spread over `spread` first.
#[inline(always)]
pub(super) fn resolve<T: Real, const L: usize>(
    program: &MapProgram<T>,
    work: &Workspace<T>,
    source: Source,
    spread: &mut [T; L],
) -> Argument<T> {
    match source {
        Source::Register(index) => Argument { pointer: work.slot(index.into()), step: L },
        // SAFETY: all operands of the program were loaded before.
        Source::Operand(index) => unsafe { *work.argument(index.into()) },
        Source::Constant(index) => {
            *spread = [program.constants[index as usize]; L];
            Argument { pointer: spread.as_ptr(), step: 0 }
        }
    }
}

#[inline(always)]
fn execute_lanes<T: Real, const L: usize>(program: &MapProgram<T>, work: &Workspace<T>, len: usize) {
    let vectors = len.div_ceil(L);
    for instruction in &program.instructions {
        let Instruction { op, args, out } = *instruction;
        let (mut spread, mut second, mut third) = ([T::ZERO; L], [T::ZERO; L], [T::ZERO; L]);
        let out = work.slot(out.into());
        let x = resolve(program, work, args[0], &mut spread);
        match op.arguments() {
            1 => unary::<T, L>(op, out, x, vectors),
            2 => binary::<T, L>(op, out, x, resolve(program, work, args[1], &mut second), vectors),
            _ => {
                let y = resolve(program, work, args[1], &mut second);
                let z = resolve(program, work, args[2], &mut third);
                multiply_add::<T, L>(out, [x, y, z], vectors);
            }
        }
    }
}

#[inline(always)]
fn unary<T: Real, const L: usize>(op: MapOp, out: *mut T, x: Argument<T>, vectors: usize) {
    match op {
        MapOp::Neg => each::<T, L>(out, x, vectors, |x| -x),
        MapOp::Recip => each::<T, L>(out, x, vectors, |x| T::ONE / x),
        MapOp::Square => each::<T, L>(out, x, vectors, |x| x * x),
        MapOp::Sqrt => each::<T, L>(out, x, vectors, |x| math::sqrt(x)),
        MapOp::Rsqrt => each::<T, L>(out, x, vectors, |x| math::rsqrt(x)),
        MapOp::Exp => each::<T, L>(out, x, vectors, |x| math::exp(x)),
        MapOp::Log => each::<T, L>(out, x, vectors, |x| math::log(x)),
        MapOp::Log1p => each::<T, L>(out, x, vectors, |x| math::log1p(x)),
        MapOp::Sin if is_near::<T, L>(x, vectors) => each::<T, L>(out, x, vectors, |x| x.sine_near()),
        MapOp::Sin => each::<T, L>(out, x, vectors, |x| math::sin(x)),
        MapOp::Cos if is_near::<T, L>(x, vectors) => each::<T, L>(out, x, vectors, |x| x.cosine_near()),
        MapOp::Cos => each::<T, L>(out, x, vectors, |x| math::cos(x)),
        MapOp::Atan => each::<T, L>(out, x, vectors, |x| math::atan(x)),
        MapOp::Tanh => each::<T, L>(out, x, vectors, |x| math::tanh(x)),
        MapOp::Sigmoid => each::<T, L>(out, x, vectors, |x| math::sigmoid(x)),
        MapOp::Softplus => each::<T, L>(out, x, vectors, |x| math::softplus(x)),
        MapOp::Relu => each::<T, L>(out, x, vectors, |x| math::relu(x)),
        MapOp::Step => each::<T, L>(out, x, vectors, |x| math::step(x)),
        MapOp::Abs => each::<T, L>(out, x, vectors, |x| math::abs(x)),
        MapOp::Expm1 => each::<T, L>(out, x, vectors, |x| math::expm1(x)),
        MapOp::Floor => each::<T, L>(out, x, vectors, |x| math::floor(x)),
        MapOp::Sign => each::<T, L>(out, x, vectors, |x| math::sign(x)),
        _ => each::<T, L>(out, x, vectors, |x| math::erf(x)),
    }
}

#[inline(always)]
fn binary<T: Real, const L: usize>(op: MapOp, out: *mut T, x: Argument<T>, y: Argument<T>, vectors: usize) {
    let args = [x, y];
    match op {
        MapOp::Add => each_pair::<T, L>(out, args, vectors, |x, y| x + y),
        MapOp::Sub => each_pair::<T, L>(out, args, vectors, |x, y| x - y),
        MapOp::Mul => each_pair::<T, L>(out, args, vectors, |x, y| x * y),
        MapOp::Div => each_pair::<T, L>(out, args, vectors, |x, y| x / y),
        MapOp::Pow => each_pair::<T, L>(out, args, vectors, |x, y| math::pow(x, y)),
        MapOp::Max => each_pair::<T, L>(out, args, vectors, |x, y| math::max(x, y)),
        _ => each_pair::<T, L>(out, args, vectors, |x, y| math::min(x, y)),
    }
}

/// `out = f(x)`, vector by vector; `out` may be an argument.
#[inline(always)]
fn each<T: Real, const L: usize>(out: *mut T, x: Argument<T>, vectors: usize, f: impl Fn(T) -> T) {
    for vector in 0..vectors {
        let x = read::<T, L>(x, vector);
        let mut result = [T::ZERO; L];
        for lane in 0..L {
            result[lane] = f(x[lane]);
        }
        write(out, vector, result);
    }
}

/// `out = f(x, y)`.
#[inline(always)]
fn each_pair<T: Real, const L: usize>(out: *mut T, [x, y]: [Argument<T>; 2], vectors: usize, f: impl Fn(T, T) -> T) {
    for vector in 0..vectors {
        let (x, y) = (read::<T, L>(x, vector), read::<T, L>(y, vector));
        let mut result = [T::ZERO; L];
        for lane in 0..L {
            result[lane] = f(x[lane], y[lane]);
        }
        write(out, vector, result);
    }
}

/// `out = x y + z`.
#[inline(always)]
fn multiply_add<T: Real, const L: usize>(out: *mut T, [x, y, z]: [Argument<T>; 3], vectors: usize) {
    for vector in 0..vectors {
        let (x, y, z) = (read::<T, L>(x, vector), read::<T, L>(y, vector), read::<T, L>(z, vector));
        let mut result = [T::ZERO; L];
        for lane in 0..L {
            result[lane] = math::mul_add(x[lane], y[lane], z[lane]);
        }
        write(out, vector, result);
    }
}

#[inline(always)]
fn read<T: Real, const L: usize>(argument: Argument<T>, vector: usize) -> [T; L] {
    // SAFETY: arguments reach to the end of the last vector.
    unsafe { argument.pointer.add(vector * argument.step).cast::<[T; L]>().read_unaligned() }
}

#[inline(always)]
fn write<T: Real, const L: usize>(out: *mut T, vector: usize, numbers: [T; L]) {
    // SAFETY: slots reach to the end of the last vector.
    unsafe { out.add(vector * L).cast::<[T; L]>().write_unaligned(numbers) }
}

/// Whether sine and cosine of all numbers can do without the library.
#[inline(always)]
fn is_near<T: Real, const L: usize>(x: Argument<T>, vectors: usize) -> bool {
    let limit = T::from_f64(math::trigonometric::LIMIT);
    let mut far = [0u32; L];
    for vector in 0..vectors {
        let numbers = read::<T, L>(x, vector);
        for lane in 0..L {
            far[lane] |= u32::from(numbers[lane].absolute() > limit);
        }
    }
    far.iter().all(|&lane| lane == 0)
}
