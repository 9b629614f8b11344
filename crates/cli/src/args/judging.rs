//! Arguments of the commands that judge models.

use std::path::PathBuf;

use clap::Args;

/// Figures of a model on the rows of a table, with intervals and a baseline
#[derive(Debug, Args)]
#[command(after_help = EVALUATE_EXAMPLES)]
pub(crate) struct EvaluateArgs {
    /// A trained model, or the folder of a run
    pub(crate) model: PathBuf,
    /// A table with the target; `-` for standard input
    pub(crate) table: PathBuf,
    /// A figure and what it must be, such as `accuracy>=0.8`; else exit code 8
    #[arg(long, value_name = "REQUIREMENT", value_parser = crate::commands::evaluate::requirement)]
    pub(crate) require: Vec<crate::commands::evaluate::Requirement>,
    /// The class that counts as positive, of two; else the second
    #[arg(long, value_name = "CLASS")]
    pub(crate) positive: Option<String>,
    /// Seed of the resamples behind the intervals
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    pub(crate) seed: u64,
    /// One JSON document in place of the figures
    #[arg(long)]
    pub(crate) json: bool,
}

const EVALUATE_EXAMPLES: &str = "\
Examples:
  chainrule evaluate titanic.safetensors new.csv
  chainrule evaluate titanic.safetensors new.csv --require 'accuracy>=0.8' --require 'auc.low>=0.85'
  chainrule evaluate titanic.safetensors new.csv --json | jq .intervals.accuracy
`figure.low` and `figure.high` are the ends of its 95 % interval. The figures are explained in docs/metrics.md.";
