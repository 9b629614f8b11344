//! Statements: one per line, each with its own small grammar.

use super::group::check_twice;
use super::{Diagnostic, Ident, Parser, STATEMENT_WORDS, Span, Token, shorten};
use crate::text::ast::{Argument, ExprId, ExprKind, Item, Start, Statement};

impl Parser<'_> {
    pub(super) fn program(&mut self) -> Result<(), Diagnostic> {
        // A text may be indented as a whole, as in a string of a host language.
        let base = self.indentation();
        while self.peek() != Token::End {
            self.check_top_indentation(base)?;
            let mut items = Vec::new();
            self.statement(&mut items)?;
            self.ast.items.append(&mut items);
            self.end_of_statement()?;
        }
        Ok(())
    }

    /// A statement stands at the end of its line, or at the end of the text.
    pub(super) fn end_of_statement(&mut self) -> Result<(), Diagnostic> {
        // A block has already read the end of its last line.
        let ended = self.at > 0 && self.tokens[self.at - 1].0 == Token::Newline;
        if ended || self.peek() == Token::End || self.eat(Token::Newline) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn statement(&mut self, items: &mut Vec<Item>) -> Result<(), Diagnostic> {
        if self.peek() != Token::Name {
            return Err(self.no_statement());
        }
        if let Token::Assign | Token::Update = self.peek_at(1) {
            return self.binding(items);
        }
        let start = self.span();
        let statement = match self.letters() {
            "input" => {
                let (name, shape) = self.variable()?;
                Statement::Input { name, shape }
            }
            "target" => {
                let (name, shape) = self.variable()?;
                Statement::Target { name, shape }
            }
            "const" => self.constant()?,
            "param" => self.param()?,
            "state" => return self.states(items),
            "predict" => Statement::Predict { value: self.value_of("predict softmax(scores)")? },
            "loss" => Statement::Loss { value: self.value_of("loss mse(P, Y)")? },
            "train" => self.train()?,
            "claim" => self.claim()?,
            "fact" => self.fact()?,
            "data" => {
                let (names, value) = self.names("data X, Y = spiral(points = 100)")?;
                Statement::Data { names, value }
            }
            "group" => {
                let (names, value) = self.names("group b = sgd(rate = 0.1)")?;
                Statement::Group { names, value }
            }
            "def" | "layer" | "optimizer" | "schedule" => Statement::Define(self.definition()?),
            _ => return Err(self.no_statement()),
        };
        items.push(Item { statement, span: start.to(self.last_span()) });
        Ok(())
    }

    /// The last token of the statement that was just parsed.
    fn last_span(&self) -> Span {
        match self.tokens[self.at - 1] {
            (Token::Newline, _) if self.at > 1 => self.tokens[self.at - 2].1,
            (_, span) => span,
        }
    }

    /// `name = expr` or `name := expr`.
    pub(super) fn binding(&mut self, items: &mut Vec<Item>) -> Result<(), Diagnostic> {
        self.check_word_as_name()?;
        let name = self.take_ident();
        let start = name.span;
        let update = self.peek() == Token::Update;
        self.advance();
        let value = self.expression()?;
        let span = start.to(self.span_before());
        let statement = if update { Statement::Update { name, value } } else { Statement::Let { name, value } };
        items.push(Item { statement, span });
        Ok(())
    }

    fn check_word_as_name(&self) -> Result<(), Diagnostic> {
        let word = self.letters();
        if self.peek() != Token::Name || !STATEMENT_WORDS.contains(&word) {
            return Ok(());
        }
        let help = match word {
            "predict" | "loss" | "train" | "claim" if self.peek_at(1) == Token::Assign => {
                format!("a `{word}` statement has no `=`: write `{word} ...`")
            }
            _ => format!("choose another name, such as `{word}_1`"),
        };
        Err(Diagnostic::new("E110", self.span(), format!("`{word}` is a statement word and cannot name anything else"))
            .label("not free as a name")
            .help(help))
    }

    /// The name that a statement declares; `example` shows the whole statement.
    pub(super) fn declared(&mut self, example: &str) -> Result<Ident, Diagnostic> {
        self.check_word_as_name()?;
        if self.peek() == Token::Name {
            return Ok(self.take_ident());
        }
        let message = format!("a name must follow `{}`", shorten(self.slice(self.span_before())));
        Err(Diagnostic::new("E112", self.gap(), message).label("no name here").help(format!("write as in `{example}`")))
    }

    /// `X : [N, 2]` behind `input` and `target`.
    fn variable(&mut self) -> Result<(Ident, Option<Vec<ExprId>>), Diagnostic> {
        let word = self.letters();
        self.advance();
        let name = self.declared(&format!("{word} X : [N, 2]"))?;
        let shape = self.shape(&name)?;
        match self.peek() {
            Token::Newline | Token::End => Ok((name, shape)),
            Token::Assign => {
                Err(Diagnostic::new("E112", self.span(), format!("the {word} `{}` has no value", name.name))
                    .label("not expected here")
                    .help("it comes with the data; a fixed value is a `const`"))
            }
            Token::Comma => Err(Diagnostic::new("E112", self.span(), format!("one {word} per line"))
                .label("not expected here")
                .help(format!("begin a new line with `{word}`"))),
            _ => Err(self.unexpected()),
        }
    }

    /// An optional shape: `: [2, 3]`.
    fn shape(&mut self, name: &Ident) -> Result<Option<Vec<ExprId>>, Diagnostic> {
        if self.peek() == Token::OpenBracket || self.peek() == Token::OpenParen {
            return Err(Diagnostic::new(
                "E112",
                self.span(),
                format!("`:` is missing between `{}` and its shape", name.name),
            )
            .label("a shape stands behind `:`")
            .help(format!("write `{} : [rows, columns]`", name.name)));
        }
        if !self.eat(Token::Colon) {
            return Ok(None);
        }
        if !self.eat(Token::OpenBracket) {
            return Err(Diagnostic::new("E112", self.gap(), "a shape in square brackets must follow `:`")
                .label(format!("found {}", self.describe()))
                .help(format!("write `{} : [rows, columns]`", name.name)));
        }
        let mut members = vec![self.expression()?];
        loop {
            while self.eat(Token::Newline) {}
            if self.eat(Token::CloseBracket) {
                return Ok(Some(members));
            }
            if !self.eat(Token::Comma) {
                return Err(match self.peek() {
                    Token::Assign | Token::Update | Token::Equal | Token::Tilde | Token::Colon => self.unexpected(),
                    _ => {
                        let message = format!("a comma is missing before {}", self.describe());
                        Diagnostic::new("E108", self.span(), message)
                            .label("sizes are separated by commas")
                            .help("write `[rows, columns]`")
                    }
                });
            }
            members.push(self.expression()?);
        }
    }

    /// `const reg = 1e-3`
    fn constant(&mut self) -> Result<Statement, Diagnostic> {
        self.advance();
        let name = self.declared("const reg = 1e-3")?;
        self.assign(&name, "const reg = 1e-3")?;
        Ok(Statement::Const { name, value: self.expression()? })
    }

    /// The `=` that a declaration needs.
    fn assign(&mut self, name: &Ident, example: &str) -> Result<(), Diagnostic> {
        if self.eat(Token::Assign) {
            return Ok(());
        }
        if let Token::Update | Token::Equal = self.peek() {
            let message = format!("a declaration is written with `=`, not {}", self.describe());
            return Err(Diagnostic::new("E113", self.span(), message).label("not expected here").help("write `=`"));
        }
        Err(Diagnostic::new("E112", self.gap(), format!("`=` is missing behind `{}`", shorten(&name.name)))
            .label(format!("found {}", self.describe()))
            .help(format!("write as in `{example}`")))
    }

    /// `param W : [2, 3] ~ normal(0, 0.1)`, `param b : [1, 3] = 0`, `param W`
    pub(super) fn param(&mut self) -> Result<Statement, Diagnostic> {
        self.advance();
        let name = self.declared("param W : [2, 3] ~ normal(0, 0.1)")?;
        let shape = self.shape(&name)?;
        let start = match self.peek() {
            Token::Newline | Token::End => Start::Default,
            Token::Assign => {
                self.advance();
                Start::Value(self.expression()?)
            }
            Token::Tilde => {
                self.advance();
                Start::Draw(self.expression()?)
            }
            Token::Name => {
                let word = shorten(self.letters());
                return Err(Diagnostic::new("E112", self.span(), format!("`~` or `=` is missing before `{word}`"))
                    .label("how the parameter starts")
                    .help(format!("write `~ {word}...` for random numbers, `= ...` for a value")));
            }
            Token::Update | Token::Equal => {
                self.assign(&name, "param b : [1, 3] = 0")?;
                Start::Default
            }
            _ => return Err(self.unexpected()),
        };
        Ok(Statement::Param { name, shape, start })
    }

    /// `state V = 0, S : [1, 3] = 1`, `state K : [1, 8] ~ counting(4)`
    pub(super) fn states(&mut self, items: &mut Vec<Item>) -> Result<(), Diagnostic> {
        const EXAMPLE: &str = "state V = 0, S = 0";
        let mut start = self.advance();
        loop {
            let name = self.declared(EXAMPLE)?;
            let shape = self.shape(&name)?;
            let start_value = if self.eat(Token::Tilde) {
                Start::Draw(self.expression()?)
            } else {
                self.assign(&name, EXAMPLE)?;
                Start::Value(self.expression()?)
            };
            let statement = Statement::State { name, shape, start: start_value };
            items.push(Item { statement, span: start.to(self.span_before()) });
            if !self.eat(Token::Comma) {
                return Ok(());
            }
            start = self.span();
        }
    }

    /// The expression behind `predict` and `loss`.
    fn value_of(&mut self, example: &str) -> Result<ExprId, Diagnostic> {
        let word = self.letters();
        self.advance();
        if let Token::Newline | Token::End = self.peek() {
            return Err(Diagnostic::new("E107", self.gap(), format!("an expression must follow `{word}`"))
                .label("nothing here")
                .help(format!("write as in `{example}`")));
        }
        if let Token::Colon | Token::Update = self.peek() {
            return Err(Diagnostic::new("E112", self.span(), format!("`{word}` is followed by its expression alone"))
                .label("not expected here")
                .help(format!("write as in `{example}`")));
        }
        self.expression()
    }

    /// `train adam(rate = 1e-3), batch = all, epochs = 100`
    fn train(&mut self) -> Result<Statement, Diagnostic> {
        const EXAMPLE: &str = "train adam(rate = 1e-3), batch = 32, epochs = 100";
        let optimizer = self.value_of(EXAMPLE)?;
        if self.peek() == Token::Assign
            || !matches!(self.ast.expr(optimizer).kind, ExprKind::Name(_) | ExprKind::Call(..))
        {
            return Err(Diagnostic::new("E112", self.ast.expr(optimizer).span, "`train` begins with an optimizer")
                .label("not an optimizer")
                .help(format!("write as in `{EXAMPLE}`")));
        }
        let mut options = Vec::new();
        while self.eat(Token::Comma) {
            let option = self.option(EXAMPLE)?;
            options.push(option);
            if let Some((last, before)) = options.split_last()
                && let Some(name) = &last.name
            {
                check_twice(before, name)?;
            }
        }
        if let Token::Name = self.peek() {
            let message = format!("a comma is missing before {}", self.describe());
            return Err(Diagnostic::new("E108", self.span(), message)
                .label("options are separated by commas")
                .help(format!("write as in `{EXAMPLE}`")));
        }
        Ok(Statement::Train { optimizer, options })
    }

    fn option(&mut self, example: &str) -> Result<Argument, Diagnostic> {
        if self.peek() == Token::Name && self.peek_at(1) == Token::Assign {
            let name = self.take_ident();
            self.advance();
            return Ok(Argument { name: Some(name), value: self.expression()? });
        }
        let message = match self.peek() {
            Token::Name => format!("`=` is missing behind the option {}", self.describe()),
            _ => format!("expected an option, found {}", self.describe()),
        };
        Err(Diagnostic::new("E114", self.gap(), message)
            .label("options are written `name = value`")
            .help(format!("write as in `{example}`")))
    }

    /// `claim a == b`
    fn claim(&mut self) -> Result<Statement, Diagnostic> {
        let left = self.value_of("claim grad(loss, W) == X'*R")?;
        if !self.eat(Token::Equal) {
            return Err(match self.peek() {
                Token::Assign | Token::Update => {
                    Diagnostic::new("E113", self.span(), format!("a claim compares with `==`, not {}", self.describe()))
                        .label("not expected here")
                        .help("write `==`")
                }
                Token::Newline | Token::End => {
                    Diagnostic::new("E112", self.gap(), "a claim needs `==` and a right side")
                        .label("`== ...` is missing")
                        .help("write as in `claim grad(loss, W) == X'*R`")
                }
                _ => self.unexpected(),
            });
        }
        let right = self.expression()?;
        if self.peek() == Token::Equal {
            return Err(Diagnostic::new("E113", self.span(), "a claim has one `==`")
                .label("not expected here")
                .help("write two claims"));
        }
        Ok(Statement::Claim { left, right })
    }

    /// `fact X symmetric`, `fact Y rows_sum_to 1`
    fn fact(&mut self) -> Result<Statement, Diagnostic> {
        const EXAMPLE: &str = "fact X symmetric";
        self.advance();
        let name = self.declared(EXAMPLE)?;
        if self.peek() != Token::Name {
            let message = format!("what is known of `{}` is missing", shorten(&name.name));
            return Err(Diagnostic::new("E112", self.gap(), message)
                .label(format!("found {}", self.describe()))
                .help(format!("write as in `{EXAMPLE}`, or `fact Y rows_sum_to 1`")));
        }
        let mut words = self.take_ident();
        if let Token::Number(_) = self.peek() {
            words.name = format!("{} {}", words.name, self.letters());
            words.span = words.span.to(self.advance());
        }
        Ok(Statement::Fact { name, words })
    }

    /// `data X, Y = spiral(points = 100)`
    fn names(&mut self, example: &str) -> Result<(Vec<Ident>, ExprId), Diagnostic> {
        self.advance();
        let mut names = vec![self.declared(example)?];
        while self.eat(Token::Comma) {
            names.push(self.declared(example)?);
        }
        self.assign(&names[names.len() - 1].clone(), example)?;
        Ok((names, self.expression()?))
    }
}
