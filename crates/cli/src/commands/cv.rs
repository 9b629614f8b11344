//! `chainrule cv`: a network judged on rows that it never saw.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use chainrule::data::matrix::argmax;
use chainrule::data::write::TableWriter;
use chainrule::train::cross::{CrossReport, CrossValidation, Fold, cross_validate};
use chainrule::train::folds::Manner;
use chainrule::train::settings::{Recipe, Shown};
use serde_json::{Value, json};

use crate::args::CvArgs;
use crate::configured::{Configured, configured};
use crate::errors::Failure;
use crate::models::{number, source_failure};
use crate::output::{self, Context};
use crate::source::SourceText;

pub(crate) fn run(args: &CvArgs, context: &Context) -> Result<(), Failure> {
    let configured = configured(&args.settings, args.table.as_deref(), context)?;
    if args.settings.print_config {
        return output::answer(&configured.settings.to_toml());
    }
    configured.target()?;
    let file = configured.file()?;
    own_folds(args, &configured)?;
    if args.out.as_deref().is_some_and(|out| same(out, file)) {
        return Err(Failure::usage("the predictions would overwrite the table").help("give another -o"));
    }
    let table = configured.table(context)?;
    let name = table.file().to_owned();
    let text = configured.text()?;
    let quoted = text.clone().unwrap_or_else(|| SourceText { name: name.clone(), text: String::new() });
    let recipe = &configured.recipe;
    let wish = CrossValidation {
        recipe,
        text: text.as_ref().map(|source| source.text.as_str()),
        folds: args.folds.unwrap_or(FOLDS),
        repeats: args.repeats,
        threads: side_by_side(&configured),
    };
    let told = !context.quiet && recipe.progress != Shown::None;
    let done = |fold: &Fold| {
        if told {
            output::progress(&line(fold, args));
        }
    };
    let stop = || context.interrupt.requested().is_some();
    let report = cross_validate(&wish, table, &stop, &done);
    if let Some(signal) = context.interrupt.requested() {
        output::progress(&format!("stopped by {}; nothing was saved\n", crate::interrupt::name(signal)));
        return Err(Failure::interrupted(signal));
    }
    let report = report.map_err(|error| source_failure(error, &quoted))?;
    if !context.quiet {
        output::progress(&notes(&report));
    }
    if let Some(out) = &args.out {
        write(out, &report).map_err(|error| Failure::system("write", &out.display().to_string(), &error))?;
    }
    output::answer(&if args.json {
        document(args, &configured, &name, &report)
    } else {
        table_of(args, &name, &report)
    })
}

/// Parts of the table when nothing else is said.
const FOLDS: u32 = 5;

/// Wishes that do not go with folds, or with folds that the table gives.
fn own_folds(args: &CvArgs, configured: &Configured) -> Result<(), Failure> {
    let Recipe { table, validation, .. } = &configured.recipe;
    if validation.is_some() {
        return Err(Failure::usage("cross-validation draws its own folds, and rows for validation are given")
            .help("leave --val FILE out; `train` and `evaluate` judge by one split"));
    }
    let given = table.split.time.is_some() || table.split.column.is_some();
    if given && args.repeats > 1 {
        return Err(Failure::usage("the folds are given by the table, and --repeats would judge the same ones again")
            .help("leave --repeats, or --split-time and --split-column, out"));
    }
    if table.split.column.is_some() && args.folds.is_some() {
        return Err(Failure::usage("the values of the column are the folds, and --folds asks for a number of them")
            .help("leave --folds out, or give the column with --group to put whole values into that many folds"));
    }
    Ok(())
}

/// Are both the same file?
pub(crate) fn same(a: &Path, b: &Path) -> bool {
    a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

/// How many trainings go on at once.
pub(crate) fn side_by_side(configured: &Configured) -> usize {
    configured.recipe.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(64)))
}

/// A fold that is done, for standard error.
fn line(fold: &Fold, args: &CvArgs) -> String {
    let figures: Vec<String> = fold.figures.iter().map(|(name, value)| format!("{name}={}", number(*value))).collect();
    let repeat = if args.repeats > 1 { format!("repeat={} ", fold.repeat) } else { String::new() };
    let name = fold.name.as_ref().map_or_else(String::new, |name| format!("held_out={name:?} "));
    format!("{repeat}fold={} {name}epochs={} {}\n", fold.fold, fold.epochs, figures.join(" "))
}

fn notes(report: &CrossReport) -> String {
    let mut notes = String::new();
    let why = match report.manner {
        Manner::Forward => "are the first in time",
        Manner::Column => "have no value in the column of the folds",
        _ => "are the only ones of their class",
    };
    if report.never > 0 {
        let _ = writeln!(notes, "note    {} rows {why}: always trained on, never judged", report.never);
    }
    let strangers: usize = report.folds.iter().map(|fold| fold.strangers).sum();
    if strangers > 0 {
        let _ = writeln!(notes, "note    {strangers} rows have a class that their training part lacks: not judged");
    }
    notes
}

/// What a fold is called in the table.
fn title(fold: &Fold, args: &CvArgs) -> String {
    match &fold.name {
        Some(name) => name.chars().take(40).collect(),
        None if args.repeats > 1 => format!("{}.{}", fold.repeat, fold.fold),
        None => fold.fold.to_string(),
    }
}

fn table_of(args: &CvArgs, name: &str, report: &CrossReport) -> String {
    let summary = report.summary();
    let titles = report.folds.iter().map(|fold| title(fold, args).chars().count() + 2);
    let width = titles.max().unwrap_or(0).max(10);
    let repeats = if args.repeats > 1 { format!(", {} times", args.repeats) } else { String::new() };
    let mut out = format!(
        "cross-validation of \"{}\" in {name}: {} rows in {} folds{repeats}, {} (seed {})\n\n",
        report.targets.join(", "),
        report.rows,
        report.count,
        report.manner.word(),
        report.seed
    );
    let _ = write!(out, "{:<width$}{:>7}{:>8}", "fold", "rows", "epochs");
    summary.iter().for_each(|(name, ..)| out.push_str(&format!("{name:>12}")));
    out.push('\n');
    for fold in &report.folds {
        let _ = write!(out, "{:<width$}{:>7}{:>8}", title(fold, args), fold.rows.len(), fold.epochs);
        fold.figures.iter().for_each(|(_, value)| out.push_str(&format!("{:>12}", number(*value))));
        out.push('\n');
    }
    for (title, mean) in [("mean", true), ("spread", false)] {
        let _ = write!(out, "{title:<width$}{:>15}", "");
        for (_, m, s) in &summary {
            out.push_str(&format!("{:>12}", number(if mean { *m } else { *s })));
        }
        out.push('\n');
    }
    out.push_str("\nspread is the standard deviation over the folds\n");
    if let Some(path) = &args.out {
        let _ = writeln!(out, "predictions of the rows held out: {}", path.display());
    }
    out
}

fn finite(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

fn document(args: &CvArgs, configured: &Configured, name: &str, report: &CrossReport) -> String {
    let metrics = report.summary().into_iter().map(|(name, mean, spread)| {
        let of =
            |fold: &Fold| fold.figures.iter().find(|(other, _)| *other == name).map_or(Value::Null, |f| finite(f.1));
        let values: Vec<Value> = report.folds.iter().map(of).collect();
        (name.to_owned(), json!({ "mean": finite(mean), "spread": finite(spread), "values": values }))
    });
    let metrics: serde_json::Map<String, Value> = metrics.collect();
    let fold = |fold: &Fold| {
        json!({ "repeat": fold.repeat, "fold": fold.fold, "held_out": fold.name, "training_rows": fold.training, "rows": fold.rows.len(),
                "not_judged": fold.strangers, "networks": fold.networks, "epochs": fold.epochs })
    };
    let document = json!({
        "schema": "chainrule.cv/1", "data": name, "targets": report.targets, "rows": report.rows, "folds": report.count,
        "repeats": args.repeats, "manner": report.manner.word(), "group": configured.recipe.table.split.group,
        "seed": report.seed,
        "metrics": metrics, "each": report.folds.iter().map(fold).collect::<Vec<Value>>(),
    });
    format!("{document}\n")
}

/// The predictions of the rows held out, in the order of the file.
fn write(path: &Path, report: &CrossReport) -> std::io::Result<()> {
    let mut out = TableWriter::new(BufWriter::new(File::create(path)?));
    let labels = report.labels.as_deref().unwrap_or_default();
    let mut names = vec!["row".to_owned(), "fold".to_owned()];
    match report.targets.as_slice() {
        [_] => names.push("prediction".to_owned()),
        several => names.extend(several.iter().map(|target| format!("prediction_{target}"))),
    }
    names.extend(labels.iter().map(|label| format!("p_{label}")));
    out.row(names.iter().map(String::as_str))?;
    let mut fold_of = vec![0; report.rows];
    for fold in report.folds.iter().filter(|fold| fold.repeat == 1) {
        fold.rows.iter().for_each(|&row| fold_of[row as usize] = fold.fold);
    }
    for (row, values) in report.predictions().into_iter().enumerate() {
        let Some(values) = values else { continue };
        let mut cells = vec![report.numbers[row].to_string(), fold_of[row].to_string()];
        if !labels.is_empty() {
            cells.push(labels.get(argmax(&values)).cloned().unwrap_or_default());
        }
        cells.extend(values.iter().map(f64::to_string));
        out.row(cells.iter().map(String::as_str))?;
    }
    out.finish()
}
