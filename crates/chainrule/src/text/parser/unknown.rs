//! Lines that are no statement, and what was probably meant.

use super::{Diagnostic, Parser, STATEMENT_WORDS, Token, shorten};
use crate::text::ast::ExprKind;
use crate::text::suggest::nearest;

impl Parser<'_> {
    /// The error of a line that begins as no statement does.
    pub(super) fn no_statement(&mut self) -> Diagnostic {
        let (span, word) = (self.span(), self.letters());
        let unknown = |help: String| {
            Diagnostic::new("E111", span, format!("`{}` starts no statement", shorten(word)))
                .label("unknown statement")
                .help(help)
        };
        if let Token::Operator(_) = self.peek() {
            return Diagnostic::new("E111", span, "a line cannot begin with an operator")
                .label("not a statement")
                .help("to go on with the line before, end that line with the operator, or use brackets");
        }
        if self.peek() == Token::Name {
            if let Some(help) = foreign(word) {
                return unknown(help.to_owned());
            }
            if let Token::Name | Token::Number(_) = self.peek_at(1) {
                return unknown(match nearest(word, STATEMENT_WORDS.into_iter()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("statements begin with `name =` or one of: {}", STATEMENT_WORDS.join(", ")),
                });
            }
            if self.peek_at(1) == Token::Colon {
                return Diagnostic::new("E111", span, format!("what is `{}`?", shorten(word)))
                    .label("a shape without a declaration")
                    .help(format!("write `input {word} : ...`, `target {word} : ...` or `param {word} : ...`"));
            }
        }
        self.bare_expression()
    }

    /// The error of a line that is an expression where only statements may stand.
    fn bare_expression(&mut self) -> Diagnostic {
        let value = match self.expression() {
            Ok(value) => value,
            Err(error) => return error,
        };
        let expr = self.ast.expr(value);
        match (&expr.kind, self.peek()) {
            (ExprKind::Call(..), Token::Assign) => {
                let message = format!("`{}` is not a name", shorten(self.slice(expr.span)));
                Diagnostic::new("E113", expr.span, message)
                    .label("a call cannot be given a value")
                    .help(format!("to define a function write `def {} = ...`", shorten(self.slice(expr.span))))
            }
            (_, Token::Assign | Token::Update) => {
                let message = format!("`{}` is not a name", shorten(self.slice(expr.span)));
                Diagnostic::new("E113", expr.span, message)
                    .label("only names can be given a value")
                    .help("write `name = expression`")
            }
            (_, Token::Equal) => Diagnostic::new("E113", self.span(), "`==` outside of a claim")
                .label("not expected here")
                .help("write `claim a == b` to compare, or `=` to give a name"),
            (_, Token::Newline | Token::End) => Diagnostic::new("E111", expr.span, "this value has no name and no use")
                .label("an expression is not a statement")
                .help("write `name = ...`, `predict ...` or `loss ...`"),
            _ => self.unexpected(),
        }
    }
}

/// Statement words of other languages, and what is written here.
fn foreign(word: &str) -> Option<&'static str> {
    Some(match word {
        "let" | "var" | "val" | "auto" | "set" => "leave out the word: `x = ...`",
        "function" | "fn" | "func" | "lambda" => "write `def f(x) = ...`",
        "return" => "the last line of a block is its value: leave out the word",
        "if" | "for" | "while" | "else" | "end" | "begin" => {
            "there are no branches and loops; definitions end with their indentation"
        }
        "import" | "include" | "use" | "from" | "using" => {
            "definitions stand in the same text; those of the prelude are always known"
        }
        "class" | "module" | "struct" => "write `layer name(X, ...):` for a part of a network",
        "print" | "show" | "disp" | "println" => "results are printed by the commands; leave out the line",
        "parameter" | "weights" | "weight" | "variable" => "write `param W : [rows, columns]`",
        "minimize" | "minimise" | "objective" | "cost" => "write `loss ...`",
        "output" => "write `predict ...`",
        "assert" | "check" => "write `claim a == b`",
        "constant" => "write `const name = ...`",
        "optimiser" => "write `optimizer`",
        _ => return None,
    })
}
