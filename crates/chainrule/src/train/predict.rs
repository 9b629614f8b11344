//! Forward passes with given parameters: predictions and losses.

use kernels::{Pool, Real};

use super::compile::{Fed, ForwardPlan, extents, forward};
use super::event::TrainError;
use super::options::Dtype;
use super::progress::Values;
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
        Forward::beside(program, node, None, data)
    }

    /// As [`Forward::new`]; the pass gives the values of another node, too.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub(super) fn beside(
        program: &Program,
        node: Id,
        other: Option<Id>,
        data: &Data,
    ) -> Result<Forward<T>, TrainError> {
        let extents = extents(program, data, None)?;
        let plan = forward(program, node, other, &extents)?;
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

    /// Rows and columns of the other node.
    pub(super) fn beside_size(&self) -> Option<(usize, usize)> {
        self.plan.beside.map(|(_, size)| size)
    }

    /// Its values, row by row; empty without one.
    pub(super) fn beside_values(&self) -> &[T] {
        let Some((at, (rows, cols))) = self.plan.beside else { return &[] };
        &self.machine.buffer(at.buffer)[at.offset..at.offset + rows * cols]
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

/// The model's predictions for data, in `f64`: the mean over its networks.
///
/// # Errors
/// The program predicts nothing, or the data does not fit.
pub fn predict(trained: &Trained, data: &Data, pool: &Pool) -> Result<Matrix, TrainError> {
    let Trained { program, members, .. } = trained;
    match trained.dtype {
        Dtype::F32 => predict_in::<f32>(program, members, data, pool),
        Dtype::F64 => predict_in::<f64>(program, members, data, pool),
    }
}

/// As [`predict`], for the networks of a program, in a number type.
///
/// # Errors
/// As [`predict`].
pub fn predict_in<T: Real>(
    program: &Program,
    members: &[Values],
    data: &Data,
    pool: &Pool,
) -> Result<Matrix, TrainError> {
    let program = program.at_prediction();
    let node = program.predict.ok_or_else(|| TrainError::Data("the program has no `predict`".to_owned()))?;
    let mut forward = Forward::<T>::new(program, node, data)?;
    let mut mean = Mean::default();
    for member in members {
        forward.set(&convert(&member.parameters), &convert(&member.states));
        forward.run(pool);
        mean.add(forward.result());
    }
    Ok(mean.result())
}

pub(super) fn convert<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&v| T::from_f64(v)).collect()
}

/// The mean of matrices of one size, summed in order.
#[derive(Default)]
pub(super) struct Mean {
    sum: Option<Matrix>,
    count: usize,
}

impl Mean {
    pub(super) fn add(&mut self, matrix: Matrix) {
        self.count += 1;
        match &mut self.sum {
            Some(sum) => sum.values.iter_mut().zip(&matrix.values).for_each(|(sum, value)| *sum += value),
            None => self.sum = Some(matrix),
        }
    }

    /// Of one matrix the matrix itself, bit for bit.
    pub(super) fn result(self) -> Matrix {
        let mut mean = self.sum.unwrap_or_else(|| Matrix::zeros(0, 0));
        if self.count > 1 {
            mean.values.iter_mut().for_each(|value| *value /= self.count as f64);
        }
        mean
    }
}
