//! Standard output for answers, standard error for everything else; neither ever panics.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use crate::args::{ColorWhen, Global};
use crate::errors::Failure;
use crate::interrupt::Interrupt;

/// What every command may need to know.
pub(crate) struct Context {
    pub(crate) color: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) interrupt: Interrupt,
}

impl Context {
    pub(crate) fn new(global: &Global) -> Context {
        Context {
            color: color_on_stderr(global.color),
            quiet: global.quiet,
            verbose: global.verbose,
            interrupt: Interrupt::install(),
        }
    }

    /// A line on standard error that only `--verbose` shows.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbose {
            progress(&format!("{line}\n"));
        }
    }
}

/// Writes an answer. A reader that has seen enough (`| head -1`) ends the program quietly.
pub(crate) fn answer(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::closed()),
        Err(error) => Err(Failure::system("write to", "standard output", &error)),
    }
}

/// Writes an answer to a file; nothing and `-` are standard output.
pub(crate) fn write(out: Option<&Path>, text: &str) -> Result<(), Failure> {
    match out {
        Some(path) if path.as_os_str() != "-" => {
            std::fs::write(path, text).map_err(|error| Failure::system("write", &path.display().to_string(), &error))
        }
        _ => answer(text),
    }
}

/// Writes to standard error; if nobody can read it, that stops nothing.
pub(crate) fn progress(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Are colours wanted on standard error?
pub(crate) fn color_on_stderr(when: ColorWhen) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if set("NO_COLOR") => false,
        ColorWhen::Auto if std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0") => true,
        ColorWhen::Auto => io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// A small number, such as a relative difference, as `2.2e-16`.
pub(crate) fn small(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.1e}") }
}
