//! A whole run: from a program or a table to a trained model with its figures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernels::Pool;
use sha2::{Digest, Sha256};

use super::compile::{example_dim, extents};
use super::event::{Event, Flow, Report, TrainError};
use super::figures::{Figures, Judged, apply, figures_of};
use super::options::{Dtype, Options};
use super::progress::{Checkpoint, Values};
use super::source::{Data, SourceError, starting_values};
use super::streamed::Streamed;
use crate::data::columns::ColumnReport;
use crate::data::preprocess::Preprocessing;
use crate::export::trained::Trained;
use crate::lang::Dim;
use crate::model::Program;
use crate::optim::Solver;
use crate::text::note::Note;

/// The name of the settings among the facts of a model.
pub const CONFIG_FACT: &str = "config";

/// Everything a run needs.
#[derive(Clone, Debug)]
pub struct Session {
    /// The model.
    pub program: Program,
    /// Training examples.
    pub data: Data,
    /// Validation examples, the same for each network of an ensemble.
    pub validation: Option<Data>,
    /// The fold of each training example: the network of this number holds it out for validation. Empty for none.
    pub folds: Vec<u32>,
    /// Examples that neither training nor validation sees.
    pub test: Option<Data>,
    /// What was fitted to a table.
    pub preprocessing: Option<Preprocessing>,
    /// What was found about a table's columns.
    pub columns: Option<ColumnReport>,
    /// How to train.
    pub options: Options,
    /// Starting values of the parameters.
    pub parameters: Vec<f64>,
    /// Starting values of the states.
    pub states: Vec<f64>,
    /// What the user should know.
    pub notes: Vec<Note>,
    /// The training examples, where they do not fit into memory; `data` is a sample of them then.
    pub stream: Option<Arc<Streamed>>,
    /// Where the examples stand in the table, if they come from one.
    pub rows: Rows,
    /// The settings that the model depends on, as a configuration; they travel in the model file.
    pub config: Option<String>,
    /// Where the program's files are.
    pub(super) folder: PathBuf,
}

/// Numbers of rows of a table, counting those that have a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Those of [`Session::data`].
    pub training: Vec<u32>,
    /// Those of [`Session::validation`]; empty if it comes from another table.
    pub validation: Vec<u32>,
    /// Those of [`Session::test`].
    pub test: Vec<u32>,
}

/// What a run gives.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The model.
    pub trained: Trained,
    /// How the training of each network went.
    pub reports: Vec<Report>,
    /// What the model says of the training examples.
    pub training: Judged,
    /// What it says of the validation examples; with folds, what each network says of those that it has not seen.
    pub validation: Option<Judged>,
    /// What it says of the test examples.
    pub test: Option<Judged>,
}

impl Outcome {
    /// How the training of the last network went.
    ///
    /// # Panics
    /// Never: a session trains at least one network.
    #[must_use]
    pub fn last(&self) -> &Report {
        self.reports.last().expect("invariant: a session trains at least one network")
    }
}

/// Changes to the options that the caller asks for: those of the program stand otherwise.
pub type Change<'a> = &'a dyn Fn(&mut Options);

impl Session {
    /// A run of a program on the data that it names.
    ///
    /// # Errors
    /// The text, its data or its options are wrong.
    pub fn of_program(source: &str, folder: &Path, change: Change) -> Result<Session, SourceError> {
        let program = Program::parse(source)?;
        program.need_loss()?;
        let data = Data::of_program(&program, folder)?;
        Session::new(program, data, None, folder, change)
    }

    pub(super) fn new(
        program: Program,
        data: Data,
        validation: Option<Data>,
        folder: &Path,
        change: Change,
    ) -> Result<Session, SourceError> {
        let mut options = Options::of_program(&program)?;
        change(&mut options);
        // Solvers that compare losses need all their digits. A fault of the optimizer is told here, with its place.
        if matches!(Solver::of_program(&program)?, Some(Solver::Native(_))) {
            options.dtype = Dtype::F64;
        }
        let extents = extents(&program, &data, None).map_err(SourceError::Train)?;
        let parameters = starting_values(&program, &program.parameters, &extents, options.seed, folder)?;
        let states = starting_values(&program, &program.states, &extents, options.seed, folder)?;
        Ok(Session {
            program,
            data,
            validation,
            folds: Vec::new(),
            test: None,
            preprocessing: None,
            columns: None,
            options,
            parameters,
            states,
            notes: Vec::new(),
            stream: None,
            rows: Rows::default(),
            config: None,
            folder: folder.to_path_buf(),
        })
    }

    /// Trains and judges.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn run(&self, listen: &mut dyn FnMut(&Event) -> Flow) -> Result<Outcome, TrainError> {
        self.run_from(None, listen)
    }

    /// As [`Session::run`], from where a checkpoint of the same session was taken.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn run_from(
        &self,
        from: Option<&Checkpoint>,
        listen: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Outcome, TrainError> {
        self.judge(self.train_from(from, listen)?)
    }

    pub(super) fn rows_of(&self, wanted: impl Fn(u32) -> bool) -> Vec<u32> {
        (0..).zip(&self.folds).filter(|&(_, &fold)| wanted(fold)).map(|(row, _)| row).collect()
    }

    /// Judges what a training has left.
    ///
    /// # Errors
    /// The data does not fit the program.
    pub fn judge(&self, reports: Vec<Report>) -> Result<Outcome, TrainError> {
        let members: Vec<Values> = reports.iter().map(|report| report.clone().into_values()).collect();
        let trained = self.trained(members)?;
        let pool = Pool::new(self.options.threads.max(1));
        let training = apply(&trained, &self.data, &pool)?;
        let validation = match &self.validation {
            Some(data) => Some(apply(&trained, data, &pool)?),
            None => self.held_out(&trained, &pool)?,
        };
        let test = self.test.as_ref().map(|data| apply(&trained, data, &pool)).transpose()?;
        Ok(Outcome { trained, reports, training, validation, test })
    }

    /// What each network says of the rows that it has not seen, all rows together.
    fn held_out(&self, trained: &Trained, pool: &Pool) -> Result<Option<Judged>, TrainError> {
        if self.folds.is_empty() {
            return Ok(None);
        }
        let mut all = Judged { loss: None, pair: None };
        let mut loss = (0.0, 0.0);
        for (number, member) in (0..).zip(&trained.members) {
            let data = self.data.select(&self.rows_of(|fold| fold == number));
            let judged = apply(&trained.alone(member.clone()), &data, pool)?;
            let rows = data.rows() as f64;
            loss = (loss.0 + rows * judged.loss.unwrap_or(0.0), loss.1 + rows);
            all.join(judged);
        }
        all.loss = self.program.loss.map(|_| loss.0 / loss.1);
        Ok(Some(all))
    }

    /// The model with these values of its networks.
    ///
    /// # Errors
    /// The data does not fit the program.
    pub fn trained(&self, members: Vec<Values>) -> Result<Trained, TrainError> {
        let known = extents(&self.program, &self.data, None)?;
        let examples = example_dim(&self.program);
        let dims = &self.program.graph.dims;
        let named = dims.names().filter_map(|name| {
            let dim = dims.find(name)?;
            let open = matches!(dim, Dim::Symbol(_)) && Some(dim) != examples;
            open.then(|| known.get(&dim).map(|&n| (name.to_owned(), n)))?
        });
        let config = self.config.iter().map(|config| (CONFIG_FACT.to_owned(), config.clone()));
        let seed = ("seed".to_owned(), self.options.seed.to_string());
        Ok(Trained {
            members,
            dtype: self.options.dtype,
            preprocessing: self.preprocessing.clone(),
            extents: named.collect(),
            facts: config.chain([seed]).collect(),
            program: self.program.clone(),
        })
    }

    /// Figures of what was judged.
    #[must_use]
    pub fn figures(&self, judged: &Judged) -> Figures {
        figures_of(judged, &self.program, self.preprocessing.as_ref())
    }

    /// The identity of the data as the model sees it: training and validation examples, after preprocessing. The same
    /// numbers in another file have the same identity; other rows, columns or splits have another.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for data in std::iter::once(&self.data).chain(&self.validation).chain(&self.test) {
            hash.update((data.matrices.len() as u64).to_le_bytes());
            for (name, matrix) in &data.matrices {
                for number in [name.len(), matrix.rows, matrix.cols] {
                    hash.update((number as u64).to_le_bytes());
                }
                hash.update(name.as_bytes());
                matrix.values.iter().for_each(|value| hash.update(value.to_le_bytes()));
            }
        }
        // Of a long table the sample, its length and the number of its examples.
        if let Some(stream) = &self.stream {
            hash.update(stream.long.bytes().to_le_bytes());
            hash.update(stream.long.examples().to_le_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
