//! What may stand on the command line.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::commands::derive::variables::{self, VariableArg};

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
  chainrule check model.cr                  every gradient and every claim against numbers
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
    Check(CheckArgs),
    Show(ShowArgs),
    Explain(ExplainArgs),
}

/// Derive gradients, step by step, each checked against numbers before it is shown
#[derive(Debug, Args)]
#[command(after_help = DERIVE_EXAMPLES)]
#[command(group = ArgGroup::new("source").required(true).args(["model", "expr", "cases"]))]
pub(crate) struct DeriveArgs {
    /// Model text (`.cr`), `-` for standard input
    pub(crate) model: Option<PathBuf>,
    /// An expression instead of a model
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) expr: Option<String>,
    /// A JSON file of expressions; prints a line for each
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: Option<PathBuf>,
    /// A variable of the expression: `X=5x3`, `X=NxD` for any extents, `t` for a scalar
    #[arg(long, value_name = "NAME=SHAPE", value_parser = variables::variable, conflicts_with_all = ["model", "cases"])]
    pub(crate) var: Vec<VariableArg>,
    /// From where a variable of the expression is drawn when the answer is checked: `X=pos`
    #[arg(long, value_name = "NAME=KIND", value_parser = variables::domain, conflicts_with_all = ["model", "cases"])]
    pub(crate) domain: Vec<variables::DomainArg>,
    /// With respect to this variable; else every parameter of a model, every variable of an expression
    #[arg(long, value_name = "NAME", conflicts_with = "cases")]
    pub(crate) wrt: Vec<String>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Same as --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

const DERIVE_EXAMPLES: &str = "\
Examples:
  chainrule derive --expr 'sum((X*W-Y).^2)' --var X=5x3 --var W=3x2 --var Y=5x2 --wrt W
  chainrule derive --expr 'logdet(A)' --var A=NxN --domain A=spd --format latex
  chainrule derive model.cr --wrt W1 --wrt b1
Kinds of values: pos unit big sym spd spdish inv bigI posdet pm1 onehot simplex diagm";

impl DeriveArgs {
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Latex,
    Json,
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

/// Show what a model text declares
#[derive(Debug, Args)]
#[command(visible_aliases = ["inspect", "summary"])]
pub(crate) struct ShowArgs {
    /// Model text (`.cr`), `-` for standard input
    pub(crate) model: PathBuf,
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
