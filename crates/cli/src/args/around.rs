//! What may stand behind the verbs around training.

use std::path::PathBuf;

use clap::Args;

use super::settings::{Judging, SettingArgs};

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
