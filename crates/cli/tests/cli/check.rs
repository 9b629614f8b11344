//! `chainrule check` and `chainrule show`.

use crate::support::{assert_golden, model, run, run_with};
use serde_json::Value;

#[test]
fn a_good_model_passes() {
    assert_golden("check_spiral.txt", &run(&["check", &model("spiral.cr")]).ok());
}

#[test]
fn a_false_claim_has_a_counterexample() {
    let result = run(&["check", &model("wrong_claim.cr")]);
    assert_eq!(result.code, 8, "{result:?}");
    assert_eq!(result.stderr, "error[E601]: the claim in line 10 is false\n");
    assert_golden("check_wrong_claim.txt", &result.stdout);
}

#[test]
fn a_false_claim_as_json() {
    let result = run(&["check", &model("wrong_claim.cr"), "--json"]);
    assert_eq!(result.code, 8, "{result:?}");
    let document: Value = serde_json::from_str(&result.stdout).expect("one JSON document");
    assert_eq!(document["schema"], "chainrule.check/1");
    assert_eq!((&document["ok"], &document["gradients"][0]["ok"]), (&Value::Bool(false), &Value::Bool(true)));
    let claims = document["claims"].as_array().expect("claims");
    assert_eq!((&claims[0]["holds"], &claims[1]["holds"]), (&Value::Bool(true), &Value::Bool(false)));
    let counterexample = &claims[1]["counterexample"];
    assert_ne!(counterexample["left"], counterexample["right"]);
    assert_eq!(counterexample["point"].as_array().map(Vec::len), Some(3));
}

#[test]
fn claims_may_need_one_hot_targets() {
    let text = run(&["check", &model("one_hot.cr")]).ok();
    assert!(text.contains("holds at 5 random points (one-hot targets)"), "{text}");
    let single = "input s : [N, 1]\ntarget y : [N, 1]\nloss sum(y.*log(s))\nclaim grad(loss, s) == 1 ./ s\n";
    assert_eq!(run_with(&["check", "-"], single).code, 8);
}

#[test]
fn the_seed_moves_the_points() {
    let points = |seed: &str| run(&["check", &model("wrong_claim.cr"), "--seed", seed]).stdout;
    assert_eq!(points("1"), points("1"));
    assert_ne!(points("1"), points("2"));
    assert_eq!(run(&["check", &model("spiral.cr"), "--seed", "18446744073709551615"]).code, 0);
    run(&["check", &model("spiral.cr"), "--seed", "-1"]).fails(2);
}

#[test]
fn claims_need_no_loss() {
    let text = run_with(&["check", "-"], "input A : [n, n]\nclaim inv(A)*A == eye(n)\n").ok();
    assert!(text.ends_with("PASS  1 of 1 claims hold\n"), "{text}");
    let text = run_with(&["check", "-"], "input x : [n, 1]\nloss sum(x.^2)\n").ok();
    assert!(text.contains("PASS  1 of 1 gradients"), "{text}");
}

#[test]
fn what_cannot_be_confirmed_fails() {
    let result = run_with(&["check", "-"], "input x : [n, 1]\nclaim log(-abs(x)) == x\n");
    assert_eq!(result.code, 8, "{result:?}");
    assert!(result.stdout.contains("FAIL finite at no random point"), "{}", result.stdout);
    let result = run_with(&["check", "-"], "input x : [100000, 1]\nclaim x*x' == x*x'*1\nloss sum(x*x')\n");
    assert_eq!(result.code, 8, "{result:?}");
    assert!(result.stdout.contains("too large"), "{}", result.stdout);
}

#[test]
fn show_lists_the_parts() {
    assert_golden("show_spiral.txt", &run(&["show", &model("spiral.cr")]).ok());
    let document: Value = serde_json::from_str(&run(&["inspect", &model("layers.cr"), "--json"]).ok()).expect("JSON");
    assert_eq!(document["schema"], "chainrule.show/1");
    assert_eq!(document["parameters"][0]["name"], "dense1_W");
    assert_eq!(document["parameters"][0]["weights"], 12);
    assert_eq!(run_with(&["show", "-"], "").ok(), "nothing is declared\n");
}

/// The kernel calls of a training step: what is fused, what is overwritten in place, how much memory.
#[test]
fn the_plan_of_a_training_step() {
    let of = |name: &str| format!("{}/../../models/{name}", env!("CARGO_MANIFEST_DIR"));
    assert_golden("plan_higham.txt", &run(&["show", "--plan", &of("higham.cr"), "--batch", "1"]).ok());
    assert_golden("plan_spiral.txt", &run(&["show", "--plan", &of("spiral.cr")]).ok());
}
