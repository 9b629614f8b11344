//! What is in a table and what training would make of it: counts, quantiles and labels of every column, the target, how
//! strongly columns and target go together, and what looks wrong. Kinds, reasons, encodings and suspicions come from the
//! functions that training uses.

use super::association::{groups, with_classes, with_numbers};
use super::columns::{Column, ColumnOptions, ColumnReport, Kind, Summary, find_column, find_columns, understood};
use super::datetime::{DateOrder, Moment};
use super::encode::{Encoding, Feature};
use super::error::DataError;
use super::fitting::{feature, quantile};
use super::suspicions::{class_counts, of_columns, suspicions};
use super::table::{Cell, Table, Uneven};
use super::target::{Target, Transform, counted_labels};
use crate::text::note::Note;

/// What a profile depends on besides the table.
pub struct ProfileOptions<'a> {
    /// The columns to predict; may be none.
    pub targets: &'a [String],
    /// What is known of the columns.
    pub columns: &'a ColumnOptions,
    /// How columns are encoded for so many rows.
    pub encoding: &'a dyn Fn(usize) -> Encoding,
}

/// What is in a table.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Rows.
    pub rows: usize,
    /// Rows that are copies of a row above them.
    pub duplicates: usize,
    /// Rows with another number of fields than the header, if the reader was told what to do with them.
    pub uneven: Option<Uneven>,
    /// Every column in file order.
    pub columns: Vec<ColumnProfile>,
    /// What is predicted; none without a wish, and for a target that cannot be learned, which `notes` tell.
    pub target: Option<TargetProfile>,
    /// What a user should look at; codes that begin with `E` are faults with which training would end.
    pub notes: Vec<Note>,
}

/// What is in a column.
#[derive(Clone, Debug)]
pub struct ColumnProfile {
    /// Name, kind with the reason, different and missing values.
    pub column: Column,
    /// Cells with a value.
    pub values: usize,
    /// Values that are whole numbers.
    pub whole: usize,
    /// Of a column of numbers.
    pub numbers: Option<Spread>,
    /// Of a column of dates: the first and the last as written.
    pub dates: Option<(String, String)>,
    /// Of any other column: the most frequent values with their rows, most frequent first.
    pub frequent: Vec<(String, usize)>,
    /// What training makes of it, in words.
    pub training: String,
    /// How strongly it and the target go together, from 0 to 1: of several targets the strongest. None without a target, and
    /// for columns that are left out.
    pub association: Option<f64>,
}

/// Where the numbers of a column lie. Quantiles lie on straight lines between neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// A quarter is below.
    pub q1: f64,
    /// Half is below.
    pub median: f64,
    /// Three quarters are below.
    pub q3: f64,
    /// The largest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation, divided by n - 1; 0 for one number.
    pub deviation: f64,
}

/// What is predicted.
#[derive(Clone, Debug)]
pub struct TargetProfile {
    /// Column name, or names with commas between them.
    pub name: String,
    /// `classification`, `regression` or `count`.
    pub task: &'static str,
    /// What becomes of its values, in words.
    pub transform: &'static str,
    /// Classes with their rows, in the order in which the network has them; empty for numbers.
    pub classes: Vec<(String, usize)>,
    /// Rows without it.
    pub missing: usize,
}

/// Frequent values that are kept.
const FREQUENT: usize = 5;

impl Profile {
    /// Looks at a whole table.
    ///
    /// # Errors
    /// A target or a column in the options that does not exist.
    pub fn of(mut table: Table, options: &ProfileOptions) -> Result<Profile, DataError> {
        let predicted = options.targets.iter().map(|name| find_column(&table, name)).collect::<Result<Vec<_>, _>>()?;
        let (columns, summaries) = understood(&table, &predicted, options.columns)?;
        let mut columns: Vec<ColumnProfile> =
            columns.into_iter().zip(&summaries).enumerate().map(|(at, of)| described(&table, at, of)).collect();
        let mut profile = Profile {
            rows: table.rows(),
            duplicates: duplicates(&table),
            uneven: table.uneven(),
            columns: Vec::new(),
            target: None,
            notes: Vec::new(),
        };
        match profile.look_at_target(&mut table, options) {
            Ok(Some(report)) => {
                let found: Vec<&Column> = report.columns.iter().collect();
                let associations = associations(&table, &found, &report.target)?;
                for (column, association) in columns.iter_mut().zip(associations) {
                    column.association = association;
                }
            }
            Ok(None) => {
                let found: Vec<Column> = columns.iter().map(|column| column.column.clone()).collect();
                profile.notes.extend(of_columns(&found, profile.rows));
            }
            Err(fault) => return Err(fault),
        }
        profile.look_at_encodings(&table, &mut columns, options)?;
        if profile.duplicates > 0 {
            let (copies, rows) = (profile.duplicates, profile.rows);
            let are = if copies == 1 { "is a copy of a row above it" } else { "are copies of rows above them" };
            let text = format!("{copies} of {rows} rows {are}: a copy on each side of a split makes figures too good");
            profile.notes.push(Note::new("W310", text));
        }
        profile.columns = columns;
        Ok(profile)
    }

    /// Finds out what is predicted, and takes rows without it out of the table as training does.
    fn look_at_target(
        &mut self,
        table: &mut Table,
        options: &ProfileOptions,
    ) -> Result<Option<ColumnReport>, DataError> {
        if options.targets.is_empty() {
            return Ok(None);
        }
        let mut report = match ColumnReport::infer(table, options.targets, options.columns) {
            Ok(report) => report,
            Err(fault @ (DataError::BadTarget { .. } | DataError::NoFeatures { .. })) => {
                self.notes.push(foretold(&fault));
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        let missing = report.rows_without_target.len();
        self.notes.extend(report.drop_rows_without_target(table));
        self.notes.extend(suspicions(table, &report)?);
        let (task, transform) = match &report.target {
            Target::Classes { .. } => ("classification", "a probability for each class"),
            Target::Numbers { columns } => match columns.first().map_or(Transform::None, |column| column.transform) {
                Transform::None => ("regression", "standardised: mean 0, standard deviation 1"),
                Transform::Log => ("regression", "its logarithm, standardised"),
                Transform::Count => ("count", "a count as it is; its mean is predicted"),
            },
        };
        let counts = match (report.target.classes(table)?, report.target.labels()) {
            (Some(classes), Some(labels)) => labels.iter().cloned().zip(class_counts(&classes, labels)).collect(),
            _ => Vec::new(),
        };
        self.target = Some(TargetProfile { name: report.target.name(), task, transform, classes: counts, missing });
        Ok(Some(report))
    }

    /// What training would make of each column, and the faults with which it would end.
    fn look_at_encodings(
        &mut self,
        table: &Table,
        columns: &mut [ColumnProfile],
        options: &ProfileOptions,
    ) -> Result<(), DataError> {
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        let encoding = (options.encoding)(rows.len());
        let indices = find_columns(table, columns.iter().map(|column| column.column.name.as_str()))?;
        for (column, index) in columns.iter_mut().zip(indices) {
            column.training = match column.column.kind {
                Kind::Target => match &self.target {
                    Some(target) => format!("predicted: {}", target.transform),
                    None => "cannot be predicted".to_owned(),
                },
                kind if kind.is_used() => match feature(table, &rows, index, &column.column, &encoding) {
                    Ok(feature) => encoded(&feature),
                    Err(fault) => {
                        self.notes.push(foretold(&fault));
                        format!("training ends with {}", fault.code())
                    }
                },
                _ => "left out".to_owned(),
            };
        }
        Ok(())
    }
}

/// A fault with which training would end.
fn foretold(fault: &DataError) -> Note {
    let place = fault.place().map(|place| format!("{place}: ")).unwrap_or_default();
    let help = fault.help().map(|help| format!("; {help}")).unwrap_or_default();
    Note::new(fault.code(), format!("{place}{fault} (training would end here){help}"))
}

/// What is in the cells of a column.
fn described(table: &Table, at: usize, (column, summary): (Column, &Summary)) -> ColumnProfile {
    let numbers = if summary.is_numeric() { spread(table, at) } else { None };
    let order = match column.kind {
        Kind::DateTime(order) => Some(order),
        Kind::Target if numbers.is_none() && summary.present() > 0 => DateOrder::of_column(table, at),
        _ => None,
    };
    let dates = order.and_then(|order| first_and_last(table, at, order));
    let frequent = if numbers.is_some() || dates.is_some() { Vec::new() } else { frequent(table, at) };
    ColumnProfile {
        values: summary.present(),
        whole: summary.integers,
        column,
        numbers,
        dates,
        frequent,
        training: String::new(),
        association: None,
    }
}

fn spread(table: &Table, column: usize) -> Option<Spread> {
    let number = |row| match table.cell(row, column) {
        Cell::Number(number) => Some(number),
        _ => None,
    };
    let mut values: Vec<f64> = (0..table.rows()).filter_map(number).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    values.sort_unstable_by(f64::total_cmp);
    let (&min, &max) = (values.first()?, values.last()?);
    let [q1, median, q3] = [0.25, 0.5, 0.75].map(|share| quantile(&values, share));
    Some(Spread { min, q1, median, q3, max, mean, deviation: (squares / (n - 1.0).max(1.0)).sqrt() })
}

fn first_and_last(table: &Table, column: usize, order: DateOrder) -> Option<(String, String)> {
    let moment = |row: usize| Moment::parse(table.text(row, column), order).map(|moment| (moment.seconds(), row));
    let moments = || (0..table.rows()).filter_map(moment);
    let first = moments().min_by(|a, b| a.0.total_cmp(&b.0))?;
    let last = moments().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let text = |row: usize| table.text(row, column).trim().to_owned();
    Some((text(first.1), text(last.1)))
}

fn frequent(table: &Table, column: usize) -> Vec<(String, usize)> {
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    let mut counted = counted_labels(table, &rows, column, false);
    // The sort is stable: equally frequent labels stay in their order.
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counted.truncate(FREQUENT);
    counted
}

/// Rows with the same texts as a row above them.
fn duplicates(table: &Table) -> usize {
    let columns = table.names().len();
    let texts = |row: u32| (0..columns).map(move |column| table.text(row as usize, column));
    let mut rows: Vec<u32> = (0..table.rows() as u32).collect();
    rows.sort_unstable_by(|&a, &b| texts(a).cmp(texts(b)));
    rows.windows(2).filter(|pair| texts(pair[0]).eq(texts(pair[1]))).count()
}

/// How strongly each used column goes with the target.
fn associations(table: &Table, columns: &[&Column], target: &Target) -> Result<Vec<Option<f64>>, DataError> {
    let classes = target.classes(table)?;
    let mut numbers = Vec::new();
    if let Target::Numbers { columns } = target {
        for column in columns {
            let at = find_column(table, &column.name)?;
            let number = |row| match table.cell(row, at) {
                Cell::Number(number) => Some(number),
                _ => None,
            };
            numbers.push((0..table.rows()).map(number).collect::<Vec<Option<f64>>>());
        }
    }
    let strength = |(at, column): (usize, &&Column)| {
        if !column.kind.is_used() {
            return None;
        }
        let groups = groups(table, at, column.kind);
        match &classes {
            Some(classes) => with_classes(&groups, classes),
            None => numbers.iter().filter_map(|y| with_numbers(&groups, y)).max_by(f64::total_cmp),
        }
    };
    Ok(columns.iter().enumerate().map(strength).collect())
}

/// What a column becomes, in words.
fn encoded(feature: &Feature) -> String {
    let flag = |missing: bool| if missing { "; missing: the median, and a column that says so" } else { "" };
    match feature {
        Feature::Number { number, .. } => {
            let scaled = if number.rank {
                "its rank among the quantiles"
            } else if number.clip > 0.0 {
                "scaled by median and quartiles, clipped"
            } else if (number.center, number.scale) == (0.0, 1.0) {
                "as it is"
            } else {
                "standardised"
            };
            let intervals = number.knots.len().saturating_sub(1);
            let ramps = if number.ramps { format!("; and as {intervals} intervals") } else { String::new() };
            format!("{scaled}{ramps}{}", flag(number.missing_flag))
        }
        Feature::DateTime { with_time, number, .. } => {
            let day = if *with_time { "day, " } else { "" };
            format!("a number, and places in {day}week and year on circles{}", flag(number.missing_flag))
        }
        Feature::Category { labels, other, missing_label, embedded, .. } => {
            let columns = if *embedded { "learnt numbers (an embedding)" } else { "columns of 0 and 1" };
            let mut text = match (labels.len(), *embedded) {
                (count, true) => format!("{count} labels as {columns}"),
                (count, false) => format!("{count} {columns}"),
            };
            if *other {
                text.push_str("; rare labels share one");
            }
            if *missing_label {
                text.push_str("; missing is a label");
            }
            text
        }
    }
}
