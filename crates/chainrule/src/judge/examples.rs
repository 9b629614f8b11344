//! The rows of a table as a model sees them, and its predictions for them.

use super::classes::Classified;
use super::evaluation::Answers;
use super::numbers::Numbers;
use crate::data::columns::find_column;
use crate::data::error::DataError;
use crate::data::matrix::Matrix;
use crate::data::preprocess::{Notes, Preprocessing};
use crate::data::table::{Cell, Table};
use crate::export::trained::Trained;
use crate::train::TrainError;
use crate::train::figures::Judged;
use crate::train::predictor::Predictor;

/// A column of the table, and the columns of the matrix that were made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// Columns of [`Examples::features`].
    pub encoded: Vec<usize>,
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
    /// Numbers in the target's own units, and in which column of the predictions theirs stand.
    Numbers(Vec<f64>, usize),
}

/// Rows with their truths.
#[derive(Clone, Debug)]
pub struct Examples {
    /// What the model sees, all inputs beside each other: `[rows, encoded columns]`.
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
    /// The rows of a table, encoded as in training; of several numbers to predict the one of this position.
    ///
    /// # Errors
    /// A column is missing, a cell cannot be read, or a row has no target.
    pub fn of_table(fitted: &Preprocessing, table: &Table, output: usize) -> Result<Examples, DataError> {
        let (inputs, notes) = fitted.inputs(table)?;
        let places = places(fitted);
        let mut columns = Vec::with_capacity(fitted.features.len());
        for (feature, encoded) in fitted.features.iter().zip(places) {
            let at = find_column(table, feature.name())?;
            columns.push(Column { name: feature.name().to_owned(), encoded, values: values(table, at) });
        }
        let labels = fitted.target.labels().map(<[String]>::to_vec).unwrap_or_default();
        let target = fitted.target.names().get(output).copied().unwrap_or_default().to_owned();
        let truth = match fitted.target.classes(table)? {
            Some(classes) => Truth::Classes(classes),
            None => Truth::Numbers(numbers(fitted, table, &target)?, output),
        };
        Ok(Examples { features: beside(&inputs), columns, truth, target, labels, notes })
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
                Truth::Numbers(list, output) => {
                    Truth::Numbers(rows.iter().map(|&row| list[row as usize]).collect(), *output)
                }
            },
            ..self.clone()
        }
    }

    /// Predictions `[rows, classes]` or `[rows, numbers]` beside the truths.
    ///
    /// # Errors
    /// The model does not give one column for each class, or one for each number.
    pub fn answers(&self, predictions: Matrix) -> Result<Answers, TrainError> {
        let (rows, cols) = (predictions.rows, predictions.cols);
        let fits = match self.truth {
            Truth::Classes(_) => cols == self.labels.len(),
            Truth::Numbers(_, output) => output < cols,
        };
        if !fits || rows != self.rows() {
            let reason = format!("the model predicts {rows} x {cols} numbers for {} rows", self.rows());
            return Err(TrainError::Data(reason));
        }
        Ok(match &self.truth {
            Truth::Classes(truth) => Answers::Classes(Classified::new(predictions, truth.clone())),
            Truth::Numbers(truth, output) => {
                let predicted = (0..rows).map(|row| predictions.row(row)[*output]).collect();
                Answers::Numbers(Numbers::new(predicted, truth.clone()))
            }
        })
    }
}

/// The matrices beside each other.
fn beside(inputs: &[(String, Matrix)]) -> Matrix {
    let rows = inputs.first().map_or(0, |(_, matrix)| matrix.rows);
    let cols = inputs.iter().map(|(_, matrix)| matrix.cols).sum();
    let values = (0..rows).flat_map(|row| inputs.iter().flat_map(move |(_, matrix)| matrix.row(row).iter().copied()));
    Matrix { rows, cols, values: values.collect() }
}

/// For each feature the columns of all inputs beside each other that are made of it: those of `X`, its place in `U`, or an
/// input of its own.
fn places(fitted: &Preprocessing) -> Vec<Vec<usize>> {
    let layout = fitted.layout();
    let start_of = |name: &str| -> usize {
        layout.iter().take_while(|input| input.name != name).map(|input| input.columns.len()).sum()
    };
    let (mut plain, mut ramp, mut own) = (0, start_of("U"), 0);
    let mut list = Vec::with_capacity(fitted.features.len());
    for feature in &fitted.features {
        let width = feature.column_names().len();
        if feature.is_embedded() {
            own += 1;
            let start = start_of(&format!("C{own}"));
            list.push((start..start + width).collect());
            continue;
        }
        let mut columns: Vec<usize> = (plain..plain + width).collect();
        plain += width;
        if feature.ramps().is_some() {
            columns.push(ramp);
            ramp += 1;
        }
        list.push(columns);
    }
    list
}

/// The numbers of a column of the target. They are read from the table: what is fitted may cut those that training has not
/// seen.
fn numbers(fitted: &Preprocessing, table: &Table, target: &str) -> Result<Vec<f64>, DataError> {
    // Tells missing and unreadable ones with their places.
    fitted.targets(table)?;
    let column = find_column(table, target)?;
    let number = |row| if let Cell::Number(number) = table.cell(row, column) { number } else { f64::NAN };
    Ok((0..table.rows()).map(number).collect())
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

/// Rows whose inputs are taken apart at once.
const PART: usize = 16 * Predictor::ROWS;

/// A model that predicts encoded rows, in the target's own units.
pub struct Model<'a> {
    predictor: Predictor,
    fitted: &'a Preprocessing,
    /// Names and widths of its inputs.
    layout: Vec<(String, usize)>,
}

impl<'a> Model<'a> {
    /// Prepares the predictions of a model.
    ///
    /// # Errors
    /// The model has no table behind it, or predicts nothing.
    pub fn new(trained: &'a Trained) -> Result<Model<'a>, TrainError> {
        let fitted = trained.preprocessing.as_ref();
        let fitted = fitted.ok_or_else(|| TrainError::Data("the model was not trained on a table".to_owned()))?;
        let layout: Vec<(String, usize)> =
            fitted.layout().into_iter().map(|input| (input.name, input.columns.len())).collect();
        Ok(Model { predictor: Predictor::new(trained, &layout)?, fitted, layout })
    }

    /// Predictions for rows of [`Examples::features`]: `[rows, classes]`, or `[rows, numbers]` in the target's own units.
    /// What is predicted for a row does not depend on the others.
    ///
    /// # Errors
    /// The features have another width.
    pub fn predict(&mut self, features: &Matrix) -> Result<Matrix, TrainError> {
        let mut all = Matrix { rows: 0, cols: 0, values: Vec::new() };
        // In parts, so that the inputs apart need little memory.
        for part in features.values.chunks(PART * features.cols.max(1)) {
            let block = self.predictor.predict(&self.apart(part, features.cols))?;
            all.cols = block.cols;
            all.rows += block.rows;
            all.values.extend(block.values);
        }
        self.fitted.restore(&mut all);
        Ok(all)
    }

    /// The inputs of rows in which they stand beside each other.
    fn apart(&self, rows: &[f64], width: usize) -> Vec<(String, Matrix)> {
        let mut start = 0;
        let mut inputs = Vec::with_capacity(self.layout.len());
        for (name, cols) in &self.layout {
            let lines = rows.chunks(width.max(1));
            let values = lines.flat_map(|line| line[start..start + cols].iter().copied()).collect();
            inputs.push((name.clone(), Matrix { rows: rows.len() / width.max(1), cols: *cols, values }));
            start += cols;
        }
        inputs
    }
}

/// What a run has said of examples (see [`Session::judge`](crate::train::session::Session::judge)), beside the truths that
/// it was given; of several numbers the first.
///
/// # Errors
/// There are no predictions for the truths.
pub fn answers_of(judged: &Judged, fitted: &Preprocessing) -> Result<Answers, TrainError> {
    let Some((predicted, truth)) = &judged.pair else {
        return Err(TrainError::Data("the program does not predict its target".to_owned()));
    };
    let (mut predicted, mut truth) = (predicted.clone(), truth.clone());
    if fitted.target.labels().is_some() {
        return Ok(Answers::Classes(Classified::of_one_hot(predicted, &truth)));
    }
    fitted.restore(&mut predicted);
    fitted.restore_truth(&mut truth);
    let first = |matrix: &Matrix| (0..matrix.rows).map(|row| matrix.row(row)[0]).collect();
    Ok(Answers::Numbers(Numbers::new(first(&predicted), first(&truth))))
}
