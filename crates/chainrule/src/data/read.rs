//! Whole files into memory, with limits before allocation.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::error::DataError;

/// Largest file that is read, in bytes: places in it are kept as 32-bit numbers.
pub(crate) const MAX_FILE_BYTES: u64 = u32::MAX as u64 - 1;

/// All bytes of a regular file. A pipe, a device or a directory is refused at once instead of waiting for its end.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, DataError> {
    let file = path.display().to_string();
    let failed = |error: std::io::Error| io_error(&file, &error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "it is a directory" } else { "it is not a regular file (`-` reads a pipe)" };
        return Err(DataError::Io { file, reason: kind.to_string() });
    }
    let bytes = metadata.len();
    let mut reader = File::open(path).map_err(failed)?;
    read_all(&mut reader, &file, bytes)
}

/// All bytes of a reader, at most [`MAX_FILE_BYTES`]. `expected` bytes are reserved first.
pub(crate) fn read_all(reader: &mut dyn Read, file: &str, expected: u64) -> Result<Vec<u8>, DataError> {
    const CHUNK: usize = 1 << 20;
    let too_large = |needed: u64| DataError::Memory { what: format!("reading {file}"), needed };
    if expected > MAX_FILE_BYTES {
        return Err(too_large(expected));
    }
    let mut bytes: Vec<u8> = Vec::new();
    bytes.try_reserve_exact(expected as usize + 1).map_err(|_| too_large(expected))?;
    let mut filled = 0;
    loop {
        // Room first, so that growing is by doubling and a refusal of memory is an error.
        if filled == bytes.len() {
            let room = (bytes.capacity() - bytes.len()).clamp(1, CHUNK);
            bytes.try_reserve(room).map_err(|_| too_large(filled as u64 + CHUNK as u64))?;
            let target = bytes.capacity().min(filled + CHUNK);
            bytes.resize(target, 0);
        }
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error(file, &error)),
        }
        if filled as u64 > MAX_FILE_BYTES {
            return Err(too_large(filled as u64));
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The error of a failed system call on a data file.
pub(crate) fn io_error(file: &str, error: &std::io::Error) -> DataError {
    match error.kind() {
        ErrorKind::NotFound => DataError::NotFound { file: file.to_string() },
        _ => DataError::Io { file: file.to_string(), reason: error.to_string() },
    }
}
