//! `lr-find`, `numerics`, `train --check-gradients`.

use crate::support::{run, run_with};

fn model(name: &str) -> String {
    format!("{}/../../models/{name}.cr", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_rate_is_suggested_drawn_and_written_as_json() {
    let plot = std::env::temp_dir().join(format!("chainrule-rates-{}.svg", std::process::id()));
    let text = run(&["lr-find", &model("deep"), "--plot", plot.to_str().unwrap()]).ok();
    assert!(text.contains("suggestion  rate = ") && text.contains("lowest      rate = "), "{text}");
    assert!(text.lines().filter(|line| line.contains('*')).count() > 5, "{text}");
    let svg = std::fs::read_to_string(&plot).unwrap();
    std::fs::remove_file(plot).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("<path") && svg.trim_end().ends_with("</svg>"), "{svg}");
    let json = run(&["lr-find", &model("deep"), "--steps", "50", "--json"]).ok();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "chainrule.lr-find/1");
    assert!(document["points"].as_array().unwrap().len() <= 50);
    assert!(document["suggestion"].as_f64().unwrap() < document["lowest"].as_f64().unwrap());
    let quiet = run(&["lr-find", &model("deep"), "--quiet"]).ok();
    assert_eq!(quiet.lines().count(), 2, "{quiet}");
}

#[test]
fn numerics_reports_the_start_and_what_training_made_of_it() {
    let text = run(&["numerics", &model("deep"), "--epochs", "2"]).ok();
    for part in ["at the start: loss ", "after 2 epochs: loss ", "  W1 ", "  a1 ", "nothing amiss"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let json = run(&["numerics", &model("deep"), "--epochs", "0", "--json"]).ok();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["reports"].as_array().unwrap().len(), 1);
    assert_eq!(document["reports"][0]["parameters"][0]["name"], "W1");
}

#[test]
fn gradients_are_checked_before_the_first_step() {
    let train = |name: &str| run(&["train", &model(name), "--epochs", "1", "--check-gradients", "--progress", "none"]);
    let outcome = train("deep");
    assert!(outcome.stderr.contains("checked on the first batch"), "{}", outcome.stderr);
    let jumps =
        "data X = [1; 2]\ninput X : [N, 1]\nparam w : [1, 1] = 1\nloss sum(floor(1e9*w))*1e-9 + sum(X*w)\ntrain sgd\n";
    let refused = run_with(&["train", "-", "--check-gradients"], jumps);
    assert!(refused.code == 8 && refused.stderr.contains("E603"), "{} {}", refused.code, refused.stderr);
}
