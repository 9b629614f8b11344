//! `chainrule derive --cases`: a line for every case, in the form that the judge of the cases reads.

use crate::support::{Folder, run};
use serde_json::Value;

const CASES: &str = r#"[
  {"id": "good", "vars": {"X": [5, 3], "w": [3, 1], "y": [5, 1]}, "expr": "sum((X*w-y).^2)", "wrt": "w", "kind": "gradient"},
  {"id": "domain", "vars": {"A": [4, 4]}, "expr": "logdet(A)", "wrt": "A", "kind": "gradient", "domain": {"A": "spd"}},
  {"id": "kind", "vars": {"x": [4, 1]}, "expr": "exp(x)", "wrt": "x", "kind": "jacobian", "layout": "numerator"},
  {"id": "unknown", "vars": {"x": [4, 1]}, "expr": "sum(x)", "wrt": "x", "kind": "surprise"},
  {"id": "syntax", "vars": {"x": [4, 1]}, "expr": "sum(x", "wrt": "x", "kind": "gradient"},
  {"id": "shape", "vars": {"x": [4]}, "expr": "sum(x)", "wrt": "x", "kind": "gradient"},
  {"id": "zero", "vars": {"x": [0, 4]}, "expr": "sum(x)", "wrt": "x", "kind": "gradient"},
  {"id": "huge", "vars": {"x": [4294967295, 4294967295]}, "expr": "sum(x)", "wrt": "x", "kind": "gradient"},
  {"id": "huger", "vars": {"x": [99999999999999, 1]}, "expr": "sum(x)", "wrt": "x", "kind": "gradient"},
  {"id": "square", "vars": {"x": [3, 2]}, "expr": "sum(x)", "wrt": "x", "kind": "gradient", "domain": {"x": "sym"}},
  {"id": "nowhere", "vars": {"x": [3, 2]}, "expr": "sum(x)", "wrt": "x", "kind": "gradient", "domain": {"x": "moon"}},
  {"id": "matrix", "vars": {"x": [3, 2]}, "expr": "x", "wrt": "x", "kind": "gradient"},
  {"id": "stranger", "vars": {"x": [3, 2]}, "expr": "sum(x)", "wrt": "y", "kind": "gradient"},
  {"id": "", "vars": {"": [3, 2]}, "expr": "", "wrt": "", "kind": ""},
  {"id": 7, "vars": [], "expr": {}, "wrt": null},
  {}, [], null, "text", -1e308,
  {"id": "last", "vars": {"t": [1, 1]}, "expr": "t^2", "wrt": "t"}
]"#;

#[test]
fn every_case_has_its_line() {
    let folder = Folder::new("cases");
    let out = run(&["derive", "--cases", &folder.file("cases.json", CASES), "--json"]).ok();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 21);
    let ok: Vec<(&str, &str)> = lines
        .iter()
        .filter(|line| line["status"] == "ok")
        .map(|line| (line["id"].as_str().expect("id"), line["derivative"].as_str().expect("derivative")))
        .collect();
    assert_eq!(ok, [("good", "2*X'*(X*w - y)"), ("domain", "inv(A)'"), ("kind", "diag(exp(x))"), ("last", "2*t")]);
    assert!(lines[0]["seconds"].as_f64().is_some_and(|s| s > 0.0 && s < 10.0));
    assert_eq!(lines[0]["where"], serde_json::json!([]));
    for line in lines.iter().filter(|line| line["status"] != "ok") {
        assert_eq!(line["status"], "refused");
        assert!(line["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{line}");
    }
}

#[test]
fn lines_for_people() {
    let folder = Folder::new("cases-text");
    let out = run(&["derive", "--cases", &folder.file("cases.json", CASES)]).ok();
    assert!(out.starts_with("good: 2*X'*(X*w - y)\ndomain: inv(A)'\nkind: diag(exp(x))\nunknown: refused: "), "{out}");
}

#[test]
fn files_that_are_no_cases_end_with_4() {
    let folder = Folder::new("cases-bad");
    let nested = "[".repeat(100_000);
    for content in ["", "{}", "[1, 2", "\u{0}", nested.as_str(), "[{\"id\": \"\\ud800\"}]"] {
        let message = run(&["derive", "--json", "--cases", &folder.file("bad.json", content)]).fails(4);
        assert!(message.starts_with("error[E390]"), "{message}");
    }
    assert_eq!(run(&["derive", "--cases", &folder.file("none.json", "[]")]).ok(), "");
    run(&["derive", "--cases", &folder.file("none.json", "[]"), "--wrt", "x"]).fails(2);
}

#[test]
fn subscripts_are_answered_in_subscripts() {
    let folder = Folder::new("cases_einsum");
    let case = r#"[{"id": "a", "vars": {"A": [2, 3, 4], "B": [2, 4, 5], "G": [2, 3, 5]},
        "expr": "bij,bjk,bik->:A,B,G", "wrt": "A", "kind": "gradient"}]"#;
    let out = run(&["derive", "--cases", &folder.file("einsum.json", case)]).ok();
    assert_eq!(out, "a: ijk,ilk->ijl:G,B\n");
}
