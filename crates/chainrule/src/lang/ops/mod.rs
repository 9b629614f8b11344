//! The operations, one file a family, each with all its faces together.

pub mod arithmetic;
pub mod contract;
pub mod diagonal;
pub mod elementwise;
pub mod factor;
pub mod reduce;
pub mod softmax;
pub mod source;
pub mod view;
