//! NumPy arrays: `.npy` and `.npz`.
//!
//! Format: NumPy Enhancement Proposal 1, "a simple file format for NumPy arrays", versions 1 to 3.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use super::error::DataError;
use super::matrix::Matrix;
use super::read::read_file;

/// An array of rank 0, 1 or 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The elements in row-major order.
    pub values: Vec<f64>,
}

impl Array {
    /// As a matrix: a scalar is `[1, 1]`, a vector one row `[1, n]`.
    #[must_use]
    pub fn into_matrix(self) -> Matrix {
        let (rows, cols) = match self.shape[..] {
            [rows, cols] => (rows, cols),
            _ => (1, self.values.len()),
        };
        Matrix { rows, cols, values: self.values }
    }

    /// As a matrix of examples: a vector is one column `[n, 1]`.
    #[must_use]
    pub fn into_examples(self) -> Matrix {
        let is_vector = self.shape.len() == 1;
        let matrix = self.into_matrix();
        if is_vector { Matrix { rows: matrix.cols, cols: 1, values: matrix.values } } else { matrix }
    }
}

const MAGIC: &[u8] = b"\x93NUMPY";
const MAX_HEADER: usize = 64 << 10;
const MAX_ENTRIES: usize = 10_000;
const MAX_TOTAL: u64 = 1 << 30;
const MAX_RATIO: u64 = 1000;

/// Reads a `.npy` file.
///
/// Elements are little-endian `f4 f8`, integers of 1 to 8 bytes, or `bool`; order C or Fortran.
///
/// # Errors
/// A missing or unreadable file, another element type or rank, a size that differs from the file's, an integer beyond
/// 2^53, or a number that is not finite.
pub fn read_npy(path: impl AsRef<Path>) -> Result<Array, DataError> {
    let path = path.as_ref();
    parse_npy(&path.display().to_string(), &read_file(path)?)
}

/// Reads the arrays of a `.npz` file by name, without the ending `.npy`.
///
/// # Errors
/// As [`read_npy`], a damaged archive, or one with more than 10 000 entries, 1 GiB of contents, or contents more than a
/// thousand times the size of the file.
pub fn read_npz(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, DataError> {
    let path = path.as_ref();
    parse_npz(&path.display().to_string(), &read_file(path)?)
}

/// The array in the bytes of a `.npy` file; `file` is its name in messages.
///
/// # Errors
/// As [`read_npy`].
pub fn parse_npy(file: &str, bytes: &[u8]) -> Result<Array, DataError> {
    parse_npy_with(file, bytes, NotFinite::Refused)
}

/// What becomes of elements that are infinite or not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum NotFinite {
    /// They are an error: matrices of a program are finite.
    Refused,
    /// They stay: missing values of a table.
    Kept,
}

pub(crate) fn parse_npy_with(file: &str, bytes: &[u8], rule: NotFinite) -> Result<Array, DataError> {
    let failed = |byte: usize, reason: String| DataError::Numpy { file: file.to_string(), byte: byte as u64, reason };
    let (text, start) = header_text(bytes).map_err(|reason| failed(0, reason))?;
    let header = Header::parse(text).map_err(|reason| failed(start - text.len(), reason))?;
    let elements = &bytes[start..];
    if header.shape.contains(&0) {
        return Err(failed(start, format!("array of shape {:?} without elements", header.shape)));
    }
    let count = header.shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    let needed = count.and_then(|count| count.checked_mul(header.element.size()));
    if needed != Some(elements.len()) {
        let reason = format!("shape {:?} does not fit the {} bytes that follow", header.shape, elements.len());
        return Err(failed(start, reason));
    }
    let mut values = Vec::new();
    let count = count.unwrap_or(0);
    values
        .try_reserve_exact(count)
        .map_err(|_| DataError::Memory { what: format!("reading {file}"), needed: 8 * count as u64 })?;
    for (index, chunk) in elements.chunks_exact(header.element.size()).enumerate() {
        let byte = start + index * header.element.size();
        let value = header.element.read(chunk).map_err(|reason| failed(byte, reason.to_string()))?;
        if !value.is_finite() && rule == NotFinite::Refused {
            return Err(failed(byte, "a number that is not finite".to_string()));
        }
        values.push(value);
    }
    if header.fortran_order && header.shape.len() == 2 {
        values = to_row_major(&values, header.shape[0], header.shape[1]);
    }
    Ok(Array { shape: header.shape, values })
}

/// The arrays in the bytes of a `.npz` file; `file` is its name in messages.
///
/// # Errors
/// As [`read_npz`].
pub fn parse_npz(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Array>, DataError> {
    parse_npz_with(file, bytes, NotFinite::Refused)
}

pub(crate) fn parse_npz_with(file: &str, bytes: &[u8], rule: NotFinite) -> Result<BTreeMap<String, Array>, DataError> {
    let failed = |reason: String| DataError::Numpy { file: file.to_string(), byte: 0, reason };
    let damaged = |error: zip::result::ZipError| failed(format!("damaged archive: {error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > MAX_ENTRIES {
        return Err(failed(format!("{} entries, at most {MAX_ENTRIES} are allowed", archive.len())));
    }
    let mut arrays = BTreeMap::new();
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.to_string();
        let size = entry.size();
        total = total.saturating_add(size);
        // Small arrays of zeros compress well; only their sum is worth a limit.
        if total > MAX_TOTAL || total > MAX_RATIO * (bytes.len() as u64) + (1 << 20) {
            return Err(failed(format!(
                "the contents have more than {total} bytes, too many for an archive of {}",
                bytes.len()
            )));
        }
        let mut contents = Vec::new();
        contents
            .try_reserve_exact(size as usize + 1)
            .map_err(|_| DataError::Memory { what: format!("reading {file}"), needed: size })?;
        // One byte more than declared shows a false size.
        entry.take(size + 1).read_to_end(&mut contents).map_err(|error| failed(format!("`{name}`: {error}")))?;
        if contents.len() as u64 != size {
            return Err(failed(format!("`{name}` has not the {size} bytes that the archive declares")));
        }
        let Some(short) = name.strip_suffix(".npy") else {
            return Err(failed(format!("entry `{name}` is not an array (.npy)")));
        };
        let array = parse_npy_with(&format!("{file}[{short}]"), &contents, rule)?;
        if arrays.insert(short.to_string(), array).is_some() {
            return Err(failed(format!("array `{short}` is there twice")));
        }
    }
    Ok(arrays)
}

/// The bytes of a `.npy` file: version 1, little-endian `f8`, row-major.
#[must_use]
pub fn npy_bytes(array: &Array) -> Vec<u8> {
    let sizes: String = array.shape.iter().map(|size| format!("{size},")).collect();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({sizes}), }}");
    // Version 1 has 10 bytes before the header; elements begin at a multiple of 64, after a line end.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for value in &array.values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// The header's text and the byte at which the elements start.
fn header_text(bytes: &[u8]) -> Result<(&str, usize), String> {
    let not_numpy = || "not a NumPy array file".to_string();
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_numpy)?;
    let (version, length, start) = match rest {
        [1, _, a, b, ..] => (1, usize::from(u16::from_le_bytes([*a, *b])), 10),
        [version @ 2..=3, _, a, b, c, d, ..] => (*version, u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
        [version, ..] if *version > 3 => return Err(format!("version {version} of the format is not known")),
        _ => return Err(not_numpy()),
    };
    if length > MAX_HEADER {
        return Err(format!("header of {length} bytes, at most {MAX_HEADER} are allowed"));
    }
    let text = bytes.get(start..start + length).ok_or("the header is longer than the file")?;
    let text = std::str::from_utf8(text).map_err(|_| format!("the header of version {version} is not text"))?;
    Ok((text, start + length))
}

/// Type of the elements.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Element {
    F4,
    F8,
    I1,
    I2,
    I4,
    I8,
    U1,
    U2,
    U4,
    U8,
    Bool,
}

impl Element {
    fn parse(name: &str) -> Result<Element, String> {
        match name {
            "<f4" => Ok(Element::F4),
            "<f8" => Ok(Element::F8),
            "|i1" | "<i1" => Ok(Element::I1),
            "<i2" => Ok(Element::I2),
            "<i4" => Ok(Element::I4),
            "<i8" => Ok(Element::I8),
            "|u1" | "<u1" => Ok(Element::U1),
            "<u2" => Ok(Element::U2),
            "<u4" => Ok(Element::U4),
            "<u8" => Ok(Element::U8),
            "|b1" => Ok(Element::Bool),
            _ => Err(format!(
                "elements of type `{}`, expected one of <f4 <f8 |i1 <i2 <i4 <i8 |u1 <u2 <u4 <u8 |b1",
                super::table::shorten(name)
            )),
        }
    }

    fn size(self) -> usize {
        match self {
            Element::F8 | Element::I8 | Element::U8 => 8,
            Element::F4 | Element::I4 | Element::U4 => 4,
            Element::I2 | Element::U2 => 2,
            Element::I1 | Element::U1 | Element::Bool => 1,
        }
    }

    /// The number in `size()` bytes.
    fn read(self, bytes: &[u8]) -> Result<f64, &'static str> {
        // The largest integer up to which all are exact.
        const EXACT: u64 = 1 << 53;
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let [a, b, c, d, ..] = wide;
        let value = match self {
            Element::F8 => f64::from_le_bytes(wide),
            Element::F4 => f64::from(f32::from_le_bytes([a, b, c, d])),
            Element::I4 => f64::from(i32::from_le_bytes([a, b, c, d])),
            Element::I8 => {
                let integer = i64::from_le_bytes(wide);
                if integer.unsigned_abs() > EXACT {
                    return Err("an integer beyond 2^53 has no exact number");
                }
                integer as f64
            }
            Element::U8 => {
                let integer = u64::from_le_bytes(wide);
                if integer > EXACT {
                    return Err("an integer beyond 2^53 has no exact number");
                }
                integer as f64
            }
            Element::I1 => f64::from(a as i8),
            Element::I2 => f64::from(i16::from_le_bytes([a, b])),
            Element::U1 => f64::from(a),
            Element::U2 => f64::from(u16::from_le_bytes([a, b])),
            Element::U4 => f64::from(u32::from_le_bytes([a, b, c, d])),
            Element::Bool if a <= 1 => f64::from(a),
            Element::Bool => return Err("a truth value other than 0 and 1"),
        };
        Ok(value)
    }
}

struct Header {
    element: Element,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads the dictionary, which NumPy writes as Python text with the keys `descr`, `fortran_order` and `shape`.
    fn parse(text: &str) -> Result<Header, String> {
        let odd = || "the header is not a dictionary of descr, fortran_order and shape".to_string();
        let mut rest = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(odd)?.trim();
        let (mut element, mut fortran_order, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest).ok_or_else(odd)?;
            let value = after.trim_start().strip_prefix(':').ok_or_else(odd)?.trim_start();
            let (again, after) = match key {
                "descr" => {
                    let (name, after) = quoted(value).ok_or("structured elements are not supported")?;
                    (element.replace(Element::parse(name)?).is_some(), after)
                }
                "fortran_order" => {
                    let end = value.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(value.len());
                    let order = match &value[..end] {
                        "True" => true,
                        "False" => false,
                        _ => return Err(odd()),
                    };
                    (fortran_order.replace(order).is_some(), &value[end..])
                }
                "shape" => {
                    let (sizes, after) = value.strip_prefix('(').and_then(|v| v.split_once(')')).ok_or_else(odd)?;
                    (shape.replace(parse_shape(sizes)?).is_some(), after)
                }
                _ => return Err(odd()),
            };
            let after = after.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
            // Without a comma only the end may follow.
            if again || (!rest.is_empty() && !after.starts_with(',')) {
                return Err(odd());
            }
        }
        match (element, fortran_order, shape) {
            (Some(element), Some(fortran_order), Some(shape)) => Ok(Header { element, fortran_order, shape }),
            _ => Err(odd()),
        }
    }
}

/// A text in quotes at the start, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|letter| matches!(letter, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn parse_shape(sizes: &str) -> Result<Vec<usize>, String> {
    let sizes = sizes.trim();
    let sizes = sizes.strip_suffix(',').unwrap_or(sizes).trim();
    if sizes.is_empty() {
        return Ok(Vec::new());
    }
    let digits = |size: &&str| size.bytes().all(|letter| letter.is_ascii_digit());
    let shape: Option<Vec<usize>> =
        sizes.split(',').map(|size| Some(size.trim()).filter(digits)?.parse().ok()).collect();
    let shape = shape.ok_or("the shape is not a list of sizes")?;
    if shape.len() > 2 {
        return Err(format!("array of rank {}, expected at most 2", shape.len()));
    }
    Ok(shape)
}

fn to_row_major(values: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(values.len());
    for row in 0..rows {
        for col in 0..cols {
            out.push(values[col * rows + row]);
        }
    }
    out
}
