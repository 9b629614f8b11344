//! A table of text cells with names, as it stands in the file.

use super::error::{DataError, Place};
use super::quotes::Fields;

/// A table read from a delimited text. Cells stay text until a column's use is known; places in the file are kept for
/// error messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// File name for messages.
    pub(crate) file: String,
    /// The file's text after a byte order mark.
    pub(crate) source: String,
    pub(crate) delimiter: u8,
    pub(crate) names: Vec<String>,
    /// Unquoted text of all cells, row by row, in file order.
    pub(crate) text: String,
    /// End of each cell in `text`.
    pub(crate) ends: Vec<u32>,
    /// Byte in `source` at which each record starts; the header is the first.
    pub(crate) starts: Vec<u32>,
    /// Records (from 0, without the header) that are the rows of the table.
    pub(crate) order: Vec<u32>,
}

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing: empty, `?`, or NA, N/A, NaN, null, None in any case.
    Missing,
    /// A finite number.
    Number(f64),
    /// A number that is infinite or overflows, as text.
    NonFinite(&'a str),
    /// Anything else, without blanks around it.
    Text(&'a str),
}

impl Table {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.order.len()
    }

    /// Column names in file order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name under which the file was read.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The character between fields.
    #[must_use]
    pub fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    /// Number of the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// The text of a cell as written, quotes removed.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[must_use]
    pub fn text(&self, row: usize, column: usize) -> &str {
        assert!(column < self.names.len(), "no column {column}");
        let index = self.order[row] as usize * self.names.len() + column;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..self.ends[index] as usize]
    }

    /// What a cell says. In a file delimited by semicolons a comma in a number is a decimal comma.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        parse_cell(self.text(row, column), self.delimiter == b';')
    }

    /// Where a cell stands in the file.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn place(&self, row: usize, column: usize) -> Place {
        // Record 0 is the header.
        self.place_in_record(self.order[row] as usize + 1, column)
    }

    /// Keeps the rows of the given numbers, in that order.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn keep_rows(&mut self, rows: &[u32]) {
        self.order = rows.iter().map(|&row| self.order[row as usize]).collect();
    }

    pub(crate) fn place_in_record(&self, record: usize, column: usize) -> Place {
        let start = self.starts[record] as usize;
        let field = Fields::new(self.source.as_bytes(), self.delimiter, start).nth(column);
        let byte = field.map_or(start, |field| field.start);
        place_of_byte(&self.file, self.source.as_bytes(), byte)
    }

    pub(crate) fn not_a_number(&self, row: usize, column: usize) -> DataError {
        let at = Box::new(self.place(row, column));
        let text = shorten(self.text(row, column).trim());
        DataError::NotANumber { at, column: self.names[column].clone(), text }
    }

    pub(crate) fn non_finite(&self, row: usize, column: usize) -> DataError {
        let at = Box::new(self.place(row, column));
        let text = shorten(self.text(row, column).trim());
        DataError::NonFinite { at, column: self.names[column].clone(), text }
    }
}

/// Reads a cell.
pub(crate) fn parse_cell(text: &str, decimal_comma: bool) -> Cell<'_> {
    let text = text.trim();
    if is_missing(text) {
        return Cell::Missing;
    }
    // Rust reads `inf`, `infinity` and `nan` as numbers; `nan` is already gone, words do not begin like this.
    let number = match text.parse::<f64>() {
        Ok(number) => Some(number),
        Err(_) if decimal_comma && text.len() <= 64 && text.matches(',').count() == 1 && !text.contains('.') => {
            text.replace(',', ".").parse::<f64>().ok()
        }
        Err(_) => None,
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
        || ["na", "n/a", "nan", "null", "none"].iter().any(|marker| text.eq_ignore_ascii_case(marker))
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
    Place { file: file.to_string(), line, column, excerpt, caret: column - 1 - skipped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_say_what_they_mean() {
        for text in ["", "  ", "NA", "n/a", "NaN", "null", "None", "?"] {
            assert_eq!(parse_cell(text, false), Cell::Missing, "{text}");
        }
        assert_eq!(parse_cell(" -1.5e3 ", false), Cell::Number(-1500.0));
        assert_eq!(parse_cell("1e400", false), Cell::NonFinite("1e400"));
        assert_eq!(parse_cell("-inf", false), Cell::NonFinite("-inf"));
        assert_eq!(parse_cell("0x10", false), Cell::Text("0x10"));
        assert_eq!(parse_cell("1,5", false), Cell::Text("1,5"));
        assert_eq!(parse_cell("1,5", true), Cell::Number(1.5));
        assert_eq!(parse_cell("1,500,000", true), Cell::Text("1,500,000"));
    }

    #[test]
    fn places_count_characters_and_all_line_ends() {
        let source = "a\r\nb\rc\näöx".as_bytes();
        let place = place_of_byte("f", source, source.len() - 1);
        assert_eq!((place.line, place.column, place.excerpt.as_str(), place.caret), (4, 3, "äöx", 2));
    }
}
