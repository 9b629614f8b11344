//! Parquet files: columns of plain values, read a few thousand rows at a time.
//!
//! The library panics on some damaged files, so that it works on a thread of its own; what happens there is an error
//! here.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::arrays::Cells;
use super::error::DataError;
use super::options::ReadOptions;
use super::origin::Format;
use super::read::io_error;
use super::table::{Layout, Table};

/// Cells of a block, about.
const CELLS: usize = 1 << 17;
/// Name of the thread on which the library works: a panic there is no fault of Chainrule.
pub const THREAD: &str = "parquet";

/// Whether a regular file begins like a Parquet file.
pub(crate) fn is_parquet(path: &Path) -> bool {
    let mut head = [0; 4];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == *b"PAR1"
}

/// The blocks of a file.
pub(crate) struct RowGroups {
    layout: Arc<Layout>,
    rows: u64,
    blocks: Receiver<Result<Table, DataError>>,
    thread: Option<JoinHandle<()>>,
}

impl RowGroups {
    pub(crate) fn open(path: &Path, options: &ReadOptions) -> Result<RowGroups, DataError> {
        let file = path.display().to_string();
        let (header, headers) = sync_channel(1);
        let (output, blocks) = sync_channel(1);
        let (path, options): (PathBuf, ReadOptions) = (path.to_path_buf(), options.clone());
        let work = move || {
            let opened = Source::open(&path, &options);
            let source = match opened {
                Ok(source) => source,
                Err(error) => return drop(header.send(Err(error))),
            };
            if header.send(Ok((Arc::clone(&source.layout), source.rows()))).is_ok() {
                source.run(&output);
            }
        };
        let failed = |reason: String| DataError::Damaged { file: file.clone(), reason };
        let thread = Builder::new().name(THREAD.to_owned()).spawn(work).map_err(|error| io_error(&file, &error))?;
        match headers.recv() {
            Ok(Ok((layout, rows))) => Ok(RowGroups { layout, rows, blocks, thread: Some(thread) }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(failed("it is damaged or uses what is not supported".into())),
        }
    }

    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    pub(crate) fn next(&mut self) -> Result<Option<Table>, DataError> {
        if let Ok(block) = self.blocks.recv() {
            return block.map(Some);
        }
        let panicked = self.thread.take().is_some_and(|thread| thread.join().is_err());
        let reason = "it is damaged or uses what is not supported".to_owned();
        if panicked { Err(DataError::Damaged { file: self.layout.file.clone(), reason }) } else { Ok(None) }
    }

    /// All rows as one table.
    pub(crate) fn all(mut self) -> Result<Table, DataError> {
        let needed = self.rows.saturating_mul(self.layout.names.len() as u64).saturating_mul(8);
        if needed > self.layout.max_memory {
            return Err(DataError::Memory { what: format!("reading {}", self.layout.file), needed });
        }
        let mut cells = Cells::of_layout(Arc::clone(&self.layout), 0);
        while let Some(block) = self.next()? {
            for row in 0..block.rows() {
                (0..block.names().len()).for_each(|column| cells.text(block.text(row, column)));
                cells.end_row()?;
            }
        }
        let table = cells.finish();
        if table.rows() == 0 { Err(DataError::HeaderOnly { file: self.layout.file.clone() }) } else { Ok(table) }
    }
}

/// An open file.
struct Source {
    reader: SerializedFileReader<File>,
    layout: Arc<Layout>,
    writers: Vec<Writing>,
}

impl Source {
    fn open(path: &Path, options: &ReadOptions) -> Result<Source, DataError> {
        let file = path.display().to_string();
        let opened = File::open(path).map_err(|error| io_error(&file, &error))?;
        let damaged = |error: ParquetError| DataError::Damaged { file: file.clone(), reason: error.to_string() };
        let reader = SerializedFileReader::new(opened).map_err(damaged)?;
        let mut names = Vec::new();
        let mut writers = Vec::new();
        for column in reader.metadata().file_metadata().schema_descr().columns() {
            let name = column.path().parts().join(".");
            let writing = Writing::of(column).map_err(|what| DataError::Damaged {
                file: file.clone(),
                reason: format!("column `{name}` holds {what}, which a table cannot"),
            })?;
            writers.push(writing);
            names.push(name);
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let reason = format!("it has two columns named `{}`", pair[0]);
            return Err(DataError::Damaged { file, reason });
        }
        for group in reader.metadata().row_groups() {
            let needed = group.columns().iter().map(|c| c.uncompressed_size().max(0) as u64).max().unwrap_or(0);
            if needed > options.max_memory.unwrap_or(u64::MAX) {
                return Err(DataError::Memory { what: format!("reading {file}"), needed });
            }
        }
        let mut layout = Cells::new(&file, names, options, 0)?.finish().layout;
        Arc::make_mut(&mut layout).origin.format = Format::Parquet;
        Ok(Source { reader, layout, writers })
    }

    fn rows(&self) -> u64 {
        self.reader.metadata().file_metadata().num_rows().max(0) as u64
    }

    fn run(&self, output: &SyncSender<Result<Table, DataError>>) {
        let mut done = 0;
        for group in 0..self.reader.num_row_groups() {
            let read = self.reader.get_row_group(group).and_then(|group| self.group(&*group, &mut done, output));
            if let Err(error) = read {
                let reason = error.to_string();
                // The other end may be gone; then nobody wants to know.
                let _ = output.send(Err(DataError::Damaged { file: self.layout.file.clone(), reason }));
                return;
            }
        }
    }

    fn group(
        &self,
        group: &dyn RowGroupReader,
        done: &mut usize,
        output: &SyncSender<Result<Table, DataError>>,
    ) -> Result<(), ParquetError> {
        let rows = group.metadata().num_rows().max(0) as usize;
        let columns = self.layout.names.len();
        let mut readers: Vec<ColumnReader> =
            (0..columns).map(|column| group.get_column_reader(column)).collect::<Result<_, _>>()?;
        let block = (CELLS / columns.max(1)).max(1);
        for start in (0..rows).step_by(block) {
            let wanted = block.min(rows - start);
            let mut texts = Vec::with_capacity(columns);
            for (reader, writing) in readers.iter_mut().zip(&self.writers) {
                texts.push(column_texts(reader, *writing, wanted)?);
            }
            let mut cells = Cells::of_layout(Arc::clone(&self.layout), *done);
            for row in 0..wanted {
                texts.iter().for_each(|column| match &column[row] {
                    Plain::Missing => cells.text(""),
                    Plain::Number(number) => cells.number(*number),
                    Plain::Text(text) => cells.text(text),
                });
                if let Err(error) = cells.end_row() {
                    let _ = output.send(Err(error));
                    return Ok(());
                }
            }
            *done += wanted;
            if output.send(Ok(cells.finish())).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// A value of a column.
#[derive(Clone)]
enum Plain {
    Missing,
    Number(f64),
    Text(String),
}

/// How the values of a column become cells.
#[derive(Clone, Copy)]
enum Writing {
    /// As they are.
    Plain,
    /// Days since 1970.
    Days,
    /// So many units of time in a second since 1970.
    Seconds(i64),
    /// Whole numbers with so many digits behind the point.
    Scaled(i32),
}

impl Writing {
    /// How a column is read, or what it holds that a table cannot.
    fn of(column: &ColumnDescriptor) -> Result<Writing, &'static str> {
        if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
            return Err("lists or structures");
        }
        if matches!(column.physical_type(), Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY) {
            return Err("values of a fixed number of bytes");
        }
        let per_second = |unit: TimeUnit| match unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        };
        Ok(match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Writing::Days,
            (Some(LogicalType::Timestamp(t)), _) => Writing::Seconds(per_second(t.unit)),
            (_, ConvertedType::TIMESTAMP_MILLIS) => Writing::Seconds(1_000),
            (_, ConvertedType::TIMESTAMP_MICROS) => Writing::Seconds(1_000_000),
            (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL)
                if matches!(column.physical_type(), Type::INT32 | Type::INT64) =>
            {
                Writing::Scaled(column.type_scale())
            }
            (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => return Err("decimal numbers as bytes"),
            _ => Writing::Plain,
        })
    }

    fn integer(self, value: i64) -> Plain {
        match self {
            Writing::Plain if value.unsigned_abs() <= 1 << 53 => Plain::Number(value as f64),
            Writing::Plain => Plain::Text(value.to_string()),
            Writing::Days => Plain::Text(date(value)),
            Writing::Seconds(unit) => {
                let (seconds, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
                let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
                let mut text = format!("{}T{:02}:{:02}:{:02}", date(day), second / 3600, second / 60 % 60, second % 60);
                if rest > 0 {
                    let digits = unit.ilog10() as usize;
                    text.push_str(format!(".{rest:0digits$}").trim_end_matches('0'));
                }
                Plain::Text(text)
            }
            Writing::Scaled(scale) => Plain::Number(value as f64 / 10_f64.powi(scale)),
        }
    }
}

/// A day as text: the civil calendar from the number of days since 1970. Source: Howard Hinnant, "chrono-compatible
/// low-level date algorithms", `civil_from_days`.
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn column_texts(reader: &mut ColumnReader, writing: Writing, wanted: usize) -> Result<Vec<Plain>, ParquetError> {
    let text = |bytes: &ByteArray| Plain::Text(String::from_utf8_lossy(bytes.data()).into_owned());
    match reader {
        ColumnReader::BoolColumnReader(r) => values(r, wanted, |v| Plain::Text(v.to_string())),
        ColumnReader::Int32ColumnReader(r) => values(r, wanted, |v| writing.integer(i64::from(*v))),
        ColumnReader::Int64ColumnReader(r) => values(r, wanted, |v| writing.integer(*v)),
        ColumnReader::FloatColumnReader(r) => values(r, wanted, |v| Plain::Number(f64::from(*v))),
        ColumnReader::DoubleColumnReader(r) => values(r, wanted, |v| Plain::Number(*v)),
        ColumnReader::ByteArrayColumnReader(r) => values(r, wanted, text),
        _ => Err(ParquetError::General("values of a fixed number of bytes are not read".into())),
    }
}

fn values<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    wanted: usize,
    cell: impl Fn(&T::T) -> Plain,
) -> Result<Vec<Plain>, ParquetError> {
    let (mut levels, mut found) = (Vec::new(), Vec::new());
    let mut records = 0;
    while records < wanted {
        let (more, _, _) = reader.read_records(wanted - records, Some(&mut levels), None, &mut found)?;
        if more == 0 {
            return Err(ParquetError::General("a column ends before its rows do".into()));
        }
        records += more;
    }
    if levels.is_empty() {
        return Ok(found.iter().map(cell).collect());
    }
    let mut found = found.iter();
    Ok(levels
        .iter()
        .map(|&level| if level > 0 { found.next().map_or(Plain::Missing, &cell) } else { Plain::Missing })
        .collect())
}
