//! `chainrule report`: everything about a model on one page.

pub(crate) mod of_run;
mod sections;

use std::path::Path;

use chainrule::data::columns::{ColumnOptions, ColumnReport};
use chainrule::data::table::Table;
use chainrule::export::metrics_file::{Epoch, read_epochs};
use chainrule::export::run_folder::METRICS;
use chainrule::export::trained::Trained;
use chainrule::judge::page::Page;
use chainrule::judge::{Evaluation, Examples};

use super::evaluate::Judgement;
use crate::args::ReportArgs;
use crate::errors::Failure;
use crate::models::{file_failure, preprocessing, read_model, read_table, tell};
use crate::output::{self, Context};

/// What a page tells of.
pub(crate) struct Told<'a> {
    pub(crate) trained: &'a Trained,
    pub(crate) judged: &'a Judgement,
    pub(crate) evaluation: Evaluation,
    /// The table, as the user named it.
    pub(crate) table: String,
    /// The model, as the user named it.
    pub(crate) model: String,
    /// Which rows the figures are of.
    pub(crate) part: String,
    /// What was found about the columns of the table.
    pub(crate) columns: Option<ColumnReport>,
    /// How the rows were split and what else the user should know, a sentence each.
    pub(crate) notes: Vec<String>,
    /// The losses of the run, if it is known.
    pub(crate) epochs: Vec<Epoch>,
    /// The model is the folder of a run.
    pub(crate) run: bool,
    pub(crate) seed: u64,
}

pub(crate) fn run(args: &ReportArgs, context: &Context) -> Result<(), Failure> {
    let trained = read_model(&args.model)?;
    let table = read_table(&args.table, &args.read.options(), context)?;
    let judged = Judgement::of(&trained, &table, None, None)?;
    tell(&judged.examples.notes, context);
    let fitted = preprocessing(&trained)?;
    // The page may go to others: it names the file, not the folder.
    let name = args.table.file_name().map_or("standard input".into(), |name| name.to_string_lossy()).into_owned();
    let told = Told {
        trained: &trained,
        evaluation: judged.evaluate(args.seed),
        judged: &judged,
        part: format!("all {} rows of {name}", table.rows()),
        table: name,
        model: args.model.display().to_string(),
        columns: columns(&table, &fitted.target.names()),
        notes: seen(&judged.examples),
        epochs: epochs(&args.model)?,
        run: args.model.is_dir(),
        seed: args.seed,
    };
    let html = page(&told, context)?.html();
    output::write(Some(&args.out), &html)?;
    if !context.quiet && args.out.as_os_str() != "-" {
        output::progress(&format!("report    {}\n", args.out.display()));
    }
    Ok(())
}

/// What the columns of the table look like now; a table that could not be trained on is described by its model alone.
fn columns(table: &Table, targets: &[&str]) -> Option<ColumnReport> {
    let targets: Vec<String> = targets.iter().map(|name| (*name).to_owned()).collect();
    ColumnReport::infer(table, &targets, &ColumnOptions::default()).ok()
}

/// What is to be known about the features.
fn seen(examples: &Examples) -> Vec<String> {
    let unseen = examples.notes.unseen.iter().map(|unseen| {
        let first = unseen.first.join(", ");
        format!("{}: {} values that training did not know ({first}), treated as unknown", unseen.column, unseen.count)
    });
    let filled = examples.notes.filled.iter().map(|(column, count)| format!("{column}: {count} missing values filled"));
    unseen.chain(filled).collect()
}

/// The losses of a run; none for a model file.
fn epochs(model: &Path) -> Result<Vec<Epoch>, Failure> {
    let path = model.join(METRICS);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    read_epochs(&path).map_err(|error| file_failure(&path, error))
}

/// The page.
pub(crate) fn page(told: &Told, context: &Context) -> Result<Page, Failure> {
    let target = &told.judged.examples.target;
    let sections = [
        Some(sections::figures(told)),
        Some(sections::predictions(told)),
        Some(sections::columns_that_matter(told)?),
        sections::training(told),
        Some(sections::data(told)),
        Some(sections::network(told, context)),
        Some(sections::go_on(told)),
    ];
    Ok(Page {
        title: format!("{target}, predicted from {}", told.table),
        subtitle: sections::subtitle(told),
        head: vec![sections::tiles(told)],
        sections: sections.into_iter().flatten().collect(),
        foot: format!("Written by chainrule {}. This page needs nothing else.", env!("CARGO_PKG_VERSION")),
    })
}
