//! Floor 5: tables, columns, preprocessing, splits, batches, generators.

pub mod batch;
pub mod blocks;
pub mod columns;
pub mod datetime;
pub mod encode;
pub mod error;
pub mod generate;
pub mod long;
pub mod matrix;
pub mod notes;
pub mod npy;
pub mod options;
pub mod origin;
pub mod parting;
pub mod preprocess;
pub mod profile;
pub mod row;
pub mod split;
pub mod suspicions;
pub mod table;
pub mod target;
pub mod wish;
pub mod write;

mod arrays;
mod association;
mod delimited;
mod drawn;
mod encoding;
mod fitting;
mod formats;
mod idx;
mod json_lines;
#[cfg(feature = "parquet")]
mod parquet;
mod quotes;
mod read;
mod remedy;
mod suggest;
mod whole;

#[cfg(feature = "parquet")]
pub use parquet::THREAD as PARQUET_THREAD;
