//! From a table to a session: columns are understood, rows split, and a network is chosen.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::event::TrainError;
use super::session::{Change, Rows, Session};
use super::source::{Data, SourceError};
use crate::data::columns::{ColumnOptions, ColumnReport, find_column};
use crate::data::encode::Encoding;
use crate::data::error::DataError;
use crate::data::preprocess::{Preprocessing, WEIGHTS};
use crate::data::split::{by_column, fold_count, folds, folds_of_groups, group_numbers, in_order_of, last};
use crate::data::suspicions::suspicions;
use crate::data::table::Table;
use crate::data::target::Target;
use crate::model::Program;
use crate::model::preset::{Choices, TableShape, Unfit, tabular};
use crate::text::note::Note;
use crate::train::Options;

/// What a run on a table can be told. Everything but the target has a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableOptions {
    /// The columns to predict; several must be numbers.
    pub targets: Vec<String>,
    /// What is known of the columns.
    pub columns: ColumnOptions,
    /// Which rows are for what.
    pub split: Split,
    /// The column that says how much each row counts.
    #[serde(default)]
    pub weights: Option<String>,
    /// How columns are encoded; none for what suits the default network.
    pub encoding: Option<Encoding>,
    /// What is chosen of the default network.
    pub choices: Choices,
}

/// Which rows are for training, for validation, and for a test that nothing of the training sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Share of the rows for validation, from 0 to 1 (both excluded). Each network of an ensemble holds out other rows.
    pub validation: f64,
    /// Share of the rows for the test.
    pub test: f64,
    /// Rows with the same value in this column are never in two parts.
    pub group: Option<String>,
    /// Validation and test are the last rows in the order of this column.
    pub time: Option<String>,
    /// A column whose values `train`, `validation` and `test` say it all.
    pub column: Option<String>,
}

impl Default for Split {
    fn default() -> Self {
        Split { validation: VALIDATION, test: 0.0, group: None, time: None, column: None }
    }
}

/// Share of the rows of a table that is kept for validation.
pub const VALIDATION: f64 = 0.2;

impl TableOptions {
    /// A run that predicts one column, with all defaults.
    #[must_use]
    pub fn of_target(target: &str) -> TableOptions {
        TableOptions { targets: vec![target.to_owned()], ..TableOptions::default() }
    }

    /// The column options with the columns that are no features.
    #[must_use]
    pub fn columns(&self) -> ColumnOptions {
        let aside = [&self.split.group, &self.split.time, &self.split.column, &self.weights];
        let mut columns = self.columns.clone();
        // Time may be a feature, too; a group or a part is no property of a new row.
        columns
            .aside
            .extend(aside.into_iter().flatten().filter(|name| Some(*name) != self.split.time.as_ref()).cloned());
        columns
    }
}

impl Session {
    /// A run on a table: columns are understood, rows split, and a network is chosen (or taken from `text`). Statistics of
    /// columns come from rows that some network is trained on. With `validation` all rows of `table` that are not for the
    /// test are for training.
    ///
    /// # Errors
    /// The table, or the given text, is wrong.
    pub fn of_table(
        mut table: Table,
        validation: Option<Table>,
        options: &TableOptions,
        text: Option<&str>,
        change: Change,
    ) -> Result<Session, SourceError> {
        let mut report = ColumnReport::infer(&table, &options.targets, &options.columns())?;
        let mut notes: Vec<Note> = report.drop_rows_without_target(&mut table).into_iter().collect();
        notes.extend(suspicions(&table, &report)?);
        let given = text.map(Program::parse).transpose()?;
        let mut wanted = given.as_ref().map_or(Ok(Options::default()), Options::of_program)?;
        change(&mut wanted);
        let classes = report.target.classes(&table)?;
        let mut parts = Parts::of(&table, classes.as_deref(), &options.split, wanted.seed)?;
        if text.is_none() {
            wanted.ensemble = options.choices.members(parts.open.len());
            change(&mut wanted);
        }
        let outside = validation.is_some();
        parts.hold_out(&table, classes.as_deref(), &options.split, &wanted, outside)?;
        let encoding = options.encoding.unwrap_or_else(|| options.choices.encoding(parts.open.len()));
        let mut fitted = Preprocessing::fit(&table, &parts.open, &report, &encoding)?;
        fitted.weights.clone_from(&options.weights);
        let counts = counts(&fitted.target, classes.as_deref(), &parts.open);
        let program =
            given.map_or_else(|| default_network(&fitted, parts.open.len(), &counts, &options.choices), Ok)?;
        let source = program.source.clone();
        program.need_loss()?;
        need_weights(&program, options)?;
        let all = examples(&fitted, &table, &mut notes)?;
        let held = match validation {
            Some(mut table) => {
                report.clone().drop_rows_without_target(&mut table);
                Some(examples(&fitted, &table, &mut notes)?)
            }
            None => parts.validation.as_ref().map(|rows| all.select(rows)),
        };
        let session = Session::new(program, all.select(&parts.open), held, Path::new("."), change);
        let mut session = session.map_err(|error| match (error, text) {
            (SourceError::Text(error), None) => SourceError::Preset(error, source),
            (error, _) => error,
        })?;
        session.folds = parts.folds;
        session.test = (!parts.test.is_empty()).then(|| all.select(&parts.test));
        session.rows =
            Rows { training: parts.open, validation: parts.validation.unwrap_or_default(), test: parts.test };
        session.preprocessing = Some(fitted);
        session.columns = Some(report);
        session.notes = notes;
        Ok(session)
    }
}

/// Rows of each class.
fn counts(target: &Target, classes: Option<&[u32]>, rows: &[u32]) -> Vec<usize> {
    let Some(classes) = classes else { return Vec::new() };
    let mut counts = vec![0; target.width()];
    for &row in rows {
        counts[classes[row as usize] as usize] += 1;
    }
    counts
}

/// Weights of rows that the text does not know would have no effect.
fn need_weights(program: &Program, options: &TableOptions) -> Result<(), TrainError> {
    if options.weights.is_none() || program.scope.get(WEIGHTS).is_some() {
        return Ok(());
    }
    let message = format!("the model text has no `target {WEIGHTS}`: the weights of rows would have no effect");
    Err(TrainError::Option(message))
}

fn default_network(
    fitted: &Preprocessing,
    rows: usize,
    counts: &[usize],
    choices: &Choices,
) -> Result<Program, SourceError> {
    let (inputs, weights) = (fitted.layout(), fitted.weights.as_deref());
    let shape = TableShape { inputs: &inputs, rows, target: &fitted.target, counts, weights };
    let text = tabular(&shape, choices).map_err(|Unfit(message)| TrainError::Option(message))?;
    Program::parse(&text).map_err(|error| SourceError::Preset(Box::new(error), text))
}

/// The inputs and targets for the rows of a table.
pub(super) fn examples(fitted: &Preprocessing, table: &Table, notes: &mut Vec<Note>) -> Result<Data, SourceError> {
    let (mut matrices, seen) = fitted.inputs(table)?;
    matrices.extend(fitted.truths(table)?);
    for unseen in seen.unseen.iter().filter(|unseen| !unseen.or_rare) {
        let text = format!("{}: {} rows have labels that training has not", unseen.column, unseen.count);
        notes.push(Note::new("W305", text));
    }
    for (column, count) in &seen.filled {
        notes.push(Note::new("W306", format!("{column}: {count} missing values filled")));
    }
    Ok(Data { matrices })
}

/// Rows of a table by what they are for.
struct Parts {
    /// For training; with folds each network holds some of them out.
    open: Vec<u32>,
    /// For validation, the same for all networks.
    validation: Option<Vec<u32>>,
    /// For the test.
    test: Vec<u32>,
    /// The fold of each open row; none if validation is the same for all.
    folds: Vec<u32>,
}

impl Parts {
    /// Sets the test apart, and the validation where the table says which rows it is.
    fn of(table: &Table, classes: Option<&[u32]>, split: &Split, seed: u64) -> Result<Parts, DataError> {
        let all: Vec<u32> = (0..table.rows() as u32).collect();
        let mut parts = Parts { open: all, validation: None, test: Vec::new(), folds: Vec::new() };
        if let Some(name) = &split.column {
            let [open, validation, test] = by_column(table, find_column(table, name)?)?;
            (parts.open, parts.test) = (open, test);
            parts.validation = Some(validation).filter(|rows| !rows.is_empty());
        } else if let Some(name) = &split.time {
            let mut order = in_order_of(table, find_column(table, name)?);
            parts.test = last(&mut order, split.test);
            parts.validation = Some(last(&mut order, split.validation / (1.0 - split.test)));
            order.sort_unstable();
            parts.open = order;
        } else if split.test > 0.0 {
            let held = rows_in_folds(table, classes, split, &parts.open, fold_count(split.test), seed)?;
            parts.test = pick(&parts.open, &held, |fold| fold == 0);
            parts.open = pick(&parts.open, &held, |fold| fold != 0);
        }
        Ok(parts)
    }

    /// Decides which rows are for validation where that is open: a fold for one network, another for each of an ensemble.
    fn hold_out(
        &mut self,
        table: &Table,
        classes: Option<&[u32]>,
        split: &Split,
        options: &Options,
        outside: bool,
    ) -> Result<(), DataError> {
        if outside || self.validation.is_some() {
            return Ok(());
        }
        let count = fold_count(split.validation).max(options.ensemble);
        let folds = rows_in_folds(table, classes, split, &self.open, count, options.seed)?;
        if options.ensemble > 1 {
            self.folds = folds;
            return Ok(());
        }
        self.validation = Some(pick(&self.open, &folds, |fold| fold == 0)).filter(|rows| !rows.is_empty());
        self.open = pick(&self.open, &folds, |fold| fold != 0);
        Ok(())
    }
}

fn pick(rows: &[u32], folds: &[u32], wanted: impl Fn(u32) -> bool) -> Vec<u32> {
    rows.iter().zip(folds).filter(|&(_, &fold)| wanted(fold)).map(|(&row, _)| row).collect()
}

/// The fold of each of these rows: classes in equal shares, groups whole.
fn rows_in_folds(
    table: &Table,
    classes: Option<&[u32]>,
    split: &Split,
    rows: &[u32],
    count: u32,
    seed: u64,
) -> Result<Vec<u32>, DataError> {
    if let Some(name) = &split.group {
        let groups = group_numbers(table, find_column(table, name)?, rows);
        return Ok(folds_of_groups(&groups, count, seed));
    }
    let classes: Vec<u32> = rows.iter().map(|&row| classes.map_or(0, |classes| classes[row as usize])).collect();
    Ok(folds(&classes, count, seed))
}
