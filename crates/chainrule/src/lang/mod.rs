//! Floor 1: the language of mathematics. Dimensions, shapes, operations, the graph and its rewriting.
//!
//! Knows nothing of text, files, time or machines: an operation states its mathematics and names the kernel that does it.

pub mod dim;
pub mod shape;

pub mod evaluate;
pub mod graph;
pub mod op;
pub mod ops;
pub mod rewrite;
pub mod tensor;

mod construct;
mod substitute;

pub use dim::{Dim, Dims};
pub use graph::{Distribution, Fact, Graph, Id, Node, Role, Variable};
pub use op::{Class, Derivative, Op, OpDef};
pub use shape::{Axes, Shape, ShapeError};
pub use tensor::Tensor;
