//! Text to tokens: numbers, names, operators, brackets, and the line ends that end statements.
//!
//! The lexer matches brackets, because whether a line end means something depends on the bracket around it: nothing
//! inside `( )`, the end of a row inside `[ ]`, the end of a statement elsewhere.

mod advice;

use super::ast::BinaryOp;
use super::diagnostic::{Diagnostic, Span};

/// Deepest nesting of brackets, signs and transposes.
pub const MAX_DEPTH: usize = 256;
/// Most tokens of one text.
pub const MAX_TOKENS: usize = 2_000_000;
/// Longest text in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// A piece of text. Its letters are those under its span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token {
    /// `1`, `5.`, `.5`, `1e-3`
    Number(f64),
    /// `"..."`, the quotes included.
    Text,
    /// A name or a statement word.
    Name,
    /// `+ - * @ / .* ⊙ ./ ^ .^`
    Operator(BinaryOp),
    /// `'`
    Transpose,
    /// `=`
    Assign,
    /// `:=`
    Update,
    /// `==`
    Equal,
    /// `~`
    Tilde,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// The end of a statement, or of a row inside `[ ]`.
    Newline,
    /// The end of the text.
    End,
}

/// The tokens of a program, ending with [`Token::End`]. Never two line ends in a row, and none at the start.
///
/// # Errors
/// Characters, numbers, strings, operators and brackets that are wrong; codes E100 to E106 and E109.
pub fn lex(source: &str) -> Result<Vec<(Token, Span)>, Diagnostic> {
    Lexer::new(source, false).run()
}

/// The tokens of one expression, which may run over several lines.
pub(super) fn lex_expression(source: &str) -> Result<Vec<(Token, Span)>, Diagnostic> {
    Lexer::new(source, true).run()
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    /// Line ends outside brackets mean nothing.
    joined: bool,
    tokens: Vec<(Token, Span)>,
    /// The brackets around the present place.
    open: Vec<(Token, Span)>,
}

impl<'a> Lexer<'a> {
    fn new(source: &'a str, joined: bool) -> Self {
        Lexer { source, at: 0, joined, tokens: Vec::new(), open: Vec::new() }
    }

    fn run(mut self) -> Result<Vec<(Token, Span)>, Diagnostic> {
        if self.source.len() > MAX_BYTES {
            return Err(Diagnostic::new("E106", Span::default(), format!("the text is longer than {MAX_BYTES} bytes"))
                .help("read data from a file instead of writing it into the text"));
        }
        if self.source.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        while let Some(byte) = self.peek(0) {
            self.next(byte)?;
            if self.tokens.len() > MAX_TOKENS {
                let message = format!("the text has more than {MAX_TOKENS} words and signs");
                return Err(Diagnostic::new("E106", self.span(self.at), message).label("too much from here on"));
            }
        }
        if let Some(&(token, span)) = self.open.last() {
            return Err(unclosed(token, span));
        }
        let end = self.span(self.at);
        self.tokens.push((Token::End, end));
        Ok(self.tokens)
    }

    fn next(&mut self, byte: u8) -> Result<(), Diagnostic> {
        match byte {
            b' ' | b'\t' => self.at += 1,
            b'\r' if self.peek(1) == Some(b'\n') => self.at += 1,
            b'\n' => self.line_end(),
            b'#' => self.comment()?,
            b'"' => self.text()?,
            b'0'..=b'9' => self.number()?,
            b'.' if self.peek(1).is_some_and(|b| b.is_ascii_digit()) => self.number()?,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.name(),
            b'(' | b'[' => self.open(byte)?,
            b')' | b']' => self.close(byte)?,
            b'\'' => self.transpose()?,
            _ => return self.sign(),
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn span(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.at as u32 }
    }

    fn push(&mut self, token: Token, length: usize) {
        let start = self.at;
        self.at += length;
        self.tokens.push((token, self.span(start)));
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.at += 1;
        }
    }

    fn line_end(&mut self) {
        let bracket = self.open.last().map(|&(token, _)| token);
        let significant = match bracket {
            None => !self.joined,
            Some(token) => token == Token::OpenBracket,
        };
        let continues = match self.tokens.last().map(|&(token, _)| token) {
            None | Some(Token::Newline | Token::Operator(_) | Token::Comma | Token::Equal) => true,
            Some(Token::Semicolon | Token::OpenBracket) => bracket.is_some(),
            Some(_) => false,
        };
        if significant && !continues {
            self.push(Token::Newline, 1);
        } else {
            self.at += 1;
        }
    }

    /// Comments and strings may hold any letters, but nothing that changes how the text around them is shown.
    fn comment(&mut self) -> Result<(), Diagnostic> {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        self.check_visible(line)?;
        self.at += line.len();
        Ok(())
    }

    fn text(&mut self) -> Result<(), Diagnostic> {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let Some(length) = line[1..].find('"') else {
            let start = self.at;
            self.at += line.len();
            return Err(Diagnostic::new("E103", self.span(start), "this string is not closed")
                .label("no `\"` up to the end of the line")
                .help("close it with `\"`; a string stays on one line"));
        };
        self.check_visible(&line[..length + 2])?;
        self.push(Token::Text, length + 2);
        Ok(())
    }

    fn check_visible(&mut self, text: &str) -> Result<(), Diagnostic> {
        let hidden = |c: char| c != '\t' && (c.is_control() || advice::reorders(c));
        match text.char_indices().find(|&(_, c)| hidden(c)) {
            Some((index, c)) => {
                self.at += index;
                Err(self.strange(c))
            }
            None => Ok(()),
        }
    }

    fn strange(&self, c: char) -> Diagnostic {
        let span = Span { start: self.at as u32, end: (self.at + c.len_utf8()) as u32 };
        advice::character(c, span)
    }

    fn name(&mut self) {
        let start = self.at;
        self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_');
        self.tokens.push((Token::Name, self.span(start)));
    }

    fn number(&mut self) -> Result<(), Diagnostic> {
        let start = self.at;
        self.skip_while(|b| b.is_ascii_digit());
        // `2.*x` is `2 .* x`.
        if self.peek(0) == Some(b'.') && !matches!(self.peek(1), Some(b'*' | b'/' | b'^')) {
            self.at += 1;
            self.skip_while(|b| b.is_ascii_digit());
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.peek(1 + sign).is_some_and(|b| b.is_ascii_digit()) {
                self.at += 1 + sign;
                self.skip_while(|b| b.is_ascii_digit());
            }
        }
        let digits = &self.source[start..self.at];
        let second_point = self.peek(0) == Some(b'.') && self.peek(1).is_some_and(|b| b.is_ascii_digit());
        if second_point || self.peek(0).is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') {
            self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
            return Err(advice::number(digits, &self.source[start..self.at], self.span(start)));
        }
        let span = self.span(start);
        let value: f64 = digits.parse().map_err(|_| Diagnostic::new("E101", span, "malformed number"))?;
        let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
        if value.is_infinite() || (value == 0.0 && mantissa.bytes().any(|b| matches!(b, b'1'..=b'9'))) {
            let size = if value == 0.0 { "small" } else { "large" };
            return Err(Diagnostic::new("E102", span, format!("this number is too {size}"))
                .label("does not fit 64-bit floating point")
                .help("numbers reach from about 5e-324 to 1.8e308"));
        }
        self.tokens.push((Token::Number(value), span));
        Ok(())
    }

    fn open(&mut self, byte: u8) -> Result<(), Diagnostic> {
        self.push(if byte == b'(' { Token::OpenParen } else { Token::OpenBracket }, 1);
        let opened = self.tokens[self.tokens.len() - 1];
        self.open.push(opened);
        if self.open.len() > MAX_DEPTH { Err(too_deep(opened.1)) } else { Ok(()) }
    }

    fn close(&mut self, byte: u8) -> Result<(), Diagnostic> {
        let (token, wanted, partner) = match byte {
            b')' => (Token::CloseParen, Token::OpenParen, '('),
            _ => (Token::CloseBracket, Token::OpenBracket, '['),
        };
        let start = self.at;
        // A row may end with a line end directly before `]`.
        if self.tokens.last().is_some_and(|&(token, _)| token == Token::Newline) && !self.open.is_empty() {
            self.tokens.pop();
        }
        self.push(token, 1);
        let span = self.span(start);
        match self.open.pop() {
            Some((open, _)) if open == wanted => Ok(()),
            Some((open, opened)) => {
                let closer = if open == Token::OpenParen { ')' } else { ']' };
                let message = format!("`{}` does not close `{}`", byte as char, advice::bracket(open));
                Err(Diagnostic::new("E109", span, message)
                    .label(format!("expected `{closer}`"))
                    .note(opened, "opened here")
                    .help(format!("close `{}` with `{closer}` first", advice::bracket(open))))
            }
            None => Err(Diagnostic::new("E109", span, format!("`{}` without `{partner}`", byte as char))
                .label("closes nothing")
                .help(format!("remove it, or add `{partner}` before"))),
        }
    }

    fn transpose(&mut self) -> Result<(), Diagnostic> {
        use Token::{CloseBracket, CloseParen, Name, Number, Text, Transpose};
        match self.tokens.last() {
            Some((Number(_) | Name | Text | CloseParen | CloseBracket | Transpose, _)) => {
                self.push(Transpose, 1);
                Ok(())
            }
            _ => {
                let span = Span { start: self.at as u32, end: self.at as u32 + 1 };
                Err(Diagnostic::new("E107", span, "`'` has nothing to transpose")
                    .label("transpose stands behind its operand")
                    .help("write `X'`; strings are written in double quotes"))
            }
        }
    }

    fn sign(&mut self) -> Result<(), Diagnostic> {
        const SIGNS: [(&str, Token); 15] = [
            (":=", Token::Update),
            ("==", Token::Equal),
            (".*", Token::Operator(BinaryOp::Mul)),
            ("./", Token::Operator(BinaryOp::ElementDiv)),
            (".^", Token::Operator(BinaryOp::ElementPow)),
            ("⊙", Token::Operator(BinaryOp::Mul)),
            ("+", Token::Operator(BinaryOp::Add)),
            ("-", Token::Operator(BinaryOp::Sub)),
            ("*", Token::Operator(BinaryOp::MatMul)),
            ("@", Token::Operator(BinaryOp::MatMul)),
            ("/", Token::Operator(BinaryOp::Div)),
            ("^", Token::Operator(BinaryOp::Pow)),
            ("=", Token::Assign),
            ("~", Token::Tilde),
            (":", Token::Colon),
        ];
        if let Some((length, message, help)) = advice::sign(self.rest()) {
            let span = Span { start: self.at as u32, end: (self.at + length) as u32 };
            return Err(Diagnostic::new("E104", span, message).label("not part of the language").help(help));
        }
        match self.peek(0) {
            Some(b',') => self.push(Token::Comma, 1),
            Some(b';') => self.push(Token::Semicolon, 1),
            _ => match SIGNS.iter().find(|(written, _)| self.rest().starts_with(written)) {
                Some(&(written, token)) => self.push(token, written.len()),
                None => return Err(self.strange(self.rest().chars().next().unwrap_or_default())),
            },
        }
        Ok(())
    }
}

/// The error of a place nested too deep.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new("E105", span, format!("nested deeper than {MAX_DEPTH}"))
        .label("one level too deep")
        .help("give parts of it names: `a = ...`")
}

fn unclosed(token: Token, span: Span) -> Diagnostic {
    let (open, close) = if token == Token::OpenParen { ('(', ')') } else { ('[', ']') };
    Diagnostic::new("E109", span, format!("`{open}` is never closed"))
        .label("opened here")
        .help(format!("add the missing `{close}`"))
}
