//! Configurations, `--set`, flags and the environment; `init`, `schema`, `completions`, `man`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{Run, command, finished, run};

/// A folder of its own with a small table: a class by size, with a category, gaps, and a number for each row.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let mut csv = "id,size,colour,age,kind\n".to_owned();
    for row in 0..120 {
        let (size, colour) = (row * 37 % 101, ["red", "blue", "green"][row % 3]);
        let age = if row % 7 == 0 { String::new() } else { format!("{}", row * 13 % 50) };
        csv += &format!("{},{size}.5,{colour},{age},{}\n", row + 1, if size > 50 { "big" } else { "small" });
    }
    fs::write(folder.join("t.csv"), csv).expect("a table");
    folder
}

/// A run in a folder; words are parted by blanks.
pub(crate) fn run_in(folder: &Path, args: &str) -> Run {
    run_with_env(folder, args, &[])
}

fn run_with_env(folder: &Path, args: &str, env: &[(&str, &str)]) -> Run {
    let mut command = command();
    command.current_dir(folder).args(args.split(' ')).stdin(Stdio::null()).envs(env.iter().copied());
    finished(command.output().expect("the binary starts"))
}

#[track_caller]
fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn a_configuration_gives_the_model_that_its_flags_give() {
    let folder = folder("config-same");
    run_in(&folder, "train t.csv -t kind --epochs 4 --drop colour,age --seed 7 -q -o flags.safetensors").ok();
    let text = "schema = 1\n[data]\npath = 't.csv'\ntarget = 'kind'\ndrop = ['colour', 'age']\n[train]\nepochs = 4\n\
                [run]\nseed = 7\nout = 'file.safetensors'\n";
    fs::write(folder.join("c.toml"), text).expect("a configuration");
    run_in(&folder, "train -c c.toml -q").ok();
    assert!(bytes(&folder, "flags.safetensors") == bytes(&folder, "file.safetensors"));
    let set = "train t.csv -q -s data.target=kind -s train.epochs=4 -s data.drop=[\"colour\",\"age\"] -s run.seed=7";
    run_in(&folder, &format!("{set} -s run.out=set.safetensors")).ok();
    assert!(bytes(&folder, "flags.safetensors") == bytes(&folder, "set.safetensors"));
    run_in(&folder, "train -c c.toml -q --epochs 5 -o other.safetensors").ok();
    assert!(bytes(&folder, "flags.safetensors") != bytes(&folder, "other.safetensors"));
}

#[test]
fn what_print_config_shows_gives_the_same_run_without_its_comments() {
    let folder = folder("config-print");
    fs::create_dir(folder.join("below")).expect("a folder");
    fs::write(
        folder.join("below/c.toml"),
        "[data]\npath = '../t.csv'\ntarget = 'kind'\n[columns.age]\ntype = 'category'\n",
    )
    .expect("a configuration");
    let args = "train -c below/c.toml --epochs 3 -s run.seed=2";
    let env = [("CHAINRULE_THREADS", "2")];
    let shown = run_with_env(&folder, &format!("{args} --print-config"), &env).ok();
    for line in [
        "target = \"kind\"",
        "# below/c.toml:3",
        "# command line, --epochs",
        "# command line, --set",
        "# default",
        "# environment, CHAINRULE_THREADS",
        "[columns.age]",
        "# out is not set",
    ] {
        assert!(shown.contains(line), "{line}:\n{shown}");
    }
    assert!(!folder.join("t.safetensors").exists(), "nothing is trained");
    run_in(&folder, &format!("{args} -q -o one.safetensors")).ok();
    let plain: String = shown.lines().map(|line| line.split(" #").next().unwrap_or(line).to_owned() + "\n").collect();
    fs::write(folder.join("printed.toml"), plain).expect("a configuration");
    run_in(&folder, "train -c printed.toml -q -o two.safetensors").ok();
    assert!(bytes(&folder, "one.safetensors") == bytes(&folder, "two.safetensors"));
}

#[test]
fn faults_of_a_configuration_have_a_line_a_caret_and_a_suggestion() {
    let folder = folder("config-faults");
    for (text, place, code, help) in [
        ("[train]\nepohcs = 5\n", "c.toml:2:1", "E011", "did you mean `train.epochs`?"),
        ("[data]\npath = 't.csv'\ntask = \"regresion\"\n", "c.toml:3:8", "E012", "did you mean `regression`?"),
        ("[train]\nepochs = \"many\"\n", "c.toml:2:10", "E012", "whole number"),
        ("[data\n", "c.toml:1:", "E010", ""),
    ] {
        fs::write(folder.join("c.toml"), text).expect("a configuration");
        let told = run_in(&folder, "train -c c.toml").fails(2);
        assert!(told.contains(place) && told.contains(code) && told.contains(help), "{told}");
    }
    let told = run_in(&folder, "train t.csv -t kind -s train.epohcs=5").fails(2);
    assert!(told.contains("--set:1:1") && told.contains("did you mean `train.epochs`?"), "{told}");
    assert!(run_in(&folder, "train").fails(2).contains("E013"));
    assert!(run_in(&folder, "train -s data.target=kind").fails(2).contains("E013"));
    assert!(run_in(&folder, "train -s data.path=t.csv").fails(2).contains("--target COLUMN"));
    assert!(run_in(&folder, "train -c none.toml").fails(3).contains("E190"));
    assert!(run_in(&folder, "train m.cr --drop a").fails(2).contains("for tables"));
    assert!(run_in(&folder, "train t.csv -t kind --epochs 0").fails(2).contains("at least 1"));
    assert!(run_in(&folder, "train t.csv -t kind --task regresion").fails(2).contains("similar value"));
}

#[test]
fn the_environment_sets_what_changes_no_result_and_nothing_else() {
    let folder = folder("config-env");
    let train = "train t.csv -t kind --epochs 3 -o";
    run_in(&folder, &format!("{train} a.safetensors")).ok_with_notes();
    let env = [("CHAINRULE_THREADS", "2"), ("CHAINRULE_PROGRESS", "none"), ("CHAINRULE_SEED", "9")];
    let told = run_with_env(&folder, &format!("{train} b.safetensors"), &env).ok_with_notes();
    assert!(told.contains("CHAINRULE_SEED is not read") && !told.contains("epoch="), "{told}");
    assert!(bytes(&folder, "a.safetensors") == bytes(&folder, "b.safetensors"));
    let told = run_with_env(&folder, &format!("{train} c.safetensors"), &[("CHAINRULE_THREADS", "many")]).fails(2);
    assert!(told.contains("CHAINRULE_THREADS") && told.contains("E012"), "{told}");
}

#[test]
fn the_settings_travel_in_the_model_and_in_the_folder_of_a_run() {
    let folder = folder("config-travel");
    run_in(&folder, "train t.csv -t kind --epochs 3 --keep id -q --run runs/a").ok();
    let told = run_in(&folder, "show runs/a --config").ok();
    assert!(told.contains("epochs = 3\n") && told.contains("keep = [\"id\"]\n") && !told.contains("t.csv"), "{told}");
    run_in(&folder, "train -c runs/a/config.toml -q -o again.safetensors").ok();
    assert!(bytes(&folder, "runs/a/best.safetensors") == bytes(&folder, "again.safetensors"));
}

#[test]
fn init_writes_a_configuration_that_trains_and_overwrites_nothing() {
    let folder = folder("config-init");
    let told = run_in(&folder, "init t.csv --target kind").ok_with_notes();
    assert!(told.contains("train with: chainrule train -c t.toml"), "{told}");
    let text = fs::read_to_string(folder.join("t.toml")).expect("it is written");
    for line in [
        "path = \"t.csv\"   # 120 rows, 5 columns",
        "target = \"kind\"   # 2 classes: big, small",
        "[columns.size]",
        "# [columns.id]",
        "seed = 0\n",
        "# here 32",
        "18 missing",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    assert!(run_in(&folder, "init t.csv --target kind").fails(2).contains("--force"));
    run_in(&folder, "init t.csv --target kind --force -q").ok();
    run_in(&folder, "train -c t.toml -q -s train.epochs=3 -o a.safetensors").ok();
    run_in(&folder, "train t.csv -t kind -q --epochs 3 -o b.safetensors").ok();
    let weights = |name: &str| run_in(&folder, &format!("predict {name} t.csv")).ok();
    assert!(weights("a.safetensors") == weights("b.safetensors"), "what is written down is what happens anyway");
    assert!(run_in(&folder, "init t.csv --target kin -o -").fails(4).contains("did you mean `kind`?"));
    assert!(run_in(&folder, "init t.csv").fails(2).contains("--target"));
}

#[test]
fn completions_man_pages_and_schemas_are_answers() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell]).ok().contains("print-config"), "{shell}");
    }
    assert!(run(&["man"]).ok().contains(".TH chainrule"));
    assert!(run(&["man", "train"]).ok().contains("print\\-config"));
    assert!(run(&["man", "trian"]).fails(2).contains("did you mean `train`?"));
    let schema: serde_json::Value = serde_json::from_str(&run(&["schema", "config"]).ok()).expect("it is JSON");
    assert_eq!(schema["properties"]["run"]["properties"]["seed"]["anyOf"][1]["type"], "integer");
    assert!(run(&["schema"]).ok().contains("chainrule.config/1"));
    assert!(run(&["schema", "confg"]).fails(2).contains("did you mean `config`?"));
}

#[test]
fn what_is_wished_of_loss_columns_and_rows_stands_in_flags_or_in_a_configuration() {
    let folder = folder("config-wishes");
    let flags = "train t.csv -t kind --epochs 2 --ensemble 1 --class-weight balanced --label-smoothing 0.1 --weights age \
                 --optimizer sgd --schedule constant --clip 2 --scale standard --encode colour=embedding -q -o a.safetensors";
    // The gaps of the weights are told, with their place.
    let refused = run_in(&folder, flags);
    assert!(refused.code == 4 && refused.stderr.contains("error[E341]: the weight of a row is missing"), "{refused:?}");
    run_in(&folder, &flags.replace("--weights age", "--weights size")).ok();
    let text = "[data]\npath = 't.csv'\ntarget = 'kind'\nweights = 'size'\n[columns.colour]\nencode = 'embedding'\n\
                [model]\nensemble = 1\nscale = 'standard'\n[loss]\nclass_weight = 'balanced'\nlabel_smoothing = 0.1\n\
                [train]\nepochs = 2\noptimizer = 'sgd'\nschedule = 'constant'\nclip = 2\n[run]\nout = 'b.safetensors'\n";
    fs::write(folder.join("c.toml"), text).expect("a configuration");
    run_in(&folder, "train -c c.toml -q").ok();
    assert!(bytes(&folder, "a.safetensors") == bytes(&folder, "b.safetensors"));
    let shown = run_in(&folder, "show a.safetensors").stdout;
    for line in [
        "target weights : [N, 1] # how much each example counts: \"size\"",
        "cross_entropy_smooth(Z, Y, smoothing = 0.1, weights = weights .* class_weights(Y, class_weight))",
        "train   sgd(rate = 0.1), batch = 32, epochs = 2, patience = 1, clip_norm = 2,",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    // Predicting needs no weights.
    fs::write(folder.join("new.csv"), "colour,age\nred,4\n").expect("a table");
    assert!(run_in(&folder, "predict a.safetensors new.csv").ok().lines().count() == 2);
    run_in(&folder, "evaluate a.safetensors t.csv").ok();
}

#[test]
fn a_run_with_a_time_ends_by_it_with_all_its_networks() {
    let folder = folder("config-time");
    let run = run_in(&folder, "train t.csv -t kind --epochs 100000000 --patience 100000000 --ensemble 2 --time 1s");
    assert!(run.stdout.contains("the time is over") && run.stdout.contains("2 networks"), "{run:?}");
    assert!(run_in(&folder, "predict t.safetensors t.csv").ok().lines().count() == 121);
}
