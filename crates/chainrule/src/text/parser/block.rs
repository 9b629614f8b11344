//! Definitions and their blocks: the lines below a head that are indented deeper.

use super::{Diagnostic, Parser, Token, shorten};
use crate::text::ast::{BinaryOp, DefKind, Definition, Formal, Item, Statement};

impl<'a> Parser<'a> {
    /// The blanks before this token if it is the first of its line.
    pub(super) fn indentation(&self) -> &'a str {
        let before = &self.source[..self.span().start as usize];
        let blanks = &before[before.trim_end_matches([' ', '\t']).len()..];
        let rest = &before[..before.len() - blanks.len()];
        if rest.is_empty() || rest.ends_with(['\n', '\u{feff}']) { blanks } else { "" }
    }

    pub(super) fn check_top_indentation(&self, base: &str) -> Result<(), Diagnostic> {
        let here = self.indentation();
        if here == base {
            return Ok(());
        }
        let help = if here.len() > base.len() {
            "only the lines of a block are indented; a line goes on after an operator, a comma or inside brackets"
        } else {
            "start all statements in the same column"
        };
        Err(Diagnostic::new("E116", self.span(), "this line is indented differently from the statements before")
            .label("unexpected indentation")
            .help(help))
    }

    /// `def f(x, y = 1) = expr`, or a head and a block.
    pub(super) fn definition(&mut self) -> Result<Definition, Diagnostic> {
        let doc = self.doc();
        let indentation = self.indentation();
        let word = self.letters();
        self.advance();
        let (kind, example) = match word {
            "def" => (DefKind::Function, "def f(x, y = 1) = x + y"),
            "layer" => (DefKind::Layer, "layer dense(X, units):"),
            "optimizer" => (DefKind::Optimizer, "optimizer sgd(rate = 0.1):"),
            _ => (DefKind::Schedule, "schedule inverse_time(rate0, decay) = rate0/(1 + decay*epoch)"),
        };
        let name = self.declared(example)?;
        let formals = self.formals(example)?;
        let body = match self.peek() {
            Token::Assign if kind == DefKind::Optimizer => {
                return Err(Diagnostic::new("E118", self.span(), "an optimizer has no value")
                    .label("not expected here")
                    .help("write `:` and below it, indented, updates such as `W := W - rate*G`"));
            }
            Token::Assign => {
                self.advance();
                let value = self.expression()?;
                vec![Item { statement: Statement::Result { value }, span: self.ast.expr(value).span }]
            }
            Token::Colon => {
                self.advance();
                self.block(kind, indentation)?
            }
            _ => return Err(self.no_body(kind, word)),
        };
        Ok(Definition { kind, name, formals, body, doc })
    }

    fn no_body(&self, kind: DefKind, word: &str) -> Diagnostic {
        let (missing, help) = match kind {
            DefKind::Function | DefKind::Schedule => {
                ("`=` or `:`", "write `= expression`, or `:` and the body below it, indented")
            }
            DefKind::Layer | DefKind::Optimizer => ("`:`", "end the head with `:`; the body stands below it, indented"),
        };
        Diagnostic::new("E118", self.gap(), format!("{missing} is missing behind the head of this {word}"))
            .label(format!("found {}", self.describe()))
            .help(help)
    }

    fn formals(&mut self, example: &str) -> Result<Vec<Formal>, Diagnostic> {
        if !self.eat(Token::OpenParen) {
            return Err(Diagnostic::new("E118", self.gap(), "the arguments in brackets are missing")
                .label("expected `(`")
                .help(format!("write as in `{example}`")));
        }
        let mut formals: Vec<Formal> = Vec::new();
        if self.eat(Token::CloseParen) {
            return Ok(formals);
        }
        loop {
            let formal = self.formal(&formals, example)?;
            formals.push(formal);
            if self.eat(Token::CloseParen) {
                return Ok(formals);
            }
            if !self.eat(Token::Comma) {
                return Err(Diagnostic::new(
                    "E118",
                    self.span(),
                    format!("a comma is missing before {}", self.describe()),
                )
                .label("arguments are separated by commas")
                .help(format!("write as in `{example}`")));
            }
        }
    }

    fn formal(&mut self, before: &[Formal], example: &str) -> Result<Formal, Diagnostic> {
        let name = self.declared(example)?;
        let error = |message: String| Diagnostic::new("E118", name.span, message);
        if before.len() == crate::text::lexer::MAX_DEPTH {
            return Err(error(format!("more than {} arguments", before.len())).label("too many"));
        }
        if let Some(first) = before.iter().find(|other| other.name.name == name.name) {
            return Err(error(format!("two arguments are called `{}`", shorten(&name.name)))
                .label("the name is taken")
                .note(first.name.span, "first here")
                .help("rename one of them"));
        }
        if self.eat(Token::Assign) {
            return Ok(Formal { name, default: Some(self.expression()?) });
        }
        if before.last().is_some_and(|last| last.default.is_some()) {
            return Err(error(format!("`{}` has no default, but the argument before it has", shorten(&name.name)))
                .label("needs a default")
                .help("arguments with defaults stand last"));
        }
        Ok(Formal { name, default: None })
    }

    /// The lines of a block, up to the first that is not indented deeper than `head`.
    fn block(&mut self, kind: DefKind, head: &str) -> Result<Vec<Item>, Diagnostic> {
        let colon = self.span_before();
        if !matches!(self.peek(), Token::Newline | Token::End) {
            return Err(Diagnostic::new("E118", self.span(), "the body of a block begins on the next line")
                .label("not expected here")
                .help("write it below, indented; or write `= expression` on this line"));
        }
        self.eat(Token::Newline);
        let indentation = self.indentation();
        if self.peek() == Token::End || indentation.len() <= head.len() {
            return Err(Diagnostic::new("E116", colon, "this block is empty")
                .label("no indented line follows")
                .help("indent the lines of the body"));
        }
        let mut items = Vec::new();
        while self.peek() != Token::End && self.indentation().len() > head.len() {
            self.check_indentation(head, indentation)?;
            if let Some(Item { statement: Statement::Result { .. }, span }) = items.last() {
                return Err(Diagnostic::new("E117", *span, "only the last line of a block may be a value")
                    .label("a value, but the block goes on")
                    .note(self.span(), "the block goes on here")
                    .help("give it a name: `name = ...`"));
            }
            self.block_statement(kind, &mut items)?;
            self.end_of_statement()?;
        }
        self.check_result(kind, &items)?;
        Ok(items)
    }

    fn check_indentation(&self, head: &str, block: &str) -> Result<(), Diagnostic> {
        let here = self.indentation();
        if here == block && here.starts_with(head) {
            return Ok(());
        }
        let error = |message: &str| Diagnostic::new("E116", self.span(), message);
        if !here.starts_with(block) && !block.starts_with(here) || !here.starts_with(head) {
            return Err(error("tabs and blanks are mixed in the indentation of this block")
                .label("indented differently from the lines before")
                .help("use blanks only"));
        }
        Err(error("the lines of a block start in the same column")
            .label(format!(
                "column {}, the first line of the block starts in column {}",
                here.len() + 1,
                block.len() + 1
            ))
            .help("blocks do not nest; a line goes on after an operator, a comma or inside brackets"))
    }

    fn check_result(&self, kind: DefKind, items: &[Item]) -> Result<(), Diagnostic> {
        let Some(last) = items.last() else { return Ok(()) };
        match (&last.statement, kind) {
            (Statement::Result { .. }, DefKind::Optimizer) => {
                Err(Diagnostic::new("E117", last.span, "an optimizer has no value")
                    .label("a value")
                    .help("update the parameter: `W := W - ...`"))
            }
            (Statement::Result { .. }, _) | (_, DefKind::Optimizer) => Ok(()),
            _ => Err(Diagnostic::new("E117", last.span, "this block has no value")
                .label("the last line must be an expression")
                .help("end the block with the expression that is its value, without `name =`")),
        }
    }

    fn block_statement(&mut self, kind: DefKind, items: &mut Vec<Item>) -> Result<(), Diagnostic> {
        let (start, word) = (self.span(), self.letters());
        if self.peek() == Token::Name {
            if let (Token::Assign, _) | (Token::Update, DefKind::Layer | DefKind::Optimizer | DefKind::Schedule) =
                (self.peek_at(1), kind)
            {
                return self.binding(items);
            }
            if self.peek_at(1) == Token::Update {
                return Err(self.not_in_block(
                    kind,
                    "updates",
                    "write `layer` instead of `def` for a part with states",
                ));
            }
            match (word, kind) {
                ("param", DefKind::Layer) => {
                    let statement = self.param()?;
                    items.push(Item { statement, span: start.to(self.span_before()) });
                    return Ok(());
                }
                ("state", DefKind::Layer | DefKind::Optimizer | DefKind::Schedule) => return self.states(items),
                ("param", DefKind::Optimizer) => {
                    return Err(self.not_in_block(kind, "parameters", "declare `state V = 0`"));
                }
                ("param" | "state", _) => {
                    let help = "write `layer` instead of `def` for a part with parameters or states";
                    return Err(self.not_in_block(kind, "parameters and states", help));
                }
                _ if super::STATEMENT_WORDS.contains(&word) => {
                    let help = "move it out of the block, to the start of a line";
                    return Err(self.not_in_block(kind, &format!("`{word}`"), help));
                }
                _ => {}
            }
        }
        self.block_result(items)
    }

    fn block_result(&mut self, items: &mut Vec<Item>) -> Result<(), Diagnostic> {
        let operator = matches!(self.peek(), Token::Operator(op) if op != BinaryOp::Sub);
        if operator || self.peek() == Token::Name && matches!(self.peek_at(1), Token::Name | Token::Colon) {
            return Err(self.no_statement());
        }
        let value = self.expression()?;
        let span = self.ast.expr(value).span;
        if let Token::Assign | Token::Update = self.peek() {
            return Err(Diagnostic::new("E113", span, format!("`{}` is not a name", shorten(self.slice(span))))
                .label("only names can be given a value")
                .help("write `name = expression`"));
        }
        items.push(Item { statement: Statement::Result { value }, span });
        Ok(())
    }

    fn not_in_block(&self, kind: DefKind, what: &str, help: &str) -> Diagnostic {
        let block = match kind {
            DefKind::Function => "a function has",
            DefKind::Layer => "a layer has",
            DefKind::Optimizer => "an optimizer has",
            DefKind::Schedule => "a schedule has",
        };
        Diagnostic::new("E117", self.span(), format!("{block} no {what}")).label("not allowed in this block").help(help)
    }

    /// The comment lines directly above this line, without `#`.
    fn doc(&self) -> String {
        let start = self.span().start as usize - self.indentation().len();
        let mut lines: Vec<&str> = Vec::new();
        let mut above = &self.source[..start];
        while let Some(rest) = above.strip_suffix('\n') {
            let begin = rest.rfind('\n').map_or(0, |at| at + 1);
            let line = rest[begin..].trim_start_matches(['\u{feff}', ' ', '\t']);
            let Some(comment) = line.strip_prefix('#') else { break };
            lines.push(comment.strip_prefix(' ').unwrap_or(comment).trim_end());
            above = &rest[..begin];
        }
        lines.reverse();
        lines.join("\n")
    }
}
