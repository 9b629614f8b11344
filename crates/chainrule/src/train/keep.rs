//! The trainer gives and takes checkpoints.

use kernels::Real;

use super::compile::TrainingPlan;
use super::event::TrainError;
use super::fit::Trainer;
use super::progress::{Checkpoint, Values};
use crate::plan::BufferId;
use crate::run::Machine;

/// Parameters and states of a trained model at one moment, in the machine's number type.
#[derive(Clone, Default)]
pub(super) struct Snapshot<T> {
    pub(super) parameters: Vec<T>,
    pub(super) states: Vec<T>,
}

impl<T: Real> Snapshot<T> {
    pub(super) fn of(machine: &Machine<T>, compiled: &TrainingPlan) -> Snapshot<T> {
        let copy = |buffer| machine.buffer(buffer).to_vec();
        Snapshot { parameters: copy(compiled.result), states: copy(compiled.states) }
    }

    pub(super) fn take(&mut self, machine: &Machine<T>, compiled: &TrainingPlan) {
        self.parameters.copy_from_slice(machine.buffer(compiled.result));
        self.states.copy_from_slice(machine.buffer(compiled.states));
    }

    pub(super) fn is_finite(&self) -> bool {
        self.parameters.iter().chain(&self.states).all(|v| v.is_finite())
    }

    pub(super) fn values(&self) -> Values {
        Values { parameters: to_f64(&self.parameters), states: to_f64(&self.states) }
    }

    /// Values as they were taken; of another size they belong to another model.
    fn restore(&mut self, values: &Values) -> Result<(), TrainError> {
        fill(&mut self.parameters, &values.parameters, "parameters")?;
        fill(&mut self.states, &values.states, "states")
    }
}

fn to_f64<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

fn fill<T: Real>(target: &mut [T], values: &[f64], what: &str) -> Result<(), TrainError> {
    if target.len() != values.len() {
        let message = format!("it has {} values for the {what}, the model {}", values.len(), target.len());
        return Err(TrainError::Checkpoint(message));
    }
    for (slot, &value) in target.iter_mut().zip(values) {
        *slot = T::from_f64(value);
    }
    Ok(())
}

impl<T: Real> Trainer<'_, T> {
    /// The run between two steps, unless a number of it is not finite.
    pub(super) fn checkpoint(&self) -> Option<Checkpoint> {
        let read = |buffer| to_f64(self.machine.buffer(buffer));
        let memories = self.compiled.moments.iter().enumerate();
        let checkpoint = Checkpoint {
            progress: self.progress,
            now: Values { parameters: read(self.compiled.parameters), states: read(self.compiled.states) },
            good: self.good.values(),
            best: self.best.as_ref().map(Snapshot::values),
            memories: memories.map(|(number, &(buffer, _))| (self.memory(number, buffer), read(buffer))).collect(),
            done: Vec::new(),
        };
        checkpoint.is_finite().then_some(checkpoint)
    }

    /// The name of a memory. Two may have one name in the text: those of a rule that two groups of parameters follow.
    fn memory(&self, number: usize, buffer: BufferId) -> String {
        format!("{number}.{}", self.compiled.plan.buffers[buffer.0 as usize].name)
    }

    /// Puts the run where the checkpoint was taken.
    ///
    /// # Errors
    /// The checkpoint is of another model, solver or data.
    pub(super) fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        let Checkpoint { progress, now, good, best, memories, done: _ } = checkpoint;
        let wrong = |message: &str| Err(TrainError::Checkpoint(message.to_owned()));
        let names = self.compiled.moments.iter().enumerate().map(|(number, &(buffer, _))| self.memory(number, buffer));
        if !names.eq(memories.iter().map(|(name, _)| name.clone())) {
            return wrong("it is of another optimizer");
        }
        if progress.batch > self.order.steps_per_epoch() || progress.told > progress.epoch {
            return wrong("its counters do not fit the number of examples");
        }
        if best.is_some() != progress.best.is_some() {
            return wrong("its best epoch lacks its values");
        }
        fill(self.machine.buffer_mut(self.compiled.parameters), &now.parameters, "parameters")?;
        fill(self.machine.buffer_mut(self.compiled.states), &now.states, "states")?;
        for (&(buffer, _), (name, values)) in self.compiled.moments.iter().zip(memories) {
            fill(self.machine.buffer_mut(buffer), values, name)?;
        }
        self.good.restore(good)?;
        if let Some(values) = best {
            let mut snapshot = self.good.clone();
            snapshot.restore(values)?;
            self.best = Some(snapshot);
        }
        self.progress = *progress;
        Ok(())
    }
}
