//! What went wrong in a text, where, and what to do about it. Rendering with carets is the command line's.

/// A range of bytes in the source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// An error in a model text or expression. Message in lower case without full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, such as `E101`.
    pub code: &'static str,
    /// What is wrong, with names and shapes.
    pub message: String,
    /// The place, and what to say there.
    pub span: Span,
    /// Text under the caret.
    pub label: String,
    /// Other places that matter (a declaration, the other operand), each with its text.
    pub notes: Vec<(Span, String)>,
    /// What to do ("did you mean `W1`?").
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Diagnostic { code, label: String::new(), message, span, notes: Vec::new(), help: None }
    }

    /// Adds the text under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push((span, text.into()));
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
