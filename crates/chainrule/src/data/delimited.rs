//! Delimited text: its header, and blocks of its records as tables. Comma, semicolon, tab or bar, quotes, any line end.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::error::DataError;
use super::options::{Numbers, Ragged, ReadOptions};
use super::origin::Origin;
use super::quotes::{Fault, Field, Fields, sniff_delimiter};
use super::read::MAX_FILE_BYTES;
use super::table::{Layout, Table, Uneven, place_of_byte, shorten};

/// Longest field, in bytes.
pub(crate) const MAX_FIELD: usize = 1 << 20;
/// Most columns.
pub(crate) const MAX_COLUMNS: usize = 1_000_000;

/// The header of a text that starts with it.
pub(crate) struct Header {
    pub(crate) layout: Layout,
    /// The byte behind it.
    pub(crate) end: usize,
}

impl Header {
    /// Reads the names in the first line that is not blank. `sample` is the part of the text by which the delimiter is
    /// recognised; none for a text without a line, or where the line may go on in what follows unless `at_end`.
    pub(crate) fn read(
        file: &str,
        text: &[u8],
        sample: &[u8],
        options: &ReadOptions,
        at_end: bool,
    ) -> Result<Option<Header>, DataError> {
        let delimiter = options.delimiter.map_or_else(|| sniff_delimiter(sample), |letter| letter as u8);
        let mut layout = Layout {
            file: file.to_owned(),
            names: Vec::new(),
            delimiter: Some(delimiter),
            numbers: Numbers::new(options, delimiter),
            ragged: options.ragged,
            max_memory: options.max_memory.unwrap_or(u64::MAX),
            origin: Origin::default(),
        };
        let mut fields = Vec::new();
        let mut walk = Fields::new(text, delimiter, 0);
        loop {
            let Some(field) = walk.next() else { return Ok(None) };
            let blank = fields.is_empty() && field.last && field.start == field.end;
            let open = field.end == text.len() || (text[field.end] == b'\r' && field.end + 1 == text.len());
            if open && !at_end && field.end - field.start <= MAX_FIELD {
                return Ok(None);
            }
            check_field(file, text, &field, 0)?;
            if !blank {
                if fields.len() == MAX_COLUMNS {
                    let what = format!("more than {MAX_COLUMNS} columns");
                    return Err(DataError::TooLarge { at: Box::new(place_of_byte(file, text, field.start)), what });
                }
                fields.push(field);
                if field.last {
                    break;
                }
            }
        }
        let end = walk.at().min(text.len());
        let text = decode(file, text[..end].to_vec(), 0)?;
        layout.names = names(file, &text, &fields)?;
        layout.origin.header = text.into_boxed_str();
        Ok(Some(Header { layout, end }))
    }
}

/// Quotes and the length of a field; its place is `lines` lines further down.
pub(crate) fn check_field(file: &str, text: &[u8], field: &Field, lines: usize) -> Result<(), DataError> {
    let place = |byte: usize| {
        let mut place = place_of_byte(file, text, byte);
        place.line += lines;
        Box::new(place)
    };
    let bytes = field.end - field.start;
    if bytes > MAX_FIELD {
        let what = format!("field of more than {MAX_FIELD} bytes");
        return Err(DataError::TooLarge { at: place(field.start), what });
    }
    match field.fault {
        Some(Fault::Unterminated) => Err(DataError::Quote { at: place(field.start), unterminated: true }),
        Some(Fault::TextAfterQuote(byte)) => Err(DataError::Quote { at: place(byte), unterminated: false }),
        None => Ok(()),
    }
}

/// UTF-8 text without zero bytes.
pub(crate) fn decode(file: &str, bytes: Vec<u8>, lines: usize) -> Result<String, DataError> {
    let place = |bytes: &[u8], byte: usize| {
        let mut place = place_of_byte(file, bytes, byte);
        place.line += lines;
        Box::new(place)
    };
    if let Some(byte) = memchr::memchr(0, &bytes) {
        return Err(DataError::ZeroByte { at: place(&bytes, byte) });
    }
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        DataError::Encoding { at: place(error.as_bytes(), byte), looks_like: "Latin-1 or Windows-1252" }
    })
}

fn names(file: &str, text: &str, fields: &[Field]) -> Result<Vec<String>, DataError> {
    let place = |field: &Field| Box::new(place_of_byte(file, text.as_bytes(), field.start));
    let mut names = Vec::with_capacity(fields.len());
    for field in fields {
        let (start, end, doubled) = inside(text.as_bytes(), field);
        let name = &text[start..end];
        let name = if doubled { name.replace("\"\"", "\"") } else { name.to_owned() };
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(DataError::EmptyName { at: place(field) });
        }
        names.push(name);
    }
    let mut seen = FxHashSet::default();
    for (name, field) in names.iter().zip(fields) {
        if !seen.insert(name.as_str()) {
            return Err(DataError::DuplicateName { at: place(field), name: shorten(name) });
        }
    }
    Ok(names)
}

/// The field without its quotes, and whether there are doubled ones in it.
pub(crate) fn inside(text: &[u8], field: &Field) -> (usize, usize, bool) {
    if text.get(field.start) != Some(&b'"') || field.end < field.start + 2 {
        return (field.start, field.end, false);
    }
    let (start, end) = (field.start + 1, field.end - 1);
    (start, end, memchr::memchr(b'"', &text[start..end]).is_some())
}

/// The records of `text` from byte `from` on, as a table. `lines` lines of the file stand before `text`.
pub(crate) fn parse_records(layout: Arc<Layout>, text: Vec<u8>, from: usize, lines: usize) -> Result<Table, DataError> {
    let too_large = |needed: u64| DataError::Memory { what: format!("reading {}", layout.file), needed };
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large(text.len() as u64));
    }
    let source = decode(&layout.file, text, lines)?;
    let mut records = Records {
        columns: layout.names.len(),
        delimiter: layout.delimiter.unwrap_or(b','),
        table: Table { source: String::new(), lines_before: lines, ..Table::empty(layout) },
    };
    let read = if memchr::memchr(b'"', &source.as_bytes()[from..]).is_some() {
        records.with_quotes(&source, from)
    } else {
        records.plain(&source, from)
    };
    read.map(|()| {
        let mut table = records.table;
        table.source = source;
        table
    })
}

/// A table that is being filled.
struct Records {
    table: Table,
    columns: usize,
    delimiter: u8,
}

impl Records {
    /// Records of a text without a quote.
    fn plain(&mut self, source: &str, from: usize) -> Result<(), DataError> {
        let text = source.as_bytes();
        let (mut start, mut record) = (from, from);
        let mut first = self.table.cells.len();
        let mut ends = memchr::memchr3_iter(self.delimiter, b'\n', b'\r', &text[from..]);
        loop {
            let end = match ends.next() {
                Some(at) => from + at,
                // A delimiter at the very end has an empty field behind it.
                None if start < text.len() || self.table.cells.len() > first => text.len(),
                None => return Ok(()),
            };
            if end - start > MAX_FIELD {
                let field = Field { start, end, last: false, fault: None };
                return check_field(&self.table.layout.file, text, &field, self.table.lines_before);
            }
            let last = end == text.len() || text[end] != self.delimiter;
            let blank = last && end == record;
            if !blank {
                self.table.cells.push((start as u32, end as u32));
            }
            start = end + 1;
            if last {
                if !blank {
                    self.end_record(source, record, first, end)?;
                }
                first = self.table.cells.len();
                if text.get(end..end + 2) == Some(b"\r\n") {
                    ends.next();
                    start += 1;
                }
                record = start;
                if end == text.len() {
                    return Ok(());
                }
            }
        }
    }

    /// Records of any text.
    fn with_quotes(&mut self, source: &str, from: usize) -> Result<(), DataError> {
        let text = source.as_bytes();
        let (mut record, mut first) = (from, self.table.cells.len());
        let mut fields = Fields::new(text, self.delimiter, from);
        while let Some(field) = fields.next() {
            check_field(&self.table.layout.file, text, &field, self.table.lines_before)?;
            let blank = field.last && field.start == record && field.end == record;
            if !blank {
                let (start, end, doubled) = inside(text, &field);
                let cell =
                    if doubled { self.unquote(&source[start..end], text.len())? } else { (start as u32, end as u32) };
                self.table.cells.push(cell);
            }
            if field.last {
                if !blank {
                    self.end_record(source, record, first, field.end)?;
                }
                record = fields.at();
                first = self.table.cells.len();
            }
        }
        Ok(())
    }

    /// Puts the text of a cell with doubled quotes beside the source.
    fn unquote(&mut self, inside: &str, source_len: usize) -> Result<(u32, u32), DataError> {
        let loose = &mut self.table.loose;
        let start = source_len + loose.len();
        loose.push_str(&inside.replace("\"\"", "\""));
        let end = source_len + loose.len();
        if end as u64 > MAX_FILE_BYTES {
            return Err(self.memory());
        }
        Ok((start as u32, end as u32))
    }

    fn memory(&self) -> DataError {
        let needed = self.table.cells.len() as u64 * 8 + self.table.loose.len() as u64;
        DataError::Memory { what: format!("reading {}", self.table.layout.file), needed }
    }

    /// The cells from number `first` on are a record that starts and ends at these bytes.
    #[inline]
    fn end_record(&mut self, source: &str, start: usize, first: usize, end: usize) -> Result<(), DataError> {
        let found = self.table.cells.len() - first;
        if found != self.columns {
            let skipped = self.uneven(source, start, first, end)?;
            if skipped {
                return Ok(());
            }
        }
        let table = &mut self.table;
        let bytes = table.cells.len() as u64 * 8 + source.len() as u64;
        // Room for the next record, so that a refusal of memory is an error.
        if bytes > table.layout.max_memory || table.cells.try_reserve(self.columns).is_err() {
            return Err(self.memory());
        }
        table.starts.push(start as u32);
        table.order.push(table.order.len() as u32);
        Ok(())
    }

    /// What becomes of a record with another number of fields: true if it is left out.
    fn uneven(&mut self, source: &str, start: usize, first: usize, end: usize) -> Result<bool, DataError> {
        let found = self.table.cells.len() - first;
        let at = |byte: usize| {
            let mut place = place_of_byte(&self.table.layout.file, source.as_bytes(), byte);
            place.line += self.table.lines_before;
            place
        };
        let padded = match self.table.layout.ragged {
            Ragged::Error => {
                let mut fields = Fields::new(source.as_bytes(), self.delimiter, start);
                let byte = if found > self.columns {
                    fields.nth(self.columns).map_or(start, |field| field.start)
                } else {
                    end
                };
                return Err(DataError::RaggedRow { at: Box::new(at(byte)), found, expected: self.columns });
            }
            Ragged::Skip => {
                self.table.cells.truncate(first);
                false
            }
            Ragged::Pad => {
                self.table.cells.resize(first + self.columns, (end as u32, end as u32));
                true
            }
        };
        let first_line = self.table.uneven.map_or_else(|| at(start).line, |uneven| uneven.first_line);
        let rows = self.table.uneven.map_or(0, |uneven| uneven.rows) + 1;
        self.table.uneven = Some(Uneven { rows, first_line, padded });
        Ok(!padded)
    }
}
