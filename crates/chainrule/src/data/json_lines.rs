//! JSON Lines: an object in each line, its keys are the columns.

use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::delimited::{MAX_COLUMNS, MAX_FIELD, decode};
use super::error::DataError;
use super::options::{Numbers, ReadOptions};
use super::origin::{Format, Origin};
use super::read::MAX_FILE_BYTES;
use super::table::{Layout, Table, place_of_byte, shorten};

/// Whether a text with this name that begins like this is JSON and no delimited text.
pub(crate) fn is_json(plain_name: &str, sample: &[u8]) -> bool {
    let text = sample.trim_ascii_start();
    let ending = |list: &[&str]| list.iter().any(|ending| plain_name.ends_with(ending));
    let begins = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    begins.is_some_and(|rest| matches!(rest, [b'"' | b'}', ..])) || ending(&[".jsonl", ".ndjson", ".json"])
}

/// Keys and values of one object, in order; values as they are written.
struct Object<'a>(Vec<(std::borrow::Cow<'a, str>, &'a RawValue)>);

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object in each line")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Key(key), value)) = map.next_entry::<Key, &'de RawValue>()? {
            pairs.push((key, value));
        }
        Ok(Object(pairs))
    }
}

/// A key, borrowed where nothing is escaped in it.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

impl<'a> Object<'a> {
    fn parse(line: &'a str) -> Result<Object<'a>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let object = deserializer.deserialize_map(ObjectVisitor)?;
        deserializer.end()?;
        Ok(object)
    }
}

/// A text that is read line by line.
struct Lines<'a> {
    file: &'a str,
    text: &'a str,
    /// Lines of the file before the text.
    before: usize,
}

impl<'a> Lines<'a> {
    /// The objects of the lines that are not blank, with the bytes at which they start.
    fn objects(&self, from: usize) -> impl Iterator<Item = Result<(usize, Object<'a>), DataError>> {
        let mut start = from;
        self.text[from..].split_inclusive('\n').filter_map(move |line| {
            let at = start;
            start += line.len();
            if line.trim().is_empty() {
                return None;
            }
            Some(Object::parse(line.trim_end()).map(|object| (at, object)).map_err(|error| {
                let byte = at + line.char_indices().nth(error.column().max(1) - 1).map_or(line.len(), |(byte, _)| byte);
                // The library adds the place within its own text.
                let text = error.to_string();
                let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
                self.bad(byte.min(self.text.len()), reason)
            }))
        })
    }

    fn bad(&self, byte: usize, reason: String) -> DataError {
        let mut at = place_of_byte(self.file, self.text.as_bytes(), byte);
        at.line += self.before;
        DataError::Json { at: Box::new(at), reason }
    }

    /// The byte of the text at which a part of it starts.
    fn byte_of(&self, part: &str) -> usize {
        part.as_ptr() as usize - self.text.as_ptr() as usize
    }
}

/// The columns: every key of whole lines in the order of its first appearance.
pub(crate) fn layout(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Layout, DataError> {
    let text = decode(file, bytes.to_vec(), 0)?;
    let lines = Lines { file, text: &text, before: 0 };
    let mut names: Vec<String> = Vec::new();
    let mut seen: FxHashMap<String, ()> = FxHashMap::default();
    for object in lines.objects(0) {
        let (start, object) = object?;
        for (key, value) in &object.0 {
            if !seen.contains_key(key.as_ref()) {
                if key.trim().is_empty() {
                    return Err(lines.bad(lines.byte_of(value.get()), "a key without a name".into()));
                }
                if names.len() == MAX_COLUMNS {
                    return Err(lines.bad(start, format!("more than {MAX_COLUMNS} different keys")));
                }
                seen.insert(key.to_string(), ());
                names.push(key.to_string());
            }
        }
    }
    if names.is_empty() {
        return Err(DataError::HeaderOnly { file: file.to_owned() });
    }
    let max_memory = options.max_memory.unwrap_or(u64::MAX);
    Ok(Layout {
        file: file.to_owned(),
        names,
        delimiter: None,
        numbers: Numbers::default(),
        ragged: options.ragged,
        max_memory,
        origin: Origin { format: Format::JsonLines, ..Origin::default() },
    })
}

/// The objects of a text from byte `from` on, as rows: a missing key and `null` are missing values, keys that are no
/// columns are passed over.
pub(crate) fn parse_lines(layout: Arc<Layout>, bytes: Vec<u8>, from: usize, before: usize) -> Result<Table, DataError> {
    let file = layout.file.clone();
    let memory = |needed: u64| DataError::Memory { what: format!("reading {file}"), needed };
    if bytes.len() as u64 > MAX_FILE_BYTES / 2 {
        return Err(memory(bytes.len() as u64));
    }
    let source = decode(&file, bytes, before)?;
    let columns = layout.names.len();
    let places: FxHashMap<&str, usize> = layout.names.iter().map(String::as_str).zip(0..).collect();
    let mut table = Table { lines_before: before, ..Table::empty(Arc::clone(&layout)) };
    let lines = Lines { file: &file, text: &source, before };
    let missing = source.len() as u32;
    for object in lines.objects(from) {
        let (start, object) = object?;
        let first = table.cells.len();
        let needed = 8 * (first + columns) as u64 + source.len() as u64;
        if needed > layout.max_memory || table.cells.try_reserve(columns).is_err() {
            return Err(memory(needed));
        }
        table.cells.resize(first + columns, (missing, missing));
        let mut filled = vec![false; if object.0.len() > 1 { columns } else { 0 }];
        for (key, value) in &object.0 {
            let Some(&column) = places.get(key.as_ref()) else { continue };
            if let Some(filled) = filled.get_mut(column)
                && std::mem::replace(filled, true)
            {
                return Err(lines.bad(lines.byte_of(value.get()), format!("second value of `{}`", shorten(key))));
            }
            table.cells[first + column] = cell(&lines, value.get(), &mut table.loose)?;
        }
        table.starts.push(start as u32);
        table.order.push(table.order.len() as u32);
    }
    table.source = source;
    Ok(table)
}

/// Where the text of a value stands: in the source, or in `loose` if something is escaped in it.
fn cell(lines: &Lines<'_>, value: &str, loose: &mut String) -> Result<(u32, u32), DataError> {
    let (start, end) = (lines.byte_of(value), lines.byte_of(value) + value.len());
    if value.len() > MAX_FIELD {
        return Err(lines.bad(start, format!("value of more than {MAX_FIELD} bytes")));
    }
    let (start, end) = match value.as_bytes() {
        [b'{' | b'[', ..] => {
            return Err(
                lines.bad(start, "a value within a value; a cell is a number, a text, true, false or null".into())
            );
        }
        b"null" => (end, end),
        [b'"', ..] if !value.contains('\\') => (start + 1, end - 1),
        [b'"', ..] => {
            let text: String = serde_json::from_str(value).map_err(|error| lines.bad(start, error.to_string()))?;
            let start = lines.text.len() + loose.len();
            loose.push_str(&text);
            (start, lines.text.len() + loose.len())
        }
        _ => (start, end),
    };
    Ok((start as u32, end as u32))
}
