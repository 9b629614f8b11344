//! Forward passes with given parameters: predictions and losses.

use kernels::{Pool, Real};

use super::compile::{Fed, ForwardPlan, extents, forward};
use super::event::TrainError;
use super::options::Dtype;
use super::source::Data;
use crate::data::matrix::Matrix;
use crate::export::trained::Trained;
use crate::lang::Id;
use crate::model::Program;
use crate::run::Machine;

/// A compiled forward pass.
pub struct Forward<T: Real> {
    machine: Machine<T>,
    plan: ForwardPlan,
}

impl<T: Real> Forward<T> {
    /// Compiles the way to `node` for data of this size.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn new(program: &Program, node: Id, data: &Data) -> Result<Forward<T>, TrainError> {
        let extents = extents(program, data, None)?;
        let plan = forward(program, node, &extents)?;
        let machine = Machine::new(&plan.plan, &[]).map_err(|_| out_of_memory::<T>(plan.plan.arena_len))?;
        let mut forward = Forward { machine, plan };
        forward.feed(data)?;
        Ok(forward)
    }

    /// Sets the data; it has the size the pass was compiled for.
    ///
    /// # Errors
    /// A variable is missing or has another size.
    pub fn feed(&mut self, data: &Data) -> Result<(), TrainError> {
        for fed in &self.plan.fed {
            let matrix = find(data, fed)?;
            self.machine.set(fed.at, &matrix.values);
        }
        Ok(())
    }

    /// Sets the parameters and states.
    pub fn set(&mut self, parameters: &[T], states: &[T]) {
        self.machine.buffer_mut(self.plan.parameters).copy_from_slice(parameters);
        self.machine.buffer_mut(self.plan.states).copy_from_slice(states);
    }

    /// Runs the pass; `clocks` are not known here and count as 0.
    pub fn run(&mut self, pool: &Pool) {
        let clocks = [0.0; 8];
        self.machine.run(pool, &clocks[..self.machine.clocks().len().min(8)]);
    }

    /// The result.
    #[must_use]
    pub fn result(&self) -> Matrix {
        let (rows, cols) = self.plan.size;
        Matrix { rows, cols, values: self.machine.get(self.plan.out, rows * cols) }
    }

    /// The first element of the result.
    #[must_use]
    pub fn scalar(&self) -> f64 {
        self.machine.scalar(self.plan.out)
    }
}

pub(super) fn find<'d>(data: &'d Data, fed: &Fed) -> Result<&'d Matrix, TrainError> {
    let missing = || TrainError::Data(format!("`{}` has no data", fed.name));
    let matrix = data.get(&fed.name).ok_or_else(missing)?;
    if matrix.cols == fed.cols && (fed.per_example || matrix.rows == fed.rows) {
        return Ok(matrix);
    }
    let message =
        format!("`{}` needs {} x {}, its data is {} x {}", fed.name, fed.rows, fed.cols, matrix.rows, matrix.cols);
    Err(TrainError::Data(message))
}

pub(super) fn out_of_memory<T>(len: usize) -> TrainError {
    TrainError::OutOfMemory { bytes: len.saturating_mul(size_of::<T>()) }
}

/// The program's predictions for data, in `f64`.
///
/// # Errors
/// The program predicts nothing, or the data does not fit.
pub fn predict<T: Real>(
    program: &Program,
    parameters: &[f64],
    states: &[f64],
    data: &Data,
    pool: &Pool,
) -> Result<Matrix, TrainError> {
    let program = program.at_prediction();
    let node = program.predict.ok_or_else(|| TrainError::Data("the program has no `predict`".to_owned()))?;
    let mut forward = Forward::<T>::new(program, node, data)?;
    let convert = |values: &[f64]| values.iter().map(|&v| T::from_f64(v)).collect::<Vec<T>>();
    forward.set(&convert(parameters), &convert(states));
    forward.run(pool);
    Ok(forward.result())
}

/// Predictions for blocks of rows of one input. Every block is computed at the same size, so that the prediction for a
/// row does not depend on how many rows there are.
pub struct Predictor {
    input: String,
    rows: usize,
    forward: AnyForward,
    pool: Pool,
}

enum AnyForward {
    F32(Forward<f32>),
    F64(Forward<f64>),
}

impl Predictor {
    /// Compiles the prediction of `trained` for blocks of `rows` rows of `cols` features.
    ///
    /// # Errors
    /// The program predicts nothing, or has other inputs than one of this width.
    pub fn new(trained: &Trained, rows: usize, cols: usize, pool: Pool) -> Result<Predictor, TrainError> {
        let program = trained.program.at_prediction();
        let node = program.predict.ok_or_else(|| TrainError::Data("the program has no `predict`".to_owned()))?;
        let &[input] = &program.inputs[..] else {
            return Err(TrainError::Data("predictions from a table need a program with one input".to_owned()));
        };
        let input = program.name_of(input).to_owned();
        let data = Data { matrices: vec![(input.clone(), Matrix::zeros(rows, cols))] };
        let (parameters, states) = (&trained.parameters, &trained.states);
        let forward = match trained.dtype {
            Dtype::F32 => {
                let mut forward = Forward::<f32>::new(program, node, &data)?;
                let convert = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
                forward.set(&convert(parameters), &convert(states));
                AnyForward::F32(forward)
            }
            Dtype::F64 => {
                let mut forward = Forward::<f64>::new(program, node, &data)?;
                forward.set(parameters, states);
                AnyForward::F64(forward)
            }
        };
        Ok(Predictor { input, rows, forward, pool })
    }

    /// The predictions for at most as many rows as a block has.
    ///
    /// # Errors
    /// More rows, or another width.
    pub fn predict(&mut self, mut features: Matrix) -> Result<Matrix, TrainError> {
        let wanted = features.rows;
        if wanted > self.rows {
            return Err(TrainError::Data(format!("a block has {} rows, not {wanted}", self.rows)));
        }
        features.values.resize(self.rows * features.cols, 0.0);
        features.rows = self.rows;
        let data = Data { matrices: vec![(self.input.clone(), features)] };
        let mut result = match &mut self.forward {
            AnyForward::F32(forward) => {
                forward.feed(&data)?;
                forward.run(&self.pool);
                forward.result()
            }
            AnyForward::F64(forward) => {
                forward.feed(&data)?;
                forward.run(&self.pool);
                forward.result()
            }
        };
        if result.rows != self.rows {
            return Err(TrainError::Data(format!("{} predictions for {} rows", result.rows, self.rows)));
        }
        result.values.truncate(wanted * result.cols);
        result.rows = wanted;
        Ok(result)
    }
}
