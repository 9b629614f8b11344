//! Training, predicting and judging with the real program.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "support/ignored.rs"]
mod ignored;
#[path = "support/program.rs"]
mod program;
use ignored::is_ignored;
use program::{command, folder};

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

#[track_caller]
fn text(output: &Output, code: i32) -> (String, String) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out.into_owned(), err.into_owned())
}

#[track_caller]
fn run(folder: &Path, args: &str, code: i32) -> (String, String) {
    text(&command(folder, args).output().unwrap(), code)
}

fn model(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name)).unwrap()
}

/// A class by size, with a category and some gaps.
fn table(folder: &Path) {
    let mut csv = "size,colour,age,kind\n".to_owned();
    for row in 0..120 {
        let (size, colour) = (row * 37 % 101, ["red", "blue", "green"][row % 3]);
        let age = if row % 7 == 0 { String::new() } else { format!("{}", row * 13 % 50) };
        csv += &format!("{size}.5,{colour},{age},{}\n", if size > 50 { "big" } else { "small" });
    }
    fs::write(folder.join("t.csv"), csv).unwrap();
}

#[test]
fn the_spiral_tells_exact_losses_and_figures() {
    let folder = folder("spiral");
    fs::write(folder.join("m.cr"), model("spiral.cr")).unwrap();
    let (out, err) = run(&folder, "train m.cr --epochs 30", 0);
    assert!(out.contains("300 examples, 603 weights") && out.contains("accuracy"), "{out}");
    assert!(err.starts_with("epoch=1 ") && err.contains("epoch=30 "), "{err}");
    let (out, _) = run(&folder, "train m.cr --epochs 30 --json -q", 0);
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), lines[0]["schema"].as_str()), (32, Some("chainrule.train/1")));
    let (last, end) = (lines[30]["loss"].as_f64().unwrap(), lines[31]["metrics"]["train"]["loss"].as_f64().unwrap());
    assert!((last - end).abs() < 1e-14, "{last} {end}");
}

#[test]
fn divergence_names_the_place_and_keeps_the_last_state() {
    let folder = folder("diverge");
    fs::write(folder.join("m.cr"), model("spiral.cr").replace("rate = 1.0", "rate = 1e10")).unwrap();
    let (_, err) = run(&folder, "train m.cr -o m.safetensors", 7);
    assert!(err.contains("E701") && err.contains("m.cr:16:43") && err.contains("saved in m.safetensors"), "{err}");
    run(&folder, "show m.safetensors", 0);
}

#[test]
fn any_number_of_threads_gives_the_same_file() {
    let folder = folder("threads");
    table(&folder);
    fs::write(folder.join("m.cr"), model("higham.cr")).unwrap();
    for args in ["train t.csv --target kind --epochs 5", "train m.cr --epochs 50"] {
        let bytes = ["1", "2", "4"].map(|n| {
            run(&folder, &format!("{args} --threads {n} -o m{n}.safetensors"), 0);
            fs::read(folder.join(format!("m{n}.safetensors"))).unwrap()
        });
        assert!(bytes[0] == bytes[1] && bytes[1] == bytes[2], "{args}");
    }
}

#[test]
fn a_table_is_trained_predicted_judged_and_trained_again() {
    let folder = folder("table");
    table(&folder);
    run(&folder, "train t.csv --target kind", 0);
    let (all, _) = run(&folder, "predict t.safetensors t.csv", 0);
    assert!(all.starts_with("prediction,p_big,p_small\n") && all.lines().count() == 121, "{all}");
    fs::write(folder.join("s.csv"), "extra,age,colour,size\n=1+1,,red,0.5\nx,26,pink,99.5\n").unwrap();
    let (out, err) = run(&folder, "predict t.safetensors s.csv --with-input", 0);
    assert_eq!(out.lines().next(), Some("extra,age,colour,size,prediction,p_big,p_small"));
    assert!(out.contains("'=1+1,,red,0.5,small,") && out.contains("99.5,big,"), "{out}");
    assert!(out.lines().nth(1).unwrap().ends_with(all.lines().nth(1).unwrap()), "{out}");
    assert!(err.contains("\"colour\"") && err.contains("pink"), "{err}");
    run(&folder, "evaluate t.safetensors t.csv --require accuracy>=0.8", 0);
    run(&folder, "evaluate t.safetensors t.csv --require loss<0", 8);
    let (shown, _) = run(&folder, "show t.safetensors", 0);
    fs::write(folder.join("m.cr"), shown).unwrap();
    run(&folder, "train t.csv --target kind --model m.cr -o again.safetensors", 0);
    assert!(fs::read(folder.join("t.safetensors")).unwrap() == fs::read(folder.join("again.safetensors")).unwrap());
    let (_, err) = run(&folder, "train t.csv --target kin", 4);
    assert!(err.contains("did you mean") && err.contains("kind"), "{err}");
    run(&folder, "train t.csv --target kind -o s.csv", 2);
    let mut bytes = fs::read(folder.join("t.safetensors")).unwrap();
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    fs::write(folder.join("bad.safetensors"), bytes).unwrap();
    run(&folder, "predict bad.safetensors t.csv", 5);
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_a_closed_pipe_ends_quietly() {
    let folder = folder("signal");
    fs::write(folder.join("m.cr"), model("spiral.cr")).unwrap();
    let mut long = command(&folder, "train m.cr --epochs 100000000 -o m.safetensors");
    let child = long.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    // Who ignores the first would wait for ever.
    let (signal, code) = if is_ignored(130) { ("-TERM", 143) } else { ("-INT", 130) };
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let (_, err) = text(&child.wait_with_output().unwrap(), code);
    assert!(err.contains("saved m.safetensors"), "{err}");
    run(&folder, "show m.safetensors", 0);
    let mut long = command(&folder, "train m.cr --epochs 100000000 --json -q");
    let mut child = long.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    text(&child.wait_with_output().unwrap(), 0);
}

/// A figure of the validation rows of a shared table, if the table is there.
fn validation(name: &str, target: &str, less: &str, figure: &str) -> Option<f64> {
    let places = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|up| up.join("shared/data").join(name));
    let Some(path) = places.into_iter().find(|path| path.is_file()) else {
        eprintln!("SKIPPED: no shared/data/{name}");
        return None;
    };
    let folder = folder(target);
    fs::copy(path, folder.join("d.csv")).unwrap();
    let (out, _) = run(&folder, &format!("train d.csv --target {target} --json -q{less}"), 0);
    let end: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    end["metrics"]["validation"][figure].as_f64()
}

#[test]
fn shared_tables_are_predicted_well() {
    if let Some(accuracy) = validation("titanic.csv", "Survived", "", "accuracy") {
        assert!(accuracy > 0.78, "{accuracy}");
    }
    if let Some(rmse) = validation("housing.csv", "median_house_value", " --epochs 15 --ensemble 2", "rmse") {
        assert!(rmse < 60_000.0, "{rmse}");
    }
}

#[test]
fn faults_of_the_optimizer_have_a_place_and_a_suggestion() {
    let folder = folder("optimizer");
    let text = "input X : [N, 1]\ntarget Y : [N, 1]\nparam w : [1, 1] = 1\nloss mse(X*w, Y)\ndata X, Y = sinc(points = 9, noise = 0)\n";
    for (train, suggestion) in [
        ("lbfgs(memry = 3)", "did you mean `memory`?"),
        ("levnberg_marquardt", "did you mean `levenberg_marquardt`?"),
        ("levenberg_marquardt(damping = nelson)", "auto, nielsen, trainlm"),
        ("lbfgs, clip_norm = 1", "update rules"),
    ] {
        fs::write(folder.join("m.cr"), format!("{text}train {train}\n")).unwrap();
        let (_, told) = run(&folder, "train m.cr", 3);
        assert!(told.contains(suggestion) && told.contains("6 │"), "{train}: {told}");
    }
}
