//! A long table block by block: from a file, a compressed file or a pipe, in constant memory.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::delimited::{Header, MAX_FIELD, check_field, parse_records};
use super::error::DataError;
use super::formats::{self, Opened};
use super::json_lines;
use super::options::ReadOptions;
use super::origin::Origin;
use super::quotes::{Fields, SNIFFED};
use super::read::{Input, MAX_FILE_BYTES, io_error};
use super::table::{Layout, Table, line_ends, place_of_byte};

/// Bytes of text in a block, about.
const BLOCK: usize = 512 << 10;
/// Longest record.
const MAX_RECORD: usize = 256 << 20;
/// The beginning of a text by which its delimiter and its columns are recognised has at most so many bytes.
const SAMPLE: usize = 1 << 20;

/// Reads a table block by block.
pub struct TableReader {
    inner: Inner,
}

enum Inner {
    Text(Box<TextBlocks>),
    /// Formats that are read as a whole.
    Whole {
        layout: Arc<Layout>,
        table: Option<Box<Table>>,
    },
    #[cfg(feature = "parquet")]
    Parquet(Box<super::parquet::RowGroups>),
}

/// A part of a file that is not looked into yet: making it a table is the work that threads can share.
pub struct RawBlock(Raw);

enum Raw {
    Text { layout: Arc<Layout>, bytes: Vec<u8>, from: usize, lines: usize, at: Option<u64> },
    Table(Box<Table>),
}

/// Where a block stands in a file that is a plain text, so that it can be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockAt {
    byte: u64,
    bytes: usize,
    from: usize,
    lines: usize,
}

impl RawBlock {
    /// The rows of the block.
    ///
    /// # Errors
    /// Text that is not a table; see [`DataError`].
    pub fn parse(self) -> Result<Table, DataError> {
        match self.0 {
            Raw::Text { layout, bytes, from, lines, .. } if layout.delimiter.is_some() => {
                parse_records(layout, bytes, from, lines)
            }
            Raw::Text { layout, bytes, from, lines, .. } => json_lines::parse_lines(layout, bytes, from, lines),
            Raw::Table(table) => Ok(*table),
        }
    }

    /// Where it stands; nothing for formats and streams that cannot be entered in the middle.
    pub(crate) fn at(&self) -> Option<BlockAt> {
        match &self.0 {
            Raw::Text { bytes, from, lines, at, .. } => {
                at.map(|byte| BlockAt { byte, bytes: bytes.len(), from: *from, lines: *lines })
            }
            Raw::Table(_) => None,
        }
    }

    /// Reads a block again.
    pub(crate) fn again(layout: &Arc<Layout>, file: &mut File, at: BlockAt) -> Result<RawBlock, DataError> {
        let mut bytes = vec![0; at.bytes];
        let read = file.seek(SeekFrom::Start(at.byte)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|error| DataError::Io { file: layout.file.clone(), reason: error.to_string() })?;
        let layout = Arc::clone(layout);
        Ok(RawBlock(Raw::Text { layout, bytes, from: at.from, lines: at.lines, at: None }))
    }
}

impl TableReader {
    /// Opens a file of any format that [`Table::read`] knows. Text and Parquet are read block by block, other formats as
    /// a whole.
    ///
    /// # Errors
    /// A missing or unreadable file, or one without a header; see [`DataError`].
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<TableReader, DataError> {
        #[cfg(feature = "parquet")]
        if super::parquet::is_parquet(path.as_ref()) {
            let groups = super::parquet::RowGroups::open(path.as_ref(), options)?;
            return Ok(TableReader { inner: Inner::Parquet(Box::new(groups)) });
        }
        TableReader::of_input(Input::open(path.as_ref())?, options, false)
    }

    /// Reads from a stream; `file` is its name in messages (`-` for standard input). Blocks are given as the stream
    /// gives them, from the fiftieth line on, or from the first if `options` name the delimiter.
    ///
    /// # Errors
    /// As [`TableReader::open`].
    pub fn from_reader(
        file: &str,
        reader: Box<dyn Read + Send>,
        options: &ReadOptions,
    ) -> Result<TableReader, DataError> {
        TableReader::of_input(Input::of_reader(file.to_owned(), reader)?, options, false)
    }

    pub(super) fn of_input(input: Input, options: &ReadOptions, whole: bool) -> Result<TableReader, DataError> {
        options
            .check()
            .map_err(|(name, reason)| DataError::BadArgument { name: name.into(), reason: reason.into() })?;
        let inner = match formats::open(input, options)? {
            Opened::Table(table) => Inner::Whole { layout: Arc::clone(&table.layout), table: Some(table) },
            Opened::Text(input) => Inner::Text(Box::new(TextBlocks::new(input, options, whole)?)),
        };
        Ok(TableReader { inner })
    }

    pub(crate) fn layout(&self) -> &Arc<Layout> {
        match &self.inner {
            Inner::Text(blocks) => &blocks.layout,
            Inner::Whole { layout, .. } => layout,
            #[cfg(feature = "parquet")]
            Inner::Parquet(groups) => groups.layout(),
        }
    }

    /// Column names in file order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.layout().names
    }

    /// The name under which the file is read.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.layout().file
    }

    /// A table of these columns without rows, for what needs names alone.
    #[must_use]
    pub fn no_rows(&self) -> Table {
        Table::empty(Arc::clone(self.layout()))
    }

    /// The next part of the file, unread; none at its end.
    ///
    /// # Errors
    /// The system refuses, or a record is too long.
    pub fn next_raw(&mut self) -> Result<Option<RawBlock>, DataError> {
        match &mut self.inner {
            Inner::Text(blocks) => Ok(blocks.next()?.map(RawBlock)),
            Inner::Whole { table, .. } => Ok(table.take().map(|table| RawBlock(Raw::Table(table)))),
            #[cfg(feature = "parquet")]
            Inner::Parquet(groups) => Ok(groups.next()?.map(|table| RawBlock(Raw::Table(Box::new(table))))),
        }
    }

    /// The next rows; none at the end of the file. A block may have no rows.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn next_block(&mut self) -> Result<Option<Table>, DataError> {
        self.next_raw()?.map(RawBlock::parse).transpose()
    }
}

/// A text that is cut where records end.
struct TextBlocks {
    layout: Arc<Layout>,
    input: Input,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are the header.
    header: usize,
    /// Lines of the file before `buffer`.
    lines: usize,
    /// Bytes of the file before `buffer`, if it is a plain text.
    byte: Option<u64>,
    at_end: bool,
    whole: bool,
}

impl TextBlocks {
    fn new(input: Input, options: &ReadOptions, whole: bool) -> Result<TextBlocks, DataError> {
        let input = input.into_text(options)?;
        let names = Vec::new();
        let max_memory = options.max_memory.unwrap_or(u64::MAX);
        let numbers = super::options::Numbers::default();
        let empty = Layout {
            file: input.file.clone(),
            names,
            delimiter: None,
            numbers,
            ragged: options.ragged,
            max_memory,
            origin: Origin::default(),
        };
        let mut blocks = TextBlocks {
            layout: Arc::new(empty),
            byte: input.start,
            input,
            buffer: Vec::new(),
            header: 0,
            lines: 0,
            at_end: false,
            whole,
        };
        if whole {
            blocks.fill_all()?;
        }
        // With a delimiter one line is enough.
        let wanted = if options.delimiter.is_some() { 1 } else { SNIFFED + 2 };
        while !blocks.at_end && sample(&blocks.buffer, wanted).is_none() {
            blocks.fill(BLOCK)?;
        }
        blocks.read_header(options, wanted)?;
        Ok(blocks)
    }

    fn read_header(&mut self, options: &ReadOptions, wanted: usize) -> Result<(), DataError> {
        let file = self.input.file.clone();
        loop {
            if self.at_end && self.buffer.iter().all(u8::is_ascii_whitespace) {
                return Err(DataError::Empty { file });
            }
            let sampled = &self.buffer[..sample(&self.buffer, wanted).unwrap_or(self.buffer.len())];
            if json_lines::is_json(&self.input.plain_name, sampled) {
                let end = if self.at_end { Some(self.buffer.len()) } else { memchr::memrchr(b'\n', sampled) };
                if let Some(end) = end {
                    let lines = if self.whole { &self.buffer[..] } else { &self.buffer[..end.min(sampled.len())] };
                    self.layout = self.known(json_lines::layout(&file, lines, options)?);
                    return Ok(());
                }
                self.check_long()?;
                self.fill(self.buffer.len().max(BLOCK))?;
                continue;
            }
            if let Some(header) = Header::read(&file, &self.buffer, sampled, options, self.at_end)? {
                self.header = header.end;
                self.layout = self.known(header.layout);
                return Ok(());
            }
            self.check_long()?;
            self.fill(self.buffer.len().max(BLOCK))?;
        }
    }

    /// The layout with what is known of the file.
    fn known(&self, mut layout: Layout) -> Arc<Layout> {
        layout.origin.encoding = self.input.encoding;
        layout.origin.compressed = self.input.compressed;
        Arc::new(layout)
    }

    /// Reads what there is, up to so many bytes; a file gives all of them before its end.
    fn fill(&mut self, bytes: usize) -> Result<(), DataError> {
        let failed = |error: &std::io::Error| io_error(&self.input.file, error);
        let filled = self.buffer.len();
        let memory = |_| DataError::Memory { what: format!("reading {}", self.input.file), needed: bytes as u64 };
        self.buffer.try_reserve(bytes).map_err(memory)?;
        if self.input.patient {
            let mut reader = self.input.reader.by_ref().take(bytes as u64);
            reader.read_to_end(&mut self.buffer).map_err(|error| failed(&error))?;
            self.at_end = self.buffer.len() < filled + bytes;
            return Ok(());
        }
        self.buffer.resize(filled + bytes, 0);
        loop {
            match self.input.reader.read(&mut self.buffer[filled..]) {
                Ok(count) => {
                    self.at_end = count == 0;
                    self.buffer.truncate(filled + count);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    fn fill_all(&mut self) -> Result<(), DataError> {
        let most = self.layout.max_memory.min(MAX_FILE_BYTES);
        let expected = self.input.size.unwrap_or(0);
        self.buffer = super::read::read_to_end(&mut *self.input.reader, &self.input.file, expected, most)?;
        self.at_end = true;
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Raw>, DataError> {
        let mut more = BLOCK;
        loop {
            if self.at_end {
                if self.buffer.len() <= self.header {
                    return Ok(None);
                }
                let all = self.buffer.len();
                return Ok(Some(self.take(all)));
            }
            // Who waits at a pipe gets what there is; of a file blocks are filled.
            let is_ready = !self.input.patient && self.last_end() > self.header;
            if (self.buffer.len() < BLOCK && !is_ready) || more > BLOCK {
                self.fill(more)?;
            }
            if self.at_end {
                continue;
            }
            let end = self.last_end();
            if end > self.header {
                return Ok(Some(self.take(end)));
            }
            self.check_long()?;
            more = self.buffer.len().max(BLOCK + 1);
        }
    }

    /// The byte behind the last record that is complete.
    fn last_end(&self) -> usize {
        let text = &self.buffer[..];
        // The second half of a line end may be still to come.
        let open = usize::from(text.last() == Some(&b'\r'));
        let Some(delimiter) = self.layout.delimiter else {
            return memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
        };
        if memchr::memchr(b'"', &text[self.header..]).is_none() {
            let end = memchr::memrchr2(b'\n', b'\r', &text[..text.len() - open]);
            return end.map_or(0, |at| at + 1);
        }
        let mut end = 0;
        let mut fields = Fields::new(text, delimiter, self.header);
        while let Some(field) = fields.next() {
            if field.last && field.end < text.len() - open {
                end = fields.at();
            }
        }
        end
    }

    /// A block without the end of a record is refused if it cannot become a good one.
    fn check_long(&self) -> Result<(), DataError> {
        let (file, text) = (&self.layout.file, &self.buffer[..]);
        if text.len() <= MAX_FIELD {
            return Ok(());
        }
        let start = self.header;
        if let Some(delimiter) = self.layout.delimiter {
            for field in Fields::new(text, delimiter, start).filter(|field| field.end - field.start > MAX_FIELD) {
                check_field(file, text, &field, self.lines)?;
            }
        }
        let most = (MAX_RECORD as u64).min(self.layout.max_memory) as usize;
        if text.len() > most {
            let mut at = place_of_byte(file, text, start);
            at.line += self.lines;
            return Err(DataError::TooLarge { at: Box::new(at), what: format!("row of more than {most} bytes") });
        }
        Ok(())
    }

    fn take(&mut self, end: usize) -> Raw {
        let mut rest = Vec::with_capacity(if self.at_end { 0 } else { BLOCK + self.buffer.len() - end });
        rest.extend_from_slice(&self.buffer[end..]);
        self.buffer.truncate(end);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let (lines, from, at) = (self.lines, self.header, self.byte);
        self.header = 0;
        self.byte = at.map(|byte| byte + bytes.len() as u64);
        if !self.at_end {
            self.lines += line_ends(&bytes);
        }
        Raw::Text { layout: Arc::clone(&self.layout), bytes, from, lines, at }
    }
}

/// The beginning of a text with so many line ends, or of [`SAMPLE`] bytes; none if the text is shorter.
fn sample(text: &[u8], lines: usize) -> Option<usize> {
    let short = &text[..text.len().min(SAMPLE)];
    // A line end at the very end may have a second half, which changes nothing.
    let end = memchr::memchr2_iter(b'\n', b'\r', short).nth(2 * lines - 1).map(|at| at + 1);
    end.or((text.len() >= SAMPLE).then_some(SAMPLE))
}
