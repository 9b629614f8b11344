//! Chainrule: the formula is the program.
//!
//! A model is written in matrix notation; its gradients are derived by matrix differentials, checked, compiled to a
//! fused plan without allocation, and trained. Modules stand on seven floors and use only lower ones; the map is in
//! `ARCHITECTURE.md`.
#![forbid(unsafe_code)]

pub mod lang;

pub mod calculus;
pub mod charts;
pub mod text;

pub mod plan;

pub mod run;

pub mod data;
pub mod model;
pub mod optim;

pub mod export;
pub mod judge;
pub mod train;
