//! The page about a training that has just ended.

use std::path::{Path, PathBuf};

use chainrule::data::table::{Cell, Table};
use chainrule::export::run_folder::{MODEL, REPORT};
use chainrule::train::session::Session;

use super::{Told, epochs, page, seen};
use crate::commands::evaluate::Judgement;
use crate::errors::Failure;
use crate::models::{read_model, read_table};
use crate::output::{self, Context};

/// The seed of resamples and shuffles.
const SEED: u64 = 42;

/// A training that has ended, with its model in a file.
pub(crate) struct Finished<'a> {
    pub(crate) session: &'a Session,
    /// The table it was trained on.
    pub(crate) table: &'a Path,
    /// The folder of the run, if it has one.
    pub(crate) run: Option<&'a Path>,
    /// Else the file of the model.
    pub(crate) model: Option<PathBuf>,
}

impl Finished<'_> {
    /// Writes the page to `out`, and into the folder of the run. Only what was asked for by name can fail.
    pub(crate) fn report(&self, out: Option<&Path>, context: &Context) -> Result<(), Failure> {
        let places: Vec<PathBuf> =
            out.map(Path::to_path_buf).into_iter().chain(self.run.map(|run| run.join(REPORT))).collect();
        if places.is_empty() || self.session.preprocessing.is_none() {
            return Ok(());
        }
        let written = self.html(context).and_then(|html| {
            places.iter().try_for_each(|place| {
                output::write(Some(place), &html)?;
                if !context.quiet && place.as_os_str() != "-" {
                    output::progress(&format!("report    {}\n", place.display()));
                }
                Ok(())
            })
        });
        match written {
            Err(failure) if out.is_none() => {
                let message = crate::render::failure(&failure, false);
                output::progress(&format!("{message}there is no report; the model is saved\n"));
                Ok(())
            }
            other => other,
        }
    }

    fn html(&self, context: &Context) -> Result<String, Failure> {
        if self.table.as_os_str() == "-" {
            return Err(Failure::usage("a report of a table from standard input needs the table again")
                .help("save the table in a file, and use `chainrule report MODEL TABLE`"));
        }
        let file = match (self.run, &self.model) {
            (Some(run), _) => run.join(MODEL),
            (None, Some(model)) => model.clone(),
            (None, None) => return Err(Failure::usage("there is no model to report on")),
        };
        let trained = read_model(&file)?;
        let table = self.rows()?;
        let judged = Judgement::of(&trained, &table, None)?;
        let name = self.table.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let rows = table.rows();
        let part = match self.session.held.is_empty() {
            true => format!("the {rows} rows of {name} that it was trained on"),
            false => format!("{rows} held-out rows of {name}"),
        };
        let training = self.session.data.rows();
        let split = format!("Trained on {training} rows, split off by seed {}.", self.session.options.seed);
        let chosen = (!self.session.held.is_empty()).then(|| {
            "The held-out rows also chose the epoch that is kept; rows that no training has seen tell more: \
             `chainrule evaluate`."
                .to_owned()
        });
        let notes =
            std::iter::once(split).chain(chosen).chain(self.session.notes.clone()).chain(seen(&judged.examples));
        let told = Told {
            trained: &trained,
            evaluation: judged.evaluate(SEED),
            judged: &judged,
            table: name,
            model: self.run.unwrap_or(&file).display().to_string(),
            part,
            columns: self.session.columns.clone(),
            notes: notes.collect(),
            epochs: self.run.map_or(Ok(Vec::new()), epochs)?,
            run: self.run.is_some(),
            seed: SEED,
        };
        Ok(page(&told, context)?.html())
    }

    /// The rows that were held out; all, if none were.
    fn rows(&self) -> Result<Table, Failure> {
        let mut table = read_table(self.table)?;
        let target = self.session.preprocessing.as_ref().map(|fitted| fitted.target.name());
        let Some(column) = target.and_then(|name| table.column(name)) else { return Ok(table) };
        let known: Vec<u32> =
            (0..table.rows() as u32).filter(|&row| table.cell(row as usize, column) != Cell::Missing).collect();
        table.keep_rows(&known);
        if self.session.held.iter().all(|&row| (row as usize) < table.rows()) && !self.session.held.is_empty() {
            table.keep_rows(&self.session.held);
        }
        Ok(table)
    }
}
