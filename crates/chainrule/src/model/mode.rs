//! Training and prediction: one text, and two graphs where they differ.

use super::program::Program;
use crate::lang::{Id, Role};
use crate::text::ast::{Item, Statement};
use crate::text::diagnostic::{Diagnostic, Span};

/// What a graph is for: `training(a, b)` is `a` in the one and `b` in the other, and only training changes states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What a step of training computes.
    #[default]
    Training,
    /// What a trained model computes.
    Prediction,
}

impl Program {
    /// The program as a trained model computes it: without random numbers, and with states that stay.
    #[must_use]
    pub fn at_prediction(&self) -> &Program {
        self.prediction.as_deref().unwrap_or(self)
    }

    /// Does a step of training compute something else than a trained model?
    #[must_use]
    pub fn differs_at_prediction(&self) -> bool {
        self.prediction.is_some()
    }

    /// A trained model computes no random numbers.
    pub(super) fn refuse_randomness(&self) -> Result<(), Diagnostic> {
        let item = |root: Id| {
            let of = |item: &&Item| match &item.statement {
                Statement::Predict { .. } => Some(root) == self.predict,
                Statement::Loss { .. } => Some(root) == self.loss,
                _ => false,
            };
            self.ast.items.iter().find(of).map_or_else(Span::default, |item| item.span)
        };
        for root in [self.predict, self.loss].into_iter().flatten() {
            let random = |id: &Id| self.graph.as_variable(*id).is_some_and(|v| matches!(v.role, Role::Random(_)));
            if self.graph.reachable(&[root]).iter().any(random) {
                return Err(Diagnostic::new("E230", item(root), "a prediction cannot depend on random numbers")
                    .label("this draws numbers outside of training")
                    .help("say what a trained model computes: `training(X + normal_like(X), X)`"));
            }
        }
        Ok(())
    }
}
