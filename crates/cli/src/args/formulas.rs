//! What may stand behind `emit` and `verify`.

use std::path::PathBuf;

use chainrule::text::emit::Target;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};

use super::SubjectArgs;

/// Write a value and its gradients as a program of another language, checked against numbers first
#[derive(Debug, Args)]
#[command(after_help = EMIT_EXAMPLES)]
#[command(group = ArgGroup::new("source").required(true).args(["model", "expr"]))]
pub(crate) struct EmitArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// The language of the program
    #[arg(short, long, value_name = "TARGET", value_parser = target())]
    pub(crate) target: Target,
    /// With respect to this variable; else every parameter of a model, every variable of an expression
    #[arg(long, value_name = "NAME")]
    pub(crate) wrt: Vec<String>,
    /// Where the program goes; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

const EMIT_EXAMPLES: &str = "\
Examples:
  chainrule emit model.cr --target numpy
  chainrule emit model.cr --target c -o model.c
  chainrule emit --expr 'logdet(A)' --var A=NxN --domain A=spd --target julia
The program has one function, `value_and_gradients`. Gradients are written out in every language.";

fn target() -> impl TypedValueParser<Value = Target> {
    let names = Target::ALL.map(|(name, _)| name);
    let find = |name: String| Target::ALL.iter().find(|(known, _)| *known == name).map(|(_, target)| *target);
    PossibleValuesParser::new(names).map(move |name| find(name).expect("the parser knows the names of all targets"))
}

/// Compare a formula that you derived with the right one; if they differ, say where, and which slip explains it
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
#[command(group = ArgGroup::new("source").required(true).args(["model", "expr"]))]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// The formula
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) claim: String,
    /// The claim is the derivative with respect to this variable; else it is about the expression itself
    #[arg(long, value_name = "NAME")]
    pub(crate) wrt: Option<String>,
    /// How the elements of the claim are arranged; else a gradient for a scalar, rows of the function for a vector
    #[arg(long, value_name = "LAYOUT", requires = "wrt", value_parser = ["gradient", "numerator", "denominator", "vec"])]
    pub(crate) layout: Option<String>,
    /// The claim is the second derivative of a scalar
    #[arg(long, requires = "wrt")]
    pub(crate) hessian: bool,
    /// One JSON document instead of the text
    #[arg(long)]
    pub(crate) json: bool,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  chainrule verify --expr 'sum((X*w - y).^2)' --var X=Nx3 --var w=3x1 --var y=Nx1 --wrt w --claim \"X'*(X*w - y)\"
  chainrule verify --expr 'x^2*exp(x)' --var x --wrt x --claim '2*x*exp(x)'
  chainrule verify --expr \"x'*A*x\" --var A=3x3 --var x=3x1 --wrt x --hessian --claim '2*A'
  chainrule verify --expr 'inv(A*B)' --var A=3x3 --var B=3x3 --claim 'inv(A)*inv(B)'
  chainrule verify models/spiral.cr --wrt W2 --claim \"H'*(softmax(scores) - Y)/N\"
Exit code 0: the claim is right; 8: it is wrong.";
