//! What can be wrong with data, and where.

use std::fmt;

/// A place in a text file, with the line itself for a caret under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File as the user named it (`-` for standard input).
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// The line, or the part of a long line around the column.
    pub excerpt: String,
    /// Position of the caret in the excerpt, in characters from 0.
    pub caret: usize,
    /// Characters above the carets, at least 1.
    pub width: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why data cannot be used. The message is lower case without full stop; [`DataError::code`], [`DataError::place`] and
/// [`DataError::help`] give the rest of a report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DataError {
    /// The file does not exist.
    NotFound {
        /// Path as given.
        file: String,
    },
    /// The file exists and cannot be read, or cannot be written.
    Io {
        /// Path as given.
        file: String,
        /// The system's reason.
        reason: String,
    },
    /// More than the memory or the format allows.
    Memory {
        /// What is too large.
        what: String,
        /// Bytes asked for.
        needed: u64,
    },
    /// The file has no text at all.
    Empty {
        /// Path as given.
        file: String,
    },
    /// The file has a header and no rows.
    HeaderOnly {
        /// Path as given.
        file: String,
    },
    /// The text is not UTF-8.
    Encoding {
        /// First bad byte.
        at: Box<Place>,
        /// The encoding it looks like.
        looks_like: &'static str,
    },
    /// A zero byte, which text does not contain.
    ZeroByte {
        /// The byte.
        at: Box<Place>,
    },
    /// A row has another number of fields than the header.
    RaggedRow {
        /// First field too many, or the end of the short row.
        at: Box<Place>,
        /// Fields in this row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A quoted field that does not end, or goes on after its end.
    Quote {
        /// The opening quote, or the text after the closing one.
        at: Box<Place>,
        /// True when the file ends inside the quotes.
        unterminated: bool,
    },
    /// A column without a name.
    EmptyName {
        /// The header field.
        at: Box<Place>,
    },
    /// Two columns of one name.
    DuplicateName {
        /// The second of them.
        at: Box<Place>,
        /// The name.
        name: String,
    },
    /// A field or a row beyond the limits of the reader.
    TooLarge {
        /// The field.
        at: Box<Place>,
        /// What is too large, and the limit.
        what: String,
    },
    /// Text in a column of numbers.
    NotANumber {
        /// The cell.
        at: Box<Place>,
        /// Column name.
        column: String,
        /// The text (its beginning).
        text: String,
    },
    /// Text in a column of dates.
    NotADate {
        /// The cell.
        at: Box<Place>,
        /// Column name.
        column: String,
        /// The text (its beginning).
        text: String,
    },
    /// A number that is infinite or too large.
    NonFinite {
        /// The cell.
        at: Box<Place>,
        /// Column name.
        column: String,
        /// The text (its beginning).
        text: String,
    },
    /// A column that is needed is not there.
    MissingColumn {
        /// The nearest name in the line of names, or the whole line; nothing for formats without one.
        at: Option<Box<Place>>,
        /// File as named.
        file: String,
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
        /// The names there are, or the first of many.
        columns: String,
    },
    /// A row without a target.
    MissingTarget {
        /// The empty cell.
        at: Box<Place>,
        /// Target name.
        name: String,
    },
    /// A row whose weight cannot be.
    BadWeight {
        /// The cell.
        at: Box<Place>,
        /// Is it empty?
        missing: bool,
    },
    /// A target from which nothing can be learned.
    BadTarget {
        /// Target name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// No column is left to predict from.
    NoFeatures {
        /// Target name.
        target: String,
    },
    /// A label that training did not know.
    UnseenLabel {
        /// The cell.
        at: Box<Place>,
        /// The label.
        label: String,
        /// The nearest known label.
        nearest: Option<String>,
    },
    /// Too few rows for what is asked.
    TooFewRows {
        /// Rows there are.
        found: usize,
        /// Rows needed.
        needed: usize,
    },
    /// No generator of this name.
    UnknownGenerator {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// An argument of a generator or of preprocessing that cannot be.
    BadArgument {
        /// Argument name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A damaged file, or one of a format that is not read.
    Damaged {
        /// File as named.
        file: String,
        /// Why.
        reason: String,
    },
    /// A line that is not an object of JSON with plain values.
    Json {
        /// Where.
        at: Box<Place>,
        /// Why not.
        reason: String,
    },
    /// A damaged or unsupported NumPy file.
    Numpy {
        /// File, with the entry in brackets for an archive.
        file: String,
        /// Byte at which reading stopped.
        byte: u64,
        /// Why.
        reason: String,
    },
}

impl DataError {
    /// The stable code of this kind of error, `E301` and on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            DataError::NotFound { .. } => "E301",
            DataError::Io { .. } => "E302",
            DataError::Memory { .. } => "E303",
            DataError::Empty { .. } => "E304",
            DataError::HeaderOnly { .. } => "E305",
            DataError::Encoding { .. } => "E306",
            DataError::ZeroByte { .. } => "E307",
            DataError::RaggedRow { .. } => "E308",
            DataError::Quote { .. } => "E309",
            DataError::EmptyName { .. } => "E310",
            DataError::DuplicateName { .. } => "E311",
            DataError::TooLarge { .. } => "E312",
            DataError::NotANumber { .. } => "E313",
            DataError::NotADate { .. } => "E340",
            DataError::BadWeight { .. } => "E341",
            DataError::NonFinite { .. } => "E314",
            DataError::MissingColumn { .. } => "E315",
            DataError::MissingTarget { .. } => "E316",
            DataError::BadTarget { .. } => "E317",
            DataError::NoFeatures { .. } => "E318",
            DataError::UnseenLabel { .. } => "E319",
            DataError::TooFewRows { .. } => "E320",
            DataError::UnknownGenerator { .. } => "E321",
            DataError::BadArgument { .. } => "E322",
            DataError::Numpy { .. } => "E323",
            DataError::Damaged { .. } => "E330",
            DataError::Json { .. } => "E331",
        }
    }

    /// Exit code of the program: 6 for disk, permission and memory, else 4.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            DataError::Io { .. } | DataError::Memory { .. } => 6,
            _ => 4,
        }
    }

    /// Where in the file, when the fault is at one place of a text file.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            DataError::Encoding { at, .. }
            | DataError::ZeroByte { at }
            | DataError::RaggedRow { at, .. }
            | DataError::Quote { at, .. }
            | DataError::EmptyName { at }
            | DataError::DuplicateName { at, .. }
            | DataError::TooLarge { at, .. }
            | DataError::NotANumber { at, .. }
            | DataError::NotADate { at, .. }
            | DataError::BadWeight { at, .. }
            | DataError::NonFinite { at, .. }
            | DataError::MissingTarget { at, .. }
            | DataError::UnseenLabel { at, .. }
            | DataError::Json { at, .. } => Some(at),
            DataError::MissingColumn { at, .. } => at.as_deref(),
            _ => None,
        }
    }

    /// What stands beside the place.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        match self {
            DataError::MissingColumn { nearest: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            _ => None,
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::NotFound { file } => write!(f, "{file} does not exist"),
            DataError::Io { file, reason } => write!(f, "cannot use {file}: {reason}"),
            DataError::Memory { what, needed } => {
                write!(f, "{what} needs {needed} bytes, more than there is or is allowed")
            }
            DataError::Empty { file } => write!(f, "{file} is empty"),
            DataError::HeaderOnly { file } => write!(f, "{file} has a header and no rows"),
            DataError::Encoding { looks_like, .. } => write!(f, "text is not UTF-8 (it looks like {looks_like})"),
            DataError::ZeroByte { .. } => write!(f, "zero byte in text"),
            DataError::RaggedRow { found, expected, .. } => {
                write!(f, "row has {found} field{}, the header has {expected}", if *found == 1 { "" } else { "s" })
            }
            DataError::Quote { unterminated: true, .. } => write!(f, "quoted field is never closed"),
            DataError::Quote { .. } => write!(f, "text after the closing quote of a field"),
            DataError::EmptyName { .. } => write!(f, "column without a name"),
            DataError::DuplicateName { name, .. } => write!(f, "second column named `{name}`"),
            DataError::TooLarge { what, .. } => write!(f, "{what}"),
            DataError::NotANumber { column, text, .. } => write!(f, "`{text}` in the column of numbers `{column}`"),
            DataError::BadWeight { missing: true, .. } => write!(f, "the weight of a row is missing"),
            DataError::BadWeight { .. } => write!(f, "the weight of a row is negative"),
            DataError::NotADate { column, text, .. } => write!(f, "`{text}` in the column of dates `{column}`"),
            DataError::NonFinite { column, text, .. } => {
                write!(f, "`{text}` in column `{column}` is infinite or too large to compute with")
            }
            DataError::MissingColumn { file, name, .. } => write!(f, "{file} has no column `{name}`"),
            DataError::MissingTarget { name, .. } => write!(f, "row has no value for the target `{name}`"),
            DataError::BadTarget { name, reason } => write!(f, "cannot learn `{name}`: {reason}"),
            DataError::NoFeatures { target } => write!(f, "no usable column besides the target `{target}`"),
            DataError::UnseenLabel { label, .. } => write!(f, "label `{label}` was not there in training"),
            DataError::TooFewRows { found, needed } => write!(f, "{found} rows where at least {needed} are needed"),
            DataError::UnknownGenerator { name, .. } => write!(f, "no data generator named `{name}`"),
            DataError::BadArgument { name, reason } => write!(f, "argument `{name}` {reason}"),
            DataError::Damaged { file, reason } => write!(f, "{file}: {reason}"),
            DataError::Json { reason, .. } => write!(f, "not a row of JSON: {reason}"),
            DataError::Numpy { file, byte, reason } => write!(f, "{file}: byte {byte}: {reason}"),
        }
    }
}

impl std::error::Error for DataError {}
