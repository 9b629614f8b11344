//! What is predicted: numbers, or one of several classes.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::columns::{Summary, Task, find_column};
use super::encode::number;
use super::error::DataError;
use super::matrix::Matrix;
use super::suggest::nearest;
use super::table::{Cell, Table, shorten};

/// Most classes of a target.
const MOST_CLASSES: usize = 1000;

/// What is predicted and how it becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// One number or several, each a column of the network's target.
    Numbers {
        /// The columns of the table, in order.
        columns: Vec<NumberTarget>,
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

/// What a number becomes before it is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// Nothing.
    #[default]
    None,
    /// Its logarithm; predictions are medians rather than means then.
    Log,
    /// It is a count: the network predicts its mean, and nothing is scaled.
    Count,
}

impl Transform {
    pub(super) fn forward(self, value: f64) -> f64 {
        match self {
            Transform::None | Transform::Count => value,
            Transform::Log => libm::log(value),
        }
    }

    fn back(self, value: f64) -> f64 {
        match self {
            Transform::None | Transform::Count => value,
            Transform::Log => libm::exp(value),
        }
    }
}

/// A number to predict; the network sees `(value - mean) / scale`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberTarget {
    /// Column name.
    pub name: String,
    /// What is done before scaling.
    pub transform: Transform,
    /// Mean over the training rows.
    pub mean: f64,
    /// Standard deviation over the training rows, 1 where it is zero.
    pub scale: f64,
    /// The least value of the training rows.
    pub low: f64,
    /// The largest value of the training rows.
    pub high: f64,
}

impl NumberTarget {
    fn new(name: String, transform: Transform) -> NumberTarget {
        NumberTarget { name, transform, mean: 0.0, scale: 1.0, low: f64::MIN, high: f64::MAX }
    }

    /// A prediction in the column's own units, within the range of the training rows: a network knows nothing of what is
    /// outside of it.
    #[must_use]
    pub fn restore(&self, prediction: f64) -> f64 {
        let value = self.units(prediction);
        // Not `clamp`: what is not a number stays so.
        if value < self.low {
            self.low
        } else if value > self.high {
            self.high
        } else {
            value
        }
    }

    /// A scaled value in the column's own units.
    #[must_use]
    pub fn units(&self, scaled: f64) -> f64 {
        self.transform.back(scaled * self.scale + self.mean)
    }

    fn is_sound(&self) -> bool {
        self.mean.is_finite() && self.scale.is_finite() && self.scale > 0.0 && self.low <= self.high
    }
}

impl Target {
    /// Column name, or names with commas between them.
    #[must_use]
    pub fn name(&self) -> String {
        self.names().join(", ")
    }

    /// Column names.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Target::Numbers { columns } => columns.iter().map(|column| column.name.as_str()).collect(),
            Target::Classes { name, .. } => vec![name],
        }
    }

    /// Columns of the network's target: classes, or numbers.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Target::Numbers { columns } => columns.len(),
            Target::Classes { labels, .. } => labels.len(),
        }
    }

    /// The labels of the classes in the order of the columns; none for numbers.
    #[must_use]
    pub fn labels(&self) -> Option<&[String]> {
        match self {
            Target::Numbers { .. } => None,
            Target::Classes { labels, .. } => Some(labels),
        }
    }

    /// What the network's target holds for the rows of a table, `[rows, width()]`.
    pub(super) fn matrix(&self, table: &Table) -> Result<Matrix, DataError> {
        let mut matrix = Matrix::try_zeros(table.rows(), self.width())?;
        match self {
            Target::Numbers { columns } => {
                for (at, target) in columns.iter().enumerate() {
                    let column = find_column(table, &target.name)?;
                    for row in 0..table.rows() {
                        let value = number(table, row, column)?.ok_or_else(|| missing(table, row, column))?;
                        let scaled = (target.transform.forward(value) - target.mean) / target.scale;
                        if !scaled.is_finite() {
                            return Err(table.non_finite(row, column));
                        }
                        matrix.values[row * columns.len() + at] = scaled;
                    }
                }
            }
            Target::Classes { labels, .. } => {
                let classes = self.classes(table)?.expect("invariant: the target has classes");
                for (row, class) in classes.into_iter().enumerate() {
                    matrix.values[row * labels.len() + class as usize] = 1.0;
                }
            }
        }
        Ok(matrix)
    }

    pub(super) fn is_sound(&self) -> bool {
        match self {
            Target::Numbers { columns } => !columns.is_empty() && columns.iter().all(NumberTarget::is_sound),
            Target::Classes { labels, .. } => !labels.is_empty(),
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

/// All labels of the given rows with the numbers of their rows: numbers by size, texts by alphabet.
pub(crate) fn counted_labels(table: &Table, rows: &[u32], column: usize, numeric: bool) -> Vec<(String, usize)> {
    let mut counts: FxHashMap<Cow<'_, str>, usize> = FxHashMap::default();
    for &row in rows {
        if let Some(label) = label(table, row as usize, column, numeric) {
            *counts.entry(label).or_insert(0) += 1;
        }
    }
    // Sorted below, so the order of the hash table does not matter.
    let mut counted: Vec<(String, usize)> = counts.into_iter().map(|(label, n)| (label.into_owned(), n)).collect();
    let number = |label: &str| label.parse::<f64>().unwrap_or(0.0);
    if numeric {
        counted.sort_unstable_by(|a, b| number(&a.0).total_cmp(&number(&b.0)));
    } else {
        counted.sort_unstable();
    }
    counted
}

pub(crate) fn missing(table: &Table, row: usize, column: usize) -> DataError {
    DataError::MissingTarget { at: Box::new(table.place(row, column)), name: table.names()[column].clone() }
}

/// Classes or a number, and the labels.
pub(crate) fn infer_target(
    table: &Table,
    column: usize,
    summary: &Summary,
    task: Task,
    transform: Transform,
) -> Result<Target, DataError> {
    let name = table.names()[column].clone();
    let bad = |reason: String| DataError::BadTarget { name: name.clone(), reason };
    if summary.present() == 0 {
        return Err(bad("every value is missing".into()));
    }
    if summary.distinct == 1 {
        let present = (0..table.rows()).find(|&row| table.cell(row, column) != Cell::Missing);
        let value = present.map_or_else(String::new, |row| shorten(table.text(row, column).trim()));
        return Err(bad(format!("it is `{value}` in every row")));
    }
    let numeric = summary.is_numeric();
    let few = summary.distinct <= 2
        || (summary.integers == summary.present() && summary.distinct <= 10 && summary.present() >= 50);
    let classes = match task {
        Task::Auto => transform == Transform::None && (!numeric || few),
        Task::Classification => true,
        Task::Regression | Task::Count => false,
    };
    if !classes {
        let transform = if task == Task::Count { Transform::Count } else { transform };
        return Ok(Target::Numbers { columns: vec![NumberTarget::new(name, transform)] });
    }
    if summary.distinct > MOST_CLASSES || (summary.distinct > 20 && 10 * summary.distinct > 7 * summary.present()) {
        let reason =
            format!("{} different values in {} rows are too many classes", summary.distinct, summary.present());
        return Err(bad(reason));
    }
    let numeric = summary.texts == 0 && summary.non_finite == 0;
    let all: Vec<u32> = (0..table.rows() as u32).collect();
    let labels = counted_labels(table, &all, column, numeric).into_iter().map(|(label, _)| label).collect();
    Ok(Target::Classes { name, labels, numeric })
}
