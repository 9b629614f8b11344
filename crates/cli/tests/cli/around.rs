//! The verbs around training: `cv`, `tune`, `runs`, `compare`, `demo`.

use std::fs;

use crate::settings::{folder, run_in};
use crate::support::run;

#[test]
fn the_demonstration_is_learned_and_drawn() {
    let told = run(&["demo", "-q"]).ok();
    assert!(told.contains("accuracy") && told.contains('⢕') && told.contains("Next\n"), "{told}");
    assert!(run(&["demo", "-q", "--ascii"]).ok().is_ascii());
    let folder = folder("demo");
    let told = run_in(&folder, "demo --table visits.csv").ok_with_notes();
    assert!(told.contains("chainrule train visits.csv --target bought"), "{told}");
    assert!(run_in(&folder, "demo --table visits.csv").fails(2).contains("--force"));
    assert_eq!(run_in(&folder, "demo --table -").ok().lines().count(), 401);
}

#[test]
fn folds_are_the_same_for_every_number_of_threads() {
    let folder = folder("cv-threads");
    let args = "cv t.csv -t kind --epochs 4 --folds 4 --repeats 2 --json -q";
    let one = run_in(&folder, &format!("{args} --threads 1 -o one.csv")).ok();
    let four = run_in(&folder, &format!("{args} --threads 4 -o four.csv")).ok();
    assert_eq!(one, four);
    let held_out = fs::read_to_string(folder.join("one.csv")).expect("predictions");
    assert_eq!(held_out, fs::read_to_string(folder.join("four.csv")).expect("predictions"));
    assert_eq!((held_out.lines().count(), held_out.lines().next()), (121, Some("row,fold,prediction,p_big,p_small")));
    assert_ne!(one, run_in(&folder, &format!("{args} --seed 5")).ok());
}

#[test]
fn a_cross_validation_tells_every_fold_and_their_mean() {
    let folder = folder("cv");
    let told = run_in(&folder, "cv t.csv -t size --epochs 3 --folds 3 -q").ok();
    assert!(told.contains("120 rows in 3 folds, random (seed 0)") && told.contains("rmse"), "{told}");
    assert!(told.contains("\nmean ") && told.contains("\nspread "), "{told}");
    let told = run_in(&folder, "cv t.csv -t kind --epochs 3 --group colour --folds 3 -q").ok();
    assert!(told.contains("grouped"), "{told}");
    assert!(run_in(&folder, "cv t.csv -t kind --group colour --folds 4").fails(4).contains("3 rows where at least 4"));
    assert!(run_in(&folder, "cv t.csv -t kind --group color").fails(4).contains("did you mean `colour`?"));
    assert!(run_in(&folder, "cv t.csv").fails(2).contains("--target"));
    assert!(run_in(&folder, "cv t.csv -t kind --folds 1").fails(2).contains("--folds"));
    assert!(run_in(&folder, "cv t.csv -t kind -o t.csv").fails(2).contains("overwrite"));
    assert!(run_in(&folder, "cv t.csv -t kind -s run.out=a").fails(2).contains("no setting of this command"));
}

#[test]
fn folds_go_forward_in_time_or_by_the_values_of_a_column() {
    let folder = folder("cv-given");
    let told = run_in(&folder, "cv t.csv -t kind --epochs 3 --folds 3 --split-time id --json -q -o held.csv").ok();
    let told: serde_json::Value = serde_json::from_str(&told).expect("a document");
    assert_eq!((&told["manner"], &told["folds"]), (&"forward in time".into(), &3.into()));
    for (fold, (rows, name)) in
        ["31 .. 60", "61 .. 90", "91 .. 120"].into_iter().enumerate().map(|f| (f.0 + 1, (30, f.1)))
    {
        let each = &told["each"][fold - 1];
        // Each fold is trained on all rows before it.
        assert_eq!(
            (&each["training_rows"], &each["rows"], &each["held_out"]),
            (&(30 * fold).into(), &rows.into(), &name.into())
        );
    }
    assert_eq!(fs::read_to_string(folder.join("held.csv")).expect("predictions").lines().count(), 91);
    let told = run_in(&folder, "cv t.csv -t size --epochs 3 --split-column colour -q").ok();
    assert!(told.contains("120 rows in 3 folds, by column") && told.contains("\ngreen          40"), "{told}");
    for (args, code, part) in [
        ("--split-column id", 4, "120 different values"),
        ("--split-column colour --folds 3", 2, "--folds"),
        ("--split-time id --repeats 2", 2, "--repeats"),
        ("--split-time colour --folds 5", 4, "3 different values"),
        ("--val t.csv", 2, "--val"),
    ] {
        let failed = run_in(&folder, &format!("cv t.csv -t kind --epochs 2 {args}")).fails(code).to_owned();
        assert!(failed.contains(part), "{args}: {failed}");
    }
}

#[test]
fn rows_without_a_target_and_lone_classes_are_told() {
    let folder = folder("cv-odd");
    let mut text = fs::read_to_string(folder.join("t.csv")).expect("the table");
    text.push_str("121,5.5,red,3,huge\n122,6.5,red,3,\n");
    fs::write(folder.join("t.csv"), text).expect("the table");
    let run = run_in(&folder, "cv t.csv -t kind --epochs 2 --folds 3 -o held.csv");
    assert!(run.code == 0 && run.stderr.contains("only ones of their class"), "{run:?}");
    let held = fs::read_to_string(folder.join("held.csv")).expect("predictions");
    assert!(held.starts_with("row,fold,prediction,p_big,p_huge,p_small\n") && held.lines().count() == 121, "{held}");
}

const SPACE: &str = "[data]\npath = 't.csv'\ntarget = 'kind'\n[train]\nepochs = 9\n[tune.space]\n\
                     train.batch = [8, 16, 32, 'all']\ntrain.patience = { from = 2, to = 9 }\n";

#[test]
fn a_search_goes_on_with_what_its_log_knows_and_ends_the_same() {
    let folder = folder("tune");
    fs::write(folder.join("s.toml"), SPACE).expect("a configuration");
    let search = "tune -c s.toml --trials 8 --json -q --force";
    let whole = run_in(&folder, &format!("{search} --threads 1 --log a.jsonl")).ok();
    let log = fs::read_to_string(folder.join("a.jsonl")).expect("a log");
    // As after a kill in the middle of a line.
    let half: String = log.lines().take(4).map(|line| format!("{line}\n")).collect::<String>() + "{\"event\":\"tri";
    fs::write(folder.join("a.jsonl"), half).expect("half a log");
    let again = run_in(&folder, &format!("{search} --threads 3 --log a.jsonl")).ok();
    assert_eq!(whole, again);
    let mut lines: Vec<String> =
        fs::read_to_string(folder.join("a.jsonl")).expect("a log").lines().map(str::to_owned).collect();
    let mut first: Vec<String> = log.lines().map(str::to_owned).collect();
    lines.sort();
    first.sort();
    assert_eq!(lines, first, "the same results, whoever came first");
    let known = run_in(&folder, "tune -c s.toml --trials 8 --force --log a.jsonl --no-model");
    assert!(known.code == 0 && !known.stderr.contains("trial="), "nothing is trained again: {known:?}");
}

#[test]
fn a_search_leaves_a_configuration_that_trains_its_best_model() {
    let folder = folder("tune-best");
    fs::write(folder.join("s.toml"), SPACE).expect("a configuration");
    let told = run_in(&folder, "tune -c s.toml --trials 6 -q -o best.toml").ok();
    assert!(told.contains("rank") && told.contains("best.toml") && told.contains("best.safetensors"), "{told}");
    run_in(&folder, "train -c best.toml -q -o again.safetensors").ok();
    let bytes = |name: &str| fs::read(folder.join(name)).expect("a model");
    assert!(bytes("best.safetensors") == bytes("again.safetensors"));
    assert!(run_in(&folder, "tune -c s.toml --trials 6 -o best.toml").fails(2).contains("--force"));
    let other = run_in(&folder, "tune -c s.toml --trials 6 --seed 3 -o other.toml").fails(5);
    assert!(other.contains("E507") && other.contains("--log"), "{other}");
    assert!(run_in(&folder, "tune -c s.toml --by acuracy --force --log b.jsonl").fails(4).contains("accuracy"));
}

#[test]
fn runs_are_listed_and_compared() {
    let folder = folder("runs");
    for seed in [1, 2] {
        run_in(&folder, &format!("train t.csv -t kind --epochs 3 --seed {seed} -q --run runs/s{seed}")).ok();
    }
    fs::create_dir(folder.join("runs/bad")).expect("a folder");
    fs::write(folder.join("runs/bad/last.safetensors"), "no model").expect("a file");
    let told = run_in(&folder, "runs").ok();
    assert!(told.contains("runs/s1  finished") && told.contains("3/3") && told.contains("unreadable"), "{told}");
    let told = run_in(&folder, "compare runs/s1 runs/s2 --on t.csv").ok();
    assert!(told.contains("run.seed") && told.contains("on t.csv") && told.contains("accuracy"), "{told}");
    assert!(!told.contains("train.epochs"), "what is equal is not told: {told}");
    assert!(run_in(&folder, "compare runs/s1 runs/none").fails(5).contains("E50"));
    assert!(run_in(&folder, "runs none").fails(5).contains("E501"));
}
