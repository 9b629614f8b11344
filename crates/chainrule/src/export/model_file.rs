//! The model file: named tensors and texts in a safetensors container, with a checksum over every byte.
//!
//! Layout: 8 bytes little-endian length of the header, the header (JSON, keys sorted, blanks to a multiple of 8 bytes),
//! the tensors (f64 before f32, by name). Equal contents give equal bytes. The header's `__metadata__` holds two keys of
//! the file itself, `format` and `chainrule.sha256`; the latter is the SHA-256 of the file with zeros in its place.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use super::atomic::{io_error, write_atomically};
use super::error::FileError;
use super::header::{Header, TensorInfo};

/// Format of the files this release writes and reads, before the slash the family and after it the major version.
pub const FORMAT: &str = "chainrule/1";
/// Metadata key of the release that wrote a file, for a message to releases that cannot read it.
pub const RELEASE_KEY: &str = "chainrule.version";

const FORMAT_KEY: &str = "format";
const DIGEST_KEY: &str = "chainrule.sha256";
/// How the digest's value begins in the header. Quotes inside JSON strings are escaped, so nothing else reads like it.
const DIGEST_START: &[u8] = b"\"chainrule.sha256\":\"";
const DIGEST_LENGTH: usize = 64;
const MAX_HEADER: usize = 16 << 20;

/// What a model file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelFile {
    /// Texts by key; `format` and `chainrule.sha256` belong to the file itself and may not be among them.
    pub metadata: BTreeMap<String, String>,
    /// Tensors in any order; after reading, by name.
    pub tensors: Vec<Tensor>,
}

/// A named array.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name, different from all others.
    pub name: String,
    /// Sizes of the dimensions; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements in row-major order, as many as the product of the shape.
    pub data: TensorData,
}

/// Elements of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

/// Whether weights may be infinite or not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonFinite {
    /// They are an error.
    Refuse,
    /// They are kept.
    Allow,
}

impl TensorData {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            TensorData::F32(values) => values.len(),
            TensorData::F64(values) => values.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bytes_per_element(&self) -> usize {
        match self {
            TensorData::F32(_) => 4,
            TensorData::F64(_) => 8,
        }
    }

    fn first_non_finite(&self) -> Option<usize> {
        match self {
            TensorData::F32(values) => values.iter().position(|value| !value.is_finite()),
            TensorData::F64(values) => values.iter().position(|value| !value.is_finite()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            TensorData::F32(values) => values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes())),
            TensorData::F64(values) => values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes())),
        }
    }
}

impl ModelFile {
    /// The tensor of this name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The bytes of the file; equal contents give equal bytes.
    ///
    /// # Errors
    /// Weights that are not finite, two tensors of one name, a shape that does not fit its elements, a reserved key, or
    /// a header of more than 16 MiB.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FileError> {
        self.to_bytes_with(NonFinite::Refuse)
    }

    /// As [`ModelFile::to_bytes`], with a choice about weights that are not finite.
    ///
    /// # Errors
    /// As [`ModelFile::to_bytes`].
    pub fn to_bytes_with(&self, non_finite: NonFinite) -> Result<Vec<u8>, FileError> {
        let mut tensors: Vec<&Tensor> = self.tensors.iter().collect();
        // Elements of 8 bytes first: every tensor is aligned in the file.
        tensors.sort_by_key(|tensor| (8 - tensor.data.bytes_per_element(), &tensor.name));
        let header = self.header(&tensors, non_finite)?;
        let mut json = serde_json::to_vec(&header)
            .map_err(|error| FileError::Content { reason: format!("header cannot be written: {error}") })?;
        json.resize(json.len().next_multiple_of(8), b' ');
        if json.len() > MAX_HEADER {
            let reason = format!("header of {} bytes, at most {MAX_HEADER} are allowed", json.len());
            return Err(FileError::Content { reason });
        }
        let elements: usize = tensors.iter().map(|tensor| tensor.data.len() * tensor.data.bytes_per_element()).sum();
        let mut bytes = Vec::new();
        let total = 8 + json.len() + elements;
        bytes.try_reserve_exact(total).map_err(|_| FileError::Io {
            file: "the model in memory".to_string(),
            action: "write",
            reason: "out of memory".to_string(),
            bytes: total as u64,
        })?;
        bytes.extend_from_slice(&(json.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&json);
        for tensor in tensors {
            tensor.data.write(&mut bytes);
        }
        let at = digest_position(&bytes, 8 + json.len())?;
        let digest = digest_of(&bytes, at);
        bytes[at..at + DIGEST_LENGTH].copy_from_slice(&digest);
        Ok(bytes)
    }

    fn header(&self, tensors: &[&Tensor], non_finite: NonFinite) -> Result<Header, FileError> {
        let content = |reason: String| FileError::Content { reason };
        let mut header = Header { metadata: self.metadata.clone(), ..Header::default() };
        for (key, value) in [(FORMAT_KEY, FORMAT.to_string()), (DIGEST_KEY, "0".repeat(DIGEST_LENGTH))] {
            if header.metadata.insert(key.to_string(), value).is_some() {
                return Err(content(format!("metadata key `{key}` is reserved")));
            }
        }
        let mut start = 0;
        for tensor in tensors {
            let Tensor { name, shape, data } = tensor;
            let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
            // A size beside a zero could be anything, and loops over it need not end.
            if count != Some(data.len()) || data.is_empty() {
                return Err(content(format!("tensor `{name}` of shape {shape:?} has {} elements", data.len())));
            }
            if let (NonFinite::Refuse, Some(index)) = (non_finite, data.first_non_finite()) {
                return Err(FileError::NonFinite { tensor: name.clone(), index });
            }
            let end = start + data.len() * data.bytes_per_element();
            let dtype = if data.bytes_per_element() == 8 { "F64" } else { "F32" }.to_string();
            let info = TensorInfo { dtype, shape: shape.clone(), data_offsets: (start, end) };
            if name == super::header::METADATA_KEY || header.tensors.insert(name.clone(), info).is_some() {
                return Err(content(format!("tensor name `{name}` is used twice or reserved")));
            }
            start = end;
        }
        Ok(header)
    }

    /// Reads the bytes of a file. The checksum is verified before anything in the header is believed.
    ///
    /// # Errors
    /// See [`FileError`]; every changed, missing or added byte is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<ModelFile, FileError> {
        ModelFile::from_bytes_with(bytes, NonFinite::Refuse)
    }

    /// As [`ModelFile::from_bytes`], with a choice about weights that are not finite.
    ///
    /// # Errors
    /// As [`ModelFile::from_bytes`].
    pub fn from_bytes_with(bytes: &[u8], non_finite: NonFinite) -> Result<ModelFile, FileError> {
        let damaged = |section, reason: &str| FileError::Damaged { section, reason: reason.to_string() };
        let length = bytes.first_chunk().ok_or_else(|| damaged("length", "fewer than 8 bytes"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_HEADER || length > bytes.len() - 8 {
            return Err(damaged("length", "the header is longer than the file or than 16 MiB"));
        }
        let at = digest_position(bytes, 8 + length)?;
        if digest_of(bytes, at) != bytes[at..at + DIGEST_LENGTH] {
            return Err(damaged("checksum", "the bytes are not those that were written"));
        }
        let Header { mut metadata, tensors: infos } = serde_json::from_slice(&bytes[8..8 + length])
            .map_err(|error| FileError::Damaged { section: "header", reason: error.to_string() })?;
        check_format(&metadata)?;
        metadata.remove(FORMAT_KEY);
        metadata.remove(DIGEST_KEY);
        let views = SafeTensors::deserialize(bytes)
            .map_err(|error| FileError::Damaged { section: "tensors", reason: error.to_string() })?;
        let mut tensors = Vec::with_capacity(infos.len());
        for (name, info) in infos {
            let view = views.tensor(&name).map_err(|_| damaged("tensors", "two lists of names differ"))?;
            let data = read_elements(&name, view.dtype(), view.data())?;
            if data.is_empty() {
                return Err(damaged("tensors", "a tensor has no elements"));
            }
            if let (NonFinite::Refuse, Some(index)) = (non_finite, data.first_non_finite()) {
                return Err(FileError::NonFinite { tensor: name, index });
            }
            tensors.push(Tensor { name, shape: info.shape, data });
        }
        Ok(ModelFile { metadata, tensors })
    }

    /// Saves the file so that a crash at any moment leaves the old or the new one; see [`write_atomically`].
    ///
    /// # Errors
    /// As [`ModelFile::to_bytes`], and any failure of the system.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        write_atomically(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a file; see [`ModelFile::from_bytes`].
    ///
    /// # Errors
    /// As [`ModelFile::from_bytes`], and any failure of the system.
    pub fn load(path: impl AsRef<Path>) -> Result<ModelFile, FileError> {
        ModelFile::from_bytes(&read_bytes(path.as_ref())?)
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => FileError::NotFound { file: path.display().to_string() },
        _ => io_error(path, "read", 0, &error),
    })?;
    let length = metadata.len();
    let failed = |error: std::io::Error| io_error(path, "read", length, &error);
    let refused = |reason: &str| failed(std::io::Error::other(reason.to_string()));
    // A pipe or a device could go on for ever.
    if !metadata.is_file() {
        return Err(refused("it is not a regular file"));
    }
    let mut file = File::open(path).map_err(failed)?;
    // Told by the first bytes, so that a huge file of another kind is not read.
    let mut start = [0; 8];
    match file.read_exact(&mut start) {
        Ok(()) if u64::from_le_bytes(start) <= MAX_HEADER as u64 => {}
        Ok(()) => return Err(FileError::NotAModel { reason: "it does not begin with a header".to_string() }),
        Err(_) => return Err(FileError::Damaged { section: "length", reason: "fewer than 8 bytes".to_string() }),
    }
    let mut bytes = Vec::new();
    let room = usize::try_from(length).map_err(|_| refused("out of memory"))?;
    bytes.try_reserve_exact(room).map_err(|_| refused("out of memory"))?;
    bytes.extend_from_slice(&start);
    // At most the length seen above: a file that grows meanwhile is not complete and fails its checksum.
    file.take(length.saturating_sub(8)).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Where the digest's characters begin; there must be exactly one such place.
fn digest_position(bytes: &[u8], header_end: usize) -> Result<usize, FileError> {
    let header = &bytes[8..header_end];
    let mut places = header.windows(DIGEST_START.len()).enumerate().filter(|(_, window)| *window == DIGEST_START);
    match (places.next(), places.next()) {
        (Some((at, _)), None) if at + DIGEST_START.len() + DIGEST_LENGTH <= header.len() => {
            Ok(8 + at + DIGEST_START.len())
        }
        (Some(_), _) => {
            Err(FileError::Damaged { section: "checksum", reason: "it is cut off or there twice".to_string() })
        }
        (None, _) => Err(FileError::NotAModel { reason: format!("its header has no `{DIGEST_KEY}`") }),
    }
}

/// SHA-256 in hexadecimal over all bytes, zeros standing for the digest's own characters at `at`.
fn digest_of(bytes: &[u8], at: usize) -> [u8; DIGEST_LENGTH] {
    let mut hash = Sha256::new();
    hash.update(&bytes[..at]);
    hash.update([b'0'; DIGEST_LENGTH]);
    hash.update(&bytes[at + DIGEST_LENGTH..]);
    let mut text = [0; DIGEST_LENGTH];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash.finalize()) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    text
}

fn check_format(metadata: &BTreeMap<String, String>) -> Result<(), FileError> {
    let format = metadata.get(FORMAT_KEY).map_or("", String::as_str);
    if format == FORMAT {
        return Ok(());
    }
    let version = format.strip_prefix("chainrule/").and_then(|version| version.parse::<u32>().ok());
    match version {
        Some(version) if version > 1 => {
            Err(FileError::Newer { format: format.to_string(), release: metadata.get(RELEASE_KEY).cloned() })
        }
        _ => Err(FileError::NotAModel { reason: format!("its format is `{format}`") }),
    }
}

fn read_elements(name: &str, dtype: Dtype, bytes: &[u8]) -> Result<TensorData, FileError> {
    match dtype {
        Dtype::F32 => {
            let values = bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk));
            Ok(TensorData::F32(values.collect()))
        }
        Dtype::F64 => {
            let values = bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk));
            Ok(TensorData::F64(values.collect()))
        }
        other => {
            let reason = format!("`{name}` has elements of type {other}, expected F32 or F64");
            Err(FileError::Damaged { section: "tensors", reason })
        }
    }
}
