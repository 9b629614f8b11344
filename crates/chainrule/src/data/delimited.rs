//! Reading a table from delimited text: comma, semicolon or tab, quotes, any line end, UTF-8.

use std::io::Read;
use std::path::Path;

use rustc_hash::FxHashSet;

use super::error::DataError;
use super::quotes::{Fault, Fields, sniff_delimiter};
use super::read::{read_all, read_file};
use super::table::{Table, place_of_byte, shorten};

/// Longest field, in bytes.
const MAX_FIELD: usize = 1 << 20;
/// Most columns.
const MAX_COLUMNS: usize = 1_000_000;

impl Table {
    /// Reads a table from a file.
    ///
    /// The first line holds the names. The delimiter is the one of `,` `;` and tab that fits the first lines; blank
    /// lines are skipped.
    ///
    /// # Errors
    /// A missing or unreadable file, or text that is not a table; see [`DataError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Table, DataError> {
        let path = path.as_ref();
        let bytes = read_file(path)?;
        parse(&path.display().to_string(), bytes)
    }

    /// Reads a table from a reader to its end, as [`Table::read`]; `file` is its name in messages (`-` for standard
    /// input).
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_reader(file: &str, reader: &mut dyn Read) -> Result<Table, DataError> {
        let bytes = read_all(reader, file, 0)?;
        parse(file, bytes)
    }

    /// Reads a table from bytes in memory, as [`Table::read`]; `file` is its name in messages.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Table, DataError> {
        Table::from_reader(file, &mut &bytes[..])
    }
}

fn parse(file: &str, bytes: Vec<u8>) -> Result<Table, DataError> {
    let source = decode(file, bytes)?;
    if source.trim().is_empty() {
        return Err(DataError::Empty { file: file.to_string() });
    }
    let delimiter = sniff_delimiter(source.as_bytes());
    check_fields(file, source.as_bytes(), delimiter)?;
    let table = Table {
        file: file.to_string(),
        source,
        delimiter,
        names: Vec::new(),
        text: String::new(),
        ends: Vec::new(),
        starts: Vec::new(),
        order: Vec::new(),
    };
    read_records(table)
}

/// UTF-8 text without byte order mark and zero bytes.
fn decode(file: &str, mut bytes: Vec<u8>) -> Result<String, DataError> {
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        bytes.drain(..3);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(DataError::Encoding { at: Box::new(place_of_byte(file, &bytes, 0)), looks_like: "UTF-16" });
    }
    if let Some(byte) = bytes.iter().position(|&byte| byte == 0) {
        return Err(DataError::ZeroByte { at: Box::new(place_of_byte(file, &bytes, byte)) });
    }
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        let at = Box::new(place_of_byte(file, error.as_bytes(), byte));
        DataError::Encoding { at, looks_like: "Latin-1 or Windows-1252" }
    })
}

/// Quotes and field lengths, which the CSV library does not check.
fn check_fields(file: &str, source: &[u8], delimiter: u8) -> Result<(), DataError> {
    for field in Fields::new(source, delimiter, 0) {
        let place = |byte: usize| Box::new(place_of_byte(file, source, byte));
        match field.fault {
            Some(Fault::Unterminated) => return Err(DataError::Quote { at: place(field.start), unterminated: true }),
            Some(Fault::TextAfterQuote(byte)) => return Err(DataError::Quote { at: place(byte), unterminated: false }),
            None => {}
        }
        let bytes = field.end - field.start;
        if bytes > MAX_FIELD {
            let what = format!("field of {bytes} bytes, at most {MAX_FIELD} are allowed");
            return Err(DataError::TooLarge { at: place(field.start), what });
        }
    }
    Ok(())
}

fn read_records(mut table: Table) -> Result<Table, DataError> {
    let memory = |needed: usize| DataError::Memory { what: "reading the table".into(), needed: needed as u64 };
    let source = std::mem::take(&mut table.source);
    table.text.try_reserve(source.len()).map_err(|_| memory(source.len()))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(table.delimiter)
        .from_reader(source.as_bytes());
    let mut record = csv::StringRecord::new();
    loop {
        let more = reader
            .read_record(&mut record)
            .map_err(|error| DataError::Io { file: table.file.clone(), reason: error.to_string() })?;
        if !more {
            break;
        }
        let start = record_start(&source, &record);
        table.starts.push(start as u32);
        if table.starts.len() == 1 {
            table.names = read_names(&table.file, &source, table.delimiter, &record)?;
            continue;
        }
        if record.len() != table.names.len() {
            return Err(ragged(&table, &source, start, record.len()));
        }
        table.ends.try_reserve(record.len()).map_err(|_| memory(4 * (table.ends.len() + record.len())))?;
        for field in &record {
            table.text.push_str(field);
            table.ends.push(table.text.len() as u32);
        }
        table.order.push(table.order.len() as u32);
    }
    table.source = source;
    if table.order.is_empty() {
        return Err(DataError::HeaderOnly { file: table.file });
    }
    Ok(table)
}

/// First byte of a record: the library's position may stand on line ends before it.
fn record_start(source: &str, record: &csv::StringRecord) -> usize {
    let mut start = record.position().map_or(0, |position| position.byte() as usize);
    while matches!(source.as_bytes().get(start), Some(b'\n' | b'\r')) {
        start += 1;
    }
    start
}

fn read_names(file: &str, source: &str, delimiter: u8, record: &csv::StringRecord) -> Result<Vec<String>, DataError> {
    let start = record_start(source, record);
    let place = |column: usize| {
        let field = Fields::new(source.as_bytes(), delimiter, start).nth(column);
        Box::new(place_of_byte(file, source.as_bytes(), field.map_or(start, |field| field.start)))
    };
    if record.len() > MAX_COLUMNS {
        let what = format!("{} columns, at most {MAX_COLUMNS} are allowed", record.len());
        return Err(DataError::TooLarge { at: place(MAX_COLUMNS), what });
    }
    let mut seen = FxHashSet::default();
    for (column, name) in record.iter().map(str::trim).enumerate() {
        if name.is_empty() {
            return Err(DataError::EmptyName { at: place(column) });
        }
        if !seen.insert(name) {
            return Err(DataError::DuplicateName { at: place(column), name: shorten(name) });
        }
    }
    Ok(record.iter().map(|name| name.trim().to_string()).collect())
}

fn ragged(table: &Table, source: &str, start: usize, found: usize) -> DataError {
    let expected = table.names.len();
    let mut fields = Fields::new(source.as_bytes(), table.delimiter, start);
    let byte = if found > expected {
        fields.nth(expected).map_or(start, |field| field.start)
    } else {
        fields.find(|field| field.last).map_or(start, |field| field.end)
    };
    DataError::RaggedRow { at: Box::new(place_of_byte(&table.file, source.as_bytes(), byte)), found, expected }
}
