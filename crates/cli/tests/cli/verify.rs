//! `chainrule verify`: right and wrong claims, and what is refused.

use crate::support::{assert_golden, model, run};

const LEAST_SQUARES: [&str; 7] =
    ["verify", "--expr", "sum((X*w - y).^2)/2", "--var=X=Nx3", "--var=w=3x1", "--var=y=Nx1", "--wrt=w"];

/// Claims about the gradient of a sum of squares, and their exit codes.
const CLAIMS: &[(&str, i32)] = &[
    ("X'*(X*w - y)", 0),
    ("X'*X*w - X'*y", 0),
    ("X'*(y - X*w)", 8),
    ("2*X'*(X*w - y)", 8),
    ("X'*(X*w - y)/N", 8),
    ("(X*w - y)'*X", 8),
    ("X'*(X*w)", 8),
    ("X*(X*w - y)", 8),
];

#[test]
fn claims_are_judged_and_explained() {
    let mut out = String::new();
    for &(claim, code) in CLAIMS {
        let result = run(&[&LEAST_SQUARES[..], &["--claim", claim]].concat());
        assert_eq!(result.code, code, "{claim}: {result:?}");
        out += &format!("{claim}\n{}{}\n", result.stdout, result.stderr);
    }
    assert_golden("verify_claims.txt", &out);
}

#[test]
fn a_claim_may_be_about_a_model_or_an_identity() {
    let result = run(&["verify", &model("spiral.cr"), "--wrt", "b2", "--claim", "colsum(softmax(scores) - Y)"]);
    assert_eq!(result.code, 8, "{result:?}");
    assert!(result.stdout.contains("slip"), "{result:?}");
    let identity = ["verify", "--expr", "inv(A*B)", "--var=A=3x3", "--var=B=3x3"];
    assert_eq!(run(&[&identity[..], &["--claim", "inv(B)*inv(A)"]].concat()).code, 0);
    assert_eq!(run(&[&identity[..], &["--claim", "inv(A)*inv(B)"]].concat()).code, 8);
}

#[test]
fn faults_of_a_claim_have_carets() {
    for (claim, code) in [("X'*(X*v - y)", 3), ("X'*(X*w - ", 3)] {
        let message = run(&[&LEAST_SQUARES[..], &["--claim", claim]].concat()).fails(code);
        assert!(message.contains("--claim"), "{message}");
    }
    run(&[&LEAST_SQUARES[..], &["--claim", "w", "--wrt", "v"]].concat()).fails(2);
}
