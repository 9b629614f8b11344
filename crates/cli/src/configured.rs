//! The settings of a command: configuration, environment and command line laid over each other.

use std::path::Path;

use chainrule::data::table::Table;
use chainrule::text::diagnostic::Diagnostic;
use chainrule::train::settings::{self, Given, Key, Origin, Range, Recipe, SETTINGS, Settings, Value, assignment};

use crate::args::settings::{SettingArgs, Subset};
use crate::errors::{Failure, USAGE};
use crate::models::read_table;
use crate::output::{self, Context};
use crate::source::{SourceText, read_text};

/// What was chosen for a command.
pub(crate) struct Configured {
    pub(crate) settings: Settings,
    pub(crate) recipe: Recipe,
    /// What a search of settings tries.
    pub(crate) space: Vec<Range>,
}

impl Configured {
    /// The file that a run is made from: a table if there is a target, else a model text.
    pub(crate) fn file(&self) -> Result<&Path, Failure> {
        let Recipe { data, text, .. } = &self.recipe;
        let missing = |what: &str| Failure::new(USAGE, "E013", format!("there is no {what}"));
        match (self.recipe.has_target(), data, text) {
            (true, Some(table), _) => Ok(table),
            (true, None, _) => {
                Err(missing("table to train on").help("name it on the command line, or as `path` in `[data]`"))
            }
            (false, Some(_), _) => Err(which_column()),
            (false, None, Some(text)) if is_table(text) => Err(which_column()),
            (false, None, Some(text)) => Ok(text),
            (false, None, None) => Err(missing("table or model text to train")
                .help("`chainrule train TABLE.csv --target COLUMN`, or a configuration with `-c FILE`")),
        }
    }

    /// The column to predict.
    pub(crate) fn target(&self) -> Result<(), Failure> {
        if self.recipe.has_target() { Ok(()) } else { Err(which_column()) }
    }

    /// The table of validation rows, if they have one of their own.
    pub(crate) fn validation(&self, context: &Context) -> Result<Option<Table>, Failure> {
        let read = |file| read_table(file, &self.recipe.read, context);
        self.recipe.validation.as_deref().map(read).transpose()
    }

    /// The table.
    pub(crate) fn table(&self, context: &Context) -> Result<Table, Failure> {
        read_table(self.file()?, &self.recipe.read, context)
    }

    /// The model text, if it is not the default network.
    pub(crate) fn text(&self) -> Result<Option<SourceText>, Failure> {
        self.recipe.text.as_deref().filter(|_| self.recipe.has_target()).map(read_text).transpose()
    }

    /// A configuration that gives the same model from any folder.
    pub(crate) fn repeatable(&self, current: &Path) -> String {
        let mut settings = self.settings.clone();
        let Recipe { data, text, validation, .. } = &self.recipe;
        for (key, path) in [("data.path", data), ("model.text", text), ("data.split.validation", validation)] {
            if let (Some(setting), Some(path)) = (settings::setting(key), path) {
                let path = current.join(path).display().to_string();
                settings.lay([Given { key: Key::of(setting), value: Value::Text(path), origin: Origin::Default }]);
            }
        }
        settings.repeatable()
    }
}

fn which_column() -> Failure {
    Failure::usage("which column of the table is to be predicted?").help("name it with `--target COLUMN`")
}

fn is_table(file: &Path) -> bool {
    let endings = ["csv", "tsv"];
    file.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| endings.contains(&extension))
}

/// What the configuration, the environment and the flags say, laid over each other.
fn laid<S: Subset>(args: &SettingArgs<S>, context: &Context) -> Result<(Settings, Vec<Range>), Failure> {
    let mut settings = Settings::default();
    let mut space = Vec::new();
    if let Some(path) = &args.config {
        let source = read_text(path)?;
        let folder = path.parent().filter(|_| path.as_os_str() != "-").unwrap_or(Path::new(""));
        let read = settings::configuration(&source.text, &source.name, folder);
        let read = read.map_err(|fault| Failure::at(USAGE, &source, fault))?;
        settings.lay(read.given);
        space = read.space;
    }
    settings.lay(environment(context)?);
    for text in &args.set {
        let given = assignment(text).map_err(|fault| of_argument(text, fault))?;
        if !args.has(given.key.setting) {
            let key = given.key.setting.key;
            return Err(Failure::usage(format!("`{key}` is no setting of this command")).help("leave it out"));
        }
        settings.lay([given]);
    }
    settings.lay(args.given.iter().cloned());
    Ok((settings, space))
}

/// The settings of a command that looks at a table, with or without a target. `file` is the table.
pub(crate) fn of_table<S: Subset>(
    args: &SettingArgs<S>,
    file: Option<&Path>,
    context: &Context,
) -> Result<Configured, Failure> {
    let (mut settings, space) = laid(args, context)?;
    settings.lay(file.map(|file| given_file("data.path", file)));
    let recipe = settings.recipe();
    Ok(Configured { settings, recipe, space })
}

/// The settings of a command. `file` is its argument without a flag: a table, or a model text.
pub(crate) fn configured<S: Subset>(
    args: &SettingArgs<S>,
    file: Option<&Path>,
    context: &Context,
) -> Result<Configured, Failure> {
    let (mut settings, space) = laid(args, context)?;
    if let Some(file) = file {
        settings.lay([argument(file, &settings.recipe())]);
    }
    let recipe = settings.recipe();
    if !recipe.has_target() {
        refuse(
            &settings,
            is_of_tables,
            "is for tables, and no target is named",
            "name the column with `--target COLUMN`",
        )?;
    } else if recipe.text.is_some() {
        let help = "write it into the text (`chainrule show MODEL` prints one), or leave the text out";
        refuse(&settings, is_of_network, "is for the default network, and a model text is given", help)?;
    }
    let split = &recipe.table.split;
    let wishes = [split.group.is_some(), split.time.is_some(), split.column.is_some()];
    if wishes.into_iter().filter(|&wish| wish).count() > 1 {
        return Err(Failure::usage("a split is by group, by time or by a column, not by several of them")
            .help("leave all but one of --group, --split-time and --split-column out"));
    }
    if recipe.out.is_some() && recipe.folder.is_some() {
        return Err(Failure::usage("a run has a folder (--run) or a file (--out), not both")
            .help("the folder holds the model as `best.safetensors`"));
    }
    if recipe.checkpoint_every.is_some() && recipe.folder.is_none() && args.has(&SETTINGS[0]) {
        return Err(Failure::usage("checkpoints (--checkpoint-every) need a folder").help("give it with `--run DIR`"));
    }
    Ok(Configured { settings, recipe, space })
}

/// The argument without a flag: with a target it is the table, unless it is a model text for the table of the
/// configuration.
fn argument(file: &Path, recipe: &Recipe) -> Given {
    let is_text = file.extension().is_some_and(|extension| extension == "cr");
    let table = recipe.has_target() && !(is_text && recipe.data.is_some());
    given_file(if table { "data.path" } else { "model.text" }, file)
}

fn given_file(key: &str, file: &Path) -> Given {
    let setting = settings::setting(key).expect("invariant: both keys are rows of the list");
    let value = Value::Text(file.display().to_string());
    Given { key: Key::of(setting), value, origin: Origin::CommandLine("the file".to_owned()) }
}

/// Settings of a table, its split and its network.
fn is_of_tables(key: &str) -> bool {
    let other = ["data.path", "model.text", "model.ensemble"].contains(&key);
    !other && (["data.", "columns.", "model."].iter().any(|part| key.starts_with(part)) || is_of_network(key))
}

/// Settings that a model text says in its own words.
pub(crate) fn is_of_network(key: &str) -> bool {
    ["model.units", "model.activation", "model.dropout", "train.rate", "train.decay"].contains(&key)
}

/// Refuses a setting that nobody would read, unless it has its default.
fn refuse(settings: &Settings, wrong: fn(&str) -> bool, why: &str, help: &str) -> Result<(), Failure> {
    let chosen = settings.chosen().into_iter().find(|given| {
        wrong(given.key.setting.key) && given.key.setting.default != Some(given.value.to_toml().as_str())
    });
    match chosen {
        Some(given) => Err(Failure::usage(format!("`{}` {why}", given.key.written())).help(help)),
        None => Ok(()),
    }
}

/// A fault in an argument, with a caret below the argument.
fn of_argument(text: &str, fault: Diagnostic) -> Failure {
    Failure::at(USAGE, &SourceText { name: "--set".to_owned(), text: text.to_owned() }, fault)
}

/// What the environment chooses. A variable that looks like a setting and is none is told, since somebody relies on it.
fn environment(context: &Context) -> Result<Vec<Given>, Failure> {
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("CHAINRULE_")) else { continue };
        if !context.quiet && SETTINGS.iter().all(|setting| setting.env != Some(name)) {
            output::progress(&format!("note    {name} is not read: the environment changes no results; use --set\n"));
        }
    }
    Settings::environment(&|name| std::env::var(name).ok()).map_err(|(name, fault)| {
        let help = fault.help.unwrap_or_else(|| format!("it is a variable of the environment: `unset {name}`"));
        Failure::new(USAGE, fault.code, fault.message).help(help)
    })
}
