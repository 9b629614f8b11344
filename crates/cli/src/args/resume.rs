//! What may stand behind `resume`.

use std::path::PathBuf;

use clap::Args;

use super::settings::{Resuming, SettingArgs};

/// Go on with a run that was stopped, exactly as if it never had been
#[derive(Debug, Args)]
#[command(after_help = RESUME_NOTES)]
pub(crate) struct ResumeArgs {
    /// The folder that `train --run` was given
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<Resuming>,
    /// Events as JSON Lines on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

const RESUME_NOTES: &str = "\
Example:
  chainrule train titanic.csv --target Survived --run runs/titanic     Ctrl-C after a while
  chainrule resume runs/titanic
The model text, the options and the data are those of the run; other data is refused (exit code 4), a damaged checkpoint,
too (5). The final model and the metrics are the same, byte for byte, as those of a run that was never stopped, also after
`kill -9`, and for any number of threads. Only one process may work in a folder (6). A run that is finished stays as it is.";
