//! Which format a file has, by its first bytes.

use std::sync::Arc;

use super::arrays;
use super::error::DataError;
use super::idx;
use super::options::ReadOptions;
use super::origin::Format;
use super::read::Input;
use super::table::Table;

/// A file that was recognised.
pub(crate) enum Opened {
    /// A format that is read as a whole.
    Table(Box<Table>),
    /// A text, from its start.
    Text(Input),
}

/// Recognises the format.
pub(crate) fn open(input: Input, options: &ReadOptions) -> Result<Opened, DataError> {
    let most = options.max_memory;
    let unsupported = |file: String, what: &str, remedy: &str| {
        Err(DataError::Damaged { file, reason: format!("it is {what}, which is not read here: {remedy}") })
    };
    let is_idx = matches!(input.head[..], [0, 0, 8..=14, 1..=4, ..]);
    let is_images = matches!(input.head[..], [0, 0, 8..=14, 2..=4, ..]);
    if options.labels.is_some() && !is_images {
        let reason = "belongs to a file of images (IDX)".to_owned();
        return Err(DataError::BadArgument { name: "labels".into(), reason });
    }
    let compressed = input.compressed;
    let mut table = match input.head[..] {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
            let (file, bytes) = input.read_all(most)?;
            arrays::npy_table(&file, &bytes, options)?
        }
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] if input.plain_name.ends_with(".xlsx") => {
            return unsupported(input.file, "an Excel workbook", "save the sheet as CSV");
        }
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => {
            let (file, bytes) = input.read_all(most)?;
            arrays::npz_table(&file, &bytes, options)?
        }
        [0, 0, 8..=14, 1..=4, ..] => {
            let (file, bytes) = input.read_all(most)?;
            idx::table(&file, &bytes, options)?
        }
        [b'P', b'A', b'R', b'1', ..] if cfg!(feature = "parquet") => {
            return unsupported(input.file, "a Parquet file in a stream", "give the name of the file");
        }
        [b'P', b'A', b'R', b'1', ..] => {
            return unsupported(
                input.file,
                "a Parquet file",
                "build Chainrule with `--features parquet`, or save it as CSV",
            );
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            return unsupported(input.file, "compressed by zstd", "decompress it, or use gzip");
        }
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            return unsupported(input.file, "compressed by xz", "decompress it, or use gzip");
        }
        [b'B', b'Z', b'h', ..] if !input.head.contains(&b',') => {
            return unsupported(input.file, "compressed by bzip2", "decompress it, or use gzip");
        }
        _ => return Ok(Opened::Text(input)),
    };
    let origin = &mut Arc::make_mut(&mut table.layout).origin;
    origin.format = if is_idx { Format::Idx } else { Format::Numpy };
    origin.compressed = compressed;
    Ok(Opened::Table(Box::new(table)))
}
