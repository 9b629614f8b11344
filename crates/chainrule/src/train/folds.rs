//! How the rows of a cross-validation are put into folds.

use super::cross::CrossValidation;
use crate::data::columns::find_column;
use crate::data::error::DataError;
use crate::data::split::{blocks_in_order_of, folds, folds_of_groups, group_numbers, values_of};
use crate::data::table::Table;

/// Values of a column that may be folds: each is a network, or an ensemble of them.
const MOST_VALUES: usize = 100;

/// What rows of one fold have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Nothing: they are drawn.
    Random,
    /// They are drawn, each class in its share.
    Stratified,
    /// Groups are whole.
    Grouped,
    /// They follow each other in time, and training has only rows of earlier folds.
    Forward,
    /// Their value in a column.
    Column,
}

impl Manner {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Manner::Random => "random",
            Manner::Stratified => "stratified",
            Manner::Grouped => "grouped",
            Manner::Forward => "forward in time",
            Manner::Column => "by column",
        }
    }
}

/// The folds of all repetitions.
pub(super) struct Folds {
    pub(super) manner: Manner,
    pub(super) count: u32,
    /// What each fold holds out; none for folds that are drawn.
    pub(super) names: Vec<String>,
    /// For each repetition the fold of each row; none for rows that are never held out.
    of_rows: Vec<Vec<Option<u32>>>,
}

impl Folds {
    pub(super) fn of(wish: &CrossValidation, table: &Table, classes: Option<&[u32]>) -> Result<Folds, DataError> {
        let split = &wish.recipe.table.split;
        if let Some(name) = &split.column {
            let (names, of_rows) = values_of(table, find_column(table, name)?, MOST_VALUES)?;
            let count = enough(names.len(), 2)?;
            return Ok(Folds { manner: Manner::Column, count, names, of_rows: vec![of_rows; wish.repeats as usize] });
        }
        if let Some(name) = &split.time {
            return forward(wish, table, find_column(table, name)?);
        }
        let all: Vec<u32> = (0..table.rows() as u32).collect();
        let group = split.group.as_deref().map(|name| find_column(table, name)).transpose()?;
        let groups = group.map(|column| group_numbers(table, column, &all));
        let units =
            groups.as_ref().map_or(all.len(), |groups| groups.iter().max().map_or(0, |&most| most as usize + 1));
        enough(units, wish.folds as usize)?;
        let seed = wish.recipe.seed.unwrap_or(0);
        let drawn = |repeat| drawn(wish.folds, all.len(), classes, groups.as_deref(), mixed(seed, repeat));
        let manner = match (&groups, classes) {
            (Some(_), _) => Manner::Grouped,
            (None, Some(_)) => Manner::Stratified,
            (None, None) => Manner::Random,
        };
        Ok(Folds { manner, count: wish.folds, names: Vec::new(), of_rows: (0..wish.repeats).map(drawn).collect() })
    }

    /// The rows that a fold holds out, and those that it trains with.
    pub(super) fn parts(&self, repeat: u32, fold: u32) -> (Vec<u32>, Vec<u32>) {
        let of_rows = &self.of_rows[repeat as usize];
        let rows = |wanted: &dyn Fn(Option<u32>) -> bool| {
            (0..).zip(of_rows).filter(|&(_, &of_row)| wanted(of_row)).map(|(row, _)| row).collect()
        };
        let training = match self.manner {
            // A row of no fold is before all others, and so is its none.
            Manner::Forward => rows(&|of_row| of_row < Some(fold)),
            _ => rows(&|of_row| of_row != Some(fold)),
        };
        (rows(&|of_row| of_row == Some(fold)), training)
    }

    /// Rows that are never held out.
    pub(super) fn never(&self) -> usize {
        self.of_rows.first().map_or(0, |first| first.iter().filter(|of_row| of_row.is_none()).count())
    }
}

fn enough(found: usize, needed: usize) -> Result<u32, DataError> {
    if found < needed { Err(DataError::TooFewRows { found, needed }) } else { Ok(found as u32) }
}

/// Blocks in the order of time; the first is for training only, each other one is held out by a model of all before it.
fn forward(wish: &CrossValidation, table: &Table, column: usize) -> Result<Folds, DataError> {
    let blocks = blocks_in_order_of(table, column, wish.folds as usize + 1)?;
    let mut of_rows = vec![None; table.rows()];
    let mut names = Vec::with_capacity(wish.folds as usize);
    for (fold, block) in blocks.iter().skip(1).enumerate() {
        block.iter().for_each(|&row| of_rows[row as usize] = Some(fold as u32));
        let moment = |row: Option<&u32>| row.map_or("", |&row| table.text(row as usize, column).trim());
        names.push(format!("{} .. {}", moment(block.first()), moment(block.last())));
    }
    Ok(Folds { manner: Manner::Forward, count: wish.folds, names, of_rows: vec![of_rows; wish.repeats as usize] })
}

/// The seed of a repetition; the first has the seed itself.
fn mixed(seed: u64, repeat: u32) -> u64 {
    seed.wrapping_add(u64::from(repeat).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// The fold of every row; none for the only row of its class, from which something is to be learned in every fold.
fn drawn(count: u32, rows: usize, classes: Option<&[u32]>, groups: Option<&[u32]>, seed: u64) -> Vec<Option<u32>> {
    if let Some(groups) = groups {
        return folds_of_groups(groups, count, seed).into_iter().map(Some).collect();
    }
    let Some(classes) = classes else {
        return folds(&vec![0; rows], count, seed).into_iter().map(Some).collect();
    };
    let mut sizes = vec![0_u32; classes.iter().max().map_or(0, |&most| most as usize + 1)];
    classes.iter().for_each(|&class| sizes[class as usize] += 1);
    let found = folds(classes, count, seed).into_iter().zip(classes);
    found.map(|(fold, &class)| (sizes[class as usize] > 1).then_some(fold)).collect()
}
