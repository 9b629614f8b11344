//! Why a command ends without its answer: what to say, and with which exit code.

use std::io;

use chainrule::data::error::{DataError, Place};
use chainrule::export::error::FileError;
use chainrule::text::diagnostic::Diagnostic;

use crate::source::SourceText;

/// Exit codes; the table is in the manual.
pub(crate) const BUG: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const TEXT: u8 = 3;
pub(crate) const DATA: u8 = 4;
pub(crate) const FILE: u8 = 5;
pub(crate) const SYSTEM: u8 = 6;
pub(crate) const DIVERGED: u8 = 7;
pub(crate) const REQUIREMENT: u8 = 8;

/// Why a command ends without its answer.
#[derive(Debug)]
pub(crate) struct Failure(Box<Kind>);

#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing to say: the reader of standard output has gone, or a signal came.
    Silent { exit: u8 },
    /// A fault in a text, shown with carets.
    Text { exit: u8, source: SourceText, diagnostic: Diagnostic },
    /// Everything else; perhaps at one place of a data file.
    Plain { exit: u8, code: &'static str, message: String, place: Option<Place>, label: String, help: Option<String> },
}

impl Failure {
    /// A message with a code of the table that `explain` prints.
    pub(crate) fn new(exit: u8, code: &'static str, message: impl Into<String>) -> Failure {
        Failure(Box::new(Kind::Plain {
            exit,
            code,
            message: message.into(),
            place: None,
            label: String::new(),
            help: None,
        }))
    }

    /// Wrong arguments.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(USAGE, "E001", message)
    }

    /// A fault in a text.
    pub(crate) fn text(source: &SourceText, diagnostic: Diagnostic) -> Failure {
        Failure::at(TEXT, source, diagnostic)
    }

    /// A failure that has a place in a text.
    pub(crate) fn at(exit: u8, source: &SourceText, diagnostic: Diagnostic) -> Failure {
        Failure(Box::new(Kind::Text { exit, source: source.clone(), diagnostic }))
    }

    /// The system refused.
    pub(crate) fn system(action: &str, name: &str, error: &io::Error) -> Failure {
        Failure::new(SYSTEM, "E602", format!("cannot {action} {name}: {error}"))
    }

    /// The reader of standard output has gone.
    pub(crate) fn closed() -> Failure {
        Failure(Box::new(Kind::Silent { exit: 0 }))
    }

    /// A signal asked to stop.
    pub(crate) fn interrupted(signal: i32) -> Failure {
        Failure(Box::new(Kind::Silent { exit: crate::interrupt::exit_code(signal) }))
    }

    /// What to do about it.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Failure {
        match &mut *self.0 {
            Kind::Plain { help, .. } => *help = Some(text.into()),
            Kind::Text { diagnostic, .. } => diagnostic.help = Some(text.into()),
            Kind::Silent { .. } => {}
        }
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match &*self.0 {
            Kind::Silent { exit } | Kind::Plain { exit, .. } | Kind::Text { exit, .. } => *exit,
        }
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Failure {
        Failure(Box::new(Kind::Plain {
            exit: error.exit_code(),
            code: error.code(),
            message: error.to_string(),
            place: error.place().cloned(),
            label: error.label().unwrap_or_default(),
            help: error.help(),
        }))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Failure {
        Failure(Box::new(Kind::Plain {
            exit: error.exit_code(),
            code: error.code(),
            message: error.to_string(),
            place: None,
            label: String::new(),
            help: error.help(),
        }))
    }
}
