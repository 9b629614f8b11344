//! What a training run tells, and how it ends.

use crate::plan::PlanError;

/// What happens in a run, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Before the first step.
    Start {
        /// Number of parameters.
        parameters: usize,
        /// Training examples.
        examples: usize,
        /// Steps in an epoch.
        steps_per_epoch: u32,
        /// Epochs at most.
        epochs: u32,
    },
    /// After an epoch.
    Epoch {
        /// Its number, from 1.
        epoch: u32,
        /// Steps done so far.
        step: u64,
        /// With `batch = all` the loss of the whole training set after the epoch; else the mean of its batches' losses,
        /// each before its update.
        loss: f64,
        /// Loss of the validation set after the epoch.
        validation: Option<f64>,
    },
    /// After the last step.
    End {
        /// Why.
        reason: StopReason,
    },
}

/// What the listener wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop after this event.
    Stop,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// All epochs are done.
    Epochs,
    /// The validation loss has not fallen for as many epochs as the patience allows.
    Patience,
    /// The listener asked.
    Asked,
    /// The solver has come to its own end.
    Solver(crate::optim::Stopped),
}

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The parameters, one after the other in order of declaration, row by row.
    pub parameters: Vec<f64>,
    /// The program's states, likewise.
    pub states: Vec<f64>,
    /// The loss of the last epoch.
    pub loss: f64,
    /// The epoch whose parameters these are.
    pub epoch: u32,
    /// Epochs done.
    pub epochs: u32,
    /// Steps done.
    pub steps: u64,
    /// Why the run ended.
    pub reason: StopReason,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TrainError {
    /// The graph cannot be compiled.
    Plan(PlanError),
    /// There is not enough memory for the arena.
    OutOfMemory {
        /// Bytes needed.
        bytes: usize,
    },
    /// A number became infinite or not-a-number.
    Diverged(Box<Divergence>),
    /// The data does not fit the program.
    Data(String),
    /// An option has a value that makes no sense.
    Option(String),
}

/// Where a run became non-finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Step of the run, from 1.
    pub step: u64,
    /// The first expression that is not finite.
    pub expression: String,
    /// Bytes of the program's source it comes from.
    pub origin: Option<(u32, u32)>,
    /// The last finite loss.
    pub last_loss: Option<f64>,
    /// The last parameters that were finite and gave a finite loss.
    pub parameters: Vec<f64>,
    /// The program's states with them.
    pub states: Vec<f64>,
}

impl std::fmt::Display for TrainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TrainError::Plan(error) => write!(f, "{error}"),
            TrainError::OutOfMemory { bytes } => write!(f, "not enough memory: {bytes} bytes are needed"),
            TrainError::Diverged(d) => {
                write!(f, "training diverged at epoch {}, step {}: {} is not finite", d.epoch, d.step, d.expression)
            }
            TrainError::Data(message) | TrainError::Option(message) => write!(f, "{message}"),
        }
    }
}

impl From<PlanError> for TrainError {
    fn from(error: PlanError) -> Self {
        TrainError::Plan(error)
    }
}
