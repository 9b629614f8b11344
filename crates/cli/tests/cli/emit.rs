//! `chainrule emit`: programs of other languages.

use crate::support::{Folder, model, run, run_with};

const EXPRESSION: [&str; 9] =
    ["--expr", "sum((X*W-Y).^2)", "--var", "X=NxD", "--var", "W=DxK", "--var", "Y=NxK", "--wrt"];

fn emit(rest: &[&str]) -> Vec<String> {
    ["emit"].iter().chain(&EXPRESSION).chain(rest).map(|word| (*word).to_owned()).collect()
}

#[test]
fn an_expression_is_a_function() {
    let expected = r#"import numpy as np


def value_and_gradients(X, W, Y):
    """Returns f and its gradients, each of the shape of its array.

    X [N, D], W [D, K], Y [N, K]
    """
    Z1 = X @ W - Y
    f = np.sum(Z1 ** 2)
    grad_W = 2.0 * (X.T @ Z1)
    return f, grad_W
"#;
    assert_eq!(run(&emit(&["W", "--target", "numpy"])).ok(), expected);
}

/// What the derivation calls a residual, the program calls so too; tensors have programs even without matrix notation.
#[test]
fn programs_use_the_names_of_the_derivation() {
    let text = run(&["emit", &model("spiral.cr"), "-t", "numpy"]).ok();
    assert!(text.contains("    R = E1 / S1 - Y\n"), "{text}");
    let tensor = ["emit", "--expr", "max(B)", "--var", "B=b,i,j", "-t", "torch"];
    assert!(run(&tensor).ok().contains("grad_B = first_max(B, (0, 1, 2))"));
}

#[test]
fn every_target_writes_every_model_of_the_tests() {
    for target in ["numpy", "torch", "jax", "rust", "c", "julia", "matlab", "latex"] {
        for name in ["spiral.cr", "layers.cr", "one_hot.cr"] {
            let text = run(&["emit", &model(name), "-t", target]).ok();
            assert!(text.contains(if target == "latex" { r"\nabla_{" } else { "grad_" }), "{target} {name}: {text}");
        }
    }
}

#[test]
fn a_program_goes_to_a_file() {
    let folder = Folder::new("emit");
    let path = folder.0.join("f.c").display().to_string();
    assert_eq!(run(&emit(&["X", "--wrt", "Y", "-t", "c", "-o", &path])).ok(), "");
    let text = std::fs::read_to_string(&path).expect("the program");
    assert!(text.contains("double value_and_gradients(") && text.contains("grad_Y"), "{text}");
    let nowhere = folder.0.join("none/f.c").display().to_string();
    assert!(run(&emit(&["X", "-t", "c", "-o", &nowhere])).fails(6).contains("E602"));
    assert!(run_with(&["emit", "-", "-t", "c"], "input x : [3, 1]\nloss sum(x.^2)\n").ok().contains("grad_x"));
}

#[test]
fn faults_have_their_codes() {
    assert!(run(&["emit", &model("spiral.cr"), "--target", "fortran"]).fails(2).contains("numpy"));
    assert!(run(&["emit", &model("spiral.cr")]).fails(2).contains("--target"));
    assert!(run(&emit(&["Z", "-t", "c"])).fails(2).contains("E001"));
    let matrix = run(&["emit", "--expr", "X*X", "--var", "X=3x3", "-t", "numpy"]).fails(3);
    assert!(matrix.contains("E205") && matrix.contains("sum it"), "{matrix}");
    let nowhere = run(&["emit", "--expr", "sum(log(-X.^2))", "--var", "X=3x3", "-t", "numpy"]).fails(3);
    assert!(nowhere.contains("E292"), "{nowhere}");
    run(&["emit", "-t", "numpy"]).fails(2);
}
