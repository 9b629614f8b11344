//! From table cells to numbers a network can learn from, fitted on training rows and saved with the model.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::columns::{ColumnReport, find_column, find_columns};
use super::encode::{Cells, Encoding, Feature, Slot, number};
use super::error::DataError;
use super::fitting;
use super::matrix::Matrix;
pub use super::notes::{Notes, Unseen};
use super::table::Table;
use super::target::Target;

/// All that turns a table into the inputs of a network, and predictions back into the target's units.
///
/// The inputs are `X`, the scaled numbers and the labels as columns of 0 and 1; `U`, if there are bins, the positions of the
/// numbers among their quantiles; and `C1`, `C2`, ... the labels of the categories that get an embedding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// The used columns in the order of the training file.
    pub features: Vec<Feature>,
    /// What is predicted.
    pub target: Target,
    /// The column that says how much each row counts in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
}

/// An input of a network and the columns of the table behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name in the model text.
    pub name: String,
    /// Names of its columns.
    pub columns: Vec<String>,
}

/// The name of the column with the weights of the examples.
pub const WEIGHTS: &str = "weights";

/// Named matrices with one row per row of a table.
pub type Inputs = Vec<(String, Matrix)>;

impl Preprocessing {
    /// Fits the columns that `report` found usable, and the target, on the given rows of `table` only.
    ///
    /// # Errors
    /// Fewer than two rows, text or an infinite number in a column of numbers, or a row without a target.
    pub fn fit(
        table: &Table,
        rows: &[u32],
        report: &ColumnReport,
        encoding: &Encoding,
    ) -> Result<Preprocessing, DataError> {
        if rows.len() < 2 {
            return Err(DataError::TooFewRows { found: rows.len(), needed: 2 });
        }
        let mut features = Vec::new();
        let indices = find_columns(table, report.used().map(|column| column.name.as_str()))?;
        for (column, index) in report.used().zip(indices) {
            features.push(fitting::feature(table, rows, index, column, encoding)?);
        }
        let target = fitting::target(table, rows, &report.target)?;
        Ok(Preprocessing { features, target, weights: None })
    }

    /// The inputs of the network, in order.
    #[must_use]
    pub fn layout(&self) -> Vec<Input> {
        let plain = self.features.iter().filter(|f| !f.is_embedded());
        let mut inputs = vec![Input { name: "X".to_owned(), columns: plain.flat_map(Feature::column_names).collect() }];
        let ramps: Vec<String> =
            self.features.iter().filter(|f| f.ramps().is_some()).map(|f| f.name().to_owned()).collect();
        if !ramps.is_empty() {
            inputs.push(Input { name: "U".to_owned(), columns: ramps });
        }
        for (number, feature) in self.features.iter().filter(|f| f.is_embedded()).enumerate() {
            inputs.push(Input { name: format!("C{}", number + 1), columns: feature.column_names() });
        }
        inputs
    }

    /// The inputs for all rows of a table: one matrix for each of [`Preprocessing::layout`].
    ///
    /// Columns are found by name in any order; others are ignored.
    ///
    /// # Errors
    /// A missing column (with the nearest name), text or an infinite number in a column of numbers, or too little
    /// memory.
    pub fn inputs(&self, table: &Table) -> Result<(Inputs, Notes), DataError> {
        self.inputs_of(table, 0..table.rows())
    }

    /// As [`Preprocessing::inputs`] for a part of the rows, so that a long table needs little memory.
    ///
    /// # Errors
    /// As [`Preprocessing::inputs`].
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn inputs_of(&self, table: &Table, rows: Range<usize>) -> Result<(Inputs, Notes), DataError> {
        let columns = find_columns(table, self.features.iter().map(Feature::name))?;
        let mut inputs = Inputs::new();
        for input in self.layout() {
            inputs.push((input.name, Matrix::try_zeros(rows.len(), input.columns.len())?));
        }
        let has_ramps = inputs.get(1).is_some_and(|(name, _)| name == "U");
        let (first, rest) = inputs.split_at_mut(1);
        let (ramps, own) = rest.split_at_mut(usize::from(has_ramps));
        let (x, mut u) = (&mut first[0].1, ramps.first_mut().map(|(_, matrix)| matrix));
        let mut own = own.iter_mut().map(|(_, matrix)| matrix);
        let mut notes = Notes::default();
        let (mut at, mut ramp) = (0, 0);
        for (feature, &column) in self.features.iter().zip(&columns) {
            let cells = Cells { table, column, start: rows.start, end: rows.end };
            if feature.is_embedded() {
                let matrix = own.next().expect("invariant: an input for each embedded feature");
                feature.fill(cells, &mut Slot { matrix, offset: 0 }, None, &mut notes)?;
                continue;
            }
            let u = u.as_deref_mut().filter(|_| feature.ramps().is_some());
            let u = u.map(|matrix| Slot { matrix, offset: ramp });
            ramp += usize::from(u.is_some());
            feature.fill(cells, &mut Slot { matrix: x, offset: at }, u, &mut notes)?;
            at += feature.width();
        }
        Ok((inputs, notes))
    }

    /// The targets of all rows: one column of 0 and 1 per class `[rows, classes]`, or the scaled numbers
    /// `[rows, numbers]`.
    ///
    /// # Errors
    /// A missing target column, a row without a target, or a label that is not among the classes.
    pub fn targets(&self, table: &Table) -> Result<Matrix, DataError> {
        self.target.matrix(table)
    }

    /// What training compares predictions with, by the names of the default network: the targets, and the weights of the
    /// rows if there are any. A table without the column of weights has rows that count the same.
    ///
    /// # Errors
    /// As [`Preprocessing::targets`], or a weight that is missing or negative.
    pub fn truths(&self, table: &Table) -> Result<Inputs, DataError> {
        let mut truths = vec![("Y".to_owned(), self.targets(table)?)];
        if let Some(name) = &self.weights {
            truths.push((WEIGHTS.to_owned(), weights(table, name)?));
        }
        Ok(truths)
    }

    /// Predictions in the target's own units, in place; probabilities of classes stay as they are.
    pub fn restore(&self, predictions: &mut Matrix) {
        if let Target::Numbers { columns } = &self.target {
            for row in predictions.values.chunks_exact_mut(columns.len().max(1)) {
                for (value, column) in row.iter_mut().zip(columns) {
                    *value = column.restore(*value);
                }
            }
        }
    }

    /// Targets as [`Preprocessing::targets`] gives them in their own units, in place: unlike predictions they may lie outside
    /// of what training has seen.
    pub fn restore_truth(&self, targets: &mut Matrix) {
        if let Target::Numbers { columns } = &self.target {
            for row in targets.values.chunks_exact_mut(columns.len().max(1)) {
                for (value, column) in row.iter_mut().zip(columns) {
                    *value = column.units(*value);
                }
            }
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
        let features_fit = read.features.iter().all(|feature| match feature {
            Feature::Number { number, .. } | Feature::DateTime { number, .. } => number.is_sound(),
            Feature::Category { .. } => true,
        });
        if features_fit && read.target.is_sound() && !read.features.is_empty() {
            Ok(read)
        } else {
            Err(bad("has a scale or a list that cannot be".into()))
        }
    }

    /// The number of the target's column in `table`, for each target.
    ///
    /// # Errors
    /// No such column.
    pub fn target_columns(&self, table: &Table) -> Result<Vec<usize>, DataError> {
        self.target.names().iter().map(|name| find_column(table, name)).collect()
    }
}

fn weights(table: &Table, name: &str) -> Result<Matrix, DataError> {
    let Some(column) = table.column(name) else {
        return Ok(Matrix { rows: table.rows(), cols: 1, values: vec![1.0; table.rows()] });
    };
    let weight = |row| match number(table, row, column)? {
        Some(weight) if weight >= 0.0 => Ok(weight),
        found => Err(DataError::BadWeight { at: Box::new(table.place(row, column)), missing: found.is_none() }),
    };
    let values = (0..table.rows()).map(weight).collect::<Result<Vec<f64>, DataError>>()?;
    Ok(Matrix { rows: values.len(), cols: 1, values })
}
