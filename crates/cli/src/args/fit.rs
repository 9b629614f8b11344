//! What may stand behind `fit`.

use std::path::PathBuf;

use clap::Args;

use super::ReadArgs;

/// Fit a formula to a table by least squares: parameters with standard errors, by Levenberg-Marquardt
#[derive(Debug, Args)]
#[command(after_help = FIT_EXAMPLES)]
pub(crate) struct FitArgs {
    /// `response ~ model`; names of columns are data, all others are parameters
    #[arg(value_name = "FORMULA")]
    pub(crate) formula: String,
    /// The table, with a header; `-` is standard input
    #[arg(value_name = "TABLE")]
    pub(crate) table: PathBuf,
    /// Where the parameters start: `a=1,b=0.5`; those that are not named start at 1
    #[arg(long, value_name = "NAME=NUMBER", value_delimiter = ',', value_parser = start, allow_hyphen_values = true)]
    pub(crate) start: Vec<(String, f64)>,
    /// A column of weights: each squared residual is multiplied by it
    #[arg(long, value_name = "COLUMN")]
    pub(crate) weights: Option<String>,
    /// Of the confidence intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = level)]
    pub(crate) level: f64,
    /// Iterations at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) iterations: Option<u32>,
    /// Draw the residuals into an SVG or PNG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Write responses, fitted values and residuals to this table; `-` is standard output, and then there is no report
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The model text behind the formula, instead of a fit
    #[arg(long, conflicts_with_all = ["json", "plot", "out"])]
    pub(crate) text: bool,
    /// One JSON document instead of the text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

const FIT_EXAMPLES: &str = "\
Examples:
  chainrule fit 'y ~ b1*(1 - exp(-b2*x))' data.csv --start b1=500,b2=0.0001
  chainrule fit 'log(dose) ~ a + b/(t + c)' data.csv --start c=10 --weights n --plot residuals.svg
Every name is one number a row: `*`, `/`, `^` and `**` are the operations of numbers. Write names with blanks in backquotes.";

fn start(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("`{text}` is not of the form NAME=NUMBER");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let value: f64 = value.trim().parse().map_err(|_| wrong())?;
    if value.is_finite() { Ok((name.trim().to_owned(), value)) } else { Err(wrong()) }
}

fn level(text: &str) -> Result<f64, String> {
    let level: f64 = text.parse().map_err(|_| "a level is a number between 0 and 1".to_owned())?;
    if level > 0.0 && level < 1.0 { Ok(level) } else { Err("a level is a number between 0 and 1".to_owned()) }
}
