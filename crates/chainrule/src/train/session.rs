//! A whole run: from a program or a table to a trained model with its figures.

use std::path::Path;

use kernels::{Pool, Real};
use sha2::{Digest, Sha256};

use super::compile::{example_dim, extents};
use super::event::{Event, Flow, Report, TrainError};
use super::fit::{Problem, fit_from};
use super::metrics::{argmax, classification, regression};
use super::options::{Dtype, Options};
use super::predict::{Forward, predict};
use super::progress::Checkpoint;
use super::source::{Data, SourceError, starting_values};
use crate::data::columns::{ColumnOptions, ColumnReport};
use crate::data::error::DataError;
use crate::data::matrix::Matrix;
use crate::data::preprocess::Preprocessing;
use crate::data::split::{split, split_by_class};
use crate::data::table::Table;
use crate::data::target::Target;
use crate::export::trained::Trained;
use crate::lang::{Dim, Op};
use crate::model::Program;
use crate::model::preset::{TableShape, tabular};
use crate::optim::Solver;

/// Share of the rows of a table that is kept for validation.
pub const VALIDATION: f64 = 0.2;

/// The name of the settings among the facts of a model.
pub const CONFIG_FACT: &str = "config";

/// Everything a run needs.
#[derive(Clone, Debug)]
pub struct Session {
    /// The model.
    pub program: Program,
    /// Training examples.
    pub data: Data,
    /// Validation examples.
    pub validation: Option<Data>,
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
    /// What the user should know, a sentence each.
    pub notes: Vec<String>,
    /// The settings that the model depends on, as a configuration; they travel in the model file.
    pub config: Option<String>,
}

/// Figures by name, in order.
pub type Figures = Vec<(&'static str, f64)>;

/// What a run gives.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The model.
    pub trained: Trained,
    /// How the run went.
    pub report: Report,
    /// Figures on the training examples.
    pub training: Figures,
    /// Figures on the validation examples.
    pub validation: Option<Figures>,
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

    fn new(
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
            preprocessing: None,
            columns: None,
            options,
            parameters,
            states,
            notes: Vec::new(),
            config: None,
        })
    }

    /// A run on a table: columns are understood, rows split, and a network is chosen (or taken from `text`).
    ///
    /// # Errors
    /// The table, or the given text, is wrong.
    pub fn of_table(
        mut table: Table,
        target: &str,
        columns: &ColumnOptions,
        text: Option<&str>,
        change: Change,
    ) -> Result<Session, SourceError> {
        let wrap = |error: DataError| SourceError::Data(Box::new(error), crate::text::diagnostic::Span::default());
        let mut seed = Options::default();
        change(&mut seed);
        let mut report = ColumnReport::infer(&table, target, columns).map_err(wrap)?;
        let mut notes: Vec<String> = report.drop_rows_without_target(&mut table).into_iter().collect();
        let (train, held) = match report.target.classes(&table).map_err(wrap)? {
            Some(classes) => split_by_class(&classes, VALIDATION, seed.seed),
            None => split(table.rows() as u32, VALIDATION, seed.seed),
        };
        let fitted = Preprocessing::fit(&table, &train, &report).map_err(wrap)?;
        let (x, seen) = fitted.features(&table).map_err(wrap)?;
        let y = fitted.targets(&table).map_err(wrap)?;
        for (column, count) in &seen.filled {
            notes.push(format!("{column}: {count} missing values filled"));
        }
        let source = match text {
            Some(text) => text.to_owned(),
            None => tabular(&TableShape { features: x.cols, rows: train.len(), target: &fitted.target }),
        };
        let all = Data { matrices: vec![("X".to_owned(), x), ("Y".to_owned(), y)] };
        let program = Program::parse(&source)?;
        program.need_loss()?;
        let validation = (!held.is_empty()).then(|| all.select(&held));
        let mut session = Session::new(program, all.select(&train), validation, Path::new("."), change)?;
        session.preprocessing = Some(fitted);
        session.columns = Some(report);
        session.notes = notes;
        Ok(session)
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

    /// Trains.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn train_from(
        &self,
        from: Option<&Checkpoint>,
        listen: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Report, TrainError> {
        let solver = Solver::of_program(&self.program).map_err(|e| TrainError::Option(e.message))?;
        let solver = solver.ok_or_else(|| TrainError::Option("the program has no `train` line".to_owned()))?;
        let problem = Problem {
            program: &self.program,
            data: &self.data,
            validation: self.validation.as_ref(),
            parameters: &self.parameters,
            states: &self.states,
        };
        fit_from(&problem, &solver, &self.options, from, listen)
    }

    /// Judges what a training has left.
    ///
    /// # Errors
    /// The data does not fit the program.
    pub fn judge(&self, report: Report) -> Result<Outcome, TrainError> {
        let trained = self.trained(&report.parameters, &report.states)?;
        let training = self.figures(&trained, &self.data)?;
        let validation = self.validation.as_ref().map(|data| self.figures(&trained, data)).transpose()?;
        Ok(Outcome { trained, report, training, validation })
    }

    /// The model with these values.
    ///
    /// # Errors
    /// The data does not fit the program.
    pub fn trained(&self, parameters: &[f64], states: &[f64]) -> Result<Trained, TrainError> {
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
            parameters: parameters.to_vec(),
            states: states.to_vec(),
            dtype: self.options.dtype,
            preprocessing: self.preprocessing.clone(),
            extents: named.collect(),
            facts: config.chain([seed]).collect(),
            program: self.program.clone(),
        })
    }

    /// The identity of the data as the model sees it: training and validation examples, after preprocessing. The same
    /// numbers in another file have the same identity; other rows, columns or splits have another.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for data in std::iter::once(&self.data).chain(&self.validation) {
            hash.update((data.matrices.len() as u64).to_le_bytes());
            for (name, matrix) in &data.matrices {
                for number in [name.len(), matrix.rows, matrix.cols] {
                    hash.update((number as u64).to_le_bytes());
                }
                hash.update(name.as_bytes());
                matrix.values.iter().for_each(|value| hash.update(value.to_le_bytes()));
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn figures(&self, trained: &Trained, data: &Data) -> Result<Figures, TrainError> {
        figures(trained, data, &Pool::new(self.options.threads.max(1)))
    }
}

/// Figures of a model on examples: the loss, and what fits its predictions.
///
/// # Errors
/// The data does not fit the program.
pub fn figures(trained: &Trained, data: &Data, pool: &Pool) -> Result<Figures, TrainError> {
    match trained.dtype {
        Dtype::F32 => figures_in::<f32>(trained, data, pool),
        Dtype::F64 => figures_in::<f64>(trained, data, pool),
    }
}

fn figures_in<T: Real>(trained: &Trained, data: &Data, pool: &Pool) -> Result<Figures, TrainError> {
    let program = trained.program.at_prediction();
    let mut figures = Figures::new();
    if let Some(loss) = program.loss {
        let mut forward = Forward::<T>::new(program, loss, data)?;
        let convert = |values: &[f64]| values.iter().map(|&v| T::from_f64(v)).collect::<Vec<T>>();
        forward.set(&convert(&trained.parameters), &convert(&trained.states));
        forward.run(pool);
        figures.push(("loss", forward.scalar()));
    }
    let truth = program.targets.first().and_then(|&id| data.get(program.name_of(id)));
    if let (Some(node), Some(truth)) = (program.predict, truth) {
        let predicted = predict::<T>(program, &trained.parameters, &trained.states, data, pool)?;
        if (predicted.rows, predicted.cols) == (truth.rows, truth.cols) {
            let probabilities = matches!(program.graph.op(node), Op::Softmax(_));
            figures.extend(judge(&predicted, truth, probabilities, trained.preprocessing.as_ref()));
        }
    }
    Ok(figures)
}

fn is_one_hot(truth: &Matrix) -> bool {
    let row_fits = |row: &[f64]| row.iter().all(|&v| v == 0.0 || v == 1.0) && row.iter().sum::<f64>() == 1.0;
    truth.cols > 1 && (0..truth.rows).all(|row| row_fits(truth.row(row)))
}

fn judge(predicted: &Matrix, truth: &Matrix, probabilities: bool, preprocessing: Option<&Preprocessing>) -> Figures {
    if is_one_hot(truth) {
        if probabilities {
            let c = classification(predicted, truth);
            return vec![("accuracy", c.accuracy), ("log_loss", c.log_loss), ("majority", c.majority)];
        }
        let right = (0..truth.rows).filter(|&row| argmax(predicted.row(row)) == argmax(truth.row(row))).count();
        return vec![("accuracy", right as f64 / truth.rows.max(1) as f64)];
    }
    let binary = truth.cols == 1 && truth.values.iter().all(|&v| v == 0.0 || v == 1.0);
    if binary && predicted.values.iter().all(|&p| (0.0..=1.0).contains(&p)) {
        let right = predicted.values.iter().zip(&truth.values).filter(|&(&p, &t)| (p > 0.5) == (t > 0.5)).count();
        return vec![("accuracy", right as f64 / truth.rows.max(1) as f64)];
    }
    let restore = |values: &[f64]| -> Vec<f64> {
        match preprocessing {
            Some(p) if matches!(p.target, Target::Number { .. }) => values.iter().map(|&v| p.restore(v)).collect(),
            _ => values.to_vec(),
        }
    };
    let r = regression(&restore(&predicted.values), &restore(&truth.values));
    vec![("rmse", r.rmse), ("mae", r.mae), ("r2", r.r2)]
}
