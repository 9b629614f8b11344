//! Floor 0: numeric kernels. Slices and arenas in, slices and arenas out; `f32` and `f64`; threads.
//! The only crate with `unsafe` code. Knows nothing of graphs, models or files.

pub mod random;
