//! The JSON Schema of a configuration, for editors.

use serde_json::{Map, Value as Json, json};

use super::takes::{Kind, Takes};
use super::{SETTINGS, Setting};

/// The JSON Schema (draft 2020-12) of a configuration.
#[must_use]
pub fn schema() -> Json {
    let mut root = section();
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["$id"] = json!("chainrule.config/1");
    root["title"] = json!("Configuration of a run of Chainrule");
    root["properties"]["schema"] = json!({ "const": 1, "description": "The version of the keys" });
    for setting in SETTINGS {
        insert(&mut root, &setting.key.split('.').collect::<Vec<&str>>(), setting);
    }
    root["properties"]["tune"] = json!({
        "type": "object",
        "description": "What `chainrule tune` searches",
        "additionalProperties": false,
        "properties": { "space": { "type": "object", "description":
            "A key for each setting: a list of values, or `{ from, to, scale = \"linear\" | \"log\" }`" } },
    });
    root
}

fn section() -> Json {
    json!({ "type": "object", "additionalProperties": false, "properties": {} })
}

fn insert(object: &mut Json, path: &[&str], setting: &Setting) {
    match path {
        [name] => object["properties"][*name] = leaf(setting),
        ["*", rest @ ..] => {
            if !object["additionalProperties"].is_object() {
                object["additionalProperties"] = section();
            }
            insert(&mut object["additionalProperties"], rest, setting);
        }
        [name, rest @ ..] => {
            if object["properties"][*name].is_null() {
                object["properties"][*name] = section();
            }
            insert(&mut object["properties"][*name], rest, setting);
        }
        [] => {}
    }
}

fn leaf(setting: &Setting) -> Json {
    let mut schema = value(&setting.takes);
    schema.insert("description".to_owned(), json!(setting.about));
    if let Some(default) = setting.default.and_then(|toml| toml.parse_json()) {
        schema.insert("default".to_owned(), default);
    }
    Json::Object(schema)
}

/// Defaults are written so that TOML and JSON agree.
trait ParseJson {
    fn parse_json(&self) -> Option<Json>;
}

impl ParseJson for &str {
    fn parse_json(&self) -> Option<Json> {
        serde_json::from_str(self).ok()
    }
}

fn names() -> Json {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn value(takes: &Takes) -> Map<String, Json> {
    let kind = match takes.kind {
        Kind::Word => None,
        Kind::Flag => Some(json!({ "type": "boolean" })),
        Kind::Text | Kind::Path | Kind::Call(_) => Some(json!({ "type": "string" })),
        Kind::Whole { least, most } => Some(json!({ "type": "integer", "minimum": least, "maximum": most })),
        Kind::Number { least, most } if most == f64::MAX => Some(json!({ "type": "number", "minimum": least })),
        Kind::Number { least, most } => Some(json!({ "type": "number", "minimum": least, "maximum": most })),
        Kind::Size => Some(json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string" }] })),
        Kind::Time => Some(json!({ "anyOf": [{ "type": "number", "exclusiveMinimum": 0 }, { "type": "string" }] })),
        Kind::Share => Some(json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 })),
        Kind::Positive => Some(json!({ "type": "number", "exclusiveMinimum": 0 })),
        Kind::ShareOrPath => Some(json!({ "anyOf": [
            { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }, { "type": "string" }] })),
        Kind::Names => Some(names()),
        Kind::NameOrNames => Some(json!({ "anyOf": [{ "type": "string" }, names()] })),
        Kind::Wholes { most } => Some(json!({ "type": "array", "minItems": 1,
            "items": { "type": "integer", "minimum": 1, "maximum": most } })),
    };
    let words = (!takes.words.is_empty()).then(|| json!({ "enum": takes.words }));
    let schema = match (words, kind) {
        (Some(words), Some(kind)) => json!({ "anyOf": [words, kind] }),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => json!({}),
    };
    schema.as_object().cloned().unwrap_or_default()
}
