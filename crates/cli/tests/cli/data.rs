//! `chainrule data`: what is in a table.

use std::fs;

use serde_json::Value;

use crate::settings::{folder, run_in};
use crate::support::{assert_golden, run_with, shell};

/// A table with a column of every kind.
fn table() -> String {
    let mut text = "id,size,colour,paid,when,note,one,none,age,kind\n".to_owned();
    for row in 0..60 {
        let (size, colour, paid) = (row * 37 % 61, ["red", "blue", "green"][row % 3], ["yes", "no"][row * 7 % 5 % 2]);
        let age = if row % 7 == 0 { String::new() } else { format!("{}", row * 13 % 50) };
        let kind = if size > 30 { "big" } else { "small" };
        text += &format!(
            "{},{size}.5,{colour},{paid},2026-{:02}-{:02},text {row},x,,{age},{kind}\n",
            row + 1,
            1 + row % 12,
            1 + row % 28
        );
    }
    text
}

#[test]
fn every_kind_of_column_is_shown() {
    let folder = folder("data-kinds");
    fs::write(folder.join("kinds.csv"), table()).expect("a table");
    assert_golden("data_kinds.txt", &run_in(&folder, "data kinds.csv -t kind").ok());
    let without = run_in(&folder, "data kinds.csv").ok();
    assert!(!without.contains("with target") && without.contains("W303") && without.contains("W304"), "{without}");
}

#[test]
fn a_stream_and_a_compressed_file_give_the_same() {
    let folder = folder("data-streams");
    let json = |text: &str| -> Value { serde_json::from_str(text).expect("it is JSON") };
    fs::write(folder.join("t.csv"), table()).expect("a table");
    let packed = shell(&format!("gzip -k '{}'", folder.join("t.csv").display()));
    assert_eq!(packed.code, 0, "{packed:?}");
    let plain = json(&run_in(&folder, "data t.csv -t kind --json").ok());
    let packed = json(&run_in(&folder, "data t.csv.gz -t kind --json").ok());
    let stream = json(&run_with(&["data", "-", "-t", "kind", "--json"], &table()).ok());
    assert_eq!((&plain["columns"], &plain["target"]), (&packed["columns"], &packed["target"]));
    assert_eq!((&plain["columns"], &plain["target"]), (&stream["columns"], &stream["target"]));
    assert_eq!((&packed["compressed"], &plain["compressed"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(plain["columns"][1]["numbers"]["median"], 31.0);
    assert_eq!(plain["encoding"], "UTF-8");
}

#[test]
fn faults_of_the_table_are_foretold_and_stop_nothing() {
    let folder = folder("data-faults");
    let rows: String = (0..60).map(|i| format!("{},{},{}\n", i, i * 7 % 50, 3)).collect();
    let text = format!("a;b;y\n{}7;8\noops;1;3\n7;7;3\n7;7;3\n", rows.replace(',', ";"));
    fs::write(folder.join("t.csv"), text).expect("a table");
    assert_golden("data_faults.txt", &run_in(&folder, "data t.csv -t y").ok());
    let padded = run_in(&folder, "data t.csv --ragged pad").ok();
    assert!(padded.contains("warning[W308]"), "{padded}");
    assert!(run_in(&folder, "data t.csv -t z").fails(4).contains("E315"));
    assert!(run_in(&folder, "data").fails(2).contains("E001"));
}

#[test]
fn a_large_table_is_drawn_from() {
    let folder = folder("data-large");
    let rows: String = (0..20_000).map(|i| format!("{},{}\n", i % 100, i % 7)).collect();
    fs::write(folder.join("t.csv"), format!("a,b\n{rows}")).expect("a table");
    let shown = run_in(&folder, "data t.csv -t b --max-memory 100K").ok();
    assert!(shown.contains("20000 rows x 2") && shown.contains("warning[W309]"), "{shown}");
}
