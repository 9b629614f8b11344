//! Floor 6: files of models and of runs.

pub mod atomic;
pub mod checkpoint_file;
pub mod error;
pub mod event_file;
pub mod metrics_file;
pub mod model_file;
pub mod run_folder;
pub mod trained;

mod header;
