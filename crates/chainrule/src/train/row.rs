//! One row in, one prediction out, in microseconds: for programs that ask row by row.

use super::event::TrainError;
use super::predictor::Predictor;
use super::stream::{PredictError, widths};
use crate::data::matrix::Matrix;
use crate::data::preprocess::Preprocessing;
use crate::data::row::{Row, Value};
use crate::export::trained::Trained;

/// Predicts row by row with a model that was trained on a table: compiled once, for one row.
///
/// ```no_run
/// use chainrule::data::row::Value;
/// use chainrule::export::{model_file::ModelFile, trained::Trained};
/// use chainrule::train::row::RowPredictor;
///
/// let file = ModelFile::load(std::path::Path::new("exam.safetensors"))?;
/// let mut predictor = RowPredictor::new(&Trained::from_file(&file)?)?;
/// println!("{:?}", predictor.columns());
/// let row = [Value::Number(7.5), Value::Text("yes"), Value::Missing];
/// println!("{:?}", predictor.predict_row(&row)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RowPredictor {
    fitted: Preprocessing,
    columns: Vec<String>,
    row: Row,
    predictor: Predictor,
    out: Matrix,
}

impl RowPredictor {
    /// Compiles the prediction of a model.
    ///
    /// # Errors
    /// The model was not trained on a table, or does not predict from one row of it.
    pub fn new(trained: &Trained) -> Result<RowPredictor, PredictError> {
        let fitted = trained.preprocessing.clone();
        let fitted = fitted.ok_or_else(|| TrainError::Data("the model was not trained on a table".to_owned()))?;
        let columns: Vec<String> = fitted.features.iter().map(|feature| feature.name().to_owned()).collect();
        let predictor = Predictor::of_rows(trained, 1, &widths(&fitted))?;
        let out = Matrix::zeros(0, 0);
        Ok(RowPredictor { fitted, row: Row::new(columns.clone())?, columns, predictor, out })
    }

    /// The columns of which a row has a value each, in this order.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The labels of the classes in the order of their probabilities; none where a number is predicted.
    #[must_use]
    pub fn labels(&self) -> Option<&[String]> {
        self.fitted.target.labels()
    }

    /// The prediction for a row: the number in its own unit, or a probability for each class.
    ///
    /// # Errors
    /// Another number of values than of columns, or text or an infinite number in a column of numbers.
    pub fn predict_row(&mut self, values: &[Value<'_>]) -> Result<&[f64], PredictError> {
        let table = self.row.fill(values)?;
        let (inputs, _) = self.fitted.inputs(table)?;
        self.out = self.predictor.predict(&inputs)?;
        self.fitted.restore(&mut self.out);
        Ok(&self.out.values)
    }
}
