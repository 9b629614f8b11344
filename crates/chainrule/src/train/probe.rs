//! A training step looked at from outside, always in `f64`: losses and gradients of a batch at any parameters. It serves
//! the check of gradients, the report of numerics and the search for a rate, not training itself.

use kernels::Pool;
use kernels::random::{Purpose, Stream};

use super::compile::{TrainingPlan, elements, extents, training};
use super::event::TrainError;
use super::predict::{find, out_of_memory};
use super::randomness::{Moment, draw};
use super::session::Session;
use crate::data::batch::BatchOrder;
use crate::optim::Rule;
use crate::run::Machine;

/// A compiled step with the data of a run.
pub struct Probe<'a> {
    session: &'a Session,
    compiled: TrainingPlan,
    machine: Machine<f64>,
    pool: Pool,
    order: BatchOrder,
    indices: Vec<u32>,
    /// Batches done.
    batches: u64,
}

impl<'a> Probe<'a> {
    /// Compiles the step of a session, at its starting values.
    ///
    /// # Errors
    /// The program has no optimizer, or does not fit its data.
    pub fn new(session: &'a Session) -> Result<Probe<'a>, TrainError> {
        let rule = Rule::of_program(&session.program).map_err(|error| TrainError::Option(error.message))?;
        let rule = rule.ok_or_else(|| TrainError::Option("the program has no `train` line".to_owned()))?;
        let rows = session.data.rows();
        let options = &session.options;
        let order = BatchOrder::new(rows as u32, options.batch, options.sampling, options.seed);
        let batch = order.batch_size();
        let extents = extents(&session.program, &session.data, (batch != rows).then_some(batch))?;
        let compiled = training(&session.program, &rule, &extents)?;
        compiled.check_batches(order.steps_per_epoch())?;
        let machine = Machine::new(&compiled.plan, &[compiled.model_steps, compiled.update])
            .map_err(|_| out_of_memory::<f64>(compiled.plan.arena_len))?;
        let pool = Pool::new(1);
        let mut probe = Probe { session, compiled, machine, pool, order, indices: vec![0; batch], batches: 0 };
        for &(buffer, start) in &probe.compiled.moments {
            probe.machine.buffer_mut(buffer).fill(start);
        }
        probe.set(&session.parameters, &session.states);
        probe.load()?;
        Ok(probe)
    }

    /// Sets parameters and states.
    pub fn set(&mut self, parameters: &[f64], states: &[f64]) {
        self.machine.buffer_mut(self.compiled.parameters).copy_from_slice(parameters);
        self.machine.buffer_mut(self.compiled.states).copy_from_slice(states);
    }

    /// Loads the next batch, its clocks and its random numbers.
    fn load(&mut self) -> Result<(), TrainError> {
        let steps = u64::from(self.order.steps_per_epoch());
        let (epoch, step) = ((self.batches / steps) as u32, (self.batches % steps) as u32);
        self.order.fill(epoch, step, &mut self.indices);
        for fed in &self.compiled.fed {
            let matrix = find(&self.session.data, fed)?;
            if fed.per_example {
                let rows = matrix.select_rows(&self.indices);
                self.machine.set(fed.at, &rows.values);
            } else {
                self.machine.set(fed.at, &matrix.values);
            }
        }
        let per_step = u64::from(self.compiled.batches);
        let clock = |name: &String| match name.as_str() {
            "t" => (self.batches / per_step + 1) as f64,
            "part" => (self.batches % per_step) as f64,
            "epoch" => f64::from(epoch),
            "epochs" => f64::from(self.session.options.epochs),
            "stale" => 0.0,
            _ => steps as f64,
        };
        let clocks: Vec<f64> = self.machine.clocks().iter().map(clock).collect();
        self.machine.run_host(&clocks);
        draw(&mut self.machine, &self.compiled.random, Moment { seed: self.session.options.seed, epoch, step });
        Ok(())
    }

    /// The loss of the batch.
    pub fn loss(&mut self) -> f64 {
        self.machine.run_part(&self.pool, 0);
        self.machine.scalar(self.compiled.loss)
    }

    /// The gradients that belong to the last loss.
    #[must_use]
    pub fn gradients(&self) -> &[f64] {
        self.machine.buffer(self.compiled.gradients)
    }

    /// Updates the parameters, when the step has all its batches, and goes on to the next batch.
    ///
    /// # Errors
    /// The data does not fit, which [`Probe::new`] has seen before.
    pub fn advance(&mut self) -> Result<(), TrainError> {
        self.machine.run_part(&self.pool, 1);
        if (self.batches + 1).is_multiple_of(u64::from(self.compiled.batches)) {
            self.machine.run_part(&self.pool, 2);
        }
        self.batches += 1;
        self.load()
    }

    /// Batches whose gradients make a step.
    #[must_use]
    pub fn batches_of_a_step(&self) -> u32 {
        self.compiled.batches
    }
}

/// Parameters by name, each with its place in the flat vector.
///
/// # Errors
/// No data says how large one is.
pub fn ranges(session: &Session) -> Result<Vec<(String, std::ops::Range<usize>)>, TrainError> {
    let program = &session.program;
    let extents = extents(program, &session.data, None)?;
    let mut start = 0;
    let mut list = Vec::new();
    for declared in &program.parameters {
        let len = elements(&program.graph, declared.id, &extents)?.iter().product::<usize>();
        list.push((program.name_of(declared.id).to_owned(), start..start + len));
        start += len;
    }
    Ok(list)
}

/// Directions that are tried for each parameter; the best counts, because a direction may cross a kink.
const DIRECTIONS: u32 = 3;

/// Compares the gradient of each parameter on the first batch with central differences along random directions: names, and
/// relative differences.
///
/// # Errors
/// See [`Probe::new`].
pub fn check_gradients(session: &Session) -> Result<Vec<(String, f64)>, TrainError> {
    let mut probe = Probe::new(session)?;
    let loss = probe.loss();
    let gradients = probe.gradients().to_vec();
    let mut list = Vec::new();
    for (number, (name, range)) in (0..).zip(ranges(session)?) {
        let mut best = f64::INFINITY;
        for turn in 0..DIRECTIONS {
            let stream = Stream::new(session.options.seed, Purpose::Check, number, turn);
            let direction: Vec<f64> = (0..range.len() as u32).map(|index| stream.normal(index)).collect();
            let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            let size = session.parameters[range.clone()].iter().map(|w| w * w).sum::<f64>().sqrt();
            let h = 1e-6 * size.max(1.0) / length.max(f64::MIN_POSITIVE);
            let mut at = |h: f64| {
                let mut parameters = session.parameters.clone();
                parameters[range.clone()].iter_mut().zip(&direction).for_each(|(w, d)| *w += h * d);
                probe.set(&parameters, &session.states);
                probe.loss()
            };
            let numeric = (at(h) - at(-h)) / (2.0 * h);
            let exact: f64 = gradients[range.clone()].iter().zip(&direction).map(|(g, d)| g * d).sum();
            // Below this the difference is rounding of the loss alone, to six digits.
            let noise = 1e-10 * loss.abs() / h;
            let scale = numeric.abs().max(exact.abs()).max(noise).max(f64::MIN_POSITIVE);
            best = best.min((numeric - exact).abs() / scale);
        }
        list.push((name, best));
    }
    Ok(list)
}
