//! The training loop, a plain function.

use kernels::{Pool, Real};

use super::compile::{TrainingPlan, extents, training};
use super::diverged::first_non_finite;
use super::event::{Divergence, Event, Flow, Report, StopReason, TrainError};
use super::options::{Dtype, Options};
use super::predict::{Forward, find, out_of_memory};
use super::randomness::{Moment, draw};
use super::source::Data;
use crate::data::batch::{Batch, BatchOrder};
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
    let rule = match solver {
        Solver::FirstOrder(rule) => rule,
        Solver::Native(chosen) => return super::second::run::run(problem, chosen, options, listen),
    };
    match options.dtype {
        Dtype::F32 => Trainer::<f32>::new(problem, rule, options)?.run(listen),
        Dtype::F64 => Trainer::<f64>::new(problem, rule, options)?.run(listen),
    }
}

/// A run: machine, data in the machine's number type, and counters.
pub struct Trainer<'a, T: Real> {
    problem: Problem<'a>,
    options: Options,
    compiled: TrainingPlan,
    machine: Machine<T>,
    pool: Pool,
    /// All examples of each fed variable.
    examples: Vec<Vec<T>>,
    order: BatchOrder,
    indices: Vec<u32>,
    clocks: Vec<f64>,
    validation: Option<Forward<T>>,
    step: u64,
    epoch: u32,
    /// The how many-th batch of a step, from 0.
    part: u32,
    good: Snapshot<T>,
    best: Option<(f64, u32, Snapshot<T>)>,
    last_loss: Option<f64>,
    /// The lowest loss of an epoch, of validation where there is one, and the number of that epoch.
    lowest: Option<(f64, u32)>,
}

/// Parameters and states at one moment.
#[derive(Clone, Default)]
struct Snapshot<T> {
    parameters: Vec<T>,
    states: Vec<T>,
}

impl<T: Real> Snapshot<T> {
    fn take(&mut self, machine: &Machine<T>, compiled: &TrainingPlan) {
        self.parameters.copy_from_slice(machine.buffer(compiled.result));
        self.states.copy_from_slice(machine.buffer(compiled.states));
    }

    fn is_finite(&self) -> bool {
        self.parameters.iter().chain(&self.states).all(|v| v.is_finite())
    }
}

fn to_f64<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

/// The loss of the validation examples, as the trained model has it.
fn validation<T: Real>(problem: &Problem) -> Result<Option<Forward<T>>, TrainError> {
    let trained = problem.program.at_prediction();
    let pair = problem.validation.zip(trained.loss);
    pair.map(|(data, loss)| Forward::new(trained, loss, data)).transpose()
}

impl<'a, T: Real> Trainer<'a, T> {
    /// Compiles and loads everything a step needs.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn new(problem: &Problem<'a>, rule: &Rule, options: &Options) -> Result<Trainer<'a, T>, TrainError> {
        let rows = problem.data.rows();
        let count = u32::try_from(rows).map_err(|_| TrainError::Data("more than 4 billion examples".to_owned()))?;
        let order = BatchOrder::new(count, options.batch, options.sampling, options.seed);
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
        let mut examples = Vec::new();
        for fed in &compiled.fed {
            let values = convert(&find(problem.data, fed)?.values);
            if fed.rows * fed.cols == values.len() {
                machine.buffer_mut(fed.at.buffer).copy_from_slice(&values);
            } else if !fed.per_example {
                return Err(TrainError::Data(format!(
                    "`{}` has {} rows, not one for each example",
                    fed.name,
                    values.len() / fed.cols.max(1)
                )));
            }
            examples.push(values);
        }
        let validation = validation(problem)?;
        let good = Snapshot {
            parameters: machine.buffer(compiled.parameters).to_vec(),
            states: machine.buffer(compiled.states).to_vec(),
        };
        let clocks = vec![0.0; machine.clocks().len()];
        Ok(Trainer {
            problem: *problem,
            options: *options,
            compiled,
            machine,
            pool: Pool::new(options.threads.max(1)),
            examples,
            indices: vec![0; batch],
            order,
            clocks,
            validation,
            step: 0,
            epoch: 0,
            part: 0,
            good,
            best: None,
            last_loss: None,
            lowest: None,
        })
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
            examples: self.problem.data.rows(),
            steps_per_epoch: self.order.steps_per_epoch(),
            epochs: self.options.epochs,
        };
        let mut reason = None;
        if listen(&start) == Flow::Stop {
            reason = Some(StopReason::Asked);
        }
        while reason.is_none() && self.epoch < self.options.epochs {
            let loss = if self.is_full_batch() { self.full_step()? } else { self.epoch_of_batches()? };
            // With the whole batch the loss belongs to the parameters before this step: the epoch before.
            let (done, loss) = match (self.is_full_batch(), self.epoch) {
                (true, 0) => (0, loss),
                (true, epoch) => (epoch, loss),
                (false, epoch) => (epoch + 1, loss),
            };
            if done > 0 {
                reason = self.epoch_done(done, loss, listen)?;
            }
            if self.is_full_batch() && reason.is_none() {
                self.update();
            }
            if reason.is_none() || !self.is_full_batch() {
                self.epoch += 1;
            }
        }
        if reason.is_none() {
            if self.is_full_batch() {
                let loss = self.full_step()?;
                reason = self.epoch_done(self.epoch, loss, listen)?.filter(|r| *r == StopReason::Patience);
            }
            reason = reason.or(Some(StopReason::Epochs));
        }
        self.finish(reason.unwrap_or(StopReason::Epochs), listen)
    }

    /// Forward and backward pass over all examples; the update is left to [`Trainer::update`].
    fn full_step(&mut self) -> Result<f64, TrainError> {
        self.set_clocks();
        self.draw(0);
        let loss = self.model()?;
        self.good.take(&self.machine, &self.compiled);
        self.last_loss = Some(loss);
        Ok(loss)
    }

    /// One pass over the examples; the mean of the batches' losses.
    fn epoch_of_batches(&mut self) -> Result<f64, TrainError> {
        // A step takes the gradients of as many batches; those left over at the end of an epoch are left out.
        let batches = self.compiled.batches;
        let steps = self.order.steps_per_epoch() / batches * batches;
        let mut sum = 0.0;
        for step in 0..steps {
            self.order.fill(self.epoch, step, &mut self.indices);
            self.load();
            self.part = step % batches;
            self.set_clocks();
            self.draw(step);
            let loss = self.model()?;
            sum += loss;
            self.last_loss = Some(loss);
            self.machine.run_part(&self.pool, 1);
            if self.part + 1 == batches {
                self.update();
            }
        }
        let mut now = std::mem::take(&mut self.good);
        let finite = self.machine.buffer(self.compiled.parameters).iter().all(|v| v.is_finite());
        if finite {
            now.take(&self.machine, &self.compiled);
        }
        self.good = now;
        Ok(sum / f64::from(steps.max(1)))
    }

    /// Copies the rows of the batch to where the plan reads them.
    fn load(&mut self) {
        for (fed, values) in self.compiled.fed.iter().zip(&self.examples) {
            if !fed.per_example {
                continue;
            }
            let target = self.machine.buffer_mut(fed.at.buffer);
            for (row, &index) in target.chunks_exact_mut(fed.cols.max(1)).zip(&self.indices) {
                let start = index as usize * fed.cols;
                row.copy_from_slice(&values[start..start + fed.cols]);
            }
        }
    }

    fn set_clocks(&mut self) {
        for (slot, name) in self.clocks.iter_mut().zip(self.machine.clocks()) {
            *slot = match name.as_str() {
                "t" => (self.step + 1) as f64,
                "epoch" => f64::from(self.epoch),
                "stale" => f64::from(self.lowest.map_or(0, |(_, epoch)| self.epoch.saturating_sub(epoch))),
                "part" => f64::from(self.part),
                "epochs" => f64::from(self.options.epochs),
                _ => f64::from(self.order.steps_per_epoch()),
            };
        }
    }

    /// The random numbers of a step of the epoch.
    fn draw(&mut self, step: u32) {
        let moment = Moment { seed: self.options.seed, epoch: self.epoch, step };
        draw(&mut self.machine, &self.compiled.random, moment);
    }

    /// Forward and backward pass; the loss must be finite.
    #[inline]
    fn model(&mut self) -> Result<f64, TrainError> {
        self.machine.run_host(&self.clocks);
        self.machine.run_part(&self.pool, 0);
        let loss = self.machine.scalar(self.compiled.loss);
        if loss.is_finite() { Ok(loss) } else { Err(self.diverged()) }
    }

    #[inline]
    fn update(&mut self) {
        self.machine.run_part(&self.pool, 2);
        self.step += 1;
    }

    /// Validation, best parameters, the event, and whether to stop.
    fn epoch_done(
        &mut self,
        epoch: u32,
        loss: f64,
        listen: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Option<StopReason>, TrainError> {
        let validation = self.validate();
        let judged = validation.unwrap_or(loss);
        if self.lowest.is_none_or(|(lowest, _)| judged < lowest) {
            self.lowest = Some((judged, epoch));
        }
        if let Some(value) = validation {
            let better = self.best.as_ref().is_none_or(|(best, _, _)| value < *best);
            if better && self.options.patience.is_some() {
                let mut snapshot = match self.best.take() {
                    Some((_, _, snapshot)) => snapshot,
                    None => self.good.clone(),
                };
                snapshot.take(&self.machine, &self.compiled);
                self.best = Some((value, epoch, snapshot));
            }
        }
        let asked = listen(&Event::Epoch { epoch, step: self.step, loss, validation }) == Flow::Stop;
        let patience = self.options.patience.zip(self.best.as_ref()).is_some_and(|(p, (_, best, _))| epoch - best >= p);
        Ok(match (asked, patience) {
            (true, _) => Some(StopReason::Asked),
            (_, true) => Some(StopReason::Patience),
            _ => None,
        })
    }

    fn validate(&mut self) -> Option<f64> {
        let forward = self.validation.as_mut()?;
        forward.set(self.machine.buffer(self.compiled.result), self.machine.buffer(self.compiled.states));
        forward.run(&self.pool);
        Some(forward.scalar())
    }

    fn finish(mut self, reason: StopReason, listen: &mut dyn FnMut(&Event) -> Flow) -> Result<Report, TrainError> {
        let mut last = self.good.clone();
        last.take(&self.machine, &self.compiled);
        if !last.is_finite() {
            return Err(self.diverged());
        }
        let (epoch, snapshot) = match self.best.take() {
            Some((_, epoch, snapshot)) => (epoch, snapshot),
            None => (self.epoch, last),
        };
        listen(&Event::End { reason });
        Ok(Report {
            parameters: to_f64(&snapshot.parameters),
            states: to_f64(&snapshot.states),
            loss: self.last_loss.unwrap_or(f64::NAN),
            epoch,
            epochs: self.epoch,
            steps: self.step,
            reason,
        })
    }

    /// Finds the first expression that is not finite by running the pass again, call by call.
    fn diverged(&mut self) -> TrainError {
        let Trainer { problem, compiled, machine, examples, pool, .. } = &*self;
        let (expression, origin) = first_non_finite(problem.program, compiled, machine, examples, pool);
        TrainError::Diverged(Box::new(Divergence {
            epoch: self.epoch + 1,
            step: self.step + 1,
            expression,
            origin,
            last_loss: self.last_loss,
            parameters: to_f64(&self.good.parameters),
            states: to_f64(&self.good.states),
        }))
    }
}
