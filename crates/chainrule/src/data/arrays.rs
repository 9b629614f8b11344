//! Tables from arrays of numbers: NumPy files, and what other formats of numbers share.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::delimited::MAX_COLUMNS;
use super::error::DataError;
use super::npy::{Array, NotFinite, parse_npy_with, parse_npz_with};
use super::options::{Numbers, ReadOptions};
use super::origin::Origin;
use super::read::MAX_FILE_BYTES;
use super::table::{Layout, Table};

/// A table that is filled cell by cell, row by row.
pub(crate) struct Cells {
    table: Table,
    most: u64,
}

impl Cells {
    /// A table with these columns; `lines` rows of the file stand before its first.
    pub(crate) fn new(file: &str, names: Vec<String>, options: &ReadOptions, lines: usize) -> Result<Cells, DataError> {
        if names.len() > MAX_COLUMNS {
            let reason = format!("{} columns, at most {MAX_COLUMNS} are allowed", names.len());
            return Err(DataError::Damaged { file: file.to_owned(), reason });
        }
        let layout = Layout {
            file: file.to_owned(),
            names,
            delimiter: None,
            numbers: Numbers::default(),
            ragged: options.ragged,
            max_memory: options.max_memory.unwrap_or(u64::MAX),
            origin: Origin::default(),
        };
        Ok(Cells::of_layout(Arc::new(layout), lines))
    }

    pub(crate) fn of_layout(layout: Arc<Layout>, lines: usize) -> Cells {
        let most = layout.max_memory.min(MAX_FILE_BYTES);
        Cells { table: Table { lines_before: lines, ..Table::empty(layout) }, most }
    }

    /// A table whose rows are forgotten, and whose memory is used again.
    pub(crate) fn again(mut table: Table) -> Cells {
        let most = table.layout.max_memory.min(MAX_FILE_BYTES);
        table.loose.clear();
        table.cells.clear();
        table.order.clear();
        Cells { table, most }
    }

    /// The next cell is a number; one that is not a number is missing.
    pub(crate) fn number(&mut self, value: f64) {
        if value.is_nan() {
            return self.text("");
        }
        if value.is_infinite() {
            return self.text(if value > 0.0 { "inf" } else { "-inf" });
        }
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        self.text(text.strip_suffix(".0").unwrap_or(text));
    }

    /// The next cell is a text.
    pub(crate) fn text(&mut self, text: &str) {
        let start = self.table.loose.len();
        self.table.loose.push_str(text);
        self.table.cells.push((start as u32, self.table.loose.len() as u32));
    }

    /// The row is complete.
    pub(crate) fn end_row(&mut self) -> Result<(), DataError> {
        let table = &mut self.table;
        let needed = table.loose.len() as u64 + 8 * table.cells.len() as u64;
        let columns = table.layout.names.len();
        // Room for the next row, so that a refusal of memory is an error.
        if needed > self.most || table.cells.try_reserve(columns).is_err() || table.loose.try_reserve(24).is_err() {
            return Err(DataError::Memory { what: format!("reading {}", table.layout.file), needed });
        }
        table.order.push(table.order.len() as u32);
        Ok(())
    }

    /// The row that was ended last stands in this line of the file.
    pub(crate) fn in_line(&mut self, line: usize) {
        self.table.lines.push(line);
    }

    pub(crate) fn finish(self) -> Table {
        self.table
    }
}

/// A `.npy` file of rank 1 or 2: the columns are `x0`, `x1` and so on.
pub(crate) fn npy_table(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Table, DataError> {
    let array = parse_npy_with(file, bytes, NotFinite::Kept)?;
    table_of(file, array, None, options)
}

/// A `.npz` file with the arrays `X` and `y`, or with one array.
pub(crate) fn npz_table(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Table, DataError> {
    let mut arrays = parse_npz_with(file, bytes, NotFinite::Kept)?;
    let all: Vec<String> = arrays.keys().cloned().collect();
    let y = take(&mut arrays, &["y", "target", "targets", "label", "labels"]).filter(|_| all.len() == 2);
    let x = take(&mut arrays, &["x", "data", "features"]).or_else(|| {
        // One array, whatever its name is.
        arrays.pop_first().filter(|_| all.len() == 1)
    });
    match x {
        Some((_, x)) if all.len() == 1 + usize::from(y.is_some()) => table_of(file, x, y.map(|(_, y)| y), options),
        _ => {
            let reason = format!("it has the arrays {}; a table is one array, or `X` and `y`", all.join(", "));
            Err(DataError::Numpy { file: file.to_owned(), byte: 0, reason })
        }
    }
}

fn take(arrays: &mut BTreeMap<String, Array>, names: &[&str]) -> Option<(String, Array)> {
    let name = arrays.keys().find(|name| names.contains(&name.to_lowercase().as_str()))?.clone();
    arrays.remove_entry(&name)
}

/// Columns `x0` ... for `x`, and `y` (or `y0` ...) for `y`.
fn table_of(file: &str, x: Array, y: Option<Array>, options: &ReadOptions) -> Result<Table, DataError> {
    let (x, y) = (x.into_examples(), y.map(Array::into_examples));
    if let Some(y) = y.as_ref().filter(|y| y.rows != x.rows) {
        let reason = format!("`X` has {} rows and `y` {}", x.rows, y.rows);
        return Err(DataError::Numpy { file: file.to_owned(), byte: 0, reason });
    }
    let mut names: Vec<String> = (0..x.cols).map(|column| format!("x{column}")).collect();
    match &y {
        Some(y) if y.cols == 1 => names.push("y".into()),
        Some(y) => names.extend((0..y.cols).map(|column| format!("y{column}"))),
        None => {}
    }
    let mut cells = Cells::new(file, names, options, 0)?;
    for row in 0..x.rows {
        x.row(row).iter().chain(y.iter().flat_map(|y| y.row(row))).for_each(|&value| cells.number(value));
        cells.end_row()?;
    }
    Ok(cells.finish())
}
