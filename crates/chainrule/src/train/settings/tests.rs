//! The list itself, and what is read, laid over each other and written.

use std::path::Path;

use super::*;

#[test]
fn every_default_is_taken_by_its_own_setting_and_changes_nothing() {
    for setting in SETTINGS {
        let Some(default) = setting.default else { continue };
        let value = setting.takes.of_word(default).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", setting.key));
        let mut recipe = Recipe::default();
        (setting.apply)(&mut recipe, "", &value);
        assert_eq!(recipe, Recipe::default(), "the default of {} is what holds without it", setting.key);
    }
}

#[test]
fn keys_and_flags_and_variables_are_unique_and_the_environment_changes_no_results() {
    let unique = |list: Vec<&str>| {
        let mut sorted = list.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), list.len(), "{list:?}");
    };
    unique(SETTINGS.iter().map(|setting| setting.key).collect());
    unique(SETTINGS.iter().filter_map(|setting| setting.flag.map(|flag| flag.long)).collect());
    unique(SETTINGS.iter().filter_map(|setting| setting.env).collect());
    for setting in SETTINGS.iter().filter(|setting| setting.env.is_some()) {
        assert_eq!(setting.role, Role::Manner, "{} is set by the environment", setting.key);
    }
}

const TEXT: &str = "schema = 1\n[data]\npath = \"t.csv\"\ntarget = 'kind'\ndrop = [\"a\", \"b,c\"]\n\
                    [columns.\"the age\"]\ntype = \"number\"\n[train]\nepochs = 7\nbatch = \"all\"\n";

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.lay(configuration(TEXT, "c.toml", Path::new("below")).unwrap().given);
    settings
}

#[test]
fn a_configuration_becomes_a_recipe_and_its_paths_stand_in_its_folder() {
    let recipe = settings().recipe();
    assert_eq!(recipe.data.as_deref(), Some(Path::new("below/t.csv")));
    assert_eq!((recipe.table.targets.as_slice(), recipe.epochs), (["kind".to_owned()].as_slice(), Some(7)));
    assert_eq!(recipe.table.columns.drop, ["a", "b,c"]);
    assert!(recipe.table.columns.kinds.contains_key("the age"));
}

#[test]
fn the_command_line_stands_above_the_environment_and_both_above_the_file() {
    let mut settings = settings();
    settings.lay(configuration("run.threads = 2", "d.toml", Path::new("")).unwrap().given);
    let variables = |name: &str| (name == "CHAINRULE_THREADS").then(|| "3".to_owned());
    settings.lay(Settings::environment(&variables).unwrap());
    assert_eq!(settings.recipe().threads, Some(3));
    settings.lay([assignment("run.threads=4").unwrap(), assignment("train.epochs = 9").unwrap()]);
    assert_eq!((settings.recipe().threads, settings.recipe().epochs), (Some(4), Some(9)));
    let told = settings.to_toml();
    assert!(told.contains("threads = 4 ") && told.contains("# command line, --set"), "{told}");
    assert!(told.contains("# below") || told.contains("# c.toml:9") || told.contains("# c.toml:3"), "{told}");
    assert!(told.contains("seed = \"auto\"") && told.contains("# default"), "{told}");
}

#[test]
fn what_is_printed_reads_back_to_the_same_recipe() {
    let settings = settings();
    let mut again = Settings::default();
    again.lay(configuration(&settings.to_toml(), "printed", Path::new("")).unwrap().given);
    assert_eq!(again.recipe(), settings.recipe());
    assert_eq!(again.canonical(), settings.canonical());
    assert!(!settings.canonical().contains("t.csv"), "paths are no part of a model");
    assert!(settings.canonical().contains("[columns.\"the age\"]\ntype = \"number\"\n"), "{}", settings.canonical());
}

#[track_caller]
fn fault(text: &str, code: &str, place: &str, help: &str) {
    let fault = configuration(text, "c.toml", Path::new("")).expect_err(text);
    let span = fault.span.start as usize..fault.span.end as usize;
    assert_eq!((fault.code, &text[span]), (code, place), "{fault:?}");
    assert!(fault.help.clone().unwrap_or_default().contains(help), "{fault:?}");
}

#[test]
fn faults_have_a_place_and_name_what_was_meant() {
    fault("[train]\nepohcs = 5", "E011", "epohcs", "did you mean `train.epochs`?");
    fault("[trian]\nepochs = 5", "E011", "trian", "did you mean `train`?");
    fault("[train]\nseed = 5", "E011", "seed", "did you mean `run.seed`?");
    fault("[columns.age]\nkind = 'number'", "E011", "kind", "there are: type");
    fault("[train]\nepochs = 0", "E012", "0", "");
    fault("[train]\nepochs = \"many\"", "E012", "\"many\"", "");
    fault("[data]\ntask = \"regresion\"", "E012", "\"regresion\"", "did you mean `regression`?");
    fault("[data]\ndrop = 'a'", "E012", "'a'", "[\"one\", \"two\"]");
    fault("data = 5", "E012", "5", "[data]");
    fault("schema = 2", "E012", "2", "later release");
    assert_eq!(configuration("[data\n", "c", Path::new("")).expect_err("no TOML").code, "E010");
}

#[test]
fn assignments_take_words_without_quotes_and_say_where_they_are_wrong() {
    let given = assignment("data.drop=a, b").unwrap();
    assert_eq!(given.value, Value::Names(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(assignment("data.target=1").unwrap().value, Value::Text("1".to_owned()));
    assert_eq!(assignment("data.target=\"a=b\"").unwrap().value, Value::Text("a=b".to_owned()));
    assert_eq!(assignment("columns.\"a.b\".type=category").unwrap().key.column, "a.b");
    for (text, code, place) in
        [("train.epohcs=5", "E011", "train.epohcs"), ("train.epochs=x", "E012", "x"), ("train=1", "E012", "train")]
    {
        let fault = assignment(text).expect_err(text);
        let span = fault.span.start as usize..fault.span.end as usize;
        assert_eq!((fault.code, &text[span]), (code, place), "{fault:?}");
    }
    assert!(assignment("epochs").is_err() && assignment("=").is_err());
}

#[test]
fn a_space_has_choices_and_ranges() {
    let text = "[tune.space]\n\"train.batch\" = [16, \"all\"]\ntrain.patience = { from = 2, to = 50, scale = \"log\" }";
    let space = configuration(text, "c", Path::new("")).unwrap().space;
    assert_eq!((space[0].values.len(), space[0].between), (2, None));
    assert_eq!((space[1].values.clone(), space[1].between), (vec![Value::Whole(2), Value::Whole(50)], Some(true)));
    for text in ["tune.space.train.epohcs = [1]", "tune.space.train.epochs = {from = 3}", "tune.trials = 3"] {
        assert!(configuration(text, "c", Path::new("")).is_err(), "{text}");
    }
}

#[test]
fn the_schema_has_every_setting() {
    let schema = schema();
    assert_eq!(schema["properties"]["train"]["properties"]["epochs"]["default"], "auto");
    assert_eq!(schema["properties"]["columns"]["additionalProperties"]["properties"]["type"]["enum"][0], "number");
}
