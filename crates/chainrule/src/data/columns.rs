//! What each column of a table is good for, with the reason in a sentence.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::datetime::DateOrder;
use super::error::DataError;
use super::table::{Cell, Table};
use super::target::{NumberTarget, Target, Transform, infer_target};
use super::wish::Wish;
use crate::text::note::Note;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers; used.
    Number,
    /// Text with few different values; used.
    Category,
    /// Text with exactly two different values; used as a category.
    Boolean,
    /// Dates, with or without a time of day; used.
    DateTime(DateOrder),
    /// A different value in every row; ignored.
    Identifier,
    /// Text with too many different values for categories; ignored.
    Text,
    /// One value only; ignored.
    Constant,
    /// More than 60 % missing; ignored.
    MostlyMissing,
    /// Left out by request; ignored.
    Dropped,
    /// Says how rows are split; ignored.
    Aside,
    /// The column to predict.
    Target,
}

impl Kind {
    /// Whether a column of this kind becomes features.
    #[must_use]
    pub fn is_used(self) -> bool {
        matches!(self, Kind::Number | Kind::Category | Kind::Boolean | Kind::DateTime(_))
    }
}

/// A column and what was decided about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Why, in a few words: `76 % of the values are different`.
    pub reason: String,
    /// Number of different values.
    pub distinct: usize,
    /// Number of rows without a value.
    pub missing: usize,
    /// What is wished beyond the kind.
    pub wish: Wish,
}

/// What is to be predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Classes or a number, by what the target holds.
    #[default]
    Auto,
    /// Classes.
    Classification,
    /// Numbers.
    Regression,
    /// A count: a whole number that is not negative.
    Count,
}

/// Wishes that stand above what the values suggest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnOptions {
    /// Use these columns even if they would be ignored.
    pub keep: Vec<String>,
    /// Leave these columns out.
    pub drop: Vec<String>,
    /// Kinds by column name; only [`Kind::Number`], [`Kind::Category`] and [`Kind::DateTime`] can be asked for.
    pub kinds: BTreeMap<String, Kind>,
    /// Classes or a number.
    pub task: Task,
    /// What becomes of a number to predict before it is scaled.
    pub transform: Transform,
    /// What is wished for columns beyond their kinds, by name.
    pub wishes: BTreeMap<String, Wish>,
    /// Columns that say how rows are split or weighted; they are no features.
    pub aside: Vec<String>,
}

/// Every column of a table in file order, and the target.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnReport {
    /// The columns.
    pub columns: Vec<Column>,
    /// What is predicted, with the labels of all rows; its scale is fitted later on training rows.
    pub target: Target,
    /// Rows without a target, from 0.
    pub rows_without_target: Vec<u32>,
}

impl ColumnReport {
    /// Decides on every column of `table` when the columns `targets` are to be predicted.
    ///
    /// # Errors
    /// A target or a column in the options that does not exist, a target from which nothing can be learned, or no
    /// usable column.
    pub fn infer(table: &Table, targets: &[String], options: &ColumnOptions) -> Result<ColumnReport, DataError> {
        let predicted = targets.iter().map(|name| find_column(table, name)).collect::<Result<Vec<usize>, _>>()?;
        let (columns, summaries) = understood(table, &predicted, options)?;
        let target = target_of(table, &predicted, &summaries, options)?;
        let is_missing = |&row: &u32| predicted.iter().any(|&c| table.cell(row as usize, c) == Cell::Missing);
        let rows_without_target: Vec<u32> = (0..table.rows() as u32).filter(is_missing).collect();
        if !columns.iter().any(|column| column.kind.is_used()) {
            return Err(DataError::NoFeatures { target: target.name() });
        }
        Ok(ColumnReport { columns, target, rows_without_target })
    }

    /// Names of the columns that become features.
    pub fn used(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.kind.is_used())
    }

    /// Removes the rows without a target from `table` and says so in a sentence, if there are any.
    pub fn drop_rows_without_target(&mut self, table: &mut Table) -> Option<Note> {
        let dropped = std::mem::take(&mut self.rows_without_target);
        let first = *dropped.first()?;
        let line = table.place(first as usize, 0).line;
        let mut missing = dropped.iter().peekable();
        let rows: Vec<u32> =
            (0..table.rows() as u32).filter(|row| missing.next_if(|&other| other == row).is_none()).collect();
        table.keep_rows(&rows);
        let rows = if dropped.len() == 1 { "row" } else { "rows" };
        let target = self.target.name();
        let text = format!("{} {rows} without `{target}` left out, the first in line {line}", dropped.len());
        Some(Note::new("W307", text))
    }
}

/// Every column of a table in file order with the counts of its cells; the columns `predicted` are targets.
pub(super) fn understood(
    table: &Table,
    predicted: &[usize],
    options: &ColumnOptions,
) -> Result<(Vec<Column>, Vec<Summary>), DataError> {
    let listed = options.keep.iter().chain(&options.drop).chain(&options.aside);
    let mut named = listed.chain(options.kinds.keys()).chain(options.wishes.keys());
    named.try_for_each(|name| find_column(table, name).map(drop))?;
    let mut columns = Vec::with_capacity(table.names().len());
    let mut summaries = Vec::with_capacity(table.names().len());
    for column in 0..table.names().len() {
        let summary = Summary::of(table, column);
        columns.push(decide(table, column, &summary, predicted.contains(&column), options)?);
        summaries.push(summary);
    }
    keep_last_resort(&mut columns, &summaries);
    Ok((columns, summaries))
}

/// One target of any kind, or several numbers.
fn target_of(
    table: &Table,
    predicted: &[usize],
    summaries: &[Summary],
    options: &ColumnOptions,
) -> Result<Target, DataError> {
    let task = match (options.task, predicted.len()) {
        (task, 1) => return infer_target(table, predicted[0], &summaries[predicted[0]], task, options.transform),
        (Task::Auto, _) => Task::Regression,
        (task, _) => task,
    };
    let mut columns: Vec<NumberTarget> = Vec::new();
    for &column in predicted {
        let name = &table.names()[column];
        let reason = "it is not a number, and of several targets all must be".to_owned();
        let bad = DataError::BadTarget { name: name.clone(), reason };
        match infer_target(table, column, &summaries[column], task, options.transform)? {
            Target::Numbers { columns: one } if summaries[column].is_numeric() => columns.extend(one),
            _ => return Err(bad),
        }
    }
    Ok(Target::Numbers { columns })
}

/// The number of the column of this name, or an error with the nearest name.
pub(crate) fn find_column(table: &Table, name: &str) -> Result<usize, DataError> {
    table.column(name).ok_or_else(|| table.no_column(name))
}

/// The numbers of many columns by name; one pass over the table's names instead of one for each.
pub(crate) fn find_columns<'a>(table: &Table, names: impl Iterator<Item = &'a str>) -> Result<Vec<usize>, DataError> {
    let places: FxHashMap<&str, usize> = table.names().iter().map(String::as_str).zip(0..).collect();
    // A missing name goes the slow way, which makes the error.
    names.map(|name| places.get(name).map_or_else(|| find_column(table, name), |&column| Ok(column))).collect()
}

/// Counts of the cells of one column.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) missing: usize,
    /// Finite and infinite numbers.
    pub(crate) numbers: usize,
    pub(crate) texts: usize,
    pub(crate) integers: usize,
    pub(crate) distinct: usize,
    pub(crate) non_finite: usize,
    least: f64,
    /// Each number is one more than the number before.
    counting: bool,
}

impl Summary {
    pub(crate) fn of(table: &Table, column: usize) -> Summary {
        let mut numbers: FxHashSet<u64> = FxHashSet::default();
        let mut texts: FxHashSet<&str> = FxHashSet::default();
        let mut summary = Summary { least: f64::INFINITY, counting: true, ..Summary::default() };
        let mut before = None;
        for row in 0..table.rows() {
            match table.cell(row, column) {
                Cell::Missing => summary.missing += 1,
                Cell::Number(number) => {
                    summary.numbers += 1;
                    summary.integers += usize::from(number == number.trunc());
                    summary.least = summary.least.min(number);
                    summary.counting &= before.is_none_or(|before: f64| number == before + 1.0);
                    before = Some(number);
                    // Zero and minus zero are one value.
                    numbers.insert((number + 0.0).to_bits());
                }
                Cell::NonFinite(text) => {
                    summary.numbers += 1;
                    summary.non_finite += 1;
                    texts.insert(text);
                }
                Cell::Text(text) => {
                    summary.texts += 1;
                    texts.insert(text);
                }
            }
        }
        summary.distinct = numbers.len() + texts.len();
        summary
    }

    pub(crate) fn present(&self) -> usize {
        self.numbers + self.texts
    }

    /// All values are numbers, or nearly all of too many different ones for categories: the rest are mistakes.
    pub(crate) fn is_numeric(&self) -> bool {
        let repeated = self.distinct <= FEW && 2 * self.distinct <= self.present();
        self.numbers > 0 && (self.texts == 0 || (10 * self.numbers >= 9 * self.present() && !repeated))
    }

    fn all_integers(&self) -> bool {
        self.integers == self.present()
    }
}

/// Most values that are always few.
const FEW: usize = 30;
/// Most categories of a column, however many rows there are.
pub(crate) const MOST_CATEGORIES: usize = 1000;
/// Rows that a label must have on average where there are more than [`FEW`].
const ROWS_OF_LABEL: usize = 5;

fn decide(
    table: &Table,
    column: usize,
    summary: &Summary,
    is_target: bool,
    options: &ColumnOptions,
) -> Result<Column, DataError> {
    let name = &table.names()[column];
    let (kind, reason) = if is_target {
        (Kind::Target, "the column to predict".to_string())
    } else if options.aside.contains(name) {
        (Kind::Aside, "says how rows are split or weighted".to_string())
    } else if options.drop.contains(name) {
        (Kind::Dropped, "left out by request".to_string())
    } else if let Some(&kind) = options.kinds.get(name) {
        if !matches!(kind, Kind::Number | Kind::Category | Kind::DateTime(_)) {
            let reason = "can only be made a number, a category or a date".to_string();
            return Err(DataError::BadArgument { name: name.clone(), reason });
        }
        (kind, "by request".to_string())
    } else {
        let (kind, reason) = kind_of_values(table, column, summary);
        if options.keep.contains(name) && !kind.is_used() {
            let kind = if summary.is_numeric() { Kind::Number } else { Kind::Category };
            (kind, format!("kept by request ({reason})"))
        } else {
            (kind, reason)
        }
    };
    let wish = options.wishes.get(name).copied().unwrap_or_default();
    Ok(Column { name: name.clone(), kind, reason, distinct: summary.distinct, missing: summary.missing, wish })
}

fn kind_of_values(table: &Table, column: usize, summary: &Summary) -> (Kind, String) {
    let (name, rows) = (&table.names()[column], table.rows());
    let (present, distinct) = (summary.present(), summary.distinct);
    let different = percent(distinct, present.max(1));
    if present == 0 {
        return (Kind::MostlyMissing, "every value is missing".into());
    }
    if 10 * summary.missing > 6 * rows {
        return (Kind::MostlyMissing, format!("{} of the values are missing", percent(summary.missing, rows)));
    }
    if distinct == 1 && summary.missing == 0 {
        return (Kind::Constant, "one value in every row".into());
    }
    if summary.is_numeric() {
        return kind_of_numbers(name, summary);
    }
    if let Some(order) = DateOrder::of_column(table, column) {
        return (Kind::DateTime(order), format!("dates ({})", order.about()));
    }
    match distinct {
        1 => (Kind::Category, "one text, or nothing".into()),
        2 if present > 2 => (Kind::Boolean, "two different values".into()),
        _ if distinct == present => (Kind::Identifier, "a different text in every row".into()),
        _ if 10 * distinct > 7 * present => (Kind::Text, format!("{different} of the texts are different")),
        _ if distinct <= FEW => (Kind::Category, format!("{distinct} different texts")),
        _ if distinct <= MOST_CATEGORIES && ROWS_OF_LABEL * distinct <= present => {
            (Kind::Category, format!("{distinct} different texts in {present} rows"))
        }
        _ => (Kind::Text, format!("{distinct} different texts are too many for categories")),
    }
}

fn kind_of_numbers(name: &str, summary: &Summary) -> (Kind, String) {
    const ROWS_TO_JUDGE: usize = 10;
    let present = summary.present();
    if summary.texts > 0 {
        return (Kind::Number, format!("numbers, except {} of {present} values", summary.texts));
    }
    let unique = summary.distinct == present && summary.all_integers() && present >= ROWS_TO_JUDGE;
    if unique && summary.counting && (summary.least == 0.0 || summary.least == 1.0) {
        return (Kind::Identifier, "it counts the rows".into());
    }
    if unique && sounds_like_identifier(name) {
        return (Kind::Identifier, "a different whole number in every row, and named like an identifier".into());
    }
    (Kind::Number, format!("numbers, {} different", summary.distinct))
}

/// `id`, `row`, `index`, `user_id`, `userId`, `PassengerId` ...
fn sounds_like_identifier(name: &str) -> bool {
    let lower = name.trim().to_lowercase();
    let camel = name.trim().ends_with("Id") || name.trim().ends_with("ID");
    let separated = ["_id", " id", "-id", ".id"].iter().any(|ending| lower.ends_with(ending));
    camel || separated || ["id", "idx", "index", "row", "rownum", "row_number", "uuid"].contains(&lower.as_str())
}

/// A column of whole numbers in order is an identifier beside others and the only thing to learn from when alone.
fn keep_last_resort(columns: &mut [Column], summaries: &[Summary]) {
    if columns.iter().any(|column| column.kind.is_used()) {
        return;
    }
    for (column, summary) in columns.iter_mut().zip(summaries) {
        if column.kind == Kind::Identifier && summary.is_numeric() {
            column.kind = Kind::Number;
            column.reason = "numbers, and no other column is usable".into();
        }
    }
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.0} %", 100.0 * part as f64 / whole as f64)
}
