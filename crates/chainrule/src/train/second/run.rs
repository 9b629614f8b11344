//! The loops of the solvers that are no update rule: one iteration is one epoch.

use kernels::Pool;

use super::gradient::Gradient;
use super::system::System;
use crate::data::batch::{Batch, BatchOrder};
use crate::optim::lbfgs::{self, Lbfgs};
use crate::optim::levenberg::{Damping, LeastSquares, Levenberg, Scaling, Settings};
use crate::optim::native::LevenbergMarquardt;
use crate::optim::{Chosen, Memories, Stopped};
use crate::train::event::{Divergence, Event, Flow, Report, StopReason, TrainError};
use crate::train::fit::Problem;
use crate::train::measure::Validator;
use crate::train::options::Options;
use crate::train::progress::{Best, Checkpoint, Progress, Values};
use crate::train::source::Data;

/// Iterations without a lower validation loss before a run stops, unless the text says otherwise: these methods fit noise
/// quickly. The number is that of MATLAB's trainlm.
const PATIENCE: u32 = 6;

/// Hands out what a solver remembers.
type Remember<'a> = &'a dyn Fn() -> Memories;
type Listen<'a> = &'a mut dyn FnMut(&Event) -> Flow;

/// What a run keeps beside the solver.
struct Course<'a> {
    options: &'a Options,
    validation: Option<Validator<f64>>,
    pool: Pool,
    states: &'a [f64],
    patience: Option<u32>,
    progress: Progress,
    /// The parameters of the best epoch.
    best: Option<Vec<f64>>,
    reason: Option<StopReason>,
    /// Where a run stands that was asked to stop.
    stopped: Option<Checkpoint>,
}

impl<'a> Course<'a> {
    fn new(problem: &Problem<'a>, options: &'a Options) -> Result<Course<'a>, TrainError> {
        let validation = Validator::new(problem)?;
        Ok(Course {
            options,
            patience: validation.as_ref().map(|_| options.patience.unwrap_or(PATIENCE)),
            validation,
            pool: Pool::new(options.threads.max(1)),
            states: problem.states,
            progress: Progress::default(),
            best: None,
            reason: None,
            stopped: None,
        })
    }

    /// Puts the run where the checkpoint was taken.
    fn restore(&mut self, checkpoint: &Checkpoint, w: &mut [f64]) -> Result<(), TrainError> {
        let Checkpoint { progress, now, best, .. } = checkpoint;
        let fits = |values: &Values| values.parameters.len() == w.len() && values.states.len() == self.states.len();
        if !fits(now) || !best.iter().all(fits) || best.is_some() != progress.best.is_some() {
            return Err(TrainError::Checkpoint("it is of another model".to_owned()));
        }
        w.copy_from_slice(&now.parameters);
        self.best = best.as_ref().map(|values| values.parameters.clone());
        (self.progress, self.reason) = (*progress, progress.finished);
        Ok(())
    }

    fn checkpoint(&self, w: &[f64], memories: Memories) -> Checkpoint {
        let values = |w: &[f64]| Values { parameters: w.to_vec(), states: self.states.to_vec() };
        let best = self.best.as_deref().map(values);
        Checkpoint { progress: self.progress, now: values(w), good: values(w), best, memories, done: Vec::new() }
    }

    /// After an epoch: validation, the event, and whether to stop.
    fn epoch_done(&mut self, loss: f64, w: &[f64], remember: Option<Remember>, listen: Listen) {
        let Progress { epoch, step, .. } = self.progress;
        self.progress.told = epoch;
        let validated = self.validation.as_mut().map(|validation| validation.run(w, self.states, &self.pool));
        let (validation, measured) = (validated.map(|found| found.0), validated.and_then(|found| found.1));
        let best = validation.and_then(|value| Best::of(self.progress.best, epoch, value));
        if best.is_some_and(|best| best.epoch == epoch) {
            self.progress.best = best;
            self.best = Some(w.to_vec());
        }
        let flow = listen(&Event::Epoch { member: 0, epoch, step, loss, validation, measured });
        if self.patience.zip(self.progress.best).is_some_and(|(patience, best)| epoch - best.epoch >= patience) {
            self.reason = Some(StopReason::Patience);
        } else if flow == Flow::Finish {
            self.reason = Some(StopReason::Time);
        } else if let Some(remember) = remember.filter(|_| flow == Flow::Stop) {
            self.stop(w, remember);
        }
    }

    fn stop(&mut self, w: &[f64], remember: Remember) {
        self.reason = Some(StopReason::Asked);
        self.stopped = Some(self.checkpoint(w, remember()));
    }

    /// Between two steps: the listener may ask for a checkpoint, or for the end. `false` ends the run.
    fn step_done(&mut self, loss: f64, w: &[f64], remember: Option<Remember>, listen: Listen) -> bool {
        let Progress { step, epoch, batch, .. } = self.progress;
        if let (None, Some(remember)) = (self.reason, remember) {
            match listen(&Event::Step { step, epoch, batch, loss }) {
                Flow::Continue => {}
                Flow::Save => self.offer(self.checkpoint(w, remember()), listen),
                Flow::Stop => self.stop(w, remember),
                Flow::Finish => self.reason = Some(StopReason::Time),
            }
        }
        self.reason.is_none()
    }

    fn offer(&self, checkpoint: Checkpoint, listen: Listen) {
        if checkpoint.is_finite() {
            listen(&Event::Checkpoint(Box::new(checkpoint)));
        }
    }

    /// An iteration over all examples is a step and an epoch; `false` ends the run.
    fn iterated(&mut self, epoch: u32, loss: f64, w: &[f64], remember: Option<Remember>, listen: Listen) -> bool {
        (self.progress.epoch, self.progress.step, self.progress.last_loss) = (epoch, u64::from(epoch), Some(loss));
        self.epoch_done(loss, w, remember, listen);
        self.step_done(loss, w, remember, listen)
    }

    fn finish(mut self, stopped: Stopped, w: Vec<f64>, listen: Listen) -> Result<Report, TrainError> {
        if stopped == Stopped::NotFinite {
            return Err(TrainError::Diverged(Box::new(Divergence {
                epoch: 0,
                step: 0,
                expression: "the loss at the starting values".to_owned(),
                origin: None,
                last_loss: None,
                parameters: w,
                states: self.states.to_vec(),
            })));
        }
        let reason = self.reason.unwrap_or(match stopped {
            Stopped::Iterations | Stopped::Asked => StopReason::Epochs,
            other => StopReason::Solver(other),
        });
        self.progress.finished = Some(reason).filter(|reason| *reason != StopReason::Asked);
        if listen(&Event::End { reason }) == Flow::Save {
            let stopped = self.stopped.take();
            self.offer(stopped.unwrap_or_else(|| self.checkpoint(&w, Memories::new())), listen);
        }
        let Progress { told: epochs, step, last_loss, best, .. } = self.progress;
        let (epoch, parameters) = best.zip(self.best).map_or((epochs, w), |(best, w)| (best.epoch, w));
        let states = self.states.to_vec();
        Ok(Report { parameters, states, loss: last_loss.unwrap_or(f64::NAN), epoch, epochs, steps: step, reason })
    }
}

/// Runs a solver to its end, from a checkpoint if there is one.
///
/// # Errors
/// See [`TrainError`].
pub fn run(
    problem: &Problem,
    chosen: &Chosen,
    options: &Options,
    from: Option<&Checkpoint>,
    listen: &mut dyn FnMut(&Event) -> Flow,
) -> Result<Report, TrainError> {
    super::refuse_changing_losses(problem.program)?;
    let mut course = Course::new(problem, options)?;
    let order = BatchOrder::new(problem.data.rows() as u32, options.batch, options.sampling, options.seed);
    let mut w = problem.parameters.to_vec();
    from.map_or(Ok(()), |checkpoint| course.restore(checkpoint, &mut w))?;
    let start = Event::Start {
        parameters: problem.parameters.len(),
        examples: problem.data.rows(),
        steps_per_epoch: order.steps_per_epoch(),
        epochs: options.epochs,
        members: 1,
    };
    let memories = from.map_or_else(Memories::new, |checkpoint| checkpoint.memories.clone());
    match listen(&start) {
        Flow::Save => course.offer(course.checkpoint(&w, memories.clone()), listen),
        Flow::Stop if course.reason.is_none() => course.stop(&w, &|| memories.clone()),
        _ => {}
    }
    if course.reason.is_some() {
        return course.finish(Stopped::Asked, w, listen);
    }
    let stopped = solve(problem, chosen, &mut course, (&memories, &mut w), listen)?;
    course.finish(stopped, w, listen)
}

/// Runs the solver, which remembers what a checkpoint says.
fn solve<'a>(
    problem: &Problem<'a>,
    chosen: &Chosen,
    course: &mut Course<'a>,
    (memories, w): (&Memories, &mut Vec<f64>),
    listen: Listen,
) -> Result<Stopped, TrainError> {
    // A checkpoint from before the first step has nothing that a solver remembers.
    let fits = |restored: bool| {
        let other = || TrainError::Checkpoint("it is of another optimizer".to_owned());
        if restored || memories.is_empty() { Ok(()) } else { Err(other()) }
    };
    let (options, done) = (course.options, course.progress.epoch);
    let Problem { program, data, states, .. } = *problem;
    let chosen = match chosen {
        Chosen::Lbfgs(settings) => {
            if options.batch != Batch::All {
                return Err(TrainError::Option("`lbfgs` works on all examples at once: leave out `batch`".to_owned()));
            }
            let settings = lbfgs::Settings { iterations: options.epochs, ..*settings };
            let mut gradient = Gradient::new(program, data, states, options.threads)?;
            let mut solver = Lbfgs::new(&settings, w.len());
            fits(solver.restore(memories))?;
            return Ok(solver.minimise_after(done, &mut gradient, w, &mut |epoch, loss, w, remember| {
                course.iterated(epoch, loss, w, remember, listen)
            }));
        }
        Chosen::LevenbergMarquardt(chosen) => chosen,
    };
    let mut order = BatchOrder::new(data.rows() as u32, options.batch, options.sampling, options.seed);
    let mut rows = vec![0; order.batch_size()];
    order.fill(0, 0, &mut rows);
    let first = if options.batch == Batch::All { Data::default() } else { data.select(&rows) };
    let seen = if options.batch == Batch::All { data } else { &first };
    let mut system = System::new(program, seen, states, (chosen.method, options.threads))?;
    let mut solver = Levenberg::new(&settings(chosen, &system, options)?, system.len());
    fits(solver.restore(memories))?;
    Ok(match options.batch {
        Batch::All => solver.minimise_after(done, &mut system, w, &mut |epoch, loss, w, remember| {
            course.iterated(epoch, loss, w, remember, listen)
        }),
        Batch::Size(_) => Batches { data, order, rows, system, solver }.run(course, w, listen),
    })
}

/// The choices that the text leaves open, made for a problem.
fn settings(chosen: &LevenbergMarquardt, system: &System, options: &Options) -> Result<Settings, TrainError> {
    if system.is_dual() && chosen.settings.scaling == Scaling::More {
        let message = "the dual form needs `scaling = identity`; `solve = normal` takes any";
        return Err(TrainError::Option(message.to_owned()));
    }
    // With fewer residuals than parameters the gain ratio lets lambda fall too slowly.
    let few = system.outputs < system.len();
    let damping = chosen.damping.unwrap_or(if few { Damping::Trainlm } else { Damping::Nielsen });
    let accelerate = chosen.accelerate.unwrap_or(damping == Damping::Nielsen && system.squares && !system.is_dual());
    Ok(Settings { damping, accelerate, iterations: options.epochs, ..chosen.settings })
}

/// A step for each batch: the step must lower the loss of its own batch.
struct Batches<'a> {
    data: &'a Data,
    order: BatchOrder,
    rows: Vec<u32>,
    system: System<'a>,
    solver: Levenberg,
}

impl Batches<'_> {
    fn run(&mut self, course: &mut Course, w: &mut Vec<f64>, listen: Listen) -> Stopped {
        let steps = self.order.steps_per_epoch();
        while course.progress.epoch < course.options.epochs {
            let Progress { epoch, batch, loss_sum, .. } = course.progress;
            if batch == steps {
                course.progress.epoch += 1;
                (course.progress.batch, course.progress.loss_sum) = (0, 0.0);
                let memories = || self.solver.memories();
                course.epoch_done(loss_sum / f64::from(steps.max(1)), w, Some(&memories), listen);
                if course.reason.is_some() {
                    return Stopped::Asked;
                }
                continue;
            }
            self.order.fill(epoch, batch, &mut self.rows);
            self.system.replace(self.data.select(&self.rows));
            let mut cost = self.system.cost(w);
            if !cost.is_finite() {
                return Stopped::NotFinite;
            }
            // A batch on which no step helps says nothing of the others.
            if self.solver.iterate(&mut self.system, w, &mut cost).is_some() {
                self.solver.restart();
            }
            let progress = &mut course.progress;
            (progress.step, progress.batch, progress.loss_sum) = (progress.step + 1, batch + 1, loss_sum + cost);
            progress.last_loss = Some(cost);
            let memories = || self.solver.memories();
            if !course.step_done(cost, w, Some(&memories), listen) {
                return Stopped::Asked;
            }
        }
        Stopped::Iterations
    }
}
