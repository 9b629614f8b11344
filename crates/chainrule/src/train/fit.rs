//! The training loop, a plain function.

use std::sync::Arc;

use kernels::{Pool, Real};

use super::compile::{TrainingPlan, extents, training};
use super::event::{Event, Flow, Report, StopReason, TrainError};
use super::keep::Snapshot;
use super::load::load_all;
use super::measure::Validator;
use super::options::{Dtype, Options};
use super::predict::out_of_memory;
use super::progress::{Best, Checkpoint, Progress};
use super::randomness::{Moment, draw};
use super::source::Data;
use super::streamed::{Feed, Streamed};
use crate::data::batch::{Batch, BatchOrder, Sampling};
use crate::model::Program;
use crate::optim::{Rule, Solver};
use crate::run::Machine;

/// What is trained on what.
#[derive(Clone, Copy)]
pub struct Problem<'a> {
    /// The model.
    pub program: &'a Program,
    /// Training examples.
    pub data: &'a Data,
    /// Where training examples come from that do not fit into memory; `data` is a sample of them then.
    pub stream: Option<&'a Arc<Streamed>>,
    /// Validation examples.
    pub validation: Option<&'a Data>,
    /// Starting values of the parameters.
    pub parameters: &'a [f64],
    /// Starting values of the program's states.
    pub states: &'a [f64],
}

/// Trains, and tells the listener what happens. The same problem, solver and options give the same bits, whatever the
/// number of threads; a step after the first allocates nothing.
///
/// # Errors
/// See [`TrainError`]; a diverged run carries its last finite parameters.
pub fn fit(
    problem: &Problem,
    solver: &Solver,
    options: &Options,
    listen: &mut dyn FnMut(&Event) -> Flow,
) -> Result<Report, TrainError> {
    fit_from(problem, solver, options, None, listen)
}

/// As [`fit`], from where a checkpoint of the same problem, solver and options was taken: what follows, events and
/// report, is to the last bit what it would have been without the interruption.
///
/// # Errors
/// As [`fit`], and [`TrainError::Checkpoint`] if the checkpoint does not fit.
pub fn fit_from(
    problem: &Problem,
    solver: &Solver,
    options: &Options,
    from: Option<&Checkpoint>,
    listen: &mut dyn FnMut(&Event) -> Flow,
) -> Result<Report, TrainError> {
    if problem.stream.is_some() && (options.batch == Batch::All || matches!(solver, Solver::Native(_))) {
        let message = "the table is too large for steps that need all examples at once: give a batch size";
        return Err(TrainError::Option(message.to_owned()));
    }
    let rule = match solver {
        Solver::FirstOrder(rule) => rule,
        Solver::Native(chosen) => return super::second::run::run(problem, chosen, options, from, listen),
    };
    match options.dtype {
        Dtype::F32 => Trainer::<f32>::new(problem, rule, options, from)?.run(listen),
        Dtype::F64 => Trainer::<f64>::new(problem, rule, options, from)?.run(listen),
    }
}

/// A run: machine and data in the machine's number type, and its progress.
pub struct Trainer<'a, T: Real> {
    pub(super) problem: Problem<'a>,
    options: Options,
    pub(super) compiled: TrainingPlan,
    pub(super) machine: Machine<T>,
    pub(super) pool: Pool,
    /// All examples of each fed variable.
    pub(super) examples: Vec<Vec<T>>,
    /// Where the examples come from, if not from there.
    pub(super) feed: Option<Feed<T>>,
    pub(super) order: BatchOrder,
    pub(super) indices: Vec<u32>,
    clocks: Vec<f64>,
    validation: Option<Validator<T>>,
    /// What is not in the machine and the next step depends on. Nothing of that kind may stand beside these three.
    pub(super) progress: Progress,
    pub(super) good: Snapshot<T>,
    pub(super) best: Option<Snapshot<T>>,
}

impl<'a, T: Real> Trainer<'a, T> {
    /// Compiles and loads everything a step needs.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn new(
        problem: &Problem<'a>,
        rule: &Rule,
        options: &Options,
        from: Option<&Checkpoint>,
    ) -> Result<Trainer<'a, T>, TrainError> {
        let stream = problem.stream;
        let rows = stream.map_or(problem.data.rows(), |stream| stream.examples());
        let count = u32::try_from(rows).map_err(|_| TrainError::Data("more than 4 billion examples".to_owned()))?;
        // The order within a stream is the stream's.
        let sampling = if stream.is_some() { Sampling::Cyclic } else { options.sampling };
        let order = BatchOrder::new(count, options.batch, sampling, options.seed);
        let batch = order.batch_size();
        let extents = extents(problem.program, problem.data, (batch != rows).then_some(batch))?;
        let compiled = training(problem.program, rule, &extents)?;
        compiled.check_batches(order.steps_per_epoch())?;
        let mut machine = Machine::<T>::new(&compiled.plan, &[compiled.model_steps, compiled.update])
            .map_err(|_| out_of_memory::<T>(compiled.plan.arena_len))?;
        let convert = |values: &[f64]| values.iter().map(|&v| T::from_f64(v)).collect::<Vec<T>>();
        machine.buffer_mut(compiled.parameters).copy_from_slice(&convert(problem.parameters));
        machine.buffer_mut(compiled.states).copy_from_slice(&convert(problem.states));
        for &(buffer, start) in &compiled.moments {
            machine.buffer_mut(buffer).fill(T::from_f64(start));
        }
        machine.buffer_mut(compiled.result).copy_from_slice(&convert(problem.parameters));
        let mut examples = load_all(&compiled, &mut machine, problem.data)?;
        let feed = stream.map(|stream| Feed::new(stream, options.seed, batch));
        if feed.is_some() {
            examples.clear();
        }
        let validation = Validator::new(problem)?;
        let mut trainer = Trainer {
            problem: *problem,
            options: *options,
            pool: Pool::new(options.threads.max(1)),
            examples,
            feed,
            indices: vec![0; batch],
            order,
            clocks: vec![0.0; machine.clocks().len()],
            validation,
            progress: Progress::default(),
            good: Snapshot::of(&machine, &compiled),
            best: None,
            compiled,
            machine,
        };
        from.map_or(Ok(()), |checkpoint| trainer.restore(checkpoint))?;
        Ok(trainer)
    }

    fn is_full_batch(&self) -> bool {
        self.options.batch == Batch::All
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// The run diverges.
    pub fn run(mut self, listen: &mut dyn FnMut(&Event) -> Flow) -> Result<Report, TrainError> {
        let start = Event::Start {
            parameters: self.problem.parameters.len(),
            examples: self.feed.as_ref().map_or(self.problem.data.rows(), Feed::examples),
            steps_per_epoch: self.order.steps_per_epoch(),
            epochs: self.options.epochs,
            members: 1,
        };
        let mut reason = self.progress.finished.or((self.options.epochs == 0).then_some(StopReason::Epochs));
        match listen(&start) {
            Flow::Save => self.offer(listen),
            Flow::Stop => reason = reason.or(Some(StopReason::Asked)),
            Flow::Continue | Flow::Finish => {}
        }
        loop {
            match reason {
                Some(reason) => return self.finish(reason, listen),
                None if self.is_full_batch() => reason = self.step_of_all(listen)?,
                None => reason = self.step_of_batch(listen)?,
            }
        }
    }

    /// A pass over all examples, and the update. The loss belongs to the parameters before the update: to the epoch
    /// before.
    fn step_of_all(&mut self, listen: &mut dyn FnMut(&Event) -> Flow) -> Result<Option<StopReason>, TrainError> {
        self.set_clocks();
        self.draw();
        let loss = self.model()?;
        self.keep()?;
        let mut reason = None;
        if self.progress.epoch > self.progress.told {
            reason = self.epoch_done(loss, listen);
        }
        if reason.is_some_and(|reason| reason != StopReason::Asked) {
            return Ok(reason);
        }
        // Also after a request to stop, so that the run stands between two steps.
        self.update();
        self.progress.epoch += 1;
        Ok(reason.or_else(|| self.step_done(loss, listen)))
    }

    /// A batch; at the end of the examples, what belongs to the end of an epoch.
    fn step_of_batch(&mut self, listen: &mut dyn FnMut(&Event) -> Flow) -> Result<Option<StopReason>, TrainError> {
        // An update takes the gradients of as many batches; those left over at the end of an epoch are left out.
        let batches = self.compiled.batches;
        let all = self.order.steps_per_epoch() / batches * batches;
        if self.progress.batch == all {
            let loss = self.progress.loss_sum / f64::from(all.max(1));
            self.keep()?;
            self.progress.epoch += 1;
            (self.progress.batch, self.progress.loss_sum) = (0, 0.0);
            return Ok(self.epoch_done(loss, listen));
        }
        self.order.fill(self.progress.epoch, self.progress.batch, &mut self.indices);
        self.load()?;
        self.set_clocks();
        self.draw();
        let loss = self.model()?;
        self.machine.run_part(&self.pool, 1);
        self.progress.loss_sum += loss;
        self.progress.batch += 1;
        if self.progress.batch.is_multiple_of(batches) {
            self.update();
        }
        Ok(self.step_done(loss, listen))
    }

    /// Keeps parameters and states, which must be finite.
    fn keep(&mut self) -> Result<(), TrainError> {
        let buffers = [self.compiled.parameters, self.compiled.result, self.compiled.states];
        if !buffers.iter().all(|&buffer| self.machine.buffer(buffer).iter().all(|v| v.is_finite())) {
            return Err(self.diverged());
        }
        self.good.take(&self.machine, &self.compiled);
        Ok(())
    }

    /// Between two steps: the listener may ask for a checkpoint, or for the end.
    #[inline]
    fn step_done(&mut self, loss: f64, listen: &mut dyn FnMut(&Event) -> Flow) -> Option<StopReason> {
        let Progress { step, epoch, batch, .. } = self.progress;
        match listen(&Event::Step { step, epoch, batch, loss }) {
            Flow::Continue => None,
            Flow::Save => {
                self.offer(listen);
                None
            }
            Flow::Stop => Some(StopReason::Asked),
            Flow::Finish => Some(StopReason::Time),
        }
    }

    /// Gives a checkpoint, unless it would not be finite: then the next pass finds that the run diverges.
    fn offer(&self, listen: &mut dyn FnMut(&Event) -> Flow) {
        if let Some(checkpoint) = self.checkpoint() {
            listen(&Event::Checkpoint(Box::new(checkpoint)));
        }
    }

    fn set_clocks(&mut self) {
        for (slot, name) in self.clocks.iter_mut().zip(self.machine.clocks()) {
            *slot = match name.as_str() {
                "t" => (self.progress.step + 1) as f64,
                "epoch" => f64::from(self.progress.epoch),
                "stale" => f64::from(self.progress.stale()),
                "part" => f64::from(self.progress.batch % self.compiled.batches),
                "epochs" => f64::from(self.options.epochs),
                _ => f64::from(self.order.steps_per_epoch()),
            };
        }
    }

    /// The random numbers of a step of the epoch.
    fn draw(&mut self) {
        let Progress { epoch, batch: step, .. } = self.progress;
        let moment = Moment { seed: self.options.seed, epoch, step };
        draw(&mut self.machine, &self.compiled.random, moment);
    }

    /// Forward and backward pass; the loss must be finite.
    #[inline]
    fn model(&mut self) -> Result<f64, TrainError> {
        self.machine.run_host(&self.clocks);
        self.machine.run_part(&self.pool, 0);
        let loss = self.machine.scalar(self.compiled.loss);
        if !loss.is_finite() {
            return Err(self.diverged());
        }
        self.progress.last_loss = Some(loss);
        Ok(loss)
    }

    #[inline]
    fn update(&mut self) {
        self.machine.run_part(&self.pool, 2);
        self.progress.step += 1;
    }

    /// Validation, best parameters, the event, and whether to stop.
    fn epoch_done(&mut self, loss: f64, listen: &mut dyn FnMut(&Event) -> Flow) -> Option<StopReason> {
        let Progress { epoch, step, .. } = self.progress;
        self.progress.told = epoch;
        let Trainer { validation, machine, compiled, pool, .. } = &mut *self;
        let validated = validation
            .as_mut()
            .map(|validation| validation.run(machine.buffer(compiled.result), machine.buffer(compiled.states), pool));
        let (validation, measured) = (validated.map(|found| found.0), validated.and_then(|found| found.1));
        self.progress.lowest = Best::of(self.progress.lowest, epoch, validation.unwrap_or(loss));
        let best = match validation.filter(|_| self.options.patience.is_some()) {
            Some(loss) => Best::of(self.progress.best, epoch, loss),
            None => None,
        };
        if best.is_some_and(|best| best.epoch == epoch) {
            self.progress.best = best;
            let snapshot = self.best.get_or_insert_with(|| self.good.clone());
            snapshot.take(&self.machine, &self.compiled);
        }
        let flow = listen(&Event::Epoch { member: 0, epoch, step, loss, validation, measured });
        let patience = self.options.patience.zip(self.progress.best).is_some_and(|(p, best)| epoch - best.epoch >= p);
        match (patience, epoch >= self.options.epochs, flow) {
            (true, _, _) => Some(StopReason::Patience),
            (_, true, _) => Some(StopReason::Epochs),
            (_, _, Flow::Stop) => Some(StopReason::Asked),
            (_, _, Flow::Finish) => Some(StopReason::Time),
            _ => None,
        }
    }

    fn finish(mut self, reason: StopReason, listen: &mut dyn FnMut(&Event) -> Flow) -> Result<Report, TrainError> {
        let mut last = self.good.clone();
        // With the whole batch the loss of the newest parameters is not known yet.
        if !self.is_full_batch() {
            last.take(&self.machine, &self.compiled);
        }
        if !last.is_finite() {
            return Err(self.diverged());
        }
        self.progress.finished = Some(reason).filter(|reason| *reason != StopReason::Asked);
        if listen(&Event::End { reason }) == Flow::Save {
            self.offer(listen);
        }
        let best = self.progress.best.zip(self.best.as_ref());
        let (epoch, values) = match best {
            Some((best, snapshot)) => (best.epoch, snapshot.values()),
            None => (self.progress.told, last.values()),
        };
        Ok(Report {
            parameters: values.parameters,
            states: values.states,
            loss: self.progress.last_loss.unwrap_or(f64::NAN),
            epoch,
            epochs: self.progress.told,
            steps: self.progress.step,
            reason,
        })
    }
}
