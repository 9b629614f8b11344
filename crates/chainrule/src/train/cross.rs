//! Cross-validation: every row is predicted by a model that was trained without it.

use kernels::Pool;

use super::event::Flow;
use super::figures::{Figures, apply, figures_of};
use super::folds::{Folds, Manner};
use super::parallel::each;
use super::settings::Recipe;
use super::source::{Data, SourceError};
use crate::data::columns::ColumnReport;
use crate::data::matrix::Matrix;
use crate::data::table::Table;

/// A cross-validation.
#[derive(Clone, Copy, Debug)]
pub struct CrossValidation<'a> {
    /// What is trained.
    pub recipe: &'a Recipe,
    /// The model text, if it is not the default network.
    pub text: Option<&'a str>,
    /// Number of folds; not asked where the values of a column are the folds.
    pub folds: u32,
    /// Repetitions with other folds.
    pub repeats: u32,
    /// Folds that are trained side by side; they change nothing but the time.
    pub threads: usize,
}

/// One fold.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Repetition, from 1.
    pub repeat: u32,
    /// Number, from 1.
    pub fold: u32,
    /// What is held out: a value of the column, or from when to when; none for folds that are drawn.
    pub name: Option<String>,
    /// Rows that the model was trained with, those for its own validation among them.
    pub training: usize,
    /// The rows that were held out and judged, as numbers in the table.
    pub rows: Vec<u32>,
    /// Rows whose class does not occur in the training part; they are not judged.
    pub strangers: usize,
    /// Networks that were trained.
    pub networks: usize,
    /// Epochs done by all of them.
    pub epochs: u32,
    /// Figures on the rows that were held out.
    pub figures: Figures,
    /// Predictions for them: probabilities of the classes of the whole table, or a number.
    pub predictions: Matrix,
}

/// What a cross-validation gives.
#[derive(Clone, Debug)]
pub struct CrossReport {
    /// The columns that are predicted.
    pub targets: Vec<String>,
    /// The classes; none for a number.
    pub labels: Option<Vec<String>>,
    /// Rows with a target.
    pub rows: usize,
    /// The numbers of these rows in the file, from 1.
    pub numbers: Vec<u32>,
    /// How rows were put into folds.
    pub manner: Manner,
    /// Number of folds of one repetition.
    pub count: u32,
    /// Rows that are never held out: the only ones of their class, those without a value of the column, or those with which
    /// time begins.
    pub never: usize,
    /// The seed of the folds.
    pub seed: u64,
    /// All folds, one repetition after the other.
    pub folds: Vec<Fold>,
}

impl CrossReport {
    /// The figures by name: mean, and standard deviation over the folds.
    #[must_use]
    pub fn summary(&self) -> Vec<(&'static str, f64, f64)> {
        let names = self.folds.first().map(|fold| fold.figures.iter().map(|(name, _)| *name));
        let of = |name: &str| -> Vec<f64> {
            let found = self.folds.iter().filter_map(|fold| fold.figures.iter().find(|(other, _)| *other == name));
            found.map(|(_, value)| *value).collect()
        };
        let moments = |name: &'static str| {
            let values = of(name);
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
            (name, mean, (squares / (n - 1.0).max(1.0)).sqrt())
        };
        names.into_iter().flatten().map(moments).collect()
    }

    /// For every row with a target the mean of its predictions over the repetitions; none for rows never held out.
    #[must_use]
    pub fn predictions(&self) -> Vec<Option<Vec<f64>>> {
        let mut sums: Vec<Option<(Vec<f64>, f64)>> = vec![None; self.rows];
        for fold in &self.folds {
            for (at, &row) in fold.rows.iter().enumerate() {
                let values = fold.predictions.row(at);
                let (sum, count) = sums[row as usize].get_or_insert_with(|| (vec![0.0; values.len()], 0.0));
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                *count += 1.0;
            }
        }
        sums.into_iter().map(|sum| sum.map(|(sum, count)| sum.iter().map(|sum| sum / count).collect())).collect()
    }
}

/// The table of a cross-validation, ready to be cut.
struct Whole<'a> {
    wish: &'a CrossValidation<'a>,
    table: Table,
    cut: Folds,
    /// The class of each row.
    classes: Option<Vec<u32>>,
    labels: Option<Vec<String>>,
}

/// Trains and judges every fold. `stop` is asked between steps; `done` hears of each fold as soon as it is judged, in any
/// order.
///
/// # Errors
/// The table is wrong, there are too few rows or groups, a fold cannot be trained, or it was stopped.
pub fn cross_validate(
    wish: &CrossValidation,
    mut table: Table,
    stop: &(dyn Fn() -> bool + Sync),
    done: &(dyn Fn(&Fold) + Sync),
) -> Result<CrossReport, SourceError> {
    let options = &wish.recipe.table;
    let mut report = ColumnReport::infer(&table, &options.targets, &options.columns())?;
    let without = report.rows_without_target.clone();
    let numbers = (0..table.rows() as u32).filter(|row| without.binary_search(row).is_err()).map(|row| row + 1);
    let numbers: Vec<u32> = numbers.collect();
    report.drop_rows_without_target(&mut table);
    let classes = report.target.classes(&table)?;
    let cut = Folds::of(wish, &table, classes.as_deref())?;
    let labels = report.target.labels().map(<[String]>::to_vec);
    let whole = Whole { wish, table, cut, classes, labels };
    let count = whole.cut.count;
    let jobs = count as usize * wish.repeats as usize;
    let results = each(jobs, wish.threads, &|job| {
        let judged = whole.fold(job as u32 / count, job as u32 % count, stop);
        judged.inspect(|fold| {
            if !stop() {
                done(fold);
            }
        })
    });
    let rows = whole.table.rows();
    let folds = results.into_iter().collect::<Result<Vec<Fold>, SourceError>>()?;
    let targets = options.targets.clone();
    let (manner, never) = (whole.cut.manner, whole.cut.never());
    let seed = wish.recipe.seed.unwrap_or(0);
    Ok(CrossReport { targets, labels: whole.labels, rows, numbers, manner, count, never, seed, folds })
}

impl Whole<'_> {
    fn fold(&self, repeat: u32, fold: u32, stop: &(dyn Fn() -> bool + Sync)) -> Result<Fold, SourceError> {
        let (held, training) = self.cut.parts(repeat, fold);
        let count = held.len();
        let held = self.known(held, &training);
        let part = |rows: &[u32]| {
            let mut table = self.table.clone();
            table.keep_rows(rows);
            table
        };
        let mut recipe = self.wish.recipe.clone();
        // The fold is the test.
        recipe.table.split.test = 0.0;
        // The column of the folds says nothing about the rows for validation, and a new value nothing to the network.
        recipe.table.columns.aside.extend(recipe.table.split.column.take());
        let mut session = recipe.session(part(&training), None, self.wish.text)?;
        session.options.threads = 1;
        let reports = session
            .train_from(None, &mut |_| if stop() { Flow::Stop } else { Flow::Continue })
            .map_err(SourceError::Train)?;
        let (networks, epochs) = (reports.len(), reports.iter().map(|report| report.epochs).sum());
        let members = reports.into_iter().map(super::Report::into_values).collect();
        let trained = session.trained(members).map_err(SourceError::Train)?;
        let test = part(&held);
        let fitted = trained.preprocessing.as_ref().expect("invariant: a session of a table has preprocessing");
        let (mut matrices, _) = fitted.inputs(&test)?;
        matrices.extend(fitted.truths(&test)?);
        let judged = apply(&trained, &Data { matrices }, &Pool::new(1)).map_err(SourceError::Train)?;
        let figures = figures_of(&judged, &trained.program, Some(fitted));
        let mut predictions = judged.pair.map_or_else(|| Matrix::zeros(held.len(), 0), |(predicted, _)| predicted);
        match (&self.labels, fitted.target.labels()) {
            (Some(all), Some(own)) => predictions = spread(&predictions, own, all),
            _ => fitted.restore(&mut predictions),
        }
        Ok(Fold {
            repeat: repeat + 1,
            fold: fold + 1,
            name: self.cut.names.get(fold as usize).cloned(),
            training: training.len(),
            strangers: count - held.len(),
            rows: held,
            networks,
            epochs,
            figures,
            predictions,
        })
    }

    /// The rows whose class occurs in the training part.
    fn known(&self, held: Vec<u32>, training: &[u32]) -> Vec<u32> {
        let Some(classes) = &self.classes else { return held };
        let mut seen = vec![false; self.labels.as_ref().map_or(0, Vec::len)];
        for &row in training {
            seen[classes[row as usize] as usize] = true;
        }
        held.into_iter().filter(|&row| seen[classes[row as usize] as usize]).collect()
    }
}

/// Probabilities of the classes of a fold as probabilities of all classes.
fn spread(predictions: &Matrix, own: &[String], all: &[String]) -> Matrix {
    if predictions.cols != own.len() {
        return predictions.clone();
    }
    let mut out = Matrix::zeros(predictions.rows, all.len());
    for (from, label) in own.iter().enumerate() {
        let Some(to) = all.iter().position(|other| other == label) else { continue };
        for row in 0..predictions.rows {
            out.values[row * all.len() + to] = predictions.row(row)[from];
        }
    }
    out
}
