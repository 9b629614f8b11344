//! Floor 6: training. The loop is a plain function; progress, logs and early stopping are one closure over its events.

mod ahead;
pub mod compile;
pub mod cross;
mod diverged;
mod ensemble;
pub mod event;
pub mod figures;
pub mod fit;
mod keep;
mod load;
pub mod lr_find;
pub mod numerics;
pub mod options;
mod parallel;
pub mod predict;
pub mod predictor;
pub mod probe;
pub mod progress;
pub mod randomness;
pub mod regression;
pub mod row;
pub mod second;
pub mod session;
pub mod settings;
pub mod source;
pub mod stream;
pub mod streamed;
pub mod table;
pub mod tune;
mod update;

pub use event::{Event, Flow, Report, StopReason, TrainError};
pub use fit::{fit, fit_from};
pub use options::{Dtype, Options};
pub use progress::{Checkpoint, Progress};
pub use source::Data;
