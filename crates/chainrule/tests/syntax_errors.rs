//! Wrong texts: code, message and place of each error, and limits that no text may break.

use chainrule::text::ast::{Ast, ExprKind};
use chainrule::text::diagnostic::Diagnostic;
use chainrule::text::parser::{MAX_NODES, STATEMENT_WORDS, parse_expression, parse_program};
use kernels::random::{Purpose, Stream};

fn code(result: Result<Ast, Diagnostic>) -> &'static str {
    result.map_or_else(|error| error.code, |_| "good")
}

fn expression_code(text: &str) -> &'static str {
    code(parse_expression(text).map(|(ast, _)| ast))
}

/// Checks the rows `text | code | message | source under the span | part of the help`.
fn check(rows: &[(&str, &str, &str, &str, &str)], parse: fn(&str) -> Result<Ast, Diagnostic>) {
    let mut wrong = String::new();
    for &(text, code, message, place, help) in rows {
        let error = match parse(text) {
            Ok(_) => {
                wrong += &format!("{text:?} is accepted\n");
                continue;
            }
            Err(error) => error,
        };
        let found = &text[error.span.start as usize..error.span.end as usize];
        let found_help = error.help.as_deref().unwrap_or("");
        if (error.code, error.message.as_str(), found) != (code, message, place)
            || !found_help.contains(help)
            || help.is_empty()
        {
            wrong += &format!("({text:?}, {:?}, {:?}, {found:?}, {found_help:?}),\n", error.code, error.message);
        }
        assert!(!error.label.is_empty(), "no label: {text}");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn wrong_expressions() {
    check(
        &[
            ("", "E107", "the expression is empty", "", "write an expression such as `sum(X.^2)`"),
            ("a +", "E107", "an expression must follow `+`", "+", "write the right operand of `+`"),
            ("a + * b", "E107", "an operand is missing before `*`", "*", "write an operand between `+` and `*`"),
            ("* a", "E107", "an operand is missing before `*`", "*", "write what stands left of `*`"),
            ("+a", "E107", "an operand is missing before `+`", "+", "leave out the `+`"),
            ("a b", "E108", "an operator is missing between `a` and `b`", "b", "write `*` for the product: `a*b`"),
            (
                "2x",
                "E108",
                "an operator is missing between `2` and `x`",
                "2x",
                "write `2*x`; names start with a letter",
            ),
            (
                "2(x + 1)",
                "E108",
                "an operator is missing between `2` and `(`",
                "(",
                "write `*` for the product: `2*(...)`",
            ),
            ("(a + b", "E109", "`(` is never closed", "(", "add the missing `)`"),
            ("a + b)", "E109", "`)` without `(`", ")", "remove it, or add `(` before"),
            ("(a + [b)", "E109", "`)` does not close `[`", ")", "close `[` with `]` first"),
            ("f(a,)", "E107", "an expression must follow `,`", ",", "write what is missing, or leave out the `,`"),
            ("f(,a)", "E107", "expected an expression, found `,`", ",", "write an expression before `,`"),
            ("f(a b)", "E108", "a comma or an operator is missing before `b`", "b", "write `a, b` or `a*b`"),
            ("f(a; b)", "E108", "unexpected `;` between arguments", ";", "write `,`"),
            (
                "f(k = 1, a)",
                "E114",
                "an argument without keyword behind one with keyword",
                "a",
                "write it before the keywords, or as `name = value`",
            ),
            ("f(k = 1, k = 2)", "E114", "`k` is given twice", "k", "keep one of the two"),
            (
                "f(a = b = c)",
                "E113",
                "`=` inside an expression",
                "=",
                "`name = expression` gives a name and stands on its own line; `claim a == b` compares",
            ),
            (
                "f(a := 2)",
                "E113",
                "`:=` inside an expression",
                ":=",
                "`name := expression` updates a state and stands on its own line",
            ),
            ("(a, b)", "E108", "unexpected `,` in brackets", ",", "a row vector is written `[a, b]`, a call `f(a, b)`"),
            ("(a; b)", "E108", "unexpected `;` in brackets", ";", "a matrix is written `[1, 2; 3, 4]`"),
            (
                "(a = 1)",
                "E113",
                "`=` inside an expression",
                "=",
                "`name = expression` gives a name and stands on its own line; `claim a == b` compares",
            ),
            ("()", "E107", "an expression must follow `(`", "(", "write an expression behind `(`"),
            (
                "a == b",
                "E113",
                "`==` outside of a claim",
                "==",
                "write `claim a == b` on a line of its own, or `=` to give a name",
            ),
            (
                "a = b",
                "E113",
                "`=` inside an expression",
                "=",
                "`name = expression` gives a name and stands on its own line; `claim a == b` compares",
            ),
            (
                "a, b",
                "E108",
                "unexpected `,`",
                ",",
                "write each statement on a line of its own; a row vector is written `[a, b]`",
            ),
            ("a;", "E108", "unexpected `;`", ";", "leave out the `;`"),
            ("a ** b", "E104", "unknown sign `**`", "**", "powers are written `^`, or `.^` element by element"),
            ("a .+ b", "E104", "unknown sign `.+`", ".+", "`+` is already element-wise: write `+`"),
            ("a .- b", "E104", "unknown sign `.-`", ".-", "`-` is already element-wise: write `-`"),
            ("a & b", "E104", "unknown sign `&`", "&", "for the product of 0/1 matrices write `.*`"),
            (
                "a != b",
                "E104",
                "unknown sign `!=`",
                "!=",
                "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere",
            ),
            (
                "a < b",
                "E104",
                "unknown sign `<`",
                "<",
                "there are no comparisons; `step(x)` is 1 where x > 0 and 0 elsewhere",
            ),
            ("A\\b", "E104", "unknown sign `\\`", "\\", "write `inv(A)*b`"),
            ("{a}", "E104", "unknown sign `{`", "{", "group with `( )`; matrices are written `[1, 2; 3, 4]`"),
            (
                "a.b",
                "E104",
                "unknown sign `.`",
                ".",
                "numbers are written `0.5`, names have no dots, and element-wise operators are `.*`, `./`, `.^`",
            ),
            ("x.'", "E104", "unknown sign `.'`", ".'", "the transpose is written `'`"),
            ("a -> b", "E104", "unknown sign `->`", "->", "write `def f(x) = ...` for a function"),
            ("1.2.3", "E101", "malformed number `1.2.3`", "1.2.3", "numbers are written `0.5` or `1e-3`"),
            ("1e", "E101", "malformed number `1e`", "1e", "write it as in `1e-3`"),
            ("1_000", "E101", "malformed number `1_000`", "1_000", "leave out the `_`"),
            ("0x10", "E101", "malformed number `0x10`", "0x10", "write it in decimal digits"),
            ("1e400", "E102", "this number is too large", "1e400", "numbers reach from about 5e-324 to 1.8e308"),
            ("1e-400", "E102", "this number is too small", "1e-400", "numbers reach from about 5e-324 to 1.8e308"),
            ("'abc'", "E107", "`'` has nothing to transpose", "'", "write `X'`; strings are written in double quotes"),
            ("a + 'b", "E107", "`'` has nothing to transpose", "'", "write `X'`; strings are written in double quotes"),
            (
                "f(\"abc)",
                "E103",
                "this string is not closed",
                "\"abc)",
                "close it with `\"`; a string stays on one line",
            ),
            ("[]", "E115", "a matrix without elements", "[]", "write `zeros(m, n)` for a matrix of zeros"),
            (
                "[1 2]",
                "E108",
                "a comma is missing before `2`",
                "2",
                "write `[1, 2; 3, 4]`: commas between elements, `;` or line ends between rows",
            ),
            (
                "[1 -2]",
                "E108",
                "`1 -2` in a matrix may mean one element or two",
                "-",
                "write `1, -2` for two elements; for one, blanks on both sides or none",
            ),
            (
                "[1, 2; 3]",
                "E115",
                "row 2 has the length 1, row 1 has 2",
                "3",
                "rows of a matrix have the same number of elements",
            ),
            (
                "[[1, 2], [3, 4]]",
                "E115",
                "a matrix inside a matrix",
                "[1, 2]",
                "write `[1, 2; 3, 4]`: commas between elements, `;` between rows",
            ),
            ("[1, 2, ]", "E107", "an expression must follow `,`", ",", "write what is missing, or leave out the `,`"),
            (
                "[1 = 2]",
                "E113",
                "`=` inside an expression",
                "=",
                "`name = expression` gives a name and stands on its own line; `claim a == b` compares",
            ),
            ("α + 1", "E100", "names are written in ASCII letters, not `α` (U+03B1)", "α", "write `alpha`"),
            (
                "а + 1",
                "E100",
                "names are written in ASCII letters, not `а` (U+0430)",
                "а",
                "write the Latin letter; this Cyrillic one only looks like it",
            ),
            ("a − b", "E100", "unexpected character `−` (U+2212)", "−", "write `-`"),
            (
                "a × b",
                "E100",
                "unexpected character `×` (U+00D7)",
                "×",
                "write `*`, or `.*` for the element-wise product",
            ),
            ("x²", "E100", "unexpected character `²` (U+00B2)", "²", "write `^2`, or `.^2` element by element"),
            ("Xᵀ", "E100", "names are written in ASCII letters, not `ᵀ` (U+1D40)", "ᵀ", "write `'` for the transpose"),
            (
                "straße",
                "E100",
                "names are written in ASCII letters, not `ß` (U+00DF)",
                "ß",
                "use the letters a to z, digits and `_`; comments may hold any letters",
            ),
            ("a\u{a0}+ b", "E100", "unexpected character U+00A0", "\u{a0}", "write an ordinary blank"),
            ("a\u{202e}b", "E100", "unexpected character U+202E", "\u{202e}", "remove it"),
            ("a # x\u{2066}y", "E100", "unexpected character U+2066", "\u{2066}", "remove it"),
            ("f(\"\u{202e}\")", "E100", "unexpected character U+202E", "\u{202e}", "remove it"),
            ("a\0b", "E100", "unexpected character U+0000", "\0", "remove it"),
            ("a\rb", "E100", "unexpected character U+000D", "\r", "remove it"),
            ("a\u{feff}", "E100", "unexpected character U+FEFF", "\u{feff}", "remove it"),
            ("a ~ b", "E112", "unexpected `~`", "~", "`~` stands in `param W : [2, 3] ~ normal(0, 0.1)`"),
            (
                "a : b",
                "E112",
                "unexpected `:`",
                ":",
                "`:` stands before a shape, as in `input X : [N, 2]`, and behind the head of a block",
            ),
            ("f（a）", "E100", "unexpected character `（` (U+FF08)", "（", "write it in its ordinary, narrow form"),
            (
                "Α + 1",
                "E100",
                "names are written in ASCII letters, not `Α` (U+0391)",
                "Α",
                "write the Latin letter; this Greek one only looks like it",
            ),
            (
                "(a)(b)",
                "E108",
                "an operator is missing between `)` and `(`",
                "(",
                "write `*` for the product: `...)*(...)`",
            ),
            ("f(a [1])", "E108", "a comma or an operator is missing before `[`", "[", "write `a, [...]` or `a*[...]`"),
            (
                "[1; 2, 3]",
                "E115",
                "row 2 has the length 2, row 1 has 1",
                "2, 3",
                "rows of a matrix have the same number of elements",
            ),
            ("[1;; 2]", "E107", "expected an expression, found `;`", ";", "write an expression before `;`"),
            (
                "a ≤ b",
                "E100",
                "unexpected character `≤` (U+2264)",
                "≤",
                "write `claim a == b` to compare; there are no other comparisons",
            ),
        ],
        |text| parse_expression(text).map(|(ast, _)| ast),
    );
}

#[test]
fn wrong_programs() {
    check(
        &[
            ("inptu X : [N, 2]", "E111", "`inptu` starts no statement", "inptu", "did you mean `input`?"),
            ("let x = 1", "E111", "`let` starts no statement", "let", "leave out the word: `x = ...`"),
            (
                "return x",
                "E111",
                "`return` starts no statement",
                "return",
                "the last line of a block is its value: leave out the word",
            ),
            (
                "x + 1",
                "E111",
                "this value has no name and no use",
                "x + 1",
                "write `name = ...`, `predict ...` or `loss ...`",
            ),
            ("f(x) = x^2", "E113", "`f(x)` is not a name", "f(x)", "to define a function write `def f(x) = ...`"),
            ("x' = 2", "E113", "`x'` is not a name", "x'", "write `name = expression`"),
            (
                "x == 2",
                "E113",
                "`==` outside of a claim",
                "==",
                "write `claim a == b` to compare, or `=` to give a name",
            ),
            ("x = 1;", "E108", "unexpected `;`", ";", "leave out the `;`"),
            (
                "x = 1, y = 2",
                "E108",
                "unexpected `,`",
                ",",
                "write each statement on a line of its own; a row vector is written `[a, b]`",
            ),
            ("x = a b", "E108", "an operator is missing between `a` and `b`", "b", "write `*` for the product: `a*b`"),
            ("x =", "E107", "an expression must follow `=`", "=", "write an expression behind `=`"),
            ("x = \ny = 2", "E107", "an expression must follow `=`", "=", "write an expression behind `=`"),
            (
                "x = a +\nloss b",
                "E107",
                "an operand is missing before the statement `loss`",
                "loss",
                "complete the line before this one",
            ),
            (
                "x = a\n+ b",
                "E111",
                "a line cannot begin with an operator",
                "+",
                "to go on with the line before, end that line with the operator, or use brackets",
            ),
            ("x = (a\nloss b", "E109", "`(` is never closed", "(", "add the missing `)`"),
            (
                "x = a\n  y = b",
                "E116",
                "this line is indented differently from the statements before",
                "y",
                "only the lines of a block are indented; a line goes on after an operator, a comma or inside brackets",
            ),
            (
                "  x = a\ny = b",
                "E116",
                "this line is indented differently from the statements before",
                "y",
                "start all statements in the same column",
            ),
            (
                "x = y = 2",
                "E113",
                "`=` inside an expression",
                "=",
                "`name = expression` gives a name and stands on its own line; `claim a == b` compares",
            ),
            ("x += 2", "E104", "unknown sign `+=`", "+=", "write `x := x + ...` to update a state"),
            ("% comment", "E104", "unknown sign `%`", "%", "comments start with `#`"),
            ("// comment", "E104", "unknown sign `//`", "//", "comments start with `#`"),
            ("X : [N, 2]", "E111", "what is `X`?", "X", "write `input X : ...`, `target X : ...` or `param X : ...`"),
            ("input", "E112", "a name must follow `input`", "", "write as in `input X : [N, 2]`"),
            (
                "input loss : [N, 2]",
                "E110",
                "`loss` is a statement word and cannot name anything else",
                "loss",
                "choose another name, such as `loss_1`",
            ),
            ("input X [N, 2]", "E112", "`:` is missing between `X` and its shape", "[", "write `X : [rows, columns]`"),
            ("input X : N", "E112", "a shape in square brackets must follow `:`", "N", "write `X : [rows, columns]`"),
            ("input X : [N; 2]", "E108", "a comma is missing before `;`", ";", "write `[rows, columns]`"),
            ("input X : [N 2]", "E108", "a comma is missing before `2`", "2", "write `[rows, columns]`"),
            ("input X : []", "E107", "an expression must follow `[`", "[", "write an expression behind `[`"),
            (
                "input X : [N, 2] = 3",
                "E112",
                "the input `X` has no value",
                "=",
                "it comes with the data; a fixed value is a `const`",
            ),
            ("input X, Y", "E112", "one input per line", ",", "begin a new line with `input`"),
            ("const a", "E112", "`=` is missing behind `a`", "", "write as in `const reg = 1e-3`"),
            ("const a := 2", "E113", "a declaration is written with `=`, not `:=`", ":=", "write `=`"),
            ("param W [2, 3]", "E112", "`:` is missing between `W` and its shape", "[", "write `W : [rows, columns]`"),
            (
                "param W : [2, 3] normal(0, 1)",
                "E112",
                "`~` or `=` is missing before `normal`",
                "normal",
                "write `~ normal...` for random numbers, `= ...` for a value",
            ),
            ("param W : [2, 3] := 0", "E113", "a declaration is written with `=`, not `:=`", ":=", "write `=`"),
            ("param 2", "E112", "a name must follow `param`", "2", "write as in `param W : [2, 3] ~ normal(0, 0.1)`"),
            ("state V", "E112", "`=` is missing behind `V`", "", "write as in `state V = 0, S = 0`"),
            ("state V = 0, = 1", "E112", "a name must follow `,`", "=", "write as in `state V = 0, S = 0`"),
            (
                "loss = x",
                "E110",
                "`loss` is a statement word and cannot name anything else",
                "loss",
                "a `loss` statement has no `=`: write `loss ...`",
            ),
            ("loss: x", "E112", "`loss` is followed by its expression alone", ":", "write as in `loss mse(P, Y)`"),
            ("loss", "E107", "an expression must follow `loss`", "", "write as in `loss mse(P, Y)`"),
            (
                "data = 3",
                "E110",
                "`data` is a statement word and cannot name anything else",
                "data",
                "choose another name, such as `data_1`",
            ),
            (
                "train",
                "E107",
                "an expression must follow `train`",
                "",
                "write as in `train adam(rate = 1e-3), batch = 32, epochs = 100`",
            ),
            (
                "train epochs = 3",
                "E112",
                "`train` begins with an optimizer",
                "epochs",
                "write as in `train adam(rate = 1e-3), batch = 32, epochs = 100`",
            ),
            (
                "train sgd, 3",
                "E114",
                "expected an option, found `3`",
                "3",
                "write as in `train adam(rate = 1e-3), batch = 32, epochs = 100`",
            ),
            (
                "train sgd, epochs 3",
                "E114",
                "`=` is missing behind the option `epochs`",
                "epochs",
                "write as in `train adam(rate = 1e-3), batch = 32, epochs = 100`",
            ),
            (
                "train sgd(0.1) epochs = 3",
                "E108",
                "a comma is missing before `epochs`",
                "epochs",
                "write as in `train adam(rate = 1e-3), batch = 32, epochs = 100`",
            ),
            ("train sgd, epochs = 3, epochs = 4", "E114", "`epochs` is given twice", "epochs", "keep one of the two"),
            (
                "train sgd, epochs = 3,",
                "E114",
                "expected an option, found the end of the text",
                "",
                "write as in `train adam(rate = 1e-3), batch = 32, epochs = 100`",
            ),
            ("claim a = b", "E113", "a claim compares with `==`, not `=`", "=", "write `==`"),
            ("claim a", "E112", "a claim needs `==` and a right side", "", "write as in `claim grad(loss, W) == X'*R`"),
            ("claim a == b == c", "E113", "a claim has one `==`", "==", "write two claims"),
            (
                "data X Y = f()",
                "E112",
                "`=` is missing behind `X`",
                "Y",
                "write as in `data X, Y = spiral(points = 100)`",
            ),
            ("data X,", "E112", "a name must follow `,`", "", "write as in `data X, Y = spiral(points = 100)`"),
            (
                "def f(x)",
                "E118",
                "`=` or `:` is missing behind the head of this def",
                "",
                "write `= expression`, or `:` and the body below it, indented",
            ),
            (
                "def f x = 2",
                "E118",
                "the arguments in brackets are missing",
                "x",
                "write as in `def f(x, y = 1) = x + y`",
            ),
            ("def f(x, x) = 2", "E118", "two arguments are called `x`", "x", "rename one of them"),
            (
                "def f(x = 1, y) = 2",
                "E118",
                "`y` has no default, but the argument before it has",
                "y",
                "arguments with defaults stand last",
            ),
            ("def f(x y) = 2", "E118", "a comma is missing before `y`", "y", "write as in `def f(x, y = 1) = x + y`"),
            ("def f(2) = 2", "E112", "a name must follow `(`", "2", "write as in `def f(x, y = 1) = x + y`"),
            (
                "def f(data) = 2",
                "E110",
                "`data` is a statement word and cannot name anything else",
                "data",
                "choose another name, such as `data_1`",
            ),
            (
                "def loss(x) = 2",
                "E110",
                "`loss` is a statement word and cannot name anything else",
                "loss",
                "choose another name, such as `loss_1`",
            ),
            (
                "def f(x): x",
                "E118",
                "the body of a block begins on the next line",
                "x",
                "write it below, indented; or write `= expression` on this line",
            ),
            ("def f(x):\ny = 2", "E116", "this block is empty", ":", "indent the lines of the body"),
            ("def f(x):", "E116", "this block is empty", ":", "indent the lines of the body"),
            (
                "def f(x):\n  y = 2",
                "E117",
                "this block has no value",
                "y = 2",
                "end the block with the expression that is its value, without `name =`",
            ),
            (
                "def f(x):\n  x\n  y",
                "E117",
                "only the last line of a block may be a value",
                "x",
                "give it a name: `name = ...`",
            ),
            (
                "def f(x):\n  param W = 1\n  W*x",
                "E117",
                "a function has no parameters and states",
                "param",
                "write `layer` instead of `def` for a part with parameters or states",
            ),
            (
                "def f(x):\n  x := 2\n  x",
                "E117",
                "a function has no updates",
                "x",
                "write `layer` instead of `def` for a part with states",
            ),
            (
                "def f(x):\n  y = x\n    z = y\n  z",
                "E116",
                "the lines of a block start in the same column",
                "z",
                "blocks do not nest; a line goes on after an operator, a comma or inside brackets",
            ),
            (
                "def f(x):\n    y = x\n  y",
                "E116",
                "the lines of a block start in the same column",
                "y",
                "blocks do not nest; a line goes on after an operator, a comma or inside brackets",
            ),
            (
                "def f(x):\n\ty = x\n    y",
                "E116",
                "tabs and blanks are mixed in the indentation of this block",
                "y",
                "use blanks only",
            ),
            (
                "def f(x):\n\ty = x\n y",
                "E116",
                "tabs and blanks are mixed in the indentation of this block",
                "y",
                "use blanks only",
            ),
            (
                "def f(x):\n  let y = x\n  y",
                "E111",
                "`let` starts no statement",
                "let",
                "leave out the word: `x = ...`",
            ),
            (
                "def f(x):\n  y = x\n  + y",
                "E111",
                "a line cannot begin with an operator",
                "+",
                "to go on with the line before, end that line with the operator, or use brackets",
            ),
            (
                "def f(x):\n  x = 1 = 2\n  x",
                "E113",
                "`=` inside an expression",
                "=",
                "`name = expression` gives a name and stands on its own line; `claim a == b` compares",
            ),
            ("def f(x):\n  x' = 1\n  x", "E113", "`x'` is not a name", "x'", "write `name = expression`"),
            (
                "layer f(x)\n  x",
                "E118",
                "`:` is missing behind the head of this layer",
                "",
                "end the head with `:`; the body stands below it, indented",
            ),
            (
                "layer f(x):\n  loss x\n  x",
                "E117",
                "a layer has no `loss`",
                "loss",
                "move it out of the block, to the start of a line",
            ),
            (
                "layer f(x):\n  def g(y) = y\n  x",
                "E117",
                "a layer has no `def`",
                "def",
                "move it out of the block, to the start of a line",
            ),
            (
                "layer f(x):\n  return x",
                "E111",
                "`return` starts no statement",
                "return",
                "the last line of a block is its value: leave out the word",
            ),
            (
                "optimizer f(rate) = 2",
                "E118",
                "an optimizer has no value",
                "=",
                "write `:` and below it, indented, updates such as `W := W - rate*G`",
            ),
            (
                "optimizer f(rate):\n  W - rate*G",
                "E117",
                "an optimizer has no value",
                "W - rate*G",
                "update the parameter: `W := W - ...`",
            ),
            (
                "optimizer f(rate):\n  param V = 1",
                "E117",
                "an optimizer has no parameters",
                "param",
                "declare `state V = 0`",
            ),
            (
                "schedule f(rate) rate",
                "E118",
                "`=` or `:` is missing behind the head of this schedule",
                "rate",
                "write `= expression`, or `:` and the body below it, indented",
            ),
        ],
        parse_program,
    );
}

#[test]
fn nesting_is_limited() {
    // What opens, what closes, and the levels of one repetition.
    let table = [
        ("(", ")", 1),
        ("-", "", 1),
        ("f(", ")", 1),
        ("f(y, k = ", ")", 1),
        ("", "'", 1),
        ("-(", ")", 2),
        ("(-", ")'", 2),
        ("f((", "))", 2),
    ];
    for (open, close, levels) in table {
        let nest = |n: usize| expression_code(&format!("{}x{}", open.repeat(n), close.repeat(n)));
        let most = 256 / levels;
        for n in [most - 1, most] {
            assert_eq!(nest(n), "good", "{open}x{close} {n}");
        }
        for n in [most + 1, 10_000, 200_000] {
            assert_eq!(nest(n), "E105", "{open}x{close} {n}");
        }
    }
    for open in ["(", "f(", "[", "f(x, k = ", "-", "1 + (", "2^(", "x'*("] {
        assert_eq!(expression_code(&open.repeat(100_000)), "E105", "{open}");
    }
    assert_eq!(expression_code(&format!("{}1", "2^".repeat(100_000))), "good", "flat powers");
}

#[test]
fn a_small_stack_is_enough() {
    let run = || {
        let texts = [
            format!("{}x{}", "(".repeat(1_000_000), ")".repeat(1_000_000)),
            "-".repeat(1_000_000),
            format!("x{}", "'".repeat(1_000_000)),
            format!("x{}", " + x".repeat(100_000)),
            format!("x{}", "^-x".repeat(100_000)),
            format!("f({}x)", "x, ".repeat(100_000)),
            format!("[{}1]", "1\n".repeat(100_000)),
            "(".repeat(256) + "x" + &")".repeat(256),
        ];
        texts.map(|text| expression_code(&text))
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap();
    let codes = thread.join().unwrap();
    assert_eq!(codes, ["E105", "E105", "E105", "good", "good", "good", "good", "good"]);
}

#[test]
fn size_is_limited() {
    // A sum of n terms has 2n - 1 expressions.
    let sum = |n: usize| format!("x{}", "+x".repeat(n - 1));
    assert_eq!(expression_code(&sum(MAX_NODES / 2)), "good");
    assert_eq!(expression_code(&sum(MAX_NODES / 2 + 1)), "E106");
    assert_eq!(expression_code(&",".repeat(2_000_001)), "E106");
    assert_eq!(expression_code(&" ".repeat((16 << 20) + 1)), "E106");
    let keywords = |n: usize| format!("f({})", (0..n).map(|i| format!("k{i}=1")).collect::<Vec<_>>().join(","));
    assert_eq!((expression_code(&keywords(256)), expression_code(&keywords(300))), ("good", "E106"));
}

#[test]
fn token_soup_ends_in_an_answer() {
    const SIGNS: [&str; 46] = [
        "x", "W1", "1", "2.", ".5", "1e-3", "\"s\"", "+", "-", "*", "/", "^", ".*", "./", ".^", "@", "⊙", "'", "=",
        ":=", "==", "~", ":", ",", ";", "(", ")", "[", "]", "\n", "\n  ", "\n\t", "\r\n", " ", "# c\n", "f(", "k = ",
        "x = ", "(x)", "[1, 2]", "é", "\"", "let", "1e400", "\u{202e}", ":\n  ",
    ];
    let stream = Stream::new(1, Purpose::Check, 0, 0);
    let mut good = 0;
    for round in 0..20_000 {
        let length = stream.below(round, 12);
        let picks = Stream::new(2, Purpose::Check, round, 0);
        // The strange signs at the end of the list would end most texts early.
        let common = if round % 2 == 0 { SIGNS.len() - 6 } else { SIGNS.len() };
        let all = common + STATEMENT_WORDS.len();
        let pick = |index| match picks.below(index, all as u32) as usize {
            sign if sign < common => SIGNS[sign],
            word => STATEMENT_WORDS[word - common],
        };
        let text: String =
            (0..length).map(|index| pick(index).to_owned() + if round % 3 == 0 { "" } else { " " }).collect();
        for result in [parse_program(&text), parse_expression(&text).map(|(ast, _)| ast)] {
            match result {
                Ok(ast) => {
                    good += 1;
                    check_tree(&ast, &text);
                }
                Err(error) => {
                    let place = text.get(error.span.start as usize..error.span.end as usize);
                    assert!(
                        place.is_some() && !error.message.is_empty() && !error.label.is_empty(),
                        "{text:?} {error:?}"
                    );
                }
            }
        }
    }
    assert!(good > 100, "{good}");
}

/// Places lie in the text, and arguments stand before what uses them.
fn check_tree(ast: &Ast, text: &str) {
    for (index, expr) in ast.exprs.iter().enumerate() {
        assert!(text.get(expr.span.start as usize..expr.span.end as usize).is_some(), "{text:?}");
        let arguments = match &expr.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) => Vec::new(),
            ExprKind::Matrix(rows) => rows.concat(),
            ExprKind::Neg(x) | ExprKind::Transpose(x) => vec![*x],
            ExprKind::Binary(_, _, a, b) => vec![*a, *b],
            ExprKind::Call(_, arguments) => arguments.iter().map(|argument| argument.value).collect(),
        };
        assert!(arguments.iter().all(|id| (id.0 as usize) < index), "{text:?}");
    }
}
