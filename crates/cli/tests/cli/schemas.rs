//! Every answer of `--json` has the form that `chainrule schema` publishes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::settings::{folder, run_in};
use crate::support::run;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn validator(name: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&run(&["schema", name]).ok()).expect("a schema is JSON");
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn fits(name: &str, text: &str) {
    let validator = validator(name);
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
    let faults: Vec<String> = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{name}:\n{}\n{text}", faults.join("\n"));
}

/// What a command answers, whatever its exit code.
#[track_caller]
fn answer(folder: &Path, args: &[&str]) -> String {
    let mut command = crate::support::command();
    let run = crate::support::finished(command.current_dir(folder).args(args).output().expect("it starts"));
    assert!([0, 8].contains(&run.code), "{args:?}: {run:?}");
    run.stdout
}

#[test]
fn answers_about_formulas_have_their_form() {
    let root = root();
    for (name, args) in [
        ("derive", "derive models/spiral.cr --json --steps --notation index"),
        ("derive", "derive --expr norm2(A*x-b)^2 --var A=5x3 --var x=3x1 --var b=5x1 --wrt x --hessian --json"),
        ("verify", "verify models/spiral.cr --wrt W2 --claim H'*(softmax(scores)-Y)+reg*W2 --json"),
        ("verify", "verify models/spiral.cr --wrt W2 --claim H'*(softmax(scores)-Y)/N+reg*W2 --json"),
        ("check", "check models/higham.cr --json"),
        ("check", "check crates/cli/tests/models/wrong_claim.cr --json"),
        ("show", "show models/spiral.cr --json"),
        ("show", "show crates/cli/tests/models/layers.cr --json"),
        ("numerics", "numerics models/spiral.cr --json"),
        ("lr-find", "lr-find models/spiral.cr --json"),
        ("fit", "fit temperature~room+gap*exp(-rate*minutes) docs/cooling.csv --start room=20,gap=60,rate=0.1 --json"),
        ("demo", "demo --json"),
    ] {
        fits(name, &answer(&root, &args.split(' ').collect::<Vec<&str>>()));
    }
}

#[test]
fn answers_about_tables_have_their_form() {
    let folder = folder("schemas");
    for target in ["kind", "size"] {
        let train = format!("train t.csv -t {target} --epochs 2 --json --run runs/{target}");
        let events = answer(&folder, &train.split(' ').collect::<Vec<&str>>());
        let resume = format!("resume runs/{target} --json");
        let events = events + &answer(&folder, &resume.split(' ').collect::<Vec<&str>>());
        events.lines().for_each(|line| fits("train", line));
        for (name, args) in [
            ("data", format!("data t.csv -t {target} --json")),
            ("predict", format!("predict runs/{target} t.csv --json")),
            ("evaluate", format!("evaluate runs/{target} t.csv --json")),
            ("importance", format!("importance runs/{target} t.csv --json")),
            ("dependence", format!("dependence runs/{target} t.csv --column age --json")),
            ("dependence", format!("dependence runs/{target} t.csv --column age,colour --json")),
            ("learning-curve", format!("learning-curve t.csv -t {target} --epochs 2 --json")),
            ("cv", format!("cv t.csv -t {target} --epochs 2 --folds 3 --repeats 2 --json")),
            ("cv", format!("cv t.csv -t {target} --epochs 2 --split-column colour --json")),
            ("tune", format!("tune t.csv -t {target} --epochs 9 --trials 4 --json --force")),
            ("tune", format!("tune t.csv -t {target} --epochs 9 --trials 4 --json --force --no-model")),
        ] {
            fits(name, &answer(&folder, &args.split(' ').collect::<Vec<&str>>()));
        }
        let log = fs::read_to_string(folder.join("t.tune.jsonl")).expect("a log");
        log.lines().for_each(|line| fits("tune-log", line));
    }
    fits("data", &answer(&folder, &["data", "t.csv", "--json"]));
    fs::create_dir(folder.join("runs/bad")).expect("a folder");
    fs::write(folder.join("runs/bad/last.safetensors"), "no model").expect("a file");
    fits("runs", &answer(&folder, &["runs", "--json"]));
    fits("compare", &answer(&folder, &["compare", "runs/kind", "runs/size", "--json"]));
    fits("compare", &answer(&folder, &["compare", "runs/kind", "t.tuned.safetensors", "--on", "t.csv", "--json"]));
}

#[test]
fn a_configuration_has_the_form_of_its_schema() {
    let folder = folder("schemas-config");
    let shown = run_in(&folder, "train t.csv -t kind --epochs 3 --drop age --print-config").ok();
    let value: toml::Table = shown.parse().expect("it is TOML");
    fits("config", &serde_json::to_string(&value).expect("it is JSON"));
    assert!(!validator("config").is_valid(&serde_json::json!({ "train": { "epohcs": 3 } })));
}

/// A verb that gains `--json` gains a file, too.
#[test]
fn every_schema_of_the_sources_is_published() {
    let mut named = BTreeSet::new();
    collect(&root().join("crates/cli/src"), &mut named);
    let list = run(&["schema"]).ok();
    let published: BTreeSet<String> =
        list.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect();
    named.insert("chainrule.config/1".to_owned());
    assert_eq!(named, published);
}

/// Words such as `chainrule.cv/1` in the Rust files of a folder.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            for rest in text.split("\"chainrule.").skip(1).chain(text.split("\\\"chainrule.").skip(1)) {
                let word: String =
                    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-/_".contains(*c)).collect();
                if word.rsplit_once('/').is_some_and(|(_, n)| n.parse::<u32>().is_ok()) {
                    names.insert(format!("chainrule.{word}"));
                }
            }
        }
    }
}
