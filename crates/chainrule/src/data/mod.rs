//! Floor 5: tables, columns, preprocessing, splits, batches, generators.

pub mod batch;
pub mod columns;
pub mod datetime;
pub mod encode;
pub mod error;
pub mod generate;
pub mod matrix;
pub mod notes;
pub mod npy;
pub mod preprocess;
pub mod split;
pub mod table;
pub mod target;
pub mod write;

mod delimited;
mod fitting;
mod quotes;
mod read;
mod suggest;
