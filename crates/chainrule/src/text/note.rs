//! What is worth knowing and stops nothing: a sentence with a code of its own, as faults have one.

use std::fmt;

/// A sentence with a code, `W301` and on; those of faults that are only foretold begin with `E`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The stable code; `chainrule explain` has a page for each.
    pub code: &'static str,
    /// What is there, why it matters, and what to do.
    pub text: String,
}

impl Note {
    /// A note.
    pub fn new(code: &'static str, text: impl Into<String>) -> Note {
        Note { code, text: text.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.code.starts_with('E') { "error" } else { "warning" };
        write!(f, "{kind}[{}]: {}", self.code, self.text)
    }
}
