//! Programs and expressions: what is accepted, and the shape of the tree.

mod syntax_tree;

use chainrule::text::ast::{BinaryOp, Statement};
use chainrule::text::lexer::{Token, lex};
use chainrule::text::parser::{parse_expression, parse_program};
use syntax_tree::{expression, program};

/// The example of the language's own description.
const SPIRAL: &str = r#"# spiral.cr — two-layer classifier, three spiral arms
input  X : [N, 2]
target Y : [N, 3]                       # one-hot rows
const  reg = 1e-3

param  W1 : [2, 100] ~ normal(0, 0.01)
param  b1 : [1, 100] = 0
param  W2 : [100, 3] ~ normal(0, 0.01)
param  b2 : [1, 3]   = 0

H       = relu(X*W1 + b1)
scores  = H*W2 + b2
predict softmax(scores)
loss    cross_entropy(scores, Y) + reg/2*(sum(W1.^2) + sum(W2.^2))
train   sgd(rate = 1.0), batch = all, epochs = 10000

claim   grad(loss, W2) == H'*(softmax(scores) - Y)/N + reg*W2     # checked by `chainrule check`
"#;

const DEFINITIONS: &str = r#"
# The logistic function.
#   Second line.
def   sigmoid(z)          = 1 ./ (1 + exp(-z))
def   cross_entropy(S, Y) = sum(logsumexp(S) - rowsum(Y.*S)) / rows(S)

# A section.

layer dense(X, units):
    param W : [cols(X), units] ~ glorot_uniform
    param b : [1, units] = 0
    X*W + b
# Adam.
optimizer adam(rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8):
    state V = 0, S = 0
    V := beta1*V + (1 - beta1)*G
    # A comment, less deep or not
  # changes nothing.
    S := beta2*S + (1 - beta2)*G.^2

    W := W - rate * (V/(1 - beta1^t)) ./ (sqrt(S/(1 - beta2^t)) + epsilon)
schedule inverse_time(rate0, decay) = rate0 / (1 + decay*epoch)
"#;

#[test]
fn the_described_program_has_this_tree() {
    let expected = "\
input X [N 2]
target Y [N 3]
const reg 0.001
param W1 [2 100] ~ (normal 0 0.01)
param b1 [1 100] = 0
param W2 [100 3] ~ (normal 0 0.01)
param b2 [1 3] = 0
let H (relu (+ (* X W1) b1))
let scores (+ (* H W2) b2)
predict (softmax scores)
loss (+ (cross_entropy scores Y) (* (/ reg 2) (+ (sum (.^ W1 2)) (sum (.^ W2 2)))))
train (sgd rate=1) batch=all epochs=10000
claim (grad loss W2) == (+ (/ (* (' H) (- (softmax scores) Y)) N) (* reg W2))
";
    assert_eq!(program(SPIRAL), expected);
    assert_eq!(program(&SPIRAL.replace('\n', "\r\n")), expected, "line ends of Windows");
    assert_eq!(program(&format!("\u{feff}{SPIRAL}")), expected, "byte order mark");
    assert_eq!(program(SPIRAL.trim_end()), expected, "no line end at the end");
    let indented: String = SPIRAL.lines().map(|line| format!("    {line}\n")).collect();
    assert_eq!(program(&indented), expected, "indented as a whole");
}

#[test]
fn definitions_have_this_tree() {
    let expected = "\
def sigmoid(z) \"The logistic function.\\n  Second line.\"
  result (./ 1 (+ 1 (exp (neg z))))
def cross_entropy(S Y) \"\"
  result (/ (sum (- (logsumexp S) (rowsum (.* Y S)))) (rows S))
layer dense(X units) \"\"
  param W [(cols X) units] ~ glorot_uniform
  param b [1 units] = 0
  result (+ (* X W) b)
optimizer adam(rate=0.001 beta1=0.9 beta2=0.999 epsilon=0.00000001) \"Adam.\"
  state V = 0
  state S = 0
  update V (+ (* beta1 V) (* (- 1 beta1) G))
  update S (+ (* beta2 S) (* (- 1 beta2) (.^ G 2)))
  update W (- W (./ (* rate (/ V (- 1 (^ beta1 t)))) (+ (sqrt (/ S (- 1 (^ beta2 t)))) epsilon)))
schedule inverse_time(rate0 decay) \"\"
  result (/ rate0 (+ 1 (* decay epoch)))
";
    assert_eq!(program(DEFINITIONS), expected);
    assert_eq!(program(&DEFINITIONS.replace("    ", "\t").replace('\n', "\r\n")), expected, "tabs");
}

#[test]
fn statements() {
    let table = [
        ("", ""),
        ("\n\n# only a comment", ""),
        ("param W", "param W\n"),
        ("param W : [8,32] = npz(\"start.npz\", \"W1_init\")", "param W [8 32] = (npz \"start.npz\" \"W1_init\")\n"),
        ("param W ~ normal", "param W ~ normal\n"),
        ("param K : [2*k + 1,\n  k] = 0", "param K [(+ (* 2 k) 1) k] = 0\n"),
        ("param K : [\n 2,\n k\n]\nx = 1", "param K [2 k]\nlet x 1\n"),
        ("state m : [1, D] = 0, v : [1, D] = 1", "state m [1 D] = 0\nstate v [1 D] = 1\n"),
        ("input x\ntarget y", "input x\ntarget y\n"),
        ("m := 0.9*m + 0.1*x", "update m (+ (* 0.9 m) (* 0.1 x))\n"),
        ("data X, Y = spiral(points = 100)", "data X Y (spiral points=100)\n"),
        ("data T = csv(\"a b.csv\")", "data T (csv \"a b.csv\")\n"),
        ("train adam", "train adam\n"),
        ("train sgd(0.1),\n  batch = 32,\n  epochs = 5", "train (sgd 0.1) batch=32 epochs=5\n"),
        ("claim a ==\n  b", "claim a == b\n"),
        ("x = a +  # why\n\n   b", "let x (+ a b)\n"),
        ("x = f(a,\n b\n)\ny = 1", "let x (f a b)\nlet y 1\n"),
        ("M = [1, 2\n     3, 4\n]", "let M [1 2; 3 4]\n"),
        ("x = (loss)\ny = step(rate)", "let x loss\nlet y (step rate)\n"),
        ("def f() = 1", "def f() \"\"\n  result 1\n"),
        ("def f(x):\n  y = 2*x\n  y + 1\nz = 1", "def f(x) \"\"\n  let y (* 2 x)\n  result (+ y 1)\nlet z 1\n"),
        ("layer half(X) = X/2", "layer half(X) \"\"\n  result (/ X 2)\n"),
        (
            "layer n(X):\n  state m = 0\n  m := mean(X)\n  X - m",
            "layer n(X) \"\"\n  state m = 0\n  update m (mean X)\n  result (- X m)\n",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(program(text), expected, "{text}");
    }
}

#[test]
fn tokens_and_their_places() {
    let text = "x' ⊙ 2.*\"é\" # c\r\n\r\n[1\n2]\n";
    let tokens = lex(text).unwrap();
    let shown: Vec<(Token, &str)> =
        tokens.iter().map(|(token, span)| (*token, &text[span.start as usize..span.end as usize])).collect();
    let expected = [
        (Token::Name, "x"),
        (Token::Transpose, "'"),
        (Token::Operator(BinaryOp::Mul), "⊙"),
        (Token::Number(2.0), "2"),
        (Token::Operator(BinaryOp::Mul), ".*"),
        (Token::Text, "\"é\""),
        (Token::Newline, "\n"),
        (Token::OpenBracket, "["),
        (Token::Number(1.0), "1"),
        (Token::Newline, "\n"),
        (Token::Number(2.0), "2"),
        (Token::CloseBracket, "]"),
        (Token::Newline, "\n"),
        (Token::End, ""),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn expressions() {
    let table = [
        ("a + b - c", "(- (+ a b) c)"),
        ("a - b*c", "(- a (* b c))"),
        ("a/b/c", "(/ (/ a b) c)"),
        ("a*b ./ c .* d / e", "(/ (.* (./ (* a b) c) d) e)"),
        ("A @ B ⊙ C", "(.* (* A B) C)"),
        ("-x^2", "(neg (^ x 2))"),
        ("-a*b", "(* (neg a) b)"),
        ("a*-b", "(* a (neg b))"),
        ("a*-b^2*c", "(* (* a (neg (^ b 2))) c)"),
        ("a - -b", "(- a (neg b))"),
        ("--x", "(neg (neg x))"),
        ("x^-2", "(^ x (neg 2))"),
        ("x^-2*y", "(* (^ x (neg 2)) y)"),
        ("x.^--2", "(.^ x (neg (neg 2)))"),
        ("2^3^4", "(^ (^ 2 3) 4)"),
        ("2^-3^4", "(^ (^ 2 (neg 3)) 4)"),
        ("2^(3^4)", "(^ 2 (^ 3 4))"),
        ("x'^2", "(^ (' x) 2)"),
        ("x^y'", "(^ x (' y))"),
        ("-x'", "(neg (' x))"),
        ("(a*b)'*c''", "(* (' (* a b)) (' (' c)))"),
        ("f(x)'", "(' (f x))"),
        ("[1, 2; 3, 4]'", "(' [1 2; 3 4])"),
        ("[1, -2\n 3, f(a,\n b)\n]", "[1 (neg 2); 3 (f a b)]"),
        ("[1;\n\n2;]", "[1; 2]"),
        ("[a - b, (c -d)]", "[(- a b) (- c d)]"),
        ("2.*x + 2./x + 2.^x", "(+ (+ (.* 2 x) (./ 2 x)) (.^ 2 x))"),
        ("2.+x*5. - .5*1e-3", "(- (+ 2 (* x 5)) (* 0.5 0.001))"),
        ("2.0.*x", "(.* 2 x)"),
        ("5.'", "(' 5)"),
        ("1E+2", "100"),
        ("f()", "(f)"),
        ("f(a, b, key = c*d, other = g(x = 1))", "(f a b key=(* c d) other=(g x=1))"),
        ("a\n  + b\n", "(+ a b)"),
        ("a # comment é\n * b", "(* a b)"),
        ("((x))", "x"),
    ];
    for (text, expected) in table {
        assert_eq!(expression(text), expected, "{text}");
    }
}

#[test]
fn places_of_expressions() {
    let text = "a*(b + c)' - f(x, y)";
    let (ast, root) = parse_expression(text).unwrap();
    let slice = |span: chainrule::text::diagnostic::Span| &text[span.start as usize..span.end as usize];
    let spans: Vec<&str> = ast.exprs.iter().map(|expr| slice(expr.span)).collect();
    assert_eq!(spans, ["a", "b", "c", "(b + c)", "(b + c)'", "a*(b + c)'", "x", "y", "f(x, y)", text]);
    assert_eq!(slice(ast.expr(root).span), text);
}

#[test]
fn places_of_statements() {
    let text = "state a = 1, b = 2 # c\ndef f(x):\n  y = x\n  y\n\nloss f(a)";
    let ast = parse_program(text).unwrap();
    let slice = |span: chainrule::text::diagnostic::Span| &text[span.start as usize..span.end as usize];
    let spans: Vec<&str> = ast.items.iter().map(|item| slice(item.span)).collect();
    assert_eq!(spans, ["state a = 1", "b = 2", "def f(x):\n  y = x\n  y", "loss f(a)"]);
    let Statement::Define(definition) = &ast.items[2].statement else { panic!("not a definition") };
    let spans: Vec<&str> = definition.body.iter().map(|item| slice(item.span)).collect();
    assert_eq!(spans, ["y = x", "y"]);
}

#[test]
fn all_cases_with_known_derivatives_parse() {
    let name = "shared/cases/derivatives.json";
    // The material of the project lies in the repository or beside it.
    let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let Some(text) = above.filter_map(|folder| std::fs::read_to_string(folder.join(name)).ok()).next() else {
        return skip(name);
    };
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() >= 139);
    for case in &cases {
        for field in ["expr", "expected", "wrt"] {
            let text = case[field].as_str().unwrap();
            if let Err(error) = parse_expression(text) {
                panic!("{}: {text}: {}", case["id"], error.message);
            }
        }
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn skip(path: &str) {
    eprintln!("SKIPPED: no file {path}");
}
