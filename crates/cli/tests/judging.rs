//! Judging and seeing, with the real program: figures, importance, dependence, learning curves, charts, reports, event files.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "support/program.rs"]
mod program;
use program::{command, folder};

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Names and labels that would be elements of a page if nobody took care.
const EVIL: &str = "<img src=x onerror=alert(1)>";

#[track_caller]
fn run(folder: &Path, args: &[&str], code: i32) -> (String, String) {
    let output = command(folder, args[0]).args(&args[1..]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
    (out.into_owned(), err.into_owned())
}

#[track_caller]
fn json(folder: &Path, args: &[&str]) -> Value {
    let (out, _) = run(folder, args, 0);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// `kind` follows `size` (with some noise), `price` follows `size` and `colour`; `noise` follows nothing.
fn table(folder: &Path) {
    let mut csv = format!("size,colour,\"{EVIL}\",kind,price\n");
    for row in 0..240 {
        let (size, noise) = (row * 37 % 101, row * 53 % 97);
        let colour = ["red", "blue", "green"][row % 3];
        let kind = if size + noise % 31 > 65 { "big" } else { "small" };
        csv += &format!("{size}.5,{colour},{noise}.25,{kind},{}\n", 3 * size + 40 * (row % 3) + noise % 5);
    }
    fs::write(folder.join("t.csv"), csv).unwrap();
    run(folder, &["train", "t.csv", "-t", "kind", "--drop", "price", "--run", "kind", "-q", "--epochs", "60"], 0);
    run(folder, &["train", "t.csv", "-t", "price", "--drop", "kind", "-o", "price.safetensors", "-q"], 0);
    run(folder, &["train", "t.csv", "-t", "colour", "-o", "colour.safetensors", "-q", "--epochs", "5"], 0);
}

#[test]
fn evaluations_tell_intervals_and_baselines() {
    let folder = folder("evaluate");
    table(&folder);
    let (out, _) = run(&folder, &["evaluate", "kind", "t.csv"], 0);
    for part in ["rows      240", "\"small\" is positive", "accuracy  ", "ROC AUC", "baseline", "predicted", "found"] {
        assert!(out.contains(part), "no `{part}` in {out}");
    }
    assert!(!out.bytes().any(|byte| byte < b' ' && byte != b'\n'), "control bytes in {out:?}");
    let found = json(&folder, &["evaluate", "kind", "t.csv", "--json"]);
    assert_eq!((found["schema"].as_str(), found["rows"].as_u64()), (Some("chainrule.evaluate/1"), Some(240)));
    let ends = found["intervals"]["accuracy"].as_array().unwrap();
    let (low, high) = (ends[0].as_f64().unwrap(), ends[1].as_f64().unwrap());
    let accuracy = found["metrics"]["accuracy"].as_f64().unwrap();
    assert!(0.8 < low && low < accuracy && accuracy < high && high < 1.0, "{found}");
    assert_eq!(found["methods"]["auc"], "DeLong");
    let counted: f64 = found["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|n| n.as_f64().unwrap())
        .sum();
    assert!((counted - 240.0).abs() < 1e-9);
    let other = json(&folder, &["evaluate", "kind", "t.csv", "--json", "--positive", "big"]);
    assert_eq!(other["positive"], "big");
    assert!((other["metrics"]["auc"].as_f64().unwrap() - found["metrics"]["auc"].as_f64().unwrap()).abs() < 1e-12);
    assert_eq!(found, json(&folder, &["evaluate", "kind", "t.csv", "--json"]), "the same seed");
    let numbers = json(&folder, &["evaluate", "price.safetensors", "t.csv", "--json"]);
    assert!(
        numbers["metrics"]["r2"].as_f64().unwrap() > 0.9 && numbers["baselines"]["r2"].as_f64().unwrap().abs() < 1e-9
    );
    assert_eq!(numbers["error_quantiles"].as_array().unwrap().len(), 5);
    let (out, _) = run(&folder, &["evaluate", "colour.safetensors", "t.csv"], 0);
    assert!(out.contains("3 classes") && out.contains("green"), "{out}");
}

#[test]
fn requirements_ask_for_figures_and_ends_of_intervals() {
    let folder = folder("require");
    table(&folder);
    run(&folder, &["evaluate", "kind", "t.csv", "--require", "accuracy>=0.8", "--require", "auc.low>0.5"], 0);
    let (out, err) = run(&folder, &["evaluate", "kind", "t.csv", "--require", "accuracy.high<0.5"], 8);
    assert!(out.contains("accuracy") && err.contains("E601") && err.contains("upper end"), "{err}");
    let (_, err) = run(&folder, &["evaluate", "kind", "t.csv", "--require", "acuracy>=0.8"], 2);
    assert!(err.contains("did you mean `accuracy`?"), "{err}");
    run(&folder, &["evaluate", "kind", "t.csv", "--positive", "large"], 2);
    run(&folder, &["evaluate", "price.safetensors", "t.csv", "--positive", "large"], 2);
}

#[test]
fn what_matters_is_found_and_drawn() {
    let folder = folder("matters");
    table(&folder);
    let (out, _) = run(&folder, &["importance", "price.safetensors", "t.csv", "--plot", "i.png"], 0);
    let names: Vec<&str> = out.lines().skip(3).filter_map(|line| line.split("  ").next()).collect();
    assert!(names[0] == "size" && names[1] == "colour" && out.contains("####"), "{out}");
    let found = json(&folder, &["importance", "kind", "t.csv", "--metric", "log_loss", "--repeats", "3", "--json"]);
    assert_eq!((found["metric"].as_str(), found["columns"][0]["column"].as_str()), (Some("log_loss"), Some("size")));
    assert_eq!(found["columns"][0]["repeats"].as_array().unwrap().len(), 3);
    assert_eq!(
        found,
        json(&folder, &["importance", "kind", "t.csv", "--metric", "log_loss", "--repeats", "3", "--json"])
    );
    let (_, err) = run(&folder, &["importance", "kind", "t.csv", "--metric", "rmse"], 2);
    assert!(err.contains("There are: accuracy"), "{err}");

    let found = json(&folder, &["dependence", "price.safetensors", "t.csv", "--column", "size", "--json"]);
    let mean: Vec<f64> = found["mean"][0].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert!(mean.len() == 20 && mean.windows(2).all(|pair| pair[0] < pair[1]), "prices grow with size: {mean:?}");
    let (out, _) = run(&folder, &["dependence", "kind", "t.csv", "--column", "colour", "--plot", "d.svg"], 0);
    assert!(out.contains("green") && out.contains("8 of 10 rows"), "{out}");
    let two = json(&folder, &["dependence", "kind", "t.csv", "--column", "size,colour", "--json"]);
    assert_eq!((two["mean"].as_array().unwrap().len(), two["mean"][0].as_array().unwrap().len()), (12, 3));
    let (_, err) = run(&folder, &["dependence", "kind", "t.csv", "--column", "sice"], 4);
    assert!(err.contains("E315") && err.contains("did you mean \"size\"?"), "{err}");
    assert!(fs::read(folder.join("i.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(fs::read_to_string(folder.join("d.svg")).unwrap().starts_with("<svg"));
}

#[test]
fn learning_curves_judge_all_networks_by_the_same_rows() {
    let folder = folder("learning");
    table(&folder);
    let args = ["learning-curve", "t.csv", "-t", "kind", "--drop", "price", "--epochs", "10", "--shares", "1,0.2,0.2"];
    let found = json(&folder, &[&args[..], &["--json", "--metric", "log_loss", "--plot", "l.svg"]].concat());
    let rows: Vec<u64> = found["turns"].as_array().unwrap().iter().map(|turn| turn["rows"].as_u64().unwrap()).collect();
    assert_eq!((rows, found["held_out_rows"].as_u64()), (vec![38, 192], Some(48)));
    let (out, err) = run(&folder, &args, 0);
    assert!(out.starts_with("accuracy, held out: the same 48 rows") && err.contains("rows=38 accuracy="), "{out}{err}");
    run(&folder, &["learning-curve", "t.csv", "-t", "kind", "--shares", "2"], 2);
}

#[test]
fn every_chart_is_a_file() {
    let folder = folder("plot");
    table(&folder);
    for (model, list) in [
        ("kind", &["confusion", "roc", "precision-recall", "calibration", "importance"][..]),
        ("colour.safetensors", &["confusion", "roc", "precision-recall", "calibration"][..]),
        ("price.safetensors", &["actual", "errors"][..]),
    ] {
        for what in list {
            let (svg, _) = run(&folder, &["plot", model, "t.csv", "--what", what], 0);
            assert!(svg.starts_with("<svg xmlns") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
            run(&folder, &["plot", model, "t.csv", "--what", what, "-o", "x.png"], 0);
        }
    }
    let dependence = ["plot", "kind", "t.csv", "--what", "dependence", "--column", "size", "--column", EVIL];
    let (svg, _) = run(&folder, &dependence, 0);
    assert!(!svg.contains("<img") && svg.contains("&lt;img"), "{svg}");
    let (svg, _) = run(&folder, &["plot", "kind"], 0);
    assert!(svg.contains("validation") && svg.contains("epoch"), "{svg}");
    for wrong in [
        &["plot", "kind", "-o", "x.jpg"][..],
        &["plot", "kind", "--what", "roc"],
        &["plot", "price.safetensors"],
        &["plot", "price.safetensors", "t.csv", "--what", "roc"],
        &["plot", "kind", "t.csv", "--what", "dependence"],
    ] {
        let (out, err) = run(&folder, wrong, 2);
        assert!(out.is_empty() && err.contains("help"), "{wrong:?}: {err}");
    }
}

/// Has a page all it needs, and nothing that a name could have put there?
#[track_caller]
fn is_a_page(path: &Path, parts: &[&str]) {
    let html = fs::read_to_string(path).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    for forbidden in ["<img", "<script", "<link", "<iframe", "http:", "https:", "url(", "@import", "NaN"] {
        assert!(!html.contains(forbidden), "`{forbidden}` in {}", path.display());
    }
    for part in parts {
        assert!(html.contains(part), "no `{part}` in {}", path.display());
    }
}

#[test]
fn reports_need_nothing_else_and_escape_every_name() {
    let folder = folder("report");
    table(&folder);
    let parts =
        ["ROC curve", "Calibration", "Permutation importance", "Dependence on size", "Gradient by", "best epoch"];
    is_a_page(
        &folder.join("kind/report.html"),
        &[&parts[..], &["240 rows of t.csv, each by the network that did not train on it", "&lt;img src=x"]].concat(),
    );
    run(&folder, &["report", "kind", "t.csv", "-o", "kind.html"], 0);
    is_a_page(&folder.join("kind.html"), &parts);
    run(&folder, &["train", "t.csv", "-t", "price", "-o", "p.safetensors", "--epochs", "3", "--report", "p.html"], 0);
    let test = ["train", "t.csv", "-t", "kind", "--test", "0.25", "--run", "test", "-q", "--epochs", "3"];
    run(&folder, &test, 0);
    is_a_page(&folder.join("test/report.html"), &["60 rows of t.csv that nothing of the training has seen"]);
    let one = ["train", "t.csv", "-t", "kind", "--ensemble", "1", "--run", "one", "-q", "--epochs", "3"];
    run(&folder, &one, 0);
    is_a_page(&folder.join("one/report.html"), &["48 held-out rows of t.csv", "best: "]);
    is_a_page(&folder.join("p.html"), &["Predicted against actual", "RMSE", "R squared"]);
    let (page, err) = run(&folder, &["report", "colour.safetensors", "t.csv", "-o", "-"], 0);
    assert!(page.starts_with("<!DOCTYPE html>") && err.is_empty(), "{err}");
    let same = |name: &str| fs::read(folder.join(name)).unwrap();
    run(&folder, &["report", "kind", "t.csv", "-o", "again.html"], 0);
    assert!(same("kind.html") == same("again.html"), "the same seed gives the same page");
}

/// The records of an event file: what stands between their lengths and checksums.
fn records(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        list.push(bytes[at + 12..at + 12 + length].to_vec());
        at += 12 + length + 4;
    }
    assert_eq!(at, bytes.len(), "the last record is whole");
    list
}

#[test]
fn runs_leave_event_files_and_metrics_as_json_lines() {
    let folder = folder("events");
    table(&folder);
    let train = ["train", "t.csv", "-t", "kind", "--run", "r", "--epochs", "7", "-q", "--force", "--ensemble", "1"];
    // The second run in the same folder leaves nothing of the first.
    run(&folder, &train, 0);
    run(&folder, &train, 0);
    let names = fs::read_dir(folder.join("r")).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    let events: Vec<&String> = names.iter().filter(|name| name.starts_with("events.out.tfevents.")).collect();
    assert_eq!(events.len(), 1, "{names:?}");
    let list = records(&fs::read(folder.join("r").join(events[0])).unwrap());
    let holds = |record: &Vec<u8>, text: &str| record.windows(text.len()).any(|part| part == text.as_bytes());
    assert_eq!(list.len(), 8, "the version, and every epoch");
    assert!(holds(&list[0], "brain.Event:2"));
    assert!(list[1..].iter().all(|record| {
        ["loss/train", "loss/val", "accuracy/val"].iter().all(|tag| holds(record, tag)) && !holds(record, "r2/val")
    }));
    let csv = fs::read_to_string(folder.join("r/metrics.csv")).unwrap();
    let lines = fs::read_to_string(folder.join("r/metrics.jsonl")).unwrap();
    assert_eq!(csv.lines().count(), lines.lines().count() + 1);
    for (row, line) in csv.lines().skip(1).zip(lines.lines()) {
        let cells: Vec<Option<f64>> = row.split(',').map(|cell| cell.parse().ok()).collect();
        let line: Value = serde_json::from_str(line).unwrap();
        let names: Vec<&str> = csv.lines().next().unwrap_or_default().split(',').collect();
        assert_eq!(cells, names.iter().map(|name| line[*name].as_f64()).collect::<Vec<_>>());
        assert_eq!(cells.iter().filter(|cell| cell.is_none()).count(), 1, "the column of R2 is empty: {row}");
    }
}

#[test]
fn an_epoch_tells_what_the_trained_network_has_on_its_validation_rows() {
    let folder = folder("measured");
    table(&folder);
    for (target, figure) in [("kind", "accuracy"), ("price", "r2")] {
        let train = ["train", "t.csv", "-t", target, "--epochs", "4", "--json", "--ensemble", "1", "--force"];
        let (told, _) = run(&folder, &train, 0);
        let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let end = events.last().unwrap();
        let is_best = |event: &&Value| event["event"] == "epoch" && event["epoch"] == end["epoch"];
        let best = events.iter().find(is_best).unwrap_or_else(|| panic!("{told}"));
        let (epoch, end) = (&best[format!("val_{figure}").as_str()], &end["metrics"]["validation"][figure]);
        assert!((epoch.as_f64().unwrap() - end.as_f64().unwrap()).abs() < 1e-6, "{best} {end}");
    }
}

#[test]
fn shared_tables_have_reports_that_tell_what_matters() {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|up| up.join("shared/data/titanic.csv"));
    let Some(path) = places.into_iter().find(|path| path.is_file()) else {
        eprintln!("skipped: there is no shared/data/titanic.csv");
        return;
    };
    let (folder, path) = (folder("titanic"), path.to_string_lossy().into_owned());
    run(&folder, &["train", &path, "-t", "Survived", "--run", "r", "-q"], 0);
    is_a_page(&folder.join("r/report.html"), &["Dependence on Sex", "Survived, predicted from titanic.csv"]);
    let found = json(&folder, &["importance", "r", &path, "--json"]);
    assert_eq!(found["columns"][0]["column"], "Sex", "{found}");
}
