//! How one column of a table becomes columns of a network's inputs.

use serde::{Deserialize, Serialize};

use super::datetime::{DateOrder, Moment};
use super::error::DataError;
use super::matrix::Matrix;
use super::notes::{Notes, Unseen};
use super::table::{Cell, Table, shorten};
use super::target::{Positions, label};

/// What a number becomes before a network sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Mean 0 and standard deviation 1.
    #[default]
    Standard,
    /// Median 0 and the spread of the middle half of the values that of a normal distribution with standard deviation 1;
    /// then clipped smoothly (Holzmüller, Grinsztajn, Steinwart 2024).
    Robust,
    /// The share of the training values below, scaled to mean 0 and standard deviation 1.
    Quantile,
    /// As it is.
    None,
}

/// How columns are encoded, apart from their kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// For the numbers of the input `X`.
    pub scaling: Scaling,
    /// Intervals between the quantiles of a number, for the input `U`; 0 for none.
    pub bins: u32,
    /// Labels that a category may have to stand in `X`; one with more gets an input of its own, for an embedding.
    pub one_hot: usize,
    /// Rows that a label must have to get a column of its own.
    pub rare: usize,
}

impl Default for Encoding {
    fn default() -> Self {
        Encoding { scaling: Scaling::Standard, bins: 0, one_hot: usize::MAX, rare: 1 }
    }
}

/// From a number to `X` and `U`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// What becomes 0.
    pub center: f64,
    /// What becomes 1 above the center; positive.
    pub scale: f64,
    /// The result z is clipped smoothly, `z / sqrt(1 + (z/clip)^2)`; 0 for not at all.
    pub clip: f64,
    /// The result is the share of the knots below instead.
    pub rank: bool,
    /// In place of a missing value.
    pub fill: f64,
    /// A column of `X` that is 1 where the value is missing.
    pub missing_flag: bool,
    /// Quantiles of the training rows, ascending.
    pub knots: Vec<f64>,
    /// Does the number have a column of `U`?
    pub ramps: bool,
}

impl Number {
    /// What `X` holds for a value; none if it is not finite.
    #[must_use]
    pub fn scaled(&self, value: f64) -> Option<f64> {
        if self.rank {
            let intervals = self.knots.len().saturating_sub(1).max(1) as f64;
            return Some(3_f64.sqrt() * (2.0 * self.position(value) / intervals - 1.0));
        }
        let z = (value - self.center) / self.scale;
        let clipped = if self.clip > 0.0 { z / (1.0 + (z / self.clip) * (z / self.clip)).sqrt() } else { z };
        Some(clipped).filter(|value| value.is_finite())
    }

    /// The number of knots below the value, with the share of the interval it lies in; from 0 to the number of intervals.
    #[must_use]
    pub fn position(&self, value: f64) -> f64 {
        let above = self.knots.partition_point(|&knot| knot <= value);
        match above {
            0 => 0.0,
            _ if above == self.knots.len() => (self.knots.len() - 1) as f64,
            _ => {
                let (low, high) = (self.knots[above - 1], self.knots[above]);
                (above - 1) as f64 + (value - low) / (high - low)
            }
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        let scaled = self.center.is_finite() && self.scale.is_finite() && self.scale > 0.0;
        let rest = self.clip.is_finite() && self.clip >= 0.0 && self.fill.is_finite();
        let ordered = self.knots.windows(2).all(|pair| pair[0] < pair[1]);
        scaled && rest && ordered && self.knots.iter().all(|k| k.is_finite()) && !(self.ramps && self.knots.is_empty())
    }
}

/// How one used column becomes features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Feature {
    /// One column of `X`, one of 0 and 1 if values were missing in training, and one of `U` if there are bins.
    Number {
        /// Column name.
        name: String,
        /// From the value to `X` and `U`.
        number: Number,
    },
    /// One column of 0 and 1 per label; all 0 for a label that training did not know.
    Category {
        /// Column name.
        name: String,
        /// The labels of the training rows.
        labels: Vec<String>,
        /// Labels are numbers: `1`, `1.0` and `01` are the same label.
        numeric: bool,
        /// A column that is 1 for labels too rare to have one, and for labels that training did not know.
        other: bool,
        /// A last column that is 1 where the value is missing; without it a missing value is an unknown label.
        missing_label: bool,
        /// The label that stands for a missing value, by its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fill: Option<usize>,
        /// The columns are an input of their own, not a part of `X`.
        embedded: bool,
    },
    /// The time since 1970 as a number, and the places in the day, the week and the year on circles.
    DateTime {
        /// Column name.
        name: String,
        /// How dates are written.
        order: DateOrder,
        /// Have the values a time of day?
        with_time: bool,
        /// From seconds to `X` and `U`.
        number: Number,
    },
}

impl Feature {
    /// Name of the table's column.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Feature::Number { name, .. } | Feature::Category { name, .. } | Feature::DateTime { name, .. } => name,
        }
    }

    /// Number of columns of `X`, or of its own input.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Feature::Number { number, .. } => 1 + usize::from(number.missing_flag),
            Feature::DateTime { number, with_time, .. } => {
                5 + 2 * usize::from(*with_time) + usize::from(number.missing_flag)
            }
            Feature::Category { labels, other, missing_label, .. } => {
                labels.len() + usize::from(*other) + usize::from(*missing_label)
            }
        }
    }

    /// Has it an input of its own?
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self, Feature::Category { embedded: true, .. })
    }

    /// The number that has a column of `U`.
    #[must_use]
    pub fn ramps(&self) -> Option<&Number> {
        match self {
            Feature::Number { number, .. } | Feature::DateTime { number, .. } => Some(number).filter(|n| n.ramps),
            Feature::Category { .. } => None,
        }
    }

    /// Names of the columns: `age`, `age (missing)`, `sex=female`, `port=(missing)`.
    #[must_use]
    pub fn column_names(&self) -> Vec<String> {
        let name = self.name();
        let mut names: Vec<String> = match self {
            Feature::Number { .. } => vec![name.to_owned()],
            Feature::DateTime { with_time, .. } => {
                let day: &[&str] = if *with_time { &["day sine", "day cosine"] } else { &[] };
                let rest = ["week sine", "week cosine", "year sine", "year cosine"];
                let parts = day.iter().copied().chain(rest).map(|part| format!("{name} ({part})"));
                std::iter::once(name.to_owned()).chain(parts).collect()
            }
            Feature::Category { labels, other, .. } => {
                let labels = labels.iter().map(String::as_str).chain(other.then_some(OTHER));
                labels.map(|label| format!("{name}={label}")).collect()
            }
        };
        match self {
            Feature::Category { missing_label: true, .. } => names.push(format!("{name}={MISSING}")),
            Feature::Number { number, .. } | Feature::DateTime { number, .. } if number.missing_flag => {
                names.push(format!("{name} {MISSING}"));
            }
            _ => {}
        }
        names
    }
}

/// How a missing value is shown.
const MISSING: &str = "(missing)";
/// How labels without a column of their own are shown.
const OTHER: &str = "(other)";

/// Where the numbers of one feature go: columns of a matrix.
pub(super) struct Slot<'a> {
    pub(super) matrix: &'a mut Matrix,
    pub(super) offset: usize,
}

impl Slot<'_> {
    fn set(&mut self, row: usize, column: usize, value: f64) {
        self.matrix.values[row * self.matrix.cols + self.offset + column] = value;
    }
}

/// Rows of one column of a table.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) table: &'a Table,
    pub(super) column: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The number in a cell; none if it is missing.
pub(super) fn number(table: &Table, row: usize, column: usize) -> Result<Option<f64>, DataError> {
    match table.cell(row, column) {
        Cell::Missing => Ok(None),
        Cell::Number(number) => Ok(Some(number)),
        Cell::NonFinite(_) => Err(table.non_finite(row, column)),
        Cell::Text(_) => Err(table.not_a_number(row, column)),
    }
}

/// The moment in a cell; none if it is missing.
pub(super) fn moment(table: &Table, row: usize, column: usize, order: DateOrder) -> Result<Option<Moment>, DataError> {
    if table.cell(row, column) == Cell::Missing {
        return Ok(None);
    }
    let moment = Moment::parse(table.text(row, column), order);
    moment.map(Some).ok_or_else(|| DataError::NotADate {
        at: Box::new(table.place(row, column)),
        column: table.names()[column].clone(),
        text: shorten(table.text(row, column).trim()),
    })
}

impl Feature {
    /// Fills the columns of `X` or of its own input, and the column of `U` if it has one.
    pub(super) fn fill(
        &self,
        cells: Cells<'_>,
        x: &mut Slot<'_>,
        u: Option<Slot<'_>>,
        notes: &mut Notes,
    ) -> Result<(), DataError> {
        match self {
            Feature::Number { name, number: how } => {
                let read = |row| number(cells.table, row, cells.column);
                fill_numbers(how, self.width() - 1, cells, read, x, u).map(|filled| notes.fill(name, filled))
            }
            Feature::DateTime { name, order, with_time, number: how } => {
                let read = |row| Ok(moment(cells.table, row, cells.column, *order)?.map(Moment::seconds));
                let filled = fill_numbers(how, self.width() - 1, cells, read, x, u)?;
                notes.fill(name, filled);
                fill_circles(cells, *order, *with_time, x)
            }
            Feature::Category { .. } => {
                self.fill_labels(cells, x, notes);
                Ok(())
            }
        }
    }

    fn fill_labels(&self, cells: Cells<'_>, out: &mut Slot<'_>, notes: &mut Notes) {
        let Feature::Category { name, labels, numeric, other, missing_label, fill, .. } = self else { return };
        let positions = Positions::new(labels);
        let other = other.then_some(labels.len());
        let missing = missing_label.then_some(labels.len() + usize::from(other.is_some())).or(*fill);
        // A label that is rare in training is not told apart from one that it did not know.
        let mut unseen = Unseen { column: name.clone(), count: 0, first: Vec::new(), or_rare: other.is_some() };
        for row in cells.start..cells.end {
            let text = label(cells.table, row, cells.column, *numeric);
            let position = match &text {
                Some(text) => positions.of(text).map(|position| position as usize),
                None => missing,
            };
            if let Some(position) = position.or(other) {
                out.set(row - cells.start, position, 1.0);
            }
            if position.is_some() {
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
}

/// Fills the scaled numbers, the flags in column `flag`, and the positions among the knots; gives the number of rows that
/// got the median although training had no gaps.
fn fill_numbers(
    how: &Number,
    flag: usize,
    cells: Cells<'_>,
    read: impl Fn(usize) -> Result<Option<f64>, DataError>,
    x: &mut Slot<'_>,
    mut u: Option<Slot<'_>>,
) -> Result<usize, DataError> {
    let mut filled = 0;
    for row in cells.start..cells.end {
        let found = read(row)?;
        let value = found.unwrap_or(how.fill);
        let scaled = how.scaled(value).ok_or_else(|| cells.table.non_finite(row, cells.column))?;
        x.set(row - cells.start, 0, scaled);
        if let Some(u) = &mut u {
            u.set(row - cells.start, 0, how.position(value));
        }
        match (found, how.missing_flag) {
            (None, true) => x.set(row - cells.start, flag, 1.0),
            (None, false) => filled += 1,
            _ => {}
        }
    }
    Ok(filled)
}

/// Sines and cosines of the places in the day, the week and the year; zeros where the moment is missing.
fn fill_circles(cells: Cells<'_>, order: DateOrder, with_time: bool, x: &mut Slot<'_>) -> Result<(), DataError> {
    for row in cells.start..cells.end {
        let Some(moment) = moment(cells.table, row, cells.column, order)? else { continue };
        let day = with_time.then(|| moment.of_day());
        for (place, turn) in day.into_iter().chain([moment.of_week(), moment.of_year()]).enumerate() {
            let angle = std::f64::consts::TAU * turn;
            x.set(row - cells.start, 2 * place + 1, libm::sin(angle));
            x.set(row - cells.start, 2 * place + 2, libm::cos(angle));
        }
    }
    Ok(())
}
