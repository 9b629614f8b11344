//! Floor 5: tables, columns, preprocessing, splits, batches, generators.

pub mod matrix;
