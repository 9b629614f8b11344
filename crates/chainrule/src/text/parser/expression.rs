//! Expressions, with an explicit stack of what is waiting for its right side.

use super::group::Group;
use super::{Diagnostic, ExprId, ExprKind, Parser, Span, Token, shorten};
use crate::text::ast::BinaryOp;
use crate::text::lexer::{MAX_DEPTH, too_deep};

/// What waits on the stack.
enum Pending {
    /// A left operand and its operator.
    Binary(BinaryOp, Span, ExprId),
    /// A sign, with its precedence.
    Negate(Span, u8),
    /// An open bracket.
    Group(Span, Group),
}

const SIGN: u8 = 3;
const EXPONENT_SIGN: u8 = 5;

fn precedence(op: BinaryOp) -> u8 {
    use BinaryOp::{Add, Div, ElementDiv, ElementPow, MatMul, Mul, Pow, Sub};
    match op {
        Add | Sub => 1,
        MatMul | Mul | Div | ElementDiv => 2,
        Pow | ElementPow => 4,
    }
}

/// The stack and its number of levels, which is limited; waiting operators are not levels.
#[derive(Default)]
struct Stack {
    pending: Vec<Pending>,
    levels: usize,
}

impl Stack {
    fn push(&mut self, pending: Pending) -> Result<(), Diagnostic> {
        if let Pending::Negate(span, _) | Pending::Group(span, _) = &pending {
            self.levels += 1;
            if self.levels > MAX_DEPTH {
                return Err(too_deep(*span));
            }
        }
        self.pending.push(pending);
        Ok(())
    }

    fn pop(&mut self) -> Option<Pending> {
        let pending = self.pending.pop();
        if matches!(pending, Some(Pending::Negate(..) | Pending::Group(..))) {
            self.levels -= 1;
        }
        pending
    }

    fn in_exponent(&self) -> bool {
        match self.pending.last() {
            Some(Pending::Binary(op, ..)) => precedence(*op) > SIGN,
            Some(Pending::Negate(_, level)) => *level == EXPONENT_SIGN,
            _ => false,
        }
    }
}

impl Parser<'_> {
    /// Parses an expression up to the first token that cannot belong to it.
    pub(super) fn expression(&mut self) -> Result<ExprId, Diagnostic> {
        let mut stack = Stack::default();
        loop {
            let Some(operand) = self.operand(&mut stack)? else { continue };
            if let Some(value) = self.behind_operand(operand, &mut stack)? {
                return Ok(value);
            }
        }
    }

    /// Reads signs, opening brackets and then a leaf; `None` where another operand must follow.
    fn operand(&mut self, stack: &mut Stack) -> Result<Option<ExprId>, Diagnostic> {
        let span = self.span();
        match self.peek() {
            Token::Operator(BinaryOp::Sub) => {
                let level = if stack.in_exponent() { EXPONENT_SIGN } else { SIGN };
                stack.push(Pending::Negate(span, level))?;
                self.advance();
                Ok(None)
            }
            Token::OpenParen => {
                stack.push(Pending::Group(span, Group::Paren))?;
                self.advance();
                Ok(None)
            }
            Token::OpenBracket => {
                stack.push(Pending::Group(span, Group::Matrix(vec![Vec::new()])))?;
                self.advance();
                Ok(None)
            }
            Token::Number(value) => {
                self.advance();
                self.add(ExprKind::Number(value), span).map(Some)
            }
            Token::Text => {
                self.advance();
                let quoted = self.slice(span);
                self.add(ExprKind::Text(quoted[1..quoted.len() - 1].to_owned()), span).map(Some)
            }
            Token::Name => self.name_or_call(stack),
            _ => Err(self.no_operand(stack)),
        }
    }

    fn name_or_call(&mut self, stack: &mut Stack) -> Result<Option<ExprId>, Diagnostic> {
        if self.starts_statement() {
            let (span, word) = (self.span(), self.letters());
            return Err(Diagnostic::new("E107", span, format!("an operand is missing before the statement `{word}`"))
                .label("a new statement begins here")
                .note(self.span_before(), "the line before goes on")
                .help("complete the line before this one"));
        }
        if let Some(Pending::Group(_, Group::Call { key: key @ None, .. })) = stack.pending.last_mut()
            && self.peek_at(1) == Token::Assign
        {
            *key = Some(self.take_ident());
            self.advance();
            return Ok(None);
        }
        let name = self.take_ident();
        if self.peek() != Token::OpenParen {
            return self.add(ExprKind::Name(name.name), name.span).map(Some);
        }
        let open = self.span();
        stack.push(Pending::Group(open, Group::Call { name, arguments: Vec::new(), key: None }))?;
        self.advance();
        if self.peek() == Token::CloseParen
            && let Some(Pending::Group(_, Group::Call { name, .. })) = stack.pop()
        {
            let span = name.span.to(self.advance());
            return self.add(ExprKind::Call(name, Vec::new()), span).map(Some);
        }
        Ok(None)
    }

    /// Whether a statement word and something that only follows it as a statement stand here at the start of a line.
    fn starts_statement(&self) -> bool {
        super::STATEMENT_WORDS.contains(&self.letters())
            && self.peek_at(1) == Token::Name
            && self.source[..self.span().start as usize].trim_end_matches([' ', '\t']).ends_with('\n')
    }

    /// Reads what follows an operand: transposes, a binary operator, separators and closing brackets. The value of
    /// the whole expression if it ends here, `None` where an operand must follow.
    fn behind_operand(&mut self, mut value: ExprId, stack: &mut Stack) -> Result<Option<ExprId>, Diagnostic> {
        loop {
            value = self.transposes(value, stack)?;
            if let Token::Operator(op) = self.peek() {
                self.check_sign_in_row(op, stack)?;
                value = self.reduce(value, precedence(op), stack)?;
                stack.push(Pending::Binary(op, self.span(), value))?;
                self.advance();
                return Ok(None);
            }
            value = self.reduce(value, 0, stack)?;
            let Some(Pending::Group(open, group)) = stack.pop() else { return Ok(Some(value)) };
            match self.inside_group(value, open, group)? {
                Ok(closed) => value = closed,
                Err(group) => {
                    stack.push(Pending::Group(open, group))?;
                    return Ok(None);
                }
            }
        }
    }

    /// `[1 -2]` is two elements in MATLAB and would be one here.
    fn check_sign_in_row(&self, op: BinaryOp, stack: &Stack) -> Result<(), Diagnostic> {
        let group = stack.pending.iter().rev().find(|pending| matches!(pending, Pending::Group(..)));
        let (before, place, after) = (self.span_before(), self.span(), self.span_at(1));
        if precedence(op) > 1
            || !matches!(group, Some(Pending::Group(_, Group::Matrix(_))))
            || before.end == place.start
            || place.end < after.start
        {
            return Ok(());
        }
        let (left, right) = (shorten(self.slice(before)), shorten(self.slice(place.to(after))));
        Err(Diagnostic::new("E108", place, format!("`{left} {right}` in a matrix may mean one element or two"))
            .label("blank on one side only")
            .help(format!("write `{left}, {right}` for two elements; for one, blanks on both sides or none")))
    }

    fn transposes(&mut self, mut value: ExprId, stack: &Stack) -> Result<ExprId, Diagnostic> {
        let mut levels = stack.levels;
        while self.peek() == Token::Transpose {
            levels += 1;
            if levels > MAX_DEPTH {
                return Err(too_deep(self.span()));
            }
            let span = self.ast.expr(value).span.to(self.advance());
            value = self.add(ExprKind::Transpose(value), span)?;
        }
        Ok(value)
    }

    /// Completes what waits on the stack and binds at least as tightly as `level`, up to the innermost bracket.
    fn reduce(&mut self, mut value: ExprId, level: u8, stack: &mut Stack) -> Result<ExprId, Diagnostic> {
        loop {
            let complete = match stack.pending.last() {
                Some(Pending::Binary(op, ..)) => precedence(*op) >= level,
                Some(Pending::Negate(_, sign)) => *sign >= level,
                Some(Pending::Group(..)) | None => false,
            };
            if !complete {
                return Ok(value);
            }
            let end = self.ast.expr(value).span;
            value = match stack.pop() {
                Some(Pending::Binary(op, place, left)) => {
                    let span = self.ast.expr(left).span.to(end);
                    self.add(ExprKind::Binary(op, place, left, value), span)?
                }
                Some(Pending::Negate(sign, _)) => self.add(ExprKind::Neg(value), sign.to(end))?,
                Some(Pending::Group(..)) | None => value,
            };
        }
    }

    /// The error of a token where an operand must stand.
    fn no_operand(&self, stack: &Stack) -> Diagnostic {
        let (before, found) = (self.span_before(), self.describe());
        let word = shorten(self.slice(before));
        if let Some(Pending::Group(open, Group::Matrix(rows))) = stack.pending.last()
            && self.peek() == Token::CloseBracket
            && rows.len() == 1
            && rows[0].is_empty()
        {
            return Diagnostic::new("E115", open.to(self.span()), "a matrix without elements")
                .label("nothing in it")
                .help("write `zeros(m, n)` for a matrix of zeros");
        }
        match self.peek() {
            Token::Operator(BinaryOp::Add) => Diagnostic::new("E107", self.span(), "an operand is missing before `+`")
                .label("`+` is not a sign of numbers")
                .help("leave out the `+`"),
            Token::Operator(_) => {
                let help = match self.tokens[..self.at].last() {
                    Some((Token::Operator(_), _)) => format!("write an operand between `{word}` and {found}"),
                    _ => format!("write what stands left of {found}"),
                };
                Diagnostic::new("E107", self.span(), format!("an operand is missing before {found}"))
                    .label("needs an operand on its left")
                    .help(help)
            }
            Token::Newline | Token::End | Token::CloseParen | Token::CloseBracket if self.at > 0 => {
                let help = match self.tokens[self.at - 1].0 {
                    Token::Comma => "write what is missing, or leave out the `,`".to_owned(),
                    Token::Operator(_) => format!("write the right operand of `{word}`"),
                    _ => format!("write an expression behind `{word}`"),
                };
                Diagnostic::new("E107", before, format!("an expression must follow `{word}`"))
                    .label(format!("followed by {found}"))
                    .help(help)
            }
            _ => Diagnostic::new("E107", self.span(), format!("expected an expression, found {found}"))
                .label("an expression must stand here")
                .help(format!("write an expression before {found}")),
        }
    }
}
