//! Predictions while the table is read: the same for any number of threads and any way that the bytes arrive.

#[path = "support/program.rs"]
mod program;
use program::{command, folder};

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

#[track_caller]
fn run(folder: &Path, args: &str, code: i32) -> Output {
    let output = command(folder, args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args}: {told}");
    output
}

fn rows(count: usize) -> String {
    let mut csv = "size,colour,age,kind\n".to_owned();
    for row in 0..count {
        let (size, colour) = (row * 37 % 101, ["red", "blue", "\"green, dark\""][row % 3]);
        let age = if row % 7 == 0 { String::new() } else { format!("{}", row * 13 % 50) };
        csv += &format!("{size}.5,{colour},{age},{}\n", if size > 50 { "=big" } else { "small" });
    }
    csv
}

fn with_models(name: &str) -> PathBuf {
    let folder = folder(name);
    fs::write(folder.join("t.csv"), rows(200)).unwrap();
    run(&folder, "train t.csv --target kind --epochs 3 -q", 0);
    run(&folder, "train t.csv --target size --epochs 3 -q -o number.safetensors", 0);
    folder
}

#[test]
fn threads_and_pipes_change_nothing() {
    let folder = with_models("threads");
    let csv = rows(60_000);
    fs::write(folder.join("long.csv"), &csv).unwrap();
    for options in ["", " --with-input", " --json"] {
        let one = run(&folder, &format!("predict t.safetensors long.csv --threads 1{options}"), 0).stdout;
        for threads in [2, 3, 8] {
            let many = run(&folder, &format!("predict t.safetensors long.csv --threads {threads}{options}"), 0).stdout;
            assert!(one == many, "{threads} threads{options}");
        }
        let mut child =
            command(&folder, &format!("predict t.safetensors -{options}")).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let text = csv.clone();
        let writer = std::thread::spawn(move || {
            for piece in text.as_bytes().chunks(777_777) {
                stdin.write_all(piece).unwrap();
            }
        });
        let piped = child.wait_with_output().unwrap().stdout;
        writer.join().unwrap();
        assert!(one == piped, "a pipe{options}");
        if options == " --json" {
            let document: serde_json::Value = serde_json::from_slice(&one).unwrap();
            assert_eq!(document["rows"].as_array().unwrap().len(), 60_000);
        }
    }
    // A row alone is predicted as it is among others.
    let all = String::from_utf8(run(&folder, "predict number.safetensors long.csv", 0).stdout).unwrap();
    let header = csv.lines().next().unwrap();
    for row in [1, 5000, 60_000] {
        fs::write(folder.join("one.csv"), format!("{header}\n{}\n", csv.lines().nth(row).unwrap())).unwrap();
        let one = String::from_utf8(run(&folder, "predict number.safetensors one.csv", 0).stdout).unwrap();
        assert_eq!(one.lines().nth(1), all.lines().nth(row), "row {row}");
    }
}

#[test]
fn several_numbers_have_a_column_each() {
    let folder = with_models("several");
    run(&folder, "train t.csv --target size,age --epochs 2 -q -o two.safetensors", 0);
    let out = String::from_utf8(run(&folder, "predict two.safetensors t.csv", 0).stdout).unwrap();
    assert!(out.starts_with("prediction_size,prediction_age\n"), "{out}");
    assert!(out.lines().all(|line| line.split(',').count() == 2));
    let out = run(&folder, "predict two.safetensors t.csv --json", 0).stdout;
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(document["rows"][0]["prediction"]["age"].is_number());
}

#[test]
fn answers_come_before_the_input_ends() {
    let folder = with_models("early");
    let mut child =
        command(&folder, "predict number.safetensors - --delimiter ,").stdin(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut out) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let csv = rows(2);
    let mut line = String::new();
    stdin.write_all(csv.as_bytes()).unwrap();
    stdin.flush().unwrap();
    for _ in 0..3 {
        line.clear();
        out.read_line(&mut line).unwrap();
    }
    assert!(line.trim().parse::<f64>().is_ok(), "{line}");
    stdin.write_all(csv.lines().nth(1).unwrap().as_bytes()).unwrap();
    drop(stdin);
    line.clear();
    out.read_to_string(&mut line).unwrap();
    assert!(line.trim().parse::<f64>().is_ok() && child.wait().unwrap().success(), "{line}");
}

#[test]
fn a_file_of_predictions_is_whole_or_not_there() {
    let folder = with_models("atomic");
    let mut csv = rows(30_000);
    fs::write(folder.join("good.csv"), &csv).unwrap();
    csv += "x,red,1,small\n";
    fs::write(folder.join("bad.csv"), &csv).unwrap();
    fs::write(folder.join("out.csv"), "as it was\n").unwrap();
    run(&folder, "predict t.safetensors bad.csv -o out.csv", 4);
    assert_eq!(fs::read_to_string(folder.join("out.csv")).unwrap(), "as it was\n");
    run(&folder, "predict t.safetensors bad.csv -o none.csv", 4);
    assert!(!folder.join("none.csv").exists());
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
    run(&folder, "predict t.safetensors good.csv -o out.csv", 0);
    let written = fs::read_to_string(folder.join("out.csv")).unwrap();
    assert_eq!(written.lines().count(), 30_001);
    run(&folder, "predict t.safetensors good.csv -o t.safetensors", 2);
    #[cfg(unix)]
    if Path::new("/dev/full").exists() {
        run(&folder, "predict t.safetensors good.csv -o /dev/null", 0);
        run(&folder, "predict t.safetensors good.csv -o /dev/full", 6);
    }
}

#[test]
fn formulas_in_labels_and_cells_become_texts_and_negative_numbers_stay_numbers() {
    let folder = with_models("injection");
    fs::write(folder.join("x.csv"), "size,colour,age,note\n-1.5,red,1,@SUM(A1)\n99.5,red,-2,-2+3\n1,red,1,\t=x\n")
        .unwrap();
    let out = String::from_utf8(run(&folder, "predict t.safetensors x.csv --with-input", 0).stdout).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains(",prediction,p_=big,p_small"), "{out}");
    assert!(lines[1].starts_with("-1.5,red,1,'@SUM(A1),") && lines[2].starts_with("99.5,red,-2,'-2+3,"), "{out}");
    assert!(lines[3].starts_with("1,red,1,'\t=x,"), "{out}");
    assert!(lines.iter().all(|line| !line.split(',').any(|cell| cell.starts_with('='))), "{out}");
}

#[test]
fn reading_options_are_the_same_for_every_command() {
    let folder = with_models("options");
    let european = rows(200).replace(',', ";").replace(".5", ",5").replace("green; dark", "green, dark");
    fs::write(folder.join("e.csv"), european).unwrap();
    let plain = run(&folder, "predict t.safetensors t.csv", 0).stdout;
    assert!(plain == run(&folder, "predict t.safetensors e.csv", 0).stdout);
    let ragged = rows(50) + "1,red\n";
    fs::write(folder.join("r.csv"), ragged).unwrap();
    for command in [
        "predict t.safetensors r.csv",
        "evaluate t.safetensors r.csv",
        "train r.csv --target size --epochs 1 -o r.safetensors",
    ] {
        run(&folder, command, 4);
        let skipped = run(&folder, &format!("{command} --ragged skip"), 0);
        assert!(String::from_utf8_lossy(&skipped.stderr).contains("1 row with another number of fields"), "{command}");
    }
    run(&folder, "predict t.safetensors t.csv --thousands x", 2);
    run(&folder, "predict t.safetensors t.csv --delimiter ab", 2);
    run(&folder, "evaluate t.safetensors t.csv --max-memory 1K", 6);
    // A table that would need too much memory is read again in every epoch, also when the run is resumed.
    let long = run(&folder, "train t.csv --target kind --epochs 2 --max-memory 10K --run one", 0);
    assert!(String::from_utf8_lossy(&long.stderr).contains("in every epoch"));
    run(&folder, "resume one", 0);
}
