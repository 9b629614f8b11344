//! Column types and preprocessing: what is used, what is ignored and why, and what becomes of the cells.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so aloud")]

use chainrule::data::columns::{ColumnOptions, ColumnReport, Kind, Task};
use chainrule::data::error::DataError;
use chainrule::data::preprocess::Preprocessing;
use chainrule::data::split::split_by_class;
use chainrule::data::table::Table;
use chainrule::data::target::Target;

fn table(text: &str) -> Table {
    Table::from_bytes("t.csv", text.as_bytes()).unwrap()
}

fn fit(table: &Table, target: &str) -> Result<Preprocessing, DataError> {
    let report = ColumnReport::infer(table, target, &ColumnOptions::default())?;
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    Preprocessing::fit(table, &rows, &report)
}

/// A file of the shared test data, if it is there.
fn shared(name: &str) -> Option<Table> {
    let path = format!("{}/../../../shared/data/{name}", env!("CARGO_MANIFEST_DIR"));
    if !std::path::Path::new(&path).exists() {
        eprintln!("SKIPPED: {path} is not there");
        return None;
    }
    Some(Table::read(path).unwrap())
}

fn kinds(report: &ColumnReport) -> Vec<(&str, Kind)> {
    report.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect()
}

#[test]
fn numbers_are_standardised_and_gaps_flagged() {
    let train = table("x,y\n1,10\n2,20\n,30\n6,41\n");
    let fitted = fit(&train, "y").unwrap();
    assert_eq!(fitted.feature_names(), ["x", "x (missing)"]);
    let (features, notes) = fitted.features(&train).unwrap();
    let scale = (14.0_f64 / 3.0).sqrt();
    let expected = [-2.0 / scale, 0.0, -1.0 / scale, 0.0, -1.0 / scale, 1.0, 3.0 / scale, 0.0];
    for (value, expected) in features.values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-15, "{value} {expected}");
    }
    assert_eq!((features.rows, features.cols), (4, 2));
    assert_eq!(notes, Default::default());
    let targets = fitted.targets(&train).unwrap();
    assert!((fitted.restore(targets.values[3]) - 41.0).abs() < 1e-12);
}

#[test]
fn categories_are_one_hot_and_new_ones_are_reported() {
    let train = table("c,n,y\nred,1,no\nblue,2,yes\n,3,no\nred,5,yes\nblue,6,no\nred,7,no\n");
    let fitted = fit(&train, "y").unwrap();
    assert_eq!(fitted.feature_names(), ["c=blue", "c=red", "c=(missing)", "n"]);
    assert_eq!(fitted.target.labels().unwrap(), ["no", "yes"]);
    let other = table("extra,n,c\n0,1,green\n0,,red\n0,2,green\n0,2,pink\n0,2,\n0,2,cyan\n0,1,gold\n");
    let (features, notes) = fitted.features(&other).unwrap();
    assert_eq!(features.row(0)[..3], [0.0, 0.0, 0.0]);
    assert_eq!(features.row(1)[..3], [0.0, 1.0, 0.0]);
    assert_eq!(features.row(4)[..3], [0.0, 0.0, 1.0]);
    assert_eq!((notes.unseen[0].column.as_str(), notes.unseen[0].count), ("c", 5));
    assert_eq!(notes.unseen[0].first, ["green", "pink", "cyan"]);
    assert_eq!(notes.filled, [("n".to_string(), 1)]);
    let targets = fitted.targets(&train).unwrap();
    assert_eq!(targets.row(1), [0.0, 1.0]);
}

#[test]
fn statistics_come_from_the_given_rows_only() {
    let all = table("x,c,y\n1,a,1.5\n3,a,2.5\n1000,b,9.5\n7,a,3.25\n8,b,1\n9,b,2\n");
    let report = ColumnReport::infer(&all, "y", &ColumnOptions::default()).unwrap();
    let fitted = Preprocessing::fit(&all, &[0, 1], &report).unwrap();
    assert_eq!(fitted.feature_names(), ["x", "c=a"]);
    assert_eq!(fitted.features(&all).unwrap().0.row(2), [998.0, 0.0]);
    assert_eq!(fitted.target, Target::Number { name: "y".into(), mean: 2.0, scale: 0.5 });
}

#[test]
fn json_gives_the_same_bits_back() {
    let train = table("x,c,y\n0.1,a,1.7\n0.2,b,2.3\n0.7,a,0.1\n");
    let fitted = fit(&train, "y").unwrap();
    assert_eq!(Preprocessing::from_json(&fitted.to_json()).unwrap(), fitted);
    for (from, to) in [("\"scale\":", "\"scale\":-"), ("{", "{\"more\":1,"), ("\"mean\":", "\"mean\":1e999,\"m\":")] {
        let text = fitted.to_json().replacen(from, to, 1);
        assert_eq!(Preprocessing::from_json(&text).unwrap_err().code(), "E322", "{text}");
    }
}

#[test]
fn bad_cells_and_targets_are_refused_with_place() {
    let many = |cell: &str| {
        let rows: String = (0..60).map(|row| format!("{}.5,{}\n", row * 3, row * row)).collect();
        format!("x,y\n{rows}{cell},7\n")
    };
    // Text, target, code, line, column.
    let cases: &[(String, &str, &str, usize, usize)] = &[
        (many("1e400"), "y", "E314", 62, 1),
        (many("-inf"), "y", "E314", 62, 1),
        (many("abc"), "y", "E313", 62, 1),
        (many("0x10"), "y", "E313", 62, 1),
        (many("1e308").replace("x,y\n", "x,y\n-1e308,1\n1.7e308,1\n"), "y", "E314", 3, 1),
        ("x,price\n1,2\n2,3\n".into(), "prise", "E315", 0, 0),
        ("x,y\n1,2\n2,\n4,3\n".into(), "y", "E316", 3, 3),
        ("x,y\n1,2\n2,2\n".into(), "y", "E317", 0, 0),
        ("x,y\n1,\n2,NA\n".into(), "y", "E317", 0, 0),
        ("x,y\n1,1e999\n2,2\n3,8\n".into(), "y", "E314", 2, 3),
        ("x,y\n5,1\n5,2\n5,7\n".into(), "y", "E318", 0, 0),
        ("y\n1\n2\n3\n".into(), "y", "E318", 0, 0),
        ("x,y\n1,2\n".into(), "y", "E317", 0, 0),
    ];
    for (text, target, code, line, column) in cases {
        let error = fit(&table(text), target).expect_err(text);
        let place = error.place().map_or((0, 0), |place| (place.line, place.column));
        assert_eq!((error.code(), place), (*code, (*line, *column)), "{text}: {error}");
    }
    let error = fit(&table("x,price\n1,2\n2,3\n"), "prise").unwrap_err();
    assert_eq!(error.help().unwrap(), "did you mean `price`?");
    let fitted = fit(&table("x,z,y\n1,2,a\n2,3,b\n4,4,a\n"), "y").unwrap();
    assert_eq!(fitted.features(&table("X,z\n1,2\n")).unwrap_err().help().unwrap(), "did you mean `X`?");
    let error = fitted.targets(&table("x,z,y\n1,2,a\n1,2,c\n")).unwrap_err();
    assert_eq!((error.code(), error.place().unwrap().line), ("E319", 3));
}

#[test]
fn tasks_follow_the_target_and_can_be_asked_for() {
    let rows: String = (0..100).map(|row| format!("{}.5,{},{}\n", row, row % 4, row * 7)).collect();
    let data = table(&format!("x,few,many\n{rows}"));
    let target = |name: &str, task| {
        let options = ColumnOptions { task, ..ColumnOptions::default() };
        ColumnReport::infer(&data, name, &options).map(|report| report.target)
    };
    assert_eq!(target("few", Task::Auto).unwrap().labels().unwrap(), ["0", "1", "2", "3"]);
    assert_eq!(target("few", Task::Regression).unwrap().labels(), None);
    assert_eq!(target("many", Task::Auto).unwrap().labels(), None);
    assert_eq!(target("many", Task::Classification).unwrap_err().code(), "E317");
}

#[test]
fn numeric_labels_have_one_spelling() {
    let fitted = fit(&table("x,y\n1,1\n2,0\n4,1.0\n3,-0\n"), "y").unwrap();
    assert_eq!(fitted.target.labels().unwrap(), ["0", "1"]);
    assert_eq!(fitted.target.classes(&table("y\n01\n0.0\n")).unwrap().unwrap(), [1, 0]);
}

#[test]
fn identifiers_are_ignored_unless_nothing_else_is_there() {
    let rows: String = (1..=30).map(|row| format!("{row},{},{}.25\n", 5000 + row * 37, row * row)).collect();
    let data = table(&format!("n,user_id,y\n{rows}"));
    let report = ColumnReport::infer(&data, "y", &ColumnOptions::default()).unwrap();
    assert_eq!(kinds(&report), [("n", Kind::Number), ("user_id", Kind::Number), ("y", Kind::Target)]);
    let rows: String = (1..=30).map(|row| format!("{row},{},{}.25\n", row % 7, row * row)).collect();
    let data = table(&format!("n,x,y\n{rows}"));
    let report = ColumnReport::infer(&data, "y", &ColumnOptions::default()).unwrap();
    assert_eq!(kinds(&report), [("n", Kind::Identifier), ("x", Kind::Number), ("y", Kind::Target)]);
    let options = ColumnOptions { keep: vec!["n".into()], drop: vec!["x".into()], ..ColumnOptions::default() };
    let report = ColumnReport::infer(&data, "y", &options).unwrap();
    assert_eq!(kinds(&report), [("n", Kind::Number), ("x", Kind::Dropped), ("y", Kind::Target)]);
}

#[test]
fn rows_without_target_can_be_left_out() {
    let mut data = table("x,y\n1,2\n2,\n4,3\n5,?\n6,9\n");
    let mut report = ColumnReport::infer(&data, "y", &ColumnOptions::default()).unwrap();
    let note = report.drop_rows_without_target(&mut data).unwrap();
    assert_eq!(note, "2 rows without `y` left out, the first in line 3");
    assert_eq!((data.rows(), data.text(2, 0)), (3, "6"));
    assert_eq!(report.drop_rows_without_target(&mut data), None);
    assert_eq!(data.place(2, 0).line, 6);
}

#[test]
fn titanic() {
    let Some(data) = shared("titanic.csv") else { return };
    let report = ColumnReport::infer(&data, "Survived", &ColumnOptions::default()).unwrap();
    let expected = [
        ("PassengerId", Kind::Identifier),
        ("Survived", Kind::Target),
        ("Pclass", Kind::Number),
        ("Name", Kind::Identifier),
        ("Sex", Kind::Boolean),
        ("Age", Kind::Number),
        ("SibSp", Kind::Number),
        ("Parch", Kind::Number),
        ("Ticket", Kind::Text),
        ("Fare", Kind::Number),
        ("Cabin", Kind::MostlyMissing),
        ("Embarked", Kind::Category),
    ];
    assert_eq!(kinds(&report), expected);
    assert_eq!(report.columns[10].reason, "77 % of the values are missing");
    assert_eq!(report.columns[8].reason, "76 % of the texts are different");
    let classes = report.target.classes(&data).unwrap().unwrap();
    let (training, validation) = split_by_class(&classes, 0.15, 42);
    assert_eq!((training.len(), validation.len()), (757, 134));
    let fitted = Preprocessing::fit(&data, &training, &report).unwrap();
    let (features, notes) = fitted.features(&data).unwrap();
    assert_eq!(features.rows, 891);
    assert_eq!(
        fitted.feature_names()[..8],
        ["Pclass", "Sex=female", "Sex=male", "Age", "Age (missing)", "SibSp", "Parch", "Fare"]
    );
    assert!(notes.filled.is_empty());
    assert!(features.values.iter().all(|value| value.is_finite()));
}

#[test]
fn housing() {
    let Some(data) = shared("housing.csv") else { return };
    let report = ColumnReport::infer(&data, "median_house_value", &ColumnOptions::default()).unwrap();
    assert_eq!(data.rows(), 20_640);
    assert_eq!(report.used().count(), 9);
    assert_eq!(report.columns[4].missing, 207);
    assert_eq!(report.columns[9].kind, Kind::Category);
    let rows: Vec<u32> = (0..20_640).collect();
    let fitted = Preprocessing::fit(&data, &rows, &report).unwrap();
    let (features, _) = fitted.features(&data).unwrap();
    // Eight numbers, one flag, five categories.
    assert_eq!(features.cols, 14);
    let Target::Number { mean, scale, .. } = fitted.target else { panic!("a number") };
    assert!((mean - 206_855.816_909).abs() < 1e-5 && (scale - 115_392.820_404).abs() < 1e-5, "{mean} {scale}");
}

#[test]
fn ad_clicks() {
    let Some(data) = shared("ad-clicks.csv") else { return };
    let report = ColumnReport::infer(&data, "Clicked on Ad", &ColumnOptions::default()).unwrap();
    assert_eq!(report.target.labels().unwrap(), ["0", "1"]);
    let used: Vec<&str> = report.used().map(|column| column.name.as_str()).collect();
    assert_eq!(used, ["Daily Time Spent on Site", "Age", "Area Income", "Daily Internet Usage", "Male"]);
    let error = ColumnReport::infer(&data, "clicked_on_add", &ColumnOptions::default()).unwrap_err();
    assert_eq!(error.help().unwrap(), "did you mean `Clicked on Ad`?");
}
