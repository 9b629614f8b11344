//! Faults that everybody meets with tables: each message has a code, a place, a cause and a remedy, and is kept to the
//! letter in `tests/golden/error_*.txt`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::settings::run_in;
use crate::support::{Run, assert_golden};

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("errors-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A table of sixty rows.
fn write(folder: &Path, name: &str, header: &str, row: impl Fn(usize) -> String) {
    let rows: String = (0..60).map(|i| row(i) + "\n").collect();
    fs::write(folder.join(name), format!("{header}\n{rows}")).expect("a table");
}

/// What standard error says of a run that ends with a code.
#[track_caller]
fn told(run: Run, code: i32) -> String {
    assert_eq!(run.code, code, "{run:?}");
    run.stderr
}

fn yes_no(i: usize) -> &'static str {
    if i.is_multiple_of(3) { "yes" } else { "no" }
}

#[test]
fn a_target_that_is_not_there_has_a_suggestion() {
    let folder = folder("missing");
    write(&folder, "iris.csv", "sepal,petal,species", |i| format!("{i},{},{}", i * 7 % 11, yes_no(i)));
    assert_golden("error_target_missing.txt", &told(run_in(&folder, "train iris.csv -t specie"), 4));
    let other = told(run_in(&folder, "train iris.csv -t species --drop weight"), 4);
    assert_golden("error_drop_missing.txt", &other);
    fs::write(folder.join("rows.jsonl"), "{\"sepal\":1,\"species\":\"a\"}\n").expect("a table");
    let plain = told(run_in(&folder, "train rows.jsonl -t specie"), 4);
    assert!(plain.contains("did you mean `species`?") && !plain.contains('│'), "{plain}");
}

#[test]
fn a_target_without_two_values_cannot_be_learned() {
    let folder = folder("constant");
    write(&folder, "number.csv", "a,b,y", |i| format!("{i},{},3", i % 7));
    assert_golden("error_constant_target.txt", &told(run_in(&folder, "train number.csv -t y"), 4));
    write(&folder, "class.csv", "a,b,y", |i| format!("{i},{},yes", i % 7));
    assert_golden("error_one_class.txt", &told(run_in(&folder, "train class.csv -t y"), 4));
}

#[test]
fn columns_that_teach_nothing_are_named_with_the_reason() {
    let folder = folder("useless");
    write(&folder, "t.csv", "user_id,name,empty,a,y", |i| format!("{},n{i},,{},{}", 1000 + 3 * i, i % 7, yes_no(i)));
    let told = told(run_in(&folder, "train t.csv -t y --epochs 2 --progress none"), 0);
    for part in ["empty (every value is missing)", "user_id (", "named like an identifier", "name (a different text"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_golden("error_useless_columns.txt", &warnings(&told));
}

/// The lines of warnings.
fn warnings(told: &str) -> String {
    told.lines().filter(|line| line.starts_with("warning[")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn columns_that_know_the_target_and_rare_classes_are_told() {
    let folder = folder("leak");
    write(&folder, "leak.csv", "a,refund,paid", |i| format!("{},{},{}", i * 7 % 11, i * 3 % 10, 2 * (i * 3 % 10) + 1));
    let leak = told(run_in(&folder, "train leak.csv -t paid --epochs 2 --progress none --task regression"), 0);
    assert_golden("error_leak.txt", &warnings(&leak));
    write(&folder, "rare.csv", "a,b,fraud", |i| {
        format!("{},{},{}", i * 7 % 11, i % 5, if i % 30 == 4 { "yes" } else { "no" })
    });
    let rare = told(run_in(&folder, "train rare.csv -t fraud --epochs 2 --progress none"), 0);
    assert_golden("error_rare_class.txt", &warnings(&rare));
    let of = |i: usize| ["common", "usual", "odd"][if i == 7 { 2 } else { i % 2 }];
    write(&folder, "odd.csv", "a,b,kind", |i| format!("{},{},{}", i * 7 % 11, i % 5, of(i)));
    let odd = told(run_in(&folder, "train odd.csv -t kind --epochs 2 --progress none"), 0);
    assert_golden("error_rare_class_of_three.txt", &warnings(&odd));
}

#[test]
fn words_that_training_did_not_know_are_counted_and_shown() {
    let folder = folder("unseen");
    write(&folder, "t.csv", "a,colour,y", |i| format!("{},{},{}", i % 7, ["red", "blue"][i % 2], yes_no(i)));
    run_in(&folder, "train t.csv -t y --epochs 2 -q").ok();
    fs::write(folder.join("new.csv"), "colour,a\nred,1\npink,2\nteal,3\nlime,4\npink,5\ngold,6\n").expect("a table");
    assert_golden("error_unseen_category.txt", &told(run_in(&folder, "predict t.safetensors new.csv"), 0));
    fs::write(folder.join("less.csv"), "color,a\nred,1\n").expect("a table");
    assert_golden("error_column_missing.txt", &told(run_in(&folder, "predict t.safetensors less.csv"), 4));
}

#[test]
fn the_order_of_the_columns_does_not_matter() {
    let folder = folder("order");
    write(&folder, "t.csv", "a,b,y", |i| format!("{},{},{}", i % 7, i * 5 % 11, yes_no(i)));
    write(&folder, "s.csv", "y,extra,b,a", |i| format!("{},x,{},{}", yes_no(i), i * 5 % 11, i % 7));
    run_in(&folder, "train t.csv -t y --epochs 2 -q").ok();
    let of = |table: &str| run_in(&folder, &format!("predict t.safetensors {table}")).ok();
    assert_eq!(of("t.csv"), of("s.csv"));
}

const DIVERGES: &str = "input  X : [N, 2]\ntarget Y : [N, 1]\nH = relu(dense(X, 8))\nZ = dense(H, 1)\npredict Z\n\
                        loss   mse(Z, Y)\ntrain  sgd(rate = 1e6), batch = 8, epochs = 20, dtype = f32\n";

#[test]
fn a_run_that_diverges_names_the_place_the_rate_and_two_remedies() {
    let folder = folder("diverges");
    write(&folder, "t.csv", "a,b,y", |i| format!("{},{},{}", i % 7, i * 5 % 11, i * 3));
    fs::write(folder.join("m.cr"), DIVERGES).expect("a model");
    let told = told(run_in(&folder, "train t.csv -t y -m m.cr -q"), 7);
    assert!(told.contains("m.cr:"), "the place is told: {told}");
    assert_golden("error_diverged.txt", &told);
}

#[test]
fn units_that_are_dead_are_told() {
    let folder = folder("dead");
    let text = "input  X : [N, 2]\ntarget Y : [N, 1]\nparam W : [2, 8] ~ normal(0, 0.1)\nparam b : [1, 8] = -1000\n\
                H = relu(X*W + b)\nZ = dense(H, 1)\npredict Z\nloss mse(Z, Y)\n\
                train sgd(rate = 0.01), batch = all, epochs = 2\n";
    write(&folder, "t.csv", "a,b,y", |i| format!("{},{},{}", i % 7, i * 5 % 11, i * 3));
    fs::write(folder.join("m.cr"), text).expect("a model");
    let told = told(run_in(&folder, "train t.csv -t y -m m.cr --progress none"), 0);
    let note = told.lines().find(|line| line.contains("dead ReLUs")).unwrap_or_else(|| panic!("{told}"));
    assert_golden("error_dead_units.txt", &format!("{note}\n"));
}

#[test]
fn faults_of_a_configuration_are_shown_at_their_place() {
    let folder = folder("config");
    fs::write(folder.join("c.toml"), "schema = 1\n\n[train]\nepohcs = 50\n").expect("a configuration");
    assert_golden("error_config_key.txt", &told(run_in(&folder, "train -c c.toml"), 2));
    fs::write(folder.join("c.toml"), "[data]\ndrop = \"id\"\n").expect("a configuration");
    assert_golden("error_config_value.txt", &told(run_in(&folder, "train -c c.toml"), 2));
}
