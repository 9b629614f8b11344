//! A table that does not fit into memory. One pass over the file counts the examples, remembers where its blocks stand,
//! and draws a sample of rows, which is an ordinary table: columns are understood and preprocessing is fitted on it. A
//! part of the sample is held out for validation; all other rows of the file are for training.
//!
//! Rows are drawn by keys, random numbers of (seed, row): those with the least keys are the sample, and the least of these
//! are held out, so that a row of a later pass knows by its key alone where it belongs; or by what [`Parting`] says.
//! The sample has a row of every label of the target.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use kernels::random::{Purpose, Stream};

use super::blocks::{BlockAt, RawBlock, TableReader};
use super::columns::find_column;
use super::drawn::{Drawn, Urn, table_of};
use super::error::DataError;
use super::options::ReadOptions;
use super::parting::{By, Cut, Parting, key_of};
use super::split::Part;
use super::table::{Cell, Layout, Table};

/// Cells of the sample, at most.
const SAMPLE_CELLS: usize = 5_000_000;
/// Rows of the sample, at most.
const SAMPLE_ROWS: usize = 200_000;
/// Rows held out for validation, at most, and for the test; by chance, at most a fifth of the sample.
const HELD_ROWS: usize = 20_000;

/// Bytes in memory for each byte of a file, about: its text, the places of the cells, and the numbers made of them.
const GROWTH: u64 = 5;
/// A table may take so many bytes of memory when nothing else is said.
const MEMORY: u64 = 2 << 30;

/// Whether a file should not be read into memory as a whole: a text or a Parquet file that would take more than
/// `options.max_memory`, or 2 GiB.
#[must_use]
pub fn is_long(path: &Path, options: &ReadOptions) -> bool {
    let Ok(metadata) = std::fs::metadata(path) else { return false };
    let mut head = [0; 4];
    if !metadata.is_file() || File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_err() {
        return false;
    }
    let is_packed = head.starts_with(&[0x1f, 0x8b]) || (cfg!(feature = "parquet") && head == *b"PAR1");
    let is_text = !head.contains(&0) && !matches!(head, [0x93, b'N', ..] | [b'P', b'K', ..] | [b'P', b'A', b'R', b'1']);
    let bytes = metadata.len().saturating_mul(if is_packed { GROWTH * GROWTH } else { GROWTH });
    (is_packed || is_text) && bytes > options.max_memory.unwrap_or(MEMORY)
}

/// What one pass over a long table has found.
pub struct Scan {
    /// Rows drawn from all training rows, in the order of the file.
    pub sample: Table,
    /// Rows for validation, which are in no training part.
    pub held: Table,
    /// Rows for the test.
    pub test: Table,
    /// The training rows.
    pub long: LongTable,
}

/// The training rows of a file.
#[derive(Clone, Debug)]
pub struct LongTable {
    path: PathBuf,
    options: ReadOptions,
    layout: Arc<Layout>,
    targets: Vec<String>,
    seed: u64,
    cut: Cut,
    examples: u64,
    rows: u64,
    /// Blocks and the numbers of their first rows, where the file can be entered in the middle.
    blocks: Vec<(BlockAt, u64)>,
    /// Length and time of the last change.
    state: (u64, Option<SystemTime>),
}

impl Scan {
    /// Reads a file to its end. Rows without a value of one of `targets` are left out.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn of_file(
        path: &Path,
        options: &ReadOptions,
        targets: &[String],
        parting: &Parting,
    ) -> Result<Scan, DataError> {
        // The limit is one of what is in memory at once.
        let options = ReadOptions { max_memory: None, ..options.clone() };
        let state = state_of(path)?;
        let mut reader = TableReader::open(path, &options)?;
        let layout = Arc::clone(reader.layout());
        let empty = reader.no_rows();
        let columns: Vec<usize> = targets.iter().map(|name| find_column(&empty, name)).collect::<Result<_, _>>()?;
        let cut = Cut::before(parting, &empty)?;
        let most = (SAMPLE_CELLS / layout.names.len().max(1)).clamp(100, SAMPLE_ROWS);
        let label = if let [column] = columns[..] { Some(column) } else { None };
        let mut urn = Urn::new([most, HELD_ROWS, HELD_ROWS], label);
        let (mut rows, mut examples) = (0, 0);
        let (mut blocks, mut can_seek) = (Vec::new(), true);
        while let Some(raw) = reader.next_raw()? {
            match raw.at() {
                Some(at) => blocks.push((at, rows)),
                None => can_seek = false,
            }
            let table = raw.parse()?;
            for row in (0..table.rows()).filter(|&row| !is_missing(&table, row, &columns)) {
                let key = key_of(parting.seed, rows + row as u64);
                let part = cut.part(&table, row, key)?;
                examples += u64::from(part == Part::Training);
                urn.offer(&table, row, part, key);
            }
            urn.take(&table, rows);
            rows += table.rows() as u64;
        }
        if !can_seek {
            blocks.clear();
        }
        let (targets, seed) = (targets.to_vec(), parting.seed);
        let long =
            LongTable { path: path.to_path_buf(), targets, layout, options, seed, cut, examples, rows, blocks, state };
        long.parted(parting, urn)
    }
}

fn is_missing(table: &Table, row: usize, targets: &[usize]) -> bool {
    targets.iter().any(|&column| table.cell(row, column) == Cell::Missing)
}

/// Length and time of the last change of a file.
fn state_of(path: &Path) -> Result<(u64, Option<SystemTime>), DataError> {
    let metadata =
        std::fs::metadata(path).map_err(|error| super::read::io_error(&path.display().to_string(), &error))?;
    Ok((metadata.len(), metadata.modified().ok()))
}

impl LongTable {
    /// Parts the rows that were drawn, and all others by the same rule.
    fn parted(mut self, parting: &Parting, urn: Urn) -> Result<Scan, DataError> {
        let ([mut sample, mut held, mut test], lone) = urn.finish();
        let total = sample.len();
        match &parting.by {
            By::Chance => {
                let validation = if parting.validation > 0.0 { HELD_ROWS.min(total / 5) } else { 0 };
                let tested = ((parting.test.min(0.5) * total as f64) as usize).min(HELD_ROWS);
                let mut rest = sample.split_off(validation);
                held = sample;
                sample = rest.split_off(tested);
                test = rest;
                let last = |rows: &[Drawn]| rows.last().map(|last| last.key);
                let validation = last(&held).unwrap_or(0);
                self.cut = Cut::Keys(validation, last(&test).unwrap_or(validation));
                self.examples -= (held.len() + test.len()) as u64;
            }
            By::Time(name) => {
                sample.sort_unstable_by_key(|one| one.row);
                let table = table_of(&self.layout, sample.clone())?;
                self.cut = Cut::by_time(parting, &table, find_column(&table, name)?);
                let mut parts = [Vec::new(), Vec::new(), Vec::new()];
                for (row, one) in sample.into_iter().enumerate() {
                    parts[self.cut.part(&table, row, one.key)? as usize].push(one);
                }
                [sample, held, test] = parts;
                for rows in [&mut held, &mut test] {
                    rows.sort_unstable();
                    rows.truncate(HELD_ROWS);
                }
                self.examples = self.counted()?;
            }
            By::Group(_) | By::Word(_) => {}
        }
        if sample.len() < 2 {
            return Err(DataError::TooFewRows { found: sample.len(), needed: 2 });
        }
        lone.add(&mut sample);
        let [sample, held, test] = [sample, held, test].map(|rows| table_of(&self.layout, rows));
        Ok(Scan { sample: sample?, held: held?, test: test?, long: self })
    }

    /// The number of training rows, counted.
    fn counted(&self) -> Result<u64, DataError> {
        let mut pass = self.pass(0, 0)?;
        let mut rows = 0;
        while let Some(table) = pass.next_block()? {
            rows += table.rows() as u64;
        }
        Ok(rows)
    }

    /// Number of training rows.
    #[must_use]
    pub fn examples(&self) -> u64 {
        self.examples
    }

    /// Number of rows of the file.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state.0
    }

    /// Begins a pass over the training rows. The blocks of a plain text come in the order of (`seed`, `epoch`), those of
    /// other files in the order of the file.
    ///
    /// # Errors
    /// The file cannot be opened, or has changed.
    pub fn pass(&self, seed: u64, epoch: u32) -> Result<Pass<'_>, DataError> {
        self.check()?;
        let columns = self.layout.names.iter().zip(0..).filter(|(name, _)| self.targets.contains(name));
        let targets = columns.map(|(_, column)| column).collect();
        let from = if self.blocks.is_empty() {
            From::Start(Box::new(TableReader::open(&self.path, &self.options)?), 0)
        } else {
            let mut order: Vec<u32> = (0..self.blocks.len() as u32).collect();
            Stream::new(seed, Purpose::Shuffle, epoch, 1).shuffle(&mut order);
            let opened = File::open(&self.path);
            From::Anywhere(opened.map_err(|e| super::read::io_error(&self.layout.file, &e))?, order.into_iter())
        };
        Ok(Pass { table: self, targets, from })
    }

    fn check(&self) -> Result<(), DataError> {
        if state_of(&self.path)? == self.state {
            return Ok(());
        }
        let reason = "it has changed while it was read again and again".to_owned();
        Err(DataError::Io { file: self.layout.file.clone(), reason })
    }
}

/// A pass over the training rows.
pub struct Pass<'a> {
    table: &'a LongTable,
    targets: Vec<usize>,
    from: From,
}

enum From {
    /// The reader, and the rows before its next block.
    Start(Box<TableReader>, u64),
    Anywhere(File, std::vec::IntoIter<u32>),
}

impl Pass<'_> {
    /// The training rows of the next block; none at the end.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn next_block(&mut self) -> Result<Option<Table>, DataError> {
        let (mut table, first) = match &mut self.from {
            From::Start(reader, rows) => {
                let Some(table) = reader.next_block()? else { return Ok(None) };
                let first = *rows;
                *rows += table.rows() as u64;
                (table, first)
            }
            From::Anywhere(file, order) => {
                let Some(number) = order.next() else { return Ok(None) };
                let (at, first) = self.table.blocks[number as usize];
                let raw = RawBlock::again(&self.table.layout, file, at)?;
                self.table.check()?;
                (raw.parse()?, first)
            }
        };
        let mut kept: Vec<u32> = Vec::with_capacity(table.rows());
        for row in (0..table.rows()).filter(|&row| !is_missing(&table, row, &self.targets)) {
            let key = key_of(self.table.seed, first + row as u64);
            if self.table.cut.part(&table, row, key)? == Part::Training {
                kept.push(row as u32);
            }
        }
        table.keep_rows(&kept);
        Ok(Some(table))
    }
}
