//! Partial dependence: the mean prediction if every row had the same value of a column, for each of several values; and how
//! much that differs between rows (individual conditional expectations).
//!
//! Source: Friedman, "Greedy function approximation" (2001); Goldstein, Kapelner, Bleich, Pitkin, "Peeking inside the black
//! box" (2015). The values are such as occur: a row that has one lends it to all others, with all that was made of it.
//! Where columns go together, some of the rows that arise so cannot occur.

use kernels::random::{Purpose, Stream};
use serde::Serialize;

use super::examples::{Column, Examples, Model, Values};
use crate::data::matrix::Matrix;
use crate::train::TrainError;

/// Values of a number that are tried.
pub const GRID: usize = 20;
/// Values of each of two columns.
pub const GRID_OF_TWO: usize = 12;
/// Labels that are tried, the most frequent ones.
pub const LABELS: usize = 15;
/// Rows that are taken, chosen by seed.
pub const ROWS: usize = 1000;
/// Rows that are shown one by one.
pub const THREADS: usize = 40;

/// A value that is tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// How it is written.
    pub label: String,
    /// The number, for a column of numbers.
    pub number: Option<f64>,
    /// Rows that have this label, or numbers nearest to this one.
    pub rows: usize,
    /// A row that has it.
    #[serde(skip)]
    row: usize,
}

/// How predictions depend on one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dependence {
    /// Name of the column.
    pub column: String,
    /// What is predicted: the positive class's probability, each class's, or the number.
    pub outputs: Vec<String>,
    /// The values tried, numbers by size, labels by alphabet.
    pub values: Vec<Tried>,
    /// `[output][value]`: mean prediction.
    pub mean: Vec<Vec<f64>>,
    /// `[output][value]`: a tenth of the rows is predicted lower.
    pub low: Vec<Vec<f64>>,
    /// `[output][value]`: a tenth of the rows is predicted higher.
    pub high: Vec<Vec<f64>>,
    /// `[row][value]`: predictions of single rows, of the first output.
    pub threads: Vec<Vec<f64>>,
    /// Rows behind the means.
    pub rows: usize,
}

/// How the first output depends on two columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DependenceOfTwo {
    /// Names of the columns.
    pub columns: (String, String),
    /// What is predicted.
    pub output: String,
    /// The values tried of each.
    pub values: (Vec<Tried>, Vec<Tried>),
    /// `[value of the first][value of the second]`: mean prediction.
    pub mean: Vec<Vec<f64>>,
    /// Rows behind the means.
    pub rows: usize,
}

/// At most [`ROWS`] rows, chosen by seed, in their order.
#[must_use]
pub fn some_rows(examples: &Examples, seed: u64) -> Examples {
    if examples.rows() <= ROWS {
        return examples.clone();
    }
    let mut rows: Vec<u32> = (0..examples.rows() as u32).collect();
    Stream::new(seed, Purpose::Judge, 0, u32::MAX).shuffle(&mut rows);
    rows.truncate(ROWS);
    rows.sort_unstable();
    examples.select(&rows)
}

/// The dependence on one column, over at most [`ROWS`] rows. `positive` is the class that is told of, of two.
///
/// # Errors
/// The model cannot predict.
pub fn dependence(
    model: &mut Model,
    examples: &Examples,
    column: &Column,
    positive: usize,
    seed: u64,
) -> Result<Dependence, TrainError> {
    let values = grid(column, GRID);
    let sample = some_rows(examples, seed);
    let (outputs, chosen) = outputs(examples, positive);
    let mut found = Dependence {
        column: column.name.clone(),
        mean: vec![Vec::new(); outputs.len()],
        low: vec![Vec::new(); outputs.len()],
        high: vec![Vec::new(); outputs.len()],
        outputs,
        threads: vec![Vec::new(); sample.rows().min(THREADS)],
        rows: sample.rows(),
        values: Vec::new(),
    };
    for value in &values {
        let mut features = sample.features.clone();
        lend(&mut features, examples, column, value);
        let predictions = model.predict(&features)?;
        for (at, &output) in chosen.iter().enumerate() {
            let mut list: Vec<f64> = (0..predictions.rows).map(|row| predictions.row(row)[output]).collect();
            if at == 0 {
                found.threads.iter_mut().zip(&list).for_each(|(thread, value)| thread.push(*value));
            }
            found.mean[at].push(list.iter().sum::<f64>() / list.len() as f64);
            list.sort_by(f64::total_cmp);
            let share = |share: f64| list[(share * (list.len() - 1) as f64).round() as usize];
            found.low[at].push(share(0.1));
            found.high[at].push(share(0.9));
        }
    }
    found.values = values;
    Ok(found)
}

/// The dependence on two columns, likewise.
///
/// # Errors
/// The model cannot predict.
pub fn dependence_of_two(
    model: &mut Model,
    examples: &Examples,
    (first, second): (&Column, &Column),
    positive: usize,
    seed: u64,
) -> Result<DependenceOfTwo, TrainError> {
    let values = (grid(first, GRID_OF_TWO), grid(second, GRID_OF_TWO));
    let sample = some_rows(examples, seed);
    let (outputs, chosen) = outputs(examples, positive);
    let mut mean = Vec::new();
    for a in &values.0 {
        let mut line = Vec::new();
        for b in &values.1 {
            let mut features = sample.features.clone();
            lend(&mut features, examples, first, a);
            lend(&mut features, examples, second, b);
            let predictions = model.predict(&features)?;
            let sum: f64 = (0..predictions.rows).map(|row| predictions.row(row)[chosen[0]]).sum();
            line.push(sum / predictions.rows as f64);
        }
        mean.push(line);
    }
    let columns = (first.name.clone(), second.name.clone());
    Ok(DependenceOfTwo { columns, output: outputs[0].clone(), values, mean, rows: sample.rows() })
}

/// What is told of predictions, and in which columns it stands.
fn outputs(examples: &Examples, positive: usize) -> (Vec<String>, Vec<usize>) {
    let labels = &examples.labels;
    match labels.len() {
        0 => (vec![examples.target.clone()], vec![0]),
        2 => (vec![format!("probability of {}", labels[positive])], vec![positive]),
        count => (labels.clone(), (0..count).collect()),
    }
}

fn lend(features: &mut Matrix, examples: &Examples, column: &Column, value: &Tried) {
    let lent = examples.features.row(value.row).to_vec();
    for row in features.values.chunks_mut(features.cols) {
        column.encoded.iter().for_each(|&at| row[at] = lent[at]);
    }
}

/// Values that occur: numbers at equal shares of the rows, labels by how often they occur. A missing value is one, too.
fn grid(column: &Column, most: usize) -> Vec<Tried> {
    match &column.values {
        Values::Numbers(list) => {
            let mut order: Vec<usize> = (0..list.len()).filter(|&row| list[row].is_finite()).collect();
            order.sort_by(|&a, &b| list[a].total_cmp(&list[b]));
            let mut distinct: Vec<usize> = order.clone();
            distinct.dedup_by(|a, b| list[*a] == list[*b]);
            let chosen: Vec<usize> = if distinct.len() <= most {
                distinct
            } else {
                // The outermost hundredths are left out: models have seen little there.
                let at = |i: usize| 0.01 + 0.98 * i as f64 / (most - 1) as f64;
                let mut chosen: Vec<usize> =
                    (0..most).map(|i| order[(at(i) * (order.len() - 1) as f64).round() as usize]).collect();
                chosen.dedup_by(|a, b| list[*a] == list[*b]);
                chosen
            };
            let mut tried: Vec<Tried> = chosen
                .into_iter()
                .map(|row| Tried { label: list[row].to_string(), number: Some(list[row]), rows: 0, row })
                .collect();
            for value in order.iter().map(|&row| list[row]) {
                let distance = |t: &Tried| (t.number.unwrap_or(f64::INFINITY) - value).abs();
                if let Some(nearest) = tried.iter_mut().min_by(|a, b| distance(a).total_cmp(&distance(b))) {
                    nearest.rows += 1;
                }
            }
            tried
        }
        Values::Labels(labels, list) => {
            let mut counts = vec![(0, 0); labels.len()];
            for (row, &label) in list.iter().enumerate() {
                counts[label as usize].0 += 1;
                counts[label as usize].1 = row;
            }
            let mut order: Vec<usize> = (0..labels.len()).filter(|&label| counts[label].0 > 0).collect();
            order.sort_by_key(|&label| std::cmp::Reverse(counts[label].0));
            order.truncate(LABELS.min(most.max(2)));
            order.sort_unstable();
            let tried = |label: usize| {
                let (rows, row) = counts[label];
                Tried { label: labels[label].clone(), number: None, rows, row }
            };
            order.into_iter().map(tried).collect()
        }
    }
}
