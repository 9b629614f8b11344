//! Permutation importance: how much worse predictions become when the values of one column are shuffled between the rows.
//!
//! Source: Breiman, "Random forests" (2001); Fisher, Rudin, Dominici, "All models are wrong, but many are useful" (2019).
//! A column of the table is shuffled as a whole, with all that was made of it. Columns that tell the same share their
//! importance: each looks unimportant when the other is left.

use kernels::random::{Purpose, Stream};
use serde::Serialize;

use super::evaluation::Answers;
use super::examples::{Examples, Model};
use super::metric::{Better, Formula, Metric, find};
use crate::train::TrainError;

/// What one column is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// Name of the column.
    pub column: String,
    /// How much worse the metric becomes without it: the mean over the repeats. Negative if it becomes better.
    pub worse: f64,
    /// Standard deviation over the repeats (divided by their number).
    pub spread: f64,
    /// Each repeat.
    pub repeats: Vec<f64>,
}

/// The importance of every column, the largest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importances {
    /// Name of the metric.
    pub metric: &'static str,
    /// Its value with all columns as they are.
    pub value: f64,
    /// The columns.
    pub columns: Vec<Importance>,
}

/// The metric that is used if none is named: accuracy for classes, RMSE for numbers.
#[must_use]
pub fn usual(answers: &Answers) -> &'static Metric {
    let name = if matches!(answers, Answers::Classes(_)) { "accuracy" } else { "rmse" };
    find(name).expect("invariant: the list has them")
}

/// Shuffles every column `repeats` times, by `seed`. The same arguments give the same numbers to the last bit.
///
/// # Errors
/// The model cannot predict.
pub fn importances(
    model: &mut Model,
    examples: &Examples,
    metric: &'static Metric,
    repeats: u32,
    seed: u64,
) -> Result<Importances, TrainError> {
    let weights = vec![1.0; examples.rows()];
    let answers = examples.answers(model.predict(&examples.features)?)?;
    let value = answers.measure(metric, &weights);
    let mut columns = Vec::with_capacity(examples.columns.len());
    for (number, column) in examples.columns.iter().enumerate() {
        let mut found = Vec::with_capacity(repeats as usize);
        for repeat in 0..repeats {
            let mut rows: Vec<u32> = (0..examples.rows() as u32).collect();
            Stream::new(seed, Purpose::Judge, number as u32 + 1, repeat).shuffle(&mut rows);
            let mut features = examples.features.clone();
            for (to, &from) in rows.iter().enumerate() {
                for &at in &column.encoded {
                    features.values[to * features.cols + at] = examples.features.row(from as usize)[at];
                }
            }
            let shuffled = examples.answers(model.predict(&features)?)?.measure(metric, &weights);
            found.push(worse(metric, value, shuffled));
        }
        let n = f64::from(repeats);
        let mean = found.iter().sum::<f64>() / n;
        // What does not matter at all leaves the rounding of sums.
        let mean = if mean.abs() < 1e-12 * value.abs() { 0.0 } else { mean };
        let spread = (found.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        columns.push(Importance { column: column.name.clone(), worse: mean, spread, repeats: found });
    }
    // Equal ones stay in the order of the table.
    columns.sort_by(|a, b| b.worse.total_cmp(&a.worse));
    Ok(Importances { metric: metric.name, value, columns })
}

fn worse(metric: &Metric, whole: f64, shuffled: f64) -> f64 {
    match metric.better {
        Better::Higher => whole - shuffled,
        Better::Lower => shuffled - whole,
        Better::NearZero => shuffled.abs() - whole.abs(),
    }
}

/// Is it a metric for such answers?
#[must_use]
pub fn fits(metric: &Metric, answers: &Answers) -> bool {
    matches!(
        (answers, metric.formula),
        (Answers::Classes(_), Formula::Classes(_) | Formula::Probabilities(_))
            | (Answers::Numbers(_), Formula::Mean(_) | Formula::Median(_))
    )
}
