//! The examples of a batch come to where the plan reads them: from memory, or from a stream.

use kernels::Real;

use super::compile::TrainingPlan;
use super::event::TrainError;
use super::fit::Trainer;
use super::predict::find;
use super::source::Data;
use crate::run::Machine;

impl<T: Real> Trainer<'_, T> {
    /// Copies the rows of the batch to where the plan reads them.
    pub(super) fn load(&mut self) -> Result<(), TrainError> {
        if self.feed.is_some() {
            return self.load_streamed();
        }
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
        Ok(())
    }

    /// The same for a batch that comes from a stream.
    fn load_streamed(&mut self) -> Result<(), TrainError> {
        let Some(feed) = &mut self.feed else { return Ok(()) };
        let batch = feed.batch(self.progress.epoch, self.progress.batch)?;
        for fed in self.compiled.fed.iter().filter(|fed| fed.per_example) {
            let found = batch.matrices.iter().find(|(name, cols, _)| *name == fed.name && *cols == fed.cols);
            let (_, _, values) =
                found.ok_or_else(|| TrainError::Data(format!("the file gives no rows for `{}`", fed.name)))?;
            self.machine.buffer_mut(fed.at.buffer).copy_from_slice(values);
        }
        Ok(())
    }
}

/// The data in the machine's number type, for batches; what does not change from batch to batch is put into its place.
pub(super) fn load_all<T: Real>(
    compiled: &TrainingPlan,
    machine: &mut Machine<T>,
    data: &Data,
) -> Result<Vec<Vec<T>>, TrainError> {
    let mut examples = Vec::new();
    for fed in &compiled.fed {
        let values: Vec<T> = find(data, fed)?.values.iter().map(|&v| T::from_f64(v)).collect();
        if fed.rows * fed.cols == values.len() {
            machine.buffer_mut(fed.at.buffer).copy_from_slice(&values);
        } else if !fed.per_example {
            let rows = values.len() / fed.cols.max(1);
            return Err(TrainError::Data(format!("`{}` has {rows} rows, not one for each example", fed.name)));
        }
        examples.push(values);
    }
    Ok(examples)
}
