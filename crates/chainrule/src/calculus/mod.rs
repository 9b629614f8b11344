//! Floor 2: differentials and their transposes, derivations, and the numeric check that every answer passes.

pub mod check;
pub mod cost;
pub mod derivation;
pub mod differentiate;
pub mod examples;
pub mod heads;
pub mod jacobian;
pub mod sample;
pub mod steps;

pub use derivation::{Derivation, derive};
pub use differentiate::{linearize, transpose};
