//! Arguments of the commands that judge models.

use std::path::PathBuf;

use clap::Args;

use super::ReadArgs;

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
    /// The target that is judged, of several; else the first
    #[arg(long, value_name = "COLUMN")]
    pub(crate) of: Option<String>,
    /// Seed of the resamples behind the intervals
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    pub(crate) seed: u64,
    /// One JSON document in place of the figures
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

const EVALUATE_EXAMPLES: &str = "\
Examples:
  chainrule evaluate titanic.safetensors new.csv
  chainrule evaluate titanic.safetensors new.csv --require 'accuracy>=0.8' --require 'auc.low>=0.85'
  chainrule evaluate titanic.safetensors new.csv --json | jq .intervals.accuracy
`figure.low` and `figure.high` are the ends of its 95 % interval. The figures are explained in docs/metrics.md.";

/// What the columns of a table are worth to a model: how much worse it is when their values are shuffled
#[derive(Debug, Args)]
#[command(after_help = IMPORTANCE_EXAMPLES)]
pub(crate) struct ImportanceArgs {
    /// A trained model, or the folder of a run
    pub(crate) model: PathBuf,
    /// A table with the target, best one that the model was not trained on; `-` for standard input
    pub(crate) table: PathBuf,
    /// The figure that becomes worse; else accuracy for classes, rmse for numbers
    #[arg(long, value_name = "NAME")]
    pub(crate) metric: Option<String>,
    /// How often each column is shuffled
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeats: u32,
    /// Seed of the shuffles
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Draw the bars into an SVG or PNG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// One JSON document in place of the text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

const IMPORTANCE_EXAMPLES: &str = "\
Examples:
  chainrule importance titanic.safetensors new.csv
  chainrule importance titanic.safetensors new.csv --metric log_loss --plot importance.svg
Columns that tell the same share their importance: each looks small as long as the other is there.";

/// How predictions depend on a column of a table (partial dependence), or on two
#[derive(Debug, Args)]
#[command(after_help = DEPENDENCE_EXAMPLES)]
pub(crate) struct DependenceArgs {
    /// A trained model, or the folder of a run
    pub(crate) model: PathBuf,
    /// A table with the target; `-` for standard input
    pub(crate) table: PathBuf,
    /// The column; twice for two
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', required = true, num_args = 1..=2)]
    pub(crate) column: Vec<String>,
    /// Seed of the rows that are taken, if there are more than 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Draw it into an SVG or PNG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// One JSON document in place of the text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

const DEPENDENCE_EXAMPLES: &str = "\
Examples:
  chainrule dependence titanic.safetensors new.csv --column Age
  chainrule dependence titanic.safetensors new.csv --column Age,Fare --plot age-fare.png
The values are such as occur. Where columns go together, some of the rows that arise cannot occur.";

/// Figures over the number of rows trained on: would more data help?
#[derive(Debug, Args)]
#[command(after_help = LEARNING_EXAMPLES)]
pub(crate) struct LearningCurveArgs {
    /// A table; `-` for standard input
    pub(crate) file: PathBuf,
    /// A model text in place of the default network
    #[arg(short, long, value_name = "TEXT.cr")]
    pub(crate) model: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) table: super::TableArgs,
    /// Shares of the training rows, each above 0 and at most 1
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0.1,0.2,0.4,0.7,1", value_parser = share)]
    pub(crate) shares: Vec<f64>,
    /// The figure to show; else accuracy for classes, rmse for numbers
    #[arg(long, value_name = "NAME")]
    pub(crate) metric: Option<String>,
    /// Seed of the split, the starting values and the order of the examples
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Passes over the data
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) epochs: Option<u32>,
    /// Draw the curve into an SVG or PNG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// One JSON document in place of the text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

const LEARNING_EXAMPLES: &str = "\
Examples:
  chainrule learning-curve titanic.csv --target Survived
  chainrule learning-curve housing.csv --target price --shares 0.05,0.1,0.2,0.5,1 --plot curve.svg
All networks are judged by the same held-out rows, and smaller parts are contained in larger ones.";

fn share(text: &str) -> Result<f64, String> {
    let value = text.trim().parse::<f64>().ok().filter(|value| *value > 0.0 && *value <= 1.0);
    value.ok_or_else(|| "a share is a number above 0 and at most 1".to_owned())
}

/// A chart of a run or of a model on a table, as SVG or PNG
#[derive(Debug, Args)]
#[command(after_help = PLOT_EXAMPLES)]
pub(crate) struct PlotArgs {
    /// The folder of a run, or a trained model
    pub(crate) model: PathBuf,
    /// A table with the target, for all charts but curves; `-` for standard input
    pub(crate) table: Option<PathBuf>,
    /// Which chart
    #[arg(long, value_enum, default_value_t = What::Curves, value_name = "CHART")]
    pub(crate) what: What,
    /// The column of `dependence`; twice for two
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', num_args = 1..=2)]
    pub(crate) column: Vec<String>,
    /// The file, .svg or .png; `-` is SVG on standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum What {
    /// Losses over the epochs of a run
    Curves,
    /// Right against predicted classes
    Confusion,
    /// True against false positives
    Roc,
    /// Precision over recall
    PrecisionRecall,
    /// How often probabilities come true
    Calibration,
    /// Predicted against actual numbers
    Actual,
    /// How errors are distributed
    Errors,
    /// What the columns are worth
    Importance,
    /// How predictions depend on --column
    Dependence,
}

const PLOT_EXAMPLES: &str = "\
Examples:
  chainrule plot runs/titanic -o curves.svg
  chainrule plot titanic.safetensors new.csv --what roc -o roc.png
  chainrule plot titanic.safetensors new.csv --what dependence --column Age -o age.png";
/// Everything about a model on one page that needs nothing else: figures, charts, the network and its derivation
#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct ReportArgs {
    /// A trained model, or the folder of a run
    pub(crate) model: PathBuf,
    /// A table with the target; `-` for standard input
    pub(crate) table: PathBuf,
    /// Where the page goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// Seed of resamples and shuffles
    #[arg(long, value_name = "NUMBER", default_value_t = 42)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

const REPORT_EXAMPLES: &str = "\
Examples:
  chainrule report titanic.safetensors new.csv -o titanic.html
  chainrule report runs/titanic holdout.csv";
