//! What may be told about a file with a table; the same for every command that reads one.

use std::path::PathBuf;

use chainrule::data::options::{Encoding, Ragged, ReadOptions};
use clap::{Args, ValueEnum};

/// How the table is read.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reading the table")]
pub(crate) struct ReadArgs {
    /// The character between fields, or `tab`; else the one of `,` `;` tab and `|` that fits the first lines
    #[arg(long, value_name = "CHAR", value_parser = delimiter, allow_hyphen_values = true)]
    pub(crate) delimiter: Option<char>,
    /// The sign before fractions, `.` or `,`; with semicolons between fields both are read
    #[arg(long, value_name = "SIGN", value_parser = [".", ","])]
    pub(crate) decimal: Option<String>,
    /// The sign between groups of three digits: `,` `.` `'` `_` or `space`
    #[arg(long, value_name = "SIGN", value_parser = thousands)]
    pub(crate) thousands: Option<char>,
    /// The encoding of a text; else UTF-8, or UTF-16 where the file begins with its mark
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) encoding: Option<EncodingArg>,
    /// Rows with more or fewer fields than the header: refuse the file, leave them out, or fill and cut them
    #[arg(long, value_enum, value_name = "HOW", default_value_t = RaggedArg::Error)]
    pub(crate) ragged: RaggedArg,
    /// Labels of the images of an IDX file; they become the column `label`
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Most memory that the table may take, such as 500M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_memory: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncodingArg {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-16")]
    Utf16,
    /// Also Windows-1252
    #[value(name = "latin-1", alias = "windows-1252")]
    Latin1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RaggedArg {
    Error,
    Skip,
    Pad,
}

impl ReadArgs {
    /// What the library takes.
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            delimiter: self.delimiter,
            decimal: self.decimal.as_ref().and_then(|sign| sign.chars().next()),
            thousands: self.thousands,
            encoding: self.encoding.map(|encoding| match encoding {
                EncodingArg::Utf8 => Encoding::Utf8,
                EncodingArg::Utf16 => Encoding::Utf16,
                EncodingArg::Latin1 => Encoding::Latin1,
            }),
            ragged: match self.ragged {
                RaggedArg::Error => Ragged::Error,
                RaggedArg::Skip => Ragged::Skip,
                RaggedArg::Pad => Ragged::Pad,
            },
            labels: self.labels.clone(),
            max_memory: self.max_memory,
        }
    }
}

fn delimiter(text: &str) -> Result<char, String> {
    let wrong = || "a delimiter is one ASCII character and no quote or line end, or `tab`".to_owned();
    let sign = match text {
        "tab" | "\\t" => '\t',
        _ => one(text).ok_or_else(wrong)?,
    };
    let options = ReadOptions { delimiter: Some(sign), ..ReadOptions::default() };
    options.check().map(|()| sign).map_err(|_| wrong())
}

fn thousands(text: &str) -> Result<char, String> {
    let sign = if text == "space" { Some(' ') } else { one(text) };
    let options = ReadOptions { thousands: sign, ..ReadOptions::default() };
    let wrong = "the sign is one of `,` `.` `'` `_` and `space`".to_owned();
    sign.filter(|_| options.check().is_ok()).ok_or(wrong)
}

fn one(text: &str) -> Option<char> {
    let mut letters = text.chars();
    letters.next().filter(|_| letters.next().is_none())
}

/// Reads `500M`: bytes, or with K, M, G and T times 1024 each.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size is a number of bytes, or with K, M, G or T behind it: 500M".to_owned();
    let plain = text.trim_end_matches(['B', 'b']).trim_end_matches(['i']);
    let (digits, power) = match plain.char_indices().next_back() {
        Some((at, letter)) => match "kmgt".find(letter.to_ascii_lowercase()) {
            Some(power) => (&plain[..at], power + 1),
            None => (plain, 0),
        },
        None => return Err(wrong()),
    };
    let number: f64 = digits.trim().parse().map_err(|_| wrong())?;
    let bytes = number * 1024_f64.powi(power as i32);
    if bytes.is_finite() && (1.0..=1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("1000"), Ok(1000));
        assert_eq!(size("256M"), Ok(256 << 20));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        for bad in ["", "M", "-1", "nan", "1e99", "1X"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn signs_have_names() {
        assert_eq!((delimiter("tab"), delimiter(";")), (Ok('\t'), Ok(';')));
        assert!(delimiter("ab").is_err() && delimiter("\"").is_err() && delimiter("").is_err());
        assert_eq!(thousands("space"), Ok(' '));
        assert!(thousands("x").is_err());
    }
}
