//! The sections of a report.

use chainrule::charts::Picture;
use chainrule::data::columns::Kind;
use chainrule::judge::dependence::{dependence, some_rows};
use chainrule::judge::evaluation::Answers;
use chainrule::judge::importance::{Importances, importances, usual};
use chainrule::judge::metric::find;
use chainrule::judge::page::{Block, Section, Table, Tile};
use chainrule::judge::{Judged, Model, drawn};

use super::Told;
use crate::commands::dependence::positive;
use crate::commands::derive;
use crate::errors::Failure;
use crate::models::{number, train_failure};
use crate::output::Context;

/// Shuffles of each column.
const REPEATS: u32 = 5;
/// Columns whose dependence is drawn: the most important ones.
const DRAWN: usize = 4;
/// The figures that stand out.
const FOR_CLASSES: [&str; 4] = ["accuracy", "auc", "log_loss", "calibration_error"];
const FOR_NUMBERS: [&str; 4] = ["rmse", "mae", "r2", "error_p90"];

fn section(title: &str, blocks: Vec<Block>) -> Section {
    Section { title: title.to_owned(), blocks }
}

fn table(head: &[&str], texts: &[usize], rows: Vec<Vec<String>>) -> Block {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    Block::Table(Table { head, rows, texts: texts.to_vec() })
}

/// Weights of all networks.
fn weights_of(told: &Told) -> usize {
    told.trained.members.iter().map(|member| member.parameters.len()).sum()
}

pub(super) fn subtitle(told: &Told) -> String {
    let what = match &told.judged.answers {
        Answers::Classes(c) => format!("{} classes", c.classes()),
        Answers::Numbers(_) => "a number".to_owned(),
    };
    let (columns, weights) = (told.judged.examples.columns.len(), weights_of(told));
    format!("{what} · judged on {} · {columns} columns used · {weights} weights", told.part)
}

fn interval(judged: &Judged) -> String {
    judged.interval.map(|(low, high)| format!("{} – {}", number(low), number(high))).unwrap_or_default()
}

/// A baseline; the rounding of its sums is not shown.
fn baseline(judged: &Judged) -> String {
    let tidy = |value: f64| if value.abs() < 1e-12 * judged.value.abs().max(1.0) { 0.0 } else { value };
    judged.baseline.map(|value| number(tidy(value))).unwrap_or_default()
}

pub(super) fn tiles(told: &Told) -> Block {
    let names = if matches!(told.judged.answers, Answers::Classes(_)) { FOR_CLASSES } else { FOR_NUMBERS };
    let tile = |judged: &Judged| {
        let metric = find(judged.name);
        let notes = [
            judged.interval.map(|_| format!("95 %: {}", interval(judged))),
            judged.baseline.map(|_| format!("baseline: {}", baseline(judged))),
        ];
        Tile {
            title: metric.map_or(judged.name, |metric| metric.title).to_owned(),
            value: number(judged.value),
            notes: notes.into_iter().flatten().collect(),
        }
    };
    Block::Tiles(names.iter().filter_map(|name| told.evaluation.get(name)).map(tile).collect())
}

pub(super) fn figures(told: &Told) -> Section {
    let row = |judged: &Judged| {
        let metric = find(judged.name);
        let title = metric.map_or(judged.name, |metric| metric.title).to_owned();
        let about = metric.map_or("", |metric| metric.about).to_owned();
        let better = metric.map_or("", |metric| metric.better.name()).to_owned();
        vec![title, number(judged.value), interval(judged), baseline(judged), better, about]
    };
    let rows = told.evaluation.metrics.iter().map(row).collect();
    let text = format!(
        "Each figure with its 95 % interval, beside what a model without any features would reach on the same rows. \
         Judged on {}.",
        told.part
    );
    let head = ["figure", "value", "95 % interval", "baseline", "better", "what it is"];
    section("Figures", vec![Block::Text(text), table(&head, &[4, 5], rows)])
}

pub(super) fn predictions(told: &Told) -> Section {
    let evaluation = &told.evaluation;
    let charts: Vec<Picture> = drawn::of_answers(&told.judged.answers, evaluation, &told.judged.examples.target)
        .into_iter()
        .map(|(_, picture)| picture)
        .collect();
    let mut blocks = vec![Block::Charts(charts)];
    let share = |value: f64| format!("{:.1} %", 100.0 * value);
    if !evaluation.classes.is_empty() {
        let row = |class: &chainrule::judge::evaluation::ClassFigures| {
            let auc = class.auc.map(number).unwrap_or_default();
            let (found, right) = (share(class.recall), share(class.precision));
            vec![class.label.clone(), format!("{}", class.rows), found, right, number(class.f1), auc]
        };
        let head = ["class", "rows", "found (recall)", "right (precision)", "F1", "AUC against the rest"];
        blocks.push(table(&head, &[], evaluation.classes.iter().map(row).collect()));
    } else {
        let head: Vec<String> = evaluation.errors.iter().map(|(at, _)| format!("{:.0} %", 100.0 * at)).collect();
        let mut names = vec!["share of the rows"];
        names.extend(head.iter().map(String::as_str));
        let mut row = vec!["error below (prediction − actual)".to_owned()];
        row.extend(evaluation.errors.iter().map(|(_, error)| number(*error)));
        blocks.push(table(&names, &[], vec![row]));
    }
    section("Predictions", blocks)
}

pub(super) fn columns_that_matter(told: &Told) -> Result<Section, Failure> {
    let failed = |error| train_failure(&error);
    let mut model = Model::new(told.trained).map_err(failed)?;
    let judged = told.judged;
    let sample = some_rows(&judged.examples, told.seed);
    let metric = usual(&judged.answers);
    let found: Importances = importances(&mut model, &sample, metric, REPEATS, told.seed).map_err(failed)?;
    let mut charts = vec![drawn::importance(&found)];
    for one in found.columns.iter().take(DRAWN) {
        if let Some(column) = judged.examples.column(&one.column) {
            let seed = told.seed;
            let found = dependence(&mut model, &judged.examples, column, positive(judged), seed).map_err(failed)?;
            charts.push(drawn::dependence(&found));
        }
    }
    let rows = sample.rows();
    let text = format!(
        "Importance: how much worse {} becomes when the values of a column are shuffled between {rows} rows, {REPEATS} times. \
         Columns that tell the same share theirs. Dependence: the mean prediction if all rows had the same value, for values \
         that occur; shaded where eight of ten rows lie, thin lines are single rows.",
        metric.title
    );
    Ok(section("What matters", vec![Block::Text(text), Block::Charts(charts)]))
}

/// The line of the model text that says how it is trained.
fn train_line(told: &Told) -> String {
    let program = &told.trained.program;
    let span = program.train.as_ref().map(|train| train.span.start as usize..train.span.end as usize);
    let text = span.and_then(|span| program.source.get(span)).unwrap_or_default();
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

pub(super) fn training(told: &Told) -> Option<Section> {
    let members = told.epochs.last()?.member;
    let mut rows = Vec::new();
    for member in 1..=members {
        let own = || told.epochs.iter().filter(move |epoch| epoch.member == member);
        let Some(last) = own().next_back() else { continue };
        let best = drawn::best(&told.epochs, member);
        let lowest = best.and_then(|best| own().find(|epoch| epoch.epoch == best));
        let kept = lowest.unwrap_or(last);
        rows.push(vec![
            member.to_string(),
            last.epoch.to_string(),
            best.map(|epoch| epoch.to_string()).unwrap_or_default(),
            number(kept.loss),
            kept.validation.map(number).unwrap_or_default(),
        ]);
    }
    let head = ["network", "epochs", "best epoch", "its training loss", "its validation loss"];
    let blocks = vec![
        Block::Charts(vec![drawn::losses(&told.epochs).picture()]),
        table(&head, &[], rows),
        Block::Code(train_line(told)),
    ];
    Some(section("Training", blocks))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "number",
        Kind::Category => "category",
        Kind::Boolean => "yes or no",
        Kind::DateTime(_) => "date and time",
        Kind::Identifier => "identifier",
        Kind::Text => "text",
        Kind::Constant => "constant",
        Kind::MostlyMissing => "mostly missing",
        Kind::Target => "target",
        // Left out by request or by its use, which its reason tells.
        _ => "set aside",
    }
}

pub(super) fn data(told: &Told) -> Section {
    let mut blocks = Vec::new();
    blocks.extend(told.notes.iter().map(|note| Block::Text(note.clone())));
    if let Some(report) = &told.columns {
        let used = |name: &str| told.judged.examples.column(name).is_some();
        let row = |column: &chainrule::data::columns::Column| {
            let what = match column.kind {
                Kind::Target => "target",
                _ if used(&column.name) => "used",
                _ => "ignored",
            };
            let kind = kind_name(column.kind).to_owned();
            let (distinct, missing) = (column.distinct.to_string(), column.missing.to_string());
            vec![column.name.clone(), what.to_owned(), kind, distinct, missing, column.reason.clone()]
        };
        let head = ["column", "", "kind", "different values", "missing", "why"];
        blocks.push(table(&head, &[1, 2, 5], report.columns.iter().map(row).collect()));
    }
    section("Data", blocks)
}

/// The text of the network, and how its gradients come about.
pub(super) fn network(told: &Told, context: &Context) -> Section {
    let mut blocks = vec![Block::Code(told.trained.program.source.trim_end().to_owned())];
    let facts = told.trained.facts.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
    let mut rows = vec![vec!["weights".to_owned(), weights_of(told).to_string()]];
    rows.push(vec!["numbers".to_owned(), format!("{:?}", told.trained.dtype).to_lowercase()]);
    rows.extend(facts);
    blocks.push(table(&["", ""], &[], rows));
    // A page without the derivation is a page all the same.
    if let Ok(html) = derive::typeset(&told.trained.program.source, context) {
        let title = "The gradients of the loss, derived step by step and checked with numbers";
        blocks.push(Block::Closed(title.to_owned(), vec![Block::Typeset(html)]));
    }
    section("The network", blocks)
}

/// A word of a command line, quoted if need be.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/+:,=@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

pub(super) fn go_on(told: &Told) -> Section {
    let model = word(&told.model);
    let mut lines = vec![
        format!("chainrule predict {model} new.csv -o predictions.csv    # new rows, columns in any order"),
        format!("chainrule evaluate {model} new.csv                      # these figures for other rows"),
        format!("chainrule show {model} > my.cr                          # the network as text, to be changed"),
    ];
    if told.run {
        lines.push(format!("chainrule resume {model}                                # goes on if it was stopped"));
        lines.push(
            "tensorboard --logdir .                                      # the curves, while it trains".to_owned(),
        );
    }
    section("How to go on", vec![Block::Code(lines.join("\n"))])
}
