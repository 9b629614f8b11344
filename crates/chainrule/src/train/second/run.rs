//! The loops of the solvers that are no update rule: one iteration is one epoch.

use kernels::Pool;

use super::gradient::Gradient;
use super::system::System;
use crate::data::batch::{Batch, BatchOrder};
use crate::optim::levenberg::{Damping, LeastSquares, Levenberg, Scaling, Settings};
use crate::optim::native::LevenbergMarquardt;
use crate::optim::{Chosen, Stopped, lbfgs, levenberg};
use crate::train::event::{Divergence, Event, Flow, Report, StopReason, TrainError};
use crate::train::fit::Problem;
use crate::train::options::Options;
use crate::train::predict::Forward;

/// Iterations without a lower validation loss before a run stops, unless the text says otherwise: these methods fit noise
/// quickly. The number is that of MATLAB's trainlm.
const PATIENCE: u32 = 6;

/// What a run keeps beside the solver.
struct Course<'a> {
    options: &'a Options,
    validation: Option<Forward<f64>>,
    pool: Pool,
    states: &'a [f64],
    patience: Option<u32>,
    best: Option<(f64, u32, Vec<f64>)>,
    last: (u32, f64),
    reason: Option<StopReason>,
}

impl<'a> Course<'a> {
    fn new(problem: &Problem<'a>, options: &'a Options) -> Result<Course<'a>, TrainError> {
        let validation = match (problem.validation, problem.program.loss) {
            (Some(data), Some(loss)) => Some(Forward::new(problem.program, loss, data)?),
            _ => None,
        };
        Ok(Course {
            options,
            patience: validation.as_ref().map(|_| options.patience.unwrap_or(PATIENCE)),
            validation,
            pool: Pool::new(options.threads.max(1)),
            states: problem.states,
            best: None,
            last: (0, f64::NAN),
            reason: None,
        })
    }

    /// After an iteration; `false` ends the run.
    fn after(&mut self, epoch: u32, loss: f64, w: &[f64], listen: &mut dyn FnMut(&Event) -> Flow) -> bool {
        self.last = (epoch, loss);
        let validation = self.validation.as_mut().map(|forward| {
            forward.set(w, self.states);
            forward.run(&self.pool);
            forward.scalar()
        });
        if let Some(value) = validation
            && self.best.as_ref().is_none_or(|(best, _, _)| value < *best)
        {
            self.best = Some((value, epoch, w.to_vec()));
        }
        if listen(&Event::Epoch { epoch, step: u64::from(epoch), loss, validation }) == Flow::Stop {
            self.reason = Some(StopReason::Asked);
        } else if let (Some(patience), Some((_, best, _))) = (self.patience, &self.best)
            && epoch - best >= patience
        {
            self.reason = Some(StopReason::Patience);
        }
        self.reason.is_none()
    }

    fn finish(
        self,
        stopped: Stopped,
        w: Vec<f64>,
        listen: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Report, TrainError> {
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
        listen(&Event::End { reason });
        let (epochs, loss) = self.last;
        let (epoch, parameters) = self.best.map_or((epochs, w), |(_, epoch, best)| (epoch, best));
        let states = self.states.to_vec();
        Ok(Report { parameters, states, loss, epoch, epochs, steps: u64::from(epochs), reason })
    }
}

/// Runs a solver to its end.
///
/// # Errors
/// See [`TrainError`].
pub fn run(
    problem: &Problem,
    chosen: &Chosen,
    options: &Options,
    listen: &mut dyn FnMut(&Event) -> Flow,
) -> Result<Report, TrainError> {
    let mut course = Course::new(problem, options)?;
    let mut order = BatchOrder::new(problem.data.rows() as u32, options.batch, options.sampling, options.seed);
    let start = Event::Start {
        parameters: problem.parameters.len(),
        examples: problem.data.rows(),
        steps_per_epoch: order.steps_per_epoch(),
        epochs: options.epochs,
    };
    let mut w = problem.parameters.to_vec();
    if listen(&start) == Flow::Stop {
        course.reason = Some(StopReason::Asked);
        return course.finish(Stopped::Asked, w, listen);
    }
    let stopped = match chosen {
        Chosen::Lbfgs(settings) => {
            if options.batch != Batch::All {
                return Err(TrainError::Option("`lbfgs` works on all examples at once: leave out `batch`".to_owned()));
            }
            let settings = lbfgs::Settings { iterations: options.epochs, ..*settings };
            let mut gradient = Gradient::new(problem.program, problem.data, problem.states, options.threads)?;
            lbfgs::minimise(&mut gradient, &settings, &mut w, &mut |epoch, loss, w| {
                course.after(epoch, loss, w, listen)
            })
        }
        Chosen::LevenbergMarquardt(chosen) => match options.batch {
            Batch::All => {
                let setting = (chosen.method, options.threads);
                let mut system = System::new(problem.program, problem.data, problem.states, setting)?;
                let settings = settings(chosen, &system, options)?;
                let mut watch = |epoch, loss, w: &[f64]| course.after(epoch, loss, w, listen);
                levenberg::minimise(&mut system, &settings, &mut w, &mut watch)
            }
            Batch::Size(_) => in_batches(problem, chosen, &mut order, &mut course, (&mut w, listen))?,
        },
    };
    course.finish(stopped, w, listen)
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
fn in_batches(
    problem: &Problem,
    chosen: &LevenbergMarquardt,
    order: &mut BatchOrder,
    course: &mut Course,
    (w, listen): (&mut Vec<f64>, &mut dyn FnMut(&Event) -> Flow),
) -> Result<Stopped, TrainError> {
    let options = course.options;
    let mut rows = vec![0; order.batch_size()];
    order.fill(0, 0, &mut rows);
    let first = problem.data.select(&rows);
    let setting = (chosen.method, options.threads);
    let mut system = System::new(problem.program, &first, problem.states, setting)?;
    let mut solver = Levenberg::new(&settings(chosen, &system, options)?, system.len());
    for epoch in 0..options.epochs {
        let mut sum = 0.0;
        for step in 0..order.steps_per_epoch() {
            order.fill(epoch, step, &mut rows);
            system.replace(problem.data.select(&rows));
            let mut cost = system.cost(w);
            if !cost.is_finite() {
                return Ok(Stopped::NotFinite);
            }
            // A batch on which no step helps says nothing of the others.
            if solver.iterate(&mut system, w, &mut cost).is_some() {
                solver.restart();
            }
            sum += cost;
        }
        if !course.after(epoch + 1, sum / f64::from(order.steps_per_epoch().max(1)), w, listen) {
            return Ok(Stopped::Asked);
        }
    }
    Ok(Stopped::Iterations)
}
