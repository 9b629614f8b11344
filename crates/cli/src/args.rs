//! What may stand on the command line.

mod around;
mod fit;
mod formulas;
mod judging;
mod looks;
mod read;
mod resume;
pub(crate) mod settings;

use std::path::PathBuf;

use chainrule::data::batch::Batch;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::commands::derive::variables::{self, VariableArg};
pub(crate) use around::{
    CompareArgs, CompletionsArgs, CvArgs, DataArgs, DemoArgs, InitArgs, ManArgs, RunsArgs, SchemaArgs, SearchArg,
    TuneArgs,
};
pub(crate) use fit::FitArgs;
pub(crate) use formulas::{EmitArgs, VerifyArgs};
pub(crate) use judging::{DependenceArgs, EvaluateArgs, ImportanceArgs, LearningCurveArgs, PlotArgs, ReportArgs, What};
pub(crate) use looks::{LrFindArgs, NumericsArgs};
pub(crate) use read::ReadArgs;
pub(crate) use resume::ResumeArgs;
pub(crate) use settings::{SettingArgs, Training};

/// The formula is the program: derive, check and train networks written as matrix expressions.
#[derive(Debug, Parser)]
#[command(name = "chainrule", version, arg_required_else_help = true, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  chainrule derive --expr 'sum((X*W-Y).^2)' --var X=5x3 --var W=3x2 --var Y=5x2 --wrt W
  chainrule derive model.cr --wrt W1        the gradient of the loss, step by step
  chainrule emit model.cr --target numpy    loss and gradients as a program of another language
  chainrule verify model.cr --wrt w --claim '2*w'   is this gradient right? If not, why?
  chainrule check model.cr                  every gradient and every claim against numbers
  chainrule demo                            two spirals, learned and drawn in a second
  chainrule data data.csv --target price    what is in a table, and what looks wrong
  chainrule init data.csv --target price    a configuration, with what was found in the table
  chainrule train data.csv --target price   a network for a table, saved as data.safetensors
  chainrule predict data.safetensors new.csv -o out.csv
  chainrule evaluate data.safetensors new.csv       figures with intervals, beside a baseline
  chainrule importance data.safetensors new.csv     which columns matter
  chainrule plot data.safetensors new.csv --what roc -o roc.svg
  chainrule report data.safetensors new.csv         all of it on one page
  chainrule train model.cr                  the network that a model text writes down
  chainrule cv data.csv --target price      how good it is on rows it never saw
  chainrule tune data.csv --target price    which settings suit it
  chainrule compare runs/one runs/two       figures, sizes, and settings that differ
  chainrule resume runs/one                 goes on with a run that was stopped
  chainrule fit 'y ~ a*exp(-b*x)' data.csv  any formula to a table, with standard errors
  chainrule lr-find model.cr                which learning rate suits it
  chainrule numerics model.cr               vanishing gradients, dead units, saturation
  chainrule show model.cr                   what a model text declares
  chainrule explain E204                    what an error code means";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// When to use colours on standard error
    #[arg(long, global = true, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN")]
    pub(crate) color: ColorWhen,
    /// Only the answer
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also how long things take
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Derive(DeriveArgs),
    Emit(EmitArgs),
    Verify(VerifyArgs),
    Check(CheckArgs),
    Data(DataArgs),
    Init(InitArgs),
    Train(Box<TrainArgs>),
    Resume(ResumeArgs),
    Cv(CvArgs),
    Tune(TuneArgs),
    Runs(RunsArgs),
    Compare(CompareArgs),
    Demo(DemoArgs),
    Fit(FitArgs),
    Predict(PredictArgs),
    Evaluate(EvaluateArgs),
    Importance(ImportanceArgs),
    Dependence(DependenceArgs),
    LearningCurve(Box<LearningCurveArgs>),
    Plot(PlotArgs),
    Report(ReportArgs),
    LrFind(LrFindArgs),
    Numerics(NumericsArgs),
    Show(ShowArgs),
    Explain(ExplainArgs),
    Schema(SchemaArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Derive gradients, Jacobians and Hessians, each checked against numbers before it is shown
#[derive(Debug, Args)]
#[command(after_help = DERIVE_EXAMPLES)]
#[command(group = ArgGroup::new("source").required(true).args(["model", "expr", "cases"]))]
pub(crate) struct DeriveArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// A JSON file of expressions; prints a line for each
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: Option<PathBuf>,
    /// With respect to this variable; else every parameter of a model, every variable of an expression
    #[arg(long, value_name = "NAME", conflicts_with = "cases")]
    pub(crate) wrt: Vec<String>,
    /// Every line of the derivation, with the rules that lead to it; each is checked with numbers
    #[arg(long)]
    pub(crate) steps: bool,
    /// How the elements are arranged; else a gradient for a scalar, rows of the function for a vector, vec for matrices
    #[arg(long, value_name = "LAYOUT", value_parser = ["gradient", "numerator", "denominator", "vec"])]
    pub(crate) layout: Option<String>,
    /// The second derivative of a scalar
    #[arg(long, conflicts_with = "cases")]
    pub(crate) hessian: bool,
    /// The derivative in the direction of this variable; with --hessian the Hessian times it
    #[arg(long, value_name = "NAME", conflicts_with = "cases")]
    pub(crate) along: Option<String>,
    /// Only these elements of the variable are free
    #[arg(long, value_enum, value_name = "STRUCTURE", conflicts_with_all = ["cases", "hessian", "along", "layout"])]
    pub(crate) structure: Option<StructureArg>,
    /// Also index by index, as in `dL[j,k] = sum_i X[i,j]*D[i,k]`
    #[arg(long, value_enum, default_value_t = NotationArg::Matrix, value_name = "NOTATION")]
    pub(crate) notation: NotationArg,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Same as --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Same as --format html: one page with every line, typeset
    #[arg(long, conflicts_with_all = ["format", "json", "cases"])]
    pub(crate) html: bool,
    /// Where the answer goes; `-` is standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "cases")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NotationArg {
    Matrix,
    Index,
}

/// A model, or an expression with its variables.
#[derive(Debug, Args)]
pub(crate) struct SubjectArgs {
    /// Model text (`.cr`), `-` for standard input
    pub(crate) model: Option<PathBuf>,
    /// An expression instead of a model
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) expr: Option<String>,
    /// A variable of the expression: `X=5x3`, `X=NxD` for any extents, `t` for a scalar, `B=2x3x4` for a tensor
    #[arg(long, value_name = "NAME=SHAPE", value_parser = variables::variable, requires = "expr")]
    pub(crate) var: Vec<VariableArg>,
    /// From where a variable of the expression is drawn when the answer is checked: `X=pos`
    #[arg(long, value_name = "NAME=KIND", value_parser = variables::domain, requires = "expr")]
    pub(crate) domain: Vec<variables::DomainArg>,
    /// What is known of a variable of the expression, for simpler answers: `X symmetric`. The variables that one derives
    /// by are free all the same
    #[arg(long, value_name = "NAME FACT", value_parser = variables::fact, requires = "expr")]
    pub(crate) fact: Vec<variables::FactArg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StructureArg {
    Symmetric,
    Diagonal,
}

const DERIVE_EXAMPLES: &str = "\
Examples:
  chainrule derive --expr 'sum((X*W-Y).^2)' --var X=5x3 --var W=3x2 --var Y=5x2 --wrt W
  chainrule derive --expr 'logdet(A)' --var A=NxN --domain A=spd --format latex
  chainrule derive --expr 'tr(S*X*S)' --var S=NxN --var X=NxN --fact 'S symmetric' --wrt X
  chainrule derive --expr 'tanh(W*x)' --var W=3x4 --var x=4x1 --wrt x --layout denominator
  chainrule derive --expr 'norm2(A*x)^2' --var A=5x3 --var x=3x1 --wrt x --hessian
  chainrule derive model.cr --wrt W1 --steps
  chainrule derive model.cr --html -o model.html
Kinds of values: pos unit big sym spd spdish inv bigI posdet pm1 onehot simplex diagm orth
Facts: symmetric, diagonal, orthogonal, spd, rows_sum_to 1";

impl DeriveArgs {
    pub(crate) fn format(&self) -> Format {
        match (self.json, self.html) {
            (true, _) => Format::Json,
            (_, true) => Format::Html,
            _ => self.format,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Latex,
    Json,
    Html,
}

/// Check every gradient and every claim of a model against numbers
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Model text (`.cr`), `-` for standard input
    pub(crate) model: PathBuf,
    /// Seed of the points at which claims are tried
    #[arg(long, default_value_t = 42, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// One JSON document instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show what a model text declares, or the text behind a trained model
#[derive(Debug, Args)]
#[command(visible_aliases = ["inspect", "summary"])]
pub(crate) struct ShowArgs {
    /// Model text (`.cr`), `-` for standard input; or a model file (`.safetensors`), or the folder of a run
    pub(crate) model: PathBuf,
    /// The compiled training step: every kernel call, with the places in memory
    #[arg(long, conflicts_with = "json")]
    pub(crate) plan: bool,
    /// Examples in a step of the plan
    #[arg(long, requires = "plan", value_name = "all|N", value_parser = batch)]
    pub(crate) batch: Option<Batch>,
    /// The settings that a model file was trained with, as a configuration
    #[arg(long, conflicts_with_all = ["plan", "json"])]
    pub(crate) config: bool,
    /// One JSON document instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

/// Explain an error code, or list all of them
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code such as E204
    pub(crate) code: Option<String>,
}

/// Train a model text, or a network for a table
#[derive(Debug, Args)]
#[command(after_help = TRAIN_EXAMPLES)]
pub(crate) struct TrainArgs {
    /// Model text (`.cr`), or a table (with --target; `-` for standard input); else what the configuration names
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs<Training>,
    /// Write a page with figures, charts, the network and its derivation; with --run there is one in the folder
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Overwrite a file that is not a model, or a run
    #[arg(long)]
    pub(crate) force: bool,
    /// Before the first step compare the gradient of each parameter with differences, on the first batch
    #[arg(long)]
    pub(crate) check_gradients: bool,
    /// Events as JSON Lines on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  chainrule train models/spiral.cr --epochs 300
  chainrule train titanic.csv --target Survived -o titanic.safetensors
  chainrule show titanic.safetensors > my.cr
  chainrule train titanic.csv --target Survived --model my.cr -o mine.safetensors
  chainrule train titanic.csv --target Survived --run runs/titanic     can be resumed
  chainrule train titanic.csv --target Survived --print-config > titanic.toml
  chainrule train -c titanic.toml --set train.epochs=50
Ctrl-C, SIGTERM and SIGHUP finish the step, save, and end with exit code 130, 143 or 129: with --run a checkpoint, with -o
the model so far. A second signal ends at once and leaves what was saved before.";

fn batch(text: &str) -> Result<Batch, String> {
    match text.parse::<u32>() {
        _ if text == "all" => Ok(Batch::All),
        Ok(size) if size > 0 => Ok(Batch::Size(size)),
        _ => Err("a batch is `all` or a number of examples".to_owned()),
    }
}

/// Predict the rows of a table
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// A trained model, or the folder of a run
    pub(crate) model: PathBuf,
    /// A table with the columns that the model was trained on, in any order; `-` for standard input
    pub(crate) table: PathBuf,
    /// Where the predictions go; `-` is standard output
    #[arg(short, long, value_name = "PATH", default_value = "-")]
    pub(crate) out: PathBuf,
    /// Put the columns of the table before the predictions
    #[arg(long)]
    pub(crate) with_input: bool,
    /// One JSON document in place of the table
    #[arg(long, conflicts_with = "with_input")]
    pub(crate) json: bool,
    /// Number of threads. The result is the same
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = threads)]
    pub(crate) threads: Threads,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// A number of threads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Threads {
    Auto,
    Count(usize),
}

fn threads(text: &str) -> Result<Threads, String> {
    match text.parse::<usize>() {
        _ if text == "auto" => Ok(Threads::Auto),
        Ok(count) if (1..=1024).contains(&count) => Ok(Threads::Count(count)),
        _ => Err("a number of threads is `auto` or between 1 and 1024".to_owned()),
    }
}
