//! Column types and preprocessing: what is used, what is ignored and why, and what becomes of the cells.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so aloud")]

use chainrule::data::columns::{ColumnOptions, ColumnReport, Kind, Task};
use chainrule::data::datetime::DateOrder;
use chainrule::data::encode::{Encoding, Feature, Scaling};
use chainrule::data::error::DataError;
use chainrule::data::matrix::Matrix;
use chainrule::data::preprocess::{Notes, Preprocessing};
use chainrule::data::split::folds;
use chainrule::data::suspicions::suspicions;
use chainrule::data::table::Table;
use chainrule::data::target::{Target, Transform};

fn table(text: &str) -> Table {
    Table::from_bytes("t.csv", text.as_bytes()).unwrap()
}

fn infer(table: &Table, target: &str, options: &ColumnOptions) -> Result<ColumnReport, DataError> {
    ColumnReport::infer(table, &[target.to_owned()], options)
}

fn fit(table: &Table, target: &str) -> Result<Preprocessing, DataError> {
    fit_with(table, target, &Encoding::default())
}

fn fit_with(table: &Table, target: &str, encoding: &Encoding) -> Result<Preprocessing, DataError> {
    let report = infer(table, target, &ColumnOptions::default())?;
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    Preprocessing::fit(table, &rows, &report, encoding)
}

/// The input `X` of a table.
fn features(fitted: &Preprocessing, table: &Table) -> Result<(Matrix, Notes), DataError> {
    fitted.inputs(table).map(|(mut inputs, notes)| (inputs.remove(0).1, notes))
}

fn names(fitted: &Preprocessing) -> Vec<String> {
    fitted.layout().remove(0).columns
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
    assert_eq!(names(&fitted), ["x", "x (missing)"]);
    let (features, notes) = features(&fitted, &train).unwrap();
    let scale = (14.0_f64 / 3.0).sqrt();
    let expected = [-2.0 / scale, 0.0, -1.0 / scale, 0.0, -1.0 / scale, 1.0, 3.0 / scale, 0.0];
    for (value, expected) in features.values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-15, "{value} {expected}");
    }
    assert_eq!((features.rows, features.cols), (4, 2));
    assert_eq!(notes, Default::default());
    let targets = fitted.targets(&train).unwrap();
    let mut restored = targets.clone();
    fitted.restore(&mut restored);
    assert!((restored.values[3] - 41.0).abs() < 1e-12);
    restored.values.fill(1e9);
    fitted.restore(&mut restored);
    assert_eq!(restored.values, [41.0; 4], "a prediction stays within what training has seen");
}

#[test]
fn categories_are_one_hot_and_new_ones_are_reported() {
    let train = table("c,n,y\nred,1,no\nblue,2,yes\n,3,no\nred,5,yes\nblue,6,no\nred,7,no\n");
    let fitted = fit(&train, "y").unwrap();
    assert_eq!(names(&fitted), ["c=blue", "c=red", "c=(missing)", "n"]);
    assert_eq!(fitted.target.labels().unwrap(), ["no", "yes"]);
    let other = table("extra,n,c\n0,1,green\n0,,red\n0,2,green\n0,2,pink\n0,2,\n0,2,cyan\n0,1,gold\n");
    let (features, notes) = features(&fitted, &other).unwrap();
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
    let report = infer(&all, "y", &ColumnOptions::default()).unwrap();
    let fitted = Preprocessing::fit(&all, &[0, 1], &report, &Encoding::default()).unwrap();
    assert_eq!(names(&fitted), ["x", "c=a"]);
    assert_eq!(features(&fitted, &all).unwrap().0.row(2), [998.0, 0.0]);
    let Target::Numbers { columns } = &fitted.target else { panic!("a number") };
    let y = &columns[0];
    assert_eq!((y.name.as_str(), y.transform, y.mean, y.scale), ("y", Transform::None, 2.0, 0.5));
    assert_eq!((y.low, y.high), (1.5, 2.5));
}

#[test]
fn json_gives_the_same_bits_back() {
    let train = table("x,c,y\n0.1,a,1.7\n0.2,b,2.3\n0.7,a,0.1\n");
    let fitted = fit(&train, "y").unwrap();
    assert_eq!(Preprocessing::from_json(&fitted.to_json()).unwrap(), fitted);
    for (from, to) in [("\"scale\":", "\"scale\":-"), ("{", "{\"more\":1,"), ("\"center\":", "\"center\":1e999,\"m\":")]
    {
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
        ("x,price\n1,2\n2,3\n".into(), "prise", "E315", 1, 3),
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
    assert_eq!(error.label().unwrap(), "did you mean `price`?");
    assert_eq!(error.help().unwrap(), "the columns are x, price");
    let fitted = fit(&table("x,z,y\n1,2,a\n2,3,b\n4,4,a\n"), "y").unwrap();
    assert_eq!(features(&fitted, &table("X,z\n1,2\n")).unwrap_err().label().unwrap(), "did you mean `X`?");
    let error = fitted.targets(&table("x,z,y\n1,2,a\n1,2,c\n")).unwrap_err();
    assert_eq!((error.code(), error.place().unwrap().line), ("E319", 3));
}

#[test]
fn tasks_follow_the_target_and_can_be_asked_for() {
    let rows: String = (0..100).map(|row| format!("{}.5,{},{}\n", row, row % 4, row * 7)).collect();
    let data = table(&format!("x,few,many\n{rows}"));
    let target = |name: &str, task| {
        let options = ColumnOptions { task, ..ColumnOptions::default() };
        infer(&data, name, &options).map(|report| report.target)
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
    let report = infer(&data, "y", &ColumnOptions::default()).unwrap();
    assert_eq!(kinds(&report), [("n", Kind::Number), ("user_id", Kind::Number), ("y", Kind::Target)]);
    let rows: String = (1..=30).map(|row| format!("{row},{},{}.25\n", row % 7, row * row)).collect();
    let data = table(&format!("n,x,y\n{rows}"));
    let report = infer(&data, "y", &ColumnOptions::default()).unwrap();
    assert_eq!(kinds(&report), [("n", Kind::Identifier), ("x", Kind::Number), ("y", Kind::Target)]);
    let options = ColumnOptions { keep: vec!["n".into()], drop: vec!["x".into()], ..ColumnOptions::default() };
    let report = infer(&data, "y", &options).unwrap();
    assert_eq!(kinds(&report), [("n", Kind::Number), ("x", Kind::Dropped), ("y", Kind::Target)]);
}

#[test]
fn rows_without_target_can_be_left_out() {
    let mut data = table("x,y\n1,2\n2,\n4,3\n5,?\n6,9\n");
    let mut report = infer(&data, "y", &ColumnOptions::default()).unwrap();
    let note = report.drop_rows_without_target(&mut data).unwrap();
    assert_eq!(note.to_string(), "warning[W307]: 2 rows without `y` left out, the first in line 3");
    assert_eq!((data.rows(), data.text(2, 0)), (3, "6"));
    assert_eq!(report.drop_rows_without_target(&mut data), None);
    assert_eq!(data.place(2, 0).line, 6);
}

#[test]
fn titanic() {
    let Some(data) = shared("titanic.csv") else { return };
    let report = infer(&data, "Survived", &ColumnOptions::default()).unwrap();
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
    let training: Vec<u32> =
        (0..).zip(folds(&classes, 5, 42)).filter(|&(_, fold)| fold > 0).map(|(row, _)| row).collect();
    assert_eq!(training.len(), 891 - 179);
    let fitted = Preprocessing::fit(&data, &training, &report, &Encoding::default()).unwrap();
    let (features, notes) = features(&fitted, &data).unwrap();
    assert_eq!(features.rows, 891);
    assert_eq!(
        names(&fitted)[..8],
        ["Pclass", "Sex=female", "Sex=male", "Age", "Age (missing)", "SibSp", "Parch", "Fare"]
    );
    assert!(notes.filled.is_empty());
    assert!(features.values.iter().all(|value| value.is_finite()));
}

#[test]
fn housing() {
    let Some(data) = shared("housing.csv") else { return };
    let report = infer(&data, "median_house_value", &ColumnOptions::default()).unwrap();
    assert_eq!(data.rows(), 20_640);
    assert_eq!(report.used().count(), 9);
    assert_eq!(report.columns[4].missing, 207);
    assert_eq!(report.columns[9].kind, Kind::Category);
    let rows: Vec<u32> = (0..20_640).collect();
    let fitted = Preprocessing::fit(&data, &rows, &report, &Encoding::default()).unwrap();
    let (features, _) = features(&fitted, &data).unwrap();
    // Eight numbers, one flag, five categories.
    assert_eq!(features.cols, 14);
    let Target::Numbers { columns } = &fitted.target else { panic!("a number") };
    let (mean, scale) = (columns[0].mean, columns[0].scale);
    assert!((mean - 206_855.816_909).abs() < 1e-5 && (scale - 115_392.820_404).abs() < 1e-5, "{mean} {scale}");
}

#[test]
fn ad_clicks() {
    let Some(data) = shared("ad-clicks.csv") else { return };
    let report = infer(&data, "Clicked on Ad", &ColumnOptions::default()).unwrap();
    assert_eq!(report.target.labels().unwrap(), ["0", "1"]);
    let used: Vec<&str> = report.used().map(|column| column.name.as_str()).collect();
    let numbers = ["Daily Time Spent on Site", "Age", "Area Income", "Daily Internet Usage", "Male"];
    assert_eq!(used, [&numbers[..], &["Timestamp"]].concat());
    assert_eq!(report.columns[8].kind, Kind::DateTime(DateOrder::DayFirst));
    let error = infer(&data, "clicked_on_add", &ColumnOptions::default()).unwrap_err();
    assert_eq!(error.label().unwrap(), "did you mean `Clicked on Ad`?");
}

#[test]
fn dates_are_elapsed_time_and_places_on_circles() {
    let train = table("d,y\n27/03/2016 06:00,1\n28/03/2016 18:00,2\n,3\n29/03/2016,5\n");
    let fitted = fit(&train, "y").unwrap();
    let Feature::DateTime { order, with_time, number, .. } = &fitted.features[0] else { panic!("a date") };
    assert_eq!((*order, *with_time, number.missing_flag), (DateOrder::DayFirst, true, true));
    assert_eq!(names(&fitted)[..3], ["d", "d (day sine)", "d (day cosine)"]);
    assert_eq!(names(&fitted).last().unwrap(), "d (missing)");
    let (x, _) = features(&fitted, &train).unwrap();
    assert!((x.row(0)[1] - 1.0).abs() < 1e-12 && x.row(0)[2].abs() < 1e-12, "six o'clock is a quarter of the day");
    assert_eq!((x.row(2)[1], x.row(2)[7]), (0.0, 1.0));
    let error = features(&fitted, &table("d\n2016-03-27\n")).unwrap_err();
    assert_eq!((error.code(), error.place().unwrap().line), ("E340", 2));
}

#[test]
fn robust_scaling_does_not_see_outliers_and_clips_them() {
    let rows: String =
        (0..101).map(|row| format!("{},{}\n", if row == 100 { 1_000_000 } else { row }, row % 7)).collect();
    let encoding = Encoding { scaling: Scaling::Robust, ..Encoding::default() };
    let data = table(&format!("x,y\n{rows}"));
    let fitted = fit_with(&data, "y", &encoding).unwrap();
    let (x, _) = features(&fitted, &data).unwrap();
    assert_eq!(x.values[50], 0.0);
    let z = 25.0 / (50.0 / 1.349);
    assert!((x.values[75] - z / (1.0 + z * z / 9.0_f64).sqrt()).abs() < 1e-12, "{}", x.values[75]);
    assert!(x.values[100] < 3.0 && x.values[100] > 2.99);
}

#[test]
fn positions_count_the_knots_below_a_value() {
    let rows: String = (0..200).map(|row| format!("{},{}\n", row, row % 3)).collect();
    let data = table(&format!("x,y\n{rows}"));
    let fitted = fit_with(&data, "y", &Encoding { bins: 4, ..Encoding::default() }).unwrap();
    let (inputs, _) = fitted.inputs(&table("x\n-5\n0\n49.75\n74.625\n199\n1000\n")).unwrap();
    assert_eq!((inputs[1].0.as_str(), &inputs[1].1.values[..]), ("U", &[0.0, 0.0, 1.0, 1.5, 4.0, 4.0][..]));
}

#[test]
fn rare_labels_share_a_column_that_new_labels_take() {
    let rows: String = (0..40).map(|row| format!("{},{}\n", ["a", "b"][row % 2], row % 3)).collect();
    let data = table(&format!("c,y\n{rows}rare,1\n"));
    let fitted = fit_with(&data, "y", &Encoding { rare: 3, ..Encoding::default() }).unwrap();
    assert_eq!(names(&fitted), ["c=a", "c=b", "c=(other)"]);
    let (x, notes) = features(&fitted, &table("c\nrare\nnew\nb\n")).unwrap();
    assert_eq!((x.row(0), x.row(1), x.row(2)), (&[0.0, 0.0, 1.0][..], &[0.0, 0.0, 1.0][..], &[0.0, 1.0, 0.0][..]));
    assert_eq!((notes.unseen[0].count, notes.unseen[0].or_rare), (2, true));
}

#[test]
fn large_categories_are_inputs_of_their_own() {
    let rows: String = (0..60).map(|row| format!("l{},{},{}\n", row % 6, row % 2, row % 3)).collect();
    let data = table(&format!("c,x,y\n{rows}"));
    let fitted = fit_with(&data, "y", &Encoding { one_hot: 4, ..Encoding::default() }).unwrap();
    let (inputs, _) = fitted.inputs(&data).unwrap();
    assert_eq!(inputs.iter().map(|(name, m)| (name.as_str(), m.cols)).collect::<Vec<_>>(), [("X", 1), ("C1", 6)]);
    assert_eq!(inputs[1].1.row(7), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn several_numbers_can_be_predicted_at_once() {
    let data = table("x,a,b,c\n1,2,10,p\n2,4,20,q\n3,7,35,p\n");
    let targets = ["a".to_owned(), "b".to_owned()];
    let report = ColumnReport::infer(&data, &targets, &ColumnOptions::default()).unwrap();
    let fitted = Preprocessing::fit(&data, &[0, 1, 2], &report, &Encoding::default()).unwrap();
    let mut y = fitted.targets(&data).unwrap();
    fitted.restore(&mut y);
    assert!(y.values.iter().zip([2.0, 10.0, 4.0, 20.0, 7.0, 35.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    let wrong = ["a".to_owned(), "c".to_owned()];
    assert_eq!(ColumnReport::infer(&data, &wrong, &ColumnOptions::default()).unwrap_err().code(), "E317");
}

#[test]
fn logarithms_and_counts_are_asked_for() {
    let data = table("x,y\n1,1\n2,100\n3,10000\n");
    let options = |task, transform| ColumnOptions { task, transform, ..ColumnOptions::default() };
    let report = infer(&data, "y", &options(Task::Auto, Transform::Log)).unwrap();
    let fitted = Preprocessing::fit(&data, &[0, 1, 2], &report, &Encoding::default()).unwrap();
    let y = fitted.targets(&data).unwrap();
    assert!(y.values[1].abs() < 1e-12 && (y.values[0] + y.values[2]).abs() < 1e-12, "{y:?}");
    let report = infer(&data, "y", &options(Task::Count, Transform::None)).unwrap();
    let fitted = Preprocessing::fit(&data, &[0, 1, 2], &report, &Encoding::default()).unwrap();
    assert_eq!(fitted.targets(&data).unwrap().values, [1.0, 100.0, 10000.0]);
    let report = infer(&table("x,y\n1,-1\n2,5\n"), "y", &options(Task::Count, Transform::None)).unwrap();
    let negative = Preprocessing::fit(&table("x,y\n1,-1\n2,5\n"), &[0, 1], &report, &Encoding::default());
    assert_eq!(negative.unwrap_err().code(), "E317");
}

#[test]
fn leaks_and_rare_classes_are_told() {
    let notes = |text: &str| {
        let data = table(text);
        let found = suspicions(&data, &infer(&data, "y", &ColumnOptions::default()).unwrap()).unwrap();
        found.into_iter().map(|note| format!("{} {}", note.code, note.text)).collect::<Vec<String>>()
    };
    let noise = |row: usize| (row * 37 % 101) as f64 / 10.0;
    let rows: String = (0..100).map(|row| format!("{},{},{}\n", noise(row), 3.0 * noise(row) + 1.0, row % 9)).collect();
    let leak = notes(&format!("x,y,z\n{rows}"));
    assert!(leak.len() == 1 && leak[0].starts_with("W301 `x` alone tells `y`"), "{leak:?}");
    let rows: String =
        (0..100).map(|row| format!("{},{},{}\n", row % 2 * 5 + row % 3, row % 7, ["a", "b"][row % 2])).collect();
    let leak = notes(&format!("x,z,y\n{rows}"));
    assert!(leak.len() == 1 && leak[0].contains("`x`"), "{leak:?}");
    let rows: String = (0..100).map(|row| format!("{},{}\n", noise(row), u8::from(row % 50 == 7))).collect();
    assert!(notes(&format!("x,y\n{rows}"))[0].starts_with("W302 only 2.0 % of the rows are `1`"));
    let rows: String = (0..100).map(|row| format!("{},{}\n", noise(row), u8::from(row % 3 == 0))).collect();
    assert_eq!(notes(&format!("x,y\n{rows}")), [""; 0]);
}
