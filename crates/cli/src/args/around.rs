//! What may stand behind the verbs around training.

use std::path::PathBuf;

use clap::Args;

use super::ReadArgs;
use super::settings::{Judging, Looking, SettingArgs};

/// Look at a table: what its columns hold, what training makes of them, and what looks wrong
#[derive(Debug, Args)]
#[command(after_help = DATA_EXAMPLES)]
pub(crate) struct DataArgs {
    /// The table; `-` for standard input
    pub(crate) table: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<Looking>,
    /// One JSON document in place of the tables
    #[arg(long)]
    pub(crate) json: bool,
}

const DATA_EXAMPLES: &str = "\
Examples:
  chainrule data titanic.csv
  chainrule data titanic.csv --target Survived     also how strongly each column and the target go together
  chainrule data titanic.csv --json | jq '.columns[] | select(.missing > 0) | .name'
`with target` is 0 for columns that tell nothing of the target and 1 for those that decide it, whatever the shape:
Cramér's V for classes, the correlation ratio for numbers, both corrected for chance; docs/data.md tells more.";

/// Write a configuration for a table, with what was found in it
#[derive(Debug, Args)]
#[command(after_help = INIT_EXAMPLES)]
pub(crate) struct InitArgs {
    /// The table; `-` for standard input
    pub(crate) table: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<Judging>,
    /// Where the configuration goes, `-` is standard output; else the name of the table with `.toml` in this folder
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite a file
    #[arg(long)]
    pub(crate) force: bool,
}

const INIT_EXAMPLES: &str = "\
Examples:
  chainrule init titanic.csv --target Survived     writes titanic.toml
  chainrule train -c titanic.toml
  chainrule train -c titanic.toml --set train.epochs=50 --print-config";

/// Print the JSON Schema of a configuration or of an answer, or list them
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// `config`, or a verb that has `--json`
    pub(crate) name: Option<String>,
}

/// Print a script that completes commands and flags in a shell
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  chainrule completions bash > ~/.local/share/bash-completion/completions/chainrule
  chainrule completions zsh > ~/.zfunc/_chainrule
  chainrule completions fish > ~/.config/fish/completions/chainrule.fish";

/// Print the manual page, of all or of one command
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chainrule man train | man -l -")]
pub(crate) struct ManArgs {
    /// A command
    pub(crate) command: Option<String>,
}

/// Train a small network on two spirals, and show what it has learned: nothing is needed
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chainrule demo\n  chainrule demo --table visits.csv     a table to try `train` on"
)]
pub(crate) struct DemoArgs {
    /// Write a small made-up table instead, to try `train` on
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
    /// Overwrite a file
    #[arg(long, requires = "table")]
    pub(crate) force: bool,
    /// Draw with plain characters; also when TERM=dumb
    #[arg(long)]
    pub(crate) ascii: bool,
    /// One JSON document instead of the picture
    #[arg(long, conflicts_with = "table")]
    pub(crate) json: bool,
}

/// Judge a network by cross-validation: every row is predicted by a model that never saw it
#[derive(Debug, Args)]
#[command(after_help = CV_EXAMPLES)]
pub(crate) struct CvArgs {
    /// The table; `-` for standard input; else what the configuration names
    pub(crate) table: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<Judging>,
    /// Parts of the table, each of which is held out once [default: 5]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(crate) folds: Option<u32>,
    /// Repetitions with other folds
    #[arg(long, default_value_t = 1, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeats: u32,
    /// A table of the predictions for the rows that were held out
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON document instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

const CV_EXAMPLES: &str = "\
Examples:
  chainrule cv titanic.csv --target Survived
  chainrule cv titanic.csv --target Survived --folds 10 --repeats 3 --json
  chainrule cv visits.csv --target bought --group customer -o held_out.csv
  chainrule cv visits.csv --target bought --split-time day
  chainrule cv visits.csv --target bought --split-column shop
Classes have their share in every fold. With --split-time each fold is trained on all rows before it and never on later ones;
with --split-column each value of the column is held out once. Preprocessing is fitted inside of each fold. Folds are trained side by side; the
result is the same for any number of threads.";

/// Search settings: random trials, more epochs for the better ones, the best as a configuration and a model
#[derive(Debug, Args)]
#[command(after_help = TUNE_EXAMPLES)]
pub(crate) struct TuneArgs {
    /// The table; `-` for standard input; else what the configuration names
    pub(crate) table: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<Judging>,
    /// Trials, the first without changes
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) trials: u32,
    /// How trials get their epochs
    #[arg(long, value_enum, default_value_t = SearchArg::Halving, value_name = "HOW")]
    pub(crate) search: SearchArg,
    /// The figure on the validation rows that counts; else log_loss of classes, rmse of a number
    #[arg(long, value_name = "FIGURE")]
    pub(crate) by: Option<String>,
    /// Where the best configuration goes; else the name of the table with `.tuned.toml` in this folder
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Where results are kept, and found again after a stop; else the name of the table with `.tune.jsonl`
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Overwrite the best configuration, and begin anew when the log is of another search
    #[arg(long)]
    pub(crate) force: bool,
    /// Train no final model
    #[arg(long)]
    pub(crate) no_model: bool,
    /// One JSON document instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SearchArg {
    /// All begin with few epochs; a third goes on with three times as many, and so on
    Halving,
    /// All epochs for every trial
    Random,
}

const TUNE_EXAMPLES: &str = "\
Examples:
  chainrule tune titanic.csv --target Survived
  chainrule tune titanic.csv --target Survived --trials 100 --by accuracy
  chainrule tune -c space.toml --search random
A space of one's own stands in a configuration, a list or a range for each setting:
  [tune.space]
  \"train.batch\" = [16, 32, 64]
  \"train.patience\" = { from = 5, to = 50, scale = \"log\" }
The same seed gives the same trials. After a stop the same command goes on with what the log has.";

/// List the runs in a folder
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// The folder of the runs
    #[arg(default_value = "runs")]
    pub(crate) folder: PathBuf,
    /// One JSON document instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

/// Put runs or models side by side: figures, sizes, and the settings that differ
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chainrule compare runs/a runs/b\n  chainrule compare runs/* --on holdout.csv --json"
)]
pub(crate) struct CompareArgs {
    /// Folders of runs, or model files
    #[arg(required = true, num_args = 1..)]
    pub(crate) runs: Vec<PathBuf>,
    /// Also the figures of each on the rows of this table
    #[arg(long, value_name = "TABLE")]
    pub(crate) on: Option<PathBuf>,
    /// One JSON document instead of the table
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}
