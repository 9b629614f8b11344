//! How a table is read: one struct for the command line, for configurations and for the library.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is told about a file with a table; everything else is found in the file itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// The character between fields, one byte; else the one of `,` `;` tab and `|` that fits the first lines.
    pub delimiter: Option<char>,
    /// The character before the digits of a fraction: `.` or `,`. Where the delimiter is a semicolon and nothing is said
    /// both are read.
    pub decimal: Option<char>,
    /// The character between groups of three digits: `,`, `.`, `'`, `_` or a blank.
    pub thousands: Option<char>,
    /// Encoding of a text; else UTF-8, or UTF-16 where the first two bytes say so.
    pub encoding: Option<Encoding>,
    /// What becomes of rows with more or fewer fields than the header.
    pub ragged: Ragged,
    /// A file of labels beside a file of images: an IDX file with a number for each; becomes the last column, `label`.
    pub labels: Option<PathBuf>,
    /// Most bytes of memory that a table may take; without it what the machine gives.
    pub max_memory: Option<u64>,
}

/// Encodings of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16; little-endian unless a byte order mark says otherwise.
    #[serde(rename = "utf-16")]
    Utf16,
    /// ISO 8859-1, and what Windows-1252 adds to it.
    #[serde(rename = "latin-1")]
    Latin1,
}

/// What becomes of rows with more or fewer fields than the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ragged {
    /// The first is an error.
    #[default]
    Error,
    /// They are left out, and counted.
    Skip,
    /// Fields that are not there are missing values, those too many are left out; both are counted.
    Pad,
}

impl ReadOptions {
    /// Checks what a user may have said.
    ///
    /// # Errors
    /// The name of the option, and what it may be.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let one_of = |value: Option<char>, all: &str| value.is_none_or(|letter| all.contains(letter));
        if self.delimiter.is_some_and(|letter| !letter.is_ascii() || "\"\n\r\0".contains(letter)) {
            return Err(("delimiter", "is one ASCII character, and no quote or line end"));
        }
        if !one_of(self.decimal, ".,") {
            return Err(("decimal", "is `.` or `,`"));
        }
        if !one_of(self.thousands, ",.'_ ") {
            return Err(("thousands", "is one of `,` `.` `'` `_` and a blank"));
        }
        if self.thousands.is_some() && self.thousands == self.decimal {
            return Err(("thousands", "is the decimal sign already; give the other one with --decimal"));
        }
        Ok(())
    }
}

/// How numbers are written in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// The decimal sign is a comma, or may be one.
    pub(crate) comma: Comma,
    /// Between groups of three digits.
    pub(crate) thousands: Option<u8>,
}

/// Whether a comma is a decimal sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Comma {
    /// It is not.
    #[default]
    No,
    /// As well as the point is: `1,5` and `1.5` are the same; `1.234,5` has groups.
    Also,
    /// It is, and the point is not.
    Only,
}

impl Numbers {
    pub(crate) fn new(options: &ReadOptions, delimiter: u8) -> Numbers {
        let comma = match options.decimal {
            Some(',') => Comma::Only,
            None if delimiter == b';' && options.thousands.is_none() => Comma::Also,
            // Points between groups leave the comma for fractions.
            None if options.thousands == Some('.') => Comma::Only,
            _ => Comma::No,
        };
        Numbers { comma, thousands: options.thousands.map(|letter| letter as u8) }
    }

    /// The number that a text with other signs than the plain ones says.
    pub(crate) fn parse(self, text: &str) -> Option<f64> {
        const LONGEST: usize = 64;
        if text.len() > LONGEST || (self.comma == Comma::No && self.thousands.is_none()) {
            return None;
        }
        // Words with a sign in them are no numbers, and `inf` is none either.
        if !text.bytes().any(|letter| letter.is_ascii_digit()) {
            return None;
        }
        let (decimal, group) = match self.comma {
            Comma::No => (b'.', self.thousands),
            Comma::Only => (b',', self.thousands),
            // `1.234` alone is a number with a fraction here and with a group there: only both signs leave no doubt.
            Comma::Also => (b',', text.contains(',').then_some(b'.')),
        };
        let mut plain = [0_u8; LONGEST];
        let mut length = 0;
        // Digits since the last group sign, once there is one; groups end with the whole part.
        let mut group_digits: Option<u32> = None;
        let (mut whole, mut digits) = (true, 0);
        for letter in text.bytes() {
            if whole && Some(letter) == group {
                if digits == 0 || digits > 3 && group_digits.is_none() || group_digits.is_some_and(|count| count != 3) {
                    return None;
                }
                group_digits = Some(0);
                continue;
            }
            match letter {
                b'0'..=b'9' if whole => {
                    digits += 1;
                    group_digits = group_digits.map(|count| count + 1);
                }
                b'0'..=b'9' | b'+' | b'-' => {}
                b'.' | b',' if letter == decimal && whole => whole = false,
                b'e' | b'E' => whole = false,
                _ => return None,
            }
            if !whole && group_digits.is_some_and(|count| count != 3) {
                return None;
            }
            plain[length] = if letter == decimal { b'.' } else { letter };
            length += 1;
        }
        if group_digits.is_some_and(|count| count != 3) {
            return None;
        }
        std::str::from_utf8(&plain[..length]).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(comma: Comma, thousands: Option<u8>) -> Numbers {
        Numbers { comma, thousands }
    }

    #[test]
    fn signs_of_numbers_are_read_where_they_leave_no_doubt() {
        let also = numbers(Comma::Also, None);
        for (text, value) in [("1,5", Some(1.5)), ("1.234,5", Some(1234.5)), ("-1.234.567,25", Some(-1_234_567.25))] {
            assert_eq!(also.parse(text), value, "{text}");
        }
        for text in ["1,500,000", "1.23,5", "12.34.567,5", "1234.567,5", ",", "a,b", "1,5.3", "--1,5", "1,5,"] {
            assert_eq!(also.parse(text), None, "{text}");
        }
        let english = numbers(Comma::No, Some(b','));
        for (text, value) in [("1,234", Some(1234.0)), ("-1,234,567.5e1", Some(-12_345_675.0)), ("1,23", None)] {
            assert_eq!(english.parse(text), value, "{text}");
        }
        for text in ["1234,567", ",123", "1,2345", "1,234,", "1.5,000", "1,,234"] {
            assert_eq!(english.parse(text), None, "{text}");
        }
        let swiss = numbers(Comma::No, Some(b'\''));
        assert_eq!(swiss.parse("12'345.5"), Some(12345.5));
        let german = numbers(Comma::Only, Some(b'.'));
        assert_eq!((german.parse("1.234"), german.parse("1,5")), (Some(1234.0), Some(1.5)));
        assert_eq!(numbers(Comma::No, None).parse("1,5"), None);
    }

    #[test]
    fn options_that_cannot_be_are_refused() {
        let good = ReadOptions { delimiter: Some('|'), decimal: Some(','), thousands: Some('.'), ..Default::default() };
        assert_eq!(good.check(), Ok(()));
        for bad in [
            ReadOptions { delimiter: Some('"'), ..Default::default() },
            ReadOptions { delimiter: Some('é'), ..Default::default() },
            ReadOptions { decimal: Some(';'), ..Default::default() },
            ReadOptions { thousands: Some('x'), ..Default::default() },
            ReadOptions { thousands: Some(','), decimal: Some(','), ..Default::default() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
