//! The list. A new setting is a row here, and a field of [`Recipe`] that somebody reads.

use std::path::PathBuf;
use std::time::Duration;

use super::takes::Kind::{NameOrNames, Names, Path, Positive, Share, ShareOrPath, Text, Time, Whole, Wholes, Word};
use super::takes::{Kind, Takes, Value};
use super::{Flag, Recipe, Role, Setting, Shown};
use crate::data::batch::Batch;
use crate::data::columns::{Kind as ColumnKind, Task};
use crate::data::datetime::DateOrder;
use crate::data::encode::Scaling;
use crate::data::options::{Encoding, Ragged};
use crate::data::target::Transform;
use crate::data::wish::{Missing, Wish};
use crate::model::preset::family::Family;
use crate::train::options::Dtype;
use crate::train::table::VALIDATION;

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

/// A sign that may be written as a word.
fn sign(value: &Value) -> Option<char> {
    match value.text()? {
        "auto" | "none" => None,
        "tab" => Some('\t'),
        "space" => Some(' '),
        sign => sign.chars().next(),
    }
}

const SCALINGS: Takes = words(&["auto", "robust", "standard", "quantile", "none"]);

fn scaling(value: &Value) -> Option<Scaling> {
    match value.text() {
        Some("robust") => Some(Scaling::Robust),
        Some("standard") => Some(Scaling::Standard),
        Some("quantile") => Some(Scaling::Quantile),
        Some("none") => Some(Scaling::None),
        _ => None,
    }
}

/// What is wished for a column, to be changed.
fn wish<'a>(recipe: &'a mut Recipe, column: &str) -> &'a mut Wish {
    recipe.table.columns.wishes.entry(column.to_owned()).or_default()
}

/// The kind that a column is said to have.
fn column_kind(word: &str) -> ColumnKind {
    match word {
        "number" => ColumnKind::Number,
        "date" => ColumnKind::DateTime(DateOrder::YearFirst),
        "date-dmy" => ColumnKind::DateTime(DateOrder::DayFirst),
        "date-mdy" => ColumnKind::DateTime(DateOrder::MonthFirst),
        _ => ColumnKind::Category,
    }
}

fn text(value: &Value) -> Option<String> {
    value.text().map(str::to_owned)
}

/// The text unless it is the word `auto`.
fn unless_auto(value: &Value) -> Option<String> {
    text(value).filter(|text| text != "auto")
}

/// Every setting, in the order of a configuration.
#[rustfmt::skip]
pub static SETTINGS: &[Setting] = &[
    row("data.path", just(Path), "The table; on the command line it is the argument without a flag",
        |recipe, _, value| recipe.data = path(value))
        .source(),
    row("data.target", just(NameOrNames), "The column of the table to predict; several must be numbers",
        |recipe, _, value| recipe.table.targets = value.names())
        .short("target", 't', "COLUMN"),
    row("data.task", words(&["auto", "classification", "regression", "count"]),
        "What the target is: classes, numbers, counts, or `auto` by its values",
        |recipe, _, value| recipe.table.columns.task = match value.text() {
            Some("classification") => Task::Classification,
            Some("regression") => Task::Regression,
            Some("count") => Task::Count,
            _ => Task::Auto,
        })
        .auto().flag("task", "TASK"),
    row("data.log_target", just(Kind::Flag), "Learn the logarithm of the target, which must be positive",
        |recipe, _, value| {
            recipe.table.columns.transform = if value.is_true() { Transform::Log } else { Transform::None };
        })
        .default("false").flag("log-target", "true|false"),
    row("data.weights", just(Text), "A column that says how much each row counts in training, a number of at least 0",
        |recipe, _, value| recipe.table.weights = text(value))
        .flag("weights", "COLUMN"),
    row("data.drop", just(Names), "Columns to leave out",
        |recipe, _, value| recipe.table.columns.drop = value.names())
        .default("[]").flag("drop", "COLUMN,..."),
    row("data.keep", just(Names), "Columns to use although they would be ignored",
        |recipe, _, value| recipe.table.columns.keep = value.names())
        .default("[]").flag("keep", "COLUMN,..."),

    row("data.delimiter", words(&["auto", ",", ";", "tab", "|", ":", "space"]),
        "The character between fields; `auto` is the one of `,` `;` tab and `|` that fits the first lines",
        |recipe, _, value| recipe.read.delimiter = sign(value))
        .auto().flag("delimiter", "CHAR"),
    row("data.decimal", words(&["auto", ".", ","]),
        "The sign before fractions; with `auto` and semicolons between fields both are read",
        |recipe, _, value| recipe.read.decimal = sign(value))
        .auto().flag("decimal", "SIGN"),
    row("data.thousands", words(&["none", ",", ".", "'", "_", "space"]), "The sign between groups of three digits",
        |recipe, _, value| recipe.read.thousands = sign(value))
        .default("\"none\"").flag("thousands", "SIGN"),
    row("data.encoding", words(&["auto", "utf-8", "utf-16", "latin-1"]),
        "The encoding of a text; `auto` is UTF-8, or UTF-16 where the file begins with its mark",
        |recipe, _, value| recipe.read.encoding = match value.text() {
            Some("utf-8") => Some(Encoding::Utf8),
            Some("utf-16") => Some(Encoding::Utf16),
            Some("latin-1") => Some(Encoding::Latin1),
            _ => None,
        })
        .auto().flag("encoding", "NAME"),
    row("data.ragged", words(&["error", "skip", "pad"]),
        "Rows with more or fewer fields than the header: refuse the file, leave them out, or fill and cut them",
        |recipe, _, value| recipe.read.ragged = match value.text() {
            Some("skip") => Ragged::Skip,
            Some("pad") => Ragged::Pad,
            _ => Ragged::Error,
        })
        .default("\"error\"").flag("ragged", "HOW"),
    row("data.labels", just(Path), "Labels of the images of an IDX file; they become the column `label`",
        |recipe, _, value| recipe.read.labels = path(value))
        .flag("labels", "FILE").source(),
    row("data.max_memory", auto_or(Kind::Size),
        "Most memory that the table may take, such as 500M; a larger one is read again in every epoch",
        |recipe, _, value| recipe.read.max_memory = value.whole())
        .auto().flag("max-memory", "SIZE").manner(),

    row("data.split.validation", just(ShareOrPath),
        "Share of the rows held out for validation (by each network of an ensemble others), or a table of such rows",
        |recipe, _, value| {
            recipe.table.split.validation = value.number().unwrap_or(VALIDATION);
            recipe.validation = path(value);
        })
        .default("0.2").flag("val", "SHARE|FILE"),
    row("data.split.test", just(Share), "Share of the rows kept apart for a test that nothing of the training sees",
        |recipe, _, value| recipe.table.split.test = value.number().unwrap_or(0.0))
        .default("0.0").flag("test", "SHARE"),
    row("data.split.group", just(Text), "Rows with the same value in this column stay in one part",
        |recipe, _, value| recipe.table.split.group = text(value))
        .flag("group", "COLUMN"),
    row("data.split.time", just(Text), "Validation and test are the last rows in the order of this column",
        |recipe, _, value| recipe.table.split.time = text(value))
        .flag("split-time", "COLUMN"),
    row("data.split.column", just(Text), "A column whose values `train`, `validation` and `test` are the split",
        |recipe, _, value| recipe.table.split.column = text(value))
        .flag("split-column", "COLUMN"),

    row("columns.*.type", words(&["number", "category", "date", "date-dmy", "date-mdy"]),
        "What a column holds, when its values suggest something else",
        |recipe, column, value| {
            let kind = column_kind(value.text().unwrap_or_default());
            recipe.table.columns.kinds.insert(column.to_owned(), kind);
        })
        .flag("type", "COLUMN=TYPE,..."),

    row("columns.*.missing", words(&["auto", "median+flag", "median", "mean", "most_frequent", "category"]),
        "What stands for a missing value; `auto` is median+flag for a number and a category of its own for a category",
        |recipe, column, value| wish(recipe, column).missing = match value.text() {
            Some("median") => Some(Missing::Median),
            Some("mean") => Some(Missing::Mean),
            Some("most_frequent") => Some(Missing::MostFrequent),
            Some("median+flag" | "category") => Some(Missing::Told),
            _ => None,
        })
        .flag("missing", "COLUMN=HOW,..."),
    row("columns.*.scale", SCALINGS, "How a number is scaled; `auto` is what holds for all, `model.scale`",
        |recipe, column, value| wish(recipe, column).scaling = scaling(value)),
    row("columns.*.encode", words(&["auto", "onehot", "embedding"]),
        "How a category is encoded; `auto` by its number of labels, `model.one_hot`",
        |recipe, column, value| wish(recipe, column).one_hot = match value.text() {
            Some("onehot") => Some(true),
            Some("embedding") => Some(false),
            _ => None,
        })
        .flag("encode", "COLUMN=HOW,..."),

    row("model.text", just(Path), "A model text to train on the table, in place of the default network",
        |recipe, _, value| recipe.text = path(value))
        .short("model", 'm', "TEXT.cr").source(),
    row("model.units", auto_or(Wholes { most: 100_000 }), "Units of the hidden layers of the default network",
        |recipe, _, value| recipe.table.choices.units = value.counts())
        .auto().flag("units", "N,N,..."),
    row("model.activation", auto_or(Kind::Call(Family::Activation)), "The function of the hidden units, such as silu, relu or tanh",
        |recipe, _, value| recipe.table.choices.activation = unless_auto(value))
        .auto().flag("activation", "NAME"),
    row("model.dropout", auto_or(Share), "Share of the hidden units left out in a step",
        |recipe, _, value| recipe.table.choices.dropout = value.number())
        .auto().flag("dropout", "SHARE"),
    row("model.scale", SCALINGS,
        "How numbers are scaled: robust (median and middle half, clipped smoothly; `auto`), standard, quantile or none",
        |recipe, _, value| recipe.table.choices.scaling = scaling(value))
        .auto().flag("scale", "HOW"),
    row("model.bins", auto_or(Whole { least: 0, most: 10_000 }),
        "Intervals of the piecewise linear encoding of each number; 0 for none",
        |recipe, _, value| recipe.table.choices.bins = value.count())
        .auto().flag("bins", "NUMBER"),
    row("model.one_hot", auto_or(Whole { least: 0, most: u32::MAX as u64 }),
        "Labels that a category may have before it gets an embedding",
        |recipe, _, value| recipe.table.choices.one_hot = value.count())
        .auto().flag("one-hot", "NUMBER"),
    row("model.embedding", auto_or(Whole { least: 1, most: 1000 }),
        "Numbers that stand for a label of a category with an embedding",
        |recipe, _, value| recipe.table.choices.embedding = value.count())
        .auto(),
    row("model.ensemble", auto_or(Whole { least: 1, most: 100 }), "Networks whose predictions are averaged",
        |recipe, _, value| recipe.table.choices.ensemble = value.count())
        .auto().flag("ensemble", "NUMBER"),

    row("loss.name", auto_or(Kind::Call(Family::Loss)),
        "What the default network makes small; `auto` is cross_entropy for classes, mse for numbers, poisson for counts",
        |recipe, _, value| recipe.table.choices.loss = unless_auto(value))
        .auto().flag("loss", "LOSS"),
    row("loss.class_weight", words(&["none", "balanced"]),
        "Weights of the classes in the loss: `balanced` makes every class weigh the same, however few rows it has",
        |recipe, _, value| recipe.table.choices.balanced = value.text() == Some("balanced"))
        .default("\"none\"").flag("class-weight", "none|balanced"),
    row("loss.label_smoothing", just(Share), "Share of each label that is spread over all classes",
        |recipe, _, value| recipe.table.choices.label_smoothing = value.number().filter(|&share| share > 0.0))
        .default("0.0").flag("label-smoothing", "SHARE"),
    row("classes.*.weight", just(Positive), "How much more the rows of a class count in the loss",
        |recipe, label, value| {
            recipe.table.choices.class_weights.insert(label.to_owned(), value.number().unwrap_or(1.0));
        }),

    row("train.optimizer", auto_or(Kind::Call(Family::Optimizer)),
        "Update rule of the default network; `auto` is adamw. Others start with the rate of their own definition",
        |recipe, _, value| recipe.table.choices.optimizer = unless_auto(value))
        .auto().flag("optimizer", "RULE"),
    row("train.schedule", auto_or(Kind::Call(Family::Schedule)),
        "Learning rate of the default network over time; `auto` is cosine",
        |recipe, _, value| recipe.table.choices.schedule = unless_auto(value))
        .auto().flag("schedule", "NAME"),
    row("train.clip", Takes { words: &["none"], kind: Positive },
        "Longest gradient of the default network; a longer one is shortened to it",
        |recipe, _, value| recipe.table.choices.clip = value.number())
        .default("\"none\"").flag("clip", "NORM"),
    row("train.rate", auto_or(Positive), "Learning rate of the default network at the start",
        |recipe, _, value| recipe.table.choices.rate = value.number())
        .auto().flag("rate", "NUMBER"),
    row("train.decay", auto_or(Kind::Number { least: 0.0, most: f64::MAX }), "Weight decay of the default network",
        |recipe, _, value| recipe.table.choices.decay = value.number())
        .auto().flag("decay", "NUMBER"),
    row("train.epochs", auto_or(COUNT), "Passes over the data; `auto` is what the model text says",
        |recipe, _, value| (recipe.epochs, recipe.table.choices.epochs) = (value.count(), value.count()))
        .auto().flag("epochs", "NUMBER"),
    row("train.batch", Takes { words: &["auto", "all"], kind: COUNT },
        "Examples in a step; `auto` is what the model text says",
        |recipe, _, value| {
            recipe.batch = match value.text() {
                Some("all") => Some(Batch::All),
                _ => value.count().map(Batch::Size),
            };
            recipe.table.choices.batch = recipe.batch;
        })
        .auto().flag("batch", "all|N"),
    row("train.patience", auto_or(COUNT),
        "Epochs without a lower validation loss before a network stops; `auto` is what the model text says",
        |recipe, _, value| recipe.table.choices.patience = value.count())
        .auto().flag("patience", "EPOCHS"),

    row("train.time", Takes { words: &["none"], kind: Time },
        "After how long the networks have to be done, such as 60s or 10m; how far they come depends on the machine",
        |recipe, _, value| recipe.time = value.number().and_then(|n| Duration::try_from_secs_f64(n).ok()))
        .default("\"none\"").flag("time", "TIME"),

    row("run.seed", auto_or(SEED),
        "Seed of the split, the starting values and the order of the examples; `auto` is the model text's, else 0",
        |recipe, _, value| recipe.seed = value.whole())
        .auto().flag("seed", "NUMBER"),
    row("run.precision", words(&["auto", "f32", "f64"]), "Number type; `auto` is what the model text says",
        |recipe, _, value| {
            recipe.dtype = match value.text() {
                Some("f32") => Some(Dtype::F32),
                Some("f64") => Some(Dtype::F64),
                _ => None,
            };
            recipe.table.choices.precise = recipe.dtype == Some(Dtype::F64);
        })
        .auto().flag("dtype", "TYPE"),
    row("run.threads", auto_or(Whole { least: 1, most: 1024 }),
        "Number of threads; `auto` takes one for a single small network. The result is the same",
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
