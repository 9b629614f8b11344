//! Floor 0: numeric kernels. Slices and arenas in, slices and arenas out; `f32` and `f64`; threads.
//! The only crate with `unsafe` code. Knows nothing of graphs, models or files.
//!
//! Every kernel gives the same bits for every number of threads: work is cut into chunks by the shape alone and parts
//! are joined in the order of their index. Kernels other than large matrix products also give the same bits on every
//! processor: they use fused multiply-add everywhere, fixed lane counts, and the polynomials of [`math`].
//! A debug build checks offsets; a release build trusts the verified plan.

mod simd;

pub mod arena;
pub mod factor;
pub mod map;
pub mod math;
pub mod matmul;
pub mod micro;
pub mod pool;
pub mod random;
pub mod real;
pub mod rowwise;
pub mod solve;
pub mod view;

pub use arena::{Arena, OutOfMemory};
pub use factor::{det, inverse, log_abs_det};
pub use map::{
    Access, Fold, Instruction, MapOp, MapProgram, Operand, Over, Reduction, Source, Store, map, scratch_len,
};
pub use matmul::matmul;
pub use micro::{MicroOp, MicroProgram, micro};
pub use pool::Pool;
pub use real::Real;
pub use rowwise::{logsumexp, softmax};
pub use view::{View, Write, copy, fill};
