//! What a training run tells, and how it ends.

use serde::{Deserialize, Serialize};

use super::progress::{Checkpoint, Values};
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
        /// Networks that are told of one after the other.
        members: u32,
    },
    /// After a step, before the next; answer [`Flow::Save`] for a checkpoint. Steps of a network of an ensemble that was
    /// trained before its turn are not told.
    Step {
        /// Steps done so far.
        step: u64,
        /// Epochs done.
        epoch: u32,
        /// Batches done of the running epoch.
        batch: u32,
        /// Loss of the batch before the update.
        loss: f64,
    },
    /// What [`Flow::Save`] asked for.
    Checkpoint(Box<Checkpoint>),
    /// After an epoch.
    Epoch {
        /// Which network of an ensemble, from 0.
        member: u32,
        /// Its number, from 1.
        epoch: u32,
        /// Steps done so far.
        step: u64,
        /// With `batch = all` the loss of the whole training set after the epoch; else the mean of its batches' losses,
        /// each before its update.
        loss: f64,
        /// Loss of the validation set after the epoch.
        validation: Option<f64>,
        /// What else is known of the validation set then.
        measured: Option<Measured>,
    },
    /// After the last step; answer [`Flow::Save`] for the state in which the run ends.
    End {
        /// Why.
        reason: StopReason,
    },
}

/// A figure of the validation set that says more to people than its loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Which.
    pub figure: Figure,
    /// Its value, a finite number.
    pub value: f64,
}

/// Which figure fits a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The share of the examples whose class is right.
    Accuracy,
    /// The share of the variance that is explained, the mean over several numbers.
    R2,
}

impl Figure {
    /// All of them.
    pub const ALL: [Figure; 2] = [Figure::Accuracy, Figure::R2];

    /// Its name in files and figures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Figure::Accuracy => "accuracy",
            Figure::R2 => "r2",
        }
    }
}

/// What the listener wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Give a checkpoint, then go on. Understood at the start, after a step and at the end, where a run can be continued;
    /// there is none when numbers of the run are not finite.
    Save,
    /// Stop after this event; the run can be continued.
    Stop,
    /// End the run after this event, as if its epochs were done.
    Finish,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// All epochs are done.
    Epochs,
    /// The validation loss has not fallen for as many epochs as the patience allows.
    Patience,
    /// The listener asked.
    Asked,
    /// The time is over.
    Time,
    /// The solver has come to its own end.
    Solver(crate::optim::Stopped),
}

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The parameters, one after the other in order of declaration, row by row.
    pub parameters: Vec<f64>,
    /// The program's states, likewise.
    pub states: Vec<f64>,
    /// The loss that was computed last.
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

impl Report {
    /// The parameters and states.
    #[must_use]
    pub fn into_values(self) -> Values {
        Values { parameters: self.parameters, states: self.states }
    }

    /// The report alone.
    pub(crate) fn without_values(&self) -> Report {
        Report { parameters: Vec::new(), states: Vec::new(), ..*self }
    }
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
    /// A checkpoint is not of this model, solver and data.
    Checkpoint(String),
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
            TrainError::Checkpoint(message) => write!(f, "the checkpoint does not fit the model: {message}"),
        }
    }
}

impl From<PlanError> for TrainError {
    fn from(error: PlanError) -> Self {
        TrainError::Plan(error)
    }
}
