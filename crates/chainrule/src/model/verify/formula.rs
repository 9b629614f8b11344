//! Formulas as text, and pieces of them: what an edit changes and what a message quotes is what stands there.

use crate::text::ast::{Ast, ExprId, ExprKind};
use crate::text::diagnostic::Span;

/// A formula: definitions, each of which may use those before it, and its value, which has no name.
#[derive(Clone, Debug)]
pub(super) struct Formula {
    /// Names with their texts; the last is the value.
    pub(super) parts: Vec<(String, String)>,
}

impl Formula {
    /// A formula that is one text.
    pub(super) fn of(text: &str) -> Formula {
        Formula { parts: vec![(String::new(), text.to_owned())] }
    }

    /// A text with the definitions that it uses.
    pub(super) fn with(definitions: &[(String, String)], text: &str) -> Formula {
        let mut parts = definitions.to_vec();
        parts.push((String::new(), text.to_owned()));
        Formula { parts }
    }

    /// The same with another text for one part.
    pub(super) fn edited(&self, part: usize, text: &str) -> Formula {
        let mut parts = self.parts.clone();
        text.clone_into(&mut parts[part].1);
        Formula { parts }
    }

    /// The text of the value.
    pub(super) fn value(&self) -> &str {
        self.parts.last().map_or("", |(_, text)| text)
    }
}

/// A parsed text.
#[derive(Clone, Copy)]
pub(super) struct Parsed<'t> {
    pub(super) text: &'t str,
    pub(super) ast: &'t Ast,
    pub(super) root: ExprId,
}

impl<'t> Parsed<'t> {
    /// The place of an expression, with its parentheses.
    pub(super) fn span(self, id: ExprId) -> Span {
        self.ast.expr(id).span
    }

    /// The expression as it stands there.
    pub(super) fn slice(self, id: ExprId) -> &'t str {
        at(self.text, self.span(id))
    }

    /// The same without parentheses around it.
    pub(super) fn bare(self, id: ExprId) -> &'t str {
        let slice = self.slice(id);
        let open = match &self.ast.expr(id).kind {
            ExprKind::Binary(_, _, left, _) => self.span(id).start < self.span(*left).start,
            _ => slice.starts_with('('),
        };
        match slice.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) if open => inner.trim(),
            _ => slice,
        }
    }

    /// The expression as an operand of any operator: in parentheses, unless it is a word or has them.
    pub(super) fn operand(self, id: ExprId) -> String {
        let slice = self.slice(id);
        let loose = match &self.ast.expr(id).kind {
            ExprKind::Binary(..) => self.bare(id) == slice,
            ExprKind::Neg(_) => slice.starts_with('-'),
            _ => false,
        };
        if loose { format!("({slice})") } else { slice.to_owned() }
    }

    /// As an operand of a product: products need no parentheses on its left.
    pub(super) fn factor(self, id: ExprId) -> String {
        use crate::text::ast::BinaryOp::{Add, Sub};
        match &self.ast.expr(id).kind {
            ExprKind::Binary(op, ..) if !matches!(op, Add | Sub) => self.slice(id).to_owned(),
            _ => self.operand(id),
        }
    }

    /// The text with another in the place of an expression.
    pub(super) fn replaced(self, id: ExprId, new: &str) -> String {
        replaced(self.text, self.span(id), new)
    }
}

/// A part of a text.
pub(super) fn at(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// A text with another in a place.
pub(super) fn replaced(text: &str, span: Span, new: &str) -> String {
    let before = text.get(..span.start as usize).unwrap_or_default();
    let after = text.get(span.end as usize..).unwrap_or_default();
    format!("{before}{new}{after}")
}
