//! The flags that stand for settings: made from the one list of the library.

use std::marker::PhantomData;
use std::path::PathBuf;

use chainrule::train::settings::{Given, Key, Kind, Origin, SETTINGS, Setting, Value};
use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

/// Which settings a command has flags for.
pub(crate) trait Subset {
    /// Does it take a configuration, and `--set`?
    const CONFIGURED: bool = true;
    fn has(setting: &Setting) -> bool;
}

/// All settings.
#[derive(Debug)]
pub(crate) struct Training;

/// Those of a model, without where it is saved.
#[derive(Debug)]
pub(crate) struct Judging;

/// Those that say how a table is read and what its columns become.
#[derive(Debug)]
pub(crate) struct Looking;

/// Those that change nothing of a run that was begun.
#[derive(Debug)]
pub(crate) struct Resuming;

/// Where a run leaves its files.
fn is_place(setting: &Setting) -> bool {
    ["run.out", "run.folder", "run.checkpoint_every"].contains(&setting.key)
}

impl Subset for Training {
    fn has(_: &Setting) -> bool {
        true
    }
}

impl Subset for Judging {
    fn has(setting: &Setting) -> bool {
        !is_place(setting)
    }
}

impl Subset for Looking {
    fn has(setting: &Setting) -> bool {
        let encoding = ["model.bins", "model.one_hot", "run.seed"].contains(&setting.key);
        let columns = setting.key.starts_with("data.") || setting.key.starts_with("columns.");
        encoding || (columns && !["data.split.validation", "data.split.test"].contains(&setting.key))
    }
}

impl Subset for Resuming {
    const CONFIGURED: bool = false;
    fn has(setting: &Setting) -> bool {
        ["run.threads", "run.checkpoint_every", "run.progress"].contains(&setting.key)
    }
}

/// What the command line says of settings.
#[derive(Debug)]
pub(crate) struct SettingArgs<S: Subset> {
    /// The configuration.
    pub(crate) config: Option<PathBuf>,
    /// `key=value` of each `--set`.
    pub(crate) set: Vec<String>,
    /// What the flags say.
    pub(crate) given: Vec<Given>,
    /// Only show what holds.
    pub(crate) print_config: bool,
    subset: PhantomData<S>,
}

const CONFIG: &str = "config";
const SET: &str = "set";
const PRINT: &str = "print_config";

/// The rows of the list with a flag that a command has.
fn rows<S: Subset>() -> impl Iterator<Item = (&'static Setting, &'static str, Option<char>, &'static str)> {
    let rows = SETTINGS.iter().filter(|setting| S::has(setting));
    rows.filter_map(|setting| setting.flag.map(|flag| (setting, flag.long, flag.short, flag.value)))
}

fn parser(setting: &'static Setting) -> ValueParser {
    if setting.key.contains('*') {
        return ValueParser::new(move |text: &str| of_column(setting, text));
    }
    if setting.takes.kind == Kind::Word {
        return PossibleValuesParser::new(setting.takes.words).map(Value::Text).into();
    }
    let parse = move |text: &str| {
        setting.takes.of_word(text).map_err(|wrong| match wrong.near {
            Some(near) => format!("it {}; did you mean `{near}`?", wrong.message),
            None => format!("it {}", wrong.message),
        })
    };
    ValueParser::new(parse)
}

/// `COLUMN=VALUE` for settings of columns.
fn of_column(setting: &'static Setting, text: &str) -> Result<Value, String> {
    let (column, word) =
        text.rsplit_once('=').ok_or_else(|| format!("write it as COLUMN={}", setting.takes.words.join("|")))?;
    setting.takes.of_word(word).map_err(|wrong| format!("it {}", wrong.message))?;
    Ok(Value::Names(vec![column.to_owned(), word.to_owned()]))
}

impl<S: Subset> Args for SettingArgs<S> {
    fn augment_args(mut command: Command) -> Command {
        for (setting, long, short, value) in rows::<S>() {
            let about = match setting.env {
                Some(env) => format!("{} [env: {env}]", setting.about),
                None => setting.about.to_owned(),
            };
            let mut arg = Arg::new(setting.key).long(long).value_name(value).help(about).value_parser(parser(setting));
            arg = match short {
                Some(letter) => arg.short(letter),
                None => arg,
            };
            // Names that begin with a dash are names.
            let negative = matches!(setting.takes.kind, Kind::Text | Kind::Number { .. });
            let many = setting.takes.kind.is_list() || setting.key.contains('*');
            if setting.takes.kind == Kind::Flag {
                arg = arg.num_args(0..=1).default_missing_value("true").require_equals(true);
            }
            let action = if many { ArgAction::Append } else { ArgAction::Set };
            let delimiter = setting.key.contains('*').then_some(',');
            command = command
                .arg(arg.action(action).value_delimiter(delimiter).allow_hyphen_values(negative && short.is_none()));
        }
        if !S::CONFIGURED {
            return command;
        }
        command
            .arg(
                Arg::new(CONFIG)
                    .long("config")
                    .short('c')
                    .value_name("FILE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .help("A configuration (TOML); flags and --set stand above it"),
            )
            .arg(
                Arg::new(SET)
                    .long("set")
                    .short('s')
                    .value_name("KEY=VALUE")
                    .action(ArgAction::Append)
                    .allow_hyphen_values(true)
                    .help("Any setting by its key, such as `train.epochs=50`; docs/settings.md lists them"),
            )
            .arg(
                Arg::new(PRINT)
                    .long("print-config")
                    .action(ArgAction::SetTrue)
                    .help("Only print what holds, as a configuration, with who chose each value"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Subset> FromArgMatches for SettingArgs<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut given = Vec::new();
        for (setting, long, ..) in rows::<S>() {
            let values = matches.try_get_many::<Value>(setting.key);
            let values = values.map_err(|error| Error::raw(ErrorKind::InvalidValue, error.to_string()))?;
            let Some(values) = values else { continue };
            let values: Vec<&Value> = values.collect();
            let origin = Origin::CommandLine(format!("--{long}"));
            if setting.key.contains('*') {
                let pairs = values.iter().filter_map(|value| <[String; 2]>::try_from(value.names()).ok());
                given.extend(pairs.map(|[column, word]| Given {
                    key: Key { setting, column },
                    value: Value::Text(word),
                    origin: origin.clone(),
                }));
                continue;
            }
            let value = match (setting.takes.kind, values.last()) {
                (Kind::Names, _) => Value::Names(values.iter().flat_map(|value| value.names()).collect()),
                (Kind::NameOrNames, _) if values.len() > 1 => {
                    Value::Names(values.iter().flat_map(|value| value.names()).collect())
                }
                (_, Some(value)) => (*value).clone(),
                (_, None) => continue,
            };
            given.push(Given { key: Key::of(setting), value, origin });
        }
        let configured = S::CONFIGURED;
        let set = configured.then(|| matches.get_many::<String>(SET)).flatten();
        Ok(SettingArgs {
            config: configured.then(|| matches.get_one::<PathBuf>(CONFIG).cloned()).flatten(),
            set: set.map(|set| set.cloned().collect()).unwrap_or_default(),
            given,
            print_config: configured && matches.get_flag(PRINT),
            subset: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<S: Subset> SettingArgs<S> {
    /// Is it a setting of the command?
    pub(crate) fn has(&self, setting: &Setting) -> bool {
        S::has(setting)
    }
}
