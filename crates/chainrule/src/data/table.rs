//! A table of text cells with names, as it stands in the file.

use std::sync::Arc;

use super::error::{DataError, Place};
use super::options::{Comma, Numbers, Ragged};
use super::origin::Origin;
use super::quotes::Fields;

/// A table, or a block of rows of a long one. Cells stay text until a column's use is known; places in the file are kept
/// for error messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(crate) layout: Arc<Layout>,
    /// The file's text, or the part of it with these rows.
    pub(crate) source: String,
    /// Texts of cells that do not stand in `source` as such: quotes were taken out, or they come from another format.
    pub(crate) loose: String,
    /// First byte and end of each cell, row by row: in `source`, and beyond its end in `loose`.
    pub(crate) cells: Vec<(u32, u32)>,
    /// Byte in `source` at which each row starts; nothing for formats without a text.
    pub(crate) starts: Vec<u32>,
    /// Lines of rows that were taken out of a file here and there.
    pub(crate) lines: Vec<usize>,
    /// Lines of the file before `source`, or rows before the first where there are no lines.
    pub(crate) lines_before: usize,
    /// Rows (as read) that are the rows of the table.
    pub(crate) order: Vec<u32>,
    pub(crate) uneven: Option<Uneven>,
}

/// What all blocks of a file have in common.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// File name for messages.
    pub(crate) file: String,
    pub(crate) names: Vec<String>,
    /// Between fields; nothing for formats that are not delimited text.
    pub(crate) delimiter: Option<u8>,
    pub(crate) numbers: Numbers,
    pub(crate) ragged: Ragged,
    /// Most bytes that a table may take.
    pub(crate) max_memory: u64,
    /// What the file was found to be.
    pub(crate) origin: Origin,
}

/// Rows with another number of fields than the header that the reader did not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uneven {
    /// How many.
    pub rows: usize,
    /// Line of the first.
    pub first_line: usize,
    /// They were padded or cut; else they were left out.
    pub padded: bool,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing: empty, `?`, or NA, N/A, NaN, -NaN, null, None in any case.
    Missing,
    /// A finite number.
    Number(f64),
    /// A number that is infinite or overflows, as text.
    NonFinite(&'a str),
    /// Anything else, without blanks around it.
    Text(&'a str),
}

impl Table {
    /// A table without rows.
    pub(crate) fn empty(layout: Arc<Layout>) -> Table {
        Table {
            layout,
            source: String::new(),
            loose: String::new(),
            cells: Vec::new(),
            starts: Vec::new(),
            lines: Vec::new(),
            lines_before: 0,
            order: Vec::new(),
            uneven: None,
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.order.len()
    }

    /// Column names in file order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.layout.names
    }

    /// The name under which the file was read.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.layout.file
    }

    /// The character between fields; a comma for formats that have none.
    #[must_use]
    pub fn delimiter(&self) -> char {
        char::from(self.layout.delimiter.unwrap_or(b','))
    }

    /// Rows that did not have as many fields as the header, if there were any and the reader was told what to do.
    #[must_use]
    pub fn uneven(&self) -> Option<Uneven> {
        self.uneven
    }

    /// Number of the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.layout.names.iter().position(|other| other == name)
    }

    /// The text of a cell as written, quotes removed.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[must_use]
    #[inline]
    pub fn text(&self, row: usize, column: usize) -> &str {
        let columns = self.layout.names.len();
        assert!(column < columns, "no column {column}");
        let (start, end) = self.cells[self.order[row] as usize * columns + column];
        let (start, end) = (start as usize, end as usize);
        match start.checked_sub(self.source.len()) {
            Some(loose) if end > start => &self.loose[loose..end - self.source.len()],
            Some(_) => "",
            None => &self.source[start..end],
        }
    }

    /// What a cell says, with the signs of numbers that the file has.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[must_use]
    #[inline]
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        parse_cell(self.text(row, column), self.layout.numbers)
    }

    /// Where a cell stands in the file; the row and the column where the format has no lines.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn place(&self, row: usize, column: usize) -> Place {
        let record = self.order[row] as usize;
        let Some(&start) = self.starts.get(record) else {
            let excerpt = self.text(row, column);
            return Place {
                file: self.layout.file.clone(),
                line: self.lines.get(record).copied().unwrap_or(self.lines_before + record + 1),
                column: column + 1,
                excerpt: shorten(excerpt),
                caret: 0,
                width: 1,
            };
        };
        let byte = match self.layout.delimiter {
            Some(delimiter) => {
                let mut fields = Fields::new(self.source.as_bytes(), delimiter, start as usize);
                // A field that is not there stands at the end of its row.
                let mut byte = start as usize;
                for _ in 0..=column {
                    let Some(field) = fields.next() else { break };
                    byte = field.start;
                    if field.last {
                        break;
                    }
                }
                byte
            }
            None => {
                let (cell, _) = self.cells[record * self.layout.names.len() + column];
                if (cell as usize) < self.source.len() { cell as usize } else { start as usize }
            }
        };
        self.place_at(byte)
    }

    /// The place of a byte of the source.
    pub(crate) fn place_at(&self, byte: usize) -> Place {
        let mut place = place_of_byte(&self.layout.file, self.source.as_bytes(), byte);
        place.line += self.lines_before;
        place
    }

    /// The lines at which rows of these numbers stand, which ascend.
    pub(crate) fn lines_of(&self, rows: &[u32]) -> Vec<usize> {
        let (mut line, mut at) = (self.lines_before + 1, 0);
        let source = self.source.as_bytes();
        let mut lines = Vec::with_capacity(rows.len());
        for &row in rows {
            let record = self.order[row as usize] as usize;
            let Some(&start) = self.starts.get(record) else {
                lines.push(self.lines_before + record + 1);
                continue;
            };
            line += line_ends(&source[at..start as usize]);
            at = start as usize;
            lines.push(line);
        }
        lines
    }

    /// Keeps the rows of the given numbers, in that order.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn keep_rows(&mut self, rows: &[u32]) {
        self.order = rows.iter().map(|&row| self.order[row as usize]).collect();
    }

    pub(crate) fn not_a_number(&self, row: usize, column: usize) -> DataError {
        let at = Box::new(self.place(row, column));
        let text = shorten(self.text(row, column).trim());
        DataError::NotANumber { at, column: self.layout.names[column].clone(), text }
    }

    pub(crate) fn non_finite(&self, row: usize, column: usize) -> DataError {
        let at = Box::new(self.place(row, column));
        let text = shorten(self.text(row, column).trim());
        DataError::NonFinite { at, column: self.layout.names[column].clone(), text }
    }
}

/// Reads a cell.
#[inline]
pub(crate) fn parse_cell(text: &str, numbers: Numbers) -> Cell<'_> {
    let bytes = text.as_bytes();
    // Most cells are plain numbers without anything around them.
    let plain = matches!(bytes, [b'0'..=b'9' | b'-', .., b'0'..=b'9'] | [b'0'..=b'9']);
    if plain
        && numbers.comma != Comma::Only
        && let Ok(number) = text.parse::<f64>()
    {
        return if number.is_finite() { Cell::Number(number) } else { Cell::NonFinite(text) };
    }
    parse_any(text.trim(), numbers)
}

fn parse_any(text: &str, numbers: Numbers) -> Cell<'_> {
    if is_missing(text) {
        return Cell::Missing;
    }
    // Rust reads `inf`, `infinity` and `nan` as numbers; `nan` is already gone, words do not begin like this.
    let has_point = numbers.comma == Comma::Only && text.contains('.');
    let number = match text.parse::<f64>() {
        Ok(number) if !has_point => Some(number),
        _ => numbers.parse(text),
    };
    match number {
        Some(number) if number.is_finite() => Cell::Number(number),
        Some(_) => Cell::NonFinite(text),
        None => Cell::Text(text),
    }
}

fn is_missing(text: &str) -> bool {
    text.is_empty()
        || text == "?"
        || ["na", "n/a", "nan", "-nan", "null", "none"].iter().any(|marker| text.eq_ignore_ascii_case(marker))
}

/// The beginning of a text for a message, control characters shown as escapes.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String = text.chars().take(LONGEST).flat_map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

fn visible(letter: char) -> impl Iterator<Item = char> {
    let (escaped, plain) =
        if letter.is_control() { (Some(letter.escape_default()), None) } else { (None, Some(letter)) };
    escaped.into_iter().flatten().chain(plain)
}

/// Number of line ends; `\r\n` is one.
pub(crate) fn line_ends(text: &[u8]) -> usize {
    let feeds = memchr::memchr_iter(b'\n', text).count();
    if memchr::memchr(b'\r', text).is_none() {
        return feeds;
    }
    feeds + memchr::memchr_iter(b'\r', text).filter(|&at| text.get(at + 1) != Some(&b'\n')).count()
}

/// Line, column and excerpt of a byte. Works on any bytes, because encoding errors need places too.
pub(crate) fn place_of_byte(file: &str, source: &[u8], byte: usize) -> Place {
    const BEFORE: usize = 60;
    const EXCERPT: usize = 120;
    let byte = byte.min(source.len());
    let (mut line, mut line_start) = (1, 0);
    for (at, &letter) in source[..byte].iter().enumerate() {
        // `\r\n` counts at its `\n`.
        if letter == b'\n' || (letter == b'\r' && source.get(at + 1) != Some(&b'\n')) {
            line += 1;
            line_start = at + 1;
        }
    }
    let line_end = source[byte..]
        .iter()
        .position(|&letter| letter == b'\n' || letter == b'\r')
        .map_or(source.len(), |length| byte + length);
    let before = String::from_utf8_lossy(&source[line_start..byte]);
    let column = before.chars().count() + 1;
    let skipped = (column - 1).saturating_sub(BEFORE);
    let rest = String::from_utf8_lossy(&source[byte..line_end.min(byte + 4 * EXCERPT)]);
    // Tabs become blanks so that a caret under the excerpt stands right.
    let excerpt = before
        .chars()
        .skip(skipped)
        .chain(rest.chars())
        .take(EXCERPT)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    Place { file: file.to_string(), line, column, excerpt, caret: column - 1 - skipped, width: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_say_what_they_mean() {
        let point = Numbers::default();
        let also = Numbers { comma: Comma::Also, thousands: None };
        let only = Numbers { comma: Comma::Only, thousands: None };
        for text in ["", "  ", "NA", "n/a", "NaN", "null", "None", "?"] {
            assert_eq!(parse_cell(text, point), Cell::Missing, "{text}");
        }
        assert_eq!(parse_cell(" -1.5e3 ", point), Cell::Number(-1500.0));
        assert_eq!(parse_cell("1e400", point), Cell::NonFinite("1e400"));
        assert_eq!(parse_cell("-inf", point), Cell::NonFinite("-inf"));
        assert_eq!(parse_cell("0x10", point), Cell::Text("0x10"));
        assert_eq!(parse_cell("1,5", point), Cell::Text("1,5"));
        assert_eq!(parse_cell("1,5", also), Cell::Number(1.5));
        assert_eq!(parse_cell("1,500,000", also), Cell::Text("1,500,000"));
        assert_eq!(parse_cell("1,5", only), Cell::Number(1.5));
        assert_eq!(parse_cell("1.5", only), Cell::Text("1.5"));
        assert_eq!(parse_cell("7", only), Cell::Number(7.0));
        assert_eq!(parse_cell("inf", only), Cell::NonFinite("inf"));
    }

    #[test]
    fn places_count_characters_and_all_line_ends() {
        let source = "a\r\nb\rc\näöx".as_bytes();
        let place = place_of_byte("f", source, source.len() - 1);
        assert_eq!((place.line, place.column, place.excerpt.as_str(), place.caret), (4, 3, "äöx", 2));
    }
}
