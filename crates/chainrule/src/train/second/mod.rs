//! Second order: residuals, Jacobians example by example, and the systems that solvers ask for.

mod compile;
mod dual;
pub mod gradient;
mod normal;
mod panel;
mod passes;
pub mod run;
pub mod system;
mod triangle;

pub use system::System;

use super::event::TrainError;
use crate::lang::Role;
use crate::model::Program;

/// These methods compare the losses of two points: they must be of one function.
fn refuse_changing_losses(program: &Program) -> Result<(), TrainError> {
    let random = |id| program.graph.as_variable(id).is_some_and(|v| matches!(v.role, Role::Random(_)));
    let drawn = program.loss.is_some_and(|loss| program.graph.reachable(&[loss]).into_iter().any(random));
    let message = match program.states.iter().any(|state| state.update.is_some()) {
        _ if drawn => "random numbers such as those of dropout",
        true => "states that change with every step, such as those of batch_norm",
        false => return Ok(()),
    };
    Err(TrainError::Option(format!("this solver cannot train a model with {message}: take a first-order optimizer")))
}
