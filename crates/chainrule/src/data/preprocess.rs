//! From table cells to numbers a network can learn from, fitted on training rows and saved with the model.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::columns::{ColumnReport, Kind, find_column, find_columns};
use super::error::DataError;
use super::matrix::Matrix;
pub use super::notes::{Notes, Unseen};
use super::table::{Cell, Table, shorten};
use super::target::{Positions, Target, label, labels_of, missing};

/// How one used column becomes features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Feature {
    /// One column `(value - mean) / scale`, and one of 0 and 1 if values were missing in training.
    Number {
        /// Column name.
        name: String,
        /// Mean of the training rows.
        mean: f64,
        /// Standard deviation (divided by n) of the training rows, 1 where it is zero.
        scale: f64,
        /// Median of the training rows, in place of a missing value.
        fill: f64,
        /// A column that is 1 where the value is missing.
        missing_flag: bool,
    },
    /// One column of 0 and 1 per label; all 0 for a label that training did not know.
    Category {
        /// Column name.
        name: String,
        /// The labels of the training rows.
        labels: Vec<String>,
        /// Labels are numbers: `1`, `1.0` and `01` are the same label.
        numeric: bool,
        /// A last column that is 1 where the value is missing; without it a missing value is an unknown label.
        missing_label: bool,
    },
}

impl Feature {
    /// Name of the table's column.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Feature::Number { name, .. } | Feature::Category { name, .. } => name,
        }
    }

    /// Number of matrix columns.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Feature::Number { missing_flag, .. } => 1 + usize::from(*missing_flag),
            Feature::Category { labels, missing_label, .. } => labels.len() + usize::from(*missing_label),
        }
    }
}

/// All that turns a table into matrices and predictions back into the target's units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// The used columns in the order of the training file.
    pub features: Vec<Feature>,
    /// What is predicted.
    pub target: Target,
}

impl Preprocessing {
    /// Fits the columns that `report` found usable, and the target, on the given rows of `table` only.
    ///
    /// # Errors
    /// Fewer than two rows, text or an infinite number in a column of numbers, or a row without a target.
    pub fn fit(table: &Table, rows: &[u32], report: &ColumnReport) -> Result<Preprocessing, DataError> {
        if rows.len() < 2 {
            return Err(DataError::TooFewRows { found: rows.len(), needed: 2 });
        }
        let mut features = Vec::new();
        let indices = find_columns(table, report.used().map(|column| column.name.as_str()))?;
        for (column, index) in report.used().zip(indices) {
            features.push(match column.kind {
                Kind::Number => fit_number(table, rows, index)?,
                _ => fit_category(table, rows, index),
            });
        }
        let target = fit_target(table, rows, &report.target)?;
        Ok(Preprocessing { features, target })
    }

    /// The features of all rows: numbers standardised, categories as 0 and 1; `[rows, feature_names().len()]`.
    ///
    /// Columns are found by name in any order; others are ignored.
    ///
    /// # Errors
    /// A missing column (with the nearest name), text or an infinite number in a column of numbers, or too little
    /// memory.
    pub fn features(&self, table: &Table) -> Result<(Matrix, Notes), DataError> {
        self.features_of(table, 0..table.rows())
    }

    /// As [`Preprocessing::features`] for a part of the rows, so that a long table needs little memory.
    ///
    /// # Errors
    /// As [`Preprocessing::features`].
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn features_of(&self, table: &Table, rows: Range<usize>) -> Result<(Matrix, Notes), DataError> {
        let columns = find_columns(table, self.features.iter().map(Feature::name))?;
        let width = self.features.iter().map(Feature::width).sum();
        let mut matrix = Matrix::try_zeros(rows.len(), width)?;
        let mut notes = Notes::default();
        let mut offset = 0;
        for (feature, &column) in self.features.iter().zip(&columns) {
            let mut out = Slot { matrix: &mut matrix, offset, rows: rows.clone() };
            match feature {
                Feature::Number { .. } => fill_number(table, column, feature, &mut out, &mut notes)?,
                Feature::Category { .. } => fill_category(table, column, feature, &mut out, &mut notes),
            }
            offset += feature.width();
        }
        Ok((matrix, notes))
    }

    /// The targets of all rows: one column of 0 and 1 per class `[rows, classes]`, or the standardised number
    /// `[rows, 1]`.
    ///
    /// # Errors
    /// A missing target column, a row without a target, or a label that is not among the classes.
    pub fn targets(&self, table: &Table) -> Result<Matrix, DataError> {
        match &self.target {
            Target::Number { name, mean, scale } => {
                let column = find_column(table, name)?;
                let mut matrix = Matrix::try_zeros(table.rows(), 1)?;
                for row in 0..table.rows() {
                    let value = number(table, row, column)?.ok_or_else(|| missing(table, row, column))?;
                    matrix.values[row] =
                        standardise(value, *mean, *scale).ok_or_else(|| table.non_finite(row, column))?;
                }
                Ok(matrix)
            }
            Target::Classes { labels, .. } => {
                let classes = self.target.classes(table)?.expect("invariant: the target has classes");
                let mut matrix = Matrix::try_zeros(table.rows(), labels.len())?;
                for (row, class) in classes.into_iter().enumerate() {
                    matrix.values[row * labels.len() + class as usize] = 1.0;
                }
                Ok(matrix)
            }
        }
    }

    /// Names of the feature columns: `age`, `age (missing)`, `sex=female`, `port=(missing)`.
    #[must_use]
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for feature in &self.features {
            match feature {
                Feature::Number { name, missing_flag, .. } => {
                    names.push(name.clone());
                    if *missing_flag {
                        names.push(format!("{name} (missing)"));
                    }
                }
                Feature::Category { name, labels, missing_label, .. } => {
                    names.extend(labels.iter().map(|label| format!("{name}={label}")));
                    if *missing_label {
                        names.push(format!("{name}={MISSING}"));
                    }
                }
            }
        }
        names
    }

    /// A predicted number in the target's own units; a class score comes back as it is.
    #[must_use]
    pub fn restore(&self, prediction: f64) -> f64 {
        match &self.target {
            Target::Number { mean, scale, .. } => prediction * scale + mean,
            Target::Classes { .. } => prediction,
        }
    }

    /// As JSON text, for the metadata of a model file. Reading it back gives the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("invariant: text, finite numbers and lists are JSON")
    }

    /// From the text of [`Preprocessing::to_json`].
    ///
    /// # Errors
    /// Text of another form, or a mean or scale that cannot be.
    pub fn from_json(text: &str) -> Result<Preprocessing, DataError> {
        let bad = |reason: String| DataError::BadArgument { name: "preprocessing".into(), reason };
        let read: Preprocessing =
            serde_json::from_str(text).map_err(|error| bad(format!("cannot be read: {error}")))?;
        let scaled = |mean: f64, scale: f64| mean.is_finite() && scale.is_finite() && scale > 0.0;
        let features_fit = read.features.iter().all(|feature| match feature {
            Feature::Number { mean, scale, fill, .. } => scaled(*mean, *scale) && fill.is_finite(),
            Feature::Category { .. } => true,
        });
        let target_fits = match &read.target {
            Target::Number { mean, scale, .. } => scaled(*mean, *scale),
            Target::Classes { labels, .. } => !labels.is_empty(),
        };
        if features_fit && target_fits && !read.features.is_empty() {
            Ok(read)
        } else {
            Err(bad("has a scale or a list that cannot be".into()))
        }
    }
}

/// How a missing label is shown.
const MISSING: &str = "(missing)";

/// The part of the matrix that one feature fills.
struct Slot<'a> {
    matrix: &'a mut Matrix,
    offset: usize,
    /// Rows of the table; the first is the matrix's row 0.
    rows: Range<usize>,
}

impl Slot<'_> {
    fn set(&mut self, row: usize, column: usize, value: f64) {
        let row = row - self.rows.start;
        self.matrix.values[row * self.matrix.cols + self.offset + column] = value;
    }
}

/// The number in a cell; none if it is missing.
fn number(table: &Table, row: usize, column: usize) -> Result<Option<f64>, DataError> {
    match table.cell(row, column) {
        Cell::Missing => Ok(None),
        Cell::Number(number) => Ok(Some(number)),
        Cell::NonFinite(_) => Err(table.non_finite(row, column)),
        Cell::Text(_) => Err(table.not_a_number(row, column)),
    }
}

fn standardise(value: f64, mean: f64, scale: f64) -> Option<f64> {
    Some((value - mean) / scale).filter(|value| value.is_finite())
}

fn fit_number(table: &Table, rows: &[u32], column: usize) -> Result<Feature, DataError> {
    let mut values = Vec::with_capacity(rows.len());
    let mut largest = (0.0, 0);
    for &row in rows {
        if let Some(value) = number(table, row as usize, column)? {
            values.push(value);
            if value.abs() > largest.0 {
                largest = (value.abs(), row as usize);
            }
        }
    }
    let (mean, scale) = mean_and_scale(&values).ok_or_else(|| table.non_finite(largest.1, column))?;
    let missing_flag = values.len() < rows.len();
    Ok(Feature::Number { name: table.names()[column].clone(), mean, scale, fill: median(&mut values), missing_flag })
}

/// Mean and standard deviation (divided by n); 0 and 1 for no values. None if they are not finite.
fn mean_and_scale(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return Some((0.0, 1.0));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
    let spread = variance.sqrt();
    // A spread within rounding of the mean is the spread of a constant.
    let scale = if spread <= 1e-14 * mean.abs() || spread == 0.0 { 1.0 } else { spread };
    (mean.is_finite() && scale.is_finite()).then_some((mean, scale))
}

fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { values[middle - 1] / 2.0 + values[middle] / 2.0 }
}

fn fit_category(table: &Table, rows: &[u32], column: usize) -> Feature {
    let cells = || rows.iter().map(|&row| table.cell(row as usize, column));
    let numeric = cells().all(|cell| matches!(cell, Cell::Number(_) | Cell::Missing));
    let missing_label = cells().any(|cell| cell == Cell::Missing);
    let labels = labels_of(table, rows, column, numeric);
    Feature::Category { name: table.names()[column].clone(), labels, numeric, missing_label }
}

fn fit_target(table: &Table, rows: &[u32], target: &Target) -> Result<Target, DataError> {
    let column = find_column(table, target.name())?;
    let Target::Number { name, .. } = target else {
        return match rows.iter().find(|&&row| table.cell(row as usize, column) == Cell::Missing) {
            Some(&row) => Err(missing(table, row as usize, column)),
            None => Ok(target.clone()),
        };
    };
    let mut values = Vec::with_capacity(rows.len());
    for &row in rows {
        values.push(number(table, row as usize, column)?.ok_or_else(|| missing(table, row as usize, column))?);
    }
    let reason = "its values are too large to average";
    let (mean, scale) =
        mean_and_scale(&values).ok_or_else(|| DataError::BadTarget { name: name.clone(), reason: reason.into() })?;
    Ok(Target::Number { name: name.clone(), mean, scale })
}

fn fill_number(
    table: &Table,
    column: usize,
    feature: &Feature,
    out: &mut Slot<'_>,
    notes: &mut Notes,
) -> Result<(), DataError> {
    let Feature::Number { name, mean, scale, fill, missing_flag } = feature else { return Ok(()) };
    let mut filled = 0;
    for row in out.rows.clone() {
        let value = number(table, row, column)?;
        let standard = standardise(value.unwrap_or(*fill), *mean, *scale);
        out.set(row, 0, standard.ok_or_else(|| table.non_finite(row, column))?);
        match (value, missing_flag) {
            (None, true) => out.set(row, 1, 1.0),
            (None, false) => filled += 1,
            _ => {}
        }
    }
    if filled > 0 {
        notes.filled.push((name.clone(), filled));
    }
    Ok(())
}

fn fill_category(table: &Table, column: usize, feature: &Feature, out: &mut Slot<'_>, notes: &mut Notes) {
    let Feature::Category { name, labels, numeric, missing_label } = feature else { return };
    let positions = Positions::new(labels);
    let mut unseen = Unseen { column: name.clone(), count: 0, first: Vec::new() };
    for row in out.rows.clone() {
        let text = label(table, row, column, *numeric);
        let position = match &text {
            Some(text) => positions.of(text).map(|position| position as usize),
            None => missing_label.then_some(labels.len()),
        };
        if let Some(position) = position {
            out.set(row, position, 1.0);
            continue;
        }
        unseen.count += 1;
        let shown = text.map_or_else(|| MISSING.to_string(), |text| shorten(&text));
        if unseen.first.len() < Unseen::SHOWN && !unseen.first.contains(&shown) {
            unseen.first.push(shown);
        }
    }
    if unseen.count > 0 {
        notes.unseen.push(unseen);
    }
}
