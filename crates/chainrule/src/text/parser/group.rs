//! What stands between brackets: a value, the arguments of a call, the rows of a matrix.

use super::{Diagnostic, ExprId, ExprKind, Ident, Parser, Span, Token, shorten};
use crate::text::ast::Argument;
use crate::text::lexer::MAX_DEPTH;

/// An open bracket and what has been read in it.
pub(super) enum Group {
    Paren,
    Call {
        name: Ident,
        arguments: Vec<Argument>,
        /// The keyword of the argument that is being read.
        key: Option<Ident>,
    },
    Matrix(Vec<Vec<ExprId>>),
}

impl Parser<'_> {
    /// A complete value inside a bracket: the value of the closed bracket, or the bracket, where another operand
    /// must follow.
    pub(super) fn inside_group(
        &mut self,
        value: ExprId,
        open: Span,
        group: Group,
    ) -> Result<Result<ExprId, Group>, Diagnostic> {
        match group {
            Group::Paren => {
                if self.peek() != Token::CloseParen {
                    return Err(self.in_paren());
                }
                // The brackets belong to the place of the value: `(a + b)*c` starts at its bracket.
                let span = open.to(self.advance());
                self.ast.exprs[value.0 as usize].span = span;
                Ok(Ok(value))
            }
            Group::Call { name, mut arguments, key } => {
                self.argument(&mut arguments, key, value)?;
                if self.eat(Token::Comma) {
                    return Ok(Err(Group::Call { name, arguments, key: None }));
                }
                if self.peek() != Token::CloseParen {
                    return Err(self.in_call());
                }
                let span = name.span.to(self.advance());
                self.add(ExprKind::Call(name, arguments), span).map(Ok)
            }
            Group::Matrix(rows) => self.in_matrix(value, open, rows),
        }
    }

    fn argument(&self, arguments: &mut Vec<Argument>, name: Option<Ident>, value: ExprId) -> Result<(), Diagnostic> {
        let before = arguments.last().and_then(|argument| argument.name.as_ref());
        if let (None, Some(keyword)) = (&name, before) {
            let span = self.ast.expr(value).span;
            return Err(Diagnostic::new("E114", span, "an argument without keyword behind one with keyword")
                .label("which argument is this?")
                .note(keyword.span, "a keyword stands before it")
                .help("write it before the keywords, or as `name = value`"));
        }
        if let Some(name) = &name {
            check_twice(arguments, name)?;
        }
        arguments.push(Argument { name, value });
        Ok(())
    }

    fn in_matrix(
        &mut self,
        value: ExprId,
        open: Span,
        mut rows: Vec<Vec<ExprId>>,
    ) -> Result<Result<ExprId, Group>, Diagnostic> {
        let last = rows.len() - 1;
        rows[last].push(value);
        if let ExprKind::Matrix(_) = self.ast.expr(value).kind {
            return Err(Diagnostic::new("E115", self.ast.expr(value).span, "a matrix inside a matrix")
                .label("rows have no brackets of their own")
                .help("write `[1, 2; 3, 4]`: commas between elements, `;` between rows"));
        }
        match self.peek() {
            Token::Comma => {
                self.advance();
                return Ok(Err(Group::Matrix(rows)));
            }
            Token::Semicolon | Token::Newline | Token::CloseBracket => {}
            Token::Assign | Token::Update | Token::Equal => return Err(self.unexpected()),
            _ => {
                let message = format!("a comma is missing before {}", self.describe());
                return Err(Diagnostic::new("E108", self.span(), message)
                    .label("elements are separated by commas")
                    .help("write `[1, 2; 3, 4]`: commas between elements, `;` or line ends between rows"));
            }
        }
        if rows[last].len() != rows[0].len() {
            let (first, here) = (self.row_span(&rows[0]), self.row_span(&rows[last]));
            let message = format!("row {} has the length {}, row 1 has {}", last + 1, rows[last].len(), rows[0].len());
            return Err(Diagnostic::new("E115", here, message)
                .label("a row of another length")
                .note(first, "the first row")
                .help("rows of a matrix have the same number of elements"));
        }
        if self.peek() != Token::CloseBracket {
            self.advance();
            if self.peek() != Token::CloseBracket {
                rows.push(Vec::new());
                return Ok(Err(Group::Matrix(rows)));
            }
        }
        let span = open.to(self.advance());
        self.add(ExprKind::Matrix(rows), span).map(Ok)
    }

    fn row_span(&self, row: &[ExprId]) -> Span {
        self.ast.expr(row[0]).span.to(self.ast.expr(row[row.len() - 1]).span)
    }

    fn in_paren(&self) -> Diagnostic {
        match self.peek() {
            Token::Comma => Diagnostic::new("E108", self.span(), "unexpected `,` in brackets")
                .label("nothing to separate here")
                .help("a row vector is written `[a, b]`, a call `f(a, b)`"),
            Token::Semicolon => Diagnostic::new("E108", self.span(), "unexpected `;` in brackets")
                .label("no rows here")
                .help("a matrix is written `[1, 2; 3, 4]`"),
            _ => self.unexpected(),
        }
    }

    fn in_call(&self) -> Diagnostic {
        let (span, found) = (self.span(), self.describe());
        match self.peek() {
            Token::Name | Token::Number(_) | Token::Text | Token::OpenParen | Token::OpenBracket => {
                Diagnostic::new("E108", span, format!("a comma or an operator is missing before {found}"))
                    .label("unexpected here")
                    .note(self.span_before(), "an argument ends here")
                    .help(format!("write `{}` or `{}`", self.joined(", "), self.joined("*")))
            }
            Token::Semicolon => Diagnostic::new("E108", span, "unexpected `;` between arguments")
                .label("arguments are separated by commas")
                .help("write `,`"),
            _ => self.unexpected(),
        }
    }
}

/// Checks that a keyword is new among the keywords at the end of `arguments`, of which there may be 256.
pub(super) fn check_twice(arguments: &[Argument], name: &Ident) -> Result<(), Diagnostic> {
    let mut keywords = arguments.iter().rev().map_while(|argument| argument.name.as_ref());
    if keywords.clone().nth(MAX_DEPTH).is_some() {
        return Err(Diagnostic::new("E106", name.span, format!("more than {MAX_DEPTH} arguments by keyword"))
            .label("too much from here on"));
    }
    match keywords.find(|other| other.name == name.name) {
        None => Ok(()),
        Some(first) => Err(Diagnostic::new("E114", name.span, format!("`{}` is given twice", shorten(&name.name)))
            .label("given again here")
            .note(first.span, "given first here")
            .help("keep one of the two")),
    }
}
