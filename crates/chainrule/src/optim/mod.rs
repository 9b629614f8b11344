//! Floor 5: optimizers. First-order rules are text of the prelude; a solver that needs more than a gradient says so.

pub mod around;
pub mod rule;

pub use rule::Rule;

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
    FirstOrder(Rule),
}

impl Solver {
    /// What a step of the solver needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Solver::FirstOrder(_) => Needs::Gradient,
        }
    }
}
