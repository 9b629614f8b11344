//! Programs that are good text and wrong mathematics: code, message, the source under the span, the notes and the help of
//! each error. Errors inside the language's own library are reported where the user calls it.

use chainrule::model::Program;

/// The declarations that the rows start from.
const START: &str = "input X : [N, 4]\ntarget Y : [N, 3]\nparam W : [4, 3]\nparam b : [1, 3]\nparam s : [1, 1]\n";

/// A row: what follows [`START`], code, message, source under the span, and `notes | help`.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Names.
    ("loss sum(Z)", "E201", "unknown name `Z`", "Z", ""),
    ("H = X*W\nloss sum(G)", "E201", "unknown name `G`", "G", ""),
    ("loss sum(relu)", "E201", "unknown name `relu`", "relu", "`relu` is a function: write `relu(...)`"),
    ("loss sum(w)", "E201", "unknown name `w`", "w", "did you mean `W`?"),
    ("loss rleu(s)", "E202", "unknown function `rleu`", "rleu", "did you mean `relu`?"),
    ("loss frobnicate(s)", "E202", "unknown function `frobnicate`", "frobnicate", ""),
    ("loss W(s)", "E202", "unknown function `W`", "W", "`W` is a variable: write `W*(...)` for a product"),
    ("loss sum(H)\nH = X*W", "E201", "unknown name `H`", "H", "`H` gets its value further down: move that line above this one"),
    // Arguments.
    ("loss sum(X, Y)", "E203", "`sum` takes 1 argument, got 2", "sum(X, Y)", ""),
    ("loss sum()", "E203", "`sum` takes 1 argument, got 0", "sum()", ""),
    ("loss max(X, Y, Y)", "E203", "`max` takes 1 to 2 arguments, got 3", "max(X, Y, Y)", ""),
    ("loss sum(relu(X, 1))", "E203", "`relu` takes 1 argument, got 2", "relu(X, 1)", ""),
    ("loss sum(z = X)", "E203", "`sum` takes no argument called `z`", "z", "write its arguments in order, without keywords"),
    ("loss mse(X*W)", "E203", "`mse` needs the argument `Y`", "mse", "it takes: P, Y, weights"),
    ("loss mse(X*W, Y, 1, Y)", "E203", "`mse` takes 3 arguments, got 4", "mse", "it takes: P, Y, weights"),
    ("loss huber(X*W, Y, detla = 2)", "E203", "`huber` takes no argument called `detla`", "detla", "did you mean `delta`?"),
    ("loss huber(X*W, Y, slope = 2)", "E203", "`huber` takes no argument called `slope`", "slope", "it takes: P, Y, delta, weights"),
    ("loss mse(X*W, P = Y)", "E203", "`mse` needs the argument `Y`", "mse", "it takes: P, Y, weights"),
    ("H = dense(X)\nloss sum(H)", "E203", "`dense` needs the argument `units`", "dense", "it takes: X, units"),
    ("H = dense(X, W)\nloss sum(H)", "E208", "a dimension must be a whole number or the name of one", "dense(X, W)", "write a number such as `100`, a name such as `H`, or `cols(X)`"),
    ("H = dense(X, 2.5)\nloss sum(H)", "E208", "a dimension must be a whole number from 1 to 4294967295, got 2.5", "dense(X, 2.5)", ""),
    // Shapes.
    ("loss sum(X*Y)", "E214", "this makes `N`, the number of rows of `X`, equal to 4", "*", "X: this is [N, 4]; Y: this is [N, 3] | is a transpose missing? If `X` always has 4 rows, declare it so"),
    ("loss sum(W*X)", "E214", "this makes `N`, the number of rows of `X`, equal to 3", "*", "W: this is [4, 3]; X: this is [N, 4] | is a transpose missing? If `X` always has 3 rows, declare it so"),
    ("loss sum(X*X)", "E214", "this makes `N`, the number of rows of `X`, equal to 4", "*", "X: this is [N, 4]; X: this is [N, 4] | is a transpose missing? If `X` always has 4 rows, declare it so"),
    ("loss sum((X*W)*(X*W))", "E214", "this makes `N`, the number of rows of `X`, equal to 3", "*", "(X*W): this is [N, 3]; (X*W): this is [N, 3] | is a transpose missing? If `X` always has 3 rows, declare it so"),
    ("loss sum(X .* Y)", "E204", "the shapes of `.*` do not fit: [N, 4] and [N, 3]", ".*", "X: this is [N, 4]; Y: this is [N, 3]"),
    ("loss sum(X*W + X)", "E204", "the shapes of `+` do not fit: [N, 3] and [N, 4]", "+", "X*W: this is [N, 3]; X: this is [N, 4]"),
    ("loss sum(X*W - b')", "E214", "this makes `N`, the number of rows of `X`, equal to 3", "-", "X*W: this is [N, 3]; b': this is [3, 1] | is a transpose missing? If `X` always has 3 rows, declare it so"),
    ("loss sum(W .* b')", "E204", "the shapes of `.*` do not fit: [4, 3] and [3, 1]", ".*", "W: this is [4, 3]; b': this is [3, 1] | transpose the right side with `'`?"),
    ("loss sum(max(X, Y))", "E204", "the shapes of `max` do not fit: [N, 4] and [N, 3]", "max(X, Y)", "X: this is [N, 4]; Y: this is [N, 3]"),
    ("loss sum(W .^ X)", "E204", "the shapes of `.^` do not fit: [4, 3] and [4, 4]", ".^", "W: this is [4, 3]; X: this is [4, 4]"),
    ("loss sum(X)/W", "E205", "the right side of `/` must be a scalar, got [4, 3]", "/", "use `./` to divide element by element"),
    ("loss sum(X/Y)", "E205", "the right side of `/` must be a scalar, got [N, 3]", "/", "use `./` to divide element by element"),
    ("loss sum(W^2)", "E205", "`^` takes a power of scalars, got [4, 3]", "^", "use `.^` for a power of every element"),
    ("loss s^W", "E205", "the exponent of `^` must be a scalar, got [4, 3]", "^", "use `.^` for a power of every element"),
    ("loss X*W", "E205", "the loss must be a scalar, got [N, 3]", "X*W", "sum it: `sum(...)`, or take a mean"),
    ("loss sum(inv(W))", "E204", "`inv` needs a square matrix, got [4, 3]", "inv(W)", ""),
    ("loss det(X*W)", "E214", "this makes `N`, the number of rows of `X`, equal to 3", "det(X*W)", "is a transpose missing? If `X` always has 3 rows, declare it so"),
    ("loss sum(diag(W))", "E204", "`diag` needs a square matrix, got [4, 3]", "diag(W)", ""),
    ("loss tr(W)", "E204", "`diag` needs a square matrix, got [4, 3]", "tr(W)", ""),
    ("loss mse(X, Y)", "E204", "the shapes of `-` do not fit: [N, 4] and [N, 3]", "mse(X, Y)", "X: this is [N, 4]; Y: this is [N, 3]"),
    ("loss cross_entropy(X, Y)", "E204", "the shapes of `.*` do not fit: [N, 3] and [N, 4]", "cross_entropy(X, Y)", "Y: this is [N, 3]; X: this is [N, 4]"),
    ("claim X*W == X\nloss s", "E204", "the shapes of `==` do not fit: [N, 3] and [N, 4]", "claim X*W == X", "X*W: this is [N, 3]; X: this is [N, 4]"),
    ("loss sum(grad(X, W))", "E205", "the gradient needs a scalar, got [N, 4]", "grad(X, W)", ""),
    ("loss sum(grad(sum(W), X*W))", "E207", "the gradient is taken with respect to a variable", "grad(sum(W), X*W)", "name a `param`, an `input` or a `target`"),
    // Dimensions.
    ("input U : [M, 3]\nloss sum(U*W)", "E204", "the matrix product does not fit: the inner dimensions of [M, 3] and [4, 3] differ", "*", "U: this is [M, 3]; W: this is [4, 3] | transpose the right side with `'`?"),
    ("input A : [M, M]\nparam C : [3, 4]\nloss sum(A*C) + sum(C*A)", "E214", "this makes `M`, the number of rows of `A`, equal to 3", "*", "A: this is [M, M]; C: this is [3, 4] | is a transpose missing? If `A` always has 3 rows, declare it so"),
    ("input A : [M, 3]\ninput B : [M, 4]\nloss sum(A*W') + sum(A - B*W) + sum(A + B)", "E204", "the shapes of `+` do not fit: [M, 3] and [M, 4]", "+", "A: this is [M, 3]; B: this is [M, 4]"),
    ("param C : [K, 2]\nparam D : [2, K]\nloss sum(W*C) + sum(C*D*W)", "E204", "the matrix product does not fit: the inner dimensions of [3, 3] and [4, 3] differ", "*", "C*D: this is [3, 3]; W: this is [4, 3]; *: `K` became 3 here | transpose the right side with `'`?"),
    ("param C : [0, 2]\nloss s", "E208", "a dimension must be a whole number from 1 to 4294967295, got 0", "0", ""),
    ("param C : [2.5, 2]\nloss s", "E208", "a dimension must be a whole number from 1 to 4294967295, got 2.5", "2.5", ""),
    ("param C : [1e12, 2]\nloss s", "E208", "a dimension must be a whole number from 1 to 4294967295, got 1000000000000", "1e12", ""),
    ("param C : [s, 2]\nloss s", "E208", "a dimension must be a whole number or the name of one", "s", "write a number such as `100`, a name such as `H`, or `cols(X)`"),
    ("param C : [100000, 100000]\nloss sum(kron(C, C))", "E208", "a dimension of the result is larger than 4294967295", "kron(C, C)", ""),
    ("param C : [100000, 100000]\nloss sum(vec(C))", "E208", "a dimension of the result is larger than 4294967295", "vec(C)", ""),
    ("param C : [1,1,1,1,1,1,1]\nloss s", "E208", "a tensor has at most 6 dimensions, got 7", "param C : [1,1,1,1,1,1,1]", ""),
    ("loss sum(eye(W))", "E208", "a dimension must be a whole number or the name of one", "eye(W)", "write a number such as `100`, a name such as `H`, or `cols(X)`"),
    ("loss sum(ones(s, 2))", "E208", "a dimension must be a whole number or the name of one", "ones(s, 2)", "write a number such as `100`, a name such as `H`, or `cols(X)`"),
    // Statements.
    ("param W : [2, 2]\nloss s", "E213", "`W` is declared twice", "W", "W: first here | every name stands for one thing; `:=` updates a `state`"),
    ("H = X*W\nH = X\nloss s", "E213", "`H` is declared twice", "H", "H: first here | every name stands for one thing; `:=` updates a `state`"),
    ("def f(x) = x\ndef f(x) = 2*x\nloss f(s)", "E213", "`f` is defined twice", "f", "f: first here"),
    ("loss s\nloss 2*s", "E213", "there is more than one `loss`", "loss 2*s", ""),
    ("predict X\npredict X*W\nloss s", "E213", "there is more than one `predict`", "predict X*W", ""),
    ("train sgd(rate = 1)\ntrain adam()\nloss s", "E213", "there is more than one `train`", "train adam()", ""),
    ("W := 2*W\nloss s", "E211", "`W` is not a state", "W", "declare it with `state`, or write `=` for an ordinary name"),
    ("Q := 2*W\nloss s", "E211", "`Q` is not a state", "Q", "declare it with `state`, or write `=` for an ordinary name"),
    ("state V : [1, 3] = 0\nV := X\nloss s", "E204", "`V` is [1, 3], its new value is [N, 4]", "V", "give both one shape, for example with `colsum` or `colmean`"),
    ("const k = s\nloss s", "E210", "a `const` must be a number", "s", ""),
    ("param C : [2, 2] ~ gaussian(0, 1)\nloss s", "E210", "unknown initialiser `gaussian`", "gaussian(0, 1)", "there are: zeros, constant, counting, normal, truncated_normal, uniform, glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, orthogonal, nguyen_widrow, nguyen_widrow_bias"),
    ("param C : [2, 2] ~ norml(0, 1)\nloss s", "E210", "unknown initialiser `norml`", "norml(0, 1)", "did you mean `normal`?"),
    ("param C : [2, 2] ~ normal(0, 1, 2)\nloss s", "E203", "`normal` takes (mean, std)", "2", ""),
    ("param C : [2, 2] ~ normal(0, W)\nloss s", "E210", "an initialiser takes numbers", "W", ""),
    ("param C : [2, 2] = W\nloss s", "E210", "a starting value must be a number, a matrix or a file", "W", "draw it with `~ normal(0, 0.01)`, or read it with npz(\"file.npz\", \"name\")"),
    ("def f(x) = f(x)\nloss f(s)", "E209", "`f` calls itself, or definitions are nested deeper than 64", "f(x)", "write the formula without the call of itself"),
    ("def f(x) = g(x)\ndef g(x) = f(x)\nloss f(s)", "E209", "`f` calls itself, or definitions are nested deeper than 64", "f(x)", "write the formula without the call of itself"),
    ("def f(x) = x*X\nloss f(s)", "E201", "unknown name `X`", "X", "a definition knows only its arguments: pass `X` as one"),
    ("def f(A, B) = sum(A*B)\nloss f(X, Y)", "E214", "this makes `N`, the number of rows of `X`, equal to 4", "*", "X: this is [N, 4]; Y: this is [N, 3] | is a transpose missing? If `X` always has 4 rows, declare it so"),
    ("loss sum(\"text\")", "E206", "a string cannot be part of an expression", "\"text\"", "strings name files in `data` and `param`"),
    ("loss sum([1, 2; 3, 4])", "E206", "a matrix of numbers cannot be part of an expression", "[1, 2; 3, 4]", "declare it as data: `data X = [1, 2; 3, 4]`"),
    ("state V : [1, 3] = 0\nV := X*W\nloss s", "E204", "`V` is [1, 3], its new value is [N, 3]", "V", "give both one shape, for example with `colsum` or `colmean`"),
    ("claim X*W == b'\nloss s", "E204", "the shapes of `==` do not fit: [N, 3] and [3, 1]", "claim X*W == b'", ""),
    ("param C : [K, 2]\nparam D : [2, K]\nparam E : [K, 4]\nloss sum(W*C) + sum(C*D*E*X)", "E214", "this makes `N`, the number of rows of `X`, equal to 4", "*", "C*D*E: this is [3, 4]; X: this is [N, 4] | is a transpose missing? If `X` always has 4 rows, declare it so"),
    ("param C : [2, 2] ~ 3\nloss s", "E210", "`~` needs the name of an initialiser", "3", "write `~ normal(0, 0.01)`, or `= 0` for a fixed start"),
];

fn place(source: &str, span: chainrule::text::diagnostic::Span) -> &str {
    &source[span.start as usize..span.end as usize]
}

#[test]
fn wrong_programs() {
    let mut wrong = String::new();
    for &(text, code, message, under, rest) in ROWS {
        let source = format!("{START}{text}\n");
        let error = match Program::parse(&source) {
            Ok(_) => {
                wrong += &format!("    ({text:?}, \"accepted\"),\n");
                continue;
            }
            Err(error) => error,
        };
        assert!(!error.label.is_empty(), "no label: {text}");
        let notes: Vec<String> =
            error.notes.iter().map(|(at, note)| format!("{}: {note}", place(&source, *at))).collect();
        let found_rest = [notes.join("; "), error.help.clone().unwrap_or_default()].join(" | ");
        let found_rest = found_rest.trim_matches([' ', '|']);
        let found = (error.code, error.message.as_str(), place(&source, error.span), found_rest);
        if found != (code, message, under, rest) {
            wrong += &format!("    ({text:?}, {:?}, {:?}, {:?}, {:?}),\n", found.0, found.1, found.2, found.3);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
