//! What a run remembers between two steps. A checkpoint is this and nothing else: random numbers and the order of the
//! examples are functions of the counters, so there is no generator whose state could be forgotten.

use serde::{Deserialize, Serialize};

use super::event::{Report, StopReason};

/// The counters of a run and what it has seen. Everything of a run that is not an array is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Updates done.
    pub step: u64,
    /// Epochs done: with `batch = all` the updates, else the passes over the examples whose end was reached.
    pub epoch: u32,
    /// Batches done of the running epoch; always 0 with `batch = all`.
    pub batch: u32,
    /// Sum of the losses of these batches.
    pub loss_sum: f64,
    /// The loss that was computed last.
    pub last_loss: Option<f64>,
    /// The last epoch that was told to the listener. With `batch = all` the loss of an epoch is known one pass later.
    pub told: u32,
    /// The best epoch so far by validation, if the run is to end there.
    pub best: Option<Best>,
    /// The epoch with the lowest loss so far, by validation if there is any.
    pub lowest: Option<Best>,
    /// Why the run has ended, if it has.
    pub finished: Option<StopReason>,
}

/// The epoch with the lowest loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// Its number, from 1.
    pub epoch: u32,
    /// Its loss, a finite number.
    pub loss: f64,
}

impl Best {
    /// The better of the best so far and an epoch. A loss that is not finite is never the best: nothing would be below
    /// not-a-number.
    pub(super) fn of(best: Option<Best>, epoch: u32, loss: f64) -> Option<Best> {
        let better = loss.is_finite() && best.is_none_or(|best| loss < best.loss);
        if better { Some(Best { epoch, loss }) } else { best }
    }
}

impl Progress {
    /// Epochs since the one with the lowest loss.
    pub(super) fn stale(&self) -> u32 {
        self.lowest.map_or(0, |best| self.epoch.saturating_sub(best.epoch))
    }
}

/// Parameters and states of a program at one moment, each one after the other in order of declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// The parameters.
    pub parameters: Vec<f64>,
    /// The program's states.
    pub states: Vec<f64>,
}

/// A run between two steps. Continuing from here gives the same bits as never having stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The counters.
    pub progress: Progress,
    /// What the next step starts from.
    pub now: Values,
    /// The last values that were seen to be finite: what a run that diverges leaves behind.
    pub good: Values,
    /// The values after the best epoch.
    pub best: Option<Values>,
    /// The memories of the solver, in its own order, with names for people.
    pub memories: Vec<(String, Vec<f64>)>,
    /// The networks of an ensemble that are finished.
    pub done: Vec<Report>,
}

impl Checkpoint {
    /// Are all numbers finite? Others are not worth keeping: a finite checkpoint is never replaced by them.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        let values = [Some(&self.now), Some(&self.good), self.best.as_ref()];
        let arrays = values.into_iter().flatten().flat_map(|v| [&v.parameters, &v.states]);
        let mut all = arrays.chain(self.memories.iter().map(|(_, memory)| memory)).flatten();
        self.progress.loss_sum.is_finite() && all.all(|value| value.is_finite())
    }
}
