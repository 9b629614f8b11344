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
