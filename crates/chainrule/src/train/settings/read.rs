//! A configuration as values of settings, with the place of every fault.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::layers::{Given, Key, Origin};
use super::takes::{Kind, Value, Wrong};
use super::{SETTINGS, Setting};
use crate::text::diagnostic::{Diagnostic, Span};
use crate::text::suggest::nearest;

/// The version of the keys; a configuration says it in its first line.
const VERSION: &str = "1";
/// The section of a search for settings, which is not a setting of one run.
const SPACE: [&str; 2] = ["tune", "space"];

/// What a configuration says.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// Values of settings, in the order of the text.
    pub given: Vec<Given>,
    /// The space that `tune` searches.
    pub space: Vec<Range>,
}

/// Values of one setting that a search tries.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// Which setting.
    pub key: Key,
    /// The values to choose from; of a range its two ends.
    pub values: Vec<Value>,
    /// Anything between two numbers, by their logarithms if true.
    pub between: Option<bool>,
}

/// Why something is not a value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Stable code, `E010` to `E012`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    pub(super) fn value(name: &str, wrong: Wrong) -> Fault {
        let near = wrong.near.map(|near| format!("did you mean `{near}`?"));
        Fault { code: "E012", message: format!("`{name}` {}", wrong.message), help: near.or(wrong.help) }
    }

    fn unknown(path: &[&str]) -> Fault {
        let key = path.join(".");
        let last = path.last().copied().unwrap_or_default();
        let section = path.len() > 1 || SETTINGS.iter().all(|setting| setting.section() != "");
        let what = if section && path.len() > 1 { "setting" } else { "section or setting" };
        Fault { code: "E011", message: format!("there is no {what} `{key}`"), help: Some(suggestion(path, &key, last)) }
    }

    /// The fault at its place in a text.
    #[must_use]
    pub fn at(self, span: Span) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(self.code, span, self.message);
        diagnostic.help = self.help;
        diagnostic
    }
}

/// The key that was probably meant, else where to find all of them.
fn suggestion(path: &[&str], key: &str, last: &str) -> String {
    let levels = || SETTINGS.iter().map(|setting| setting.key.split('.').collect::<Vec<&str>>());
    let siblings: Vec<&str> = levels()
        .filter(|parts| parts.len() >= path.len() && fits(&parts[..path.len() - 1], &path[..path.len() - 1]))
        .map(|parts| parts[path.len() - 1])
        .filter(|part| *part != "*")
        .collect();
    if let Some(near) = nearest(last, siblings.iter().copied()) {
        let above = &path[..path.len() - 1];
        let full = above.iter().copied().chain([near]).collect::<Vec<&str>>().join(".");
        return format!("did you mean `{full}`?");
    }
    if let Some(other) = SETTINGS.iter().find(|setting| setting.name() == last) {
        return format!("did you mean `{}`?", other.key);
    }
    match nearest(key, SETTINGS.iter().map(|setting| setting.key)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if siblings.is_empty() => "`chainrule train --print-config` shows all settings".to_owned(),
        None => {
            let mut names: Vec<&str> = Vec::new();
            siblings.into_iter().filter(|name| *name != "path" || path.len() > 1).for_each(|name| {
                if !names.contains(&name) {
                    names.push(name);
                }
            });
            format!("there are: {}", names.join(", "))
        }
    }
}

/// Do the parts of a key stand below the parts of a pattern?
fn fits(pattern: &[&str], path: &[&str]) -> bool {
    pattern.len() == path.len() && pattern.iter().zip(path).all(|(wanted, part)| *wanted == "*" || wanted == part)
}

/// The setting of a path, or whether there are settings below it.
enum Found {
    Setting(&'static Setting, String),
    Section,
    Nothing,
}

fn find(path: &[&str]) -> Found {
    for setting in SETTINGS {
        let parts: Vec<&str> = setting.key.split('.').collect();
        if fits(&parts, path) {
            let star = parts.iter().position(|part| *part == "*");
            return Found::Setting(setting, star.map(|at| path[at].to_owned()).unwrap_or_default());
        }
    }
    let above = |setting: &Setting| {
        let parts: Vec<&str> = setting.key.split('.').collect();
        parts.len() > path.len() && fits(&parts[..path.len()], path)
    };
    if SETTINGS.iter().any(above) { Found::Section } else { Found::Nothing }
}

fn span_of<T>(spanned: &Spanned<T>) -> Span {
    let range = spanned.span();
    Span { start: range.start as u32, end: range.end as u32 }
}

/// The parts of a table in the order of the text.
fn ordered<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>)> {
    let mut list: Vec<_> = table.iter().collect();
    list.sort_by_key(|(key, _)| key.span().start);
    list
}

fn not_toml(error: &toml::de::Error) -> Diagnostic {
    let span = error.span().map_or(Span::default(), |at| Span { start: at.start as u32, end: at.end as u32 });
    Diagnostic::new("E010", span, format!("this is not TOML: {}", error.message())).label("here")
}

/// Reads a configuration. Paths in it are relative to `folder`; `name` is told where a value comes from.
///
/// # Errors
/// It is not TOML, has an unknown key, or a value that its setting does not take.
pub fn configuration(text: &str, name: &str, folder: &Path) -> Result<Configuration, Diagnostic> {
    let document = DeTable::parse(text).map_err(|error| not_toml(&error))?;
    let mut reader = Reader { text, name, folder, configuration: Configuration::default() };
    for (key, value) in ordered(document.get_ref()) {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("schema", version) => reader.version(version, span_of(value))?,
            ("tune", DeValue::Table(table)) => reader.tune(table)?,
            (part, _) => reader.item(&[part], key, value)?,
        }
    }
    Ok(reader.configuration)
}

struct Reader<'a> {
    text: &'a str,
    name: &'a str,
    folder: &'a Path,
    configuration: Configuration,
}

impl Reader<'_> {
    fn version(&self, version: &DeValue, span: Span) -> Result<(), Diagnostic> {
        match version {
            DeValue::Integer(number) if number.as_str() == VERSION => Ok(()),
            _ => Err(Diagnostic::new("E012", span, format!("`schema` takes {VERSION}, the version of the keys"))
                .help("a later version needs a later release")),
        }
    }

    fn item(&mut self, path: &[&str], key: &Spanned<DeString>, value: &Spanned<DeValue>) -> Result<(), Diagnostic> {
        match (find(path), value.get_ref()) {
            (Found::Section, DeValue::Table(table)) => {
                for (key, value) in ordered(table) {
                    let inner: Vec<&str> = path.iter().copied().chain([key.get_ref().as_ref()]).collect();
                    self.item(&inner, key, value)?;
                }
                Ok(())
            }
            (Found::Section, _) => {
                let message = format!("`{}` is a section, not a value", path.join("."));
                Err(Diagnostic::new("E012", span_of(value), message)
                    .help(format!("begin it with `[{}]`", path.join("."))))
            }
            (Found::Nothing, _) => Err(Fault::unknown(path).at(span_of(key)).label("not known")),
            (Found::Setting(setting, column), _) => {
                let key = Key { setting, column };
                let taken = setting.takes.of_toml(value.get_ref());
                let taken = taken
                    .map_err(|wrong| Fault::value(&key.written(), wrong).at(span_of(value)).label("this value"))?;
                let value_at = value.span().start;
                let line = 1 + self.text[..value_at].matches('\n').count();
                let origin = Origin::File { name: self.name.to_owned(), line };
                self.configuration.given.push(Given { key, value: self.placed(setting, taken), origin });
                Ok(())
            }
        }
    }

    /// A path of a file is relative to the folder of the file.
    fn placed(&self, setting: &Setting, value: Value) -> Value {
        match value {
            Value::Text(text) if matches!(setting.takes.kind, Kind::Path | Kind::ShareOrPath) && text != "-" => {
                let inside = self.folder.as_os_str().is_empty() || self.folder == Path::new(".");
                let path = if inside { text } else { self.folder.join(text).display().to_string() };
                Value::Text(path)
            }
            other => other,
        }
    }

    fn tune(&mut self, table: &DeTable) -> Result<(), Diagnostic> {
        for (key, value) in ordered(table) {
            match (key.get_ref().as_ref(), value.get_ref()) {
                (part, DeValue::Table(space)) if part == SPACE[1] => self.space(&[], space)?,
                _ => return Err(Fault::unknown(&["tune", key.get_ref()]).at(span_of(key)).label("not known")),
            }
        }
        Ok(())
    }

    fn space(&mut self, path: &[&str], table: &DeTable) -> Result<(), Diagnostic> {
        for (key, value) in ordered(table) {
            let inner: Vec<&str> = path.iter().copied().chain(key.get_ref().split('.')).collect();
            match (find(&inner), value.get_ref()) {
                (Found::Section, DeValue::Table(table)) => self.space(&inner, table)?,
                (Found::Setting(setting, column), found) => {
                    let key = Key { setting, column };
                    let range = range(key, found, span_of(value))?;
                    self.configuration.space.push(range);
                }
                _ => return Err(Fault::unknown(&inner).at(span_of(key)).label("not known")),
            }
        }
        Ok(())
    }
}

/// `[1, 2, 3]` is a choice; `{ from = 1e-4, to = 1e-1, scale = "log" }` is a range.
fn range(key: Key, value: &DeValue, span: Span) -> Result<Range, Diagnostic> {
    let wrong = |why: &str| {
        Diagnostic::new("E012", span, format!("the space of `{}` {why}", key.written()))
            .label("this value")
            .help("a choice is a list, `[16, 32, 64]`; a range is `{ from = 1e-4, to = 1e-1, scale = \"log\" }`")
    };
    let taken = |value: &Spanned<DeValue>| {
        let taken = key.setting.takes.of_toml(value.get_ref());
        taken.map_err(|wrong| Fault::value(&key.written(), wrong).at(span_of(value)).label("this value"))
    };
    match value {
        DeValue::Array(list) if !list.is_empty() => {
            let values = list.iter().map(taken).collect::<Result<Vec<Value>, Diagnostic>>()?;
            Ok(Range { key, values, between: None })
        }
        DeValue::Table(table) => {
            if let Some((other, _)) =
                ordered(table).iter().find(|(k, _)| !["from", "to", "scale"].contains(&k.get_ref().as_ref()))
            {
                return Err(wrong(&format!("has no `{}`", other.get_ref())));
            }
            let (Some(from), Some(to)) = (table.get("from"), table.get("to")) else {
                return Err(wrong("needs `from` and `to`"));
            };
            let log = match table.get("scale").map(|scale| scale.get_ref().as_str()) {
                None | Some(Some("linear")) => false,
                Some(Some("log")) => true,
                _ => return Err(wrong("has a scale that is neither `linear` nor `log`")),
            };
            let values = vec![taken(from)?, taken(to)?];
            match (values[0].number(), values[1].number()) {
                (Some(a), Some(b)) if a < b && (!log || a > 0.0) => Ok(Range { key, values, between: Some(log) }),
                _ => Err(wrong("needs two numbers, the smaller first, positive for `log`")),
            }
        }
        _ => Err(wrong("is neither a choice nor a range")),
    }
}

/// Reads `key=value` of `--set`.
///
/// # Errors
/// There is no `=`, no such setting, or it does not take the value.
pub fn assignment(text: &str) -> Result<Given, Diagnostic> {
    let place = |from: usize, to: usize| Span { start: from as u32, end: to as u32 };
    let Some(at) = text.find('=') else {
        return Err(Diagnostic::new("E012", place(0, text.len()), "a setting is given as `key=value`")
            .help("as in `--set train.epochs=50`"));
    };
    let (name, value) = (text[..at].trim(), text[at + 1..].trim());
    let document = format!("{name} = 0");
    let parsed = DeTable::parse(&document).map_err(|error| Diagnostic { span: place(0, at), ..not_toml(&error) })?;
    let mut path: Vec<String> = Vec::new();
    let mut inner = parsed.get_ref();
    while let Some((key, value)) = inner.iter().next() {
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(table) => inner = table,
            _ => break,
        }
    }
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match find(&parts) {
        Found::Setting(setting, column) => {
            let key = Key { setting, column };
            let taken = setting.takes.of_word(value);
            let value_at = text.len() - text[at + 1..].trim_start().len();
            let value = taken.map_err(|wrong| {
                Fault::value(&key.written(), wrong).at(place(value_at, text.len())).label("this value")
            })?;
            Ok(Given { key, value, origin: Origin::CommandLine("--set".to_owned()) })
        }
        Found::Section => Err(Diagnostic::new("E012", place(0, at), format!("`{name}` is a section, not a setting"))
            .help(suggestion(&[parts.as_slice(), &[""]].concat(), "", ""))),
        Found::Nothing => Err(Fault::unknown(&parts).at(place(0, at)).label("not known")),
    }
}
