//! What can be wished of the default network and of single columns, beyond what suits a table by itself.

use chainrule::data::columns::{ColumnOptions, ColumnReport};
use chainrule::data::encode::{Encoding, Feature};
use chainrule::data::preprocess::Preprocessing;
use chainrule::data::table::Table;
use chainrule::train::session::Session;
use chainrule::train::settings::{Settings, assignment};
use chainrule::train::source::SourceError;
use chainrule::train::{Flow, TrainError};

fn table(text: &str) -> Table {
    Table::from_bytes("t.csv", text.as_bytes()).unwrap()
}

/// A run on a table with these settings, and the text of its network.
fn session(text: &str, wishes: &[&str]) -> Result<Session, SourceError> {
    let mut settings = Settings::default();
    settings.lay(wishes.iter().map(|wish| assignment(wish).unwrap()));
    settings.recipe().session(table(text), None, None)
}

/// A line of the text of the network for a table.
#[track_caller]
fn line(table: &str, wishes: &[&str], start: &str) -> String {
    let session = session(table, wishes).unwrap();
    let found = session.program.source.lines().find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line `{start}` in:\n{}", session.program.source)).to_owned()
}

#[track_caller]
fn refusal(table: &str, wishes: &[&str]) -> String {
    format!("{:?}", session(table, wishes).unwrap_err())
}

/// Rows of two numbers; of every five classes one is `rare`. The last ten are for validation.
fn unequal(weight: impl Fn(usize, bool) -> usize, copies: impl Fn(usize, bool) -> usize) -> String {
    let mut text = "a,b,w,part,y\n".to_owned();
    for row in 0..60 {
        let rare = row % 5 == 0;
        let (a, b) = ((row * 37 % 23) as f64 / 10.0 + f64::from(u8::from(rare)), (row * 17 % 13) as f64 / 7.0);
        let class = if rare { "rare" } else { "usual" };
        for _ in 0..copies(row, rare) {
            let part = if row < 50 { "train" } else { "validation" };
            text += &format!("{a},{b},{},{part},{class}\n", weight(row, rare));
        }
    }
    text
}

/// Settings of a run without anything random but the starting values: what is trained on is all that matters.
const PLAIN: &[&str] = &[
    "data.target=y",
    "data.split.column=part",
    "model.dropout=0",
    "model.bins=0",
    "model.scale=none",
    "model.ensemble=1",
    "model.units=4",
    "train.batch=all",
    "train.epochs=30",
    "train.optimizer=sgd(rate = 0.5)",
    "run.precision=f64",
];

fn trained(text: &str, wishes: &[&str]) -> Vec<f64> {
    let wishes: Vec<&str> = PLAIN.iter().chain(wishes).copied().collect();
    let outcome = session(text, &wishes).unwrap().run(&mut |_| Flow::Continue).unwrap();
    outcome.trained.members[0].parameters.clone()
}

#[track_caller]
fn same(left: &[f64], right: &[f64]) {
    assert_eq!(left.len(), right.len());
    for (l, r) in left.iter().zip(right) {
        assert!((l - r).abs() <= 1e-9 * (1.0 + l.abs()), "{l} and {r}");
    }
}

#[test]
fn a_row_of_weight_two_is_a_row_that_stands_twice() {
    let twice = |row: usize, _: bool| 1 + row % 3;
    let weighted = trained(&unequal(twice, |_, _| 1), &["data.weights=w"]);
    same(&weighted, &trained(&unequal(|_, _| 1, twice), &["data.drop=w"]));
    let unweighted = trained(&unequal(|_, _| 1, |_, _| 1), &["data.drop=w"]);
    assert!(weighted.iter().zip(&unweighted).any(|(w, u)| (w - u).abs() > 1e-3), "the weights do nothing");
}

#[test]
fn balanced_classes_weigh_what_as_many_copies_would() {
    let table = unequal(|_, _| 1, |_, _| 1);
    let balanced = trained(&table, &["data.drop=w", "loss.class_weight=balanced"]);
    same(&balanced, &trained(&unequal(|_, _| 1, |_, rare| if rare { 4 } else { 1 }), &["data.drop=w"]));
    same(&balanced, &trained(&table, &["data.drop=w", "classes.rare.weight=4"]));
    // Both: the class counts four times as much as a fair share.
    let both = trained(&table, &["data.drop=w", "loss.class_weight=balanced", "classes.rare.weight=4"]);
    same(&both, &trained(&table, &["data.drop=w", "classes.rare.weight=16"]));
}

#[test]
fn weights_must_be_numbers_of_at_least_zero() {
    let negative = unequal(|_, _| 1, |_, _| 1).replacen(",1,train", ",-1,train", 1);
    assert!(refusal(&negative, &["data.target=y", "data.weights=w"]).contains("BadWeight"));
    let missing = unequal(|_, _| 1, |_, _| 1).replacen(",1,train", ",,train", 1);
    assert!(refusal(&missing, &["data.target=y", "data.weights=w"]).contains("missing: true"));
}

const NUMBERS: &str =
    "x,y\n1,2.5\n2,3.5\n3,1.25\n4,7.5\n5,2.25\n6,9.5\n7,1.5\n8,2.75\n9,3.25\n10,4.5\n11,6.5\n12,0.5\n";

#[test]
fn a_loss_is_chosen_by_name_and_with_arguments() {
    assert_eq!(line(NUMBERS, &["data.target=y"], "loss"), "loss    mse(Z, Y)");
    let huber = ["data.target=y", "loss.name=huber(delta = 0.5)"];
    assert_eq!(line(NUMBERS, &huber, "loss"), "loss    huber(Z, Y, delta = 0.5)");
    let classes = unequal(|_, _| 1, |_, _| 1);
    let smooth = ["data.target=y", "loss.label_smoothing=0.1", "loss.class_weight=balanced"];
    assert_eq!(
        line(&classes, &smooth, "loss"),
        "loss    cross_entropy_smooth(Z, Y, smoothing = 0.1, weights = class_weights(Y, class_weight))"
    );
    assert_eq!(line(&classes, &smooth, "state"), "state class_weight : [1, 2] = [2.5, 0.625]");
    assert!(refusal(NUMBERS, &["data.target=y", "loss.name=focal"]).contains("there are: mse, mae, huber"));
    assert!(refusal(NUMBERS, &["data.target=y", "loss.class_weight=balanced"]).contains("only classes"));
    assert!(refusal(&classes, &["data.target=y", "classes.odd.weight=2"]).contains("`rare`, `usual`"));
}

#[test]
fn an_update_rule_gets_the_rate_and_the_decay_that_it_takes() {
    let train = |wishes: &[&str]| {
        let wishes: Vec<&str> = ["data.target=y"].iter().chain(wishes).copied().collect();
        line(NUMBERS, &wishes, "train").split(", batch").next().unwrap().to_owned()
    };
    assert_eq!(train(&[]), "train   adamw(rate = cosine(0.003), decay = 0.1)");
    assert_eq!(train(&["train.optimizer=sgd"]), "train   sgd(rate = cosine(0.1))");
    assert_eq!(train(&["train.optimizer=lion", "train.rate=0.01"]), "train   lion(rate = cosine(0.01), decay = 0)");
    assert_eq!(train(&["train.optimizer=rprop"]), "train   rprop()");
    assert_eq!(train(&["train.schedule=constant"]), "train   adamw(rate = 0.003, decay = 0.1)");
    let cycle = train(&["train.schedule=one_cycle(rise = 0.2)", "train.decay=0"]);
    assert_eq!(cycle, "train   adamw(rate = one_cycle(0.003, rise = 0.2), decay = 0)");
    assert!(line(NUMBERS, &["data.target=y", "train.clip=1"], "train").contains(", clip_norm = 1, "));
    // What a schedule lacks is told with the text that the choice has made.
    assert!(refusal(NUMBERS, &["data.target=y", "train.schedule=exponential"]).starts_with("Preset"));
}

#[test]
fn every_name_that_may_be_chosen_makes_a_network_that_learns() {
    use chainrule::model::preset::family::Family;
    let classes = unequal(|_, _| 1, |_, _| 1);
    let learns = |table: &str, wish: &str| {
        let wishes = ["data.target=y", "model.ensemble=1", "model.units=4", "train.epochs=1", wish];
        let session = session(table, &wishes).unwrap_or_else(|error| panic!("{wish}: {error:?}"));
        match session.run(&mut |_| Flow::Continue) {
            // A logarithm is no function of all numbers.
            Err(TrainError::Diverged(_)) if wish.contains("=log") => {}
            outcome => drop(outcome.unwrap_or_else(|error| panic!("{wish}: {error:?}"))),
        }
    };
    for name in Family::Activation.names() {
        learns(NUMBERS, &format!("model.activation={name}"));
    }
    for name in Family::Optimizer.names() {
        learns(NUMBERS, &format!("train.optimizer={name}"));
    }
    for name in Family::Loss.names() {
        let fits = |table: &str| session(table, &["data.target=y", &format!("loss.name={name}")]).is_ok();
        let counts = NUMBERS.replace(".25", "").replace(".75", "").replace(".5", "");
        let on = [&classes, NUMBERS, &counts].into_iter().find(|table| fits(table));
        match on {
            Some(table) => learns(table, &format!("loss.name={name}")),
            None => assert_eq!(name, "poisson", "a loss for no target"),
        }
    }
}

fn fitted(text: &str, wishes: &[&str]) -> Preprocessing {
    let mut settings = Settings::default();
    settings.lay(wishes.iter().map(|wish| assignment(wish).unwrap()));
    let options = ColumnOptions { ..settings.recipe().table.columns };
    let table = table(text);
    let report = ColumnReport::infer(&table, &["y".to_owned()], &options).unwrap();
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    Preprocessing::fit(&table, &rows, &report, &Encoding::default()).unwrap()
}

const GAPS: &str = "n,c,y\n1,red,1.5\n1,red,2.5\n,blue,3.5\n4,,4.5\n6,red,0.5\n";

#[test]
fn a_column_says_what_stands_for_its_gaps() {
    let number = |wish: &str| match &fitted(GAPS, &[wish]).features[0] {
        Feature::Number { number, .. } => (number.fill, number.missing_flag),
        other => panic!("{other:?}"),
    };
    assert_eq!(number("columns.n.missing=auto"), (2.5, true));
    assert_eq!(number("columns.n.missing=median"), (2.5, false));
    assert_eq!(number("columns.n.missing=mean"), (3.0, false));
    assert_eq!(number("columns.n.missing=most_frequent"), (1.0, false));
    let x = |wish: &str| {
        let (inputs, notes) = fitted(GAPS, &[wish]).inputs(&table("n,c\n1,\n")).unwrap();
        (inputs[0].1.values.last().copied(), inputs[0].1.cols, notes.unseen.len())
    };
    // A label of its own; else the gap is a `red` one, the last of two labels.
    assert_eq!(x("columns.c.missing=auto"), (Some(1.0), 5, 0));
    assert_eq!(x("columns.c.missing=most_frequent"), (Some(1.0), 4, 0));
}

#[test]
fn a_column_says_how_it_is_scaled_and_encoded() {
    let standard = fitted(GAPS, &[]);
    let ranked = fitted(GAPS, &["columns.n.scale=quantile"]);
    let Feature::Number { number, .. } = &ranked.features[0] else { panic!("{ranked:?}") };
    assert!(number.rank && standard != ranked);
    assert!(fitted(GAPS, &["columns.c.encode=embedding"]).features[1].is_embedded());
    let refused = |wish: &str| refusal(GAPS, &["data.target=y", wish]);
    assert!(refused("columns.n.encode=onehot").contains("only a category"));
    assert!(refused("columns.c.scale=robust").contains("only a number"));
    assert!(refused("columns.c.missing=mean").contains("no median and no mean"));
    assert!(refused("columns.m.missing=mean").contains("MissingColumn"));
}
