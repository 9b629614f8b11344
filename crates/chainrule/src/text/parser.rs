//! Tokens to the syntax tree. Expressions are parsed by operator precedence with an explicit stack, so that no depth
//! of the text costs stack of the machine; statements need no recursion, because blocks do not nest.
//!
//! | Precedence, high to low | Remarks |
//! |---|---|
//! | `'` | behind its operand |
//! | `^ .^` | left associative; the right operand may be signed: `x^-2` |
//! | `-x` | `-x^2` is `-(x^2)`, `-a*b` is `(-a)*b` |
//! | `* @ / .* ⊙ ./` | left associative |
//! | `+ -` | left associative |
//!
//! A statement ends at the end of its line, except inside brackets and behind a binary operator or a comma.
//! Inside `[ ]` the end of a line ends a row. A block is the lines below its head that are indented deeper.
//!
//! # Codes of errors in texts
//!
//! | Code | Meaning |
//! |---|---|
//! | E100 | a character that no word or sign starts with; its code point is named |
//! | E101 | a malformed number |
//! | E102 | a number outside of 64-bit floating point |
//! | E103 | a string that is not closed on its line |
//! | E104 | a sign of another language |
//! | E105 | brackets, signs or transposes nested deeper than 256 |
//! | E106 | a text of too many bytes, tokens or expressions |
//! | E107 | an operand is missing |
//! | E108 | an operator, a comma or the end of the line is missing |
//! | E109 | a bracket without its partner |
//! | E110 | a statement word used as the name of something |
//! | E111 | a line that is no statement |
//! | E112 | a statement with a part missing or out of place |
//! | E113 | `=`, `:=` or `==` in the place of another of them |
//! | E114 | arguments or options in the wrong form, or given twice |
//! | E115 | rows of a matrix of different lengths, or none |
//! | E116 | indentation |
//! | E117 | a statement that may not stand in this block, or a block without its value |
//! | E118 | the head of a definition |

mod block;
mod expression;
mod group;
mod statement;
mod unknown;

use super::ast::{Ast, Expr, ExprId, ExprKind, Ident};
use super::diagnostic::{Diagnostic, Span};
use super::lexer::{Token, lex, lex_expression};

/// Most expressions of one text.
pub const MAX_NODES: usize = 1_000_000;

/// The words that start statements. They cannot be declared as names.
pub const STATEMENT_WORDS: [&str; 16] = [
    "input",
    "target",
    "const",
    "param",
    "state",
    "def",
    "layer",
    "optimizer",
    "schedule",
    "predict",
    "loss",
    "train",
    "group",
    "claim",
    "fact",
    "data",
];

/// Parses a program, as in a `.cr` file.
///
/// # Errors
/// The first fault of the text; see the table of codes above.
pub fn parse_program(source: &str) -> Result<Ast, Diagnostic> {
    let mut parser = Parser::new(source, lex(source)?);
    parser.program()?;
    Ok(parser.ast)
}

/// Parses one expression, which may run over several lines.
///
/// # Errors
/// The first fault of the text; see the table of codes above.
pub fn parse_expression(source: &str) -> Result<(Ast, ExprId), Diagnostic> {
    let mut parser = Parser::new(source, lex_expression(source)?);
    if parser.peek() == Token::End {
        return Err(Diagnostic::new("E107", parser.span(), "the expression is empty")
            .label("nothing here")
            .help("write an expression such as `sum(X.^2)`"));
    }
    let id = parser.expression()?;
    match parser.peek() {
        Token::End => Ok((parser.ast, id)),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    ast: Ast,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str, tokens: Vec<(Token, Span)>) -> Self {
        Parser { source, tokens, at: 0, ast: Ast::default() }
    }

    fn peek(&self) -> Token {
        self.peek_at(0)
    }

    /// The last token is `End`, and nothing steps over it.
    fn peek_at(&self, ahead: usize) -> Token {
        self.tokens[(self.at + ahead).min(self.tokens.len() - 1)].0
    }

    fn span(&self) -> Span {
        self.span_at(0)
    }

    fn span_at(&self, ahead: usize) -> Span {
        self.tokens[(self.at + ahead).min(self.tokens.len() - 1)].1
    }

    /// The place of the token before this one.
    fn span_before(&self) -> Span {
        match self.at {
            0 => Span::default(),
            at => self.tokens[at - 1].1,
        }
    }

    fn advance(&mut self) -> Span {
        let span = self.span();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    fn eat(&mut self, token: Token) -> bool {
        let here = self.peek() == token;
        if here {
            self.advance();
        }
        here
    }

    fn slice(&self, span: Span) -> &'a str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// The letters of this token.
    fn letters(&self) -> &'a str {
        self.slice(self.span())
    }

    fn take_ident(&mut self) -> Ident {
        let span = self.advance();
        Ident { name: self.slice(span).to_owned(), span }
    }

    fn add(&mut self, kind: ExprKind, span: Span) -> Result<ExprId, Diagnostic> {
        if self.ast.exprs.len() >= MAX_NODES {
            let message = format!("the text has more than {MAX_NODES} expressions");
            return Err(Diagnostic::new("E106", span, message)
                .label("too much from here on")
                .help("read data from a file instead of writing it into the text"));
        }
        self.ast.exprs.push(Expr { kind, span });
        Ok(ExprId(self.ast.exprs.len() as u32 - 1))
    }

    /// How a message calls this token.
    fn describe(&self) -> String {
        match self.peek() {
            Token::Newline => "the end of the line".to_owned(),
            Token::End => "the end of the text".to_owned(),
            _ => format!("`{}`", shorten(self.letters())),
        }
    }

    /// Where to point for something missing before this token: here, or behind the last token of the line.
    fn gap(&self) -> Span {
        match self.peek() {
            Token::Newline | Token::End => Span { start: self.span_before().end, end: self.span_before().end },
            _ => self.span(),
        }
    }

    /// The token before and this one with `between` them, for a help; brackets without their contents.
    fn joined(&self, between: &str) -> String {
        let before = match self.slice(self.span_before()) {
            end @ (")" | "]" | "'") => format!("...{end}"),
            word => shorten(word),
        };
        let here = match self.peek() {
            Token::OpenParen => "(...)".to_owned(),
            Token::OpenBracket => "[...]".to_owned(),
            _ => shorten(self.letters()),
        };
        format!("{before}{between}{here}")
    }

    /// The error of a token that cannot follow what was parsed.
    fn unexpected(&self) -> Diagnostic {
        let (span, found) = (self.span(), self.describe());
        let error = |code, message: String| Diagnostic::new(code, span, message);
        match self.peek() {
            Token::Name | Token::Number(_) | Token::Text | Token::OpenParen | Token::OpenBracket => {
                let before = shorten(self.slice(self.span_before()));
                error("E108", format!("an operator is missing between `{before}` and {found}"))
                    .label("unexpected here")
                    .note(self.span_before(), "an expression ends here")
                    .help(format!("write `*` for the product: `{}`", self.joined("*")))
            }
            Token::Assign => error("E113", "`=` inside an expression".to_owned())
                .label("not expected here")
                .help("`name = expression` gives a name and stands on its own line; `claim a == b` compares"),
            Token::Update => error("E113", "`:=` inside an expression".to_owned())
                .label("not expected here")
                .help("`name := expression` updates a state and stands on its own line"),
            Token::Equal => error("E113", "`==` outside of a claim".to_owned())
                .label("not expected here")
                .help("write `claim a == b` on a line of its own, or `=` to give a name"),
            Token::Semicolon => error("E108", "unexpected `;`".to_owned())
                .label("statements end with the line")
                .help("leave out the `;`"),
            Token::Comma => error("E108", "unexpected `,`".to_owned())
                .label("nothing to separate here")
                .help("write each statement on a line of its own; a row vector is written `[a, b]`"),
            Token::Tilde => error("E112", "unexpected `~`".to_owned())
                .label("not expected here")
                .help("`~` stands in `param W : [2, 3] ~ normal(0, 0.1)`"),
            Token::Colon => error("E112", "unexpected `:`".to_owned())
                .label("not expected here")
                .help("`:` stands before a shape, as in `input X : [N, 2]`, and behind the head of a block"),
            _ => error("E108", format!("unexpected {found}")).label("not expected here"),
        }
    }
}

/// The start of a text that may be very long.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
