//! Floor 6: model files.

pub mod atomic;
pub mod error;
pub mod model_file;
pub mod trained;

mod header;
