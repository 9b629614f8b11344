//! The list. A new setting is a row here, and a field of [`Recipe`](super::Recipe) that somebody reads.

use std::path::PathBuf;

use super::takes::Kind::{Names, Path, Text, Whole, Word};
use super::takes::{Kind, Takes, Value};
use super::{Flag, Role, Setting, Shown};
use crate::data::batch::Batch;
use crate::data::columns::{Kind as ColumnKind, Task};
use crate::train::options::Dtype;

const COUNT: Kind = Whole { least: 1, most: u32::MAX as u64 };
const LARGE: Kind = Whole { least: 1, most: i64::MAX as u64 };
const SEED: Kind = Whole { least: 0, most: i64::MAX as u64 };

const fn just(kind: Kind) -> Takes {
    Takes { words: &[], kind }
}

const fn words(words: &'static [&'static str]) -> Takes {
    Takes { words, kind: Word }
}

/// The kind, or the word `auto`.
const fn auto_or(kind: Kind) -> Takes {
    Takes { words: &["auto"], kind }
}

/// A row with nothing but what every setting has.
const fn row(key: &'static str, takes: Takes, about: &'static str, apply: super::Apply) -> Setting {
    Setting { key, takes, default: None, about, role: Role::Result, flag: None, env: None, apply }
}

impl Setting {
    /// The value without a wish, as TOML.
    const fn default(self, toml: &'static str) -> Setting {
        Setting { default: Some(toml), ..self }
    }

    const fn auto(self) -> Setting {
        self.default("\"auto\"")
    }

    const fn flag(self, long: &'static str, value: &'static str) -> Setting {
        Setting { flag: Some(Flag { long, short: None, value }), ..self }
    }

    const fn short(self, long: &'static str, short: char, value: &'static str) -> Setting {
        Setting { flag: Some(Flag { long, short: Some(short), value }), ..self }
    }

    const fn source(self) -> Setting {
        Setting { role: Role::Source, ..self }
    }

    const fn manner(self) -> Setting {
        Setting { role: Role::Manner, ..self }
    }

    const fn env(self, name: &'static str) -> Setting {
        Setting { env: Some(name), ..self }
    }
}

fn path(value: &Value) -> Option<PathBuf> {
    value.text().map(PathBuf::from)
}

/// Every setting, in the order of a configuration.
#[rustfmt::skip]
pub static SETTINGS: &[Setting] = &[
    row("data.path", just(Path), "The table; on the command line it is the argument without a flag",
        |recipe, _, value| recipe.data = path(value))
        .source(),
    row("data.target", just(Text), "The column of the table to predict",
        |recipe, _, value| recipe.target = value.text().map(str::to_owned))
        .short("target", 't', "COLUMN"),
    row("data.task", words(&["auto", "classification", "regression"]),
        "What the target is: classes, a number, or `auto` by its values",
        |recipe, _, value| recipe.columns.task = match value.text() {
            Some("classification") => Task::Classification,
            Some("regression") => Task::Regression,
            _ => Task::Auto,
        })
        .auto().flag("task", "TASK"),
    row("data.drop", just(Names), "Columns to leave out",
        |recipe, _, value| recipe.columns.drop = value.names())
        .default("[]").flag("drop", "COLUMN,..."),
    row("data.keep", just(Names), "Columns to use although they would be ignored",
        |recipe, _, value| recipe.columns.keep = value.names())
        .default("[]").flag("keep", "COLUMN,..."),

    row("columns.*.type", words(&["number", "category"]), "What a column is, when its values suggest something else",
        |recipe, column, value| {
            let kind = if value.text() == Some("number") { ColumnKind::Number } else { ColumnKind::Category };
            recipe.columns.kinds.insert(column.to_owned(), kind);
        }),

    row("model.text", just(Path), "A model text to train on the table, in place of the default network",
        |recipe, _, value| recipe.text = path(value))
        .short("model", 'm', "TEXT.cr").source(),

    row("train.epochs", auto_or(COUNT), "Passes over the data; `auto` is what the model text says",
        |recipe, _, value| recipe.epochs = value.count())
        .auto().flag("epochs", "NUMBER"),
    row("train.batch", Takes { words: &["auto", "all"], kind: COUNT },
        "Examples in a step; `auto` is what the model text says",
        |recipe, _, value| recipe.batch = match value.text() {
            Some("all") => Some(Batch::All),
            _ => value.count().map(Batch::Size),
        })
        .auto().flag("batch", "all|N"),
    row("train.patience", auto_or(COUNT),
        "Epochs without a lower validation loss before the run stops; `auto` is what the model text says",
        |recipe, _, value| recipe.patience = value.count())
        .auto().flag("patience", "EPOCHS"),

    row("run.seed", auto_or(SEED),
        "Seed of the split, the starting values and the order of the examples; `auto` is the model text's, else 0",
        |recipe, _, value| recipe.seed = value.whole())
        .auto().flag("seed", "NUMBER"),
    row("run.precision", words(&["auto", "f32", "f64"]), "Number type; `auto` is what the model text says",
        |recipe, _, value| recipe.dtype = match value.text() {
            Some("f32") => Some(Dtype::F32),
            Some("f64") => Some(Dtype::F64),
            _ => None,
        })
        .auto().flag("dtype", "TYPE"),
    row("run.threads", auto_or(Whole { least: 1, most: 1024 }),
        "Number of threads; `auto` takes one for small networks. The result is the same",
        |recipe, _, value| recipe.threads = value.whole().map(|count| count as usize))
        .auto().flag("threads", "N|auto").manner().env("CHAINRULE_THREADS"),
    row("run.out", just(Path),
        "Where the model is saved; for a table its name with `.safetensors` in this folder if not given",
        |recipe, _, value| recipe.out = path(value))
        .short("out", 'o', "PATH").manner(),
    row("run.folder", just(Path),
        "A folder for the run: model, metrics, and checkpoints from which `chainrule resume` goes on",
        |recipe, _, value| recipe.folder = path(value))
        .flag("run", "DIR").manner(),
    row("run.checkpoint_every", auto_or(LARGE),
        "Batches after which a checkpoint is saved, too; `auto` is every 30 seconds and at each stop",
        |recipe, _, value| recipe.checkpoint_every = value.whole())
        .auto().flag("checkpoint-every", "BATCHES").manner(),
    row("run.progress", words(&["auto", "bar", "plain", "none"]),
        "How progress is shown on standard error; `auto` is a bar on a terminal, else plain lines",
        |recipe, _, value| recipe.progress = match value.text() {
            Some("bar") => Shown::Bar,
            Some("plain") => Shown::Plain,
            Some("none") => Shown::None,
            _ => Shown::Auto,
        })
        .auto().flag("progress", "HOW").manner().env("CHAINRULE_PROGRESS"),
];
