//! Forward passes with given parameters: predictions and losses.

use kernels::{Pool, Real};

use super::compile::{Fed, ForwardPlan, extents, forward};
use super::event::TrainError;
use super::options::Dtype;
use super::source::Data;
use crate::calculus::examples::{Along, Examples};
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

    /// Runs the pass with these values of its only input.
    fn run_on(&mut self, input: &[f64], pool: &Pool) {
        for fed in &self.plan.fed {
            self.machine.set(fed.at, input);
        }
        self.run(pool);
    }

    /// Appends the first numbers of the result.
    fn extend(&self, out: &mut Vec<f64>, count: usize) {
        let at = self.plan.out;
        out.extend(self.machine.buffer(at.buffer)[at.offset..at.offset + count].iter().map(|v| v.to_f64()));
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

/// Predictions for rows of features. They are computed in blocks of one size, so that the prediction for a row does not
/// depend on the rows around it, nor on how many there are.
pub struct Predictor {
    rows: usize,
    cols: usize,
    forward: AnyForward,
    pool: Pool,
    block: Vec<f64>,
}

enum AnyForward {
    F32(Forward<f32>),
    F64(Forward<f64>),
}

impl Predictor {
    /// Rows of a block.
    pub const ROWS: usize = 256;

    /// Compiles the prediction of `trained` for rows of `cols` features.
    ///
    /// # Errors
    /// The program predicts nothing, has other inputs than one of this width, or mixes rows: then its predictions for a
    /// table would depend on how the table is cut.
    pub fn new(trained: &Trained, cols: usize) -> Result<Predictor, TrainError> {
        Predictor::of_rows(trained, Predictor::ROWS, cols)
    }

    /// As [`Predictor::new`] for blocks of `rows` rows: one row is answered fastest by blocks of one. The last bits of a
    /// prediction may depend on the size of the blocks.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn of_rows(trained: &Trained, rows: usize, cols: usize) -> Result<Predictor, TrainError> {
        let program = trained.program.at_prediction();
        let node = program.predict.ok_or_else(|| TrainError::Data("the program has no `predict`".to_owned()))?;
        let &[input] = &program.inputs[..] else {
            return Err(TrainError::Data("predictions from a table need a program with one input".to_owned()));
        };
        let name = program.name_of(input).to_owned();
        let examples = program.graph.dims.resolve(program.graph.shape(input).rows());
        let along = Examples::new(&[input], examples).along(&program.graph, node);
        if rows > 1 && along != Along::Axis(0) {
            let message = "the prediction of a row depends on other rows, so that a table cannot be cut into blocks";
            return Err(TrainError::Data(message.to_owned()));
        }
        let data = Data { matrices: vec![(name, Matrix::zeros(rows, cols))] };
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
        let (found, _) = forward.size();
        if found != rows {
            return Err(TrainError::Data(format!("{found} predictions for {rows} rows")));
        }
        Ok(Predictor { rows, cols, forward, pool: Pool::new(1), block: Vec::new() })
    }

    /// Numbers in the prediction of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.forward.size().1
    }

    /// The predictions for any number of rows.
    ///
    /// # Errors
    /// Rows of another width.
    pub fn predict(&mut self, features: &Matrix) -> Result<Matrix, TrainError> {
        if features.cols != self.cols {
            return Err(TrainError::Data(format!("rows of {} features, not of {}", features.cols, self.cols)));
        }
        let width = self.width();
        let mut out = Matrix { rows: features.rows, cols: width, values: Vec::new() };
        out.values.reserve_exact(features.rows * width);
        let size = self.rows * self.cols;
        for start in (0..features.rows).step_by(self.rows) {
            let end = features.rows.min(start + self.rows);
            let rows = &features.values[start * self.cols..end * self.cols];
            if rows.len() == size {
                self.forward.run(rows, &self.pool);
            } else {
                // What the rows behind the last one hold does not matter: rows are not mixed.
                self.block.clear();
                self.block.extend_from_slice(rows);
                self.block.resize(size, 0.0);
                self.forward.run(&self.block, &self.pool);
            }
            self.forward.extend(&mut out.values, (end - start) * width);
        }
        Ok(out)
    }

    /// Replaces `out` by the prediction for the features of one row, which are as many as this was compiled for, in
    /// blocks of one row.
    pub(super) fn predict_row(&mut self, features: &[f64], out: &mut Vec<f64>) {
        self.forward.run(features, &self.pool);
        out.clear();
        let width = self.width();
        self.forward.extend(out, width);
    }
}

impl AnyForward {
    fn size(&self) -> (usize, usize) {
        match self {
            AnyForward::F32(forward) => forward.plan.size,
            AnyForward::F64(forward) => forward.plan.size,
        }
    }

    fn run(&mut self, input: &[f64], pool: &Pool) {
        match self {
            AnyForward::F32(forward) => forward.run_on(input, pool),
            AnyForward::F64(forward) => forward.run_on(input, pool),
        }
    }

    fn extend(&self, out: &mut Vec<f64>, count: usize) {
        match self {
            AnyForward::F32(forward) => forward.extend(out, count),
            AnyForward::F64(forward) => forward.extend(out, count),
        }
    }
}
