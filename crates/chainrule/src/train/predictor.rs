//! Predictions for any number of rows, in blocks of one size.

use kernels::Pool;

use super::event::TrainError;
use super::options::Dtype;
use super::predict::{Forward, Mean, convert};
use super::progress::Values;
use super::source::Data;
use crate::calculus::examples::{Along, Examples};
use crate::data::matrix::Matrix;
use crate::export::trained::Trained;

/// Predictions for rows of the model's inputs: the mean over its networks. They are computed in blocks of one size, so that
/// the prediction for a row does not depend on the rows around it, nor on how many there are.
pub struct Predictor {
    rows: usize,
    /// One for each network.
    forwards: Vec<AnyForward>,
    pool: Pool,
    /// The inputs of a block. What the rows behind the last one hold does not matter: rows are not mixed.
    block: Data,
}

enum AnyForward {
    F32(Forward<f32>),
    F64(Forward<f64>),
}

impl Predictor {
    /// Rows of a block.
    pub const ROWS: usize = 256;

    /// Compiles the prediction of `trained` for inputs of these names and widths.
    ///
    /// # Errors
    /// The program predicts nothing, has an input that is not among them, or mixes rows: then its predictions for a table
    /// would depend on how the table is cut.
    pub fn new(trained: &Trained, layout: &[(String, usize)]) -> Result<Predictor, TrainError> {
        Predictor::of_rows(trained, Predictor::ROWS, layout)
    }

    /// As [`Predictor::new`] for blocks of `rows` rows: one row is answered fastest by blocks of one. The last bits of a
    /// prediction may depend on the size of the blocks.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn of_rows(trained: &Trained, rows: usize, layout: &[(String, usize)]) -> Result<Predictor, TrainError> {
        let program = trained.program.at_prediction();
        let node = program.predict.ok_or_else(|| TrainError::Data("the program has no `predict`".to_owned()))?;
        let mut block = Data::default();
        for &input in &program.inputs {
            let name = program.name_of(input);
            let found = layout.iter().find(|(other, _)| other == name);
            let (name, cols) = found.ok_or_else(|| TrainError::Data(format!("the table gives no input `{name}`")))?;
            block.matrices.push((name.clone(), Matrix::zeros(rows, *cols)));
        }
        if rows > 1
            && let Some(&first) = program.inputs.first()
        {
            let examples = program.graph.dims.resolve(program.graph.shape(first).rows());
            let along = Examples::new(&program.inputs, examples).along(&program.graph, node);
            if along != Along::Axis(0) {
                let message =
                    "the prediction of a row depends on other rows, so that a table cannot be cut into blocks";
                return Err(TrainError::Data(message.to_owned()));
            }
        }
        let mut forwards = Vec::new();
        for Values { parameters, states } in &trained.members {
            forwards.push(match trained.dtype {
                Dtype::F32 => {
                    let mut forward = Forward::<f32>::new(program, node, &block)?;
                    forward.set(&convert(parameters), &convert(states));
                    AnyForward::F32(forward)
                }
                Dtype::F64 => {
                    let mut forward = Forward::<f64>::new(program, node, &block)?;
                    forward.set(parameters, states);
                    AnyForward::F64(forward)
                }
            });
        }
        Ok(Predictor { rows, forwards, pool: Pool::new(1), block })
    }

    /// The predictions for any number of rows; inputs that the model does not have are passed over.
    ///
    /// # Errors
    /// A missing input, or one of another width.
    pub fn predict(&mut self, inputs: &[(String, Matrix)]) -> Result<Matrix, TrainError> {
        let rows = inputs.first().map_or(0, |(_, matrix)| matrix.rows);
        let mut out = Matrix { rows, cols: 0, values: Vec::new() };
        for start in (0..rows).step_by(self.rows) {
            let end = rows.min(start + self.rows);
            for (name, block) in &mut self.block.matrices {
                let found = inputs.iter().find(|(other, matrix)| other == name && matrix.cols == block.cols);
                let (_, matrix) =
                    found.ok_or_else(|| TrainError::Data(format!("the table gives no input `{name}`")))?;
                let values = &matrix.values[start * matrix.cols..end * matrix.cols];
                block.values[..values.len()].copy_from_slice(values);
            }
            let part = self.run()?;
            out.cols = part.cols;
            out.values.extend_from_slice(&part.values[..(end - start) * part.cols]);
        }
        Ok(out)
    }

    /// The predictions for the block.
    fn run(&mut self) -> Result<Matrix, TrainError> {
        let mut mean = Mean::default();
        for forward in &mut self.forwards {
            mean.add(match forward {
                AnyForward::F32(forward) => {
                    forward.feed(&self.block)?;
                    forward.run(&self.pool);
                    forward.result()
                }
                AnyForward::F64(forward) => {
                    forward.feed(&self.block)?;
                    forward.run(&self.pool);
                    forward.result()
                }
            });
        }
        let result = mean.result();
        if result.rows != self.rows {
            return Err(TrainError::Data(format!("{} predictions for {} rows", result.rows, self.rows)));
        }
        Ok(result)
    }
}
