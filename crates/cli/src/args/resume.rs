//! What may stand behind `resume`.

use std::path::PathBuf;

use clap::Args;

use super::{ProgressArg, Threads, threads};

/// Go on with a run that was stopped, exactly as if it never had been
#[derive(Debug, Args)]
#[command(after_help = RESUME_NOTES)]
pub(crate) struct ResumeArgs {
    /// The folder that `train --run` was given
    pub(crate) run: PathBuf,
    /// Number of threads; `auto` takes one for small networks. The result is the same
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = threads)]
    pub(crate) threads: Threads,
    /// Save a checkpoint after every so many batches, too; else every 30 seconds and at each stop
    #[arg(long, value_name = "BATCHES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) checkpoint_every: Option<u64>,
    /// Events as JSON Lines on standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// How progress is shown on standard error
    #[arg(long, value_enum, default_value_t = ProgressArg::Auto, value_name = "HOW")]
    pub(crate) progress: ProgressArg,
}

const RESUME_NOTES: &str = "\
Example:
  chainrule train titanic.csv --target Survived --run runs/titanic     Ctrl-C after a while
  chainrule resume runs/titanic
The model text, the options and the data are those of the run; other data is refused (exit code 4), a damaged checkpoint,
too (5). The final model and the metrics are the same, byte for byte, as those of a run that was never stopped, also after
`kill -9`, and for any number of threads. Only one process may work in a folder (6). A run that is finished stays as it is.";
