//! Settings as TOML, with the origin of each value or for machines.

use std::fmt::Write as _;

use super::layers::{Given, Key, Origin, Settings};
use super::takes::Value;
use super::{Role, SETTINGS};

/// A text in TOML's double quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A part of a key, in quotes where TOML needs them.
pub(super) fn key_part(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

impl Value {
    /// The value as TOML writes it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        match self {
            Value::Flag(flag) => flag.to_string(),
            Value::Whole(number) => number.to_string(),
            // `1` would be a whole number.
            Value::Number(number) => format!("{number:?}"),
            Value::Text(text) => quoted(text),
            Value::Wholes(list) => format!("[{}]", list.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
            Value::Names(names) => {
                format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A line of a configuration.
struct Line {
    section: String,
    text: String,
    note: String,
}

impl Settings {
    /// Every setting as a configuration that gives the same run; the comment of a line says who chose the value.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let lines = self.lines(&|_| true).into_iter().map(|(line, origin)| match origin {
            Some(origin) => Line { note: origin.to_string(), ..line },
            None => Line { text: format!("# {}", line.text), note: String::new(), ..line },
        });
        document(lines.collect())
    }

    /// What the model depends on, and nothing else: equal runs have equal texts. Paths are not part of it.
    #[must_use]
    pub fn canonical(&self) -> String {
        let lines = self.lines(&|role| role == Role::Result);
        document(lines.into_iter().filter_map(|(line, origin)| origin.map(|_| line)).collect())
    }

    /// What the model depends on, with the paths of what it is made from: a configuration to make it again.
    #[must_use]
    pub fn repeatable(&self) -> String {
        let lines = self.lines(&|role| role != Role::Manner);
        document(lines.into_iter().filter_map(|(line, origin)| origin.map(|_| line)).collect())
    }

    /// All settings of the roles; without an origin those that have no value.
    fn lines(&self, wanted: &dyn Fn(Role) -> bool) -> Vec<(Line, Option<Origin>)> {
        let chosen = self.chosen();
        let mut lines = Vec::new();
        for setting in SETTINGS.iter().filter(|setting| wanted(setting.role)) {
            let mut of_setting = chosen.iter().filter(|given| given.key.setting.key == setting.key).peekable();
            if of_setting.peek().is_none() && !setting.key.contains('*') {
                let line = |text: String| Line { section: setting.section().to_owned(), text, note: String::new() };
                lines.push(match setting.default {
                    Some(default) => (line(format!("{} = {default}", setting.name())), Some(Origin::Default)),
                    None => (line(format!("{} is not set", setting.name())), None),
                });
            }
            for Given { key, value, origin } in of_setting {
                let text = format!("{} = {}", setting.name(), value.to_toml());
                lines.push((Line { section: section(key), text, note: String::new() }, Some(origin.clone())));
            }
        }
        lines
    }
}

/// The section of a key as a heading.
fn section(key: &Key) -> String {
    key.written()
        .strip_suffix(key.setting.name())
        .and_then(|above| above.strip_suffix('.'))
        .unwrap_or_default()
        .to_owned()
}

/// Lines below their headings, comments in one column. The settings of one column stand together.
fn document(lines: Vec<Line>) -> String {
    let mut sections: Vec<String> = Vec::new();
    for line in &lines {
        if !sections.contains(&line.section) {
            sections.push(line.section.clone());
        }
    }
    let width = lines.iter().filter(|line| !line.note.is_empty()).map(|line| line.text.chars().count()).max();
    let width = width.unwrap_or(0).min(48);
    let mut out = "schema = 1\n".to_owned();
    for section in sections {
        let _ = writeln!(out, "\n[{section}]");
        for Line { text, note, .. } in lines.iter().filter(|line| line.section == section) {
            if note.is_empty() {
                let _ = writeln!(out, "{text}");
            } else {
                let gap = width.saturating_sub(text.chars().count());
                let _ = writeln!(out, "{text}{:gap$}  # {note}", "");
            }
        }
    }
    out
}
