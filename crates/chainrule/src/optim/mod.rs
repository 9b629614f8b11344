//! Floor 5: optimizers. First-order rules are text of the prelude; a solver that needs more than a gradient says so.

pub mod around;
pub mod lbfgs;
pub mod levenberg;
pub mod native;
pub mod rule;

pub use native::{Chosen, Method};
pub use rule::Rule;

use serde::{Deserialize, Serialize};

use crate::model::Program;
use crate::text::diagnostic::Diagnostic;

/// What a solver pulls from the problem in a step. Second order is never smuggled through the first-order interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The loss.
    Value,
    /// The loss and its gradient.
    Gradient,
    /// The residuals and their Jacobian, example by example.
    ResidualJacobian,
}

/// A way to change the parameters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Solver {
    /// An update rule `W := ...` of the gradient `G`.
    FirstOrder(Box<Rule>),
    /// A solver with a loop of its own.
    Native(Chosen),
}

impl From<Rule> for Solver {
    fn from(rule: Rule) -> Solver {
        Solver::FirstOrder(Box::new(rule))
    }
}

impl Solver {
    /// The solver of a program's `train` line.
    ///
    /// # Errors
    /// The optimizer is unknown, or its arguments do not fit.
    pub fn of_program(program: &Program) -> Result<Option<Solver>, Diagnostic> {
        if let Some(chosen) = native::of_program(program)? {
            around::refuse(program)?;
            return Ok(Some(Solver::Native(chosen)));
        }
        Ok(Rule::of_program(program)?.map(Solver::from))
    }

    /// What a step of the solver needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Solver::FirstOrder(_) | Solver::Native(Chosen::Lbfgs(_)) => Needs::Gradient,
            Solver::Native(Chosen::LevenbergMarquardt(_)) => Needs::ResidualJacobian,
        }
    }
}

/// Told after each iteration: its number from 1, the cost, the parameters. `false` ends the run.
pub type Watch<'a> = &'a mut dyn FnMut(u32, f64, &[f64]) -> bool;

/// What a solver remembers between two steps beside the parameters, with names for people.
pub type Memories = Vec<(String, Vec<f64>)>;

/// As [`Watch`], and hands out what the solver remembers, for a checkpoint; nothing when the solver ends here by itself.
pub type Follow<'a> = &'a mut dyn FnMut(u32, f64, &[f64], Option<&dyn Fn() -> Memories>) -> bool;

/// Why a solver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stopped {
    /// No element of the gradient is larger than asked.
    Gradient,
    /// The next step would not change the parameters.
    Step,
    /// The cost falls by less than asked.
    Reduction,
    /// No step lowers the cost, however much it is damped.
    Damping,
    /// As Damping or Step, then full steps to the last digits.
    Polished,
    /// All iterations are done.
    Iterations,
    /// The watcher asked.
    Asked,
    /// The cost is not finite at the start.
    NotFinite,
}

impl Stopped {
    /// A word for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stopped::Gradient => "gradient",
            Stopped::Step => "step",
            Stopped::Reduction => "reduction",
            Stopped::Damping => "damping",
            Stopped::Polished => "polished",
            Stopped::Iterations => "iterations",
            Stopped::Asked => "asked",
            Stopped::NotFinite => "not_finite",
        }
    }

    /// A sentence for people.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Stopped::Gradient => "the gradient is as small as asked",
            Stopped::Step => "the next step would not change the parameters",
            Stopped::Reduction => "a step gains less than asked",
            Stopped::Damping => "no step lowers the loss, however short",
            Stopped::Polished => "converged, and polished by full Gauss-Newton steps",
            Stopped::Iterations => "all iterations are done",
            Stopped::Asked => "stopped on request",
            Stopped::NotFinite => "the loss is not finite at the start",
        }
    }
}
