//! Drives the real binary: transcripts, exit codes, hostile input.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod around;
mod cases;
mod check;
mod data;
mod derive;
mod emit;
mod errors;
mod fit;
#[path = "../support/ignored.rs"]
mod ignored;
mod interface;
mod looks;
mod schemas;
mod settings;
mod signals;
mod streams;
mod support;
mod verify;
