//! Every setting of a run as a row of one list, and how a configuration, the environment and the command line choose
//! values for them.
//!
//! The list is [`SETTINGS`]. From it come the keys of a configuration, the flags of the command line, what
//! `--print-config` shows, the JSON Schema for editors and the page `docs/settings.md`.

mod layers;
mod list;
mod page;
mod read;
mod recipe;
mod schema;
mod takes;
mod write;

pub use layers::{Given, Key, Origin, Settings};
pub use list::SETTINGS;
pub use page::page;
pub use read::{Configuration, Range, assignment, configuration};
pub use recipe::{Recipe, Shown};
pub use schema::schema;
pub use takes::{Kind, Takes, Value};
pub use write::quoted;

/// One setting.
pub struct Setting {
    /// Its place in a configuration, such as `train.epochs`; a `*` stands for the name of a column.
    pub key: &'static str,
    /// Which values it takes.
    pub takes: Takes,
    /// The value without a wish, as TOML; none if there is nothing then.
    pub default: Option<&'static str>,
    /// What it is, for help and pages.
    pub about: &'static str,
    /// What it changes.
    pub role: Role,
    /// The flag of the command line, if it has one besides `--set`.
    pub flag: Option<Flag>,
    /// The variable of the environment, which only settings of [`Role::Manner`] have.
    pub env: Option<&'static str>,
    /// What becomes of the value.
    pub apply: Apply,
}

/// Writes the value of a column (an empty name for keys without a `*`) into a recipe.
pub type Apply = fn(&mut Recipe, &str, &Value);

/// A flag of the command line.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Without its two dashes.
    pub long: &'static str,
    /// One letter, if there is one.
    pub short: Option<char>,
    /// What stands for the value in the help.
    pub value: &'static str,
}

/// What a setting changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The model: it travels in the model file.
    Result,
    /// Where something is read from; what was read travels in the model file, its path does not.
    Source,
    /// How the run is carried out, not what comes out. The environment may set it.
    Manner,
}

impl Setting {
    /// The part of the key before the last dot.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.key.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// The part of the key after the last dot.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.key.rsplit_once('.').map_or(self.key, |(_, name)| name)
    }
}

/// The setting of a key as it is listed.
#[must_use]
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

#[cfg(test)]
mod tests;
