//! Drives the real binary: transcripts, exit codes, hostile input.

mod cases;
mod check;
mod derive;
mod emit;
mod fit;
mod interface;
mod looks;
mod signals;
mod support;
mod verify;
