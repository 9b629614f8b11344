//! Emitted programs: their texts, and what they give when they are run.

#![expect(clippy::print_stderr, reason = "languages that are not here are skipped aloud")]

mod cases;
mod run;
mod texts;
