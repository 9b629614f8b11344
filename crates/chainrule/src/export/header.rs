//! The JSON header of a safetensors container, with sorted keys when written and no key twice when read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

pub(crate) const METADATA_KEY: &str = "__metadata__";

/// The header: texts, and where the tensors are.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Header {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tensors: BTreeMap<String, TensorInfo>,
}

/// Where a tensor is.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TensorInfo {
    pub(crate) dtype: String,
    pub(crate) shape: Vec<usize>,
    /// First byte and byte after the last, counted from the end of the header.
    pub(crate) data_offsets: (usize, usize),
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.tensors.len() + 1))?;
        map.serialize_entry(METADATA_KEY, &self.metadata)?;
        for (name, info) in &self.tensors {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut metadata = None;
        let mut tensors = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let twice = if name == METADATA_KEY {
                metadata.replace(map.next_value::<UniqueTexts>()?.0).is_some()
            } else {
                tensors.insert(name.clone(), map.next_value()?).is_some()
            };
            if twice {
                return Err(A::Error::custom(format!("name `{name}` is there twice")));
            }
        }
        Ok(Header { metadata: metadata.unwrap_or_default(), tensors })
    }
}

/// A map of texts in which no key is there twice.
struct UniqueTexts(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for UniqueTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor).map(UniqueTexts)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if texts.contains_key(&key) {
                return Err(A::Error::custom(format!("key `{key}` is there twice")));
            }
            texts.insert(key, value);
        }
        Ok(texts)
    }
}
