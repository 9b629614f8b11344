//! Whole derivations as they are shown: the networks of the notes, with every step, and classics of matrix calculus.
//! The expected text stands here in full; a change of it is a change of what people read.

use chainrule::calculus::check::check_gradient;
use chainrule::calculus::derive;
use chainrule::calculus::sample::Domain;
use chainrule::lang::{Id, Shape};
use chainrule::model::Program;
use chainrule::model::cases::{Declaration, gradient, steps_text};
use chainrule::text::print::{Style, print};

/// The gradients of a program's loss, one line each, and the steps that lead to them.
fn shown(text: &str) -> (String, String) {
    let mut program = Program::parse(text).unwrap_or_else(|error| panic!("{error:?}"));
    let loss = program.loss.expect("it has a loss");
    let wrt: Vec<Id> = program.parameters.iter().map(|parameter| parameter.id).collect();
    let derivation = derive(&mut program.graph, loss, &wrt);
    let mut gradients = String::new();
    for (&variable, &gradient) in wrt.iter().zip(&derivation.gradients) {
        let written = print(&program.graph, gradient, Style::Text).expect("it is a matrix");
        gradients += &format!("{}: {written}\n", program.name_of(variable));
        check_gradient(&mut program.graph, loss, variable, gradient, None).expect("it passes its check");
    }
    let mut steps = String::new();
    for (line, rule) in steps_text(&program.graph, &derivation, Style::Text) {
        steps += &format!("{line}   # {rule}\n");
    }
    (gradients, steps)
}

fn check(text: &str, gradients: &str, steps: &str) {
    let (found_gradients, found_steps) = shown(text);
    assert_eq!(found_gradients.trim(), gradients.trim());
    assert_eq!(found_steps.trim(), steps.trim());
}

#[test]
fn logistic_regression() {
    check(
        "
input  X : [N, D]
target y : [N, 1]
param  w : [D, 1] = 0
param  b : [1, 1] = 0
z = X*w + b
predict sigmoid(z)
loss binary_cross_entropy(z, y)
",
        "
w: X'*(sigmoid(z) - y)/N
b: sum(sigmoid(z) - y)/N
",
        "
d(sum(softplus(z) - y.*z)/N) = d(sum(softplus(z) - y.*z))/N   # product rule
d(sum(softplus(z) - y.*z)) = sum(d(softplus(z) - y.*z))   # differential of a sum over elements
d(softplus(z) - y.*z) = d(softplus(z)) + d(-y.*z)   # differential of a sum
d(-y.*z) = -y.*dz   # product rule
d(softplus(z)) = sigmoid(z).*dz   # differential of softplus
dz = d(X*w) + db   # differential of a sum
d(X*w) = X*dw   # differential of a matrix product
sum((sigmoid(z) - y).*(X*dw))/N = sum(X'*(sigmoid(z) - y).*dw)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
",
    );
}

#[test]
fn softmax_regression() {
    check(
        "
input  X : [N, D]
target Y : [N, K]
param  scores : [N, K]
loss cross_entropy(scores, Y)
",
        "
scores: (softmax(scores) - Y)/N
",
        "
d(sum(logsumexp(scores) - rowsum(Y.*scores))/N) = d(sum(logsumexp(scores) - rowsum(Y.*scores)))/N   # product rule
d(sum(logsumexp(scores) - rowsum(Y.*scores))) = sum(d(logsumexp(scores) - rowsum(Y.*scores)))   # differential of a sum over elements
d(logsumexp(scores) - rowsum(Y.*scores)) = d(logsumexp(scores)) + d(-rowsum(Y.*scores))   # differential of a sum
d(-rowsum(Y.*scores)) = -d(rowsum(Y.*scores))   # product rule
d(rowsum(Y.*scores)) = rowsum(d(Y.*scores))   # differential of a sum over elements
d(Y.*scores) = Y.*dscores   # product rule
d(logsumexp(scores)) = rowsum(softmax(scores).*dscores)   # differential of logsumexp
",
    );
}

#[test]
fn single_hidden_layer() {
    check(
        "
input  X : [N, D]
target y : [N, 1]
param  W1 : [D, H]
param  b1 : [1, H] = 0
param  W2 : [H, 1]
param  b2 : [1, 1] = 0
A = tanh(X*W1 + b1)
z = A*W2 + b2
predict sigmoid(z)
loss binary_cross_entropy(z, y)
",
        "
W1: X'*((1 - A.^2).*((sigmoid(z) - y)*W2'))/N
b1: colsum((1 - A.^2).*((sigmoid(z) - y)*W2'))/N
W2: A'*(sigmoid(z) - y)/N
b2: sum(sigmoid(z) - y)/N
",
        "
d(sum(softplus(z) - y.*z)/N) = d(sum(softplus(z) - y.*z))/N   # product rule
d(sum(softplus(z) - y.*z)) = sum(d(softplus(z) - y.*z))   # differential of a sum over elements
d(softplus(z) - y.*z) = d(softplus(z)) + d(-y.*z)   # differential of a sum
d(-y.*z) = -y.*dz   # product rule
d(softplus(z)) = sigmoid(z).*dz   # differential of softplus
dz = d(A*W2) + db2   # differential of a sum
d(A*W2) = dA*W2 + A*dW2   # differential of a matrix product
dA = (1 - A.^2).*d(X*W1 + b1)   # differential of tanh
d(X*W1 + b1) = d(X*W1) + db1   # differential of a sum
d(X*W1) = X*dW1   # differential of a matrix product
sum((sigmoid(z) - y).*(A*dW2))/N = sum(A'*(sigmoid(z) - y).*dW2)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum((sigmoid(z) - y).*((1 - A.^2).*(X*dW1 + db1)*W2))/N = sum((sigmoid(z) - y)*W2'.*(1 - A.^2).*(X*dW1 + db1))/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum((1 - A.^2).*((sigmoid(z) - y)*W2').*db1)/N = sum(colsum((1 - A.^2).*((sigmoid(z) - y)*W2')).*db1)/N   # adjoint of a broadcast: <g, ones*dx> = <sum(g), dx>
sum((1 - A.^2).*((sigmoid(z) - y)*W2').*(X*dW1))/N = sum(X'*((1 - A.^2).*((sigmoid(z) - y)*W2')).*dW1)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
",
    );
}

#[test]
fn highams_net() {
    check(
        "
input  X : [N, 2]
target Y : [N, 2]
param  W2 : [2, 2]
param  b2 : [1, 2]
param  W3 : [2, 3]
param  b3 : [1, 3]
param  W4 : [3, 2]
param  b4 : [1, 2]
A2 = sigmoid(X*W2 + b2)
A3 = sigmoid(A2*W3 + b3)
A4 = sigmoid(A3*W4 + b4)
predict A4
loss quadratic_cost(A4, Y)
",
        "
W2: X'*(A2.*(1 - A2).*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')*W3'))/N
b2: colsum(A2.*(1 - A2).*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')*W3'))/N
W3: A2'*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4'))/N
b3: colsum(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4'))/N
W4: A3'*((A4 - Y).*A4.*(1 - A4))/N
b4: colsum((A4 - Y).*A4.*(1 - A4))/N
",
        "
d(0.5*sum((A4 - Y).^2)/N) = 0.5*d(sum((A4 - Y).^2))/N   # product rule
d(sum((A4 - Y).^2)) = sum(d((A4 - Y).^2))   # differential of a sum over elements
d((A4 - Y).^2) = 2*(A4 - Y).*d(A4 - Y)   # power rule
d(A4 - Y) = dA4   # differential of a sum
dA4 = A4.*(1 - A4).*d(A3*W4 + b4)   # differential of sigmoid
d(A3*W4 + b4) = d(A3*W4) + db4   # differential of a sum
d(A3*W4) = dA3*W4 + A3*dW4   # differential of a matrix product
dA3 = A3.*(1 - A3).*d(A2*W3 + b3)   # differential of sigmoid
d(A2*W3 + b3) = d(A2*W3) + db3   # differential of a sum
d(A2*W3) = dA2*W3 + A2*dW3   # differential of a matrix product
dA2 = A2.*(1 - A2).*d(X*W2 + b2)   # differential of sigmoid
d(X*W2 + b2) = d(X*W2) + db2   # differential of a sum
d(X*W2) = X*dW2   # differential of a matrix product
sum((A4 - Y).*A4.*(1 - A4).*db4)/N = sum(colsum((A4 - Y).*A4.*(1 - A4)).*db4)/N   # adjoint of a broadcast: <g, ones*dx> = <sum(g), dx>
sum((A4 - Y).*A4.*(1 - A4).*(A3*dW4))/N = sum(A3'*((A4 - Y).*A4.*(1 - A4)).*dW4)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum((A4 - Y).*A4.*(1 - A4).*(A3.*(1 - A3).*(A2.*(1 - A2).*(X*dW2 + db2)*W3 + A2*dW3 + db3)*W4))/N = sum((A4 - Y).*A4.*(1 - A4)*W4'.*A3.*(1 - A3).*(A2.*(1 - A2).*(X*dW2 + db2)*W3 + A2*dW3 + db3))/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4').*db3)/N = sum(colsum(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')).*db3)/N   # adjoint of a broadcast: <g, ones*dx> = <sum(g), dx>
sum(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4').*(A2*dW3))/N = sum(A2'*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')).*dW3)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4').*(A2.*(1 - A2).*(X*dW2 + db2)*W3))/N = sum(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')*W3'.*A2.*(1 - A2).*(X*dW2 + db2))/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum(A2.*(1 - A2).*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')*W3').*db2)/N = sum(colsum(A2.*(1 - A2).*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')*W3')).*db2)/N   # adjoint of a broadcast: <g, ones*dx> = <sum(g), dx>
sum(A2.*(1 - A2).*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')*W3').*(X*dW2))/N = sum(X'*(A2.*(1 - A2).*(A3.*(1 - A3).*((A4 - Y).*A4.*(1 - A4)*W4')*W3')).*dW2)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
",
    );
}

#[test]
fn two_layer_relu() {
    check(
        "
input  X : [N, D]
target Y : [N, K]
param  W1 : [D, H]
param  W2 : [H, K]
R = relu(X*W1)*W2 - Y
loss sum(R.^2)
",
        "
W1: 2*X'*(step(X*W1).*(R*W2'))
W2: 2*relu(X*W1)'*R
",
        "
d(sum(R.^2)) = sum(d(R.^2))   # differential of a sum over elements
d(R.^2) = 2*R.*dR   # power rule
dR = d(relu(X*W1)*W2)   # differential of a sum
d(relu(X*W1)*W2) = d(relu(X*W1))*W2 + relu(X*W1)*dW2   # differential of a matrix product
d(relu(X*W1)) = step(X*W1).*d(X*W1)   # differential of relu
d(X*W1) = X*dW1   # differential of a matrix product
2*sum(R.*(relu(X*W1)*dW2)) = 2*sum(relu(X*W1)'*R.*dW2)   # cyclic rule: <g, a*dx> = <a'*g, dx>
2*sum(R.*(step(X*W1).*(X*dW1)*W2)) = 2*sum(R*W2'.*step(X*W1).*(X*dW1))   # cyclic rule: <g, a*dx> = <a'*g, dx>
2*sum(R*W2'.*step(X*W1).*(X*dW1)) = 2*sum(X'*(step(X*W1).*(R*W2')).*dW1)   # cyclic rule: <g, a*dx> = <a'*g, dx>
",
    );
}

#[test]
fn spiral() {
    check(
        "
input  X : [N, 2]
target Y : [N, 3]
const  reg = 1e-3
param  W1 : [2, 100] ~ normal(0, 0.01)
param  b1 : [1, 100] = 0
param  W2 : [100, 3] ~ normal(0, 0.01)
param  b2 : [1, 3]   = 0
H       = relu(X*W1 + b1)
scores  = H*W2 + b2
predict softmax(scores)
loss    cross_entropy(scores, Y) + reg/2*(sum(W1.^2) + sum(W2.^2))
claim   grad(loss, W2) == H'*(softmax(scores) - Y)/N + reg*W2
",
        "
W1: X'*(step(X*W1 + b1).*((softmax(scores) - Y)*W2'))/N + reg*W1
b1: colsum(step(X*W1 + b1).*((softmax(scores) - Y)*W2'))/N
W2: H'*(softmax(scores) - Y)/N + reg*W2
b2: colsum(softmax(scores) - Y)/N
",
        "
d(sum(logsumexp(scores) - rowsum(Y.*scores))/N + 0.5*reg*(sum(W1.^2) + sum(W2.^2))) = d(sum(logsumexp(scores) - rowsum(Y.*scores))/N) + d(0.5*reg*(sum(W1.^2) + sum(W2.^2)))   # differential of a sum
d(0.5*reg*(sum(W1.^2) + sum(W2.^2))) = 0.5*reg*d(sum(W1.^2) + sum(W2.^2))   # product rule
d(sum(W1.^2) + sum(W2.^2)) = d(sum(W1.^2)) + d(sum(W2.^2))   # differential of a sum
d(sum(W2.^2)) = sum(d(W2.^2))   # differential of a sum over elements
d(W2.^2) = 2*W2.*dW2   # power rule
d(sum(W1.^2)) = sum(d(W1.^2))   # differential of a sum over elements
d(W1.^2) = 2*W1.*dW1   # power rule
d(sum(logsumexp(scores) - rowsum(Y.*scores))/N) = d(sum(logsumexp(scores) - rowsum(Y.*scores)))/N   # product rule
d(sum(logsumexp(scores) - rowsum(Y.*scores))) = sum(d(logsumexp(scores) - rowsum(Y.*scores)))   # differential of a sum over elements
d(logsumexp(scores) - rowsum(Y.*scores)) = d(logsumexp(scores)) + d(-rowsum(Y.*scores))   # differential of a sum
d(-rowsum(Y.*scores)) = -d(rowsum(Y.*scores))   # product rule
d(rowsum(Y.*scores)) = rowsum(d(Y.*scores))   # differential of a sum over elements
d(Y.*scores) = Y.*dscores   # product rule
d(logsumexp(scores)) = rowsum(softmax(scores).*dscores)   # differential of logsumexp
dscores = d(H*W2) + db2   # differential of a sum
d(H*W2) = dH*W2 + H*dW2   # differential of a matrix product
dH = step(X*W1 + b1).*d(X*W1 + b1)   # differential of relu
d(X*W1 + b1) = d(X*W1) + db1   # differential of a sum
d(X*W1) = X*dW1   # differential of a matrix product
sum((softmax(scores) - Y).*db2)/N = sum(colsum(softmax(scores) - Y).*db2)/N   # adjoint of a broadcast: <g, ones*dx> = <sum(g), dx>
sum((softmax(scores) - Y).*(H*dW2))/N = sum(H'*(softmax(scores) - Y).*dW2)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum((softmax(scores) - Y).*(step(X*W1 + b1).*(X*dW1 + db1)*W2))/N = sum((softmax(scores) - Y)*W2'.*step(X*W1 + b1).*(X*dW1 + db1))/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
sum(step(X*W1 + b1).*((softmax(scores) - Y)*W2').*db1)/N = sum(colsum(step(X*W1 + b1).*((softmax(scores) - Y)*W2')).*db1)/N   # adjoint of a broadcast: <g, ones*dx> = <sum(g), dx>
sum(step(X*W1 + b1).*((softmax(scores) - Y)*W2').*(X*dW1))/N = sum(X'*(step(X*W1 + b1).*((softmax(scores) - Y)*W2')).*dW1)/N   # cyclic rule: <g, a*dx> = <a'*g, dx>
",
    );
}

/// Expressions of matrices, their shapes, and the gradient that is shown.
#[test]
fn classics() {
    let sizes: &[(&str, u32, u32)] = &[
        ("a", 3, 1),
        ("b", 4, 1),
        ("c", 4, 1),
        ("x", 4, 1),
        ("y", 5, 1),
        ("A", 5, 4),
        ("B", 4, 4),
        ("C", 3, 3),
        ("D", 4, 3),
        ("M", 4, 4),
        ("S", 4, 4),
        ("X", 3, 4),
        ("Z", 3, 4),
        ("Y", 3, 4),
        ("P", 4, 3),
    ];
    let declarations: Vec<Declaration> = sizes
        .iter()
        .map(|&(name, rows, cols)| Declaration {
            name: name.to_owned(),
            shape: Shape::known(rows, cols),
            domain: Some(match name {
                "S" => Domain::Definite,
                "M" => Domain::Invertible,
                "Z" => Domain::Positive,
                _ => Domain::Any,
            }),
        })
        .collect();
    let rows: &[(&str, &str, &str)] = &[
        ("b'*x", "x", "b"),
        ("a'*X*b", "X", "a*b'"),
        ("x'*B*x", "x", "(B + B')*x"),
        ("x'*S*x", "x", "2*S*x"),
        ("x'*B*x + b'*x", "x", "(B + B')*x + b"),
        ("sum((A*x - y).^2)", "x", "2*A'*(A*x - y)"),
        ("norm2(A*x - y)^2/2", "x", "A'*(A*x - y)"),
        ("norm2(A*x - y)", "x", "A'*(A*x - y)/norm2(A*x - y)"),
        ("sum(abs(A*x - y))", "x", "A'*sign(A*x - y)"),
        ("tr(X*D)", "X", "D'"),
        ("tr(X'*C*X)", "X", "(C + C')*X"),
        ("tr(X*B*X')", "X", "X*(B + B')"),
        ("tr(X'*X)", "X", "2*X"),
        ("tr(B*M*M)", "M", "B'*M' + (B*M)'"),
        ("tr(inv(M)*B)", "M", "-inv(M)'*B'*inv(M)'"),
        ("logdet(M)", "M", "inv(M)'"),
        ("log(det(S))", "S", "inv(S)'"),
        ("det(M)", "M", "det(M)*inv(M)'"),
        ("logdet(X*X')", "X", "2*inv(X*X')*X"),
        ("x'*inv(S)*x", "x", "2*inv(S)*x"),
        ("b'*(X'*X)*c", "X", "X*c*b' + X*b*c'"),
        ("sum(Y.*log(Z))", "Z", "Y./Z"),
        ("sum(Y.*softmax(X))", "X", "softmax(X).*(Y - rowsum(Y.*softmax(X)))"),
        ("sum(logsumexp(X))", "X", "softmax(X)"),
        ("sum(softplus(X) - Y.*X)", "X", "sigmoid(X) - Y"),
        ("exp(-x'*S*x/2)", "x", "-exp(-0.5*x'*S*x)*S*x"),
        ("sum(relu(X*D).^2)", "X", "2*relu(X*D)*D'"),
        ("sum(X.*Y)/sqrt(sum(X.^2))", "X", "Y/norm2(X) - sum(X.*Y)/sum(X.^2)^1.5*X"),
    ];
    let mut wrong = String::new();
    for &(expr, wrt, expected) in rows {
        let found = gradient(expr, &declarations, wrt).map_or_else(|refusal| refusal.reason(), |answer| answer.text);
        if found != expected {
            wrong += &format!("({expr:?}, {wrt:?}, {found:?}),\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
