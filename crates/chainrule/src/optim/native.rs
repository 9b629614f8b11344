//! Solvers that are no update rule of a gradient: what they are called, and what may be chosen.

use super::levenberg::{Damping, Scaling};
use super::{lbfgs, levenberg};
use crate::model::Program;
use crate::text::ast::{Argument, ExprKind, Ident};
use crate::text::diagnostic::Diagnostic;
use crate::text::suggest::nearest;

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Takes {
    /// A positive number, or zero.
    Number(f64),
    /// One of these words; the first is the default.
    Word(&'static [&'static str]),
}

/// An option of a solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Its name.
    pub name: &'static str,
    /// What it takes, with its default.
    pub takes: Takes,
    /// What it does.
    pub about: &'static str,
}

/// A solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Native {
    /// Its name.
    pub name: &'static str,
    /// What it is, with its source.
    pub about: &'static str,
    /// Its options.
    pub options: &'static [Choice],
}

const fn number(name: &'static str, default: f64, about: &'static str) -> Choice {
    Choice { name, takes: Takes::Number(default), about }
}

const fn word(name: &'static str, words: &'static [&'static str], about: &'static str) -> Choice {
    Choice { name, takes: Takes::Word(words), about }
}

/// All of them.
pub static NATIVE: &[Native] = &[
    Native {
        name: "levenberg_marquardt",
        about: "Levenberg-Marquardt for sums of squares, and generalised Gauss-Newton for other losses with curvature (Levenberg 1944; Marquardt 1963; Schraudolph 2002).\n\nA step d solves (J'*J + lambda*D)*d = -g, with J the Jacobian of the residuals, example by example, and g the gradient of the loss. An epoch is an iteration; `batch` makes a step for each batch. J is never held whole: J'*J is added up in blocks of rows, and with fewer residuals than parameters the system of the residuals is solved without J. With validation data the run stops after 6 epochs without gain, unless `patience` says otherwise. For nets of up to a few thousand weights; models with dropout or batch_norm are refused, because their loss changes from step to step.",
        options: &[
            word(
                "damping",
                &["auto", "nielsen", "trainlm"],
                "the rule for lambda: by the gain ratio (Nielsen 1999), or by factors of ten (Hagan, Menhaj 1994); `auto` takes the second when there are fewer residuals than parameters",
            ),
            word(
                "scaling",
                &["identity", "more"],
                "what lambda multiplies: the identity, or the largest diagonal of J'*J so far (Moré 1978)",
            ),
            word(
                "acceleration",
                &["auto", "on", "off"],
                "the second-order correction of Transtrum and Sethna (2012); `auto` is on for sums of squares solved without the dual form",
            ),
            word(
                "solve",
                &["auto", "normal", "qr", "dual"],
                "normal equations by Cholesky, QR of the Jacobian, or the system of the residuals J*J' when they are fewer than the parameters",
            ),
            number("start", 1e-3, "the first lambda, relative to the largest diagonal of J'*J for Nielsen's rule"),
            number("gradient", 0.0, "stop when no element of the gradient is larger"),
            number("step", 1e-15, "stop when a step is shorter than this part of the parameters"),
            number("reduction", 1e-12, "stop when a step gains less than this part of the loss"),
        ],
    },
    Native {
        name: "lbfgs",
        about: "L-BFGS with a line search for the strong Wolfe conditions, on all data at once (Liu, Nocedal 1989; Nocedal, Wright 2006). An epoch is an iteration.",
        options: &[
            number("memory", 10.0, "how many changes of the gradient are remembered"),
            number("gradient", 1e-8, "stop when no element of the gradient is larger"),
            number("reduction", 1e-13, "stop when a step gains less than this part of the loss"),
        ],
    },
];

/// How the system of Levenberg-Marquardt is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// What suits the problem.
    #[default]
    Auto,
    /// The normal equations by Cholesky.
    Normal,
    /// QR of the Jacobian.
    Qr,
    /// The system of the residuals.
    Dual,
}

/// Levenberg-Marquardt as the text asks for it; `None` is `auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LevenbergMarquardt {
    /// What is said of the loop.
    pub settings: levenberg::Settings,
    /// The rule of damping.
    pub damping: Option<Damping>,
    /// Geodesic acceleration.
    pub accelerate: Option<bool>,
    /// How the system is solved.
    pub method: Method,
}

/// A solver with its choices made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chosen {
    /// Levenberg-Marquardt.
    LevenbergMarquardt(LevenbergMarquardt),
    /// L-BFGS.
    Lbfgs(lbfgs::Settings),
}

/// Values of the options, in the order of the table.
struct Values(Vec<Value>);

#[derive(Clone, Copy)]
enum Value {
    Number(f64),
    Word(&'static str),
}

impl Values {
    fn number(&self, index: usize) -> f64 {
        match self.0[index] {
            Value::Number(value) => value,
            Value::Word(_) => unreachable!("the table says what each option takes"),
        }
    }

    fn word(&self, index: usize) -> &'static str {
        match self.0[index] {
            Value::Word(word) => word,
            Value::Number(_) => unreachable!("the table says what each option takes"),
        }
    }
}

/// The solver of a program's `train` line, if it is one of these.
///
/// # Errors
/// An option is unknown or has a value that makes no sense.
pub fn of_program(program: &Program) -> Result<Option<Chosen>, Diagnostic> {
    let Some(train) = &program.train else { return Ok(None) };
    let expr = program.ast.expr(train.optimizer);
    let (callee, args) = match &expr.kind {
        ExprKind::Name(name) => (Ident { name: name.clone(), span: expr.span }, &[][..]),
        ExprKind::Call(callee, args) => (callee.clone(), args.as_slice()),
        _ => return Ok(None),
    };
    let Some(native) = NATIVE.iter().find(|native| native.name == callee.name) else { return Ok(None) };
    let values = values(program, native, args)?;
    Ok(Some(match native.name {
        "lbfgs" => Chosen::Lbfgs(lbfgs::Settings {
            memory: values.number(0) as usize,
            gradient: values.number(1),
            reduction: values.number(2),
            ..lbfgs::Settings::default()
        }),
        _ => Chosen::LevenbergMarquardt(levenberg_marquardt(&values)),
    }))
}

fn levenberg_marquardt(values: &Values) -> LevenbergMarquardt {
    let settings = levenberg::Settings {
        scaling: if values.word(1) == "more" { Scaling::More } else { Scaling::Identity },
        start: values.number(4),
        gradient: values.number(5),
        step: values.number(6),
        reduction: values.number(7),
        ..levenberg::Settings::default()
    };
    LevenbergMarquardt {
        settings,
        damping: match values.word(0) {
            "nielsen" => Some(Damping::Nielsen),
            "trainlm" => Some(Damping::Trainlm),
            _ => None,
        },
        accelerate: match values.word(2) {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        },
        method: match values.word(3) {
            "normal" => Method::Normal,
            "qr" => Method::Qr,
            "dual" => Method::Dual,
            _ => Method::Auto,
        },
    }
}

fn values(program: &Program, native: &Native, args: &[Argument]) -> Result<Values, Diagnostic> {
    let default = |choice: &Choice| match choice.takes {
        Takes::Number(value) => Value::Number(value),
        Takes::Word(words) => Value::Word(words[0]),
    };
    let mut values: Vec<Value> = native.options.iter().map(default).collect();
    for arg in args {
        let expr = program.ast.expr(arg.value);
        let Some(name) = &arg.name else {
            let error = Diagnostic::new("E218", expr.span, format!("`{}` takes options by name", native.name));
            return Err(error.help(names(native)));
        };
        let Some(index) = native.options.iter().position(|choice| choice.name == name.name) else {
            let error = Diagnostic::new("E218", name.span, format!("`{}` has no option `{}`", native.name, name.name));
            return Err(match nearest(&name.name, native.options.iter().map(|choice| choice.name)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(names(native)),
            });
        };
        let wrong = |takes: String| {
            Diagnostic::new("E218", expr.span, format!("`{}` takes {takes}", name.name)).label("this value")
        };
        values[index] = match (native.options[index].takes, &expr.kind) {
            (Takes::Number(_), ExprKind::Number(value)) if *value >= 0.0 => Value::Number(*value),
            (Takes::Number(_), _) => return Err(wrong("a number, at least 0".to_owned())),
            (Takes::Word(words), ExprKind::Name(word) | ExprKind::Text(word)) => {
                match words.iter().find(|w| *w == word) {
                    Some(word) => Value::Word(word),
                    None => return Err(wrong(format!("one of {}", words.join(", ")))),
                }
            }
            (Takes::Word(words), _) => return Err(wrong(format!("one of {}", words.join(", ")))),
        };
    }
    Ok(Values(values))
}

fn names(native: &Native) -> String {
    let names: Vec<&str> = native.options.iter().map(|choice| choice.name).collect();
    format!("there are: {}", names.join(", "))
}
