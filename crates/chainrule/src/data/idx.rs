//! IDX files, the format of the MNIST images: arrays of up to four dimensions, big-endian.
//!
//! Source: the description at the end of LeCun, Cortes and Burges, "The MNIST database of handwritten digits".

use std::path::Path;

use super::arrays::Cells;
use super::delimited::MAX_COLUMNS;
use super::error::DataError;
use super::options::ReadOptions;
use super::read::Input;
use super::table::Table;

/// An array in a file.
struct Idx<'a> {
    element: u8,
    sizes: Vec<usize>,
    values: &'a [u8],
}

impl<'a> Idx<'a> {
    fn parse(file: &str, bytes: &'a [u8]) -> Result<Idx<'a>, DataError> {
        let damaged = |reason: String| DataError::Damaged { file: file.to_owned(), reason };
        let &[0, 0, element, dims, ref rest @ ..] = bytes else {
            return Err(damaged("it is not an IDX file: the first two bytes are not zero".into()));
        };
        let size = match element {
            0x08 | 0x09 => 1,
            0x0b => 2,
            0x0c | 0x0d => 4,
            0x0e => 8,
            _ => return Err(damaged(format!("IDX has no element type 0x{element:02x}"))),
        };
        let dims = usize::from(dims);
        if !(1..=4).contains(&dims) {
            return Err(damaged(format!("an IDX array of {dims} dimensions, expected 1 to 4")));
        }
        let header = rest.get(..4 * dims).ok_or_else(|| damaged("it ends within the sizes".into()))?;
        let sizes: Vec<usize> =
            header.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize).collect();
        let values = &rest[4 * dims..];
        let needed = sizes.iter().try_fold(size, |all: usize, &one| all.checked_mul(one));
        if needed != Some(values.len()) {
            return Err(damaged(format!("sizes {sizes:?} do not fit the {} bytes that follow", values.len())));
        }
        Ok(Idx { element, sizes, values })
    }

    fn width(&self) -> usize {
        self.sizes[1..].iter().product()
    }

    fn number(&self, index: usize) -> f64 {
        let bytes = |size: usize| &self.values[index * size..(index + 1) * size];
        let four = || {
            let b = bytes(4);
            [b[0], b[1], b[2], b[3]]
        };
        match self.element {
            0x08 => f64::from(self.values[index]),
            0x09 => f64::from(self.values[index] as i8),
            0x0b => f64::from(i16::from_be_bytes([bytes(2)[0], bytes(2)[1]])),
            0x0c => f64::from(i32::from_be_bytes(four())),
            0x0d => f64::from(f32::from_be_bytes(four())),
            _ => {
                let mut wide = [0; 8];
                wide.copy_from_slice(bytes(8));
                f64::from_be_bytes(wide)
            }
        }
    }
}

/// The array of a file, with the labels of another one beside it: a row for each element of the first dimension, with
/// columns `p0`, `p1` and so on, or `label` where there is one dimension.
pub(crate) fn table(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Table, DataError> {
    let images = Idx::parse(file, bytes)?;
    let damaged = |reason: String| Err(DataError::Damaged { file: file.to_owned(), reason });
    let (rows, width) = (images.sizes[0], images.width());
    let is_labels = images.sizes.len() == 1;
    if width == 0 || width >= MAX_COLUMNS {
        return damaged(format!("{width} numbers in a row, at most {MAX_COLUMNS} columns are allowed"));
    }
    let mut names: Vec<String> =
        if is_labels { vec!["label".to_owned()] } else { (0..width).map(|pixel| format!("p{pixel}")).collect() };
    let labels = options.labels.as_deref().map(|path| read_labels(path, options)).transpose()?;
    let labels = labels.as_ref().map(|(name, bytes)| Idx::parse(name, bytes)).transpose()?;
    if let Some(labels) = &labels {
        if labels.sizes != [rows] {
            return damaged(format!("{rows} rows, and labels of sizes {:?}", labels.sizes));
        }
        names.push("label".to_owned());
    }
    let mut cells = Cells::new(file, names, options, 0)?;
    for row in 0..rows {
        (row * width..(row + 1) * width).for_each(|index| cells.number(images.number(index)));
        if let Some(labels) = &labels {
            cells.number(labels.number(row));
        }
        cells.end_row()?;
    }
    Ok(cells.finish())
}

fn read_labels(path: &Path, options: &ReadOptions) -> Result<(String, Vec<u8>), DataError> {
    Input::open(path)?.read_all(options.max_memory)
}
