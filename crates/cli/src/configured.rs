//! The settings of a command: configuration, environment and command line laid over each other.

use std::path::Path;

use chainrule::text::diagnostic::Diagnostic;
use chainrule::train::settings::{self, Given, Key, Origin, Range, Recipe, SETTINGS, Settings, Value, assignment};

use crate::args::settings::{SettingArgs, Subset};
use crate::errors::{Failure, USAGE};
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
        let Recipe { data, text, target, .. } = &self.recipe;
        let missing = |what: &str| Failure::new(USAGE, "E013", format!("there is no {what}"));
        match (target, data, text) {
            (Some(_), Some(table), _) => Ok(table),
            (Some(_), None, _) => {
                Err(missing("table to train on").help("name it on the command line, or as `path` in `[data]`"))
            }
            (None, Some(_), _) => Err(which_column()),
            (None, None, Some(text)) if is_table(text) => Err(which_column()),
            (None, None, Some(text)) => Ok(text),
            (None, None, None) => Err(missing("table or model text to train")
                .help("`chainrule train TABLE.csv --target COLUMN`, or a configuration with `-c FILE`")),
        }
    }

    /// The column to predict.
    pub(crate) fn target(&self) -> Result<&str, Failure> {
        self.recipe.target.as_deref().ok_or_else(which_column)
    }

    /// The model text, if it is not the default network.
    pub(crate) fn text(&self) -> Result<Option<SourceText>, Failure> {
        self.recipe.text.as_deref().filter(|_| self.recipe.target.is_some()).map(read_text).transpose()
    }

    /// A configuration that gives the same model from any folder.
    pub(crate) fn repeatable(&self, current: &Path) -> String {
        let mut settings = self.settings.clone();
        for (key, path) in [("data.path", &self.recipe.data), ("model.text", &self.recipe.text)] {
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

/// The settings of a command. `file` is its argument without a flag: a table, or a model text.
pub(crate) fn configured<S: Subset>(
    args: &SettingArgs<S>,
    file: Option<&Path>,
    context: &Context,
) -> Result<Configured, Failure> {
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
    if let Some(file) = file {
        settings.lay([argument(file, &settings.recipe())]);
    }
    let recipe = settings.recipe();
    if recipe.target.is_none() {
        refuse_columns(&settings)?;
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
    let table = recipe.target.is_some() && !(is_text && recipe.data.is_some());
    let key = if table { "data.path" } else { "model.text" };
    let setting = settings::setting(key).expect("invariant: both keys are rows of the list");
    let value = Value::Text(file.display().to_string());
    Given { key: Key::of(setting), value, origin: Origin::CommandLine("the file".to_owned()) }
}

/// Wishes for columns need a table.
fn refuse_columns(settings: &Settings) -> Result<(), Failure> {
    let of_table = |given: &&Given| {
        let key = given.key.setting.key;
        key != "data.path" && (key.starts_with("data.") || key.starts_with("columns."))
    };
    match settings.chosen().into_iter().find(of_table) {
        Some(given) => Err(Failure::usage(format!("`{}` is for tables, and no target is named", given.key.written()))
            .help("name the column to predict with `--target COLUMN`")),
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
