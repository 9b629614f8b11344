//! What a file was found to be, and its line of names for faults that point at a column.

use std::fmt::Write as _;

use super::delimited::inside;
use super::error::{DataError, Place};
use super::options::{Comma, Encoding};
use super::quotes::Fields;
use super::suggest::nearest;
use super::table::{Layout, Table, place_of_byte, shorten};

/// The format of a file with a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Fields with a character between them.
    #[default]
    Delimited,
    /// An object of JSON in each line.
    JsonLines,
    /// `.npy` and `.npz`.
    Numpy,
    /// The format of the MNIST images.
    Idx,
    /// Parquet.
    Parquet,
}

impl Format {
    /// One word, for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Delimited => "delimited",
            Format::JsonLines => "json-lines",
            Format::Numpy => "numpy",
            Format::Idx => "idx",
            Format::Parquet => "parquet",
        }
    }

    /// For people.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Format::Delimited => "delimited text",
            Format::JsonLines => "JSON Lines",
            Format::Numpy => "NumPy",
            Format::Idx => "IDX",
            Format::Parquet => "Parquet",
        }
    }
}

/// What a file was found to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Origin {
    pub(crate) format: Format,
    /// Of a text.
    pub(crate) encoding: Option<Encoding>,
    /// It was decompressed.
    pub(crate) compressed: bool,
    /// The file up to the end of the line of names; empty for formats without one.
    pub(crate) header: Box<str>,
}

impl Layout {
    /// The name of a column in the line of names; the whole line without a column.
    fn heading(&self, column: Option<usize>) -> Option<Place> {
        const WIDEST: usize = 60;
        let text = &*self.origin.header;
        let delimiter = self.delimiter.filter(|_| !text.is_empty())?;
        // Blank lines may stand above it.
        let start = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let field = Fields::new(text.as_bytes(), delimiter, start).nth(column.unwrap_or(0))?;
        let (from, to, _) = inside(text.as_bytes(), &field);
        let end = if column.is_some() { to } else { text.trim_end().len() };
        let mut place = place_of_byte(&self.file, text.as_bytes(), from);
        place.width = text[from..end].chars().count().clamp(1, WIDEST);
        Some(place)
    }
}

impl Table {
    /// The format of the file.
    #[must_use]
    pub fn format(&self) -> Format {
        self.layout.origin.format
    }

    /// The encoding of a text.
    #[must_use]
    pub fn encoding(&self) -> Option<Encoding> {
        self.layout.origin.encoding
    }

    /// Was the file compressed?
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.layout.origin.compressed
    }

    /// The signs that stand before fractions, and the one between groups of three digits.
    #[must_use]
    pub fn number_signs(&self) -> (&'static str, Option<char>) {
        let decimal = match self.layout.numbers.comma {
            Comma::No => ".",
            Comma::Also => ".,",
            Comma::Only => ",",
        };
        (decimal, self.layout.numbers.thousands.map(char::from))
    }

    /// The fault that there is no column of this name, with the nearest one.
    pub(crate) fn no_column(&self, name: &str) -> DataError {
        let near = nearest(name, self.names().iter().map(String::as_str));
        let column = near.as_ref().and_then(|near| self.column(near));
        DataError::MissingColumn {
            at: self.layout.heading(column).map(Box::new),
            file: self.file().to_owned(),
            name: shorten(name),
            nearest: near,
            columns: some(self.names()),
        }
    }
}

/// The first names of a list.
fn some(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).map(|name| shorten(name)).collect::<Vec<String>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    text
}
