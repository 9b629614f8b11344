//! Runs that are stopped, killed and hindered go on to the same bytes.
#![cfg(unix)]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod faults;
#[path = "../support/ignored.rs"]
mod ignored;
mod kills;
mod runs;
mod signals;
