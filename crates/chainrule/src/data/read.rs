//! Opening a file with a table: what may be opened at all, decompression and encodings, with limits before allocation.

use std::fs::File;
use std::io::{BufReader, Cursor, Error, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::encoding::{Latin1, Utf16};
use super::error::DataError;
use super::options::{Encoding, ReadOptions};

/// Largest text that is read at once, in bytes: places in it are kept as 32-bit numbers.
pub(crate) const MAX_FILE_BYTES: u64 = u32::MAX as u64 - 1;

/// A compressed file may become this many times larger; deflate reaches 1032 for a single letter on and on.
const MAX_RATIO: u64 = 1000;
/// Less than this is never too much.
const SMALL: u64 = 1 << 20;

/// Bytes of a file, decompressed, from its start.
pub(crate) struct Input {
    /// Name for messages.
    pub(crate) file: String,
    /// Name without `.gz`, in small letters, for what its ending says.
    pub(crate) plain_name: String,
    pub(crate) reader: Box<dyn Read + Send>,
    /// Length of a regular file that is not compressed, for a first reservation.
    pub(crate) size: Option<u64>,
    /// It is a file: everything is there, and nobody waits for the beginning of an answer.
    pub(crate) patient: bool,
    /// The byte of the file at which `reader` is, where it gives the bytes of a file as they are.
    pub(crate) start: Option<u64>,
    /// The first bytes, which `reader` gives again.
    pub(crate) head: Vec<u8>,
    /// It is being decompressed.
    pub(crate) compressed: bool,
    /// Once it is read as a text.
    pub(crate) encoding: Option<Encoding>,
}

impl Input {
    /// Opens a regular file. A pipe, a device or a directory is refused at once instead of waiting for its end.
    pub(crate) fn open(path: &Path) -> Result<Input, DataError> {
        let file = path.display().to_string();
        let failed = |error: Error| io_error(&file, &error);
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            let kind =
                if metadata.is_dir() { "it is a directory" } else { "it is not a regular file (`-` reads a pipe)" };
            return Err(DataError::Io { file, reason: kind.to_string() });
        }
        let size = metadata.len();
        let opened = File::open(path).map_err(failed)?;
        // Files of the system have no length.
        let reader: Box<dyn Read + Send> =
            if size == 0 { Box::new(opened) } else { Box::new(Unchanged { file: opened, left: size }) };
        let mut input = Input::of_reader(file, reader)?;
        input.size = input.size.and(Some(size));
        input.patient = true;
        input.start = input.size.map(|_| 0);
        Ok(input)
    }

    /// Takes a stream of bytes from its start.
    pub(crate) fn of_reader(file: String, reader: Box<dyn Read + Send>) -> Result<Input, DataError> {
        let lower = file.to_lowercase();
        let plain_name = lower.strip_suffix(".gz").unwrap_or(&lower).to_owned();
        let (head, reader) = peek(&file, reader)?;
        if !head.starts_with(&[0x1f, 0x8b]) {
            return Ok(Input {
                file,
                plain_name,
                reader,
                size: Some(0),
                patient: false,
                start: None,
                head,
                compressed: false,
                encoding: None,
            });
        }
        let (head, reader) = peek(&file, Box::new(Unpacked::new(reader)))?;
        if head.starts_with(&[0x1f, 0x8b]) {
            return Err(DataError::Damaged { file, reason: "it is compressed twice".into() });
        }
        Ok(Input {
            file,
            plain_name,
            reader,
            size: None,
            patient: false,
            start: None,
            head,
            compressed: true,
            encoding: None,
        })
    }

    /// The rest as UTF-8 without a byte order mark.
    pub(crate) fn into_text(self, options: &ReadOptions) -> Result<Input, DataError> {
        let Input { file, plain_name, mut reader, size, patient, mut start, mut head, compressed, .. } = self;
        let mark = match head[..] {
            [0xef, 0xbb, 0xbf, ..] => Some((Encoding::Utf8, 3)),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some((Encoding::Utf16, 2)),
            _ => None,
        };
        let big_endian = head.starts_with(&[0xfe, 0xff]);
        let encoding = options.encoding.or(mark.map(|(encoding, _)| encoding));
        // A mark of another encoding than the one asked for is text.
        if let Some((found, length)) = mark
            && encoding == Some(found)
        {
            let mut skipped = [0; 3];
            reader.read_exact(&mut skipped[..length]).map_err(|error| io_error(&file, &error))?;
            head.drain(..length);
            start = start.map(|byte| byte + length as u64);
        }
        if !matches!(encoding, Some(Encoding::Utf8) | None) {
            start = None;
        }
        let reader: Box<dyn Read + Send> = match encoding {
            Some(Encoding::Utf16) => Box::new(Utf16::new(reader, big_endian)),
            Some(Encoding::Latin1) => Box::new(Latin1::new(reader)),
            Some(Encoding::Utf8) | None => reader,
        };
        let encoding = encoding.or(Some(Encoding::Utf8));
        Ok(Input { file, plain_name, reader, size, patient, start, head, compressed, encoding })
    }

    /// Everything.
    pub(crate) fn read_all(mut self, max_memory: Option<u64>) -> Result<(String, Vec<u8>), DataError> {
        let most = max_memory.map_or(MAX_FILE_BYTES, |most| most.min(MAX_FILE_BYTES));
        let bytes = read_to_end(&mut *self.reader, &self.file, self.size.unwrap_or(0), most)?;
        Ok((self.file, bytes))
    }
}

/// All bytes of a regular file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, DataError> {
    Input::open(path)?.read_all(None).map(|(_, bytes)| bytes)
}

/// All bytes of a reader, at most `most`. `expected` bytes are reserved first.
pub(crate) fn read_to_end(reader: &mut dyn Read, file: &str, expected: u64, most: u64) -> Result<Vec<u8>, DataError> {
    const CHUNK: usize = 1 << 20;
    let too_large = |needed: u64| DataError::Memory { what: format!("reading {file}"), needed };
    if expected > most {
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
        if filled as u64 > most {
            return Err(too_large(filled as u64));
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The error of a failed system call on a data file, or of a layer above it that found the bytes damaged.
pub(crate) fn io_error(file: &str, error: &Error) -> DataError {
    let (file, reason) = (file.to_string(), error.to_string());
    match error.kind() {
        ErrorKind::NotFound => DataError::NotFound { file },
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
            DataError::Damaged { file, reason }
        }
        _ => DataError::Io { file, reason },
    }
}

/// The first bytes, and a reader that gives them again.
fn peek(file: &str, mut reader: Box<dyn Read + Send>) -> Result<(Vec<u8>, Box<dyn Read + Send>), DataError> {
    const HEAD: u64 = 8;
    let mut head = Vec::new();
    reader.by_ref().take(HEAD).read_to_end(&mut head).map_err(|error| io_error(file, &error))?;
    let again = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(again)))
}

/// A regular file, which has the same length at its end as at its beginning.
struct Unchanged {
    file: File,
    left: u64,
}

impl Read for Unchanged {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let count = self.file.read(out)?;
        let changed = |how: &str| Err(Error::other(format!("it became {how} while it was read")));
        match self.left.checked_sub(count as u64) {
            None => return changed("longer"),
            Some(left) if count == 0 && left > 0 && !out.is_empty() => return changed("shorter"),
            Some(left) => self.left = left,
        }
        Ok(count)
    }
}

/// A compressed stream with a limit on how much it grows.
struct Unpacked {
    inner: MultiGzDecoder<BufReader<Counted>>,
    taken: Arc<AtomicU64>,
    given: u64,
}

impl Unpacked {
    fn new(packed: Box<dyn Read + Send>) -> Unpacked {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: packed, count: Arc::clone(&taken) };
        Unpacked { inner: MultiGzDecoder::new(BufReader::with_capacity(1 << 16, counted)), taken, given: 0 }
    }
}

impl Read for Unpacked {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let count = self.inner.read(out)?;
        self.given += count as u64;
        if self.given > SMALL + MAX_RATIO * self.taken.load(Ordering::Relaxed) {
            let reason = format!("it becomes more than {MAX_RATIO} times as large when it is decompressed");
            return Err(Error::new(ErrorKind::InvalidData, reason));
        }
        Ok(count)
    }
}

/// Counts the bytes that are read.
struct Counted {
    inner: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let count = self.inner.read(out)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
