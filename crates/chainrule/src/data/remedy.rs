//! What to do about a fault of data.

use super::error::DataError;

impl DataError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let fixed = match self {
            DataError::MissingColumn { at, nearest, columns, .. } => {
                let near = nearest.as_ref().filter(|_| at.is_none());
                let near = near.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
                return Some(format!("{near}the columns are {columns}"));
            }
            DataError::UnknownGenerator { nearest, .. } | DataError::UnseenLabel { nearest, .. } => {
                return nearest.as_ref().map(|name| format!("did you mean `{name}`?"));
            }
            DataError::NotFound { .. } => "check the path; `-` reads standard input",
            DataError::Empty { .. } | DataError::HeaderOnly { .. } => {
                "a table needs a line of names and at least one row"
            }
            DataError::Encoding { .. } => "save the file as UTF-8, or name its encoding: `--encoding latin-1`",
            DataError::ZeroByte { .. } => {
                "this is not a text file, or it was damaged; UTF-16 without a mark needs `--encoding utf-16`"
            }
            DataError::RaggedRow { .. } => {
                "put quotes around fields that contain the delimiter, or read on with `--ragged skip` or `--ragged pad`"
            }
            DataError::TooLarge { .. } => "a quote that is never closed makes fields without an end",
            DataError::Damaged { .. } => "make the file anew",
            DataError::Json { .. } => "JSON Lines has one object in each line: {\"name\": \"Ann\", \"age\": 31}",
            DataError::Io { reason, .. } if reason.contains("while it was read") => {
                "wait until nothing writes to it, or read a copy"
            }
            DataError::NotANumber { text, .. } if has_number_signs(text) => {
                "say how numbers are written: `--decimal ,` or `--thousands ,`"
            }
            DataError::Quote { .. } => "a quote inside quotes is written twice",
            DataError::EmptyName { .. } => "give the column a name, or remove the column",
            DataError::DuplicateName { .. } => "rename one of the two columns",
            DataError::NotANumber { .. } => {
                "correct the cell, leave it empty if unknown, or make the column a category"
            }
            DataError::NotADate { .. } => "write it as the other dates of the column, or leave the cell empty",
            DataError::BadWeight { .. } => "0 leaves a row out of training, 1 is the weight of a row without a wish",
            DataError::NonFinite { .. } => "leave the cell empty if the value is unknown",
            DataError::MissingTarget { .. } => "fill in the target, or remove the row",
            DataError::NoFeatures { .. } => "name the columns to keep",
            DataError::Memory { .. } => {
                "use fewer rows, drop columns with many categories, or allow more with `--max-memory`"
            }
            DataError::BadTarget { reason, .. } if reason.contains("in every row") => {
                "a target needs at least two different values: name another column, or add rows with other values"
            }
            _ => return None,
        };
        Some(fixed.to_string())
    }
}

/// Digits with a comma, an apostrophe or two points among them.
fn has_number_signs(text: &str) -> bool {
    let digits = text.bytes().any(|letter| letter.is_ascii_digit());
    let plain = text.bytes().all(|letter| letter.is_ascii_digit() || b"+-.,' _eE".contains(&letter));
    digits && plain && (text.contains([',', '\'', ' ', '_']) || text.matches('.').count() > 1)
}
