//! The rows of a table as a model sees them, and its predictions for them.

use std::ops::Range;

use kernels::Pool;

use super::classes::Classified;
use super::evaluation::Answers;
use super::numbers::Numbers;
use crate::data::error::DataError;
use crate::data::matrix::Matrix;
use crate::data::preprocess::{Notes, Preprocessing};
use crate::data::table::{Cell, Table};
use crate::export::trained::Trained;
use crate::train::metrics::argmax;
use crate::train::predict::Predictor;
use crate::train::{Data, TrainError};

/// Rows that are predicted at once.
const BLOCK: usize = 1024;

/// A column of the table, and the columns of the matrix that were made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// Columns of [`Examples::features`].
    pub encoded: Range<usize>,
    /// Its values.
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers; a missing one is not a number.
    Numbers(Vec<f64>),
    /// Texts in order of the alphabet, and which one each row has. A missing one is the text `(missing)`.
    Labels(Vec<String>, Vec<u32>),
}

/// What is right.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// Classes: positions in the labels.
    Classes(Vec<u32>),
    /// Numbers in the target's own units.
    Numbers(Vec<f64>),
}

/// Rows with their truths.
#[derive(Clone, Debug)]
pub struct Examples {
    /// What the model sees: `[rows, encoded columns]`.
    pub features: Matrix,
    /// The columns of the table that the model uses.
    pub columns: Vec<Column>,
    /// What is right.
    pub truth: Truth,
    /// Name of the target.
    pub target: String,
    /// Names of the classes; none for numbers.
    pub labels: Vec<String>,
    /// What the user should know about the features.
    pub notes: Notes,
}

impl Examples {
    /// The rows of a table, encoded as in training.
    ///
    /// # Errors
    /// A column is missing, a cell cannot be read, or a row has no target.
    pub fn of_table(fitted: &Preprocessing, table: &Table) -> Result<Examples, DataError> {
        let (features, notes) = fitted.features(table)?;
        let encoded = fitted.targets(table)?;
        let labels = fitted.target.labels().map(<[String]>::to_vec).unwrap_or_default();
        let truth = match fitted.target.classes(table)? {
            Some(classes) => Truth::Classes(classes),
            None => Truth::Numbers(encoded.values.iter().map(|&value| fitted.restore(value)).collect()),
        };
        let mut columns = Vec::with_capacity(fitted.features.len());
        let mut start = 0;
        for feature in &fitted.features {
            let end = start + feature.width();
            let at = crate::data::columns::find_column(table, feature.name())?;
            columns.push(Column { name: feature.name().to_owned(), encoded: start..end, values: values(table, at) });
            start = end;
        }
        Ok(Examples { features, columns, truth, target: fitted.target.name().to_owned(), labels, notes })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.features.rows
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Some of the rows, in the given order.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Examples {
        let take = |column: &Column| Column { values: column.values.select(rows), ..column.clone() };
        Examples {
            features: self.features.select_rows(rows),
            columns: self.columns.iter().map(take).collect(),
            truth: match &self.truth {
                Truth::Classes(list) => Truth::Classes(rows.iter().map(|&row| list[row as usize]).collect()),
                Truth::Numbers(list) => Truth::Numbers(rows.iter().map(|&row| list[row as usize]).collect()),
            },
            ..self.clone()
        }
    }

    /// Predictions `[rows, classes]` or `[rows, 1]` beside the truths.
    ///
    /// # Errors
    /// The model does not give one column for each class, or one for a number.
    pub fn answers(&self, predictions: Matrix) -> Result<Answers, TrainError> {
        let wanted = self.labels.len().max(1);
        if predictions.cols != wanted || predictions.rows != self.rows() {
            let (rows, cols) = (predictions.rows, predictions.cols);
            let reason = format!("the model predicts {rows} x {cols} numbers for {} rows of {wanted}", self.rows());
            return Err(TrainError::Data(reason));
        }
        Ok(match &self.truth {
            Truth::Classes(truth) => Answers::Classes(Classified::new(predictions, truth.clone())),
            Truth::Numbers(truth) => Answers::Numbers(Numbers::new(predictions.values, truth.clone())),
        })
    }
}

impl Values {
    /// Some of the rows.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Values {
        match self {
            Values::Numbers(list) => Values::Numbers(rows.iter().map(|&row| list[row as usize]).collect()),
            Values::Labels(labels, list) => {
                Values::Labels(labels.clone(), rows.iter().map(|&row| list[row as usize]).collect())
            }
        }
    }
}

/// How a missing value is shown.
const MISSING: &str = "(missing)";

/// A column of numbers and missing values only is one of numbers.
fn values(table: &Table, column: usize) -> Values {
    let rows = 0..table.rows();
    let cells = || rows.clone().map(|row| table.cell(row, column));
    if cells().all(|cell| matches!(cell, Cell::Number(_) | Cell::Missing)) {
        let number = |cell| if let Cell::Number(number) = cell { number } else { f64::NAN };
        return Values::Numbers(cells().map(number).collect());
    }
    let text = |row: usize| match table.cell(row, column) {
        Cell::Missing => MISSING,
        _ => table.text(row, column).trim(),
    };
    let mut labels: Vec<&str> = rows.clone().map(text).collect();
    labels.sort_unstable();
    labels.dedup();
    let place = |row: usize| labels.binary_search(&text(row)).unwrap_or_default() as u32;
    let list = rows.clone().map(place).collect();
    Values::Labels(labels.into_iter().map(str::to_owned).collect(), list)
}

/// A model that predicts encoded rows, in the target's own units.
pub struct Model<'a> {
    predictor: Predictor,
    fitted: &'a Preprocessing,
}

impl<'a> Model<'a> {
    /// Prepares the predictions of a model.
    ///
    /// # Errors
    /// The model has no table behind it, or predicts nothing.
    pub fn new(trained: &'a Trained, pool: Pool) -> Result<Model<'a>, TrainError> {
        let fitted = trained.preprocessing.as_ref();
        let fitted = fitted.ok_or_else(|| TrainError::Data("the model was not trained on a table".to_owned()))?;
        let width = fitted.features.iter().map(crate::data::preprocess::Feature::width).sum();
        Ok(Model { predictor: Predictor::new(trained, BLOCK, width, pool)?, fitted })
    }

    /// Predictions for rows of features: `[rows, classes]`, or `[rows, 1]` in the target's own units. What is predicted
    /// for a row does not depend on the others.
    ///
    /// # Errors
    /// The features have another width.
    pub fn predict(&mut self, features: &Matrix) -> Result<Matrix, TrainError> {
        let mut all = Matrix { rows: 0, cols: 0, values: Vec::new() };
        for part in features.values.chunks(BLOCK * features.cols.max(1)) {
            let rows = part.len() / features.cols.max(1);
            let block = self.predictor.predict(Matrix { rows, cols: features.cols, values: part.to_vec() })?;
            all.cols = block.cols;
            all.rows += rows;
            all.values.extend(block.values.into_iter().map(|value| self.fitted.restore(value)));
        }
        Ok(all)
    }
}

/// What a model answers for encoded examples `X` and `Y`, such as the parts of a session. Of `Y` with several columns the
/// largest is the class; a single one is a number.
///
/// # Errors
/// The model was not trained on a table, or the examples do not fit it.
pub fn answers_of(trained: &Trained, data: &Data, pool: Pool) -> Result<Answers, TrainError> {
    let missing = |name: &str| TrainError::Data(format!("`{name}` has no data"));
    let x = data.get("X").ok_or_else(|| missing("X"))?;
    let y = data.get("Y").ok_or_else(|| missing("Y"))?;
    let mut model = Model::new(trained, pool)?;
    let predictions = model.predict(x)?;
    let labels = model.fitted.target.labels().map(<[String]>::to_vec).unwrap_or_default();
    let truth = if labels.is_empty() {
        Truth::Numbers(y.values.iter().map(|&value| model.fitted.restore(value)).collect())
    } else {
        Truth::Classes((0..y.rows).map(|row| argmax(y.row(row)) as u32).collect())
    };
    let features = Matrix { rows: x.rows, cols: 0, values: Vec::new() };
    let target = model.fitted.target.name().to_owned();
    let examples = Examples { features, columns: Vec::new(), truth, target, labels, notes: Notes::default() };
    examples.answers(predictions)
}
