//! Which rows of a table larger than memory are for what. A later pass must know it of each row by the row alone: by its
//! random key, its group, its moment, or a word in it.

use kernels::random::{Purpose, Stream};

use super::columns::find_column;
use super::error::DataError;
use super::split::{Order, Part, compared, part_by_word};
use super::table::{Cell, Table};

/// What decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The seed.
    Chance,
    /// The seed and the value in a column: rows with the same value are in the same part.
    Group(String),
    /// The order of a column: the last rows are held out.
    Time(String),
    /// The words `train`, `validation` and `test` in a column.
    Word(String),
}

/// How rows are to be parted.
#[derive(Clone, Debug)]
pub struct Parting {
    /// What decides.
    pub by: By,
    /// Share of the rows, or groups, for validation. By chance it is a fifth of a sample, as much as is of use.
    pub validation: f64,
    /// Share for the test.
    pub test: f64,
    /// The seed.
    pub seed: u64,
}

impl Parting {
    /// By the seed alone, without a test.
    #[must_use]
    pub fn by_chance(seed: u64) -> Parting {
        Parting { by: By::Chance, validation: 0.2, test: 0.0, seed }
    }
}

/// The rule for a row.
#[derive(Clone, Debug)]
pub(super) enum Cut {
    /// Rows with the least keys are held out: those up to the first for validation, those up to the second for the test.
    Keys(u64, u64),
    /// Seed and column; shares of test, and of test and validation.
    Group(u64, usize, [f64; 2]),
    /// The first moments of validation and of test.
    Time(Order, [(f64, String); 2]),
    /// The column.
    Word(usize),
}

/// The random key of a row.
pub(super) fn key_of(seed: u64, row: u64) -> u64 {
    Stream::new(seed, Purpose::Split, (row >> 32) as u32, 1).bits(row as u32)
}

impl Cut {
    /// The rule as far as it is known before the first pass: by time and by chance all rows are for training.
    pub(super) fn before(parting: &Parting, empty: &Table) -> Result<Cut, DataError> {
        Ok(match &parting.by {
            By::Chance => Cut::Keys(0, 0),
            By::Group(name) => {
                let shares = [parting.test, parting.test + parting.validation];
                Cut::Group(parting.seed, find_column(empty, name)?, shares)
            }
            By::Time(name) => {
                let never = || (f64::INFINITY, char::MAX.to_string());
                Cut::Time(Order::of(empty, find_column(empty, name)?), [never(), never()])
            }
            By::Word(name) => Cut::Word(find_column(empty, name)?),
        })
    }

    /// The rule by time: the moments after which these shares of a sample come.
    pub(super) fn by_time(parting: &Parting, sample: &Table, column: usize) -> Cut {
        let order = Order::of(sample, column);
        let mut keys: Vec<(f64, &str)> = (0..sample.rows()).map(|row| order.key(sample, row)).collect();
        keys.sort_by(|a, b| compared(*a, *b));
        let from = |share: f64| {
            let held = (share * keys.len() as f64).round() as usize;
            let never = (f64::INFINITY, char::MAX.to_string());
            keys.get(keys.len().saturating_sub(held)).map_or(never, |key| (key.0, key.1.to_owned()))
        };
        Cut::Time(order, [from(parting.test + parting.validation), from(parting.test)])
    }

    /// What a row is for. `key` is its random key.
    pub(super) fn part(&self, table: &Table, row: usize, key: u64) -> Result<Part, DataError> {
        Ok(match self {
            Cut::Keys(validation, test) => choose(key <= *validation, key <= *test),
            Cut::Group(seed, column, [test, both]) => {
                let bits = if table.cell(row, *column) == Cell::Missing {
                    key
                } else {
                    let hash = hash(table.text(row, *column).trim());
                    Stream::new(*seed, Purpose::Split, (hash >> 32) as u32, 2).bits(hash as u32)
                };
                let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
                if share < *test { Part::Test } else { choose(share < *both, false) }
            }
            Cut::Time(order, [validation, test]) => {
                let moment = order.key(table, row);
                let is_from = |limit: &(f64, String)| compared(moment, (limit.0, &limit.1)).is_ge();
                if is_from(test) { Part::Test } else { choose(is_from(validation), false) }
            }
            Cut::Word(column) => part_by_word(table, *column, row)?,
        })
    }
}

fn choose(validation: bool, test: bool) -> Part {
    match (validation, test) {
        (true, _) => Part::Validation,
        (false, true) => Part::Test,
        (false, false) => Part::Training,
    }
}

/// FNV-1a: the same number for the same text on every machine; the seed is mixed in by a better generator.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
