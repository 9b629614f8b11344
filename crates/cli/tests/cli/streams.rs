//! Pipes, colours and what the environment says of them, over all verbs.

use std::collections::BTreeSet;
use std::path::Path;

use crate::settings::folder;
use crate::support::{Run, command, finished, run};

/// A command line for every verb, run in this order in a folder with the table `t.csv` and the spiral as `m.cr`.
const VERBS: &[&str] = &[
    "derive m.cr --wrt W2 --steps",
    "emit m.cr --target numpy",
    "verify m.cr --wrt W2 --claim 2*W2",
    "check m.cr",
    "show m.cr",
    "numerics m.cr",
    "lr-find m.cr",
    "explain E204",
    "data t.csv --target kind",
    "data t.csv --json",
    "init t.csv --target kind --force",
    "train t.csv --target kind --epochs 3 --run runs/a --force",
    "train t.csv --target kind --epochs 3",
    "train t.csv --target nothing",
    "resume runs/a",
    "predict runs/a t.csv",
    "evaluate runs/a t.csv",
    "importance runs/a t.csv",
    "dependence runs/a t.csv --column age",
    "learning-curve t.csv --target kind --epochs 2",
    "plot runs/a t.csv --what confusion",
    "report runs/a t.csv -o r.html",
    "cv t.csv --target kind --epochs 2 --folds 2",
    "tune t.csv --target kind --epochs 3 --trials 2 --force",
    "runs",
    "compare runs/a t.safetensors",
    "demo",
    "fit size~a+b*id t.csv",
    "schema config",
    "completions bash",
    "man",
];

fn run_with(folder: &Path, args: &str, env: &[(&str, &str)]) -> Run {
    let mut command = command();
    command.env_remove("CI").envs(env.iter().copied()).current_dir(folder).args(args.split(' '));
    finished(command.stdin(std::process::Stdio::null()).output().expect("it starts"))
}

fn prepared(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    let spiral = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/spiral.cr");
    std::fs::copy(spiral, folder.join("m.cr")).expect("the model of the spiral");
    folder
}

#[test]
fn nothing_that_is_piped_has_control_bytes() {
    let folder = prepared("streams");
    for env in [&[][..], &[("TERM", "xterm-256color")], &[("TERM", "dumb"), ("NO_COLOR", "1")], &[("CI", "true")]] {
        for args in VERBS {
            let run = run_with(&folder, args, env);
            assert!([0, 4, 8].contains(&run.code), "{args}: {run:?}");
            for (stream, text) in [("standard output", &run.stdout), ("standard error", &run.stderr)] {
                let control = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
                assert!(control.is_none(), "{args} writes {control:?} to {stream}: {text}");
            }
        }
    }
}

/// A new verb is tried, too.
#[test]
fn every_verb_is_tried_in_a_pipe() {
    let help = run(&["--help"]).ok();
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list");
    let listed: BTreeSet<&str> = commands
        .lines()
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    let tried: BTreeSet<&str> = VERBS.iter().filter_map(|args| args.split(' ').next()).collect();
    let missing: Vec<&&str> = listed.difference(&tried).filter(|verb| **verb != "help").collect();
    assert!(missing.is_empty(), "not tried: {missing:?}");
}

#[test]
fn colours_are_forced_and_forbidden() {
    let folder = prepared("streams-colour");
    let args = "train t.csv --target nothing";
    let colour = |env: &[(&str, &str)]| run_with(&folder, args, env).stderr.contains('\u{1b}');
    assert!(!colour(&[]) && colour(&[("CLICOLOR_FORCE", "1")]) && !colour(&[("CLICOLOR_FORCE", "0")]));
    assert!(!colour(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "the wish for none stands above");
    assert!(run_with(&folder, "train t.csv -t nothing --color always", &[("NO_COLOR", "1")]).stderr.contains('\u{1b}'));
}
