//! What may stand behind `lr-find` and `numerics`.

use std::path::PathBuf;

use clap::Args;

/// Look for a learning rate: it grows from step to step, and the loss says when it is right
#[derive(Debug, Args)]
#[command(after_help = LR_FIND_EXAMPLES)]
pub(crate) struct LrFindArgs {
    /// Model text (`.cr`) with a `train` line and data
    pub(crate) model: PathBuf,
    /// The first rate
    #[arg(long, value_name = "RATE", default_value_t = 1e-6, value_parser = rate)]
    pub(crate) from: f64,
    /// The last rate
    #[arg(long, value_name = "RATE", default_value_t = 10.0, value_parser = rate)]
    pub(crate) to: f64,
    /// Steps
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub(crate) steps: u32,
    /// Draw the curve into an SVG or PNG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// One JSON document instead of the text
    #[arg(long)]
    pub(crate) json: bool,
}

const LR_FIND_EXAMPLES: &str = "\
Examples:
  chainrule lr-find model.cr
  chainrule lr-find model.cr --from 1e-4 --to 1 --plot rates.svg";

fn rate(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| *value > 0.0 && value.is_finite());
    value.ok_or_else(|| "a rate is a positive number".to_owned())
}

/// Look for gradients that vanish or explode, dead units and saturation
#[derive(Debug, Args)]
pub(crate) struct NumericsArgs {
    /// Model text (`.cr`) with a `train` line and data
    pub(crate) model: PathBuf,
    /// Also after so many epochs of training; 0 looks at the start alone
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub(crate) epochs: u32,
    /// One JSON document instead of the text
    #[arg(long)]
    pub(crate) json: bool,
}
