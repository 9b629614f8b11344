//! A table that does not fit into memory. One pass over the file counts the examples, remembers where its blocks stand,
//! and draws a sample of rows, which is an ordinary table: columns are understood and preprocessing is fitted on it. A
//! part of the sample is held out for validation; all other rows of the file are for training.
//!
//! Rows are drawn by keys, random numbers of (seed, row): those with the least keys are the sample, and the least of these
//! are held out, so that a row of a later pass knows by its key alone where it belongs.

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use kernels::random::{Purpose, Stream};

use super::arrays::Cells;
use super::blocks::{BlockAt, RawBlock, TableReader};
use super::columns::find_column;
use super::error::DataError;
use super::options::ReadOptions;
use super::table::{Cell, Layout, Table};

/// Cells of the sample, at most.
const SAMPLE_CELLS: usize = 5_000_000;
/// Rows of the sample, at most.
const SAMPLE_ROWS: usize = 200_000;
/// Rows held out for validation, at most; and at most a fifth of the sample.
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
    /// Rows with a key up to this are held out.
    held: u64,
    examples: u64,
    rows: u64,
    /// Blocks and the numbers of their first rows, where the file can be entered in the middle.
    blocks: Vec<(BlockAt, u64)>,
    /// Length and time of the last change.
    state: (u64, Option<SystemTime>),
}

/// A row that was drawn; the heap has the one with the largest key on top.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Drawn {
    key: u64,
    row: u64,
    line: usize,
    text: Box<str>,
    ends: Box<[u32]>,
}

fn key(seed: u64, row: u64) -> u64 {
    Stream::new(seed, Purpose::Split, (row >> 32) as u32, 1).bits(row as u32)
}

impl Scan {
    /// Reads a file to its end. Rows without a value of one of `targets` are left out.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn of_file(path: &Path, options: &ReadOptions, targets: &[String], seed: u64) -> Result<Scan, DataError> {
        // The limit is one of what is in memory at once.
        let options = ReadOptions { max_memory: None, ..options.clone() };
        let state = state_of(path)?;
        let mut reader = TableReader::open(path, &options)?;
        let layout = Arc::clone(reader.layout());
        let columns: Vec<usize> =
            targets.iter().map(|name| find_column(&reader.no_rows(), name)).collect::<Result<_, _>>()?;
        let most = (SAMPLE_CELLS / layout.names.len().max(1)).clamp(100, SAMPLE_ROWS);
        let mut drawn: BinaryHeap<Drawn> = BinaryHeap::new();
        let (mut rows, mut examples) = (0, 0);
        let (mut blocks, mut can_seek) = (Vec::new(), true);
        while let Some(raw) = reader.next_raw()? {
            match raw.at() {
                Some(at) => blocks.push((at, rows)),
                None => can_seek = false,
            }
            let table = raw.parse()?;
            let mut chosen = Vec::new();
            for row in 0..table.rows() {
                if is_missing(&table, row, &columns) {
                    continue;
                }
                examples += 1;
                let key = key(seed, rows + row as u64);
                if drawn.len() + chosen.len() < most || drawn.peek().is_none_or(|top| key < top.key) {
                    chosen.push((row as u32, key));
                }
            }
            draw(&table, &chosen, rows, most, &mut drawn);
            rows += table.rows() as u64;
        }
        if !can_seek {
            blocks.clear();
        }
        let mut drawn = drawn.into_sorted_vec();
        let rest = drawn.split_off(HELD_ROWS.min(drawn.len() / 5));
        let held = drawn.last().map_or(0, |last| last.key);
        examples -= drawn.len() as u64;
        let long = LongTable {
            path: path.to_path_buf(),
            targets: targets.to_vec(),
            layout: Arc::clone(&layout),
            options,
            seed,
            held,
            examples,
            rows,
            blocks,
            state,
        };
        Ok(Scan { sample: table_of(&layout, rest)?, held: table_of(&layout, drawn)?, long })
    }
}

fn is_missing(table: &Table, row: usize, targets: &[usize]) -> bool {
    targets.iter().any(|&column| table.cell(row, column) == Cell::Missing)
}

fn draw(table: &Table, chosen: &[(u32, u64)], first: u64, most: usize, drawn: &mut BinaryHeap<Drawn>) {
    let numbers: Vec<u32> = chosen.iter().map(|&(row, _)| row).collect();
    for (&(row, key), line) in chosen.iter().zip(table.lines_of(&numbers)) {
        if drawn.len() == most && drawn.peek().is_some_and(|top| key >= top.key) {
            continue;
        }
        let (mut text, mut ends) = (String::new(), Vec::new());
        for column in 0..table.names().len() {
            text.push_str(table.text(row as usize, column));
            ends.push(text.len() as u32);
        }
        let row = first + u64::from(row);
        drawn.push(Drawn { key, row, line, text: text.into(), ends: ends.into() });
        if drawn.len() > most {
            drawn.pop();
        }
    }
}

fn table_of(layout: &Arc<Layout>, mut drawn: Vec<Drawn>) -> Result<Table, DataError> {
    drawn.sort_unstable_by_key(|one| one.row);
    let mut cells = Cells::of_layout(Arc::clone(layout), 0);
    for one in drawn {
        let mut start = 0;
        for &end in &one.ends {
            cells.text(&one.text[start..end as usize]);
            start = end as usize;
        }
        cells.end_row()?;
        cells.in_line(one.line);
    }
    Ok(cells.finish())
}

/// Length and time of the last change of a file.
fn state_of(path: &Path) -> Result<(u64, Option<SystemTime>), DataError> {
    let metadata =
        std::fs::metadata(path).map_err(|error| super::read::io_error(&path.display().to_string(), &error))?;
    Ok((metadata.len(), metadata.modified().ok()))
}

impl LongTable {
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
        let is_for_training = |row: &u32| {
            key(self.table.seed, first + u64::from(*row)) > self.table.held
                && !is_missing(&table, *row as usize, &self.targets)
        };
        let kept: Vec<u32> = (0..table.rows() as u32).filter(is_for_training).collect();
        table.keep_rows(&kept);
        Ok(Some(table))
    }
}
