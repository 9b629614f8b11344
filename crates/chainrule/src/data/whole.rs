//! Whole tables in memory, from any format.

use std::io::Read;
use std::path::Path;

use super::blocks::TableReader;
use super::error::DataError;
use super::options::ReadOptions;
use super::read::Input;
use super::table::Table;

impl Table {
    /// Reads a table from a file: delimited text, JSON Lines, NumPy arrays (`.npy`, `.npz`), IDX, each also compressed
    /// (`.gz`); and Parquet where the library is built with it.
    ///
    /// The first line of a delimited text holds the names. The delimiter is the one of `,` `;` tab and `|` that fits the
    /// first lines; blank lines are skipped.
    ///
    /// # Errors
    /// A missing or unreadable file, or text that is not a table; see [`DataError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Table, DataError> {
        Table::read_with(path, &ReadOptions::default())
    }

    /// As [`Table::read`], with what is told about the file.
    ///
    /// # Errors
    /// As [`Table::read`], and options that cannot be.
    pub fn read_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Table, DataError> {
        #[cfg(feature = "parquet")]
        if super::parquet::is_parquet(path.as_ref()) {
            return super::parquet::RowGroups::open(path.as_ref(), options)?.all();
        }
        Table::of_input(Input::open(path.as_ref())?, options)
    }

    /// Reads a table from a stream to its end, as [`Table::read_with`]; `file` is its name in messages (`-` for standard
    /// input).
    ///
    /// # Errors
    /// As [`Table::read_with`].
    pub fn from_stream(file: &str, reader: Box<dyn Read + Send>, options: &ReadOptions) -> Result<Table, DataError> {
        Table::of_input(Input::of_reader(file.to_owned(), reader)?, options)
    }

    /// Reads a table from bytes in memory, as [`Table::read`]; `file` is its name in messages.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Table, DataError> {
        Table::from_bytes_with(file, bytes, &ReadOptions::default())
    }

    /// Reads a table from bytes in memory, as [`Table::read_with`]; `file` is its name in messages.
    ///
    /// # Errors
    /// As [`Table::read_with`].
    pub fn from_bytes_with(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Table, DataError> {
        let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
        Table::from_stream(file, reader, options)
    }

    fn of_input(input: Input, options: &ReadOptions) -> Result<Table, DataError> {
        let mut reader = TableReader::of_input(input, options, true)?;
        let table = reader.next_block()?;
        match table {
            Some(table) if table.rows() > 0 => Ok(table),
            _ => Err(DataError::HeaderOnly { file: reader.file().to_owned() }),
        }
    }
}
