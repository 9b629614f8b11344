//! Fused element-wise programs: a list of instructions over a rows x cols space, run block by block in the first
//! cache, with sums and maxima taken on the way.
//!
//! A block is cut by the shape and the program alone, so results depend neither on threads nor on the processor.

mod chunks;
mod execute;
mod fold;
mod geometry;
mod slots;

use crate::simd::for_each_level;
use crate::{Arena, Pool, Real, Write};
use chunks::run_chunk;
pub(crate) use fold::fold;
use geometry::Space;

/// An element-wise operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MapOp {
    /// -x
    Neg,
    /// 1 / x
    Recip,
    /// x * x
    Square,
    /// Square root.
    Sqrt,
    /// 1 / sqrt(x)
    Rsqrt,
    /// e^x
    Exp,
    /// Natural logarithm.
    Log,
    /// log(1 + x)
    Log1p,
    /// e^x - 1
    Expm1,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Arc tangent.
    Atan,
    /// Hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e^-x)
    Sigmoid,
    /// log(1 + e^x)
    Softplus,
    /// max(x, 0)
    Relu,
    /// 1 for x > 0, else 0.
    Step,
    /// Absolute value.
    Abs,
    /// -1, 0 or 1.
    Sign,
    /// Error function.
    Erf,
    /// Largest whole number not above x.
    Floor,
    /// x + y
    Add,
    /// x - y
    Sub,
    /// x * y
    Mul,
    /// x / y
    Div,
    /// x to the power y.
    Pow,
    /// The larger one.
    Max,
    /// The smaller one.
    Min,
    /// x * y + z, rounded once.
    MulAdd,
}

impl MapOp {
    /// Every operation, in the order of the enum.
    pub const ALL: [MapOp; 29] = [
        MapOp::Neg,
        MapOp::Recip,
        MapOp::Square,
        MapOp::Sqrt,
        MapOp::Rsqrt,
        MapOp::Exp,
        MapOp::Log,
        MapOp::Log1p,
        MapOp::Expm1,
        MapOp::Sin,
        MapOp::Cos,
        MapOp::Atan,
        MapOp::Tanh,
        MapOp::Sigmoid,
        MapOp::Softplus,
        MapOp::Relu,
        MapOp::Step,
        MapOp::Abs,
        MapOp::Sign,
        MapOp::Erf,
        MapOp::Floor,
        MapOp::Add,
        MapOp::Sub,
        MapOp::Mul,
        MapOp::Div,
        MapOp::Pow,
        MapOp::Max,
        MapOp::Min,
        MapOp::MulAdd,
    ];

    /// Number of arguments: 1, 2 or 3.
    #[must_use]
    #[inline(always)]
    pub fn arguments(self) -> usize {
        match self {
            MapOp::Add | MapOp::Sub | MapOp::Mul | MapOp::Div | MapOp::Pow | MapOp::Max | MapOp::Min => 2,
            MapOp::MulAdd => 3,
            _ => 1,
        }
    }

    /// The operation on single numbers, with the bits of the kernel; arguments an operation does not take are ignored.
    #[must_use]
    #[inline(always)]
    pub fn apply<T: Real>(self, x: T, y: T, z: T) -> T {
        use crate::math;
        match self {
            MapOp::Neg => -x,
            MapOp::Recip => T::ONE / x,
            MapOp::Square => x * x,
            MapOp::Sqrt => math::sqrt(x),
            MapOp::Rsqrt => math::rsqrt(x),
            MapOp::Exp => math::exp(x),
            MapOp::Log => math::log(x),
            MapOp::Log1p => math::log1p(x),
            MapOp::Expm1 => math::expm1(x),
            MapOp::Sin => math::sin(x),
            MapOp::Cos => math::cos(x),
            MapOp::Atan => math::atan(x),
            MapOp::Tanh => math::tanh(x),
            MapOp::Sigmoid => math::sigmoid(x),
            MapOp::Softplus => math::softplus(x),
            MapOp::Relu => math::relu(x),
            MapOp::Step => math::step(x),
            MapOp::Abs => math::abs(x),
            MapOp::Sign => math::sign(x),
            MapOp::Erf => math::erf(x),
            MapOp::Floor => math::floor(x),
            MapOp::Add => x + y,
            MapOp::Sub => x - y,
            MapOp::Mul => x * y,
            MapOp::Div => x / y,
            MapOp::Pow => math::pow(x, y),
            MapOp::Max => math::max(x, y),
            MapOp::Min => math::min(x, y),
            MapOp::MulAdd => math::mul_add(x, y, z),
        }
    }
}

/// How an operand covers the rows x cols space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// rows x cols, row by row.
    Dense,
    /// 1 x cols, repeated for each row.
    Row,
    /// rows x 1, repeated for each column.
    Column,
    /// One number.
    Scalar,
}

/// Numbers in the arena that a program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Where they start.
    pub offset: usize,
    /// How they cover the space.
    pub access: Access,
}

/// Where an instruction, store or reduction takes its numbers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The result of an earlier instruction.
    Register(u8),
    /// An operand, by its index.
    Operand(u16),
    /// A constant, by its index.
    Constant(u16),
}

/// One operation on a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub op: MapOp,
    /// Arguments; those the operation does not take are ignored.
    pub args: [Source; 3],
    /// Register of the result; it may be an argument's.
    pub out: u8,
}

/// Writes rows x cols numbers, row by row. It may overwrite a dense operand of the same offset, which no other store
/// then has as its source; other overlaps are errors of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// What to write.
    pub source: Source,
    /// Where to write it.
    pub offset: usize,
}

/// What a reduction joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// All elements to one number.
    All,
    /// Each row to a number: rows x 1.
    Rows,
    /// Each column to a number: 1 x cols.
    Columns,
}

/// How a reduction joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Sum, 0 of nothing.
    Sum,
    /// Maximum, minus infinity of nothing.
    Max,
}

/// A sum or maximum of a source, times `scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reduction<T> {
    /// What to join.
    pub source: Source,
    /// Along which direction.
    pub over: Over,
    /// How.
    pub fold: Fold,
    /// Factor of the result.
    pub scale: T,
    /// Whether the result replaces or increases what stands in the arena.
    pub write: Write,
    /// Where the result goes.
    pub offset: usize,
}

/// A fused element-wise program over a rows x cols space.
#[derive(Clone, Debug, PartialEq)]
pub struct MapProgram<T> {
    /// Rows of the space.
    pub rows: usize,
    /// Columns of the space.
    pub cols: usize,
    /// What is read; at most 256 operands.
    pub operands: Vec<Operand>,
    /// Constants.
    pub constants: Vec<T>,
    /// What is done, in order.
    pub instructions: Vec<Instruction>,
    /// Number of registers the instructions use.
    pub registers: u8,
    /// What is written element by element; reductions are taken before a block is stored.
    pub stores: Vec<Store>,
    /// What is summed or maximised.
    pub reductions: Vec<Reduction<T>>,
    /// Where in the arena `scratch_len` elements are free during the call.
    pub scratch: usize,
}

/// Elements of scratch memory the program needs, for the partial results of its chunks; 0 for small spaces.
#[must_use]
pub fn scratch_len<T: Real>(program: &MapProgram<T>) -> usize {
    Space::new(program).scratch_len()
}

/// Runs a program.
pub fn map<T: Real>(arena: &mut Arena<T>, pool: &Pool, program: &MapProgram<T>) {
    debug_assert!(is_inside(program, arena.len()), "an offset of the program lies outside the arena");
    if program.rows * program.cols <= geometry::block_len::<T>(slots::count(program)) {
        run_single(program, arena.pointer());
        return;
    }
    let space = Space::new(program);
    let base = arena.pointer();
    pool.run(space.chunks, &|chunk| run_chunk(program, &space, base, chunk));
    chunks::join(program, &space, base);
}

for_each_level! {
    fn run_single<T: Real>(program: &MapProgram<T>, base: crate::arena::Shared<T>) = chunks::single;
}

fn is_inside<T: Real>(program: &MapProgram<T>, len: usize) -> bool {
    let size = |access| match access {
        Access::Dense => program.rows * program.cols,
        Access::Row => program.cols,
        Access::Column => program.rows,
        Access::Scalar => 1,
    };
    let access = |over| match over {
        Over::All => Access::Scalar,
        Over::Rows => Access::Column,
        Over::Columns => Access::Row,
    };
    program.operands.iter().all(|operand| operand.offset + size(operand.access) <= len)
        && program.stores.iter().all(|store| store.offset + size(Access::Dense) <= len)
        && program.reductions.iter().all(|reduction| reduction.offset + size(access(reduction.over)) <= len)
        && program.scratch + scratch_len(program) <= len
}

#[cfg(test)]
mod tests;
