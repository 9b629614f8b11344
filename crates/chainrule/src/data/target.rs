//! The column to predict: a number, or one of several classes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::columns::{Summary, Task, find_column};
use super::error::DataError;
use super::suggest::nearest;
use super::table::{Cell, Table, parse_cell, shorten};

/// Most classes of a target.
const MOST_CLASSES: usize = 1000;

/// What is predicted and how it becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// A number; the network sees `(value - mean) / scale`.
    Number {
        /// Column name.
        name: String,
        /// Mean over the training rows.
        mean: f64,
        /// Standard deviation over the training rows, 1 where it is zero.
        scale: f64,
    },
    /// One of several classes; the network sees one column of 0 and 1 per class.
    Classes {
        /// Column name.
        name: String,
        /// The labels in order: numbers by size, texts by alphabet.
        labels: Vec<String>,
        /// Labels are numbers: `1`, `1.0` and `01` are the same label.
        numeric: bool,
    },
}

impl Target {
    /// Column name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Target::Number { name, .. } | Target::Classes { name, .. } => name,
        }
    }

    /// The labels of the classes in the order of the columns; none for a number.
    #[must_use]
    pub fn labels(&self) -> Option<&[String]> {
        match self {
            Target::Number { .. } => None,
            Target::Classes { labels, .. } => Some(labels),
        }
    }

    /// The class of every row, as a position in the labels; none for a number.
    ///
    /// # Errors
    /// No such column, a row without a label, or a label that is not among the classes.
    pub fn classes(&self, table: &Table) -> Result<Option<Vec<u32>>, DataError> {
        let Target::Classes { name, labels, numeric } = self else { return Ok(None) };
        let column = find_column(table, name)?;
        let positions = Positions::new(labels);
        let mut classes = Vec::with_capacity(table.rows());
        for row in 0..table.rows() {
            let label = label(table, row, column, *numeric).ok_or_else(|| missing(table, row, column))?;
            let class = positions.of(&label).ok_or_else(|| DataError::UnseenLabel {
                at: Box::new(table.place(row, column)),
                label: shorten(&label),
                nearest: nearest(&label, labels.iter().map(String::as_str)),
            })?;
            classes.push(class);
        }
        Ok(Some(classes))
    }
}

/// Positions of labels; a look-up by halving, since labels need not be in alphabetical order.
pub(crate) struct Positions<'a> {
    sorted: Vec<(&'a str, u32)>,
}

impl<'a> Positions<'a> {
    pub(crate) fn new(labels: &'a [String]) -> Self {
        let mut sorted: Vec<(&str, u32)> = labels.iter().map(String::as_str).zip(0..).collect();
        sorted.sort_unstable();
        Positions { sorted }
    }

    pub(crate) fn of(&self, label: &str) -> Option<u32> {
        self.sorted.binary_search_by_key(&label, |&(other, _)| other).ok().map(|at| self.sorted[at].1)
    }
}

/// The label in a cell; numbers in one spelling if all labels are numbers. None where it is missing.
pub(crate) fn label(table: &Table, row: usize, column: usize, numeric: bool) -> Option<Cow<'_, str>> {
    match table.cell(row, column) {
        Cell::Missing => None,
        Cell::Number(number) if numeric => Some(spell(number).into()),
        _ => Some(table.text(row, column).trim().into()),
    }
}

/// The one spelling of a number as a label.
fn spell(number: f64) -> String {
    // Adding zero makes minus zero zero.
    format!("{}", number + 0.0)
}

/// All labels of the given rows: numbers by size, texts by alphabet.
pub(crate) fn labels_of(table: &Table, rows: &[u32], column: usize, numeric: bool) -> Vec<String> {
    if numeric {
        let number = |&row: &u32| match table.cell(row as usize, column) {
            Cell::Number(number) => Some(number),
            _ => None,
        };
        let mut numbers: Vec<f64> = rows.iter().filter_map(number).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        let mut labels: Vec<String> = numbers.into_iter().map(spell).collect();
        labels.dedup();
        return labels;
    }
    let mut labels = BTreeSet::new();
    for &row in rows {
        if let Some(label) = label(table, row as usize, column, false)
            && !labels.contains(label.as_ref())
        {
            labels.insert(label.into_owned());
        }
    }
    labels.into_iter().collect()
}

pub(crate) fn missing(table: &Table, row: usize, column: usize) -> DataError {
    DataError::MissingTarget { at: Box::new(table.place(row, column)), name: table.names()[column].clone() }
}

/// Classes or a number, the labels, and the rows without a target.
pub(crate) fn infer_target(
    table: &Table,
    column: usize,
    summary: &Summary,
    task: Task,
) -> Result<(Target, Vec<u32>), DataError> {
    let name = table.names()[column].clone();
    let rows: Vec<u32> =
        (0..table.rows() as u32).filter(|&row| table.cell(row as usize, column) == Cell::Missing).collect();
    let bad = |reason: String| DataError::BadTarget { name: name.clone(), reason };
    if summary.present() == 0 {
        return Err(bad("every value is missing".into()));
    }
    if summary.distinct == 1 {
        let rows = 0..table.rows();
        let value =
            rows.map(|row| table.text(row, column).trim()).find(|text| parse_cell(text, false) != Cell::Missing);
        return Err(bad(format!("it is `{}` in every row", shorten(value.unwrap_or_default()))));
    }
    let numeric = summary.is_numeric();
    let few = summary.distinct <= 2
        || (summary.integers == summary.present() && summary.distinct <= 10 && summary.present() >= 50);
    let classes = match task {
        Task::Auto => !numeric || few,
        Task::Classification => true,
        Task::Regression => false,
    };
    if !classes {
        return Ok((Target::Number { name, mean: 0.0, scale: 1.0 }, rows));
    }
    if summary.distinct > MOST_CLASSES || (summary.distinct > 20 && 10 * summary.distinct > 7 * summary.present()) {
        let reason =
            format!("{} different values in {} rows are too many classes", summary.distinct, summary.present());
        return Err(bad(reason));
    }
    let numeric = summary.texts == 0 && summary.non_finite == 0;
    let all: Vec<u32> = (0..table.rows() as u32).collect();
    let labels = labels_of(table, &all, column, numeric);
    Ok((Target::Classes { name, labels, numeric }, rows))
}
