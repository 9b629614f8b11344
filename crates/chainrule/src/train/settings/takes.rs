//! Which values a setting takes, and reading them from TOML and from words of a command line.

use toml::de::DeValue;

use crate::data::options::bytes;
use crate::model::preset::family::{Call, Family};
use crate::text::suggest::nearest;

/// A value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(u64),
    /// A number.
    Number(f64),
    /// A text, a path or a word.
    Text(String),
    /// Names.
    Names(Vec<String>),
    /// Whole numbers.
    Wholes(Vec<u64>),
}

impl Value {
    /// The text or word.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number; none for a word such as `auto`.
    #[must_use]
    pub fn whole(&self) -> Option<u64> {
        match self {
            Value::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// The whole number, which its setting keeps below 2^32; none for a word.
    #[must_use]
    pub fn count(&self) -> Option<u32> {
        self.whole().and_then(|number| u32::try_from(number).ok())
    }

    /// The number; none for a word.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Whole(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// The names, of a text the one name; none of them for another value.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match self {
            Value::Names(names) => names.clone(),
            Value::Text(name) => vec![name.clone()],
            _ => Vec::new(),
        }
    }

    /// The whole numbers, which their setting keeps below 2^32; none for a word.
    #[must_use]
    pub fn counts(&self) -> Option<Vec<u32>> {
        match self {
            Value::Wholes(list) => list.iter().map(|&number| u32::try_from(number).ok()).collect(),
            _ => None,
        }
    }

    /// Yes?
    #[must_use]
    pub fn is_true(&self) -> bool {
        *self == Value::Flag(true)
    }
}

/// Values that a setting takes beside its words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only its words.
    Word,
    /// Yes or no.
    Flag,
    /// Any text.
    Text,
    /// A name of the prelude, alone or as a call with arguments.
    Call(Family),
    /// A path; in a file relative to the folder of the file.
    Path,
    /// A whole number in a range.
    Whole {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A number of bytes, also as a text such as `500M`.
    Size,
    /// Seconds, also as a text such as `90s`, `10m` or `2h`.
    Time,
    /// A finite number in a range.
    Number {
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// A number from 0 to less than 1.
    Share,
    /// A number above 0.
    Positive,
    /// A share above 0, or a path.
    ShareOrPath,
    /// A list of texts.
    Names,
    /// A text, or a list of them.
    NameOrNames,
    /// A list of whole numbers of at least 1.
    Wholes {
        /// The most of each.
        most: u64,
    },
}

impl Kind {
    /// Does the command line take several values, parted by commas or with a flag for each?
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Kind::Names | Kind::NameOrNames | Kind::Wholes { .. })
    }
}

/// Which values a setting takes: one of the words, or one of the kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Takes {
    /// The words.
    pub words: &'static [&'static str],
    /// What else.
    pub kind: Kind,
}

impl Takes {
    /// What is taken, as the end of the sentence "it takes ...".
    #[must_use]
    pub fn describe(&self) -> String {
        let mut parts: Vec<String> = self.words.iter().map(|word| format!("`{word}`")).collect();
        match self.kind {
            Kind::Word => {}
            Kind::Flag => parts.push("`true`, `false`".to_owned()),
            Kind::Text => parts.push("a text".to_owned()),
            Kind::Call(family) => parts.push(family.about().to_owned()),
            Kind::Path => parts.push("a path".to_owned()),
            Kind::Whole { least, most } if most >= u64::from(u32::MAX) => {
                parts.push(format!("a whole number of at least {least}"));
            }
            Kind::Whole { least, most } => parts.push(format!("a whole number from {least} to {most}")),
            Kind::Number { least, most } if most == f64::MAX => parts.push(format!("a number of at least {least}")),
            Kind::Number { least, most } => parts.push(format!("a number from {least} to {most}")),
            Kind::Size => parts.push("a size such as `500M`".to_owned()),
            Kind::Time => parts.push("a time such as `90s`, `10m` or `2h`".to_owned()),
            Kind::Share => parts.push("a number from 0 to less than 1".to_owned()),
            Kind::Positive => parts.push("a number above 0".to_owned()),
            Kind::ShareOrPath => parts.push("a number between 0 and 1 or a path".to_owned()),
            Kind::Names => parts.push("a list of names".to_owned()),
            Kind::NameOrNames => parts.push("a name or a list of names".to_owned()),
            Kind::Wholes { .. } => parts.push("a list of whole numbers".to_owned()),
        }
        match parts.split_last() {
            Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
            _ => parts.concat(),
        }
    }

    fn word(&self, text: &str) -> Option<Value> {
        self.words.contains(&text).then(|| Value::Text(text.to_owned()))
    }

    /// The text if it begins with a name that is there.
    fn call(&self, text: &str) -> Option<Value> {
        let Kind::Call(family) = self.kind else { return None };
        family.names().contains(&Call::of(text).name).then(|| Value::Text(text.to_owned()))
    }

    fn in_range(&self, value: Value) -> Option<Value> {
        let fits = match (self.kind, &value) {
            (Kind::Whole { least, most }, Value::Whole(number)) => (least..=most).contains(number),
            (Kind::Size, Value::Whole(number)) => *number > 0,
            (Kind::Number { least, most }, Value::Number(number)) => (least..=most).contains(number),
            (Kind::Share, Value::Number(number)) => (0.0..1.0).contains(number),
            (Kind::Positive | Kind::Time, Value::Number(number)) => *number > 0.0 && number.is_finite(),
            (Kind::ShareOrPath, Value::Number(number)) => *number > 0.0 && *number < 1.0,
            (Kind::Wholes { most }, Value::Wholes(list)) => {
                !list.is_empty() && list.iter().all(|number| (1..=most).contains(number))
            }
            _ => false,
        };
        fits.then_some(value)
    }

    /// A value as TOML writes it.
    ///
    /// # Errors
    /// What is wrong, with what to do about it where that is known.
    pub fn of_toml(&self, value: &DeValue) -> Result<Value, Wrong> {
        let found = match (value, self.kind) {
            (DeValue::String(text), kind) => match self.word(text) {
                Some(word) => Some(word),
                None if matches!(kind, Kind::Text | Kind::Path | Kind::ShareOrPath | Kind::NameOrNames) => {
                    Some(Value::Text(text.to_string()))
                }
                None if kind == Kind::Size => bytes(text).map(Value::Whole),
                None if kind == Kind::Time => seconds(text).and_then(|number| self.in_range(Value::Number(number))),
                None if self.call(text).is_some() => self.call(text),
                None => return Err(self.wrong(&format!("\"{text}\""), Some(text))),
            },
            (DeValue::Boolean(flag), Kind::Flag) => Some(Value::Flag(*flag)),
            (DeValue::Integer(digits), Kind::Whole { .. } | Kind::Size) => {
                let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok();
                number.and_then(|number| self.in_range(Value::Whole(number)))
            }
            (DeValue::Integer(_) | DeValue::Float(_), _) => number(value).and_then(|n| self.in_range(Value::Number(n))),
            (DeValue::Array(list), Kind::Wholes { .. }) => {
                let numbers = list.iter().map(|item| match item.get_ref() {
                    DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
                    _ => None,
                });
                let numbers = numbers.collect::<Option<Vec<u64>>>();
                numbers.and_then(|numbers| self.in_range(Value::Wholes(numbers)))
            }
            (DeValue::Array(list), Kind::Names | Kind::NameOrNames) => {
                let names = list.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
                names.collect::<Option<Vec<String>>>().map(Value::Names)
            }
            _ => None,
        };
        found.ok_or_else(|| self.wrong(named(value), None))
    }

    /// A value as a word of a command line or of the environment writes it: quotes may be left out, and names may
    /// stand without brackets, parted by commas.
    ///
    /// # Errors
    /// What is wrong, with what to do about it where that is known.
    pub fn of_word(&self, text: &str) -> Result<Value, Wrong> {
        let toml = DeValue::parse(text).ok();
        let plain = match toml.as_ref().map(|value| value.get_ref()) {
            Some(DeValue::String(inner)) if text.starts_with(['"', '\'']) => inner.to_string(),
            _ => text.to_owned(),
        };
        let found = match (self.word(&plain), self.kind) {
            (Some(word), _) => Some(word),
            (_, Kind::Text | Kind::Path) => Some(Value::Text(plain)),
            (_, Kind::Size) => bytes(&plain).map(Value::Whole),
            (_, Kind::Time) => seconds(&plain).and_then(|number| self.in_range(Value::Number(number))),
            (_, Kind::Flag) => plain.parse().ok().map(Value::Flag),
            (_, Kind::Whole { .. }) => plain.parse().ok().and_then(|number| self.in_range(Value::Whole(number))),
            (_, Kind::Number { .. } | Kind::Share | Kind::Positive) => {
                plain.parse().ok().and_then(|number| self.in_range(Value::Number(number)))
            }
            (_, Kind::ShareOrPath) => match plain.parse() {
                Ok(number) => self.in_range(Value::Number(number)),
                Err(_) => Some(Value::Text(plain)),
            },
            (_, Kind::Wholes { .. }) => {
                let list = plain.trim_start_matches('[').trim_end_matches(']').split(',');
                let list = list.map(|number| number.trim().parse().ok()).collect::<Option<Vec<u64>>>();
                list.and_then(|list| self.in_range(Value::Wholes(list)))
            }
            (_, Kind::NameOrNames) if plain != text => Some(Value::Text(plain)),
            (_, Kind::Names | Kind::NameOrNames) => match toml.as_ref().map(|value| value.get_ref()) {
                Some(list @ DeValue::Array(_)) => return self.of_toml(list),
                _ if self.kind == Kind::NameOrNames && !plain.contains(',') => Some(Value::Text(plain)),
                _ => Some(Value::Names(plain.split(',').map(|name| name.trim().to_owned()).collect())),
            },
            (_, Kind::Call(_)) => self.call(&plain),
            (None, Kind::Word) => None,
        };
        found.ok_or_else(|| self.wrong(&format!("`{text}`"), Some(text)))
    }

    fn wrong(&self, found: &str, text: Option<&str>) -> Wrong {
        let names = match self.kind {
            Kind::Call(family) => family.names(),
            _ => Vec::new(),
        };
        let near = text.and_then(|text| nearest(Call::of(text).name, self.words.iter().copied().chain(names)));
        let list = match self.kind {
            Kind::Names | Kind::NameOrNames => Some("write it as `[\"one\", \"two\"]`".to_owned()),
            Kind::Wholes { .. } => Some("write it as `[64, 64]`".to_owned()),
            _ => None,
        };
        Wrong { message: format!("takes {}, not {found}", self.describe()), near, help: list }
    }
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// The end of a sentence whose subject is the setting.
    pub message: String,
    /// The word that was probably meant.
    pub near: Option<&'static str>,
    /// How it is written.
    pub help: Option<String>,
}

/// Seconds of a text such as `90`, `90s`, `1.5m` or `2h`.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let (digits, unit) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1.0),
        (at, 'm') => (&text[..at], 60.0),
        (at, 'h') => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    digits.trim().parse::<f64>().ok().map(|number| number * unit)
}

fn number(value: &DeValue) -> Option<f64> {
    match value {
        DeValue::Integer(digits) => digits.as_str().parse().ok(),
        DeValue::Float(digits) => digits.as_str().parse().ok(),
        _ => None,
    }
}

/// What a value is, for messages.
fn named(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "this number",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "this list",
        DeValue::Table(_) => "a section",
    }
}
