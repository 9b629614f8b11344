//! The page about a training that has just ended.

use std::path::{Path, PathBuf};

use chainrule::data::options::ReadOptions;
use chainrule::data::table::{Cell, Table};
use chainrule::export::run_folder::REPORT;
use chainrule::train::session::{Outcome, Session};

use super::{Told, epochs, page, seen};
use crate::commands::evaluate::Judgement;
use crate::errors::Failure;
use crate::models::{preprocessing, read_table};
use crate::output::{self, Context};

/// The seed of resamples and shuffles.
const SEED: u64 = 42;

/// A training that has ended, with its model in a file.
pub(crate) struct Finished<'a> {
    pub(crate) session: &'a Session,
    /// What came out.
    pub(crate) outcome: &'a Outcome,
    /// The table it was trained on.
    pub(crate) table: &'a Path,
    /// The table of validation rows, if they have one of their own.
    pub(crate) validation: Option<PathBuf>,
    /// How they are read.
    pub(crate) read: &'a ReadOptions,
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
        let Judged { judged, part, note } = self.judged(context)?;
        let name = file_name(self.table);
        let model = self.run.map(Path::to_path_buf).or_else(|| self.model.clone()).unwrap_or_default();
        let training = self.session.data.rows();
        let split = format!("Trained on {training} rows of {name} (seed {}).", self.session.options.seed);
        let notes = [Some(split), note].into_iter().flatten();
        let notes = notes.chain(self.session.notes.iter().map(|note| note.text.clone())).chain(seen(&judged.examples));
        let told = Told {
            trained: &self.outcome.trained,
            evaluation: judged.evaluate(SEED),
            judged: &judged,
            table: name,
            model: model.display().to_string(),
            part,
            columns: self.session.columns.clone(),
            notes: notes.collect(),
            epochs: self.run.map_or(Ok(Vec::new()), epochs)?,
            run: self.run.is_some(),
            seed: SEED,
        };
        Ok(page(&told, context)?.html())
    }

    /// The rows that tell most of the model, and what it says of them: those of the test, those held out by all networks,
    /// those held out by some, and if there are none of all these the rows it was trained on.
    fn judged(&self, context: &Context) -> Result<Judged, Failure> {
        let (session, trained) = (self.session, &self.outcome.trained);
        let rows = &session.rows;
        let mut table = self.known(self.table, context)?;
        let name = file_name(self.table);
        let chose = "The held-out rows also chose the epochs that are kept. Rows that nothing of the training has seen tell \
                     more: train with --test, or use `chainrule evaluate`.";
        if !rows.test.is_empty() {
            table.keep_rows(&rows.test);
            let part = format!("{} rows of {name} that nothing of the training has seen", table.rows());
            return Ok(Judged { judged: Judgement::of(trained, &table, None, None)?, part, note: None });
        }
        if let Some(other) = self.validation.as_deref().filter(|_| session.validation.is_some()) {
            let table = self.known(other, context)?;
            let part = format!("the {} rows of {}", table.rows(), file_name(other));
            let judged = Judgement::of(trained, &table, None, None)?;
            return Ok(Judged { judged, part, note: Some(chose.to_owned()) });
        }
        if !rows.validation.is_empty() {
            table.keep_rows(&rows.validation);
            let part = format!("{} held-out rows of {name}", table.rows());
            let judged = Judgement::of(trained, &table, None, None)?;
            return Ok(Judged { judged, part, note: Some(chose.to_owned()) });
        }
        if let Some((said, _)) = self.outcome.validation.as_ref().and_then(|judged| judged.pair.as_ref()) {
            // As the session puts them together: network by network.
            let members = 0..trained.members.len() as u32;
            let of = |member: u32| rows.training.iter().zip(&session.folds).filter(move |(_, fold)| **fold == member);
            let order: Vec<u32> = members.flat_map(of).map(|(row, _)| *row).collect();
            table.keep_rows(&order);
            let mut said = said.clone();
            preprocessing(trained)?.restore(&mut said);
            let part = format!("{} rows of {name}, each by the network that did not train on it", table.rows());
            let note = format!("{chose} Importance and dependence are those of all networks together.");
            return Ok(Judged { judged: Judgement::with(trained, &table, said)?, part, note: Some(note) });
        }
        let part = format!("the {} rows of {name} that it was trained on", table.rows());
        Ok(Judged { judged: Judgement::of(trained, &table, None, None)?, part, note: None })
    }

    /// The rows of a table that have a target.
    fn known(&self, file: &Path, context: &Context) -> Result<Table, Failure> {
        let mut table = read_table(file, self.read, context)?;
        let names = self.session.preprocessing.as_ref().map(|fitted| fitted.target.names()).unwrap_or_default();
        let columns: Vec<usize> = names.iter().filter_map(|name| table.column(name)).collect();
        let has_target = |row: &u32| columns.iter().all(|&column| table.cell(*row as usize, column) != Cell::Missing);
        let known: Vec<u32> = (0..table.rows() as u32).filter(has_target).collect();
        table.keep_rows(&known);
        Ok(table)
    }
}

/// What a model says of rows, which rows they are, and what is to be known about that.
struct Judged {
    judged: Judgement,
    part: String,
    note: Option<String>,
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
