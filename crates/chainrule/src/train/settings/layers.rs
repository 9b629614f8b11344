//! The layers: what stands on the command line is above the environment, which is above the configuration, which is
//! above the defaults.

use super::takes::Value;
use super::{Recipe, SETTINGS, Setting, read};

/// A setting, for keys with a `*` of one column.
#[derive(Clone)]
pub struct Key {
    /// The row of the list.
    pub setting: &'static Setting,
    /// The name of the column; empty for keys without a `*`.
    pub column: String,
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.setting.key == other.setting.key && self.column == other.column
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written())
    }
}

impl Key {
    /// The key of a setting that is not one of columns.
    #[must_use]
    pub fn of(setting: &'static Setting) -> Key {
        Key { setting, column: String::new() }
    }

    /// The key as a configuration writes it.
    #[must_use]
    pub fn written(&self) -> String {
        self.setting.key.replacen('*', &super::write::key_part(&self.column), 1)
    }
}

/// Who chose a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// A line of a configuration.
    File {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment(&'static str),
    /// The command line: a flag, or `--set`.
    CommandLine(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { name, line } => write!(f, "{name}:{line}"),
            Origin::Environment(name) => write!(f, "environment, {name}"),
            Origin::CommandLine(flag) => write!(f, "command line, {flag}"),
        }
    }
}

/// A value that somebody chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Of what.
    pub key: Key,
    /// The value.
    pub value: Value,
    /// By whom.
    pub origin: Origin,
}

/// What was chosen, from the lowest layer to the highest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    given: Vec<Given>,
}

impl Settings {
    /// Puts a layer above the others.
    pub fn lay(&mut self, layer: impl IntoIterator<Item = Given>) {
        self.given.extend(layer);
    }

    /// As [`Settings::lay`] for one value without a place.
    pub fn choose(&mut self, setting: &'static Setting, value: Value, origin: Origin) {
        self.given.push(Given { key: Key::of(setting), value, origin });
    }

    /// What was chosen for a key, by the highest layer that has it.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Given> {
        self.given.iter().rev().find(|given| given.key == *key)
    }

    /// All that was chosen and not overruled, in the order of the list, columns by name.
    #[must_use]
    pub fn chosen(&self) -> Vec<&Given> {
        let place = |given: &Given| SETTINGS.iter().position(|setting| setting.key == given.key.setting.key);
        let mut list: Vec<&Given> = self
            .given
            .iter()
            .filter(|given| self.get(&given.key).is_some_and(|top| std::ptr::eq(top, *given)))
            .collect();
        list.sort_by(|a, b| (place(a), &a.key.column).cmp(&(place(b), &b.key.column)));
        list
    }

    /// What a run is made from.
    #[must_use]
    pub fn recipe(&self) -> Recipe {
        let mut recipe = Recipe::default();
        for given in self.chosen() {
            (given.key.setting.apply)(&mut recipe, &given.key.column, &given.value);
        }
        recipe
    }

    /// What the environment chooses; `variable` looks a name up.
    ///
    /// # Errors
    /// The first variable whose value its setting does not take, and why.
    pub fn environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Given>, (&'static str, read::Fault)> {
        let mut list = Vec::new();
        for setting in SETTINGS {
            let Some(name) = setting.env else { continue };
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else { continue };
            let value = setting.takes.of_word(&text).map_err(|wrong| (name, read::Fault::value(name, wrong)))?;
            list.push(Given { key: Key::of(setting), value, origin: Origin::Environment(name) });
        }
        Ok(list)
    }
}
